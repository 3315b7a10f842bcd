from odoo.fields import Command
from odoo.tests import new_test_user

from .common import AppsCase


class TestReinvoicedExpense(AppsCase):
    """Needs ``sale_expense``. What was spent is charged to an order, and taken back when the expense is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.travel = cls.env["product.product"].create(
            {
                "name": "Travel",
                "can_be_expensed": True,
                "type": "service",
                "expense_policy": "cost",
                "invoice_policy": "order",
                "standard_price": 0,
                "taxes_id": [Command.clear()],
                "supplier_taxes_id": [Command.clear()],
            }
        )
        cls.bookkeeper = new_test_user(
            cls.env,
            "sos_bookkeeper",
            groups="account.group_account_manager,hr_expense.group_hr_expense_manager,analytic.group_analytic_accounting",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.traveller = cls.env["hr.employee"].create(
            {
                "name": "Traveller",
                "company_id": cls.company.id,
                "work_contact_id": cls.env["res.partner"].create({"name": "Traveller"}).id,
            }
        )

    def _spend(self, order, amount):
        expense = self.env["hr.expense"].create(
            {
                "name": "Train",
                "employee_id": self.traveller.id,
                "company_id": self.company.id,
                "product_id": self.travel.id,
                "total_amount_currency": amount,
                "payment_mode": "own_account",
                "sale_order_id": order.id,
            }
        )
        expense.action_submit()
        expense.action_approve()
        action = expense.with_user(self.bookkeeper).action_post()
        wizard = self.env["hr.expense.post.wizard"].with_user(self.bookkeeper).with_context(**action["context"])
        wizard.browse(action["res_id"]).action_post_entry()
        return expense

    def test_charged_and_taken_back(self):
        """An accountant posts it on an approved order at full credit, and resets it: neither is refused."""
        order = self._confirmed()
        self.unit.credit_limit = 500
        expense = self._spend(order, 120)
        line = order.order_line.filtered(lambda each: each.product_id == self.travel)
        self.assertEqual((line.product_uom_qty, order.amount_total), (1, 620))
        self.assertEqual(self._get_results(order), ["passed", "warned"])
        expense.account_move_id.with_user(self.bookkeeper).button_draft()
        self.assertEqual((line.product_uom_qty, order.amount_total), (0, 500))
        self.assertEqual(order.approval_state, "approved")
        self.assertIn("Added by another application after the approval", self._get_notes(order))
