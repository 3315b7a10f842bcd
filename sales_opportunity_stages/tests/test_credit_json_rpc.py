import json

from odoo.api import SUPERUSER_ID
from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .credit_common import CreditSetup


@tagged("post_install", "-at_install")
class TestCreditJsonRpc(CreditSetup, HttpCase):
    """Every way round that a salesperson can send over the wire, and what is kept of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(user=SUPERUSER_ID)
        cls._set_up_credit()
        cls.salesman.group_ids |= cls.env.ref("base.group_partner_manager")

    def _call(self, model, method, *args, user=None, **kwargs):
        self.authenticate((user or self.salesman).login, (user or self.salesman).login)
        with mute_logger("odoo.http"):
            response = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}",
                data=json.dumps({"params": {"model": model, "method": method, "args": args, "kwargs": kwargs}}),
                headers={"Content-Type": "application/json"},
            )
        return response.json()

    def _assert_refused(self, expected, model, method, *args, **kwargs):
        answer = self._call(model, method, *args, **kwargs)
        self.assertIn("error", answer, f"{model}.{method} was let through")
        self.assertRegex(answer["error"]["data"]["message"], expected)
        self.assertEqual(answer["error"]["message"], "Odoo Server Error")
        self.assertNotIn("serialize", answer["error"]["data"]["message"])

    def test_confirming(self):
        order = self._order(1001)
        over = "the credit limit of Holding is exceeded"
        for context in (
            {},
            {"bypass_credit": True, "sale_order_acceptance": {"origin": "portal"}, "tracking_disable": True},
        ):
            self._assert_refused(over, "sale.order", "action_confirm", order.ids, context=context)
        self._assert_refused(over, "sale.order", "write", order.ids, {"state": "sale"})
        self._assert_refused(over, "sale.order", "web_save", order.ids, {"state": "sale"}, specification={})
        line = Command.create({"product_id": self.product.id, "price_unit": 1001, "tax_ids": []})
        self._assert_refused(
            over,
            "sale.order",
            "create",
            [{"partner_id": self.customer.id, "state": "sale", "order_line": [line]}],
        )
        batch = self._order(600) | self._order(600)
        self._assert_refused(over, "sale.order", "action_confirm", batch.ids)
        self._assert_refused("Private methods", "sale.order", "_write_derived", order.ids, {"credit_uninvoiced": 0})
        self.assertEqual((order | batch).mapped("state"), ["draft"] * 3)

    def test_blocked_decisions_survive(self):
        order = self._order(1001)
        self._assert_refused("exceeded", "sale.order", "action_confirm", order.ids)
        check = self._get_checks()
        self.assertEqual((check.result, check.order_ids, check.user_id), ("blocked", order, self.salesman))
        self.assertEqual((check.documents, check.exposure, check.excess), (1001, 1001, 1))
        self.assertEqual(check.document_names, order.name)
        self.assertTrue(order.on_credit_hold)
        line = Command.create({"product_id": self.product.id, "price_unit": 2000, "tax_ids": []})
        self._call("sale.order", "create", [{"partner_id": self.customer.id, "state": "sale", "order_line": [line]}])
        lost = self._get_checks()[-1]
        self.assertEqual((lost.result, lost.documents), ("blocked", 2000))
        self.assertFalse(lost.order_ids, "the order was undone, the decision is kept")
        self.assertTrue(lost.document_names)

    def test_growing(self):
        order = self._confirm(900)
        line = order.order_line
        other = self._confirm(500, self.free)
        over = "the credit limit of Holding is exceeded"
        self._assert_refused(over, "sale.order.line", "write", line.ids, {"product_uom_qty": 2})
        self._assert_refused(over, "sale.order.line", "write", line.ids, {"price_unit": 1001})
        self._assert_refused(
            over,
            "sale.order.line",
            "create",
            [{"order_id": order.id, "product_id": self.product.id, "price_unit": 101, "tax_ids": []}],
        )
        self._assert_refused(over, "sale.order", "write", other.ids, {"partner_id": self.customer.id})
        self._assert_refused(over, "sale.order", "write", other.ids, {"partner_invoice_id": self.member.id})
        for model, record, name in (
            ("sale.order", order, "amount_total"),
            ("sale.order", order, "credit_uninvoiced"),
            ("sale.order", order, "currency_rate"),
            ("sale.order.line", line, "price_total"),
            ("sale.order.line", line, "untaxed_amount_invoiced"),
        ):
            with self.subTest(name):
                self._assert_refused("kept by the system", model, "write", record.ids, {name: 1})
        self._assert_refused("can't remove one of its lines", "sale.order.line", "unlink", line.ids)
        self.assertEqual(self._get_exposure().total, 900)

    def test_master_data(self):
        refused = "accountant or a credit manager"
        for values in (
            {"credit_unit_id": self.free.id},
            {"credit_unit_id": False},
            {"credit_limit": 10**6},
            {"credit_term_days": 999},
        ):
            self._assert_refused(refused, "res.partner", "write", self.customer.ids, values)
            self._assert_refused(refused, "res.partner", "write", self.unit.ids, {"credit_limit": 0})
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        self._confirm(900, contact)
        self._assert_refused("only an accountant", "res.partner", "write", contact.ids, {"parent_id": self.free.id})
        self._assert_refused("access|allowed", "res.company", "write", self.company.ids, {"credit_policy": "none"})

    def test_merging_partners(self):
        """What a customer has open goes to nobody else's credit by being merged; without anything it may."""
        order = self._confirm(900)
        context = {"active_model": "res.partner", "active_ids": (self.customer | self.free).ids}
        model = "base.partner.merge.automatic.wizard"
        wizard = self._call(model, "create", [{}], context=context)["result"]
        self._assert_refused("only an accountant", model, "action_merge", wizard)
        self.assertEqual((order.partner_id, self._get_exposure().total), (self.customer, 900))
        doubles = self.env["res.partner"].create([{"name": "Twin"}] * 2)
        wizard = self._call(model, "create", [{}], context={**context, "active_ids": doubles.ids})["result"]
        self.assertNotIn("error", self._call(model, "action_merge", wizard))
        self.assertEqual(len(doubles.exists()), 1)

    def test_decisions(self):
        self._confirm(100)
        check = self._get_checks()
        for user in (self.salesman, self.manager, self.accountant, self.credit_manager):
            for method, *args in (
                ("write", check.ids, {"result": "passed"}),
                ("unlink", check.ids),
                (
                    "create",
                    [{"unit_id": self.unit.id, "company_id": self.company.id, "result": "passed", "origin": "manual"}],
                ),
            ):
                with self.subTest(method, user=user.login):
                    self._assert_refused(
                        "access|allowed|by the system alone", "sale.credit.check", method, *args, user=user
                    )
        self.assertEqual(len(self._get_checks()), 1)

    def test_locks_are_nobodys(self):
        for user in (self.salesman, self.manager, self.accountant, self.credit_manager):
            self._assert_refused("access|allowed", "sale.credit.lock", "search", [], user=user)
