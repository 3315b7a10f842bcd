import json

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import OpportunityStagesSetup


@tagged("post_install", "-at_install")
class TestJsonRpc(OpportunityStagesSetup, HttpCase):
    """What a salesperson can send over the wire does not get further than the web client."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_pipeline()

    def _call(self, model, method, *args, user=None, **kwargs):
        self.authenticate((user or self.salesman).login, (user or self.salesman).login)
        with mute_logger("odoo.http"):
            response = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}",
                data=json.dumps({"params": {"model": model, "method": method, "args": args, "kwargs": kwargs}}),
                headers={"Content-Type": "application/json"},
            )
        return response.json()

    def assertRpcRefused(self, answer, *parts):
        self.assertIn("error", answer)
        for part in parts:
            self.assertIn(part, answer["error"]["data"]["message"])

    def test_moving(self):
        lead = self._create_opportunity()
        forward = {"stage_id": self.stage_needs.id}
        todo = "Cannot promote 'Acme line 3' from Contact to Needs. Still to do — Contact: Call A"
        self.assertRpcRefused(self._call("crm.lead", "write", lead.ids, forward), todo)
        self.assertRpcRefused(self._call("crm.lead", "web_save", lead.ids, forward, specification={}), todo)
        self.assertRpcRefused(self._call("crm.lead", "web_save_multi", lead.ids, [forward], specification={}), todo)
        self.assertRpcRefused(self._call("crm.lead", "action_promote", lead.ids), todo)
        self.assertRpcRefused(self._call("crm.lead", "action_set_won", lead.ids), "Needs: Visit A")
        self.assertRpcRefused(self._call("crm.lead", "action_set_won_rainbowman", lead.ids), "Needs: Visit A")
        for user in (self.supervisor, self.manager):
            self.assertRpcRefused(self._call("crm.lead", "write", lead.ids, forward, user=user), todo)
        self.assertEqual(lead.stage_id, self.stage_contact)

    def test_contexts(self):
        lead = self._create_opportunity()
        for value in (
            True,
            "forced",
            {"trigger": "forced", "bookkeeping": True},
            {"__class__": "StageMove"},
            [{"trigger": "forced"}],
        ):
            context = {
                "sales_server_tokens": value,
                "opportunity_bookkeeping": value,
                "opportunity_unruled_activity": value,
                "opportunity_chain": value,
                "tracking_disable": True,
                "install_mode": True,
                "import_file": True,
            }
            self.assertRpcRefused(
                self._call("crm.lead", "write", lead.ids, {"stage_id": self.stage_needs.id}, context=context), "Call A"
            )
            self.assertRpcRefused(
                self._call(
                    "crm.lead",
                    "create",
                    [{"name": "x", "type": "opportunity", "team_id": self.team.id, "stage_id": self.stage_needs.id}],
                    context=context,
                ),
                "Cannot start 'x' in Needs",
            )
            self.assertRpcRefused(
                self._call(
                    "crm.stage.visit",
                    "create",
                    [{"lead_id": lead.id, "date_start": "2020-01-01 00:00:00"}],
                    context=context,
                ),
            )
            self.assertRpcRefused(
                self._call(
                    "crm.lead", "activity_schedule", lead.ids, activity_type_id=self.act_visit.id, context=context
                ),
                "Allowed there: Call A, Email A",
            )
            self.assertRpcRefused(
                self._call("crm.lead", "write", lead.ids, {"furthest_stage_id": self.stage_won.id}, context=context)
            )

    def test_private_methods_and_wizard(self):
        lead = self._create_opportunity()
        for method in ("_log_stage_visits", "_promote_automatically", "_store_furthest_stages", "_move_automatically"):
            self.assertIn("error", self._call("crm.lead", method, lead.ids))
        values = {"lead_ids": [[6, 0, lead.ids]], "target_stage_id": self.stage_won.id, "reason": "I want it"}
        self.assertRpcRefused(self._call("crm.lead.stage.force", "create", [values]))
        wizard = self.env["crm.lead.stage.force"].with_user(self.manager).create(values)
        self.assertRpcRefused(self._call("crm.lead.stage.force", "action_force", wizard.ids))
        self.assertRpcRefused(self._call("crm.lead.stage.force", "web_save", [], values, specification={}))
        self.assertEqual(lead.stage_id, self.stage_contact)
        answer = self._call("crm.lead.stage.force", "action_force", wizard.ids, user=self.manager)
        self.assertNotIn("error", answer)
        self.assertEqual(lead.stage_id, self.stage_won)

    def test_ledger_and_configuration(self):
        lead = self._create_opportunity()
        visit = lead.stage_visit_ids
        for user in (self.salesman, self.manager):
            self.assertRpcRefused(self._call("crm.stage.visit", "write", visit.ids, {"reason": "x"}, user=user))
            self.assertRpcRefused(self._call("crm.stage.visit", "unlink", visit.ids, user=user))
            self.assertRpcRefused(
                self._call("crm.lead", "write", lead.ids, {"stage_visit_ids": [[2, visit.id]]}, user=user)
            )
            self.assertRpcRefused(
                self._call(
                    "crm.lead",
                    "write",
                    lead.ids,
                    {"stage_visit_ids": [[0, 0, {"date_start": "2020-01-01"}]]},
                    user=user,
                )
            )
        self.assertRpcRefused(self._call("crm.stage.rule", "unlink", self.rule_call.ids))
        self.assertRpcRefused(self._call("crm.stage.rule", "write", self.rule_call.ids, {"required": False}))
        self.assertRpcRefused(self._call("crm.stage", "write", self.stage_needs.ids, {"sequence": 0}))
        self.assertRpcRefused(
            self._call(
                "crm.opportunity.type", "write", self.type_project.ids, {"stage_ids": [[3, self.stage_contact.id]]}
            )
        )
        self.assertRpcRefused(self._call("crm.stage.visit", "search_read", [], user=self.employee))
        self.assertTrue(visit.exists())

    def test_activities(self):
        lead, donor = self._create_opportunities(2)
        model_id = self.env["ir.model"]._get_id("crm.lead")
        values = {
            "res_model_id": model_id,
            "res_id": lead.id,
            "activity_type_id": self.act_visit.id,
            "user_id": self.salesman.id,
        }
        self.assertRpcRefused(self._call("mail.activity", "create", [values]), "Allowed there: Call A, Email A")
        self.assertRpcRefused(
            self._call("mail.activity", "create", [{**values, "previous_activity_type_id": self.act_call.id}]),
            "Allowed there",
        )
        self.assertRpcRefused(
            self._call(
                "mail.activity",
                "create",
                [{**values, "activity_type_id": self.act_call.id, "stage_visit_id": donor.stage_visit_ids.id}],
            )
        )
        activity_id = self._call("mail.activity", "create", [{**values, "activity_type_id": self.act_email.id}])[
            "result"
        ][0]
        self.assertRpcRefused(
            self._call("mail.activity", "write", [activity_id], {"activity_type_id": self.act_visit.id})
        )
        self.assertNotIn("error", self._call("mail.activity", "action_feedback", [activity_id]))
        self.assertRpcRefused(
            self._call("mail.activity", "write", [activity_id], {"activity_type_id": self.act_call.id}), "is done"
        )
        self.assertRpcRefused(self._call("crm.lead", "action_promote", lead.ids), "Contact: Call A")
        answer = self._call(
            "mail.activity", "write", [activity_id], {"activity_type_id": self.act_call.id}, user=self.employee
        )
        self.assertRpcRefused(answer)
        self.assertNotIn("is done", answer["error"]["data"]["message"], "whoever may not see it is told nothing of it")

    def test_people_and_parts(self):
        """A collaborator works on an opportunity and gives it to nobody; who is no collaborator does nothing at all."""
        product = self.env["product.product"].create({"name": "Pump"})
        lead, other = self._create_opportunities(2)
        other.with_user(self.supervisor).user_id = self.supervisor
        line = self.env["crm.opportunity.line"].create({"lead_id": other.id, "product_id": product.id})
        lead.write({"collaborator_ids": [[4, self.colleague.id]]})
        give_away = {"user_id": self.colleague.id}
        self.assertRpcRefused(self._call("crm.lead", "write", lead.ids, give_away, user=self.colleague), "responsible")
        self.assertRpcRefused(
            self._call("crm.lead", "write", lead.ids, {"collaborator_ids": [[5]]}, user=self.colleague), "responsible"
        )
        self.assertRpcRefused(self._call("crm.lead", "unlink", lead.ids, user=self.colleague))
        self.assertNotIn("error", self._call("crm.lead", "write", lead.ids, {"name": "Ours"}, user=self.colleague))
        values = {"lead_ids": [[6, 0, lead.ids]], "mode": "keep", "add_collaborator_ids": [[6, 0, self.colleague.ids]]}
        wizard = self._call("crm.lead.assign", "create", [values], user=self.colleague)["result"]
        self.assertRpcRefused(
            self._call("crm.lead.assign", "action_assign", wizard, user=self.colleague), "responsible"
        )
        self.assertRpcRefused(self._call("crm.lead.assign", "create", [{**values, "lead_ids": [[6, 0, other.ids]]}]))
        self.assertRpcRefused(self._call("crm.opportunity.line", "write", line.ids, {"price_unit": 1}))
        self.assertRpcRefused(
            self._call("crm.opportunity.line", "create", [{"lead_id": other.id, "product_id": product.id}])
        )
        for model in ("crm.opportunity.contact", "crm.opportunity.competitor"):
            self.assertRpcRefused(
                self._call(model, "create", [{"lead_id": other.id, "partner_id": self.env.user.partner_id.id}])
            )
            self.assertRpcRefused(self._call(model, "search_read", [], user=self.employee))
        self.assertRpcRefused(
            self._call("crm.lead", "write", lead.ids, {"deadline_push_count": 9}), "kept by the system"
        )
        self.assertEqual((lead.user_id, lead.collaborator_ids), (self.salesman, self.colleague))

    def test_the_honest_way(self):
        lead = self._create_opportunity()
        activity_id = self._call("crm.lead", "activity_schedule", lead.ids, activity_type_id=self.act_call.id)
        self.assertNotIn("error", activity_id)
        activity = lead.activity_ids
        self.assertNotIn("error", self._call("mail.activity", "action_feedback", activity.ids, feedback="done"))
        self.assertEqual(lead.stage_id, self.stage_needs)
