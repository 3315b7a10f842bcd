from odoo import api, models
from odoo.tools import SQL

from ..tools.credit import CreditTerms, Exposure


class SaleCreditExposure(models.AbstractModel):
    """What credit units owe, worked out by one query in which every term is a fragment of its own.

    A unit is a partner that carries the credit of others (信用单位); whoever names none is their own. It counts what
    all of its members owe, in the whole company tree, in that tree's currency. Cost follows what is open, not what is
    closed: each term reads through a partial index.
    """

    _name = "sale.credit.exposure"
    _description = "Credit Exposure"

    @api.model
    def _get_terms(self, units, company):
        """``{unit: CreditTerms}`` as the company sees them; those with neither limit nor term are left out."""
        granted = {
            unit: CreditTerms(unit.credit_limit, unit.credit_term_days) for unit in units.sudo().with_company(company)
        }
        return {unit: terms for unit, terms in granted.items() if terms}

    @api.model
    def _get_no_terms(self):
        return CreditTerms()

    @api.model
    def _get_exposures(self, units, company):
        """What each unit owes now, as the database of this transaction has it.

        :param units: ``res.partner``, each carrying its own credit
        :param company: a company of the tree that is summed over
        :returns: ``{unit id: Exposure}``, in the currency of the company
        """
        if not units:
            return {}
        self.env.flush_all()
        by_unit = {unit.id: [] for unit in units}
        for unit_id, *row in self.env.execute_query(self._get_query(units, company)):
            by_unit[unit_id].append(row)
        return {unit_id: self._make_exposure(rows) for unit_id, rows in by_unit.items()}

    @api.model
    def _make_exposure(self, rows):
        dates = [row[4] for row in rows if row[4]]
        return Exposure(
            receivable=sum(row[1] for row in rows),
            uninvoiced=sum(row[2] for row in rows),
            draft_invoiced=sum(row[3] for row in rows),
            oldest_date=min(dates, default=None),
            members={
                row[0]: {"receivable": row[1], "uninvoiced": row[2], "draft_invoiced": row[3]}
                for row in rows
                if any(row[1:4])
            },
        )

    # ------------------------------------------------------------
    # The query
    # ------------------------------------------------------------

    @api.model
    def _get_query(self, units, company):
        """One row per unit and member: receivable, uninvoiced, draft invoiced, date of the oldest open document."""
        return SQL(
            """
            WITH member AS (%(members)s),
                 company AS (%(companies)s),
                 term AS (%(receivable)s UNION ALL %(uninvoiced)s UNION ALL %(draft_invoiced)s)
            SELECT unit_id, member_id,
                   COALESCE(SUM(receivable), 0)::float, COALESCE(SUM(uninvoiced), 0)::float,
                   COALESCE(SUM(draft_invoiced), 0)::float, MIN(oldest_date)
              FROM term
             GROUP BY unit_id, member_id
            """,
            members=self._select_members(units),
            companies=self._select_companies(company),
            receivable=self._select_receivable(),
            uninvoiced=self._select_uninvoiced(),
            draft_invoiced=self._select_draft_invoiced(),
        )

    @api.model
    def _select_members(self, units):
        """Every partner, contacts too, whose credit one of the units carries."""
        return SQL(
            """
            SELECT COALESCE(member.credit_unit_id, member.id) AS unit_id, member.id AS member_id,
                   partner.id AS partner_id
              FROM res_partner member
              JOIN res_partner partner ON partner.commercial_partner_id = member.id
             WHERE member.commercial_partner_id = member.id
               AND (member.credit_unit_id = ANY(%(units)s)
                    OR (member.id = ANY(%(units)s) AND member.credit_unit_id IS NULL))
            """,
            units=units.ids,
        )

    @api.model
    def _select_companies(self, company):
        """The company tree that is summed over."""
        return SQL("SELECT id FROM res_company WHERE parent_path LIKE %s", f"{company.root_id.id}/%")

    @api.model
    def _select_receivable(self):
        """Posted receivables that are still open; payments and credit notes count against them."""
        return SQL(
            """
            SELECT unit_id, member_id, line.amount_residual AS receivable, NULL::numeric AS uninvoiced,
                   NULL::numeric AS draft_invoiced,
                   CASE WHEN line.amount_residual > 0 THEN COALESCE(line.invoice_date, line.date) END AS oldest_date
              FROM member
              JOIN account_move_line line ON line.partner_id = member.partner_id
              JOIN account_account account ON account.id = line.account_id
             WHERE account.account_type = 'asset_receivable'
               AND line.reconciled IS NOT TRUE
               AND line.parent_state = 'posted'
               AND line.company_id IN (SELECT id FROM company)
            """
        )

    @api.model
    def _select_uninvoiced(self):
        """Confirmed orders that are not wholly invoiced, of the customer or billed to them, each once."""
        return SQL(
            """
            SELECT unit_id, member_id, NULL, credit_uninvoiced, NULL, NULL::date
              FROM member
              JOIN sale_order ON sale_order.partner_id = member.partner_id
             WHERE credit_uninvoiced > 0 AND sale_order.company_id IN (SELECT id FROM company)
             UNION ALL
            SELECT unit_id, member_id, NULL, credit_uninvoiced, NULL, NULL::date
              FROM member
              JOIN sale_order ON sale_order.partner_invoice_id = member.partner_id
             WHERE credit_uninvoiced > 0 AND sale_order.company_id IN (SELECT id FROM company)
               AND sale_order.partner_id <> sale_order.partner_invoice_id
               AND NOT EXISTS (SELECT FROM member customer
                                WHERE customer.unit_id = member.unit_id
                                  AND customer.partner_id = sale_order.partner_id)
            """
        )

    @api.model
    def _select_draft_invoiced(self):
        """Draft customer invoices; those of an order are counted with the order."""
        return SQL(
            """
            SELECT unit_id, member_id, NULL, NULL, move.amount_total_signed, NULL::date
              FROM member
              JOIN account_move move ON move.partner_id = member.partner_id
             WHERE move.state = 'draft'
               AND move.move_type IN ('out_invoice', 'out_receipt')
               AND move.company_id IN (SELECT id FROM company)
               AND NOT EXISTS (SELECT FROM account_move_line line
                                 JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
                                WHERE line.move_id = move.id)
            """
        )
