from odoo import api, models, tools
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
        units = units.sudo().with_company(company)
        units.fetch(["credit_limit", "credit_term_days"])
        granted = {unit: CreditTerms(unit.credit_limit, unit.credit_term_days) for unit in units}
        return {unit: terms for unit, terms in granted.items() if terms}

    @api.model
    def _get_no_terms(self):
        return CreditTerms()

    @api.model
    def _get_exposures(self, units, company, using=False):
        """What each unit owes now, as the database of this transaction has it.

        :param units: ``res.partner``, each carrying its own credit
        :param company: a company of the tree that is summed over
        :param bool using: the credit is going to be used: keep everybody else from it, in the same statement
        :returns: ``{unit id: Exposure}``, in the currency of the company
        """
        if not units:
            return {}
        self.env.flush_all()
        by_unit = {unit.id: [] for unit in units}
        query = self._get_query(units, company)
        if using:
            query = SQL(
                "WITH taken AS (%s) SELECT * FROM (%s) exposure", self.env["sale.credit.lock"]._take(units), query
            )
        rows = self.env.execute_query(query)
        drafts = self._get_drafts_of_orders(units, company) if any(row[4] for row in rows) else {}
        for unit_id, member_id, receivable, uninvoiced, draft_invoiced, oldest_date in rows:
            draft_invoiced -= drafts.get((unit_id, member_id), 0.0)
            by_unit[unit_id].append((member_id, receivable, uninvoiced, draft_invoiced, oldest_date))
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
        """One row per unit and member: receivable, uninvoiced, draft invoiced, date of the oldest open document.

        Members and companies are arrays, worked out once: PostgreSQL then reads each term through its partial index,
        however many members there are, instead of guessing how many rows a join will give.
        """
        return SQL(
            """
            WITH member AS MATERIALIZED (%(members)s),
                 term AS (%(receivable)s UNION ALL %(uninvoiced)s UNION ALL %(billed_to)s UNION ALL %(draft_invoiced)s)
            SELECT member.unit_id, member.member_id,
                   COALESCE(SUM(receivable), 0)::float, COALESCE(SUM(uninvoiced), 0)::float,
                   COALESCE(SUM(draft_invoiced), 0)::float, MIN(oldest_date)
              FROM term
              JOIN member ON member.partner_id = term.partner_id
             GROUP BY member.unit_id, member.member_id
            """,
            members=self._select_members(units),
            receivable=self._select_receivable(company),
            uninvoiced=self._select_uninvoiced(company),
            billed_to=self._select_billed_to(company),
            draft_invoiced=self._select_draft_invoiced(company),
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
    def _is_of_member(self, column):
        return SQL("%s = ANY(ARRAY(SELECT partner_id FROM member))", column)

    @api.model
    def _is_in_tree(self, column, company):
        """Of a company of the tree that is summed over."""
        return SQL("%s = ANY(%s)", column, list(self._get_tree_ids(company.id)))

    @api.model
    @tools.ormcache("company_id")
    def _get_tree_ids(self, company_id):
        """Ids of the company and of all others under the same root. Odoo lets none of them move to another one."""
        Company = self.env["res.company"].sudo().with_context(active_test=False)
        return tuple(Company.search([("id", "child_of", Company.browse(company_id).root_id.id)]).ids)

    @api.model
    def _select_receivable(self, company):
        """Posted receivables that are still open; payments and credit notes count against them."""
        return SQL(
            """
            SELECT partner_id, SUM(amount_residual) AS receivable, NULL::numeric AS uninvoiced,
                   NULL::numeric AS draft_invoiced,
                   MIN(COALESCE(invoice_date, date)) FILTER (WHERE amount_residual > 0) AS oldest_date
              FROM account_move_line
             WHERE account_id = ANY(ARRAY(SELECT id FROM account_account WHERE account_type = 'asset_receivable'))
               AND %(of_member)s
               AND reconciled IS NOT TRUE
               AND parent_state = 'posted'
               AND amount_residual <> 0
               AND %(in_tree)s
             GROUP BY partner_id
            """,
            of_member=self._is_of_member(SQL("partner_id")),
            in_tree=self._is_in_tree(SQL("company_id"), company),
        )

    @api.model
    def _select_uninvoiced(self, company):
        """Confirmed orders of the members that are not wholly invoiced."""
        return SQL(
            """
            SELECT partner_id, NULL, SUM(credit_uninvoiced), NULL, NULL::date
              FROM sale_order
             WHERE credit_uninvoiced > 0 AND %(of_member)s AND %(in_tree)s
             GROUP BY partner_id
            """,
            of_member=self._is_of_member(SQL("partner_id")),
            in_tree=self._is_in_tree(SQL("company_id"), company),
        )

    @api.model
    def _select_billed_to(self, company):
        """The same of customers of other units that are billed to a member."""
        return SQL(
            """
            SELECT partner_invoice_id, NULL, SUM(credit_uninvoiced), NULL, NULL::date
              FROM sale_order
              JOIN member payer ON payer.partner_id = partner_invoice_id
         LEFT JOIN member customer ON customer.partner_id = sale_order.partner_id
             WHERE credit_uninvoiced > 0
               AND sale_order.partner_id <> partner_invoice_id
               AND customer.unit_id IS DISTINCT FROM payer.unit_id
               AND %(of_member)s AND %(in_tree)s
             GROUP BY partner_invoice_id
            """,
            of_member=self._is_of_member(SQL("partner_invoice_id")),
            in_tree=self._is_in_tree(SQL("company_id"), company),
        )

    @api.model
    def _select_draft_invoiced(self, company):
        """Draft customer invoices, those of orders too: see :meth:`_get_drafts_of_orders`."""
        return SQL(
            """
            SELECT partner_id, NULL, NULL, SUM(amount_total_signed), NULL::date
              FROM account_move
             WHERE state = 'draft'
               AND move_type IN ('out_invoice', 'out_receipt')
               AND %(of_member)s AND %(in_tree)s
             GROUP BY partner_id
            """,
            of_member=self._is_of_member(SQL("partner_id")),
            in_tree=self._is_in_tree(SQL("company_id"), company),
        )

    @api.model
    def _get_drafts_of_orders(self, units, company):
        """What draft invoices of orders come to, which are counted with the order.

        Asked only where there are drafts: looking through the lines of invoices is most of what it takes PostgreSQL to
        plan the query.

        :returns: ``{(unit id, member id): amount}``
        """
        query = SQL(
            """
            WITH member AS MATERIALIZED (%(members)s)
            SELECT member.unit_id, member.member_id, SUM(move.amount_total_signed)::float
              FROM account_move move
              JOIN member ON member.partner_id = move.partner_id
             WHERE move.state = 'draft'
               AND move.move_type IN ('out_invoice', 'out_receipt')
               AND %(of_member)s AND %(in_tree)s
               AND EXISTS (SELECT FROM account_move_line line
                             JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
                            WHERE line.move_id = move.id)
             GROUP BY member.unit_id, member.member_id
            """,
            members=self._select_members(units),
            of_member=self._is_of_member(SQL("move.partner_id")),
            in_tree=self._is_in_tree(SQL("move.company_id"), company),
        )
        return {(unit_id, member_id): amount for unit_id, member_id, amount in self.env.execute_query(query)}
