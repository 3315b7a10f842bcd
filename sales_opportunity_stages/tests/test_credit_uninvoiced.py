from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.account_payment.tests.common import AccountPaymentCommon

from .credit_common import CreditCase


class UninvoicedCase(CreditCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.account_use_credit_limit = False
        (cls.product | cls.other_product).invoice_policy = "order"

    def _confirm_lines(self, *lines, partner=None, **values):
        """Confirm an order of these lines.

        :param lines: (quantity, price) of each, or a dict of its values
        """
        order = self.env["sale.order"].create(
            {
                "partner_id": (partner or self.customer).id,
                "order_line": [Command.create(self._prepare_line(line)) for line in lines],
                **values,
            }
        )
        order.action_confirm()
        return order

    def _prepare_line(self, line):
        if not isinstance(line, dict):
            line = {"product_uom_qty": line[0], "price_unit": line[1]}
        return {"product_id": self.product.id, "technical_price_unit": 0.0, "tax_ids": [Command.clear()], **line}

    def _invoice_lines(self, order, quantities, prices=None, post=True):
        """Invoice some lines of an order.

        :param dict quantities: ``{index of the order line: quantity}``; lines without one are left out
        """
        invoice = order._create_invoices()
        for index, line in enumerate(order.order_line):
            of_line = invoice.invoice_line_ids.filtered(lambda each, line=line: line in each.sale_line_ids)
            if index in quantities:
                of_line.quantity = quantities[index]
                if prices:
                    of_line.price_unit = prices[index]
            else:
                of_line.unlink()
        if post:
            invoice.action_post()
        return invoice

    def _assert_uses(self, order, amount):
        self.env.flush_all()
        self.assertEqual(order.credit_uninvoiced, amount)
        self.env.invalidate_all()
        self.assertFalse(
            [
                finding
                for finding in self.env["sales.consistency"].get_findings()
                if finding[1:] == ("sale.order", order.id)
            ]
        )


class TestUninvoiced(UninvoicedCase):
    """What a confirmed order uses of credit is the sum of what each of its lines has left to invoice."""

    def test_one_line_invoiced_above_its_price_hides_nothing_of_another(self):
        order = self._confirm_lines((1, 500), (1, 400))
        self._invoice_lines(order, {0: 1}, {0: 800})
        self._assert_uses(order, 400)
        self.assertEqual(order.amount_to_invoice, 400)

    def test_more_invoiced_than_ordered_hides_nothing_of_another(self):
        order = self._confirm_lines((10, 100), (1, 300))
        self._invoice_lines(order, {0: 13})
        self._assert_uses(order, 300)

    def test_invoiced_below_its_price_is_invoiced(self):
        order = self._confirm_lines((1, 500), (1, 400))
        self._invoice_lines(order, {0: 1}, {0: 300})
        self._assert_uses(order, 400)
        self._invoice_lines(order, {1: 1}, {1: 399})
        self._assert_uses(order, 0)

    def test_a_part_of_a_line(self):
        order = self._confirm_lines((10, 100), (1, 300))
        self._invoice_lines(order, {0: 4})
        self._assert_uses(order, 900)

    def test_a_part_invoiced_at_another_price(self):
        """The quantity that is left will be invoiced at the price of the order."""
        for price in (120, 70):
            with self.subTest(price=price):
                order = self._confirm_lines((10, 100), (1, 300))
                self._invoice_lines(order, {0: 5}, {0: price})
                self._assert_uses(order, 800)
                self.assertEqual(order.order_line.mapped("amount_to_invoice"), [500, 300])
                self._invoice_lines(order, {0: 5, 1: 1}, {0: 90, 1: 300})
                self._assert_uses(order, 0)

    def test_a_part_credited_at_another_price(self):
        order = self._confirm_lines((10, 100))
        credit_note = self._invoice_lines(order, {0: 10})._reverse_moves([{}])
        credit_note.invoice_line_ids.write({"quantity": 2, "price_unit": 30})
        credit_note.action_post()
        self._assert_uses(order, 200)
        self.assertEqual(order.amount_to_invoice, 200)

    def test_each_line_agrees_with_odoo(self):
        """With taxes and discounts, invoiced in part at other prices, in a currency of its own."""
        tax = self.env["account.tax"].create({"name": "7.7", "amount": 7.7, "type_tax_use": "sale"})
        lines = [
            {"product_uom_qty": 7, "price_unit": 13.37, "discount": 5, "tax_ids": [Command.set(tax.ids)]},
            {"product_uom_qty": 3, "price_unit": 0.35, "tax_ids": [Command.set(tax.ids)]},
            {"product_uom_qty": 2, "price_unit": -4.99, "tax_ids": [Command.set(tax.ids)]},
            {"product_uom_qty": 1, "price_unit": 250},
        ]
        order = self._confirm_lines(*lines)
        self._invoice_lines(order, {0: 2, 1: 1, 2: 1}, {0: 15.1, 1: 0.3, 2: -5})
        for line in order.order_line:
            self.assertEqual(line.credit_uninvoiced, line.currency_id.round(line.amount_to_invoice))
        self._assert_uses(order, order.currency_id.round(sum(order.order_line.mapped("credit_uninvoiced"))))

    def test_a_draft_takes_nothing_off(self):
        order = self._confirm_lines((1, 500), (1, 400))
        self._invoice_lines(order, {0: 1}, post=False)
        self._assert_uses(order, 900)

    def test_a_negative_line_is_taken_off(self):
        order = self._confirm_lines((1, 500), (1, -100), (1, 400))
        self._assert_uses(order, 800)
        self._invoice_lines(order, {0: 1, 1: 1})
        self._assert_uses(order, 400)

    def test_a_credit_note_makes_its_line_open_again_and_no_more(self):
        order = self._confirm_lines((1, 500), (1, 400))
        invoice = self._invoice_lines(order, {0: 1, 1: 1})
        credit_note = invoice._reverse_moves([{}])
        credit_note.invoice_line_ids[0].price_unit = 700
        credit_note.invoice_line_ids[1].unlink()
        credit_note.action_post()
        self._assert_uses(order, 500)

    def test_down_payments_are_of_the_order(self):
        order = self._confirm_lines((1, 500), (1, 400))
        wizard = self.env["sale.advance.payment.inv"].with_context(active_model="sale.order", active_ids=order.ids)
        wizard.create({"advance_payment_method": "fixed", "fixed_amount": 600}).create_invoices()
        order.invoice_ids.action_post()
        self._assert_uses(order, 300)
        final = order._create_invoices(final=True)
        final.action_post()
        self._assert_uses(order, 0)

    def test_rounded_globally_nothing_is_left_of_what_is_invoiced(self):
        self.company.tax_calculation_rounding_method = "round_globally"
        tax = self.env["account.tax"].create({"name": "21", "amount": 21, "type_tax_use": "sale"})
        for count in (3, 9):
            with self.subTest(lines=count):
                line = {"product_uom_qty": 1, "price_unit": 10.11, "tax_ids": [Command.set(tax.ids)]}
                order = self._confirm_lines(*[line] * count)
                self._assert_uses(order, order.amount_total)
                order._create_invoices().action_post()
                self._assert_uses(order, 0)

    def test_delivered_beyond_the_order(self):
        """What is invoiced as delivered counts as delivered, as soon as that is more than ordered."""
        self.product.invoice_policy = "delivery"
        order = self._confirm_lines((10, 80))
        order.order_line.qty_delivered = 6
        self._assert_uses(order, 800)
        order.order_line.qty_delivered = 20
        self._assert_uses(order, 1600)
        self.assertEqual(order.amount_to_invoice, 1600)
        self._invoice_lines(order, {0: 15})
        self._assert_uses(order, 400)

    def test_delivered_beyond_an_order_invoiced_as_ordered(self):
        order = self._confirm_lines((10, 80))
        order.order_line.qty_delivered = 20
        self._assert_uses(order, 800)

    def test_delivered_and_not_ordered(self):
        """As an extra product in a transfer, or a cost that Odoo adds."""
        self.product.invoice_policy = "delivery"
        tax = self.env["account.tax"].create({"name": "10", "amount": 10, "type_tax_use": "sale"})
        order = self._confirm_lines(
            (1, 50), {"product_uom_qty": 0, "price_unit": 20, "tax_ids": [Command.set(tax.ids)]}
        )
        order.order_line[1].qty_delivered = 3
        self._assert_uses(order, 116)

    def test_cut_short_uses_what_was_delivered_and_no_more(self):
        self.product.invoice_policy = "delivery"
        order = self._confirm_lines((10, 100), (1, 300))
        order.order_line[0].qty_delivered = 4
        order.order_line[0]._close_rest()
        self._assert_uses(order, 700)
        self._invoice_lines(order, {0: 4})
        self._assert_uses(order, 300)
        order.order_line[1]._close_rest()
        self._assert_uses(order, 0)

    def test_cut_short_as_ordered(self):
        order = self._confirm_lines((10, 100))
        self._invoice_lines(order, {0: 3})
        order.order_line._close_rest()
        self._assert_uses(order, 0)

    def test_nobody_cuts_short_by_hand(self):
        order = self._confirm_lines((10, 100))
        with self.assertRefused("kept by the system", AccessError):
            order.order_line.with_user(self.salesman).write({"is_rest_closed": True})

    def test_another_unit_of_measure(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self._confirm_lines({"product_uom_qty": 24, "price_unit": 10}, (1, 300))
        invoice = self._invoice_lines(order, {0: 2}, {0: 60}, post=False)
        invoice.invoice_line_ids.product_uom_id = dozen
        invoice.invoice_line_ids.write({"quantity": 2, "price_unit": 60})
        invoice.action_post()
        self._assert_uses(order, 300)

    def test_invoiced_in_another_currency(self):
        currency = self.env["res.currency"].create(
            {
                "name": "XQQ",
                "symbol": "q",
                "rate_ids": [
                    Command.create({"name": "2000-01-01", "rate": 2.0, "company_id": self.company.id}),
                    Command.create({"name": "2026-01-01", "rate": 4.0, "company_id": self.company.id}),
                ],
            }
        )
        order = self._confirm_lines((10, 100))
        invoice = self._invoice_lines(order, {0: 5}, post=False)
        invoice.write({"currency_id": currency.id, "invoice_date": "2025-06-01"})
        invoice.invoice_line_ids.price_unit = 100
        invoice.action_post()
        self._assert_uses(order, 500)
        self.assertEqual(order.amount_to_invoice, 500)


@tagged("post_install", "-at_install")
class TestPaidOnline(UninvoicedCase, AccountPaymentCommon):
    """Money follows the transaction that it was taken by: captures, voids and refunds of an authorization."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._confirm(1000).sudo()

    def setUp(self):
        super().setUp()
        self._allow_authorization()
        self.source = self._pay_online("authorized", 1000)

    def _pay_online(self, state, amount, orders=None, **values):
        orders = orders or self.order
        return self._create_transaction(
            "direct",
            reference=f"{orders[0].name}-{amount}-{state}-{len(orders.sudo().transaction_ids)}",
            amount=amount,
            partner_id=orders.partner_id.id,
            sale_order_ids=[Command.set(orders.ids)],
            state=state,
            **{"currency_id": orders[0].currency_id.id, **values},
        ).sudo()

    def _capture(self, amount, state="done", post=True):
        child = self.source._create_child_transaction(amount)
        getattr(child, {"done": "_set_done", "cancel": "_set_canceled", "pending": "_set_pending"}[state])()
        if post:
            (child | self.source)._post_process()
        return child

    def _refund(self, transaction, amount, post=True):
        child = transaction._create_child_transaction(amount, is_refund=True)
        child._set_done()
        if post:
            child._post_process()
        return child

    def _assert_total(self, total, uses=None):
        exposure = self._get_exposure()
        self.assertEqual(round(exposure.total, 2), total)
        if uses is not None:
            self._assert_uses(self.order, uses)

    def test_authorized_alone(self):
        self._assert_total(0, uses=0)

    def test_captured_at_once(self):
        self.source._set_done()
        self._assert_total(0, uses=0)
        self.source._post_process()
        self._assert_total(0, uses=1000)

    def test_captured_by_a_child(self):
        self._capture(1000, post=False)
        self._assert_total(0, uses=0)
        (self.source.child_transaction_ids | self.source)._post_process()
        self.assertEqual(self.source.child_transaction_ids.payment_id.move_id.state, "posted")
        self._assert_total(0, uses=1000)

    def test_the_next_order_does_not_pass_by_what_was_captured(self):
        self._capture(1000)
        self.company.account_use_credit_limit = True
        self.unit.credit_limit = 500
        with self.assertRefused("credit limit of Holding is exceeded"):
            self._confirm(1400)

    def test_captured_in_part_and_voided(self):
        self._capture(600)
        self._assert_total(0)
        self._capture(400, "cancel")
        self.assertEqual(self.source.state, "done")
        self._assert_total(400, uses=1000)

    def test_voided(self):
        self._capture(1000, "cancel")
        self._assert_total(1000, uses=1000)

    def test_several_captures(self):
        self._capture(300)
        self._capture(200)
        self._assert_total(0, uses=500)
        self._capture(100, "pending", post=False)
        self._assert_total(0, uses=500)
        self._capture(500)
        self._assert_total(0, uses=1000)

    def test_a_capture_that_knows_the_order_counts_once(self):
        child = self._capture(600, post=False)
        child.sale_order_ids = self.order
        self._assert_total(0, uses=0)
        child._post_process()
        self._assert_total(0, uses=600)

    def test_refunded(self):
        capture = self._capture(1000)
        self._refund(capture, 250, post=False)
        self._assert_total(250)
        capture.child_transaction_ids._post_process()
        self._assert_total(250)

    def test_refunded_without_a_capture_of_its_own(self):
        self.source._set_done()
        self.source._post_process()
        self._refund(self.source, 250)
        self._assert_total(250)

    def test_divided_in_one_currency(self):
        """The totals of the orders are compared in the currency of the payment."""
        currency = self.env["res.currency"].create(
            {
                "name": "XQQ",
                "symbol": "q",
                "rate_ids": [Command.create({"name": "2000-01-01", "rate": 4.0, "company_id": self.company.id})],
            }
        )
        pricelist = self.env["product.pricelist"].create({"name": "Abroad", "currency_id": currency.id})
        home, abroad = self._order(300), self._order(400, pricelist_id=pricelist.id)
        self._pay_online("done", 200, home | abroad)
        (home | abroad).action_confirm()
        home, abroad = home.sudo(), abroad.sudo()
        self.assertEqual((home.credit_received, abroad.credit_received), (150, 200))
        self.assertEqual((home.credit_uninvoiced, abroad.credit_uninvoiced), (150, 50))
        self._assert_uses(abroad, 50)
