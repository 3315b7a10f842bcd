from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user

from .common import OpportunityStagesCase


class RuleKindsCase(OpportunityStagesCase):
    """One required rule of a new kind in the stage *Closing*, which has none otherwise."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls._create_opportunity()
        cls._force(cls.lead, cls.stage_closing)

    def _create_rule(self, kind, **values):
        return self.env["crm.stage.rule"].create(
            {"stage_id": self.stage_closing.id, "kind": kind, "required": True, **values}
        )

    def _get_field(self, name):
        return self.env["ir.model.fields"]._get("crm.lead", name).id

    def _get_item(self, rule, user=None):
        lead = self.lead.with_user(user or self.salesman)
        lead._forget_stage_checklist()
        return next(item for item in lead.stage_checklist["items"] if item["id"] == rule.id)

    def _win(self):
        self.lead.write({"stage_id": self.stage_won.id})

    def assertMissing(self, text):
        with self.env.cr.savepoint(), self.assertRefused(text):
            self._win()
        Lead = self.env["crm.lead"].with_user(self.salesman)
        self.assertFalse(Lead.search([("id", "=", self.lead.id), ("can_promote", "=", True)]))

    def assertMet(self, rule):
        self.assertEqual(self._get_item(rule)["state"], "done")
        Lead = self.env["crm.lead"].with_user(self.salesman)
        self.assertTrue(Lead.search([("id", "=", self.lead.id), ("can_promote", "=", True)]))


class TestFieldRule(RuleKindsCase):
    def test_must_be_set(self):
        rule = self._create_rule("field", field_id=self._get_field("referred"))
        self.assertEqual(rule.display_name, "Referred By")
        self.assertMissing("Closing: Referred By")
        item = self._get_item(rule)
        self.assertEqual((item["state"], item["field"]), ("todo", "referred"))
        self.assertEqual(item["target"]["field"], "referred")
        self.lead.write({"stage_id": self.stage_won.id, "referred": "Li"})
        self.assertEqual(self.lead.won_status, "won")

    def test_of_every_type(self):
        partner = self.env["res.partner"].create({"name": "Acme"})
        for name, value in (
            ("expected_revenue", 5),
            ("partner_id", partner.id),
            ("date_deadline", "2027-01-01"),
            ("tag_ids", [Command.create({"name": "Large"})]),
        ):
            rule = self._create_rule("field", field_id=self._get_field(name))
            with self.subTest(field=name):
                self.assertMissing(rule.display_name)
                self.lead.write({name: value})
                self.assertMet(rule)
            rule.unlink()

    def test_with_a_domain(self):
        rule = self._create_rule(
            "field", field_id=self._get_field("expected_revenue"), domain="[('expected_revenue', '>', 100)]"
        )
        self.lead.expected_revenue = 50
        self.assertMissing("Expected Revenue")
        self.lead.expected_revenue = 150
        self.assertMet(rule)

    def test_needs_a_field_of_the_opportunity(self):
        with self.assertRaises(ValidationError):
            self._create_rule("field")
        with self.assertRaises(ValidationError):
            self._create_rule("field", field_id=self.env["ir.model.fields"]._get("res.partner", "name").id)
        with self.assertRaises(ValidationError):
            self._create_rule("field", field_id=self._get_field("referred"), promotes=True)


class TestDocumentRule(RuleKindsCase):
    def _attach(self, name, **values):
        return (
            self.env["ir.attachment"]
            .with_user(self.salesman)
            .create({"name": name, "raw": b"x", "res_model": "crm.lead", "res_id": self.lead.id, **values})
        )

    def test_any(self):
        rule = self._create_rule("document")
        self.assertMissing("Closing: Document")
        document = self._attach("notes.txt")
        self.assertMet(rule)
        document.unlink()
        self.assertMissing("Closing: Document")

    def test_by_name_or_tag(self):
        rule = self._create_rule("document", name="Contract", document_name="contract", document_tag="signed")
        self._attach("notes.txt")
        self.assertMissing("Closing: Contract")
        named = self._attach("Framework Contract.pdf")
        self.assertMet(rule)
        named.unlink()
        self.assertMissing("Closing: Contract")
        self._attach("scan.pdf", description="signed")
        self.assertMet(rule)


class TestEvidence(RuleKindsCase):
    def test_feedback(self):
        rule = self._create_rule("action", activity_type_id=self.act_call.id, evidence="feedback")
        activity = self._schedule(self.lead, self.act_call)
        with self.env.cr.savepoint(), self.assertRefused("'Call A' on 'Acme line 3' needs feedback"):
            activity.action_feedback()
        with self.env.cr.savepoint(), self.assertRefused("needs feedback"):
            activity.action_done()
        self.assertTrue(activity.active)
        activity.action_feedback(feedback="They agree")
        self.assertMet(rule)

    def test_what_is_archived_without_evidence_does_not_count(self):
        rule = self._create_rule("action", activity_type_id=self.act_call.id, evidence="feedback")
        activity = self._schedule(self.lead, self.act_call)
        activity.write({"active": False})
        self.assertMissing("Closing: Call A")
        self.assertEqual(self._get_item(rule)["state"], "todo")
        activity.write({"feedback": "They agree"})
        self.assertMet(rule)

    def test_attachment(self):
        rule = self._create_rule("action", activity_type_id=self.act_call.id, evidence="attachment")
        activity = self._schedule(self.lead, self.act_call)
        with self.env.cr.savepoint(), self.assertRefused("needs an attachment"):
            activity.action_feedback(feedback="no document")
        document = self.env["ir.attachment"].with_user(self.salesman).create({"name": "minutes.txt", "raw": b"x"})
        activity.action_feedback(attachment_ids=document.ids)
        self.assertMet(rule)

    def test_promotes_with_its_evidence(self):
        self._create_rule("action", activity_type_id=self.act_call.id, evidence="feedback", promotes=True)
        self._schedule(self.lead, self.act_call).action_feedback(feedback="They sign")
        self.assertEqual(self.lead.stage_id, self.stage_won)

    def test_one_click_from_the_checklist(self):
        rule = self._create_rule("action", activity_type_id=self.act_call.id)
        self.lead.action_complete_rule(rule.id)
        self.assertMet(rule)
        with self.assertRefused("no action of stage Closing"):
            self.lead.action_complete_rule(self.rule_visit.id)

    def test_one_click_uses_what_is_planned(self):
        rule = self._create_rule("action", activity_type_id=self.act_call.id, evidence="feedback")
        planned = self._schedule(self.lead, self.act_call)
        self.lead.action_complete_rule(rule.id, feedback="They agree")
        self.assertFalse(planned.active)
        self.assertMet(rule)


class TestSignoff(RuleKindsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.user_id = cls.supervisor
        cls.group = cls.env["res.groups"].create({"name": "Engineering"})
        kwargs = {"context": {"no_reset_password": True}}
        cls.engineer = new_test_user(
            cls.env, "sos_engineer", groups="sales_team.group_sale_salesman_all_leads", **kwargs
        )
        cls.engineer.group_ids = [Command.link(cls.group.id)]

    def _sign(self, rule, user, comment="Checked"):
        self.lead.with_user(user).action_sign_off(rule.id, comment)

    def test_team_leader(self):
        rule = self._create_rule("signoff")
        self.assertMissing("Closing: Sign-off: team leader")
        for user in (self.manager, self.engineer, self.salesman):
            with self.subTest(user=user.login), self.env.cr.savepoint(), self.assertRefused("cannot sign", AccessError):
                self._sign(rule, user)
        self.assertTrue(self._get_item(rule, self.supervisor)["can_sign"])
        self.assertFalse(self._get_item(rule)["can_sign"])
        self._sign(rule, self.supervisor)
        self.assertMet(rule)
        item = self._get_item(rule)
        self.assertEqual((item["user"], item["comment"]), (self.supervisor.name, "Checked"))
        self._win()

    def test_group(self):
        rule = self._create_rule("signoff", signoff_group_id=self.group.id)
        with self.env.cr.savepoint(), self.assertRefused("cannot sign", AccessError):
            self._sign(rule, self.supervisor)
        self._sign(rule, self.engineer)
        self.assertMet(rule)

    def test_needs_a_comment_and_the_right_rule(self):
        rule = self._create_rule("signoff")
        for comment in ("", "  ", False):
            with self.env.cr.savepoint(), self.assertRefused("Add a comment"):
                self._sign(rule, self.supervisor, comment)
        with self.assertRefused("no sign-off"):
            self._sign(self.rule_call, self.supervisor)

    def test_not_oneself(self):
        """Neither the salesperson nor who has requested it; a Sales Administrator stands in for the leader."""
        rule = self._create_rule("signoff")
        self.lead.sudo().user_id = self.supervisor
        with self.env.cr.savepoint(), self.assertRefused("cannot sign", AccessError):
            self._sign(rule, self.supervisor)
        self._sign(rule, self.manager)
        self.assertEqual(self._get_item(rule, self.supervisor)["state"], "done")

    def test_not_what_one_has_requested(self):
        rule = self._create_rule("signoff", signoff_group_id=self.group.id)
        other = new_test_user(self.env, "sos_engineer2", groups="sales_team.group_sale_salesman_all_leads")
        other.group_ids = [Command.link(self.group.id)]
        self.lead.with_user(self.engineer).action_request_signoff(rule.id)
        with self.env.cr.savepoint(), self.assertRefused("cannot sign", AccessError):
            self._sign(rule, self.engineer)
        self._sign(rule, other)

    def test_requested_and_given_by_the_activity(self):
        rule = self._create_rule("signoff")
        self.lead.action_request_signoff(rule.id)
        self.lead.action_request_signoff(rule.id)
        activity = self.env["mail.activity"].search([("signoff_rule_id", "=", rule.id)])
        self.assertEqual(activity.user_id, self.supervisor)
        self.assertEqual(self._get_item(rule)["state"], "scheduled")
        with self.env.cr.savepoint(), self.assertRaises(UserError):
            activity.with_user(self.salesman).action_feedback(feedback="I say so")
        with self.env.cr.savepoint(), self.assertRefused("Add a comment"):
            activity.with_user(self.supervisor).action_feedback()
        activity.with_user(self.supervisor).action_feedback(feedback="Fine")
        self.assertMet(rule)
        self.assertEqual(self.lead.signoff_ids.comment, "Fine")

    def test_withdrawn_when_it_moves_back(self):
        rule = self._create_rule("signoff")
        early = self.env["crm.stage.rule"].create({"stage_id": self.stage_contact.id, "kind": "signoff", "name": "A"})
        self._sign(rule, self.supervisor)
        self._sign(early, self.supervisor)
        self.lead.write({"stage_id": self.stage_solution.id})
        signoff = self.lead.signoff_ids.filtered(lambda signoff: signoff.rule_id == rule)
        self.assertTrue(signoff.withdrawn_date)
        self.assertFalse((self.lead.signoff_ids - signoff).withdrawn_date)
        self._force(self.lead, self.stage_closing)
        self.assertMissing("Closing: Sign-off")
        self._sign(rule, self.supervisor)
        self.assertMet(rule)

    def test_only_the_server_writes_it(self):
        rule = self._create_rule("signoff")
        Signoff = self.env["crm.stage.rule.signoff"]
        values = {"lead_id": self.lead.id, "rule_id": rule.id, "user_id": self.supervisor.id, "comment": "x"}
        for user in (self.salesman, self.manager, self.env.ref("base.user_root")):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                Signoff.with_user(user).sudo().create(values)
        self._sign(rule, self.supervisor)
        with self.assertRaises(AccessError):
            self.lead.signoff_ids.sudo().write({"withdrawn_date": "2026-01-01"})
        with self.assertRaises(AccessError):
            self.lead.write({"signoff_ids": [Command.create(values)]})


class TestEditedRule(RuleKindsCase):
    """Editing a rule keeps what was met."""

    def test_action(self):
        rule = self._create_rule("action", activity_type_id=self.act_call.id)
        self._complete(self.lead, self.act_call)
        other = self._create_opportunity("Later")
        self._force(other, self.stage_closing)
        rule.with_user(self.manager).write({"evidence": "attachment"})
        self.assertMet(rule)
        rule.with_user(self.manager).write({"activity_type_id": self.act_email.id, "name": "Write"})
        self.assertMet(rule)
        with self.assertRefused("Closing: Write"):
            other.write({"stage_id": self.stage_won.id})

    def test_signoff(self):
        self.team.user_id = self.supervisor
        rule = self._create_rule("signoff")
        self.lead.with_user(self.supervisor).action_sign_off(rule.id, "Fine")
        group = self.env["res.groups"].create({"name": "Engineering"})
        rule.with_user(self.manager).write({"signoff_group_id": group.id, "name": "Engineering"})
        self.assertMet(rule)

    def test_nobody_writes_what_is_kept(self):
        rule = self._create_rule("action", activity_type_id=self.act_call.id)
        with self.assertRaises(AccessError):
            rule.with_user(self.manager).write({"kept_lead_ids": [Command.link(self.lead.id)]})
