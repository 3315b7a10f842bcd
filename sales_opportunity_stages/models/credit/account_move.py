from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .res_partner_credit import CREDIT_READERS


class AccountMove(models.Model):
    _inherit = "account.move"

    credit_draft_invoiced = fields.Monetary(
        "Not on Orders",
        compute="_compute_credit_draft_invoiced",
        search="_search_credit_draft_invoiced",
        currency_field="company_currency_id",
        groups=CREDIT_READERS,
        help="Amount of a draft invoice that uses the customer's credit, taxes included, in the "
        "company's currency. Lines that a confirmed order already counts are left out.",
    )

    _credit_draft_idx = models.Index(
        "(partner_id, company_id) WHERE state = 'draft' AND move_type IN ('out_invoice', 'out_receipt')"
    )

    def _post(self, soft=True):
        """Recheck quotations on hold: payments and credit notes give credit back."""
        posted = super()._post(soft)
        lines = posted.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable" and line.balance < 0
        )
        lines.partner_id._recheck_credit_holds() if lines.partner_id else None
        return posted

    @api.depends("state", "amount_total_signed", "invoice_line_ids.sale_line_ids.credit_uninvoiced")
    def _compute_credit_draft_invoiced(self):
        amounts = dict(self._get_draft_amounts(SQL("move.id = ANY(%s)", list(self._origin.ids))))
        for move in self:
            move.credit_draft_invoiced = amounts.get(move._origin.id, 0.0)

    @api.model
    def _search_credit_draft_invoiced(self, operator, value):
        """Find the draft invoices that count, or those that do not."""
        if (operator, value) not in (("!=", 0), ("=", 0)):
            return NotImplemented
        ids = [move_id for move_id, amount in self._get_draft_amounts(SQL("TRUE")) if amount]
        return Domain("id", "in" if operator == "!=" else "not in", ids)

    @api.model
    def _get_draft_amounts(self, condition):
        """Return (id, amount that counts against credit) of the draft customer invoices of a condition."""
        self.env.flush_all()
        drafts = self.env["sale.credit.exposure"]._select_drafts(condition)
        return self.env.execute_query(SQL("SELECT id, amount::float FROM (%s) draft", drafts))
