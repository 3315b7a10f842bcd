from odoo import api, fields, models
from odoo.fields import Domain


class CrmLead(models.Model):
    """What was spent on an opportunity and on its quotations and orders.

    Expenses are accounting documents: they outlive the opportunity. They stay with it when it is archived, go to the
    head when it is merged, hold it in its company, and are left without it when it is deleted or copied.
    """

    _name = "crm.lead"
    _inherit = ["crm.lead", "sales.expense.mixin"]

    spent_expense_ids = fields.One2many(inverse_name="opportunity_id")

    def _merge_dependences(self, opportunities):
        """All expenses come along, whoever may see them, with the quotations that they were spent on."""
        result = super()._merge_dependences(opportunities)
        # sudo: all expenses come along, whoever may see them
        expenses = opportunities.sudo().spent_expense_ids
        self._check_takes_expenses_of(expenses.company_id)
        expenses.quotation_id.filtered(lambda order: order.opportunity_id in opportunities).opportunity_id = self
        expenses.opportunity_id = self
        return result

    def _get_document_domain(self):
        """The receipts too, of the expenses that the user may see."""
        return super()._get_document_domain() | Domain.OR(self._get_attachment_domains(self.spent_expense_ids))

    @api.model
    def _get_counted_lists(self):
        return super()._get_counted_lists() | {"spent_expense_ids": {"expense_total": 0.0}}
