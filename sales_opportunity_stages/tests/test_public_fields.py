from odoo.tests import HttpCase, tagged

from .access import AccessSetup

FAMILY = "sales_opportunity_stages"


@tagged("post_install", "-at_install")
class TestPublicFields(AccessSetup, HttpCase):
    """Customers read their orders, companies and themselves over RPC. What the add-on keeps there is not for them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_access()
        cls.order, _to_write, _to_create = cls._make_sale_order(cls, cls.situations["own"][1].sudo())
        cls.portal = cls.situations["portal"][0]

    def _get_own_fields(self, model):
        """Names of fields that nothing but the add-on and its bridges defines."""
        return {
            name
            for name, field in self.env[model]._fields.items()
            if field._modules and all(module.startswith(FAMILY) for module in field._modules)
        }

    def test_outsiders_see_no_field(self):
        """Of no model that they may read at all, now or once another module lets them."""
        for situation in ("portal", "public"):
            user = self.situations[situation][0]
            for model in self.env.registry:
                if self.env[model]._abstract or not self.env[model].with_user(user).has_access("read"):
                    continue
                with self.subTest(situation=situation, model=model):
                    self.assertFalse(self._get_own_fields(model) & self.env[model].with_user(user).fields_get().keys())

    def test_it_can_fail(self):
        """The customer reads the order, and an employee sees its fields."""
        self.assertEqual(self.order.with_user(self.portal).read(["name"])[0]["name"], self.order.name)
        self.assertIn("close_reason", self._get_own_fields("sale.order"))
        self.assertIn("close_reason", self.order.with_user(self.manager).fields_get())

    def test_customers_do_not_hear_what_others_owe(self):
        """The banner of credit is Odoo's field, and says what the whole unit owes."""
        self.assertNotIn("partner_credit_warning", self.order.with_user(self.portal).fields_get())
        self.assertIn("partner_credit_warning", self.order.with_user(self.manager).fields_get())

    def test_pages(self):
        """The customer's pages are as they were."""
        self.order.sudo().write({"state": "sent"})
        self.authenticate(self.portal.login, self.portal.login)
        for path in ("/my", "/my/quotes", "/my/orders", self.order.get_portal_url()):
            with self.subTest(path):
                self.assertEqual(self.url_open(path).status_code, 200)
        self.assertIn(self.order.name, self.url_open("/my/quotes").text)
