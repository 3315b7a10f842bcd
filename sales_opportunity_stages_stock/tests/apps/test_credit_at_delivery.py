from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from odoo.addons.sales_opportunity_stages.tests.credit_desk_common import CreditDeskCase


class TestCreditAtDelivery(CreditDeskCase):
    """A transfer of a customer whose unit is over or late is held, by real transfers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.picker = new_test_user(cls.env, "sos_picker", groups="stock.group_stock_user")
        cls.product.is_storable = True
        cls.company.credit_check_delivery = "block"
        cls.unit.credit_limit = 1500
        cls.order = cls._confirm(300)
        cls.picking = cls.order.sudo().picking_ids

    def _deliver(self, picking=None, user=None):
        picking = (picking or self.picking).with_user(user or self.picker)
        picking.move_ids.quantity = picking.move_ids.product_uom_qty
        picking.move_ids.picked = True
        picking.with_context(skip_backorder=True).button_validate()
        return picking

    def test_within_the_limit_it_passes(self):
        self._deliver()
        self.assertEqual(self.picking.state, "done")

    def test_over_the_limit_it_is_held(self):
        self.unit.credit_limit = 1000
        with self.assertRaises(UserError) as refused, self.env.cr.savepoint():
            self._deliver()
        self.assertNotEqual(self.picking.state, "done")
        self.assertIn(self.picking.name, str(refused.exception))
        for text in ("1,000", "200", "1,200"):
            self.assertNotIn(text, str(refused.exception), "the warehouse is told no amounts")

    def test_late(self):
        self.unit.write({"credit_limit": 0, "credit_term_days": 5})
        self._invoice(10, date=self.today - timedelta(days=30))
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._deliver()

    def test_warned(self):
        self.company.credit_check_delivery = "warn"
        self.unit.credit_limit = 1000
        self._deliver()
        self.assertEqual(self.picking.state, "done")
        check = self._get_checks()[-1]
        self.assertEqual((check.result, check.origin, check.document_names), ("warned", "delivery", self.picking.name))

    def test_not_checked(self):
        self.company.credit_check_delivery = "none"
        self.unit.credit_limit = 1
        self._deliver()
        self.assertEqual(self.picking.state, "done")

    def test_released_from_the_worklist(self):
        self.unit.credit_limit = 1000
        picking = self.picking.with_user(self.picker)
        self.assertTrue(picking.credit_warning)
        action = picking.action_request_credit()
        wizard = self.env[action["res_model"]].with_user(self.picker).with_context(**action["context"])
        wizard.create({"reason": "Truck is waiting"}).action_request()
        request = self.picking.credit_request_ids
        self.assertEqual((request.state, request.amount, request.excess), ("requested", 300, 200))
        self.assertEqual(request.user_id, self.salesman)
        with self.assertRaises(AccessError):
            request.with_user(self.picker).action_release("x")
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._deliver()
        request.with_user(self.credit_manager).action_release("Known")
        self._deliver()
        self.assertEqual((self.picking.state, request.state), ("done", "used"))
        check = self._get_checks()[-1]
        self.assertEqual((check.result, check.request_id), ("released", request))

    def test_a_release_is_for_its_transfer(self):
        other = self._confirm(100).sudo().picking_ids
        self.unit.credit_limit = 1000
        self.picking.action_request_credit("x")
        self.picking.credit_request_ids.with_user(self.credit_manager).action_release("Known")
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._deliver(other)

    def test_what_fits_needs_no_request(self):
        with self.assertRefused("Credit allows"):
            self.picking.action_request_credit("x")

    def test_what_was_shipped_is_invoiced(self):
        self.company.credit_check_invoice = "block"
        self._deliver()
        self.unit.credit_limit = 1
        move = self.order.sudo()._create_invoices()
        move.action_post()
        self.assertEqual(move.state, "posted")

    def test_receipts_and_returns_pass(self):
        self._deliver()
        self.unit.credit_limit = 1
        wizard = self.env["stock.return.picking"].with_context(active_id=self.picking.id, active_model="stock.picking")
        wizard = wizard.create({"picking_id": self.picking.id})
        wizard.product_return_moves.quantity = 1
        back = wizard._create_return()
        back.move_ids.write({"quantity": 1, "picked": True})
        back.button_validate()
        self.assertEqual(back.state, "done")

    def test_closing_the_rest_cancels_what_is_left_to_deliver(self):
        order = self._create_quotation(quantity=4, price=50.0)
        order.action_confirm()
        picking = order.sudo().picking_ids
        picking.move_ids.write({"quantity": 1, "picked": True})
        picking.with_context(skip_backorder=True).button_validate()
        order.with_user(self.salesman).action_close_rest("Discontinued")
        left = order.sudo().picking_ids - picking
        self.assertEqual(set((left.move_ids | picking.move_ids).mapped("state")), {"done", "cancel"})
        self.assertEqual((order.order_line.qty_delivered, order.credit_uninvoiced), (1, 50))
        order.action_reopen_rest()
        self.assertEqual(order.credit_uninvoiced, 200)
        self.assertEqual(
            sum(
                order.sudo()
                .picking_ids.move_ids.filtered(lambda m: m.state not in ("done", "cancel"))
                .mapped("product_uom_qty")
            ),
            3,
        )
