from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form

from .common import ExpenseCase


class TestExpenseLink(ExpenseCase):
    """What an expense was spent on: filled in, followed and guarded, by whatever way it comes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nobody = cls.env["res.partner"]
        cls.no_order = cls.env["sale.order"]
        cls.lead = cls._create_opportunity(partner_id=cls.customer.id)
        cls.quotation = cls._create_quotation(opportunity_id=cls.lead.id)
        cls.order = cls._create_quotation(opportunity_id=cls.lead.id)
        cls.order.action_confirm()
        cls.foreign_lead = cls._create_opportunity("Theirs", user=cls.colleague, user_id=cls.colleague.id)
        cls.foreign_order = cls._create_quotation(user=cls.colleague, opportunity_id=cls.foreign_lead.id)
        cls.foreign_order.action_confirm()

    def _create_from(self, record, category=None):
        """As the web client does from the smart button: New, a category and an amount."""
        action = record.with_user(self.salesman).action_view_expenses()
        model = self.env[action["res_model"]].with_user(self.salesman).with_context(**action["context"])
        with Form(model) as form:
            form.name = "Dinner"
            form.product_id = category or self.meals
            form.total_amount_currency = 50
        expense = form.record
        self.assertIn(expense, self.env["hr.expense"].search(action["domain"]), "it is in the list that it came from")
        return expense

    # ------------------------------------------------------------
    # Filled in
    # ------------------------------------------------------------

    def test_from_an_opportunity(self):
        expense = self._create_from(self.lead)
        self.assertEqual(self._get_links(expense), (self.lead, self.no_order, self.customer))
        self.assertEqual(expense.employee_id.user_id, self.salesman)

    def test_from_a_quotation(self):
        """Whether its category is re-invoiced or not. That it is cannot hold up paying it back: see below."""
        for category in (self.meals, self.travel):
            expense = self._create_from(self.quotation, category)
            self.assertEqual(self._get_links(expense), (self.lead, self.quotation, self.customer))
            self.assertFalse(expense.sale_order_id)

    def test_from_an_order(self):
        """What Odoo re-invoices is also given the order to re-invoice on; the other is not, and keeps its link."""
        for category, reinvoiced_on in ((self.meals, self.no_order), (self.travel, self.order)):
            expense = self._create_from(self.order, category)
            self.assertEqual(self._get_links(expense), (self.lead, self.order, self.customer))
            self.assertEqual(expense.sale_order_id, reinvoiced_on)

    def test_from_a_quotation_without_an_opportunity(self):
        expense = self._create_from(self._create_quotation())
        self.assertEqual(self._get_links(expense)[::2], (self.env["crm.lead"], self.customer))

    def test_form_shows_at_once_what_follows(self):
        with Form(self.env["hr.expense"].with_user(self.salesman)) as form:
            form.name, form.product_id, form.total_amount_currency = "Taxi", self.meals, 5
            form.quotation_id = self.quotation
            self.assertEqual((form.opportunity_id, form.customer_id), (self.lead, self.customer))
            form.quotation_id = self.no_order
            self.assertEqual(form.opportunity_id, self.lead, "it stays until another one is chosen")

    def test_customer_typed_in(self):
        """Where nothing else says whom it was for."""
        expense = self._spend(approve=False, customer_id=self.stranger.id)
        self.assertEqual(expense.customer_id, self.stranger)
        expense.opportunity_id = self._create_opportunity()
        self.assertEqual(expense.customer_id, self.stranger, "the opportunity has none")
        expense.opportunity_id = self.lead
        self.assertEqual(expense.customer_id, self.customer)

    # ------------------------------------------------------------
    # Followed
    # ------------------------------------------------------------

    def test_customer_follows(self):
        expense, quoted = self._spend(opportunity_id=self.lead.id), self._spend(quotation_id=self.quotation.id)
        self.lead.partner_id = self.stranger
        self.assertEqual((expense | quoted).mapped("customer_id"), self.stranger | self.customer)
        self.quotation.partner_id = self.stranger
        self.assertEqual(quoted.customer_id, self.stranger)

    def test_opportunity_follows_the_quotation(self):
        """Also of an expense that nobody may edit any more."""
        expense = self._spend(quotation_id=self.quotation.id)
        other = self._create_opportunity()
        self.quotation.opportunity_id = other
        self.assertEqual(self._get_links(expense)[0], other)
        self.quotation.with_user(self.manager).opportunity_id = False
        self.assertEqual(self._get_links(expense)[0], other, "money does not get lost on the way")

    def test_opportunity_is_that_of_the_quotation(self):
        other = self._create_opportunity("Other")
        expense = self._spend(approve=False, quotation_id=self.quotation.id)
        pattern = f"'Dinner' was spent on {self.quotation.name}, which is for the opportunity 'Acme line 3': choose"
        with self.assertRefused(pattern, ValidationError):
            expense.opportunity_id = other
        self.env.invalidate_all()
        with self.assertRefused(pattern, ValidationError):
            expense.opportunity_id = False
        self.env.invalidate_all()
        with self.assertRefused(pattern, ValidationError):
            self._spend(quotation_id=self.quotation.id, opportunity_id=other.id)
        expense.write({"quotation_id": False, "opportunity_id": other.id})
        self.assertEqual(self._get_links(expense)[:2], (other, self.no_order))

    def test_what_is_reinvoiced_on_an_order_was_spent_on_it(self):
        """Odoo's own way of linking counts, where it was not said otherwise."""
        reinvoiced = {"product_id": self.travel.id, "sale_order_id": self.order.id}
        self.assertEqual(self._get_links(self._spend(approve=False, **reinvoiced))[:2], (self.lead, self.order))
        later = self._spend(approve=False, product_id=self.travel.id)
        later.sale_order_id = self.order
        self.assertEqual(self._get_links(later)[:2], (self.lead, self.order))
        by_context = self.env["hr.expense"].with_user(self.salesman).with_context(default_sale_order_id=self.order.id)
        self.assertEqual(by_context.create(self._prepare_expense(product_id=self.travel.id)).quotation_id, self.order)
        same = self._spend(approve=False, opportunity_id=self.lead.id, **reinvoiced)
        self.assertEqual(same.quotation_id, self.order)
        other = self._create_opportunity("Other")
        elsewhere = self._spend(approve=False, opportunity_id=other.id, **reinvoiced)
        self.assertEqual(self._get_links(elsewhere)[:2], (other, self.no_order))
        on_quotation = self._spend(approve=False, quotation_id=self.quotation.id, **reinvoiced)
        self.assertEqual(on_quotation.quotation_id, self.quotation)
        on_quotation.sale_order_id = False
        self.assertEqual(on_quotation.quotation_id, self.quotation, "not re-invoiced, but spent all the same")

    def test_what_is_reinvoiced_on_an_unknown_order(self):
        """Odoo lets it be; what that order is for does not come out by it."""
        for values in ({"sale_order_id": self.foreign_order.id}, {}):
            expense = self._spend(approve=False, product_id=self.travel.id, **values)
            expense.sale_order_id = self.foreign_order
            self.assertEqual(self._get_links(expense), (self.env["crm.lead"], self.no_order, self.nobody))

    def test_category_changes(self):
        """Odoo takes the order to re-invoice on away with it; what it was spent on stays."""
        expense = self._spend(approve=False, product_id=self.travel.id, sale_order_id=self.order.id)
        expense.product_id = self.meals
        self.assertFalse(expense.sale_order_id)
        self.assertEqual(self._get_links(expense), (self.lead, self.order, self.customer))

    # ------------------------------------------------------------
    # Who may link
    # ------------------------------------------------------------

    def test_only_to_what_one_may_read(self):
        for link, record in (("opportunity_id", self.foreign_lead), ("quotation_id", self.foreign_order)):
            values = {link: record.id}
            for user in (self.salesman, self.employee, self.officer):
                Expense = self.env["hr.expense"].with_user(user)
                mine = self._spend(user=self.employee, approve=False).with_user(user)
                if user == self.salesman:
                    mine = self._spend(approve=False)
                with self.subTest(link=link, user=user.login):
                    if user != self.officer:
                        with self.assertRefused(".", AccessError):
                            Expense.create([self._prepare_expense(), self._prepare_expense(**values)])
                        with self.assertRefused(".", AccessError):
                            Expense.with_context(**{f"default_{link}": record.id}).create(self._prepare_expense())
                    with self.assertRefused(".", AccessError):
                        mine.write(values)
                    with self.assertRefused(".", AccessError):
                        mine.with_context(from_split_wizard=True).copy(values)
                    self.env.invalidate_all()
                    self.assertFalse(mine[link])
        expense = self._spend(user=self.colleague, quotation_id=self.foreign_order.id)
        self.assertEqual(expense.opportunity_id, self.foreign_lead)

    def test_collaborator_links(self):
        self.foreign_lead.collaborator_ids = self.salesman
        self.assertEqual(self._spend(opportunity_id=self.foreign_lead.id).opportunity_id, self.foreign_lead)

    def test_batch(self):
        """One that may not be linked holds all of them back; what is linked already is not asked again."""
        expenses = self._spend(approve=False) | self._spend(approve=False, opportunity_id=self.lead.id)
        with self.assertRefused(".", AccessError):
            expenses.write({"opportunity_id": self.foreign_lead.id})
        self.env.invalidate_all()
        self.assertEqual(expenses.opportunity_id, self.lead)
        self.lead.with_user(self.supervisor).user_id = self.colleague
        expense = expenses[1]
        expense.write({"opportunity_id": self.lead.id, "name": "Supper"})
        self.assertEqual(expense.name, "Supper")

    def test_import(self):
        fields = ["name", "product_id/.id", "total_amount_currency", "opportunity_id/.id", "quotation_id/.id"]

        def load(user, lead, order):
            row = ["Taxi", str(self.meals.id), "12.5", str(lead.id or ""), str(order.id or "")]
            return self.env["hr.expense"].with_user(user).load(fields, [row])

        good = load(self.salesman, self.env["crm.lead"], self.quotation)
        self.assertFalse(good["messages"])
        self.assertEqual(
            self._get_links(self.env["hr.expense"].browse(good["ids"])), (self.lead, self.quotation, self.customer)
        )
        for lead, order in ((self.foreign_lead, self.no_order), (self.env["crm.lead"], self.foreign_order)):
            self.assertFalse(load(self.salesman, lead, order)["ids"])
        other = self._create_opportunity("Other")
        self.assertIn("choose that opportunity", load(self.salesman, other, self.quotation)["messages"][0]["message"])

    # ------------------------------------------------------------
    # Companies
    # ------------------------------------------------------------

    def test_not_to_another_company(self):
        there = self.env["res.company"].create({"name": "Elsewhere"})
        self.salesman.company_ids += there
        here = self.env.company
        lead = self.env["crm.lead"].create(
            {"name": "Far", "type": "opportunity", "company_id": there.id, "user_id": False}
        )
        order = self.env["sale.order"].create({"partner_id": self.customer.id, "company_id": there.id})
        for values, name in (({"opportunity_id": lead.id}, "Far"), ({"quotation_id": order.id}, order.name)):
            pattern = f"'Dinner' is an expense of {here.name}, but '{name}' belongs to Elsewhere: link it to one of"
            with self.subTest(name=name):
                with self.assertRefused(pattern, ValidationError):
                    self.env["hr.expense"].with_user(self.salesman).sudo().create(
                        [self._prepare_expense(), self._prepare_expense(**values)]
                    )
                expense = self._spend(approve=False)
                with self.assertRefused(pattern, ValidationError):
                    expense.sudo().write(values)
                self.env.invalidate_all()
        lead.company_id = False
        self.assertEqual(self._spend(opportunity_id=lead.id).opportunity_id, lead)

    def test_expense_that_changes_company(self):
        there = self.env["res.company"].create({"name": "Elsewhere"})
        self.lead.sudo().company_id = self.env.company
        expense = self._spend(approve=False, opportunity_id=self.lead.id)
        with self.assertRefused("'Dinner' is an expense of Elsewhere, but 'Acme line 3' belongs to", UserError):
            expense.sudo().company_id = there

    def test_new_expense_is_of_the_company_of_the_opportunity(self):
        there = self.env["res.company"].create({"name": "Elsewhere"})
        self.salesman.company_ids += there
        employee = self.env["hr.employee"].create(
            {"name": "Me there", "user_id": self.salesman.id, "company_id": there.id}
        )
        lead = self.env["crm.lead"].create(
            {"name": "Far", "type": "opportunity", "company_id": there.id, "user_id": self.salesman.id}
        )
        lead = lead.with_user(self.salesman).with_context(allowed_company_ids=[self.salesman.company_id.id, there.id])
        context = lead.action_view_expenses()["context"]
        expense = lead.env["hr.expense"].with_context(**context).create(self._prepare_expense())
        self.assertEqual((expense.company_id, expense.employee_id, expense.opportunity_id), (there, employee, lead))

    # ------------------------------------------------------------
    # Duplicate and split
    # ------------------------------------------------------------

    def test_duplicate(self):
        """For the same, also by somebody who may not read it."""
        expense = self._spend(approve=False, quotation_id=self.quotation.id)
        for user in (self.salesman, self.officer):
            copy = expense.with_user(user).copy()
            self.assertEqual(self._get_links(copy), self._get_links(expense), user.login)
            self.assertEqual(copy.env.user, user)
        other = self._create_opportunity("Other")
        self.assertEqual(self._get_links(expense.copy({"opportunity_id": other.id}))[:2], (other, self.no_order))

    def test_split(self):
        """No part is lost to the opportunity, whoever splits it."""
        for user in (self.salesman, self.officer):
            expense = self._spend(120, approve=False, quotation_id=self.quotation.id)
            expense.action_submit() if user == self.officer else None
            wizard = expense.with_user(user)
            wizard = wizard.env["hr.expense.split.wizard"].browse(wizard.action_split_wizard()["res_id"])
            wizard.action_split_expense()
            parts = self.env["hr.expense"].search([("split_expense_origin_id", "=", expense.id)])
            self.assertEqual(sum(parts.mapped("total_amount")), 120)
            self.assertEqual((len(parts), parts.quotation_id, parts.opportunity_id), (2, self.quotation, self.lead))

    def test_chatter_tells_of_changes(self):
        expense = self._spend(approve=False, opportunity_id=self.lead.id)
        self.env.cr.flush()
        expense.opportunity_id = self._create_opportunity("Other")
        self.env.flush_all()
        self.env.cr.flush()
        tracked = expense.sudo().message_ids.tracking_value_ids.filtered(
            lambda value: value.field_id.name == "opportunity_id"
        )
        self.assertEqual((tracked[:1].old_value_char, tracked[:1].new_value_char), (self.lead.display_name, "Other"))

    def test_commands_from_the_other_side(self):
        """Somebody else's expense is not drawn to one's opportunity."""
        expense = self._spend(user=self.colleague)
        for command in (Command.link(expense.id), Command.set(expense.ids), Command.delete(expense.id)):
            with self.assertRefused(".", AccessError):
                self.lead.write({"spent_expense_ids": [command]})
        self.env.invalidate_all()
        self.assertFalse(expense.opportunity_id)
