import hashlib

from odoo import api, fields, models, tools
from odoo.tools import SQL

from ...tools.credit import CreditStanding, CreditTerms, Exposure


def _as_parameter(value):
    """Return a value that the database driver takes as an array, not as a list of values."""
    return list(value) if isinstance(value, tuple) else value


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
    def _get_standings(self, partner_ids, company, using=False, member_ids=(), day=None):
        """Whose credit each of these partners has, and where that unit stands as this transaction sees it.

        :param partner_ids: ids of ``res.partner``: companies or contacts, units or members
        :param company: the one that grants the credit, of the tree that is summed over
        :param bool using: the credit is going to be used: leave out who is granted it without limit and without term,
            and keep everybody else from using that of the others until the transaction ends
        :param member_ids: ids of the companies whose own amounts are wanted beside the sums; None for all members
        :param day: the date whose grants count; today, as the user has it, where none is given
        :returns: ``{partner id: CreditStanding}``, amounts in the currency of the company
        :raise SerializationFailure: with ``using``, when somebody else has used it since; Odoo then tries again
        """
        if not partner_ids:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT * FROM %s(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                SQL.identifier(self._get_function_name()),
                list(partner_ids),
                str(company.id),
                *self._get_default_terms(company.id),
                list(self._get_tree_ids(company.id)),
                using,
                not using,
                None if member_ids is None else list(member_ids),
                day or fields.Date.context_today(self),
                *map(_as_parameter, self._get_company_terms(company.id)),
            )
        )
        terms, members = {}, {}
        for unit_id, partner_id, limit, term_days, *amounts in rows:
            amounts, granted = amounts[:5], amounts[5:]
            if limit is None:
                members.setdefault(unit_id, []).append((partner_id, *amounts))
            else:
                terms[partner_id] = unit_id, self._make_terms(limit, term_days, *granted)
        exposures = {unit_id: self._make_exposure(members.get(unit_id, ())) for unit_id, _terms in terms.values()}
        return {
            partner_id: CreditStanding(unit_id, granted, exposures[unit_id])
            for partner_id, (unit_id, granted) in terms.items()
        }

    @api.model
    def _make_terms(self, limit, term_days, control, grace_days, basis, granted, grant_ids):
        return CreditTerms(limit, term_days, control, grace_days, basis, granted, tuple(grant_ids or ()))

    @api.model
    @tools.ormcache()
    def _is_any_unit_stopped(self):
        """Check whether any unit of the database gets no orders: then orders that add nothing are looked at, too."""
        ((stopped,),) = self.env.execute_query(
            SQL(
                """
                SELECT EXISTS (SELECT FROM res_partner WHERE credit_control::text LIKE '%%"stop"%%')
                    OR EXISTS (SELECT FROM ir_default
                                 JOIN ir_model_fields field ON field.id = ir_default.field_id
                                WHERE field.name = 'credit_control' AND ir_default.json_value = '"stop"')
                """
            )
        )
        return stopped

    @api.model
    @tools.ormcache("company_id")
    def _get_company_terms(self, company_id):
        """What the company says for every unit that says nothing else: control, ids of the companies whose limit counts
        (its own first), basis of the term, days of grace, tolerance."""
        # sudo: settings of a company that the user need not work in
        company = self.env["res.company"].sudo().browse(company_id)
        Partner = self.env["res.partner"].with_company(company_id)
        sources = company
        while sources[-1].credit_use_parent_limit and sources[-1].parent_id:
            sources += sources[-1].parent_id
        return (
            Partner._fields["credit_control"].get_company_dependent_fallback(Partner) or "limit",
            tuple(sources.mapped(lambda source: str(source.id))),
            company.credit_term_basis,
            company.credit_grace_days,
            company.credit_tolerance,
        )

    @api.model
    @tools.ormcache("company_id")
    def _get_default_terms(self, company_id):
        """What the company grants whoever it has granted nothing in particular: limit, term in days."""
        Partner = self.env["res.partner"].with_company(company_id)
        limits = (
            Partner._fields["credit_limit"].get_company_dependent_fallback(Partner.with_company(int(source)))
            for source in self._get_company_terms(company_id)[1]
        )
        term_days = Partner._fields["credit_term_days"].get_company_dependent_fallback(Partner)
        return next(filter(None, limits), 0.0), term_days

    @api.model
    @tools.ormcache("company_id")
    def _get_tree_ids(self, company_id):
        """Ids of the company and of all others under the same root. Odoo lets none of them move to another one."""
        # sudo: the tree is summed over, whichever of its companies the user works in
        Company = self.env["res.company"].sudo().with_context(active_test=False)
        return tuple(Company.search([("id", "child_of", Company.browse(company_id).root_id.id)]).ids)

    @api.model
    def _make_exposure(self, rows):
        """:param rows: (member id or None, receivable, uninvoiced, draft invoiced, oldest date, first date) each"""
        return Exposure(
            receivable=sum(row[1] for row in rows),
            uninvoiced=sum(row[2] for row in rows),
            draft_invoiced=sum(row[3] for row in rows),
            oldest_date=min((row[4] for row in rows if row[4]), default=None),
            first_date=min((row[5] for row in rows if row[5]), default=None),
            members={
                row[0]: {"receivable": row[1], "uninvoiced": row[2], "draft_invoiced": row[3]}
                for row in rows
                if row[0] and any(row[1:4])
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
                                                default_term int, tree_ids int[], using_credit boolean,
                                                with_dates boolean, detail_ids int[], as_of date,
                                                company_control text, limit_keys text[], company_basis text,
                                                company_grace int, company_tolerance float)
                RETURNS TABLE (unit_id int, partner_id int, credit_limit float, term_days int,
                               receivable float, uninvoiced float, draft_invoiced float,
                               oldest_date date, first_date date, credit_control text, grace_days int,
                               term_basis text, granted float, grant_ids int[])
                LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
                SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
                SET max_parallel_workers_per_gather = 0 SET jit = off
            AS $function$
                #variable_conflict use_column
                DECLARE
                    unit_ids int[];
                    member_ids int[];
                BEGIN
                    FOR unit_id, partner_id, credit_limit, term_days, credit_control, grace_days, term_basis, granted,
                        grant_ids IN %(standings)s LOOP
                        unit_ids := unit_ids || unit_id;
                        with_dates := with_dates OR term_days <> 0;
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
        """A row for each partner asked about: its unit, itself, and what the unit is granted: the limit with the grants
        of the day, the term, the control, the days of grace, the basis of the term, the amount granted on top and the
        grants.

        The grants are read by date here, so that nothing has to happen at midnight. Override it where somebody else
        grants the credit.
        """
        return SQL(
            """
            SELECT unit_id, partner_id, CASE WHEN credit_limit = 0 THEN 0 ELSE credit_limit + granted END, term_days,
                   control, grace, basis, CASE WHEN credit_limit = 0 THEN 0 ELSE granted END, grant_ids
              FROM (SELECT unit.id AS unit_id, partner.id AS partner_id, %(limit)s AS credit_limit,
                           COALESCE((unit.credit_term_days ->> company_key)::int, default_term) AS term_days,
                           COALESCE(unit.credit_control ->> company_key, company_control) AS control,
                           COALESCE(NULLIF((unit.credit_grace_days ->> company_key)::int, 0), company_grace) AS grace,
                           COALESCE(unit.credit_term_basis ->> company_key, company_basis) AS basis,
                           COALESCE(given.amount, 0) AS granted, given.ids AS grant_ids
                      FROM res_partner partner
                      JOIN res_partner unit ON unit.id = COALESCE(partner.credit_unit_id, partner.commercial_partner_id)
                 LEFT JOIN LATERAL (%(grants)s) given ON TRUE
                     WHERE partner.id = ANY(partner_ids)) AS standing
             WHERE credit_limit <> 0 OR term_days <> 0 OR control <> 'limit' OR NOT using_credit
            """,
            limit=self._get_permanent_limit(),
            grants=self._select_grants(),
        )

    @api.model
    def _get_permanent_limit(self):
        """The limit of the ``unit``: the company's own; for a branch that uses its parent's, the first that is set."""
        return SQL(
            """
            CASE WHEN CARDINALITY(limit_keys) = 1
                 THEN COALESCE((unit.credit_limit ->> company_key)::float, default_limit)
                 ELSE COALESCE(NULLIF((unit.credit_limit ->> limit_keys[1])::float, 0),
                               NULLIF((unit.credit_limit ->> limit_keys[2])::float, 0),
                               NULLIF((unit.credit_limit ->> limit_keys[3])::float, 0),
                               NULLIF((unit.credit_limit ->> limit_keys[4])::float, 0),
                               default_limit) END
            """
        )

    @api.model
    def _select_grants(self):
        """What the grants that hold on the day add to the limit of the ``unit``; several add up."""
        return SQL(
            """
            SELECT SUM(credit_grant.amount)::float AS amount, ARRAY_AGG(credit_grant.id ORDER BY credit_grant.id) AS ids
              FROM sale_credit_grant credit_grant
             WHERE credit_grant.unit_id = unit.id
               AND credit_grant.kind <> 'permanent'
               AND credit_grant.date_from <= as_of
               AND (credit_grant.date_to IS NULL OR credit_grant.date_to >= as_of)
               AND (credit_grant.company_id = ANY(limit_keys::int[])
                    OR credit_grant.company_id IS NULL AND credit_grant.root_company_id = ANY(tree_ids))
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
        """Rows of what each unit owes, per term, and since when. They add up to the unit; a member of ``detail_ids``
        has a row of its own, and each member of a unit of few partners: those are cheap to read and to keep.

        Unmatched payments and credit notes settle the oldest open items of the unit. ``oldest_date`` is the date from
        which on more than the company's tolerance is still open, ``first_date`` that of the oldest open item
        whether settled in this way or not.

        The members are an array, as are the companies, so that PostgreSQL reads each term through its partial index,
        however many members there are, instead of guessing how many rows a join will give.
        """
        return SQL(
            """
            SELECT unit_id, member_id, NULL::float, NULL::int, COALESCE(SUM(receivable), 0)::float,
                   COALESCE(SUM(uninvoiced), 0)::float, COALESCE(SUM(draft_invoiced), 0)::float,
                   MIN(document_date) FILTER (WHERE open_amount > %(tolerance)s),
                   MIN(document_date) FILTER (WHERE due > 0), NULL, NULL::int, NULL, NULL::float, NULL::int[]
              FROM (SELECT unit_id, member_id, receivable, uninvoiced, draft_invoiced, document_date, due,
                           SUM(due) OVER (PARTITION BY unit_id ORDER BY document_date)
                           + SUM(receivable) OVER (PARTITION BY unit_id)
                           - SUM(due) OVER (PARTITION BY unit_id) AS open_amount
                      FROM (SELECT COALESCE(partner.credit_unit_id, partner.commercial_partner_id) AS unit_id,
                                   CASE WHEN detail_ids IS NULL OR partner.commercial_partner_id = ANY(detail_ids)
                                             OR CARDINALITY(member_ids) <= 8
                                        THEN partner.commercial_partner_id END AS member_id,
                                   document_date, SUM(receivable) AS receivable, SUM(uninvoiced) AS uninvoiced,
                                   SUM(draft_invoiced) AS draft_invoiced, SUM(GREATEST(receivable, 0)) AS due
                              FROM (%(receivable)s UNION ALL %(uninvoiced)s UNION ALL %(billed_to)s
                                    UNION ALL %(draft_invoiced)s)
                                   AS term (partner_id, receivable, uninvoiced, draft_invoiced, document_date)
                              JOIN res_partner partner ON partner.id = term.partner_id
                             GROUP BY 1, 2, 3) AS dated) AS running
             GROUP BY unit_id, member_id
            """,
            receivable=self._select_receivable(),
            uninvoiced=self._select_uninvoiced(),
            billed_to=self._select_billed_to(),
            draft_invoiced=self._select_draft_invoiced(),
            tolerance=self._get_tolerance(),
        )

    @api.model
    def _get_tolerance(self):
        """The amount up to which no notice is taken of what is overdue: the unit's, or that of the company that grants
        the credit. A negative one of the unit is none."""
        return SQL(
            """
            (SELECT GREATEST(COALESCE(NULLIF((unit.credit_tolerance ->> company_key)::float, 0), company_tolerance), 0)
               FROM res_partner unit WHERE unit.id = running.unit_id)
            """
        )

    @api.model
    def _get_term_date(self):
        """The date of a receivable ``account_move_line`` that the term is counted from: the document's, or its own due
        date where the unit, or the company, counts from that one."""
        return SQL(
            """
            CASE WHEN partner_id = ANY(ARRAY(
                      SELECT member.id
                        FROM res_partner member
                        JOIN res_partner unit ON unit.id = COALESCE(member.credit_unit_id, member.commercial_partner_id)
                       WHERE member.id = ANY(CASE WHEN company_basis = 'due'
                                                    OR EXISTS (SELECT FROM res_partner unit
                                                                WHERE unit.id = ANY(unit_ids)
                                                                  AND unit.credit_term_basis ->> company_key = 'due')
                                                  THEN member_ids END)
                         AND COALESCE(unit.credit_term_basis ->> company_key, company_basis) = 'due'))
                 THEN COALESCE(date_maturity, invoice_date, date)
                 ELSE COALESCE(invoice_date, date) END
            """
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
        """Posted receivables that are still open, by date; payments and credit notes, which count against them, in rows
        of their own."""
        return SQL(
            """
            SELECT partner_id, SUM(amount_residual) AS receivable, NULL::numeric AS uninvoiced,
                   NULL::numeric AS draft_invoiced, CASE WHEN with_dates THEN %(term_date)s END AS document_date
              FROM account_move_line
             WHERE account_id = ANY(ARRAY(SELECT id FROM account_account WHERE account_type = 'asset_receivable'))
               AND %(of_member)s
               AND reconciled IS NOT TRUE
               AND parent_state = 'posted'
               AND amount_residual <> 0
               AND %(in_tree)s
             GROUP BY partner_id, 5, CASE WHEN with_dates THEN amount_residual > 0 END
            """,
            term_date=self._get_term_date(),
            of_member=self._is_of_member(SQL("partner_id")),
            in_tree=self._is_in_tree(SQL("company_id")),
        )

    @api.model
    def _select_uninvoiced(self):
        """Confirmed orders of the members that are not wholly invoiced."""
        return SQL(
            """
            SELECT partner_id, NULL::numeric, SUM(credit_uninvoiced), NULL::numeric, NULL::date
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
            SELECT partner_invoice_id, NULL::numeric, SUM(sale_order.credit_uninvoiced), NULL::numeric, NULL::date
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
        """Draft customer invoices, as far as no order still carries the amount."""
        return SQL(
            "SELECT partner_id, NULL::numeric, NULL::numeric, SUM(amount), NULL::date FROM (%s) draft"
            " GROUP BY partner_id",
            self._select_drafts(
                SQL(
                    "%s AND %s",
                    self._is_of_member(SQL("move.partner_id")),
                    self._is_in_tree(SQL("move.company_id")),
                )
            ),
        )

    @api.model
    def _select_drafts(self, condition):
        """A row for each draft customer invoice: its id, partner and amount in the currency of the company.

        Its lines that an order carries are left out. Where none is, the total of the invoice counts as it is.

        :param SQL condition: on ``account_move`` as ``move``
        """
        return SQL(
            """
            SELECT move.id, move.partner_id,
                   CASE WHEN COALESCE(carried.amount, 0) = 0 THEN move.amount_total_signed
                        WHEN total.amount - carried.amount < currency.rounding THEN 0
                        ELSE ROUND((total.amount - carried.amount)
                                   / COALESCE(NULLIF(move.invoice_currency_rate, 0), 1)::numeric,
                                   company_currency.decimal_places) END AS amount
              FROM account_move move
              JOIN res_currency currency ON currency.id = move.currency_id
              JOIN res_company company ON company.id = move.company_id
              JOIN res_currency company_currency ON company_currency.id = company.currency_id
              JOIN LATERAL (SELECT COALESCE(SUM(price_total), 0) AS amount
                              FROM account_move_line
                             WHERE move_id = move.id AND display_type = 'product') total ON TRUE
         LEFT JOIN LATERAL (%(carried)s) carried ON TRUE
             WHERE move.state = 'draft'
               AND move.move_type IN ('out_invoice', 'out_receipt')
               AND %(condition)s
            """,
            carried=self._select_carried(),
            condition=condition,
        )

    @api.model
    def _select_carried(self):
        """What confirmed orders carry of the draft ``move``, in its currency.

        An order carries a line up to what that has left to invoice, earlier drafts of it first, and down payments as
        long as any of its lines has something left. A difference of less than a unit of the currency is a rounding.
        """
        return SQL(
            """
            SELECT SUM(CASE WHEN line.is_downpayment THEN
                                 CASE WHEN EXISTS (SELECT FROM sale_order_line other
                                                    WHERE other.order_id = line.order_id
                                                      AND other.credit_uninvoiced <> 0)
                                      THEN line.amount ELSE 0 END
                            WHEN line.amount > 0 THEN
                                 CASE WHEN line.amount <= line.uninvoiced + currency.rounding THEN line.amount
                                      ELSE GREATEST(line.uninvoiced, 0) END
                            WHEN line.amount >= line.uninvoiced - currency.rounding THEN line.amount
                            ELSE LEAST(line.uninvoiced, 0) END) AS amount
              FROM (SELECT order_line.order_id, order_line.is_downpayment, SUM(draft_line.price_total) AS amount,
                           order_line.credit_uninvoiced
                           * CASE WHEN order_line.currency_id = move.currency_id THEN 1
                                  ELSE COALESCE(NULLIF(move.invoice_currency_rate, 0), 1)
                                       / COALESCE(NULLIF(sale_order.currency_rate, 0), 1) END::numeric
                           - COALESCE((SELECT SUM(earlier.price_total)
                                         FROM sale_order_line_invoice_rel rel
                                         JOIN account_move_line earlier ON earlier.id = rel.invoice_line_id
                                         JOIN account_move earlier_move ON earlier_move.id = earlier.move_id
                                        WHERE rel.order_line_id = order_line.id
                                          AND earlier_move.id < move.id
                                          AND earlier_move.state = 'draft'
                                          AND earlier_move.move_type IN ('out_invoice', 'out_receipt')), 0)
                           AS uninvoiced
                      FROM account_move_line draft_line
                      JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = draft_line.id
                      JOIN sale_order_line order_line ON order_line.id = rel.order_line_id
                      JOIN sale_order ON sale_order.id = order_line.order_id
                     WHERE draft_line.move_id = move.id AND sale_order.state = 'sale'
                     GROUP BY order_line.id, sale_order.id) line
            """
        )
