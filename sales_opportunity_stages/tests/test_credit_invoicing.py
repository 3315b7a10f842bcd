from odoo.exceptions import UserError

from .credit_desk_common import CreditDeskCase


class TestCreditAtInvoicing(CreditDeskCase):
    """An invoice that comes from no order, where the company checks those."""

    def test_not_checked(self):
        self._invoice(500)
        self.assertFalse(self._get_checks())

    def test_blocked(self):
        self.company.credit_check_invoice = "block"
        move = self._invoice(101, post=False)
        with self.assertRefused("the credit limit of Holding is exceeded by.*1.00"):
            move.action_post()
        self.assertEqual(move.state, "draft")
        move.invoice_line_ids.price_unit = 100
        move.action_post()
        check = self._get_checks()
        self.assertEqual(
            (check.result, check.origin, check.receivable, check.documents), ("passed", "invoice", 900, 100)
        )

    def test_a_batch_adds_up(self):
        self.company.credit_check_invoice = "block"
        moves = self._invoice(60, post=False) | self._invoice(60, post=False)
        with self.assertRefused("is exceeded by"):
            moves.action_post()
        moves[1].unlink()
        moves[0].action_post()

    def test_warned(self):
        self.company.credit_check_invoice = "warn"
        self._invoice(101)
        self.assertEqual(self._get_checks().result, "warned")

    def test_what_an_order_is_invoiced_for_passes(self):
        self.company.credit_check_invoice = "block"
        order = self._confirm(100)
        self.unit.credit_limit = 1
        order.sudo()._create_invoices().action_post()
        self.assertEqual(order.invoice_status, "invoiced")

    def test_credit_notes_pass(self):
        self.company.credit_check_invoice = "block"
        self.unit.credit_limit = 1
        self._invoice(10, move_type="out_refund")

    def test_the_lowest_permission(self):
        self.company.credit_check_invoice = "block"
        move = self._invoice(101, post=False)
        with self.assertRaises(UserError):
            move.with_user(self.accountant).action_post()
