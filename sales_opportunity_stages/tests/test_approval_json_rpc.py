import json

from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .approval_common import ApprovalFlowSetup


@tagged("post_install", "-at_install")
class TestApprovalJsonRpc(ApprovalFlowSetup, HttpCase):
    """What anybody can send over the wire decides on nothing that they are not asked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_flow()

    def _call(self, user, model, method, *args, **kwargs):
        self.authenticate(user.login, user.login)
        with mute_logger("odoo.http"):
            response = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}",
                data=json.dumps({"params": {"model": model, "method": method, "args": args, "kwargs": kwargs}}),
                headers={"Content-Type": "application/json"},
            )
        return response.json()

    def _assert_refused(self, user, expected, model, method, *args, **kwargs):
        answer = self._call(user, model, method, *args, **kwargs)
        self.assertIn("error", answer, f"{model}.{method} was let through")
        self.assertRegex(answer["error"]["data"]["message"], expected)

    def test_the_whole_way(self):
        order = self._create_quotation(price=110)
        for user, method, *args in (
            (self.salesman, "action_request_approval"),
            (self.leader, "action_return_approval", "Say when"),
            (self.salesman, "action_request_approval"),
            (self.leader, "action_approve"),
            (self.director, "action_refuse_approval", "Too cheap"),
        ):
            self.assertNotIn("error", self._call(user, "sale.order", method, order.ids, *args), method)
        order.invalidate_recordset()
        self.assertEqual((order.approval_state, order.approval_progress), ("open", "refused"))
        values = {"order_line": [Command.update(order.order_line.id, {"price_unit": 120})]}
        answer = self._call(self.salesman, "sale.order", "web_save", order.ids, values, specification={})
        self.assertNotIn("error", answer)
        for user, method in (
            (self.salesman, "action_request_approval"),
            (self.salesman, "action_withdraw_request"),
            (self.salesman, "action_request_approval"),
            (self.leader, "action_approve"),
            (self.director, "action_approve"),
        ):
            self.assertNotIn("error", self._call(user, "sale.order", method, order.ids), method)
        order.invalidate_recordset()
        self.assertEqual(order.approval_state, "approved")
        found = self._call(self.director, "sale.order", "search_read", [("id", "=", order.id)], ["can_approve"])
        self.assertEqual([row["can_approve"] for row in found["result"]], [False])

    def test_who_is_not_asked(self):
        order = self._request()
        portal = self.env["res.users"].create(
            {
                "name": "Ann",
                "login": "sos_portal",
                "password": "sos_portal",
                "partner_id": self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id}).id,
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
        context = {"sales_server_tokens": [{"model": "sale.order.approval"}], "su": True, "uid": 1}
        for user in (self.salesman, self.colleague, self.director, self.manager, self.approver, self.employee, portal):
            for method, *args in (
                ("action_approve",),
                ("action_refuse_approval", "no"),
                ("action_return_approval", "no"),
                *([] if user == self.salesman else [("action_withdraw_request",)]),
            ):
                with self.subTest(user.login, method=method):
                    answer = self._call(user, "sale.order", method, order.ids, *args, context=context)
                    self.assertEqual(answer.get("error", {}).get("data", {}).get("name"), "odoo.exceptions.AccessError")
        order.invalidate_recordset()
        self.assertEqual(order.approval_progress, "requested")

    def test_private_methods(self):
        order = self._request()
        for method in ("_approve", "_start_round", "_end_by_decision", "_set_approved", "_record_approval"):
            self._assert_refused(self.manager, "Private methods", "sale.order", method, order.ids)
        for method in ("_as_ledger", "_decide", "_cron_escalate", "_escalate"):
            self._assert_refused(self.manager, "Private methods", "sale.order.approval", method, [])

    def test_forged_steps(self):
        order = self._request()
        step = order.approval_step_ids[0]
        for user in (self.salesman, self.leader, self.manager):
            for method, *args in (
                ("write", step.ids, {"state": "approved", "decided_by_id": self.leader.id}),
                ("unlink", step.ids),
                ("create", [{"order_id": order.id, "level": 1, "round": 1, "state": "approved"}]),
                ("web_save", step.ids, {"approver_ids": [Command.link(user.id)]}, {}),
            ):
                with self.subTest(user.login, method=method):
                    answer = self._call(user, "sale.order.approval", method, *args)
                    self.assertEqual(answer["error"]["data"]["name"], "odoo.exceptions.AccessError")
        for values in (
            {"approval_progress": "requested"},
            {"approval_flow": [{"level": 1}]},
            {"approval_round": 9},
            {"approval_step_ids": [Command.create({"level": 1, "round": 1, "state": "approved"})]},
        ):
            with self.subTest(values):
                self._assert_refused(self.salesman, "kept by the system", "sale.order", "write", order.ids, values)

    def test_copied(self):
        order = self._request(price=60)
        self._approve(order, self.leader)
        answer = self._call(self.salesman, "sale.order", "copy", order.ids)
        copy = self.env["sale.order"].browse(answer["result"])
        self.assertEqual((copy.approval_state, copy.approval_step_ids.ids), ("open", []))
        self._assert_refused(self.salesman, "has to be approved first", "sale.order", "action_confirm", copy.ids)

    def test_rules_are_the_administrators(self):
        values = {"name": "Mine", "approver_ids": [Command.set(self.salesman.ids)], "company_id": self.company.id}
        for user in (self.salesman, self.approver, self.employee):
            for method, *args in (
                ("create", [values]),
                ("write", self.rule_leader.ids, {"min_amount": 10**9}),
                ("unlink", self.rule_leader.ids),
            ):
                with self.subTest(user.login, method=method):
                    answer = self._call(user, "sale.approval.rule", method, *args)
                    self.assertEqual(answer["error"]["data"]["name"], "odoo.exceptions.AccessError")

    def test_deputies(self):
        deputy = {"approval_deputy_id": self.deputy.id, "approval_deputy_until": "2199-01-01"}
        self.assertNotIn("error", self._call(self.leader, "res.users", "write", self.leader.ids, deputy))
        stolen = {"approval_deputy_id": self.salesman.id}
        answer = self._call(self.salesman, "res.users", "write", self.leader.ids, stolen)
        self.assertEqual(answer["error"]["data"]["name"], "odoo.exceptions.AccessError")
        order = self._request(price=60)
        self.assertNotIn("error", self._call(self.deputy, "sale.order", "action_approve", order.ids))
        order.invalidate_recordset()
        self.assertEqual(order.sudo().approval_step_ids.on_behalf_of_id, self.leader)
