from odoo.tests import HttpCase, tagged

from .common import ExpenseSetup


@tagged("post_install", "-at_install")
class TestExpenseTours(ExpenseSetup, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_expenses()

    def test_expense_of_an_opportunity(self):
        """A salesperson enters an expense from the opportunity; it is linked and still there after loading again."""
        customer = self.env["res.partner"].create({"name": "Tour Customer", "is_company": True})
        lead = self._create_opportunity("Tour Deal", partner_id=customer.id)
        url = f"/odoo/action-crm.crm_lead_action_pipeline/{lead.id}"
        self.start_tour(url, "sales_opportunity_stages_expense", login=self.salesman.login)
        expense = self.env["hr.expense"].search([("opportunity_id", "=", lead.id)])
        self.assertEqual((expense.name, expense.total_amount_currency), ("Tour dinner", 88))
        self.assertEqual((expense.customer_id, expense.employee_id), (customer, self.salesman.employee_id))
