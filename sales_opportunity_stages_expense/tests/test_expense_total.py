from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user

from .common import ExpenseCase


class TestExpenseTotal(ExpenseCase):
    """The total on an opportunity and on a quotation: what was approved, in the currency of the company, as far as the
    reader may see it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls._create_opportunity(partner_id=cls.customer.id)
        cls.quotation = cls._create_quotation(opportunity_id=cls.lead.id)
        cls.lead.collaborator_ids = cls.colleague
        cls.quotation.collaborator_ids = cls.colleague

    def _get_totals(self, user):
        self.env.flush_all()
        self.env.invalidate_all()
        lead, quotation = self.lead.with_user(user), self.quotation.with_user(user)
        return lead.expense_total, quotation.expense_total

    def test_nothing(self):
        self.assertEqual(self._get_totals(self.salesman), (0, 0))

    def test_expense_counts_from_its_approval(self):
        expense = self._spend(100, approve=False, quotation_id=self.quotation.id)
        self.assertEqual(self._get_totals(self.salesman), (0, 0))
        expense.action_submit()
        self.assertEqual(self._get_totals(self.salesman), (0, 0))
        expense.with_user(self.officer).action_approve()
        self.assertEqual(self._get_totals(self.salesman), (100, 100))
        self._spend(30, opportunity_id=self.lead.id)
        self._spend(7)
        self.assertEqual(self._get_totals(self.salesman), (130, 100), "the opportunity has it all")

    def test_refused_does_not_count(self):
        expense = self._spend(100, quotation_id=self.quotation.id)
        expense.with_user(self.officer)._do_refuse("No receipt")
        self.assertEqual(expense.state, "refused")
        self.assertEqual(self._get_totals(self.salesman), (0, 0))

    def test_everybody_sees_what_they_may_see(self):
        """The same opportunity, to each the expenses that they may read, and no sum that gives the others away."""
        self._spend(100, quotation_id=self.quotation.id)
        self._spend(30, user=self.colleague, quotation_id=self.quotation.id)
        self._spend(8, user=self.colleague, opportunity_id=self.lead.id)
        self.assertEqual(self._get_totals(self.salesman), (100, 100))
        self.assertEqual(self._get_totals(self.colleague), (38, 30))
        self.assertEqual(self._get_totals(self.supervisor), (0, 0), "sees all opportunities, and no expense")
        self.supervisor.group_ids += self.env.ref("hr_expense.group_hr_expense_user")
        self.assertEqual(self._get_totals(self.supervisor), (138, 130))
        for user, count in ((self.salesman, 1), (self.colleague, 2), (self.manager, 0)):
            self.env.invalidate_all()
            action = self.lead.with_user(user).action_view_expenses()
            self.assertEqual(self.env["hr.expense"].with_user(user).search_count(action["domain"]), count)
            self.assertEqual(len(self.lead.with_user(user).spent_expense_ids), count)

    def test_manager_of_the_employee(self):
        self._spend(30, user=self.colleague, opportunity_id=self.lead.id)
        self.colleague.employee_id.sudo().expense_manager_id = self.salesman
        self.assertEqual(self._get_totals(self.salesman)[0], 30)

    def test_list_and_documents(self):
        """The list has what does not count yet, too; the receipts are among the documents of the opportunity."""
        mine, theirs = self._spend(opportunity_id=self.lead.id, approve=False), self._spend(user=self.colleague)
        theirs.sudo().opportunity_id = self.lead
        receipts = self.env["ir.attachment"].create(
            [
                {
                    "name": f"{expense.employee_id.name}.txt",
                    "raw": b"x",
                    "res_model": "hr.expense",
                    "res_id": expense.id,
                }
                for expense in (mine, theirs)
            ]
        )
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.env["hr.expense"].search(self.lead.action_view_expenses()["domain"]), mine | theirs)
        self.assertEqual(self.lead.with_user(self.salesman).document_ids, receipts[0])
        self.env.invalidate_all()
        self.assertEqual(self.lead.with_user(self.colleague).document_ids, receipts[1])

    # ------------------------------------------------------------
    # Currencies and companies
    # ------------------------------------------------------------

    def _set_up_currency(self, rates):
        """A currency of which one of the company's is worth so many, from a date on."""
        return self.env["res.currency"].create(
            {
                "name": "XYZ",
                "symbol": "x",
                "rate_ids": [
                    Command.create({"name": date, "rate": rate, "company_id": False}) for date, rate in rates.items()
                ],
            }
        )

    def test_expense_in_another_currency(self):
        currency = self._set_up_currency({"2020-01-01": 2.0})
        self._spend(100, currency_id=currency.id, opportunity_id=self.lead.id)
        self._spend(7, opportunity_id=self.lead.id)
        self.assertEqual(self._get_totals(self.salesman)[0], 57)

    def test_expenses_of_several_companies(self):
        """An opportunity that belongs to none has them in the currency of the company in force, at the rate of the
        day; another company's do not show where that company is switched off."""
        currency = self._set_up_currency({"2020-01-01": 2.0, "2026-03-01": 4.0})
        there = self.env["res.company"].create({"name": "Elsewhere", "currency_id": currency.id})
        self.salesman.company_ids += there
        self.env["hr.employee"].create({"name": "Me there", "user_id": self.salesman.id, "company_id": there.id})
        lead = self.env["crm.lead"].create(
            {"name": "Both", "type": "opportunity", "company_id": False, "user_id": False, "team_id": False}
        )
        self._spend(10, opportunity_id=lead.id)
        for date, amount in (("2026-02-28", 100), ("2026-03-01", 100), (False, 0)):
            Expense = self.env["hr.expense"].with_user(self.salesman).with_company(there)
            expense = Expense.create(self._prepare_expense(amount, date=date, opportunity_id=lead.id))
            self.assertEqual(expense.company_id, there)
            expense.sudo().approval_state = "approved" if amount else False
        self.env.flush_all()
        self.env.invalidate_all()
        here = self.salesman.company_id
        for companies, total in (((here,), 10), ((here, there), 85), ((there,), 200)):
            allowed = [company.id for company in companies]
            reader = lead.with_user(self.salesman).with_context(allowed_company_ids=allowed)
            self.assertEqual(reader.expense_total, total, allowed)
            self.assertEqual(reader.expense_currency_id, companies[0].currency_id)

    def test_expense_without_a_date(self):
        self._spend(12, date=False, opportunity_id=self.lead.id)
        self.assertEqual(self._get_totals(self.salesman)[0], 12)

    # ------------------------------------------------------------
    # Speed
    # ------------------------------------------------------------

    def test_no_query_for_each_record(self):
        leads = self._create_opportunities(40, partner_id=self.customer.id)
        orders = self.env["sale.order"]
        for lead in leads[:20]:
            orders += self._create_quotation(opportunity_id=lead.id)
        self.env["hr.expense"].sudo().create(
            [
                self._prepare_expense(
                    index + 1,
                    quotation_id=order.id,
                    approval_state="approved",
                    employee_id=self.salesman.employee_id.id,
                )
                for index, order in enumerate(orders)
            ]
        )
        for records in (leads, orders):
            records = records.with_user(self.salesman)
            self.env.flush_all()
            self.env.invalidate_all()
            records.mapped("expense_total")  # what Odoo keeps between requests
            counts = []
            for some in (records[:2], records):
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                totals = some.mapped("expense_total")
                counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(counts[0], counts[1], "as many queries for many as for two")
            self.assertEqual(sum(totals), 210)
            records.mapped("company_id.currency_id")
            records.invalidate_recordset(["expense_total"])
            with self.assertQueryCount(1):
                records.mapped("expense_total")

    def test_linking_many_takes_no_query_for_each(self):
        def link(count):
            values = [self._prepare_expense(quotation_id=self.quotation.id) for _index in range(count)]
            expenses = self.env["hr.expense"].with_user(self.salesman).with_context(tracking_disable=True)
            expenses = expenses.create(values)
            self.env.flush_all()
            self.env.invalidate_all()
            other = self._create_opportunity("Other")
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            expenses.write({"quotation_id": False, "opportunity_id": other.id})
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        link(2)
        self.assertEqual(link(2), link(60))


class TestExpenseButton(ExpenseCase):
    """The button is visible to those who can read expenses: as Odoo has it every employee, and nobody on the portal."""

    def test_employees(self):
        for model in ("crm.lead", "sale.order"):
            view = self.env[model].with_user(self.salesman).get_views([(False, "form")])["views"]["form"]["arch"]
            self.assertEqual(view.count('name="action_view_expenses"'), 1)

    def test_portal(self):
        """A customer's own quotation has nothing of it, and is read as before."""
        portal = new_test_user(self.env, "sos_portal", groups="base.group_portal")
        quotation = self._create_quotation(partner_id=portal.partner_id.id)
        quotation.message_subscribe(portal.partner_id.ids)
        self._spend(quotation_id=quotation.id)
        quotation = quotation.with_user(portal)
        self.assertEqual(quotation.read(["name"])[0]["name"], quotation.name)
        for name in ("expense_total", "spent_expense_ids"):
            self.assertNotIn(name, quotation.fields_get())
            with self.assertRaises(AccessError):
                quotation.read([name])
        with self.assertRaises(AccessError):
            quotation.env["hr.expense"].search([("quotation_id", "=", quotation.id)])
