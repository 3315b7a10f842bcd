from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.hr_expense.tests.common import TestExpenseCommon


@tagged("post_install", "-at_install")
class TestExpensePosting(TestExpenseCommon):
    """Through the books: posted, paid and re-invoiced."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref("sales_team.group_sale_manager")
        cls.lead = cls.env["crm.lead"].create(
            {"name": "Acme line 3", "type": "opportunity", "partner_id": cls.partner_a.id}
        )
        cls.quotation = cls.env["sale.order"].create({"partner_id": cls.partner_a.id, "opportunity_id": cls.lead.id})
        cls.product_c.expense_policy = "cost"

    def _approve(self, **values):
        expense = self.create_expenses({"quotation_id": self.quotation.id, **values})
        expense.action_submit()
        expense.action_approve()
        return expense

    def test_posted_and_paid_count(self):
        expense = self._approve()
        self.assertEqual(self.quotation.expense_total, 1000)
        self.post_expenses_with_wizard(expense)
        self.assertEqual((expense.state, self.quotation.expense_total), ("posted", 1000))
        self.get_new_payment(expense, expense.total_amount)
        self.assertIn(expense.state, ("in_payment", "paid"))
        self.assertEqual((self.quotation.expense_total, self.lead.expense_total), (1000, 1000))
        self._approve(payment_mode="company_account", total_amount_currency=500)
        self.assertEqual(self.lead.expense_total, 1500)

    def test_quotation_does_not_hold_up_the_employee(self):
        """Odoo refuses to post what is to be re-invoiced on a quotation. What was spent on one is paid back."""
        expense = self._approve()
        self.assertFalse(expense.sale_order_id)
        self.post_expenses_with_wizard(expense)
        self.assertEqual(expense.state, "posted")
        self.assertFalse(self.quotation.order_line)
        reinvoiced = self._approve(sale_order_id=self.quotation.id, total_amount_currency=500)
        with self.assertRaisesRegex(UserError, "must be validated"):
            self.post_expenses_with_wizard(reinvoiced)

    def test_reinvoiced_on_an_order(self):
        self.quotation.order_line = [fields.Command.create({"product_id": self.product_a.id})]
        self.quotation.action_confirm()
        context = self.quotation.action_view_expenses()["context"]
        expense = self._approve(
            **{key.removeprefix("default_"): value for key, value in context.items() if key.startswith("default_")}
        )
        self.post_expenses_with_wizard(expense)
        self.assertEqual(self.quotation.order_line.expense_ids, expense)
        self.assertEqual((self.quotation.expense_count, self.quotation.expense_total), (1, 1000))

    def test_delete_the_opportunity_of_a_posted_expense(self):
        expense = self._approve()
        self.post_expenses_with_wizard(expense)
        move = expense.account_move_id
        self.lead.unlink()
        self.env.invalidate_all()
        self.assertEqual((expense.exists().state, expense.account_move_id), ("posted", move))
        self.assertFalse(expense.opportunity_id)
