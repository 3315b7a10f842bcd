from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user

from .common import AppsCase


class TestStock(AppsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.picker = new_test_user(cls.env, "sos_picker", groups="stock.group_stock_user")
        # Odoo lets nobody add a product to an order who may not create its lines
        cls.keeper = new_test_user(
            cls.env, "sos_keeper", groups="stock.group_stock_user,sales_team.group_sale_salesman_all_leads"
        )
        (cls.product | cls.other_product).is_storable = True

    def _deliver(self, picking, **quantities):
        """As the warehouse: so many pumps and valves."""
        picking = picking.with_user(self.keeper)
        for move in picking.move_ids:
            move.quantity = quantities.get("pumps", move.product_uom_qty)
        if quantities.get("valves"):
            picking.move_ids = [
                Command.create(
                    {
                        "product_id": self.other_product.id,
                        "product_uom_qty": quantities["valves"],
                        "quantity": quantities["valves"],
                        "location_id": picking.location_id.id,
                        "location_dest_id": picking.location_dest_id.id,
                    }
                )
            ]
        picking.move_ids.picked = True
        picking.with_context(skip_backorder=True).button_validate()
        return picking

    def test_blocked_leaves_nothing_behind(self):
        pickings, procured = self.env["stock.picking"].search_count([]), self.env["stock.move"].search_count([])
        order = self._create_quotation(quantity=3, price=100.0)
        self.unit.credit_limit = 299
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.action_confirm()
        self.assertEqual(order.state, "draft")
        self.assertEqual(self.env["stock.picking"].search_count([]), pickings)
        self.assertEqual(self.env["stock.move"].search_count([]), procured)

    def test_product_shipped_in_addition(self):
        """It is not the salesperson changing what was approved."""
        order = self._confirmed()
        self.unit.credit_limit = 500
        picking = self._deliver(order.sudo().picking_ids, valves=2)
        self.assertEqual(picking.state, "done")
        extra = order.order_line.filtered(lambda line: line.product_id == self.other_product)
        self.assertEqual((extra.product_uom_qty, extra.qty_delivered), (0, 2))
        self.assertIn("Added by another application after the approval", self._get_notes(order))

    def test_delivering_more_and_less(self):
        """More than ordered is counted for credit and warned of; the warehouse is not stopped."""
        self.product.invoice_policy = "delivery"
        more, less = self._confirmed(), self._confirmed()
        self.unit.credit_limit = 1
        self._deliver(more.sudo().picking_ids, pumps=8)
        self._deliver(less.sudo().picking_ids, pumps=3)
        self.assertEqual((more.order_line.qty_delivered, less.order_line.qty_delivered), (8, 3))
        self.assertEqual(self._get_results(more), ["passed", "warned"])
        self.assertEqual(more.sudo().credit_check_ids.sorted("id")[-1].documents, 300)
        self.assertEqual(self._get_results(less), ["passed"])
        self.assertIn("the credit limit of Holding is exceeded", self._get_notes(more))

    def test_the_warehouse_is_told_no_debts(self):
        """A refusal that reaches somebody without access to sales has no amounts of the customer."""
        order = self._create_quotation(quantity=3, price=100.0)
        self.unit.credit_limit = 299
        with self.assertRaises(UserError) as refused, self.env.cr.savepoint():
            order.with_user(self.picker).sudo().action_confirm()
        for text in ("299", "300", self.unit.name):
            self.assertNotIn(text, str(refused.exception))
        self.assertIn(order.name, str(refused.exception))
