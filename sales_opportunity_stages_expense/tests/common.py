from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tests.common import TransactionCase

from odoo.addons.sales_opportunity_stages.tests.quotation_common import QuotationSetup


class ExpenseSetup(QuotationSetup):
    """Salespeople who are employees, one who is nothing else, and who approves their expenses.

    ============ ================================= ==================================
    user         is                                sees of expenses
    ============ ================================= ==================================
    salesman     a salesperson, own documents only their own
    colleague    the same                          their own
    supervisor   a salesperson, all documents      none: no employee
    employee     nothing but an employee           their own
    officer      approver of all expenses          all; no opportunity, no quotation
    ============ ================================= ==================================
    """

    @classmethod
    def _set_up_expenses(cls):
        cls._set_up_quotations()
        kwargs = {"context": {"no_reset_password": True}}
        cls.officer = new_test_user(cls.env, "sos_officer", groups="hr_expense.group_hr_expense_user", **kwargs)
        cls.env["hr.employee"].create(
            [
                {"name": user.name, "user_id": user.id, "expense_manager_id": cls.officer.id}
                for user in (cls.salesman, cls.colleague, cls.employee)
            ]
        )
        cls.meals, cls.travel = cls.env["product.product"].create(
            [
                {
                    "name": name,
                    "type": "service",
                    "can_be_expensed": True,
                    "expense_policy": policy,
                    "supplier_taxes_id": [Command.clear()],
                    "taxes_id": [Command.clear()],
                }
                for name, policy in (("Meals", "no"), ("Travel", "cost"))
            ]
        )

    @classmethod
    def _prepare_expense(cls, amount=100.0, **values):
        return {"name": "Dinner", "product_id": cls.meals.id, "total_amount_currency": amount, **values}

    @classmethod
    def _spend(cls, amount=100.0, user=None, approve=True, **values):
        """An expense of the salesman or another user, which the officer has approved."""
        expense = cls.env["hr.expense"].with_user(user or cls.salesman).create(cls._prepare_expense(amount, **values))
        if approve:
            cls._approve(expense)
        return expense

    @classmethod
    def _approve(cls, expense):
        expense.action_submit()
        expense.with_user(cls.officer).action_approve()

    def _get_links(self, expense):
        self.env.flush_all()
        expense = expense.sudo()
        return expense.opportunity_id, expense.quotation_id, expense.customer_id


@tagged("post_install", "-at_install")
class ExpenseCase(ExpenseSetup, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_expenses()
