import hashlib

from odoo import api, models, tools
from odoo.tools import SQL

from ...tools.credit import CreditStanding, CreditTerms, Exposure


class SaleCreditExposure(models.AbstractModel):
    """Where credit units stand: what they are granted and what they owe, every term of it a fragment of its own.

    A unit is a partner that carries the credit of others (信用单位); whoever names none is their own. It counts what
    all of its members owe, in the whole company tree, in that tree's currency. Cost follows what is open, not what is
    closed: each term reads through a partial index.

    All of it is one function in the database. Planning its queries takes several times as long as running them, for
    they look at tables with dozens of indexes, and PL/pgSQL keeps the plans as long as the connection lasts.
    """

    _name = "sale.credit.exposure"
    _description = "Credit Exposure"

    @api.model
    def _get_standings(self, partner_ids, company, using=False):
        """Whose credit each of these partners has, and where that unit stands as this transaction sees it.

        :param partner_ids: ids of ``res.partner``: companies or contacts, units or members
        :param company: the one that grants the credit, of the tree that is summed over
        :param bool using: the credit is going to be used: leave out who is granted it without limit and without term,
            and keep everybody else from using that of the others until the transaction ends
        :returns: ``{partner id: CreditStanding}``, amounts in the currency of the company
        :raise SerializationFailure: with ``using``, when somebody else has used it since; Odoo then tries again
        """
        if not partner_ids:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT * FROM %s(%s, %s, %s, %s, %s, %s)",
                SQL.identifier(self._get_function_name()),
                list(partner_ids),
                str(company.id),
                *self._get_default_terms(company.id),
                list(self._get_tree_ids(company.id)),
                using,
            )
        )
        terms, members = {}, {}
        for unit_id, partner_id, limit, term_days, *amounts in rows:
            if limit is None:
                members.setdefault(unit_id, []).append((partner_id, *amounts))
            else:
                terms[partner_id] = unit_id, CreditTerms(limit, term_days)
        exposures = {unit_id: self._make_exposure(members.get(unit_id, ())) for unit_id, _terms in terms.values()}
        return {
            partner_id: CreditStanding(unit_id, granted, exposures[unit_id])
            for partner_id, (unit_id, granted) in terms.items()
        }

    @api.model
    @tools.ormcache("company_id")
    def _get_default_terms(self, company_id):
        """What the company grants whoever it has granted nothing in particular: limit, term in days."""
        Partner = self.env["res.partner"].with_company(company_id)
        return tuple(
            Partner._fields[name].get_company_dependent_fallback(Partner)
            for name in ("credit_limit", "credit_term_days")
        )

    @api.model
    @tools.ormcache("company_id")
    def _get_tree_ids(self, company_id):
        """Ids of the company and of all others under the same root. Odoo lets none of them move to another one."""
        # sudo: the tree is summed over, whichever of its companies the user works in
        Company = self.env["res.company"].sudo().with_context(active_test=False)
        return tuple(Company.search([("id", "child_of", Company.browse(company_id).root_id.id)]).ids)

    @api.model
    def _make_exposure(self, rows):
        """:param rows: (member id, receivable, uninvoiced, draft invoiced, oldest date) of each member"""
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
        empty: it has to be the one that reads what is open by its indexes, and whatever belongs to it row by row.
        Estimates must not call for workers or compiled code either, which take longer than all of it.
        """
        return SQL(
            """
            CREATE OR REPLACE FUNCTION %(name)s(partner_ids int[], company_key text, default_limit float,
                                                default_term int, tree_ids int[], using_credit boolean)
                RETURNS TABLE (unit_id int, partner_id int, credit_limit float, term_days int,
                               receivable float, uninvoiced float, draft_invoiced float, oldest_date date)
                LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
                SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
                SET max_parallel_workers_per_gather = 0 SET jit = off
            AS $function$
                #variable_conflict use_column
                DECLARE
                    unit_ids int[];
                    member_ids int[];
                BEGIN
                    FOR unit_id, partner_id, credit_limit, term_days IN %(standings)s LOOP
                        unit_ids := unit_ids || unit_id;
                        RETURN NEXT;
                    END LOOP;
                    IF unit_ids IS NULL THEN
                        RETURN;
                    END IF;
                    IF using_credit THEN
                        %(take)s;
                    END IF;
                    member_ids := ARRAY(%(members)s);
                    RETURN QUERY %(exposures)s;
                END
            $function$
            """,
            name=name,
            standings=self._select_standings(),
            take=self.env["sale.credit.lock"]._take(),
            members=self._select_members(),
            exposures=self._select_exposures(),
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
    # Its queries, about its arguments and variables: they have no parameters
    # ------------------------------------------------------------

    @api.model
    def _select_standings(self):
        """A row for each partner asked about: its unit, itself, and what the unit is granted.

        Override it where somebody else grants the credit, such as an insurance.
        """
        return SQL(
            """
            SELECT unit_id, partner_id, credit_limit, term_days
              FROM (SELECT unit.id AS unit_id, partner.id AS partner_id,
                           COALESCE((unit.credit_limit ->> company_key)::float, default_limit) AS credit_limit,
                           COALESCE((unit.credit_term_days ->> company_key)::int, default_term) AS term_days
                      FROM res_partner partner
                      JOIN res_partner unit ON unit.id = COALESCE(partner.credit_unit_id, partner.commercial_partner_id)
                     WHERE partner.id = ANY(partner_ids)) AS granted
             WHERE credit_limit <> 0 OR term_days <> 0 OR NOT using_credit
            """
        )

    @api.model
    def _select_members(self):
        """Every partner whose credit one of ``unit_ids`` carries; contacts have the unit of their company.

        In order: each index that is then asked about a thousand of them would have to sort them again.
        """
        return SQL(
            """
            SELECT id FROM res_partner WHERE credit_unit_id = ANY(unit_ids)
             UNION ALL
            SELECT id FROM res_partner WHERE commercial_partner_id = ANY(unit_ids) AND credit_unit_id IS NULL
             ORDER BY id
            """
        )

    @api.model
    def _select_exposures(self):
        """A row for each unit and member that owes something, per term, and the date of the oldest open document.

        The members are an array, as are the companies, so that PostgreSQL reads each term through its partial index,
        however many members there are, instead of guessing how many rows a join will give.
        """
        return SQL(
            """
            SELECT COALESCE(partner.credit_unit_id, partner.commercial_partner_id), partner.commercial_partner_id,
                   NULL::float, NULL::int, COALESCE(SUM(receivable), 0)::float, COALESCE(SUM(uninvoiced), 0)::float,
                   COALESCE(SUM(draft_invoiced), 0)::float, MIN(oldest_date)
              FROM (%(receivable)s UNION ALL %(uninvoiced)s UNION ALL %(billed_to)s
                    UNION ALL %(draft_invoiced)s) AS term
              JOIN res_partner partner ON partner.id = term.partner_id
             GROUP BY 1, 2
            """,
            receivable=self._select_receivable(),
            uninvoiced=self._select_uninvoiced(),
            billed_to=self._select_billed_to(),
            draft_invoiced=self._select_draft_invoiced(),
        )

    @api.model
    def _is_of_member(self, column):
        """Of a partner whose credit is asked about."""
        return SQL("%s = ANY(member_ids)", column)

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
            SELECT partner_invoice_id, NULL, SUM(sale_order.credit_uninvoiced), NULL, NULL::date
              FROM sale_order
              JOIN res_partner payer ON payer.id = partner_invoice_id
              JOIN res_partner customer ON customer.id = partner_id
             WHERE sale_order.credit_uninvoiced > 0
               AND partner_id <> partner_invoice_id
               AND COALESCE(customer.credit_unit_id, customer.commercial_partner_id)
                   <> COALESCE(payer.credit_unit_id, payer.commercial_partner_id)
               AND %(of_member)s AND %(in_tree)s
             GROUP BY partner_invoice_id
            """,
            of_member=self._is_of_member(SQL("partner_invoice_id")),
            in_tree=self._is_in_tree(SQL("sale_order.company_id")),
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
