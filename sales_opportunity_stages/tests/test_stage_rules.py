from datetime import date

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import Form

from .common import OpportunityStagesCase


class TestAllowedActions(OpportunityStagesCase):
    """Once a stage lists actions, only those can be scheduled on an opportunity standing there."""

    def test_only_what_is_listed_can_be_scheduled(self):
        lead = self._create_opportunity()
        self.assertEqual(lead._get_allowed_activity_types(), self.act_call | self.act_email)
        for user in (self.salesman, self.manager, self.env.ref("base.user_root")):
            with (
                self.subTest(user=user.login),
                self.assertRefused(
                    "'Visit A' cannot be scheduled on 'Acme line 3' in stage Contact. Allowed there: Call A, Email A",
                    ValidationError,
                ),
            ):
                self._schedule(lead.with_user(user), self.act_visit)
        self.assertTrue(self._schedule(lead, self.act_email))

    def test_a_stage_that_lists_none_allows_all(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_solution)
        self.assertIn(self.act_other, lead._get_allowed_activity_types())
        self.assertTrue(self._schedule(lead, self.act_other))

    def test_by_change(self):
        lead = self._create_opportunity()
        activity = self._schedule(lead, self.act_call)
        with self.assertRefused("Allowed there: Call A, Email A", ValidationError):
            activity.write({"activity_type_id": self.act_visit.id})
        free = (
            self.env["mail.activity"]
            .with_user(self.salesman)
            .create({"activity_type_id": self.env.ref("mail.mail_activity_data_todo").id, "user_id": self.salesman.id})
        )
        with self.assertRefused("Allowed there", ValidationError):
            free.write({"res_model_id": self.env["ir.model"]._get_id("crm.lead"), "res_id": lead.id})

    def test_in_batch_and_by_import(self):
        leads = self._create_opportunities(3)
        self._force(leads[2], self.stage_solution)
        with self.assertRefused("'Deal 0' in stage Contact", ValidationError):
            self._schedule(leads, self.act_other)
        result = (
            self.env["mail.activity"]
            .with_user(self.salesman)
            .load(
                ["res_model_id/.id", "res_id", "activity_type_id/.id", "user_id/.id"],
                [[self.env["ir.model"]._get_id("crm.lead"), leads[0].id, self.act_visit.id, self.salesman.id]],
            )
        )
        self.assertFalse(result["ids"])
        self.assertIn("Allowed there", str(result["messages"]))

    def test_leads_allow_all(self):
        lead = (
            self.env["crm.lead"]
            .with_user(self.salesman)
            .create({"name": "Raw", "type": "lead", "team_id": self.team.id})
        )
        self.assertTrue(self._schedule(lead, self.act_other))

    def test_on_an_opportunity_the_assignee_may_not_read(self):
        lead = self._create_opportunity()
        activity = self._schedule(lead, self.act_call)
        activity.user_id = self.colleague
        activity.with_user(self.colleague).action_feedback()
        self.assertEqual(lead.stage_id, self.stage_needs)
        self.assertEqual(activity.done_user_id, self.colleague)

    def test_wizard_offers_only_what_is_allowed(self):
        lead = self._create_opportunity()
        Wizard = self.env["mail.activity.schedule"].with_user(self.salesman)
        form = Form(Wizard.with_context(active_model="crm.lead", active_id=lead.id, active_ids=lead.ids))
        self.assertEqual(form.allowed_activity_type_ids.ids, (self.act_call | self.act_email).ids)
        self.assertIn(form.activity_type_id, self.act_call | self.act_email)
        wizard = form.save()
        wizard.action_schedule_activities()
        self.assertEqual(lead.activity_ids.activity_type_id, form.activity_type_id)
        wizard.activity_type_id = self.act_visit
        with self.assertRefused("Allowed there", ValidationError):
            wizard.action_schedule_activities()

    def test_wizard_on_several_offers_what_all_allow(self):
        leads = self._create_opportunities(2)
        self._force(leads[1], self.stage_needs)
        Wizard = self.env["mail.activity.schedule"].with_user(self.salesman)
        wizard = Wizard.with_context(active_model="crm.lead", active_ids=leads.ids).create({})
        self.assertEqual(wizard.allowed_activity_type_ids, self.act_call)
        self.assertEqual(wizard.activity_type_id, self.act_call)

    def test_wizard_elsewhere_is_left_alone(self):
        partner = self.env["res.partner"].create({"name": "Acme"})
        wizard = (
            self.env["mail.activity.schedule"]
            .with_context(active_model="res.partner", active_ids=partner.ids)
            .create({})
        )
        self.assertIn(self.env.ref("mail.mail_activity_data_todo"), wizard.allowed_activity_type_ids)
        self.assertNotIn(self.act_call, wizard.allowed_activity_type_ids)

    def test_chatter_dialog_offers_only_what_is_allowed(self):
        lead = self._create_opportunity()
        activity = self._schedule(lead, self.act_call)
        self.assertEqual(activity.allowed_activity_type_ids, self.act_call | self.act_email)

    def test_plan(self):
        lead = self._create_opportunity()
        plan = self.env["mail.activity.plan"].create(
            {
                "name": "Onsite",
                "res_model": "crm.lead",
                "template_ids": [
                    Command.create({"activity_type_id": self.act_call.id, "responsible_type": "on_demand"}),
                    Command.create({"activity_type_id": self.act_visit.id, "responsible_type": "on_demand"}),
                ],
            }
        )
        Wizard = self.env["mail.activity.schedule"].with_user(self.salesman)
        context = {"active_model": "crm.lead", "active_ids": lead.ids}
        with self.assertRefused("Visit A cannot be scheduled", ValidationError):
            Wizard.with_context(**context).create({"plan_id": plan.id, "plan_on_demand_user_id": self.salesman.id})
        self.assertFalse(lead.activity_ids)

    # ------------------------------------------------------------
    # Chained activities
    # ------------------------------------------------------------

    def test_chained_activity_not_allowed_is_skipped_with_a_note(self):
        self.act_email.write({"chaining_type": "trigger", "triggered_next_type_id": self.act_other.id})
        lead = self._create_opportunity()
        activity = self._schedule(lead, self.act_email)
        activity.action_feedback(feedback="sent")
        self.assertFalse(activity.active)
        self.assertFalse(lead.activity_ids)
        self.assertIn("Other A, was not scheduled", "".join(lead.message_ids.mapped("body")))

    def test_chained_activity_allowed_only_after_the_promotion(self):
        self.act_call.write({"chaining_type": "trigger", "triggered_next_type_id": self.act_visit.id})
        lead = self._create_opportunity()
        self._complete(lead, self.act_call)
        self.assertEqual(lead.stage_id, self.stage_needs)
        self.assertEqual(lead.activity_ids.activity_type_id, self.act_visit)
        self.assertEqual(lead.activity_ids.stage_visit_id.stage_id, self.stage_needs)

    def test_client_cannot_pretend_to_chain(self):
        lead = self._create_opportunity()
        for value in (True, {"vals_list": []}):
            with self.assertRaises(ValidationError):
                self._schedule(
                    lead.with_context(opportunity_chain=value, opportunity_unruled_activity=value), self.act_visit
                )


class TestAutomaticPromotion(OpportunityStagesCase):
    """Completing a promoting action moves the opportunity on as soon as all that is required is met."""

    def test_promoting_action_last(self):
        lead = self._create_opportunity(expected_revenue=1)
        self._force(lead, self.stage_needs)
        self._complete(lead, self.act_visit)
        self.assertEqual(lead.stage_id, self.stage_needs)
        self._complete(lead, self.act_sign)
        self.assertEqual(lead.stage_id, self.stage_solution)
        visit = lead.stage_visit_ids.sorted("id")[-1]
        self.assertEqual((visit.trigger, visit.moved_by_id), ("automatic", self.salesman))

    def test_promoting_action_first(self):
        lead = self._create_opportunity(expected_revenue=1)
        self._force(lead, self.stage_needs)
        self._complete(lead, self.act_sign)
        self.assertEqual(lead.stage_id, self.stage_needs)
        self._complete(lead, self.act_visit)
        self.assertEqual(lead.stage_id, self.stage_solution)

    def test_condition_last(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_needs)
        self._complete(lead, self.act_visit, self.act_sign)
        self.assertEqual(lead.stage_id, self.stage_needs)
        lead.write({"expected_revenue": 100})
        self.assertEqual(lead.stage_id, self.stage_solution)

    def test_quotation_last(self):
        self.rule_revenue.write({"name": "Quotation", "domain": "[('order_ids', '!=', False)]"})
        partner = self.env["res.partner"].create({"name": "Acme"})
        lead = self._create_opportunity(partner_id=partner.id)
        self._force(lead, self.stage_needs)
        self._complete(lead, self.act_visit, self.act_sign)
        self.env["sale.order"].with_user(self.salesman).create({"partner_id": partner.id, "opportunity_id": lead.id})
        self.assertEqual(lead.stage_id, self.stage_solution)

    def test_archiving_the_activity_is_completing_it(self):
        lead = self._create_opportunity()
        self._schedule(lead, self.act_call).write({"active": False})
        self.assertEqual(lead.stage_id, self.stage_needs)

    def test_one_step_at_a_time(self):
        self.rule_visit.required = self.rule_revenue.required = False
        lead = self._create_opportunity()
        self._force(lead, self.stage_needs)
        self._schedule(lead, self.act_sign)
        lead.write({"stage_id": self.stage_contact.id})
        self._complete(lead, self.act_call)
        self.assertEqual(lead.stage_id, self.stage_needs)
        lead.activity_ids.filtered(lambda activity: activity.activity_type_id == self.act_sign).action_feedback()
        self.assertEqual(lead.stage_id, self.stage_solution)

    def test_going_back_is_not_undone(self):
        lead = self._create_opportunity()
        self._complete(lead, self.act_call)
        lead.write({"stage_id": self.stage_contact.id})
        self.assertEqual(lead.stage_id, self.stage_contact)
        lead.write({"name": "Renamed", "expected_revenue": 7})
        self.assertEqual(lead.stage_id, self.stage_contact)
        self._complete(lead, self.act_call)
        self.assertEqual(lead.stage_id, self.stage_needs)

    def test_in_a_batch(self):
        leads = self._create_opportunities(20)
        activities = self.env["mail.activity"].concat(*(self._schedule(lead, self.act_call) for lead in leads))
        activities.action_feedback()
        self.assertEqual(leads.stage_id, self.stage_needs)

    def test_to_the_target_stage(self):
        self.rule_call.target_stage_id = self.stage_solution
        self.stage_needs.rule_ids.required = False
        lead = self._create_opportunity()
        self._complete(lead, self.act_call)
        self.assertEqual(lead.stage_id, self.stage_solution)

    def test_refused_by_the_gate_leaves_a_note(self):
        self.rule_call.target_stage_id = self.stage_solution
        lead = self._create_opportunity()
        activity = self._schedule(lead, self.act_call)
        activity.action_feedback(feedback="reached him")
        self.assertFalse(activity.active)
        self.assertEqual(lead.stage_id, self.stage_contact)
        notes = lead.message_ids.filtered(lambda message: "Not promoted automatically" in message.body)
        self.assertEqual(len(notes), 1)
        self.assertIn("Needs: Visit A", notes.body)
        lead.write({"name": "Another name"})
        self.assertEqual(len(lead.message_ids.filtered(lambda message: "Not promoted" in message.body)), 1)

    def test_refusal_of_one_does_not_hold_up_the_others(self):
        self.rule_call.target_stage_id = self.stage_solution
        leads = self._create_opportunities(3)
        self._force(leads[0], self.stage_needs)
        leads[0].write({"expected_revenue": 1})
        self._complete(leads[0], self.act_visit)
        leads[0].with_user(self.manager).write({"stage_id": self.stage_contact.id})
        self.rule_sign.required = False
        activities = self.env["mail.activity"].concat(*(self._schedule(lead, self.act_call) for lead in leads))
        activities.action_feedback()
        self.assertEqual(leads.mapped("stage_id"), self.stage_solution | self.stage_contact)
        self.assertEqual(leads[0].stage_id, self.stage_solution)

    def test_the_salesperson_is_told(self):
        lead = self._create_opportunity()
        self.env["bus.bus"].sudo().search([]).unlink()
        self._complete(lead, self.act_call)
        self.env.cr.precommit.run()
        self.assertIn("Promoted automatically", "".join(lead.message_ids.mapped("body")))
        toasts = self.env["bus.bus"].sudo().search([("message", "ilike", "simple_notification")])
        self.assertIn("was promoted from Contact to Needs", "".join(toasts.mapped("message")))

    def test_lost_and_archived_ones_stay(self):
        lost, archived = self._create_opportunities(2)
        activities = self._schedule(lost, self.act_call) | self._schedule(archived, self.act_call)
        lost.action_set_lost()
        archived.action_archive()
        self.assertEqual((lost | archived).mapped("won_status"), ["lost", "pending"])
        activities.exists().filtered("active").action_feedback()
        self.assertEqual((lost | archived).stage_id, self.stage_contact)


class TestRuleConfiguration(OpportunityStagesCase):
    """A rule that makes no sense is refused when it is made, by name."""

    def _create_rule(self, **values):
        return self.env["crm.stage.rule"].with_user(self.manager).create({"stage_id": self.stage_solution.id, **values})

    def test_nonsense_is_refused(self):
        for values, message in (
            ({"kind": "action"}, "needs an activity type"),
            ({"kind": "condition", "name": "x"}, "label and a domain"),
            ({"kind": "condition", "name": "x", "domain": "[('no_field', '=', 1)]"}, "condition 'x' cannot be used"),
            ({"kind": "condition", "name": "x", "domain": "[("}, "condition 'x' cannot be used"),
            # its author may not read it, and would be told by whom the condition is met
            (
                {"kind": "condition", "name": "x", "domain": "[('message_ids.mail_server_id.smtp_pass', '!=', False)]"},
                "'x' cannot be used",
            ),
            ({"kind": "condition", "name": "x", "domain": "[('name','=','a')]", "promotes": True}, "only completing"),
            ({"activity_type_id": self.act_call.id, "target_stage_id": self.stage_contact.id}, "does not come later"),
            ({"activity_type_id": self.act_call.id, "required": True, "stage_id": self.stage_won.id}, "Won stage"),
        ):
            with self.subTest(values=values), self.assertRefused(message, ValidationError):
                self._create_rule(**values)
        partner_type = self.env["mail.activity.type"].create({"name": "Partner only", "res_model": "res.partner"})
        with self.assertRefused("cannot be scheduled on opportunities", ValidationError):
            self._create_rule(activity_type_id=partner_type.id)

    def test_relative_dates(self):
        rule = self._create_rule(
            kind="condition",
            name="Closing soon",
            domain="[('date_deadline', '<=', (context_today() + relativedelta(days=30)).strftime('%Y-%m-%d'))]",
        )
        lead = self._create_opportunity(date_deadline=date(2000, 1, 1))
        self.assertEqual(rule._filter_met(lead), {(lead.id, rule.id)})

    def test_label(self):
        self.assertEqual(self.rule_call.display_name, "Call A")
        self.rule_call.name = "First call"
        self.assertEqual(self.rule_call.display_name, "First call")
        self.assertEqual(self.stage_contact.rule_summary, "First call* → · Email A")


class TestStageSetUp(OpportunityStagesCase):
    """Stages are added behind the others and copied with their rules."""

    def test_copy_takes_the_rules_along(self):
        self.stage_needs.with_user(self.manager).action_duplicate()
        copied = self.env["crm.stage"].search([("name", "=", "Needs (copy)")])
        self.assertEqual(copied.opportunity_type_ids, self.type_project)
        self.assertEqual(copied.probability, 25)
        for rule, original in zip(copied.rule_ids, self.stage_needs.rule_ids, strict=True):
            for name in ("kind", "activity_type_id", "name", "domain", "required", "promotes", "target_stage_id"):
                self.assertEqual(rule[name], original[name], name)
        self.assertEqual(self.stage_needs.copy({"name": "Other needs"}).name, "Other needs")

    def test_copy_promotes_to_what_comes_later(self):
        """A copy comes after the stages of the same sequence: what is no longer later is not its target."""
        near = self._create_stage("Near", self.stage_needs.sequence, 30)
        self.rule_sign.target_stage_id = self.stage_closing
        self.rule_visit.write({"promotes": True, "target_stage_id": near.id})
        rules = self.stage_needs.copy().rule_ids
        self.assertEqual(
            rules.filtered(lambda r: r.activity_type_id == self.act_sign).target_stage_id, self.stage_closing
        )
        self.assertFalse(rules.filtered(lambda r: r.activity_type_id == self.act_visit).target_stage_id)

    def test_new_stage_comes_behind_those_of_its_type(self):
        Stage = self.env["crm.stage"].with_user(self.manager)
        added = Stage.with_context(default_opportunity_type_ids=self.type_project.ids).create({"name": "Added"})
        self.assertEqual(added.sequence, self.stage_closing.sequence + 1)
        path = self.env["crm.opportunity.type"]._get_stage_map().path(self.type_project.id, None)
        self.assertEqual(path[-2:], (added.id, self.stage_won.id))
        last = max(Stage.search([("is_won", "=", False)]).mapped("sequence"))
        first, second = (
            Stage.with_context(default_opportunity_type_ids=[]).create({"name": name})
            for name in ("Of a new type", "A")
        )
        self.assertEqual((first.sequence, second.sequence), (last + 1, last + 2))
        self.assertEqual(Stage.create({"name": "Odoo's own"}).sequence, 1)
