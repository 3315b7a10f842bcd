from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import freeze_time

from .credit_desk_common import CreditDeskCase


class TestPolicyLab(CreditDeskCase):
    """Another limit, term, tolerance or control, on the confirmations of the last 12 months."""

    def setUp(self):
        super().setUp()
        self._pay(self.debt, 900)
        self.paid, self.late, self.unpaid, self.open = (self._confirm(amount) for amount in (100, 200, 300, 50))
        for order, due, paid in (
            (self.paid, self.today, self.today),
            (self.late, self.today - timedelta(days=9), self.today),
            (self.unpaid, self.today - timedelta(days=5), None),
        ):
            move = order.sudo()._create_invoices()
            move.write({"invoice_payment_term_id": False, "invoice_date_due": due, "invoice_date": due})
            move.action_post()
            if paid:
                self._pay(move, move.amount_residual)

    def _try(self, user=None, **values):
        values = {"unit_id": self.unit.id, "with_history": True, "credit_limit": 0, "credit_term_days": 0, **values}
        return self.env["sale.credit.dry.run"].with_user(user or self.credit_manager).create(values)

    def _read(self, lab):
        outcomes = ("stopped_on_time_count", "stopped_late_count", "stopped_unpaid_count", "stopped_open_count")
        return lab.replay_count, lab.stopped_count, *(lab[name] for name in outcomes)

    def test_limits(self):
        self.assertEqual(self._read(self._try()), (4, 0, 0, 0, 0, 0))
        self.assertEqual(self._read(self._try(credit_limit=650)), (4, 0, 0, 0, 0, 0))
        lab = self._try(credit_limit=299)
        self.assertEqual(self._read(lab), (4, 3, 0, 1, 1, 1))
        self.assertEqual(lab.stopped_amount, 550)

    def test_control(self):
        self.assertEqual(self._read(self._try(credit_control="stop")), (4, 4, 1, 1, 1, 1))
        self.assertEqual(self._read(self._try(credit_control="cash"))[1], 4)

    def test_term_and_tolerance(self):
        """An order of tomorrow, while 300 are late."""
        with freeze_time(self.today + timedelta(days=1)):
            order = self._confirm(10)
            order.sudo().date_order = fields.Datetime.now()
        with freeze_time(self.today + timedelta(days=2)):
            self.assertEqual(self._read(self._try(credit_term_days=5))[:2], (5, 1))
            self.assertEqual(self._read(self._try(credit_term_days=6))[:2], (5, 0))
            self.assertEqual(self._read(self._try(credit_term_days=5, credit_tolerance=300))[:2], (5, 0))

    def test_of_all_units(self):
        self._confirm(70, self.free)
        lab = self._try(unit_id=False, for_all=True, credit_limit=60)
        self.assertGreaterEqual(lab.replay_count, 5)
        self.assertGreaterEqual(lab.stopped_count, 5)

    def test_where_no_decision_was_logged(self):
        """A unit without a limit has no decisions: what was owed is worked out from the documents."""
        first, second = self._confirm(70, self.free), self._confirm(80, self.free)
        first.sudo().date_order = fields.Datetime.now() - timedelta(days=3)
        second.sudo().date_order = fields.Datetime.now() - timedelta(days=2)
        self.assertFalse(self._get_checks(self.free))
        lab = self._try(unit_id=self.free.id, credit_limit=149)
        self.assertEqual(lab.stopped_order_ids.ids, [])  # a credit manager reads no orders
        self.assertEqual((lab.replay_count, lab.stopped_count, lab.stopped_amount), (2, 1, 80))
        self.assertEqual(self._try(unit_id=self.free.id, credit_limit=150).stopped_count, 0)

    def test_who_may(self):
        for user in (self.salesman, self.manager):
            with self.assertRaises(AccessError):
                self._try(user=user)
