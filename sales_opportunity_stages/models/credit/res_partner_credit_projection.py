from datetime import timedelta

from markupsafe import Markup

from odoo import fields, models
from odoo.tools import SQL, format_amount, format_date, format_list

from ...tools.credit_projection import CreditEvent, CreditProjection

HISTORY_DAYS = 365
FEW_PAYMENTS = 3
MOST_DOCUMENTS = 1000
"""The oldest ones of each kind: a date that rests on more of them says nothing."""


class ResPartner(models.Model):
    """When an order could be confirmed: the exposure of a unit, projected from what is expected to be paid and when.

    A receivable is expected on its due date plus the usual delay of its customer, an order on its delivery date plus
    its payment terms plus that delay. What is later than usual already is not foreseen at all.
    """

    _inherit = "res.partner"

    def _get_credit_projection(self, amount=0.0):
        """Return the credit that this unit has available from today on, as its documents are expected to be paid.

        :param float amount: ends the list with the first date on which so much is available; 0 gives all of it
        :returns: ``(date, available, document)`` each, by date, in the currency of the company in force. The document
            is the invoice, the order or the grant that makes the difference, an empty order for today. Nothing, where
            the unit has no limit.
        """
        self.ensure_one()
        unit = self._get_credit_unit()
        projection = unit._project_credit(self.env.company)
        if not projection.is_limited:
            return []
        rows = [(projection.today, projection.available, self.env["sale.order"])]
        for event in projection.events:
            if amount and rows[-1][1] >= amount:
                break
            rows.append((event.date, rows[-1][1] + event.amount, event.document))
        return rows

    def _project_credit(self, company):
        """Return the :class:`CreditProjection` of this unit in a company. Superuser mode."""
        today = fields.Date.context_today(self)
        # sudo: the sum is over what everybody has sold, in the whole company tree
        unit = self.sudo().with_company(company)
        standing = self.env["sale.credit.exposure"].sudo()._get_standings(unit.ids, company)[unit.id]
        terms, exposure = standing.terms, standing.exposure
        delays = unit._get_payment_delays(company)
        events = [
            *unit._project_receivables(company, terms, delays),
            *unit._project_orders(company, delays),
            *unit._project_drafts(company, delays),
            *unit._project_grants(company, today),
        ]
        return CreditProjection(
            today=today,
            available=terms.ceiling - exposure.total,
            is_limited=terms.is_limited,
            all_events=events,
            delays=delays,
        )

    # ------------------------------------------------------------
    # Delays
    # ------------------------------------------------------------

    def _get_payment_delays(self, company):
        """Return ``{id of a member: (days, number of payments)}``: the median days after the due date on which its
        documents were paid in the last 12 months, and how many payments it rests on."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT member_id, ROUND(PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY delay))::int, COUNT(*)
                  FROM (%s) paid
                 GROUP BY member_id
                """,
                self._select_paid_items(company),
            )
        )
        return {member_id: (delay, count) for member_id, delay, count in rows}

    def _select_paid_items(self, company):
        """Return a row for each receivable of the members that was paid in the last 12 months, with its delay."""
        member_ids = self._get_credit_members().ids
        return SQL(
            """
            SELECT partner.commercial_partner_id AS member_id, line.id, line.move_id, line.debit AS amount,
                   payment.date, payment.date - COALESCE(line.date_maturity, line.date) AS delay
              FROM account_move_line line
              JOIN account_account account ON account.id = line.account_id
              JOIN res_partner partner ON partner.id = line.partner_id
              JOIN LATERAL (SELECT MAX(max_date) AS date FROM account_partial_reconcile
                             WHERE debit_move_id = line.id) payment ON TRUE
             WHERE account.account_type = 'asset_receivable'
               AND partner.commercial_partner_id = ANY(%(members)s)
               AND line.company_id = ANY(%(tree)s)
               AND line.reconciled
               AND line.parent_state = 'posted'
               AND line.debit > 0
               AND payment.date >= %(since)s
            """,
            members=member_ids,
            tree=list(self.env["sale.credit.exposure"]._get_tree_ids(company.id)),
            since=fields.Date.context_today(self) - timedelta(days=HISTORY_DAYS),
        )

    # ------------------------------------------------------------
    # What is expected
    # ------------------------------------------------------------

    def _project_receivables(self, company, terms, delays):
        """Yield an event for each open receivable; unmatched payments and credit notes settle the oldest ones first."""
        domain = self.with_company(company)._get_credit_document_domain("account.move.line")
        lines = self.env["account.move.line"].search(domain, order="date_maturity, id", limit=MOST_DOCUMENTS)
        credit = -sum(line.amount_residual for line in lines if line.amount_residual < 0)
        for line in lines.filtered(lambda line: line.amount_residual > 0):
            settled = min(credit, line.amount_residual)
            credit -= settled
            left = company.currency_id.round(line.amount_residual - settled)
            if not left:
                continue
            due = line.date_maturity or line.invoice_date or line.date
            counted = due if terms.basis == "due" else line.invoice_date or line.date
            late_after = counted + timedelta(days=terms.term_days + terms.grace_days) if terms.term_days else None
            delay, _count = delays.get(line.partner_id.commercial_partner_id.id, (0, 0))
            yield CreditEvent(due + timedelta(days=max(delay, 0)), left, line.move_id, due, late_after, payable=True)

    def _project_orders(self, company, delays):
        """Yield an event for each confirmed order that is not wholly invoiced."""
        orders = self.env["sale.order"].search(
            self.with_company(company)._get_credit_document_domain("sale.order"),
            order="date_order, id",
            limit=MOST_DOCUMENTS,
        )
        today = fields.Date.context_today(self)
        for order in orders:
            delivered = order.commitment_date or order.date_order
            day = fields.Date.to_date(delivered) or today
            due = max((line._get_due_date(day) for line in order.payment_term_id.line_ids), default=day)
            delay, _count = delays.get(order.partner_invoice_id.commercial_partner_id.id, (0, 0))
            yield CreditEvent(due + timedelta(days=max(delay, 0)), order.credit_uninvoiced, order, due)

    def _project_drafts(self, company, delays):
        """Yield an event for each draft invoice, as far as no order carries it."""
        domain = self.with_company(company)._get_credit_document_domain("account.move")
        moves = self.env["account.move"].search(domain, limit=MOST_DOCUMENTS)
        today = fields.Date.context_today(self)
        for move in moves:
            due = max(move.invoice_date_due or today, today)
            delay, _count = delays.get(move.commercial_partner_id.id, (0, 0))
            yield CreditEvent(due + timedelta(days=max(delay, 0)), move.credit_draft_invoiced, move, due)

    def _project_grants(self, company, today):
        """Yield an event for each grant that begins or ends."""
        grants = self.env["sale.credit.grant"].search(
            [
                ("unit_id", "=", self.id),
                ("kind", "!=", "permanent"),
                ("company_id", "in", (False, company.id)),
                "|",
                ("date_to", ">=", today),
                ("date_from", ">", today),
            ]
        )
        for grant in grants:
            if grant.date_from > today:
                yield CreditEvent(grant.date_from, grant.amount, grant)
            if grant.date_to:
                yield CreditEvent(grant.date_to + timedelta(days=1), -grant.amount, grant)

    # ------------------------------------------------------------
    # What is said
    # ------------------------------------------------------------

    def _describe_projection(self, company, amount):
        """Return sentences that say when so much more would fit, and what it rests on.

        Documents and their amounts are named to users who may read the documents.

        :param float amount: in the company's currency
        """
        self.ensure_one()
        if not amount:
            return []
        # sudo: dates follow from all documents; they are named only to who may read them
        projection = self.sudo()._project_credit(company)
        compare = company.currency_id.compare_amounts
        day = projection.find_date(amount, compare)
        sentences = []
        if projection.fits_now(amount, compare):
            sentences.append(self.env._("It fits today."))
        elif day:
            sentences.append(self.env._("It is expected to fit on %s.", format_date(self.env, day)))
        else:
            sentences.append(self.env._("No date can be foreseen on which it fits."))
        documents = projection.find_documents(amount, compare)
        if documents and all(event.document.sudo(False).has_access("read") for event in documents):
            sentences.append(self._say_documents(company, documents))
        return [*sentences, self._say_delays(projection)]

    def _say_documents(self, company, events):
        names = [
            self.env._(
                "%(document)s (%(amount)s, due %(date)s)",
                document=event.document.name,
                amount=format_amount(self.env, event.amount, company.currency_id),
                date=format_date(self.env, event.due_date),
            )
            for event in events
        ]
        return self.env._("It fits today if this is paid: %s.", format_list(self.env, names))

    def _say_delays(self, projection):
        """Return what the dates rest on."""
        count = sum(count for _delay, count in projection.delays.values())
        if not count:
            return self.env._("No payment of the last 12 months is known: due dates are taken as they are.")
        delay = round(sum(delay * number for delay, number in projection.delays.values()) / count)
        if count < FEW_PAYMENTS:
            return self.env._(
                "This is uncertain: the usual delay of %(days)s days rests on %(count)s payments in the last 12 "
                "months.",
                days=delay,
                count=count,
            )
        return self.env._(
            "The usual delay of %(days)s days rests on %(count)s payments in the last 12 months.",
            days=delay,
            count=count,
        )

    def _describe_payment_record(self, company):
        """Return HTML that says how late the unit pays on average, and its last payments."""
        self.ensure_one()
        # sudo: credit managers decide by it and need not have access to accounting; the field has its groups
        unit = self.sudo()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT paid.date, paid.amount, paid.delay, move.name, AVG(paid.delay) OVER (), COUNT(*) OVER ()
                  FROM (%s) paid
                  JOIN account_move move ON move.id = paid.move_id
                 ORDER BY paid.date DESC, paid.id DESC
                 LIMIT 5
                """,
                unit._select_paid_items(company),
            )
        )
        if not rows:
            return Markup("<p>%s</p>") % self.env._("No payment in the last 12 months.")
        summary = self.env._(
            "Average delay: %(days)s days, from %(count)s payments in the last 12 months.",
            days=round(rows[0][4]),
            count=rows[0][5],
        )
        lines = Markup().join(
            Markup("<li>%s</li>")
            % self.env._(
                "%(date)s: %(document)s, %(amount)s, %(days)s days after the due date",
                date=format_date(self.env, day),
                document=name,
                amount=format_amount(self.env, float(amount), company.currency_id),
                days=delay,
            )
            for day, amount, delay, name, _average, _count in rows
        )
        return Markup("<p>%s</p><ul>%s</ul>") % (summary, lines)
