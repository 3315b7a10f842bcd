from odoo.exceptions import AccessError
from odoo.tests import Form

from .common import ExpenseCase


class TestExpenseAccess(ExpenseCase):
    """Whoever could work with an expense before can go on, without access to opportunities or quotations."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls._create_opportunity("Secret line", partner_id=cls.customer.id)
        cls.quotation = cls._create_quotation(opportunity_id=cls.lead.id)
        cls.expense = cls._spend(user=cls.employee, approve=False)
        cls.expense.sudo().quotation_id = cls.quotation
        cls.env.flush_all()
        cls.env.invalidate_all()

    def _get_specification(self, user, view_type):
        view = self.env["hr.expense"].with_user(user).get_views([(False, view_type)])
        return view["views"][view_type]["arch"], {
            name: {"fields": {"display_name": {}}} if field["type"] == "many2one" else {}
            for name, field in view["models"]["hr.expense"]["fields"].items()
        }

    def test_no_access_to_sales(self):
        for user in (self.employee, self.officer):
            for record in (self.lead, self.quotation):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    record.with_user(user).read(["name"])

    def test_open(self):
        """They see what it was spent on by name, and cannot open or change it."""
        for user in (self.employee, self.officer):
            for view_type in ("form", "list"):
                arch, specification = self._get_specification(user, view_type)
                self.env.invalidate_all()
                values = self.expense.with_user(user).web_read(specification)[0]
                self.assertEqual(values["opportunity_id"]["display_name"], "Secret line")
                self.assertEqual(values["quotation_id"]["id"], self.quotation.id)
                self.assertEqual(arch.count('name="opportunity_id"'), 1)
            expense = self.expense.with_user(user)
            expense.read()
            with Form(expense) as form:
                with self.assertRaises(AssertionError):
                    form.opportunity_id = self.env["crm.lead"]
                form.name = f"Seen by {user.login}"
            self.assertEqual(expense.name, f"Seen by {user.login}")
            self.assertEqual(self._get_links(expense), (self.lead, self.quotation, self.customer))

    def test_work(self):
        """Group, submit, approve, take off."""
        expense, by_officer = self.expense, self.expense.with_user(self.officer)
        for who in (expense, by_officer):
            mine = [("id", "=", expense.id)]
            groups = who.formatted_read_group(mine, ["opportunity_id", "quotation_id"], ["total_amount:sum"])
            self.assertEqual([group["opportunity_id"][1] for group in groups], ["Secret line"])
        self._approve(expense)
        self.assertEqual(expense.state, "approved")
        by_officer.write({"quotation_id": False, "opportunity_id": False})
        self.assertEqual(self._get_links(expense)[:2], (self.env["crm.lead"], self.env["sale.order"]))

    def test_search_view(self):
        """It offers a search by what one could not look up only to salespeople, and grouping to everybody."""
        for user, offered in ((self.employee, 0), (self.officer, 0), (self.salesman, 1)):
            arch = self.env["hr.expense"].with_user(user).get_views([(False, "search")])["views"]["search"]["arch"]
            for name in ("opportunity_id", "quotation_id"):
                self.assertEqual(arch.count(f'<field name="{name}"'), offered, user.login)
            self.assertIn("{'group_by': 'opportunity_id'}", arch)

    def test_search_shows_no_more_than_the_name(self):
        """Conditions on an opportunity find nothing for whoever may not read it."""
        Expense = self.env["hr.expense"].with_user(self.employee)
        self.assertTrue(Expense.search([("id", "=", self.expense.id), ("opportunity_id", "!=", False)]))
        with self.assertRaises(AccessError):
            Expense.search([("opportunity_id.expected_revenue", ">=", 0)])

    def test_salesperson_without_access_to_this_one(self):
        expense = self._spend(user=self.colleague, approve=False)
        expense.sudo().opportunity_id = self.lead
        _arch, specification = self._get_specification(self.colleague, "form")
        self.env.invalidate_all()
        with Form(expense) as form:
            form.name = "Still mine"
        self.assertEqual(expense.web_read(specification)[0]["opportunity_id"]["display_name"], "Secret line")
        self.assertFalse(
            self.env["hr.expense"].with_user(self.colleague).search([("opportunity_id.name", "=", "Secret line")])
        )
