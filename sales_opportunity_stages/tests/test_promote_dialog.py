import json

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import mute_logger

from .common import OpportunityStagesCase, OpportunityStagesSetup


class TestPromoteDialog(OpportunityStagesCase):
    """The dialog takes what is missing and moves in one transaction, or says what remains."""

    def _open(self, leads, target=None, user=None, **values):
        values = {"lead_ids": [Command.set(leads.ids)], "target_stage_id": target and target.id, **values}
        return self.env["crm.lead.promote"].with_user(user or self.salesman).create(values)

    def _get_line(self, wizard, rule):
        return wizard.line_ids.filtered(lambda line: line.rule_id == rule)

    def test_says_from_where_to_where_and_what_is_missing(self):
        lead = self._create_opportunity()
        wizard = self._open(lead, self.stage_solution)
        self.assertEqual(wizard.heading, "Move from Contact to Solution")
        rules = self.rule_call | self.rule_visit | self.rule_sign | self.rule_revenue
        self.assertEqual(wizard.line_ids.rule_id, rules)
        self.assertEqual({line.info["stage"] for line in wizard.line_ids}, {"Contact", "Needs"})
        info = self._get_line(wizard, self.rule_revenue).info
        self.assertEqual((info["field"], info["is_input"]), ("expected_revenue", True))
        self.assertIn("company_currency", info["needed_fields"])

    def test_the_next_stage_where_none_is_named(self):
        lead = self._create_opportunity()
        wizard = self._open(lead)
        self.assertEqual(wizard.line_ids.rule_id, self.rule_call)
        wizard.line_ids.write({"resolution": "done", "feedback": "They want a pump"})
        wizard.action_promote()
        self.assertEqual(lead.stage_id, self.stage_needs)

    def test_everything_at_once_through_two_stages(self):
        lead = self._create_opportunity()
        wizard = self._open(lead, self.stage_solution)
        wizard.line_ids.filtered(lambda line: line.kind == "action").write({"resolution": "done"})
        wizard.field_values = {"expected_revenue": 500}
        action = wizard.action_promote()
        self.assertEqual(action["type"], "ir.actions.act_window_close")
        self.assertEqual((lead.stage_id, lead.expected_revenue), (self.stage_solution, 500))
        self.assertEqual([visit[0] for visit in self._get_visits(lead)], [*self._get_stages()[:3]])

    def _get_stages(self):
        return self.stage_contact, self.stage_needs, self.stage_solution

    def test_what_remains_is_said_and_nothing_is_saved(self):
        lead = self._create_opportunity()
        wizard = self._open(lead, self.stage_solution)
        self._get_line(wizard, self.rule_call).resolution = "done"
        wizard.field_values = {"expected_revenue": 500}
        with self.assertRefused("Needs: Visit A and Signature A") as caught:
            wizard.action_promote()
        self.assertFalse(hasattr(caught.exception, "context"), "the dialog is open already")
        self.assertEqual((lead.stage_id, lead.expected_revenue), (self.stage_contact, 0))
        self.assertFalse(lead.with_context(active_test=False).activity_ids)

    def test_save_only(self):
        lead = self._create_opportunity()
        wizard = self._open(lead, self.stage_needs)
        wizard.line_ids.resolution = "schedule"
        wizard.with_context(save_only=True).action_promote()
        self.assertEqual(lead.activity_ids.activity_type_id, self.act_call)
        self.assertEqual(lead.stage_id, self.stage_contact)

    def test_only_fields_that_are_asked_for(self):
        lead = self._create_opportunity()
        wizard = self._open(lead, self.stage_solution)
        wizard.field_values = {"user_id": self.colleague.id}
        with self.assertRefused("cannot write user_id", AccessError):
            wizard.action_promote()

    def test_documents(self):
        rule = self.env["crm.stage.rule"].create(
            {"stage_id": self.stage_closing.id, "kind": "document", "document_tag": "signed", "required": True}
        )
        lead = self._create_opportunity()
        self._force(lead, self.stage_closing)
        wizard = self._open(lead, self.stage_won)
        values = {"name": "scan.pdf", "raw": b"x", "res_model": "crm.lead.promote.line", "res_id": 0}
        document = self.env["ir.attachment"].with_user(self.salesman).create(values)
        self._get_line(wizard, rule).attachment_ids = document
        wizard.action_promote()
        self.assertEqual(lead.won_status, "won")
        self.assertEqual((document.res_model, document.res_id), ("crm.lead", lead.id))

    def test_documents_of_others_stay_theirs(self):
        self.env["crm.stage.rule"].create({"stage_id": self.stage_closing.id, "kind": "document", "required": True})
        lead, other = self._create_opportunities(2)
        self._force(lead, self.stage_closing)
        wizard = self._open(lead, self.stage_won)
        values = {"name": "scan.pdf", "raw": b"x", "res_model": "crm.lead", "res_id": other.id}
        wizard.line_ids.attachment_ids = self.env["ir.attachment"].with_user(self.salesman).create(values)
        with self.assertRefused("Upload the document", AccessError):
            wizard.action_promote()

    def test_signoff(self):
        self.team.user_id = self.supervisor
        rule = self.env["crm.stage.rule"].create(
            {"stage_id": self.stage_closing.id, "kind": "signoff", "required": True}
        )
        lead = self._create_opportunity()
        self._force(lead, self.stage_closing)
        wizard = self._open(lead, self.stage_won)
        self.assertFalse(wizard.line_ids.info["can_sign"])
        wizard.line_ids.resolution = "request"
        with self.env.cr.savepoint(), self.assertRefused("Closing: Sign-off"):
            wizard.action_promote()
        wizard.with_context(save_only=True).action_promote()
        self.assertEqual(self.env["mail.activity"].search([("signoff_rule_id", "=", rule.id)]).user_id, self.supervisor)
        wizard = self._open(lead, self.stage_won, self.supervisor)
        wizard.line_ids.write({"resolution": "sign", "feedback": "Fine"})
        wizard.action_promote()
        self.assertEqual(lead.won_status, "won")

    def test_several_move_those_that_can(self):
        ready, free, blocked = leads = self._create_opportunities(3)
        self.rule_call.promotes = False
        self._complete(ready, self.act_call)
        self._complete(free, self.act_call)
        wizard = self._open(leads, self.stage_needs)
        self.assertEqual(wizard.ready_count, 2)
        self.assertEqual(wizard.blocked_summary, "Deal 2 — Contact: Call A")
        action = wizard.action_promote()
        self.assertEqual(action["params"]["title"], "2 opportunities moved")
        self.assertIn("Deal 2 — Contact: Call A", action["params"]["message"])
        self.assertEqual((ready | free).stage_id, self.stage_needs)
        self.assertEqual(blocked.stage_id, self.stage_contact)
        with self.assertRefused("1 opportunities were not moved|Call A"):
            self._open(blocked, self.stage_needs).action_promote()

    def test_several_of_which_some_are_closed(self):
        ready, won, lost = leads = self._create_opportunities(3)
        self._force(ready, self.stage_closing)
        self._force(won, self.stage_won)
        lost.action_set_lost()
        with self.env.cr.savepoint(), self.assertRaises(UserError) as caught:
            leads.action_promote()
        self.assertEqual(caught.exception.context["crm_lead_promote"]["lead_ids"], leads.ids)
        wizard = self._open(leads)
        self.assertEqual(wizard.ready_summary, "Deal 0")
        self.assertIn("'Deal 1' stands in its last stage", wizard.blocked_summary)
        self.assertIn("'Deal 2' is lost or archived", wizard.blocked_summary)
        wizard.action_promote()
        self.assertEqual((ready.won_status, lost.won_status), ("won", "lost"))

    def test_winning(self):
        quick = self._create_opportunity("Belt", opportunity_type_id=self.type_quick.id)
        project = self._create_opportunity("Plant")
        wizard = self._open(quick | project, is_win=True)
        wizard.action_promote()
        self.assertEqual((quick.won_status, project.won_status), ("won", "pending"))

    def test_by_lowest_permission(self):
        lead = self._create_opportunity()
        with self.assertRaises(AccessError):
            self._open(lead, self.stage_needs, self.colleague).action_promote()
        with self.assertRaises(AccessError):
            self._open(lead, self.stage_needs, self.employee)

    def test_in_the_form(self):
        lead = self._create_opportunity()
        Wizard = self.env["crm.lead.promote"].with_user(self.salesman)
        with Form(Wizard.with_context(default_lead_ids=lead.ids, default_target_stage_id=self.stage_needs.id)) as form:
            self.assertEqual(form.heading, "Move from Contact to Needs")
            self.assertEqual(len(form.line_ids), 1)
        form.record.line_ids.resolution = "done"
        form.record.action_promote()
        self.assertEqual(lead.stage_id, self.stage_needs)

    def test_errors_tell_the_web_client_what_to_ask_for(self):
        lead, other = self._create_opportunities(2)
        for operation, target in (
            (lambda: lead.write({"stage_id": self.stage_solution.id}), self.stage_solution),
            (lambda: lead.action_promote(), self.stage_needs),
            (lambda: lead.action_set_won(), self.stage_won),
        ):
            with self.env.cr.savepoint(), self.assertRaises(UserError) as caught:
                operation()
            values = caught.exception.context["crm_lead_promote"]
            self.assertEqual((values["lead_ids"], values["target_stage_id"]), (lead.ids, target.id))
        with self.env.cr.savepoint(), self.assertRaises(UserError) as caught:
            (lead | other).action_promote()
        self.assertEqual(caught.exception.context["crm_lead_promote"]["lead_ids"], (lead | other).ids)


class TestOutcomeOptions(OpportunityStagesCase):
    """What a type requires on losing, winning and moving back, whoever does it and however."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls._create_opportunity()
        cls._force(cls.lead, cls.stage_closing)
        cls.reason = cls.env["crm.lost.reason"].create({"name": "Too slow"})
        cls.rival = cls.env["res.partner"].create({"name": "Rival", "is_competitor": True})

    def _lose(self, **values):
        self.env["crm.lead.lost"].with_user(self.salesman).create(
            {"lead_ids": [Command.set(self.lead.ids)], **values}
        ).action_lost_reason_apply()

    def test_nothing_is_required_by_default(self):
        self.lead.action_set_lost()
        self.lead.action_restore()
        self.lead.write({"stage_id": self.stage_contact.id})

    def test_lost_reason(self):
        self.type_project.require_lost_reason = True
        for lose in (
            lambda: self._lose(),
            lambda: self.lead.action_set_lost(),
            lambda: self.lead.write({"active": False, "probability": 0}),
            lambda: self.lead.sudo().action_set_lost(),
        ):
            with self.env.cr.savepoint(), self.assertRefused("cannot be lost without: Lost Reason"):
                lose()
        self._lose(lost_reason_id=self.reason.id)
        self.assertEqual(self.lead.won_status, "lost")

    def test_lost_to_and_competitor(self):
        self.type_project.write({"require_lost_to": True, "require_competitor": True})
        with self.env.cr.savepoint(), self.assertRefused("without: Lost To and Competitors"):
            self._lose()
        wizard = self.env["crm.lead.lost"].with_user(self.salesman).create({"lead_ids": [Command.set(self.lead.ids)]})
        self.assertTrue(wizard.requires_lost_to and wizard.requires_competitor)
        self._lose(lost_to_id=self.rival.id, new_competitor_ids=[Command.set(self.rival.ids)])
        self.assertEqual((self.lead.won_status, self.lead.lost_to_id), ("lost", self.rival))
        self.assertEqual(self.lead.opportunity_competitor_ids.partner_id, self.rival)

    def test_reason_for_moving_back(self):
        self.type_project.require_back_reason = True
        with self.env.cr.savepoint(), self.assertRefused("cannot move back to Needs without a reason") as caught:
            self.lead.write({"stage_id": self.stage_needs.id})
        self.assertEqual(caught.exception.context["crm_lead_promote"]["lead_ids"], self.lead.ids)
        Wizard = self.env["crm.lead.promote"].with_user(self.salesman)
        wizard = Wizard.create({"lead_ids": [Command.set(self.lead.ids)], "target_stage_id": self.stage_needs.id})
        self.assertTrue(wizard.needs_back_reason)
        with self.env.cr.savepoint(), self.assertRefused("without a reason"):
            wizard.action_promote()
        wizard.reason = "New scope"
        wizard.action_promote()
        self.assertEqual(self.lead.stage_id, self.stage_needs)
        visit = self.lead.stage_visit_ids.sorted("id")[-1]
        self.assertEqual((visit.reason, visit.trigger), ("New scope", "manual"))
        self.lead.write({"stage_id": self.stage_contact.id, "back_reason": "Newer scope"})
        with self.assertRefused("without a reason"):
            self._force(self.lead, self.stage_needs)
            self.lead.write({"stage_id": self.stage_contact.id})

    def test_won_reason(self):
        self.type_project.require_won_reason = True
        with self.env.cr.savepoint(), self.assertRefused("cannot be won without a reason"):
            self.lead.action_set_won()
        wizard = (
            self.env["crm.lead.promote"]
            .with_user(self.salesman)
            .create({"lead_ids": [Command.set(self.lead.ids)], "is_win": True, "reason": "Best price"})
        )
        self.assertTrue(wizard.needs_won_reason)
        wizard.action_promote()
        self.assertEqual((self.lead.won_status, self.lead.won_reason), ("won", "Best price"))
        self.lead.write({"stage_id": self.stage_closing.id})
        self.assertFalse(self.lead.won_reason)

    def test_confirmed_order(self):
        self.type_project.require_won_order = True
        with self.env.cr.savepoint(), self.assertRefused("without a confirmed order"):
            self.lead.action_set_won()
        self.lead.partner_id = self.env["res.partner"].create({"name": "Acme"})
        order = (
            self.env["sale.order"]
            .with_user(self.salesman)
            .create({"partner_id": self.lead.partner_id.id, "opportunity_id": self.lead.id})
        )
        with self.env.cr.savepoint(), self.assertRefused("without a confirmed order"):
            self.lead.action_set_won()
        order.sudo().action_confirm()
        self.lead.action_set_won()
        self.assertEqual(self.lead.won_status, "won")


@tagged("post_install", "-at_install")
class TestPromoteTours(OpportunityStagesSetup, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_pipeline()

    def test_drop_dialog_promoted(self):
        """A salesperson drops a card, gives in one dialog what is missing, and sees it promoted."""
        lead = self._create_opportunity("Tour Opportunity")
        self.start_tour("/odoo", "sales_opportunity_stages_drop", login=self.salesman.login, timeout=180)
        self.assertEqual((lead.stage_id, lead.expected_revenue), (self.stage_solution, 700))

    def test_snooze(self):
        lead = self._create_opportunity("Tour Opportunity")
        self.start_tour(
            f"/odoo/action-crm.crm_lead_action_pipeline/{lead.id}",
            "sales_opportunity_stages_snooze",
            login=self.salesman.login,
            timeout=180,
        )
        self.assertEqual((str(lead.snooze_until), lead.snooze_count), ("2999-01-01", 1))

    def test_signoff(self):
        """The salesperson asks, the team leader confirms with a comment."""
        self.team.user_id = self.supervisor
        rule = self.env["crm.stage.rule"].create(
            {"stage_id": self.stage_contact.id, "kind": "signoff", "name": "Scope confirmed", "required": True}
        )
        lead = self._create_opportunity("Tour Opportunity")
        url = f"/odoo/action-crm.crm_lead_action_pipeline/{lead.id}"
        self.start_tour(url, "sales_opportunity_stages_signoff", login=self.salesman.login, timeout=180)
        self.start_tour(url, "sales_opportunity_stages_signoff_given", login=self.supervisor.login, timeout=180)
        self.assertEqual((lead.signoff_ids.rule_id, lead.signoff_ids.user_id), (rule, self.supervisor))


@tagged("post_install", "-at_install")
class TestPromoteJsonRpc(OpportunityStagesSetup, HttpCase):
    """What a client is told, and what it cannot forge."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_pipeline()
        cls.team.user_id = cls.supervisor
        cls.rule = cls.env["crm.stage.rule"].create(
            {"stage_id": cls.stage_contact.id, "kind": "signoff", "required": True}
        )
        cls.lead = cls._create_opportunity()

    def _call(self, user, model, method, *args, **kwargs):
        self.authenticate(user.login, user.login)
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule"):
            answer = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}",
                data=json.dumps({"params": params}),
                headers={"Content-Type": "application/json"},
            ).json()
        return answer.get("error", {}).get("data"), answer.get("result")

    def test_a_refusal_tells_what_to_ask_for(self):
        error, _result = self._call(
            self.salesman, "crm.lead", "write", self.lead.ids, {"stage_id": self.stage_solution.id}
        )
        self.assertEqual(error["name"], "odoo.exceptions.UserError")
        self.assertEqual(
            error["context"]["crm_lead_promote"],
            {"lead_ids": self.lead.ids, "target_stage_id": self.stage_solution.id},
        )

    def test_the_dialog(self):
        """The gate holds for the dialog too; with everything met it moves the opportunity."""
        values = {"lead_ids": [[6, 0, self.lead.ids]], "target_stage_id": self.stage_needs.id, "line_ids": []}
        error, ids = self._call(self.salesman, "crm.lead.promote", "create", [values])
        self.assertFalse(error)
        for context in ({}, {"save_only": False}, {"crm_lead_promote": True}):
            error, _result = self._call(self.salesman, "crm.lead.promote", "action_promote", ids, context=context)
            self.assertIn("Still to do", error["message"])
            self.assertFalse(error["context"])
        error, _result = self._call(
            self.salesman, "crm.lead", "action_sign_off", self.lead.ids, self.rule.id, "I say so"
        )
        self.assertEqual(error["name"], "odoo.exceptions.AccessError")
        error, _result = self._call(
            self.supervisor, "crm.lead", "action_sign_off", self.lead.ids, self.rule.id, "Checked"
        )
        self.assertFalse(error)
        error, _result = self._call(self.salesman, "crm.lead", "action_complete_rule", self.lead.ids, self.rule_call.id)
        self.assertFalse(error)
        self.assertEqual(self.lead.stage_id, self.stage_needs, "the action promotes")

    def test_nothing_can_be_forged(self):
        signoff = {"lead_id": self.lead.id, "rule_id": self.rule.id, "user_id": self.supervisor.id, "comment": "x"}
        for user, model, method, *args in (
            (self.manager, "crm.stage.rule.signoff", "create", [signoff]),
            (self.manager, "crm.stage.rule", "write", self.rule.ids, {"kept_lead_ids": [[4, self.lead.id]]}),
            (self.manager, "crm.lead", "write", self.lead.ids, {"signoff_ids": [[0, 0, signoff]]}),
            (self.salesman, "crm.lead", "write", self.lead.ids, {"snooze_count": 9}),
            (self.salesman, "mail.activity", "create", [{"signoff_rule_id": self.rule.id}]),
        ):
            with self.subTest(model=model, method=method):
                error, _result = self._call(user, model, method, *args)
                self.assertEqual(error["name"], "odoo.exceptions.AccessError")
