from datetime import timedelta

from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.tools import mute_logger

from .credit_common import CreditCase


class TestMatching(CreditCase):
    """What is received and not matched settles the oldest items before the term is checked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.unit.write({"credit_limit": 0, "credit_term_days": 30})
        cls.today = fields.Date.today()

    def _invoice_ago(self, days, amount, partner=None):
        return self._invoice(amount, partner, date=self.today - timedelta(days=days))

    def _receive(self, amount, partner=None):
        """A bank transfer that nobody has matched."""
        payment = self.env["account.payment"].create(
            {
                "partner_id": (partner or self.customer).id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "journal_id": self.company_data["default_journal_bank"].id,
                "amount": amount,
            }
        )
        payment.action_post()
        return payment

    def test_a_customer_who_owes_nothing_is_not_late(self):
        self._invoice_ago(331, 500)
        with self.assertRefused("Holding is 301 days late"):
            self._confirm(10)
        self._receive(500)
        self.assertEqual(self.unit.credit_overdue_days, 0)
        self._confirm(10)

    def test_the_oldest_first(self):
        self._invoice_ago(100, 500)
        self._invoice_ago(60, 200)
        self._receive(500)
        with self.assertRefused("Holding is 30 days late"):
            self._confirm(10)
        self._receive(200)
        self._confirm(10)

    def test_in_part(self):
        self._invoice_ago(100, 500)
        self._receive(499.99)
        with self.assertRefused("Holding is 70 days late"):
            self._confirm(10)

    def test_a_credit_note_settles(self):
        self._invoice_ago(100, 500)
        self._invoice(500, move_type="out_refund")
        self._confirm(10)

    def test_within_the_unit(self):
        """The unit pays for its members."""
        self._invoice_ago(100, 500, self.member)
        self._receive(500, self.unit)
        self._confirm(10)

    def test_what_is_matched_settles_nothing_else(self):
        invoice = self._invoice_ago(100, 500)
        other = self._invoice_ago(50, 500)
        self._pay(other, 500)
        with self.assertRefused("70 days late"):
            self._confirm(10)
        self._pay(invoice, 500)
        self._confirm(10)

    def test_in_advance_by_bank_transfer(self):
        """More than the order: it passes the limit and the term."""
        self.unit.credit_limit = 500
        self._invoice_ago(100, 300)
        self._receive(2000)
        self._confirm(1900)
        with self.assertRefused("limit of Holding is exceeded"):
            self._confirm(600)

    def test_said_in_the_decision(self):
        first, second = self._invoice_ago(100, 500), self._invoice_ago(60, 200)
        young = self._invoice_ago(10, 50)
        self._confirm(10, self.free)
        self._receive(500)
        order = self._order(10).with_env(self.env)
        with self.assertRefused("30 days late") as refusal:
            order.action_confirm()
        self.assertIn(second.name, str(refusal.exception))
        self.assertNotIn(first.name, str(refusal.exception))
        self._receive(200)
        self._confirm(10)
        settled = self._get_checks()[-1].settled_items
        self.assertIn(first.name, settled)
        self.assertIn(second.name, settled)
        self.assertNotIn(young.name, settled)
        self.assertEqual(self._get_checks()[-1].result, "passed")

    def test_nothing_is_said_where_nothing_is_late(self):
        self._invoice_ago(10, 500)
        self._receive(100)
        self._confirm(10)
        self.assertFalse(self._get_checks().settled_items)

    def test_tolerance(self):
        self._invoice_ago(100, 0.01)
        with self.assertRefused("70 days late"):
            self._confirm(10)
        self.company.credit_tolerance = 5
        self._confirm(10)
        self._invoice_ago(60, 4.99)
        self._confirm(10)
        self._invoice_ago(50, 0.01)
        with self.assertRefused("20 days late"):
            self._confirm(10)
        self.assertEqual(self.unit.credit_overdue_days, 20)

    def test_the_tolerance_is_of_what_is_overdue(self):
        self.company.credit_tolerance = 5
        self._invoice_ago(100, 4)
        self._invoice_ago(10, 1000)
        self._confirm(10)

    def test_the_tolerance_is_never_negative(self):
        with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation), self.env.cr.savepoint():
            self.company.credit_tolerance = -1
            self.env.flush_all()


class TestDrafts(CreditCase):
    """A draft invoice counts line by line, unless a confirmed order still carries the line."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.account_use_credit_limit = False

    def _assert_drafts(self, amount, total=None):
        exposure = self._get_exposure()
        self.assertEqual(round(exposure.draft_invoiced, 2), amount)
        if total is not None:
            self.assertEqual(round(exposure.total, 2), total)
        drafts = self.env["account.move"].search(self.unit._get_credit_document_domain("account.move"))
        self.assertEqual(sum(drafts.mapped("credit_draft_invoiced")), amount)
        self.assertTrue(all(drafts.mapped("credit_draft_invoiced")))

    def _add_charge(self, invoice, amount):
        line = {"product_id": self.other_product.id, "quantity": 1, "price_unit": amount, "tax_ids": False}
        invoice.invoice_line_ids = [fields.Command.create(line)]

    def test_of_an_order(self):
        order = self._confirm(900).sudo()
        order._create_invoices()
        self._assert_drafts(0, total=900)

    def test_reset_to_draft_after_the_order_is_cancelled(self):
        order = self._confirm(900).sudo()
        invoice = order._create_invoices()
        invoice.action_post()
        invoice.button_draft()
        self._assert_drafts(0, total=900)
        invoice.action_post()
        order._action_cancel()
        self.assertEqual(self._get_exposure().total, 900)
        invoice.button_draft()
        self._assert_drafts(900, total=900)

    def test_a_charge_on_the_draft_of_an_order(self):
        invoice = self._confirm(900).sudo()._create_invoices()
        self._add_charge(invoice, 250)
        self._assert_drafts(250, total=1150)
        invoice.action_post()
        self._assert_drafts(0, total=1150)

    def test_a_price_raised_on_the_draft(self):
        invoice = self._confirm(900).sudo()._create_invoices()
        invoice.invoice_line_ids.price_unit = 1000
        self._assert_drafts(100, total=1000)

    def test_more_on_the_draft_than_ordered(self):
        invoice = self._confirm(900).sudo()._create_invoices()
        invoice.invoice_line_ids.quantity = 2
        self._assert_drafts(900, total=1800)

    def test_less_on_the_draft_than_ordered(self):
        invoice = self._confirm(900).sudo()._create_invoices()
        invoice.invoice_line_ids.price_unit = 100
        self._assert_drafts(0, total=900)

    def test_twice_on_drafts(self):
        order = self._confirm(900).sudo()
        invoice = order._create_invoices()
        copy = invoice.copy()
        copy.invoice_line_ids.sale_line_ids = order.order_line
        self._assert_drafts(900, total=1800)

    def test_invoiced_already(self):
        order = self._confirm(900).sudo()
        invoice = order._create_invoices()
        copy = invoice.copy()
        copy.invoice_line_ids.sale_line_ids = order.order_line
        invoice.action_post()
        self._assert_drafts(900, total=1800)

    def test_down_payment(self):
        order = self._confirm(900).sudo()
        wizard = self.env["sale.advance.payment.inv"].with_context(active_model="sale.order", active_ids=order.ids)
        wizard.create({"advance_payment_method": "fixed", "fixed_amount": 500}).create_invoices()
        self._assert_drafts(0, total=900)
        order.invoice_ids.action_post()
        final = order._create_invoices(final=True)
        self._assert_drafts(0, total=900)
        self._add_charge(final, 30)
        self._assert_drafts(30, total=930)

    def test_in_another_currency(self):
        currency = self.env["res.currency"].create(
            {
                "name": "XQQ",
                "symbol": "q",
                "rate_ids": [fields.Command.create({"name": "2000-01-01", "rate": 3.0, "company_id": self.company.id})],
            }
        )
        pricelist = self.env["product.pricelist"].create({"name": "Abroad", "currency_id": currency.id})
        invoice = self._confirm(1000, pricelist_id=pricelist.id).sudo()._create_invoices()
        self._assert_drafts(0, total=333.33)
        self._add_charge(invoice, 100)
        self._assert_drafts(33.33)

    def test_by_whom_it_is_read(self):
        invoice = self._confirm(900).sudo()._create_invoices()
        self._add_charge(invoice, 250)
        action = self.unit.with_user(self.accountant).action_view_credit_draft_invoiced()
        found = self.env["account.move"].with_user(self.accountant).search(action["domain"])
        self.assertEqual((found, found.credit_draft_invoiced), (invoice, 250))
        for action in (
            self.unit.action_view_credit_receivable(),
            self.unit.action_view_credit_uninvoiced(),
            self.unit.action_view_credit_draft_invoiced(),
        ):
            view_id, kind = action["views"][0]
            self.env[action["res_model"]].with_user(self.accountant).get_view(view_id, kind)
