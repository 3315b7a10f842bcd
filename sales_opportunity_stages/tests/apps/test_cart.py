import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from ..quotation_common import QuotationSetup

SECRET = "They never pay"


@tagged("post_install", "-at_install")
class TestCart(QuotationSetup, HttpCase):
    """Needs ``website_sale`` and ``website_sale_loyalty``. What is closed or approved is no cart."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()
        cls.company.quotation_approval = "required"
        cls.website = cls.env["website"].search([("company_id", "=", cls.company.id)], limit=1)
        cls.website.write({"send_abandoned_cart_email": True, "cart_abandoned_delay": 1})
        cls.env["website"].search([]).send_abandoned_cart_email_activation_time = fields.Datetime.now() - timedelta(9)
        cls.env["loyalty.program"].search([]).active = False
        cls.product.write({"is_published": True, "type": "service"})
        cls.customer.write({"email": "ann@acme.example", "country_id": cls.env.ref("base.be").id})
        cls.user = cls.env["res.users"].create(
            {
                "name": "Ann",
                "login": "ann_cart",
                "password": "ann_cart",
                "partner_id": cls.customer.id,
                "group_ids": [Command.set(cls.env.ref("base.group_portal").ids)],
            }
        )

    def _create_cart(self, **values):
        day = fields.Datetime.now() - timedelta(days=2)
        return self._create_quotation(website_id=self.website.id, date_order=day, **values)

    def _close(self, cart):
        cart.action_close_quotation(SECRET)

    def _approve(self, cart):
        cart.with_user(self.approver).action_approve()

    def _assert_shop_opens(self):
        for path in ("/", "/shop", "/shop/cart", "/shop/checkout", "/my", "/my/home"):
            page = self.url_open(path)
            self.assertEqual(page.status_code, 200, path)
            self.assertNotIn(SECRET, page.text)

    def _add_to_cart(self):
        response = self.url_open(
            "/shop/cart/add",
            data=json.dumps(
                {
                    "params": {
                        "product_template_id": self.product.product_tmpl_id.id,
                        "product_id": self.product.id,
                        "quantity": 1,
                    }
                }
            ),
            headers={"Content-Type": "application/json"},
        )
        self.assertNotIn("error", response.json())
        return self.env["sale.order"].search([("website_id", "=", self.website.id)], order="id desc", limit=1)

    def test_a_cart_is_found_again(self):
        cart = self._create_cart()
        self.authenticate("ann_cart", "ann_cart")
        self.assertEqual(self._add_to_cart(), cart)
        self.assertEqual(sum(cart.order_line.mapped("product_uom_qty")), 11)

    def test_the_customer_gets_another_cart(self):
        for take_away in (self._close, self._approve):
            with self.subTest(take_away.__name__):
                cart = self._create_cart()
                take_away(cart)
                self.authenticate("ann_cart", "ann_cart")
                self._assert_shop_opens()
                other = self._add_to_cart()
                self.assertNotEqual(other, cart)
                self.assertEqual(cart.order_line.product_uom_qty, 10)
                self._assert_shop_opens()
                other.action_cancel()

    def test_taken_away_while_the_customer_is_shopping(self):
        for take_away in (self._close, self._approve):
            with self.subTest(take_away.__name__):
                cart = self._create_cart()
                self.authenticate("ann_cart", "ann_cart")
                self.assertEqual(self._add_to_cart(), cart)
                take_away(cart)
                self._assert_shop_opens()
                other = self._add_to_cart()
                self.assertNotEqual(other, cart)
                other.action_cancel()

    def test_somebody_logs_in(self):
        """The cart of a visitor that was closed is not made that of the customer."""
        self.authenticate(None, None)
        cart = self._add_to_cart()
        self._close(cart)
        self._assert_shop_opens()

    def test_mails_that_remind_of_carts(self):
        closed, approved, cart = (self._create_cart() for _number in range(3))
        self._close(closed)
        self._approve(approved)
        abandoned = self.env["sale.order"].search([("is_abandoned_cart", "=", True)])
        self.assertIn(cart, abandoned)
        self.assertFalse(abandoned & (closed | approved))
        sent = []
        self.patch(
            self.registry["mail.template"], "send_mail", lambda template, res_id, **kwargs: sent.append(res_id) or 0
        )
        self.env["website"]._send_abandoned_cart_email()
        self.assertIn(cart.id, sent)
        self.assertFalse({closed.id, approved.id} & set(sent))
        self.assertTrue(cart.cart_recovery_email_sent)

    def test_coupons_of_abandoned_carts(self):
        program = self.env["loyalty.program"].create(
            {
                "name": "Code",
                "program_type": "coupons",
                "reward_ids": [Command.create({"reward_type": "discount", "discount": 10})],
            }
        )
        carts = closed, approved, cart = [self._create_cart() for _number in range(3)]
        for order in carts:
            coupon = self.env["loyalty.card"].create({"program_id": program.id, "points": 10})
            status = order._try_apply_code(coupon.code)
            for card, rewards in status.items():
                order._apply_program_reward(rewards, card)
            self.assertTrue(order.applied_coupon_ids)
        self._close(closed)
        self._approve(approved)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET write_date = NOW() - INTERVAL '30 days' WHERE id = ANY(%s)",
            [[order.id for order in carts]],
        )
        self.env.invalidate_all()
        self.env["sale.order"]._gc_abandoned_coupons()
        self.assertFalse(cart.applied_coupon_ids)
        self.assertTrue(closed.applied_coupon_ids and approved.applied_coupon_ids)
        program.active = False
        program.reward_ids.discount_line_product_id.active = False
        self.assertEqual(len(closed.order_line), 2)

    def test_archiving_a_product(self):
        closed, approved, cart = (self._create_cart() for _number in range(3))
        self._close(closed)
        self._approve(approved)
        self.product.product_tmpl_id.action_archive()
        self.assertFalse(self.product.active)
        self.assertFalse(cart.order_line)
        self.assertTrue(closed.order_line and approved.order_line)

    def test_changing_the_address(self):
        """Taxes of carts follow the address of the customer; what was closed or approved stays."""
        position = self.env["account.fiscal.position"].create(
            {"name": "Far away", "auto_apply": True, "country_id": self.env.ref("base.jp").id, "sequence": -9}
        )
        closed, approved, cart = (self._create_cart() for _number in range(3))
        self._close(closed)
        self._approve(approved)
        was = cart.fiscal_position_id
        self.customer.write({"country_id": self.env.ref("base.jp").id, "zip": "100", "state_id": False})
        self.assertEqual(cart.fiscal_position_id, position)
        self.assertEqual((closed | approved).fiscal_position_id, was)
        self.assertNotEqual(was, position)

    def test_quotations_beside_the_website_are_found(self):
        """Only carts are left out, and only where carts are looked for."""
        order = self._create_quotation()
        self._close(order)
        line = order.order_line
        carts = self.env["sale.order.line"].search([("id", "=", line.id)])
        self.assertEqual(carts, line)
        self.product.product_tmpl_id.action_archive()
        self.assertTrue(line.exists())

    def test_writing_to_a_closed_one_is_refused_still(self):
        cart = self._create_cart()
        self._close(cart)
        with self.assertRaises(UserError):
            cart.sudo()._cart_add(self.product.id)
