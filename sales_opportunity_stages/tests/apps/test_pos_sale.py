"""Needs ``pos_sale``."""

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.point_of_sale.tests.common import TestPoSCommon

from ..test_credit_uninvoiced import UninvoicedCase


@tagged("post_install", "-at_install")
class TestSettled(UninvoicedCase, TestPoSCommon):
    """What was settled at the till uses no credit any more."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.config = cls.basic_config
        cls.product.available_in_pos = True
        cls.product.type = "service"

    def _settle(self, order, quantities, invoice=False):
        """Pay lines of an order at the till: ``{index of the line: quantity}``."""
        self.config.open_ui()
        session = self.config.current_session_id
        lines, total = [], 0
        for index, quantity in quantities.items():
            line = order.order_line[index]
            total += quantity * line.price_unit
            lines.append(
                Command.create(
                    {
                        "product_id": line.product_id.id,
                        "qty": quantity,
                        "price_unit": line.price_unit,
                        "price_subtotal": quantity * line.price_unit,
                        "price_subtotal_incl": quantity * line.price_unit,
                        "tax_ids": [Command.clear()],
                        "sale_order_origin_id": order.id,
                        "sale_order_line_id": line.id,
                    }
                )
            )
        values = {
            "amount_paid": total,
            "amount_return": 0,
            "amount_tax": 0,
            "amount_total": total,
            "company_id": self.company.id,
            "date_order": fields.Datetime.to_string(fields.Datetime.now()),
            "fiscal_position_id": False,
            "lines": lines,
            "name": "Order 12345-123-1234",
            "partner_id": order.partner_id.id,
            "session_id": session.id,
            "sequence_number": 2,
            "payment_ids": [
                Command.create(
                    {
                        "amount": total,
                        "name": fields.Datetime.now(),
                        "payment_method_id": session.payment_method_ids[0].id,
                    }
                )
            ],
            "uuid": f"12345-123-{order.id}",
            "user_id": self.env.uid,
            "to_invoice": invoice,
        }
        self.env["pos.order"].sync_from_ui([values])
        pos_order = order.sudo().pos_order_line_ids.order_id
        self.assertIn(pos_order.state, ("paid", "done", "invoiced"))
        return pos_order

    def test_settled_and_paid(self):
        order = self._confirm_lines((10, 100))
        self._settle(order, {0: 10})
        self._assert_uses(order, 0)
        self.assertEqual(self._get_exposure().total, 0)

    def test_settled_in_part(self):
        order = self._confirm_lines((10, 100), (1, 300))
        self._settle(order, {0: 4})
        self._assert_uses(order, 900)

    def test_settled_and_invoiced_at_the_till(self):
        order = self._confirm_lines((10, 100))
        self._settle(order, {0: 10}, invoice=True)
        self._assert_uses(order, 0)
        self.assertEqual(self._get_exposure().total, 0)
