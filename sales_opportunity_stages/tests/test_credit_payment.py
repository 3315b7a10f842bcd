from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.account_payment.tests.common import AccountPaymentCommon

from .credit_common import CreditCase


@tagged("post_install", "-at_install")
class TestPaidOnline(CreditCase, AccountPaymentCommon):
    """Cash that was received for an order is not counted against it, and never twice."""

    def _transact(self, orders, amount, state="done"):
        return self._create_transaction(
            "direct",
            reference=f"{orders[0].name}-{amount}-{state}",
            amount=amount,
            currency_id=orders.currency_id.id,
            partner_id=orders.partner_id.id,
            sale_order_ids=[Command.set(orders.ids)],
            state=state,
        )

    def test_authorized_or_done(self):
        self._allow_authorization()
        for state in ("authorized", "done"):
            with self.subTest(state):
                order = self._order(1400)
                transaction = self._transact(order, 500, state)
                order.action_confirm()
                self.assertEqual((order.credit_received, order.credit_uninvoiced), (500, 900))
                transaction.sudo().state = "cancel"
                self.assertEqual(order.credit_uninvoiced, 1400)
                order.sudo()._action_cancel()

    def test_what_is_promised_does_not_count(self):
        for state in ("draft", "pending", "cancel", "error"):
            with self.subTest(state):
                order = self._order(1400)
                self._transact(order, 500, state)
                with self.assertRefused("credit limit of Holding is exceeded"):
                    order.action_confirm()

    def test_in_the_books_it_counts_there(self):
        order = self._order(1400)
        transaction = self._transact(order, 500)
        order.action_confirm()
        transaction._post_process()
        self.assertEqual(transaction.payment_id.move_id.state, "posted")
        exposure = self._get_exposure()
        self.assertEqual((order.credit_received, exposure.receivable, exposure.uninvoiced), (0, -500, 1400))
        self.assertEqual(exposure.total, 900)
        invoice = order.sudo()._create_invoices()
        invoice.action_post()
        self.assertEqual(self._get_exposure().total, 900)

    def test_for_several_orders_it_is_divided(self):
        orders = self._order(300) | self._order(100)
        self._transact(orders, 200)
        orders.action_confirm()
        self.assertEqual(orders.mapped("credit_uninvoiced"), [150, 50])

    def test_nobody_claims_a_payment(self):
        order = self._order(1400)
        with self.assertRefused("kept by the system", AccessError):
            order.with_user(self.salesman).write({"credit_received": 1400})
        with self.assertRefused("kept by the system", AccessError):
            self._order(1400, user=self.salesman, credit_received=1400)
