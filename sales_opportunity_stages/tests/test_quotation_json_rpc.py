import json

from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .quotation_common import QuotationSetup


@tagged("post_install", "-at_install")
class TestQuotationJsonRpc(QuotationSetup, HttpCase):
    """What a salesperson can send over the wire opens nothing that the screens do not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()
        cls.company.quotation_approval = "required"

    def _call(self, model, method, *args, user=None, **kwargs):
        self.authenticate((user or self.salesman).login, (user or self.salesman).login)
        with mute_logger("odoo.http"):
            response = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}",
                data=json.dumps({"params": {"model": model, "method": method, "args": args, "kwargs": kwargs}}),
                headers={"Content-Type": "application/json"},
            )
        return response.json()

    def _assert_refused(self, expected, method, *args, model="sale.order", loaded=False, **kwargs):
        """:param bool loaded: an import, which answers with messages instead of an error"""
        answer = self._call(model, method, *args, **kwargs)
        if loaded:
            return self.assertRegex(str(answer["result"]["messages"]), expected)
        self.assertIn("error", answer, f"{model}.{method} was let through")
        return self.assertRegex(answer["error"]["data"]["message"], expected)

    def test_approving_ones_own(self):
        order = self._create_quotation()
        for context in ({}, {"sales_server_tokens": [{"origin": "portal"}, {"values": {}}], "su": True}):
            self._assert_refused("Only a quotation approver", "action_approve", order.ids, context=context)
        self._assert_refused("Private methods", "_set_approved", order.ids)
        self._assert_refused("Private methods", "_write_derived", order.ids, {"approval_state": "approved"})
        self.assertEqual(order.approval_state, "open")

    def test_forging_the_state(self):
        order = self._create_quotation()
        forged = {
            "approval_state": "approved",
            "approved_by_id": self.manager.id,
            "approved_date": "2026-01-01 00:00:00",
            "approved_amount": 1,
            "approval_requested_by_id": self.manager.id,
            "close_reason": "x",
            "order_source": "quotation",
        }
        for name, value in forged.items():
            for user in (self.salesman, self.manager):
                with self.subTest(name, user=user.login):
                    self._assert_refused("kept by the system", "write", order.ids, {name: value}, user=user)
                    self._assert_refused(
                        "kept by the system", "web_save", order.ids, {name: value}, specification={}, user=user
                    )
                    self._assert_refused(
                        "kept by the system", "create", [{"partner_id": self.customer.id, name: value}], user=user
                    )
                    answer = self._call(
                        "sale.order",
                        "create",
                        [{"partner_id": self.customer.id}],
                        user=user,
                        context={f"default_{name}": value},
                    )
                    born = self.env["sale.order"].browse(answer["result"])
                    self.assertNotEqual(born.read([name])[0][name], value)
        self.assertEqual((order.approval_state, order.order_source), ("open", "manual"))

    def test_confirming_what_is_not_approved(self):
        order = self._create_quotation()
        wanted = "has to be approved first"
        self._assert_refused(wanted, "action_confirm", order.ids)
        self._assert_refused(wanted, "write", order.ids, {"state": "sale"})
        self._assert_refused(wanted, "web_save", order.ids, {"state": "sale"}, specification={})
        self._assert_refused(wanted, "action_quotation_sent", order.ids)
        self._assert_refused(wanted, "action_quotation_send", order.ids)
        self._assert_refused(
            wanted, "create", [{"partner_id": self.customer.id, "state": "sale", "order_line": self._get_line()}]
        )
        self._assert_refused(wanted, "message_post", order.ids, body="x", context={"mark_so_as_sent": True})
        self.assertEqual(order.state, "draft")

    def _get_line(self):
        return [Command.create({"product_id": self.product.id, "product_uom_qty": 1})]

    def test_removing_the_opportunity(self):
        """It would escape strict credit and the opportunity's loss. A Sales Administrator may, and it is logged."""
        lead = self._create_opportunity(partner_id=self.customer.id)
        self.company.quotation_approval = "off"
        order = self._create_quotation(opportunity_id=lead.id)
        wanted = "belongs to opportunity"
        self._assert_refused(wanted, "write", order.ids, {"opportunity_id": False})
        self._assert_refused(wanted, "write", order.ids, {"opportunity_id": False, "state": "sale"})
        self._assert_refused(wanted, "web_save", order.ids, {"opportunity_id": False}, specification={})
        self._assert_refused(wanted, "load", [".id", "opportunity_id/.id"], [[str(order.id), ""]], loaded=True)
        self._assert_refused(wanted, "write", lead.ids, {"order_ids": [Command.clear()]}, model="crm.lead")
        self._assert_refused(wanted, "write", lead.ids, {"order_ids": [Command.unlink(order.id)]}, model="crm.lead")
        self.assertEqual((order.opportunity_id, order.state), (lead, "draft"))
        answer = self._call("sale.order", "write", order.ids, {"opportunity_id": False}, user=self.manager)
        self.assertNotIn("error", answer)
        self.assertIn("Removed from opportunity", " ".join(order.sudo().message_ids.mapped("body")))

    def test_completing_a_request_for_approval(self):
        """Whoever asked cannot make the question go away, nor can others."""
        order = self._create_quotation()
        self.assertNotIn("error", self._call("sale.order", "action_request_approval", order.ids))
        activity = order.sudo().activity_ids.filtered(lambda each: each.user_id == self.approver)
        wanted = "asks .* to approve"
        for user in (self.salesman, self.manager):
            for method, args in (
                ("action_feedback", []),
                ("action_done", []),
                ("action_cancel", []),
                ("unlink", []),
                ("write", [{"active": False}]),
                ("write", [{"user_id": self.salesman.id}]),
                ("write", [{"res_id": self._create_quotation().id}]),
            ):
                with self.subTest(user=user.login, method=method, args=args):
                    self._assert_refused(wanted, method, activity.ids, *args, model="mail.activity", user=user)
        self._assert_refused(".", "action_feedback", activity.ids, model="mail.activity", user=self.colleague)
        self.assertTrue(activity.exists().active)
        self.assertEqual(activity.user_id, self.approver)

    def test_changing_what_is_approved(self):
        order = self._create_quotation()
        order.with_user(self.approver).action_approve()
        line = order.order_line
        wanted = "is approved, so this cannot be changed"
        self._assert_refused(wanted, "write", line.ids, {"price_unit": 9999}, model="sale.order.line")
        self._assert_refused(wanted, "write", line.ids, {"discount": 90}, model="sale.order.line")
        self._assert_refused(wanted, "unlink", line.ids, model="sale.order.line")
        self._assert_refused(
            wanted, "create", [{"order_id": order.id, "product_id": self.product.id}], model="sale.order.line"
        )
        self._assert_refused(
            wanted,
            "web_save",
            order.ids,
            {"order_line": [[1, line.id, {"product_uom_qty": 99}]]},
            specification={},
        )
        self._assert_refused(wanted, "write", order.ids, {"note": "<p>Free of charge</p>"})
        self._assert_refused("Only a quotation approver", "action_unapprove", order.ids)
        self._assert_refused(wanted, "write", line.ids, {"price_unit": 1}, model="sale.order.line", user=self.manager)
        self.assertEqual(order.amount_total, 1000)

    def test_closed(self):
        order = self._create_quotation()
        order.action_close_quotation("No budget")
        for method, *args in (
            ("action_confirm",),
            ("write", {"state": "sale"}),
            ("write", {"client_order_ref": "x"}),
            ("action_cancel",),
            ("action_draft_unknown",),
        )[:-1]:
            self._assert_refused(r"It is closed \(No budget\)", method, order.ids, *args)
        self._assert_refused(
            r"It is closed \(No budget\)", "write", order.order_line.ids, {"price_unit": 1}, model="sale.order.line"
        )
        self._assert_refused("Only a Sales Administrator", "action_reopen_quotation", order.ids)
        self._assert_refused(r"It is closed \(No budget\)", "unlink", order.ids, user=self.manager)
        self.assertEqual(order.approval_state, "closed")

    def test_closed_opportunity(self):
        lead = self._create_quotable()
        self._win(lead)
        self._assert_refused(
            "'Acme line 3' is Won", "create", [{"partner_id": self.customer.id, "opportunity_id": lead.id}]
        )
        self._assert_refused(
            "'Acme line 3' is Won",
            "create",
            [{"partner_id": self.customer.id}],
            context={"default_opportunity_id": lead.id},
        )
        self._assert_refused("'Acme line 3' is Won", "action_new_order", lead.ids, model="crm.lead")

    def test_somebody_elses_opportunity(self):
        lead = self._create_quotable()
        order = self._create_quotation(user=self.colleague)
        line = lead.opportunity_line_ids[0]
        self._assert_refused("access", "write", order.ids, {"opportunity_id": lead.id}, user=self.colleague)
        self._assert_refused(
            "access",
            "write",
            order.order_line.ids,
            {"opportunity_line_id": line.id},
            model="sale.order.line",
            user=self.colleague,
        )
        self.assertEqual(line.quoted_qty, 0)

    def test_product_lines_of_a_colleague(self):
        """The dialog tells nothing of opportunities that the user may not read, by whatever field they are named."""
        lead, own = self._create_quotable(), self._create_quotable(user=self.colleague, user_id=self.colleague.id)
        order = self._create_quotation(user=self.colleague)
        line = lead.opportunity_line_ids[0]
        dialog = {"model": "crm.opportunity.generate", "user": self.colleague}
        for values in (
            {"lead_id": lead.id},
            {"lead_ids": [Command.set(lead.ids)]},
            {"order_id": order.id, "lead_ids": [Command.set(lead.ids)]},
            {"lead_id": own.id, "line_ids": [Command.create({"opportunity_line_id": line.id, "product_uom_qty": 1})]},
        ):
            with self.subTest(values):
                answer = self._call(dialog["model"], "create", [values], user=self.colleague)
                if "error" in answer:
                    self.assertIn("access", str(answer["error"]).lower())
                    continue
                wanted = {"line_ids": {"fields": {"product_id": {}, "price_unit": {}, "quoted_qty": {}}}}
                read = self._call(dialog["model"], "web_read", answer["result"], wanted, user=self.colleague)
                self.assertFalse("result" in read and read["result"][0]["line_ids"])
                self._assert_refused("access|Choose among", "action_generate", answer["result"], **dialog)
        answer = self._call(dialog["model"], "create", [{"lead_id": own.id}], user=self.colleague)
        lines = {"model": "crm.opportunity.generate.line", "user": self.colleague}
        values = {"generate_id": answer["result"][0], "opportunity_line_id": line.id, "product_uom_qty": 1}
        self._assert_refused("access", "create", [values], **lines)
        found = self._call(lines["model"], "search", [("opportunity_line_id", "=", line.id)], user=self.colleague)
        self.assertFalse(found["result"])

    def test_portal_and_employee(self):
        order = self._create_quotation()
        for user in (self.employee, self._create_portal_user()):
            for method in ("action_approve", "action_unapprove", "action_close_quotation", "action_request_approval"):
                with self.subTest(method, user=user.login):
                    self._assert_refused(
                        "access|allowed|top-secret|Only a quotation approver", method, order.ids, user=user
                    )

    def _create_portal_user(self):
        return self.env["res.users"].create(
            {
                "name": "Ann",
                "login": "sos_portal",
                "password": "sos_portal",
                "partner_id": self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id}).id,
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
