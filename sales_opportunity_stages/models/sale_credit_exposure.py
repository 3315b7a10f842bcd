import hashlib

from odoo import api, models, tools
from odoo.tools import SQL

from ..tools.credit import CreditTerms, Exposure


class SaleCreditExposure(models.AbstractModel):
    """What credit units owe, worked out by one query in which every term is a fragment of its own.

    A unit is a partner that carries the credit of others (信用单位); whoever names none is their own. It counts what
    all of its members owe, in the whole company tree, in that tree's currency. Cost follows what is open, not what is
    closed: each term reads through a partial index.

    The query is kept in the database as a function. Planning it takes several times as long as running it, for it looks
    at tables with dozens of indexes, and PL/pgSQL keeps the plan as long as the connection lasts.
    """

    _name = "sale.credit.exposure"
    _description = "Credit Exposure"

    @api.model
    def _get_terms(self, units, company):
        """``{unit: CreditTerms}`` as the company sees them; those with neither limit nor term are left out."""
        # sudo: fields that whoever sells without access to accounting may not read
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
        query = SQL(
            "SELECT * FROM %s(%s, %s)",
            SQL.identifier(self._get_function_name()),
            units.ids,
            list(self._get_tree_ids(company.id)),
        )
        if using:
            query = SQL("WITH taken AS (%s) %s", self.env["sale.credit.lock"]._take(units), query)
        by_unit = {unit.id: [] for unit in units}
        for unit_id, *row in self.env.execute_query(query):
            by_unit[unit_id].append(row)
        return {unit_id: self._make_exposure(rows) for unit_id, rows in by_unit.items()}

    @api.model
    @tools.ormcache("company_id")
    def _get_tree_ids(self, company_id):
        """Ids of the company and of all others under the same root. Odoo lets none of them move to another one."""
        # sudo: the tree is summed over, whichever of its companies the user works in
        Company = self.env["res.company"].sudo().with_context(active_test=False)
        return tuple(Company.search([("id", "child_of", Company.browse(company_id).root_id.id)]).ids)

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
    # The function
    # ------------------------------------------------------------

    def init(self):
        self._make_function()

    def _register_hook(self):
        """Make the function anew where an add-on that had a part in it is gone."""
        super()._register_hook()
        self._make_function()

    @api.model
    @tools.ormcache()
    def _get_function_name(self):
        """Its name tells what it does: another query has another name, and nobody calls one for the other.

        :raise ValueError: when a term has parameters, which a function cannot have
        """
        function = self._define_function(SQL.identifier("sale_credit_exposure"))
        if function.params:
            raise ValueError(f"sale.credit.exposure: no parameters in the terms, please: {function.params}")
        return "sale_credit_exposure_" + hashlib.sha256(function.code.encode()).hexdigest()[:16]

    @api.model
    def _make_function(self):
        """Keep the query in the database, unless it is there."""
        if self.env.execute_query(SQL("SELECT TO_REGPROC(%s)", self._get_function_name()))[0][0]:
            return
        # Processes that start at the same time would make it at the same time, which PostgreSQL refuses.
        self.env.cr.execute("SELECT PG_ADVISORY_XACT_LOCK(HASHTEXT('sale_credit_exposure'))")
        self.env.cr.execute(self._define_function(SQL.identifier(self._get_function_name())))

    @api.model
    def _define_function(self, name):
        """The statement that makes the function of this name.

        One plan serves all units, made before anybody knows how large they are, and perhaps while the tables are still
        empty: it has to be the one that reads what is open by its indexes.
        """
        return SQL(
            """
            CREATE OR REPLACE FUNCTION %s(unit_ids int[], tree_ids int[])
                RETURNS TABLE (unit_id int, member_id int, receivable float, uninvoiced float, draft_invoiced float,
                               oldest_date date)
                LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
            AS $function$
                #variable_conflict use_column
                BEGIN RETURN QUERY %s; END
            $function$
            """,
            name,
            self._get_query(),
        )

    @api.model
    def _drop_functions(self):
        """Those of today and of former versions, when the add-on goes."""
        rows = self.env.execute_query(
            SQL("SELECT proname FROM pg_proc WHERE proname ~ '^sale_credit_exposure_[0-9a-f]{16}$'")
        )
        for (name,) in rows:
            self.env.cr.execute(SQL("DROP FUNCTION %s", SQL.identifier(name)))

    # ------------------------------------------------------------
    # The query
    # ------------------------------------------------------------

    @api.model
    def _get_query(self):
        """One row per unit and member: receivable, uninvoiced, draft invoiced, date of the oldest open document.

        It is asked about ``unit_ids``, over the companies ``tree_ids``: arrays, as are the members, so that PostgreSQL
        reads each term through its partial index, however many members there are, instead of guessing how many rows a
        join will give. No other parameter may be in it.
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
            members=self._select_members(),
            receivable=self._select_receivable(),
            uninvoiced=self._select_uninvoiced(),
            billed_to=self._select_billed_to(),
            draft_invoiced=self._select_draft_invoiced(),
        )

    @api.model
    def _select_members(self):
        """Every partner whose credit one of the units carries; contacts have the unit of their company."""
        return SQL(
            """
            SELECT COALESCE(credit_unit_id, commercial_partner_id) AS unit_id, commercial_partner_id AS member_id,
                   id AS partner_id
              FROM res_partner
             WHERE credit_unit_id = ANY(unit_ids)
                OR (commercial_partner_id = ANY(unit_ids) AND credit_unit_id IS NULL)
            """
        )

    @api.model
    def _is_of_member(self, column):
        return SQL("%s = ANY(ARRAY(SELECT partner_id FROM member))", column)

    @api.model
    def _is_in_tree(self, column):
        """Of a company of the tree that is summed over."""
        return SQL("%s = ANY(tree_ids)", column)

    @api.model
    def _select_receivable(self):
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
            in_tree=self._is_in_tree(SQL("company_id")),
        )

    @api.model
    def _select_uninvoiced(self):
        """Confirmed orders of the members that are not wholly invoiced."""
        return SQL(
            """
            SELECT partner_id, NULL, SUM(credit_uninvoiced), NULL, NULL::date
              FROM sale_order
             WHERE credit_uninvoiced > 0 AND %(of_member)s AND %(in_tree)s
             GROUP BY partner_id
            """,
            of_member=self._is_of_member(SQL("partner_id")),
            in_tree=self._is_in_tree(SQL("company_id")),
        )

    @api.model
    def _select_billed_to(self):
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
            in_tree=self._is_in_tree(SQL("company_id")),
        )

    @api.model
    def _select_draft_invoiced(self):
        """Draft customer invoices. Those of orders are counted with the order."""
        return SQL(
            """
            SELECT partner_id, NULL, NULL, SUM(amount_total_signed), NULL::date
              FROM account_move
             WHERE state = 'draft'
               AND move_type IN ('out_invoice', 'out_receipt')
               AND %(of_member)s AND %(in_tree)s
               AND NOT EXISTS (SELECT FROM account_move_line line
                                 JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
                                WHERE line.move_id = account_move.id)
             GROUP BY partner_id
            """,
            of_member=self._is_of_member(SQL("partner_id")),
            in_tree=self._is_in_tree(SQL("company_id")),
        )
