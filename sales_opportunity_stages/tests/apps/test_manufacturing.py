from odoo.fields import Command

from .common import AppsCase


class TestManufacturing(AppsCase):
    """Needs ``sale_mrp``."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.is_storable = True
        cls.part = cls.other_product
        cls.part.is_storable = True

    def _make(self, bom_type, **values):
        return self.env["mrp.bom"].create(
            {
                "product_tmpl_id": self.product.product_tmpl_id.id,
                "type": bom_type,
                "bom_line_ids": [Command.create({"product_id": self.part.id, "product_qty": 2})],
                **values,
            }
        )

    def _make_to_order(self):
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", self.company.id)], limit=1)
        route = warehouse.mto_pull_id.route_id
        route.active = True
        self.product.route_ids = route | warehouse.manufacture_pull_id.route_id
        self._make("normal")

    def test_refused_makes_nothing(self):
        self._make_to_order()
        order = self._create_quotation(quantity=3)
        self.unit.credit_limit = 299
        known = self.env["mrp.production"].search_count([])
        with self.assertRefused("credit limit of Holding is exceeded"), self.env.cr.savepoint():
            order.action_confirm()
        self.assertEqual(self.env["mrp.production"].search_count([]), known)
        self.assertFalse(self.env["stock.picking"].search([("sale_id", "=", order.id)]))

    def test_approved_and_at_full_credit(self):
        self._make_to_order()
        order = self._approved()
        self.unit.credit_limit = 500
        order.action_confirm()
        self.assertEqual(order.sudo().mrp_production_ids.product_qty, 5)
        self.assertEqual(order.approval_state, "approved")

    def test_a_kit_is_delivered(self):
        """The parts leave; the kit is what was sold, and what uses credit."""
        self._make("phantom")
        self.product.invoice_policy = "delivery"
        order = self._approved()
        self.unit.credit_limit = 500
        order.action_confirm()
        picking = order.sudo().picking_ids
        self.assertEqual(picking.move_ids.product_id, self.part)
        picking.move_ids.write({"quantity": 10, "picked": True})
        picking.button_validate()
        self.env.flush_all()
        self.assertEqual((order.order_line.qty_delivered, order.credit_uninvoiced), (5, 500))
        self.assertEqual(self._get_results(order), ["passed"])
