from datetime import timedelta

from odoo import fields
from odoo.tests import freeze_time

from .credit_desk_common import CreditDeskCase

SIGNATURE = b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


class TestRecheck(CreditDeskCase):
    """What is on hold and would pass now is told to the salesperson."""

    def setUp(self):
        super().setUp()
        self.order = self._order(300)
        self.order.action_credit_check()

    def _assert_told(self, order=None):
        order = (order or self.order).sudo()
        self.assertFalse(order.on_credit_hold)
        messages = order.message_ids.filtered(lambda message: "Credit allows this quotation now" in message.body)
        self.assertEqual(messages.notified_partner_ids, self.salesman.partner_id)

    def test_payment(self):
        self._pay(self.debt, 500)
        self._assert_told()

    def test_a_payment_that_is_not_enough(self):
        self._pay(self.debt, 100)
        self.assertTrue(self.order.on_credit_hold)

    def test_credit_note(self):
        self._invoice(500, move_type="out_refund")
        self._assert_told()

    def test_limit(self):
        self.unit.with_user(self.credit_manager).credit_limit = 1200
        self._assert_told()

    def test_grant(self):
        self._grant(200)
        self._assert_told()

    def test_cancellation(self):
        other = self._confirm(100)
        self._pay(self.debt, 200)
        self.assertTrue(self.order.on_credit_hold)
        other._action_cancel()
        self._assert_told()

    def test_rest_closed(self):
        other = self._confirm(100)
        self._pay(self.debt, 200)
        other.action_close_rest("x")
        self._assert_told()

    def test_nightly(self):
        self._grant(200, date_from=self.tomorrow)
        self.assertTrue(self.order.on_credit_hold)
        with freeze_time(self.tomorrow):
            self.env["sale.order"]._cron_recheck_credit()
        self._assert_told()

    def test_a_request_that_is_not_needed_lapses(self):
        request = self._request(self.order)
        self._grant(200)
        self.assertEqual(request.state, "lapsed")

    def test_accepted_is_confirmed_where_the_company_wants_it(self):
        signed = self._order(250, require_signature=True)
        signed.sudo().write({"signature": SIGNATURE, "signed_by": "Ann", "signed_on": fields.Datetime.now()})
        signed.sudo()._keep_acceptance(lambda orders: orders.action_confirm())
        signed.action_credit_check()
        self.company.credit_auto_confirm = True
        self._grant(150)
        self.assertEqual((signed.state, self.order.state), ("sale", "draft"))

    def test_accepted_is_not_confirmed_otherwise(self):
        self.order.sudo().write({"signature": SIGNATURE, "signed_by": "Ann"})
        self._grant(200)
        self.assertEqual(self.order.state, "draft")
        self._assert_told()

    def test_without_anything_on_hold_nothing_is_looked_at(self):
        self.order._action_cancel()
        self.env.flush_all()
        self.unit._get_credit_unit()
        with self.assertQueryCount(1):
            self.unit._recheck_credit_holds()


class TestProjection(CreditDeskCase):
    """When an order can be confirmed."""

    def _pay_late(self, days, amount=10):
        due = self.today - timedelta(days=60 + days)
        invoice = self._invoice(amount, date=due, invoice_date_due=due)
        with freeze_time(self.today - timedelta(days=60)):
            self._pay(invoice, amount)

    def test_rows(self):
        rows = self.unit._get_credit_projection(300)
        self.assertEqual(
            [(day, available) for day, available, _document in rows], [(self.today, 100), (self.today, 1000)]
        )
        self.assertEqual(rows[1][2], self.debt)
        self.assertEqual(len(self.unit._get_credit_projection(100)), 1)

    def test_usual_delay(self):
        for days in (4, 6, 8):
            self._pay_late(days)
        rows = self.unit._get_credit_projection(300)
        self.assertEqual(rows[-1][:2], (self.today + timedelta(days=6), 1000))
        warning = self._order(300).partner_credit_warning
        self.assertIn("rests on 3 payments", warning)
        self.assertNotIn("uncertain", warning)

    def test_honest_on_little(self):
        self.assertIn("No payment of the last 12 months", self._order(300).partner_credit_warning)
        self._pay_late(5)
        self.assertIn("This is uncertain", self._order(300).partner_credit_warning)

    def test_later_than_usual_is_not_foreseen(self):
        with freeze_time(self.today + timedelta(days=3)):
            self.assertEqual(len(self.unit._get_credit_projection(300)), 1)
            self.assertIn("No date can be foreseen", self._order(300).partner_credit_warning)

    def test_orders_by_their_delivery(self):
        self._pay(self.debt, 900)
        order = self._confirm(800, commitment_date=fields.Datetime.now() + timedelta(days=20))
        rows = self.unit._get_credit_projection(300)
        self.assertEqual(rows[-1], (self.today + timedelta(days=20), 1000, order.sudo()))

    def test_documents_only_for_who_may_read_them(self):
        order = self._order(300)
        self.assertIn(f"It fits today if this is paid: {self.debt.name}", self._read_as(order, self.env.user))
        self.assertNotIn(self.debt.name, self._read_as(order, self.salesman))

    def _read_as(self, order, user):
        self.env.invalidate_all()
        return order.with_user(user).partner_credit_warning

    def test_an_ending_grant(self):
        self._grant(100)
        rows = self.unit._get_credit_projection()
        self.assertIn((self.tomorrow + timedelta(days=1), 1000), [row[:2] for row in rows])

    def test_without_a_limit(self):
        self.assertEqual(self.free._get_credit_projection(5), [])
