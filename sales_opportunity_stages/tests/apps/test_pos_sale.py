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
        lines = []
        for index, quantity in quantities.items():
            line = order.order_line[index]
            lines.append(
                {"product_id": line.product_id.id, "qty": quantity, "price_unit": line.price_unit}
                | {"sale_order_line_id": line.id}
            )
        self._pay_at_till(order, lines, invoice)
        pos_order = order.sudo().pos_order_line_ids.order_id
        self.assertIn(pos_order.state, ("paid", "done", "invoiced"))
        return pos_order

    def _pay_at_till(self, order, lines, invoice=False):
        self.config.open_ui()
        session = self.config.current_session_id
        for line in lines:
            amount = line["qty"] * line["price_unit"]
            line |= {
                "price_subtotal": amount,
                "price_subtotal_incl": amount,
                "tax_ids": [Command.clear()],
                "sale_order_origin_id": order.id,
            }
        total = sum(line["price_subtotal"] for line in lines)
        values = {
            "amount_paid": total,
            "amount_return": 0,
            "amount_tax": 0,
            "amount_total": total,
            "company_id": self.company.id,
            "date_order": fields.Datetime.to_string(fields.Datetime.now()),
            "fiscal_position_id": False,
            "lines": [Command.create(line) for line in lines],
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
        return self.env["pos.order"].sync_from_ui([values])

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

    # ------------------------------------------------------------
    # What the till has taken stays, whatever becomes of the order
    # ------------------------------------------------------------

    def _assert_kept_as_quotation(self, order, pattern):
        self.assertIn(order.state, ("draft", "sent"))
        activity = order.sudo().activity_ids.filtered(
            lambda each: each.summary == "Accepted by the customer, not confirmed"
        )
        self.assertEqual(activity.user_id, self.salesman)
        self.assertRegex(activity.note, pattern)

    def test_refused_by_credit(self):
        """The cashier has the money, so there is an order of the till; the quotation stays one."""
        self.company.account_use_credit_limit = True
        self.unit.credit_limit = 50
        order = self._create_quotation(quantity=10, price=100)
        pos_order = self._settle(order, {0: 4})
        self.assertEqual(pos_order.amount_paid, 400)
        self._assert_kept_as_quotation(order, "credit limit of Holding is exceeded")

    def test_refused_by_approval(self):
        self.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 0})
        order = self._create_quotation(quantity=1, price=100)
        self._settle(order, {0: 1})
        self._assert_kept_as_quotation(order, "has to be approved first")

    def test_a_closed_quotation(self):
        order = self._create_quotation(quantity=1, price=100)
        order.action_close_quotation("No budget")
        self._settle(order, {0: 1})
        self._assert_kept_as_quotation(order, "It is closed")

    def test_wholly_settled_at_full_credit(self):
        """It is paid, so it uses no credit."""
        self.company.account_use_credit_limit = True
        self.unit.credit_limit = 50
        order = self._create_quotation(quantity=1, price=100)
        self._settle(order, {0: 1})
        self.assertEqual(order.state, "sale")
        self._assert_uses(order, 0)

    def test_a_refused_one_that_is_confirmed_later(self):
        self.company.account_use_credit_limit = True
        self.unit.credit_limit = 50
        order = self._create_quotation(quantity=10, price=100)
        self._settle(order, {0: 4})
        self.unit.credit_limit = 600
        order.action_confirm()
        self._assert_uses(order, 600)

    def _pay_down(self, order, amount):
        product = self.env["product.product"].create(
            {"name": "Down Payment", "type": "service", "available_in_pos": True, "taxes_id": [Command.clear()]}
        )
        self.config.down_payment_product_id = product
        self._pay_at_till(order, [{"product_id": product.id, "qty": 1, "price_unit": amount}])
        return order.order_line.filtered(lambda line: line.is_downpayment and not line.display_type)

    def test_down_payment_on_an_approved_quotation(self):
        self.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 0})
        order = self._create_quotation(quantity=1, price=100)
        order.with_user(self.approver).action_approve()
        self.assertEqual(len(self._pay_down(order, 30)), 1)
        self.assertEqual((order.state, order.approval_state), ("sale", "approved"))
        self._assert_uses(order, 70)

    def test_down_payment_on_a_closed_quotation(self):
        order = self._create_quotation(quantity=1, price=100)
        order.action_close_quotation("No budget")
        self.assertEqual(len(self._pay_down(order, 30)), 1)
        self._assert_kept_as_quotation(order, "It is closed")
