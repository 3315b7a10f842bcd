from odoo.fields import Command
from odoo.tests import new_test_user

from .common import AppsCase


class TestRepair(AppsCase):
    """Needs ``repair``. Parts that the workshop uses are added to the order; no salesperson changes it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mechanic = new_test_user(
            cls.env,
            "sos_mechanic",
            groups="stock.group_stock_user,sales_team.group_sale_salesman_all_leads",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.service = cls.env["product.product"].create(
            {
                "name": "Repair",
                "type": "service",
                "service_tracking": "repair",
                "invoice_policy": "order",
                "list_price": 500,
                "taxes_id": [Command.clear()],
            }
        )

    def _sell_repair(self):
        order = self._create_quotation(
            order_line=[
                Command.create(
                    {
                        "product_id": self.service.id,
                        "product_uom_qty": 1,
                        "price_unit": 500.0,
                        "technical_price_unit": 0.0,
                    }
                )
            ]
        )
        order.with_user(self.approver).action_approve()
        order.action_confirm()
        return order

    def _use_part(self, repair, quantity=1):
        repair.with_user(self.mechanic).write(
            {
                "move_ids": [
                    Command.create(
                        {
                            "product_id": self.other_product.id,
                            "product_uom_qty": quantity,
                            "quantity": quantity,
                            "repair_line_type": "add",
                        }
                    )
                ]
            }
        )
        return repair.move_ids

    def test_refused_begins_no_repair(self):
        known = self.env["repair.order"].search_count([])
        self.unit.credit_limit = 499
        with self.assertRefused("credit limit of Holding is exceeded"), self.env.cr.savepoint():
            self._sell_repair()
        self.assertEqual(self.env["repair.order"].search_count([]), known)

    def test_parts_are_added_and_taken_away(self):
        order = self._sell_repair()
        self.unit.credit_limit = 500
        repair = order.sudo().repair_order_ids
        move = self._use_part(repair, 2)
        line = order.order_line.filtered(lambda each: each.product_id == self.other_product)
        self.assertEqual((line.product_uom_qty, order.approval_state), (2, "approved"))
        self.assertEqual(self._get_results(order), ["passed", "warned"])
        move.with_user(self.mechanic).product_uom_qty = 3
        self.assertEqual(line.product_uom_qty, 3)
        move.with_user(self.mechanic)._action_cancel()
        self.assertEqual(line.product_uom_qty, 0)
        self.assertIn("Added by another application after the approval", self._get_notes(order))

    def test_under_warranty(self):
        order = self._sell_repair()
        repair = order.sudo().repair_order_ids
        self._use_part(repair)
        repair.with_user(self.mechanic).under_warranty = True
        line = order.order_line.filtered(lambda each: each.product_id == self.other_product)
        self.assertEqual(line.price_unit, 0)

    def test_the_workshop_cancels(self):
        order = self._sell_repair()
        repair = order.sudo().repair_order_ids
        repair.with_user(self.mechanic).action_repair_cancel()
        self.assertEqual((repair.state, order.order_line.product_uom_qty), ("cancel", 0))

    def test_repaired(self):
        order = self._sell_repair()
        repair = order.sudo().repair_order_ids
        self._use_part(repair)
        repair.with_user(self.mechanic).action_repair_start()
        repair.with_user(self.mechanic).action_repair_end()
        self.assertEqual(repair.state, "done")
        self.assertEqual(order.order_line[0].qty_delivered, 1)
