from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

from .common import ExpenseCase


class TestExpenseLifeCycle(ExpenseCase):
    """Whatever happens to an opportunity or a quotation, no expense is lost, and each follows or is left on purpose."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.here = cls.env.company
        cls.there = cls.env["res.company"].create({"name": "Elsewhere"})
        cls.manager.company_ids += cls.there
        cls.lead = cls._create_opportunity(partner_id=cls.customer.id, company_id=cls.here.id)
        cls.quotation = cls._create_quotation(opportunity_id=cls.lead.id)
        cls.direct = cls._spend(10, user=cls.colleague, approve=False)
        cls.direct.sudo().opportunity_id = cls.lead
        cls._approve(cls.direct)
        cls.quoted = cls._spend(5, quotation_id=cls.quotation.id)
        cls.expenses = cls.direct.sudo() | cls.quoted.sudo()
        cls.env.flush_all()

    # ------------------------------------------------------------
    # Duplicate, archive, delete
    # ------------------------------------------------------------

    def test_duplicate(self):
        """What was spent on this one was not spent on its copy."""
        for record in (self.lead, self.quotation):
            copy = record.copy()
            self.assertFalse(copy.sudo().spent_expense_ids)
            self.assertEqual(copy.expense_total, 0)
        self.assertEqual(self.lead.sudo().spent_expense_ids, self.expenses)

    def test_archive_and_lose(self):
        """They stay, and go on counting; late bills still come in."""
        self.lead.action_set_lost()
        self.assertEqual(self.expenses.opportunity_id, self.lead)
        self._spend(3, opportunity_id=self.lead.id)
        self.assertEqual(self.lead.with_user(self.salesman).expense_total, 8)
        self.lead.action_restore()
        self.assertEqual(self.lead.sudo().expense_total, 18)

    def test_delete_an_opportunity(self):
        """The expense stays, with its state, its amount and its customer."""
        self.lead.with_user(self.manager).unlink()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.expenses.exists(), self.expenses)
        self.assertFalse(self.expenses.opportunity_id)
        self.assertEqual(self.expenses.mapped("state"), ["approved", "approved"])
        self.assertEqual(self.expenses.customer_id, self.customer)
        self.assertEqual(self.quoted.quotation_id, self.quotation, "that is still there")

    def test_delete_a_quotation(self):
        self.quotation.with_user(self.manager).unlink()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self._get_links(self.quoted), (self.lead, self.env["sale.order"], self.customer))

    def test_cancel_a_quotation(self):
        self.quotation._action_cancel()
        self.assertEqual(self.quotation.expense_total, 5)

    def test_delete_an_expense(self):
        """As Odoo has it: not once it is approved."""
        with self.assertRefused("posted or approved", UserError):
            self.quoted.sudo().unlink()
        draft = self._spend(approve=False, opportunity_id=self.lead.id)
        draft.unlink()
        self.assertEqual(self.lead.sudo().spent_expense_ids, self.expenses)

    # ------------------------------------------------------------
    # Merge
    # ------------------------------------------------------------

    def _merge(self, head, tail, user=None):
        self._force(head, self.stage_needs)
        merged = (head | tail).with_user(user or self.manager).merge_opportunity(auto_unlink=True)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(merged, head)
        self.assertFalse(tail.exists())
        return merged

    def test_merge(self):
        """All of them, also those that whoever merges may not see, or not edit any more."""
        head = self._create_opportunity("Head", partner_id=self.stranger.id)
        already = self._spend(1, opportunity_id=head.id)
        merged = self._merge(head, self.lead)
        self.assertEqual(merged.sudo().spent_expense_ids, self.expenses | already)
        self.assertEqual(merged.sudo().expense_total, 16)
        self.assertEqual(self.quoted.quotation_id, self.quotation)
        self.assertEqual(self.quotation.opportunity_id, merged)
        self.assertEqual((self.direct | already).sudo().customer_id, self.stranger)
        self.assertEqual(merged.with_user(self.manager).expense_total, 0, "merging shows nobody more than before")

    def test_merge_by_somebody_who_does_not_see_the_quotation(self):
        self.quotation.with_user(self.supervisor).user_id = self.colleague
        head = self._create_opportunity("Head", partner_id=self.customer.id)
        merged = self._merge(head, self.lead, user=self.salesman)
        self.assertEqual(merged.sudo().spent_expense_ids, self.expenses)
        self.assertEqual(self._get_links(self.quoted)[:2], (merged, self.quotation))

    def test_merge_leaves_other_quotations_alone(self):
        """One that is for no opportunity stays so, though its expense comes along."""
        alone = self._create_quotation()
        expense = self._spend(4, quotation_id=alone.id, opportunity_id=self.lead.id)
        merged = self._merge(self._create_opportunity("Head"), self.lead)
        self.assertEqual(self._get_links(expense)[:2], (merged, alone))
        self.assertFalse(alone.opportunity_id)

    def test_merge_across_companies(self):
        head = self._create_opportunity("Head")
        head.sudo().write({"user_id": self.manager.id, "team_id": False, "company_id": self.there.id})
        with self.assertRefused(
            f"'Head' cannot belong to Elsewhere while it has expenses of {self.here.name}", ValidationError
        ) as caught:
            self._merge(head, self.lead)
        self.assertNotIn("Dinner", str(caught.exception), "no word of what the user may not see")
        self.env.invalidate_all()
        self.assertEqual(self.expenses.opportunity_id, self.lead)

    # ------------------------------------------------------------
    # Change of company
    # ------------------------------------------------------------

    def test_opportunity_changes_company(self):
        """Not while it has what another company has spent; to no company it may."""
        lead = self.lead.with_user(self.manager)
        move = {"user_id": self.manager.id, "team_id": False, "company_id": self.there.id}
        other = self._create_opportunity("Other", company_id=self.here.id).with_user(self.manager)
        pattern = (
            f"'Acme line 3' cannot belong to Elsewhere while it has expenses of {self.here.name}. "
            "Somebody who may edit those has to take them off first."
        )
        for leads in (lead, lead | other):
            with self.assertRefused(pattern, ValidationError):
                leads.write(move)
                self.env.flush_all()
            self.env.invalidate_all()
            self.assertEqual((lead | other).company_id, self.here)
        other.write(move)
        self.assertEqual(other.company_id, self.there)
        lead.company_id = False
        self.assertEqual(self.expenses.opportunity_id, self.lead)
        lead.company_id = self.here
        self.expenses.quotation_id = False
        self.expenses.opportunity_id = False
        self.quotation.with_user(self.manager).unlink()
        lead.write(move)
        self.assertEqual(lead.company_id, self.there)

    def test_company_that_follows_the_salesperson(self):
        """It is not written then, and is held back all the same."""
        self.lead.sudo().team_id = False
        self.manager.write({"company_id": self.there.id, "company_ids": [Command.set(self.there.ids)]})
        self.supervisor.company_ids += self.there
        supervisor = self.supervisor.with_context(allowed_company_ids=(self.here | self.there).ids)
        with self.assertRefused("'Acme line 3' cannot belong to Elsewhere", ValidationError):
            self.lead.with_user(supervisor).write({"user_id": self.manager.id, "team_id": False})
            self.env.flush_all()

    def test_checking_the_company_is_cheap(self):
        """One question for any number, and none where no company could be wrong: Odoo asks anew at each assignment."""
        leads = self.lead | self._create_opportunity(company_id=self.here.id)
        leads.mapped("company_id")
        with self.assertQueryCount(1):
            leads._check_company_of_expenses()
        self.lead.company_id = False
        with self.assertQueryCount(0):
            self.lead._check_company_of_expenses()

    def test_quotation_changes_company(self):
        quotation = self._create_quotation()
        self._spend(quotation_id=quotation.id)
        with self.assertRefused(f"'{quotation.name}' cannot belong to Elsewhere while", ValidationError):
            quotation.sudo().company_id = self.there
