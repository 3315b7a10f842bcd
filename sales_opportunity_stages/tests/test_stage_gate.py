from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.sales_opportunity_stages.tools import CONTEXT_KEY, DerivedValues, StageMove

from .common import OpportunityStagesCase


class TestStageGate(OpportunityStagesCase):
    """A forward move needs every required rule of the stages left behind, whoever asks and however."""

    def assertStage(self, lead, stage):
        self.assertEqual(lead.sudo().stage_id, stage)

    def test_forward_move_is_refused_and_names_what_is_missing(self):
        lead = self._create_opportunity()
        self._complete(lead, self.act_call)
        self.assertStage(lead, self.stage_needs)
        with self.assertRaises(UserError) as caught:
            lead.write({"stage_id": self.stage_closing.id})
        self.assertEqual(
            caught.exception.args[0],
            "Cannot promote 'Acme line 3' from Needs to Closing. Still to do — "
            "Needs: Visit A, Signature A, and Revenue set · Solution: Quotation noted",
        )
        self.assertStage(lead, self.stage_needs)

    def test_stages_between_count_even_when_the_first_is_met(self):
        lead = self._create_opportunity(expected_revenue=10)
        self._complete(lead, self.act_call, self.act_visit, self.act_sign)
        self.assertStage(lead, self.stage_solution)
        with self.assertRefused("Solution: Quotation noted"):
            lead.write({"stage_id": self.stage_won.id})
        lead.write({"stage_id": self.stage_closing.id, "referred": "quoted"})
        lead.write({"stage_id": self.stage_won.id})
        self.assertEqual(lead.won_status, "won")

    def test_condition_is_judged_on_the_values_after_the_write(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_solution)
        lead.write({"stage_id": self.stage_closing.id, "referred": "quoted"})
        self.assertStage(lead, self.stage_closing)
        other = self._create_opportunity(referred="quoted")
        self._force(other, self.stage_solution)
        with self.assertRaises(UserError):
            other.write({"stage_id": self.stage_closing.id, "referred": "withdrawn"})
        self.assertStage(other, self.stage_solution)

    def test_back_is_free_and_forward_again_needs_only_what_is_not_met(self):
        lead = self._create_opportunity(expected_revenue=5)
        self._complete(lead, self.act_call, self.act_visit, self.act_sign)
        lead.write({"stage_id": self.stage_contact.id})
        self.assertStage(lead, self.stage_contact)
        lead.write({"stage_id": self.stage_solution.id})
        self.assertStage(lead, self.stage_solution)

    def test_losing_and_reopening_are_free(self):
        lead = self._create_opportunity()
        lead.action_set_lost()
        self.assertEqual(lead.won_status, "lost")
        lead.action_restore()
        self.assertEqual(lead.won_status, "pending")
        self.assertStage(lead, self.stage_contact)

    def test_a_lost_opportunity_cannot_slip_forward(self):
        lead = self._create_opportunity()
        lead.action_set_lost()
        for values in (
            {"stage_id": self.stage_closing.id},
            {"stage_id": self.stage_closing.id, "active": True, "probability": 50},
            {"stage_id": self.stage_won.id},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                lead.write(values)
        with self.assertRaises(UserError):
            lead.action_set_won()

    def test_every_button_obeys(self):
        lead = self._create_opportunity()
        for method in ("action_promote", "action_set_won", "action_set_won_rainbowman"):
            with self.subTest(method=method), self.assertRefused("Contact: Call A"):
                getattr(lead, method)()
        self.assertStage(lead, self.stage_contact)

    def test_promote_moves_to_the_next_stage_of_the_type(self):
        lead = self._create_opportunity()
        self.rule_call.promotes = False
        self._complete(lead, self.act_call)
        self.assertStage(lead, self.stage_contact)
        self.assertTrue(lead.can_promote)
        lead.action_promote()
        self.assertStage(lead, self.stage_needs)

    def test_promote_says_why_there_is_no_next_stage(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_won)
        with self.assertRefused("last stage, Done Deal"):
            lead.action_promote()
        lost = self._create_opportunity()
        lost.action_set_lost()
        with self.assertRefused("restore it"):
            lost.action_promote()
        raw = self.env["crm.lead"].create({"name": "Raw", "type": "lead"})
        with self.assertRefused("convert it"):
            raw.action_promote()

    def test_it_holds_for_administrators_and_superuser(self):
        lead = self._create_opportunity()
        for user in (self.supervisor, self.manager, self.env.ref("base.user_admin"), self.env.ref("base.user_root")):
            with self.subTest(user=user.login), self.assertRaises(UserError):
                lead.with_user(user).write({"stage_id": self.stage_needs.id})
        with self.assertRaises(UserError):
            lead.sudo().write({"stage_id": self.stage_needs.id})

    def test_assignment_and_copy(self):
        lead = self._create_opportunity()
        with self.assertRaises(UserError):
            lead.stage_id = self.stage_needs
        self._force(lead, self.stage_closing)
        copy = lead.copy()
        self.assertStage(copy, self.stage_contact)
        self.assertFalse(copy.furthest_stage_id - self.stage_contact)

    # ------------------------------------------------------------
    # Batches
    # ------------------------------------------------------------

    def test_batch_of_500_is_all_or_nothing_and_names_ten(self):
        leads = self._create_opportunities(500)
        good = leads[:480]
        activities = self.env["mail.activity"]
        self.rule_call.promotes = False
        for lead in good:
            activities += self._schedule(lead, self.act_call)
        activities.action_feedback()
        with self.assertRaises(UserError) as caught:
            leads.write({"stage_id": self.stage_needs.id})
        message = caught.exception.args[0]
        self.assertIn("20 opportunities cannot be moved", message)
        self.assertEqual(message.count("Cannot promote"), 10)
        self.assertIn("… and 10 more.", message)
        self.assertEqual(leads.stage_id, self.stage_contact)
        good.write({"stage_id": self.stage_needs.id})
        self.assertEqual(good.stage_id, self.stage_needs)
        self.assertEqual(
            self.env["crm.stage.visit"].search_count([("lead_id", "in", good.ids), ("outcome", "=", "advanced")]), 480
        )

    def test_winning_a_mixed_batch_names_all_and_wins_none(self):
        project = self._create_opportunity("Plant A")
        other = self._create_opportunity("Plant B", team_id=False)
        quick = self._create_opportunity("Belt", opportunity_type_id=self.type_quick.id)
        with self.assertRaises(UserError) as caught:
            (quick | project | other).action_set_won()
        self.assertIn("Plant A", caught.exception.args[0])
        self.assertIn("Plant B", caught.exception.args[0])
        self.assertEqual((quick | project | other).mapped("won_status"), ["pending"] * 3)

    def test_winning_finds_the_won_stage_of_each_type(self):
        quick = self._create_opportunity("Belt", opportunity_type_id=self.type_quick.id)
        project = self._create_opportunity("Plant")
        self._force(project, self.stage_closing)
        (quick | project).action_set_won()
        self.assertStage(quick, self.stage_quick_won)
        self.assertStage(project, self.stage_won)
        self.stage_quick_won.is_won = False
        with self.assertRefused("has no won stage"):
            self._create_opportunity("Nut", opportunity_type_id=self.type_quick.id).action_set_won()

    # ------------------------------------------------------------
    # Creation, import, conversion
    # ------------------------------------------------------------

    def test_created_into_a_later_stage(self):
        with self.assertRefused("Cannot start 'Acme line 3' in Needs. Still to do — Contact: Call A"):
            self._create_opportunity(stage_id=self.stage_needs.id)
        with self.assertRaises(UserError):
            self._create_opportunity(stage_id=self.stage_won.id, user=self.supervisor)
        with self.assertRaises(UserError):
            self.env["crm.lead"].with_user(self.salesman).with_context(default_stage_id=self.stage_won.id).create(
                {"name": "By context", "type": "opportunity", "opportunity_type_id": self.type_project.id}
            )
        self.assertStage(
            self._create_opportunity(stage_id=self.stage_closing.id, user=self.manager), self.stage_closing
        )
        self.assertStage(
            self._create_opportunity(stage_id=self.stage_won.id, user=self.env.ref("base.user_root")), self.stage_won
        )

    def test_creating_500_is_all_or_nothing(self):
        with self.assertRefused("500 opportunities cannot be moved") as caught:
            self._create_opportunities(500, stage_id=self.stage_needs.id)
        self.assertEqual(str(caught.exception).count("Cannot start 'Deal"), 10)
        self.assertFalse(self.env["crm.lead"].search([("name", "=like", "Deal %"), ("team_id", "=", self.team.id)]))
        self.assertEqual(self._create_opportunities(500).stage_id, self.stage_contact)

    def test_automation(self):
        lead = self._create_opportunity()
        action = self.env["ir.actions.server"].create(
            {
                "name": "To Needs",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "object_write",
                "update_path": "stage_id",
                "evaluation_type": "value",
                "value": str(self.stage_needs.id),
            }
        )
        for user in (self.salesman, self.env.ref("base.user_root")):
            run = (
                action.with_user(user)
                .sudo()
                .with_context(active_model="crm.lead", active_id=lead.id, active_ids=lead.ids)
            )
            with self.subTest(user=user.login), self.assertRefused("Contact: Call A"):
                run.run()
        self.assertStage(lead, self.stage_contact)

    def test_creation_may_skip_what_is_met(self):
        self.rule_call.required = False
        self.rule_visit.required = self.rule_sign.required = False
        with self.assertRaises(UserError):
            self._create_opportunity(stage_id=self.stage_solution.id)
        lead = self._create_opportunity(stage_id=self.stage_solution.id, expected_revenue=3)
        self.assertStage(lead, self.stage_solution)

    def test_import(self):
        fields = ["name", "type", "opportunity_type_id/.id", "stage_id/.id", "team_id/.id"]
        rows = [
            ["Imported fine", "opportunity", self.type_project.id, self.stage_contact.id, self.team.id],
            ["Imported late", "opportunity", self.type_project.id, self.stage_solution.id, self.team.id],
        ]
        Lead = self.env["crm.lead"]
        result = Lead.with_user(self.salesman).load(fields, rows)
        self.assertFalse(result["ids"])
        self.assertIn("Imported late", str(result["messages"]))
        self.assertFalse(Lead.search([("name", "=like", "Imported%")]))
        result = Lead.with_user(self.manager).load(fields, rows)
        self.assertEqual(len(result["ids"]), 2)

    def test_import_of_a_change(self):
        lead = self._create_opportunity()
        result = (
            self.env["crm.lead"]
            .with_user(self.salesman)
            .load([".id", "stage_id/.id"], [[lead.id, self.stage_needs.id]])
        )
        self.assertFalse(result["ids"])
        self.assertIn("Contact: Call A", str(result["messages"]))
        self.assertStage(lead, self.stage_contact)

    def test_conversion_starts_where_it_is_earned(self):
        lead = (
            self.env["crm.lead"]
            .with_user(self.salesman)
            .create({"name": "Raw", "type": "lead", "team_id": self.team.id})
        )
        lead.stage_id = self.stage_closing
        lead.convert_opportunity(self.env["res.partner"])
        self.assertEqual(lead.opportunity_type_id, self.type_project)
        self.assertStage(lead, self.stage_contact)

    def test_conversion_into_a_named_stage_is_gated(self):
        lead = self.env["crm.lead"].create(
            {"name": "Raw", "type": "lead", "team_id": self.team.id, "user_id": self.salesman.id}
        )
        for user in (self.salesman, self.manager):
            with self.subTest(user=user.login), self.assertRaises(UserError):
                lead.with_user(user).write({"type": "opportunity", "stage_id": self.stage_closing.id})

    def test_there_and_back_as_a_lead_is_no_way_round(self):
        lead = self._create_opportunity()
        self.rule_call.promotes = False
        lead.write({"type": "lead"})
        lead.write({"stage_id": self.stage_won.id})
        lead.write({"type": "opportunity", "opportunity_type_id": self.type_project.id})
        self.assertStage(lead, self.stage_contact)

    def test_emptying_the_stage_is_no_way_round(self):
        lead = self._create_opportunity()
        lead.write({"stage_id": False})
        with self.assertRaises(UserError):
            lead.write({"stage_id": self.stage_needs.id})

    # ------------------------------------------------------------
    # Silent moves
    # ------------------------------------------------------------

    def test_team_change_moves_to_the_first_stage_the_team_has(self):
        team = self.env["crm.team"].create({"name": "Export", "member_ids": [Command.set(self.manager.ids)]})
        own = self.stage_closing.copy({"name": "Export Start", "sequence": 1, "team_ids": [Command.set(team.ids)]})
        (self.stage_contact | self.stage_needs).team_ids = self.team
        lead = self._create_opportunity()
        lead.with_user(self.manager).write({"team_id": team.id})
        self.assertStage(lead, own)
        self.assertEqual(lead.opportunity_type_id, self.type_project)
        self.assertEqual(self._get_visits(lead)[-1], (own, "open", "manual"))

    def test_team_change_forward_is_gated(self):
        team = self.env["crm.team"].create({"name": "Export"})
        self.stage_contact.team_ids = self.team
        lead = self._create_opportunity()
        with self.assertRefused("from Contact to Needs.*Contact: Call A"):
            lead.write({"team_id": team.id})
        self.assertStage(lead, self.stage_contact)
        self.rule_call.promotes = False
        self._complete(lead, self.act_call)
        lead.write({"team_id": team.id})
        self.assertStage(lead, self.stage_needs)
        self.assertEqual([visit[0] for visit in self._get_visits(lead)], [self.stage_contact, self.stage_needs])

    def test_salesperson_change_that_changes_the_team_is_gated(self):
        team = self.env["crm.team"].create({"name": "Export", "member_ids": [Command.set(self.supervisor.ids)]})
        self.stage_contact.team_ids = self.team
        lead = self._create_opportunity()
        with self.assertRaises(UserError):
            lead.write({"user_id": self.supervisor.id})
        self.assertNotEqual(lead.team_id, team)

    # ------------------------------------------------------------
    # What counts as done
    # ------------------------------------------------------------

    def test_an_action_counts_for_the_stage_it_was_scheduled_in(self):
        lead = self._create_opportunity(expected_revenue=1)
        self._force(lead, self.stage_needs)
        visit = self._schedule(lead, self.act_visit)
        signature = self._schedule(lead, self.act_sign)
        self._force(lead, self.stage_closing)
        visit.action_feedback()
        signature.action_feedback()
        lead.write({"stage_id": self.stage_needs.id})
        self.assertNotIn(self.rule_visit, lead._get_missing_rules(self.stage_solution))
        lead.write({"stage_id": self.stage_solution.id})
        self.assertStage(lead, self.stage_solution)

    def test_an_action_of_another_stage_does_not_count(self):
        lead = self._create_opportunity(expected_revenue=1)
        self._complete(lead, self.act_call)
        self._force(lead, self.stage_solution)
        self._complete(lead, self.act_visit, self.act_sign)
        lead.write({"stage_id": self.stage_needs.id})
        self.assertEqual(lead._get_missing_rules(self.stage_solution), self.rule_visit | self.rule_sign)

    def test_cancelled_and_planned_actions_do_not_count(self):
        lead = self._create_opportunity()
        self._schedule(lead, self.act_call).action_cancel()
        planned = self._schedule(lead, self.act_call)
        with self.assertRaises(UserError):
            lead.action_promote()
        planned.unlink()
        with self.assertRaises(UserError):
            lead.action_promote()

    def test_actions_of_another_opportunity_do_not_count(self):
        lead, donor = self._create_opportunities(2)
        self.rule_call.promotes = False
        self._complete(donor, self.act_call)
        done = self.env["mail.activity"].with_context(active_test=False).search([("res_id", "=", donor.id)])
        with self.assertRaises(UserError):
            done.with_user(self.salesman).write({"res_id": lead.id})
        done.sudo().write({"res_id": lead.id})
        self.assertEqual(lead._get_missing_rules(self.stage_needs), self.rule_call)

    def test_a_done_action_cannot_be_made_another(self):
        lead = self._create_opportunity()
        email = self._schedule(lead, self.act_email)
        email.action_feedback()
        with self.assertRaises(UserError):
            email.write({"activity_type_id": self.act_call.id})
        self.assertEqual(lead._get_missing_rules(self.stage_needs), self.rule_call)

    def test_the_stay_of_an_activity_cannot_be_forged(self):
        lead, other = self._create_opportunities(2)
        visit = lead.stage_visit_ids
        activity = self._schedule(lead, self.act_email)
        for name in ("stage_visit_id", "done_visit_id"):
            with self.subTest(name=name), self.assertRaises(AccessError):
                activity.write({name: visit.id})
        with self.assertRaises(AccessError):
            self._schedule(other, self.act_email, stage_visit_id=visit.id)
        with self.assertRaises(AccessError):
            lead.write({"furthest_stage_id": self.stage_won.id})

    # ------------------------------------------------------------
    # Override
    # ------------------------------------------------------------

    def test_override_needs_a_reason_and_is_recorded(self):
        lead = self._create_opportunity()
        Wizard = self.env["crm.lead.stage.force"].with_user(self.manager)
        values = {"lead_ids": [Command.set(lead.ids)], "target_stage_id": self.stage_closing.id}
        with self.assertRefused("reason"):
            Wizard.create({**values, "reason": "  "}).action_force()
        wizard = Wizard.with_context(active_model="crm.lead", active_ids=lead.ids).new({})
        self.assertEqual(wizard.target_stage_id, self.stage_needs)
        wizard = Wizard.create({**values, "reason": "Framework contract"})
        self.assertIn("Needs: Visit A", wizard.missing_summary)
        wizard.action_force()
        self.assertStage(lead, self.stage_closing)
        visit = lead.stage_visit_ids.sorted("id")[-1]
        self.assertEqual(
            (visit.trigger, visit.reason, visit.moved_by_id), ("forced", "Framework contract", self.manager)
        )
        self.assertIn("Framework contract", lead.message_ids[0].body + lead.message_ids[1].body)

    def test_override_is_for_administrators_alone(self):
        lead = self._create_opportunity()
        values = {"lead_ids": [Command.set(lead.ids)], "target_stage_id": self.stage_needs.id, "reason": "I want it"}
        for user in (self.salesman, self.supervisor):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["crm.lead.stage.force"].with_user(user).create(values)
        wizard = self.env["crm.lead.stage.force"].with_user(self.manager).create(values)
        with self.assertRaises(AccessError):
            wizard.with_user(self.salesman).sudo().action_force()
        self.assertStage(lead, self.stage_contact)

    def test_override_stays_inside_the_type(self):
        lead = self._create_opportunity()
        with self.assertRaises(ValidationError):
            self._force(lead, self.stage_quick)

    def test_no_context_key_opens_the_gate(self):
        lead = self._create_opportunity()
        for value in (True, "forced", {"trigger": "forced"}, ["forced", "x", True], 1):
            for key in (CONTEXT_KEY, "stage_move", "force", "bookkeeping"):
                with self.subTest(key=key, value=value), self.assertRaises(UserError):
                    lead.with_context(**{key: value}).write({"stage_id": self.stage_needs.id})
        self.assertIsNone(StageMove.of(lead.with_context(**{CONTEXT_KEY: "forced"})))

    def test_an_override_covers_only_what_it_names(self):
        """What an automation does in the same call, with the same context, is an ordinary write."""
        lead, other = self._create_opportunities(2)
        move = StageMove("forced", "reason", frozenset(lead.ids), self.stage_needs.id)
        for records, stage in (
            (other, self.stage_needs),
            (lead, self.stage_solution),
            (lead | other, self.stage_needs),
        ):
            with self.subTest(stage=stage.name, count=len(records)), self.assertRaises(UserError):
                move.on(records).write({"stage_id": stage.id})
        derived = DerivedValues("crm.lead", frozenset(lead.ids), {"probability": 1})
        for values in ({"stage_id": self.stage_needs.id}, {"probability": 1, "stage_id": self.stage_needs.id}):
            with self.assertRaises(UserError):
                derived.on(lead).write(values)
        move.on(lead).write({"stage_id": self.stage_needs.id})
        self.assertEqual(self._get_visits(lead)[-1], (self.stage_needs, "open", "forced"))

    # ------------------------------------------------------------
    # Missing rules
    # ------------------------------------------------------------

    def test_a_condition_sees_what_the_user_may_not(self):
        partner = self.env["res.partner"].create({"name": "Acme"})
        self.rule_quoted.domain = "[('order_ids', '!=', False)]"
        lead = self._create_opportunity(partner_id=partner.id)
        self._force(lead, self.stage_solution)
        self.assertEqual(lead._get_missing_rules(self.stage_closing), self.rule_quoted)
        self.env["sale.order"].with_user(self.manager).create(
            {"partner_id": partner.id, "opportunity_id": lead.id, "user_id": self.manager.id}
        )
        self.assertFalse(lead._get_missing_rules(self.stage_closing))

    def test_leads_are_left_alone(self):
        lead = self.env["crm.lead"].with_user(self.salesman).create({"name": "Raw", "type": "lead"})
        lead.write({"stage_id": self.stage_won.id})
        self.assertStage(lead, self.stage_won)
        self.assertFalse(lead.opportunity_type_id)
        self.assertFalse(lead.stage_visit_ids)
