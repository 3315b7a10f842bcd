"""Needs ``sale_stock``."""

from ..test_credit_uninvoiced import UninvoicedCase


class TestDelivered(UninvoicedCase):
    """What is open follows what may still be delivered or invoiced."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.write({"type": "consu", "is_storable": True, "invoice_policy": "delivery"})
        cls.other_product.write({"type": "consu", "invoice_policy": "order"})

    def _deliver(self, order, quantity, backorder=True):
        picking = order.picking_ids.filtered(lambda each: each.state not in ("done", "cancel"))
        picking.move_ids.quantity = quantity
        picking.move_ids.picked = True
        picking.with_context(
            skip_backorder=True, picking_ids_not_to_backorder=[] if backorder else picking.ids
        ).button_validate()
        self.assertEqual(picking.state, "done")
        return picking

    def _return(self, picking, quantity):
        wizard = self.env["stock.return.picking"].with_context(active_id=picking.id, active_model="stock.picking")
        wizard = wizard.create({"picking_id": picking.id})
        wizard.product_return_moves.quantity = quantity
        back = wizard._create_return()
        back.move_ids.write({"quantity": quantity, "picked": True, "to_refund": True})
        back.button_validate()
        return back

    def test_short_delivery_with_a_backorder(self):
        order = self._confirm_lines((10, 80))
        self._assert_uses(order, 800)
        self._deliver(order, 4)
        self._assert_uses(order, 800)
        order._create_invoices().action_post()
        self._assert_uses(order, 480)

    def test_short_delivery_without_a_backorder(self):
        order = self._confirm_lines((10, 80))
        self._deliver(order, 4, backorder=False)
        self._assert_uses(order, 320)
        order._create_invoices().action_post()
        self._assert_uses(order, 0)
        self.assertEqual(order.amount_to_invoice, 0)

    def test_more_delivered_than_ordered(self):
        order = self._confirm_lines((10, 80))
        self._deliver(order, 20)
        self._assert_uses(order, 1600)
        self.assertEqual(order.amount_to_invoice, 1600)

    def test_all_returned_and_credited(self):
        order = self._confirm_lines((10, 80))
        picking = self._deliver(order, 10)
        invoice = order._create_invoices()
        invoice.action_post()
        self._assert_uses(order, 0)
        self._return(picking, 10)
        invoice._reverse_moves([{}]).action_post()
        self._assert_uses(order, 0)
        self.assertEqual(order.amount_to_invoice, 0)

    def test_returned_in_part(self):
        order = self._confirm_lines((10, 80))
        self._return(self._deliver(order, 10), 3)
        self._assert_uses(order, 560)

    def test_the_transfer_is_cancelled(self):
        order = self._confirm_lines((10, 80))
        order.picking_ids.action_cancel()
        self._assert_uses(order, 0)

    def test_more_ordered_after_all_is_delivered(self):
        order = self._confirm_lines((10, 80))
        self._deliver(order, 4, backorder=False)
        order.order_line.product_uom_qty = 12
        self._assert_uses(order, 960)

    def test_growing_again_is_checked(self):
        self.company.account_use_credit_limit = True
        self.unit.credit_limit = 1000
        order = self._confirm_lines((10, 100))
        order.picking_ids.action_cancel()
        self._confirm(900)
        with self.assertRefused("credit limit of Holding is exceeded"):
            order.order_line.product_uom_qty = 20

    def test_invoiced_as_ordered(self):
        order = self._confirm_lines({"product_id": self.other_product.id, "product_uom_qty": 10, "price_unit": 80})
        self._deliver(order, 4, backorder=False)
        self._assert_uses(order, 800)
