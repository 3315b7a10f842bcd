from odoo.tests import HttpCase, tagged

from .public_methods import PublicMethodsTests


@tagged("post_install", "-at_install")
class TestPublicMethods(PublicMethodsTests, HttpCase):
    """What can be called, by whom; and what those are told who may not."""

    def test_refusals_tell_nothing(self):
        """Whoever may not read a quotation does not hear from a refusal what became of it."""
        lead = self.situations["other"][1]
        order, _to_write, _to_create = self._make_sale_order(lead.sudo())
        line = self.env["sale.order.line"].create({"order_id": order.id, "product_id": self.product.id})
        order.action_close_quotation("secret reason")
        self.env.flush_all()
        calls = [
            *(("sale.order", method, order.ids) for method in self._get_steps()),
            ("sale.order", "write", order.ids, {"client_order_ref": "x"}),
            ("sale.order", "web_save", order.ids, {"client_order_ref": "x"}, {}),
            ("sale.order", "unlink", order.ids),
            ("sale.order", "copy", order.ids),
            ("sale.order.line", "write", line.ids, {"price_unit": 1}),
            ("sale.order.line", "unlink", line.ids),
            ("sale.order.line", "create", [{"order_id": order.id, "product_id": self.product.id}]),
        ]
        for situation in ("employee", "other", "credit", "admin", "portal"):
            user = self.situations[situation][0]
            self.authenticate(user.login, user.login)
            for model, method, *args in calls:
                with self.subTest(situation=situation, method=f"{model}.{method}"):
                    error, _result = self._call(model, method, *args)
                    self.assertEqual(error["name"], "odoo.exceptions.AccessError")
                    self.assertNotIn("secret reason", error["message"])
        user = self.situations["own"][0]
        self.authenticate(user.login, user.login)
        error, _result = self._call("sale.order", "action_quotation_send", order.ids)
        self.assertIn("secret reason", error["message"], "whoever works on it is told")

    def _get_steps(self):
        return [
            "action_add_from_opportunity",
            "action_approve",
            "action_cancel",
            "action_close_quotation",
            "action_confirm",
            "action_quotation_send",
            "action_quotation_sent",
            "action_request_approval",
            "action_share",
            "action_unapprove",
        ]

    def test_links_tell_nothing(self):
        """A quotation for somebody else's closed opportunity is refused without its name."""
        lead = self.situations["other"][1]
        lead.sudo().name = "secret deal"
        lead.sudo().action_set_lost()
        self.env.flush_all()
        values = {"partner_id": self.customer.id, "opportunity_id": lead.id}
        self.authenticate(self.colleague.login, self.colleague.login)
        error, _result = self._call("sale.order", "create", [values])
        self.assertEqual(error["name"], "odoo.exceptions.AccessError")
        self.assertNotIn("secret deal", error["message"])

    def test_private(self):
        """What is nobody's to call."""
        self.authenticate(self.manager.login, self.manager.login)
        error, _result = self._call("sales.consistency", "get_findings", [])
        self.assertIn("Private methods", error["message"])
