from collections import Counter
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

HISTORY_DAYS = 365
MOST_ORDERS = 5000


class SaleCreditDryRun(models.TransientModel):
    """Policy lab: the same limit, term, tolerance or control, on the confirmations of the last 12 months.

    What was owed at each confirmation is what its credit decision says; where there is none, it is worked out from the
    documents: entries until then, payments matched until then, orders confirmed and invoiced until then.
    """

    _inherit = "sale.credit.dry.run"

    unit_id = fields.Many2one(required=False)
    for_all = fields.Boolean("All Credit Units", help="Try it on every unit, instead of one.")
    with_history = fields.Boolean("Last 12 Months", help="Try it on the confirmations of the last 12 months as well.")
    credit_control = fields.Selection(
        [("limit", "By Limit"), ("cash", "Cash Only"), ("stop", "Stopped")], default="limit", required=True
    )
    credit_tolerance = fields.Monetary("Overdue Tolerance", help="Overdue amount up to which nothing is stopped.")
    replay_count = fields.Integer("Confirmed Orders", compute="_compute_replay", compute_sudo=True)
    stopped_count = fields.Integer("Would Have Been Stopped", compute="_compute_replay", compute_sudo=True)
    stopped_amount = fields.Monetary("Amount Stopped", compute="_compute_replay", compute_sudo=True)
    stopped_on_time_count = fields.Integer("Paid on Time", compute="_compute_replay", compute_sudo=True)
    stopped_late_count = fields.Integer("Paid Late", compute="_compute_replay", compute_sudo=True)
    stopped_unpaid_count = fields.Integer("Unpaid and Overdue", compute="_compute_replay", compute_sudo=True)
    stopped_open_count = fields.Integer("Not Due or Not Invoiced", compute="_compute_replay", compute_sudo=True)
    stopped_order_ids = fields.Many2many(
        "sale.order", compute="_compute_replay", compute_sudo=True, string="Would Have Been Stopped Each"
    )

    @api.depends(
        "unit_id", "for_all", "with_history", "credit_limit", "credit_term_days", "credit_control", "credit_tolerance"
    )
    def _compute_replay(self):
        for wizard in self:
            rows = wizard._replay() if wizard.with_history and (wizard.for_all or wizard.unit_id) else []
            stopped = [row for row in rows if wizard._would_stop(row)]
            outcomes = Counter(row["outcome"] for row in stopped)
            wizard.replay_count, wizard.stopped_count = len(rows), len(stopped)
            wizard.stopped_amount = sum(row["documents"] for row in stopped)
            wizard.stopped_on_time_count = outcomes["on_time"]
            wizard.stopped_late_count = outcomes["late"]
            wizard.stopped_unpaid_count = outcomes["unpaid"]
            wizard.stopped_open_count = outcomes["open"]
            orders = self.env["sale.order"].browse(row["order_id"] for row in stopped)
            wizard.stopped_order_ids = orders.sudo(False)._filtered_access("read").ids

    def _would_stop(self, row):
        """Check whether what is tried would have stopped a confirmation."""
        compare = self.env.company.currency_id.compare_amounts
        if self.credit_control == "stop":
            return True
        ceiling = 0.0 if self.credit_control == "cash" else self.credit_limit
        is_limited = self.credit_control == "cash" or self.credit_limit
        over = is_limited and compare(row["exposure"] + row["documents"], ceiling) > 0
        return bool(over or (self.credit_term_days and compare(row["late"], self.credit_tolerance) > 0))

    def _replay(self):
        """Return a dict for each confirmed order: what it came to, what was owed and late then, and its outcome."""
        self.env.flush_all()
        unit = SQL("TRUE") if self.for_all else SQL("unit.id = %s", self.unit_id._get_credit_unit().id)
        company = self.env.company
        grace = company.credit_grace_days
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT ordered.order_id,
                       COALESCE(logged.documents, ordered.amount)::float AS documents,
                       COALESCE(logged.exposure, 0
                                + COALESCE(owed.amount, 0) + COALESCE(open_orders.amount, 0))::float AS exposure,
                       GREATEST(COALESCE(owed.late, 0) - COALESCE(owed.credit, 0), 0)::float AS late,
                       COALESCE(came.outcome, 'open') AS outcome
                  FROM (%(ordered)s) ordered
             LEFT JOIN LATERAL (%(logged)s) logged ON TRUE
             LEFT JOIN LATERAL (%(owed)s) owed ON TRUE
             LEFT JOIN LATERAL (%(open_orders)s) open_orders ON logged.exposure IS NULL
             LEFT JOIN LATERAL (%(came)s) came ON TRUE
                """,
                ordered=self._select_ordered(company, unit),
                logged=self._select_logged(),
                owed=self._select_owed(company, self.credit_term_days + grace),
                open_orders=self._select_open_orders(),
                came=self._select_outcome(),
            )
        )

    @api.model
    def _select_ordered(self, company, unit):
        """Return the orders confirmed in the last 12 months, with their unit and what they come to."""
        return SQL(
            """
            SELECT sale_order.id AS order_id, unit.id AS unit_id, sale_order.date_order, sale_order.company_id,
                   sale_order.amount_total / COALESCE(NULLIF(sale_order.currency_rate, 0), 1)::numeric AS amount
              FROM sale_order
              JOIN res_partner customer ON customer.id = sale_order.partner_id
              JOIN res_partner unit ON unit.id = COALESCE(customer.credit_unit_id, customer.commercial_partner_id)
             WHERE sale_order.state = 'sale' AND sale_order.amount_total > 0
               AND sale_order.company_id = %(company)s AND sale_order.date_order >= %(since)s AND %(unit)s
             ORDER BY sale_order.date_order DESC
             LIMIT %(most)s
            """,
            company=company.id,
            since=fields.Datetime.now() - timedelta(days=HISTORY_DAYS),
            unit=unit,
            most=MOST_ORDERS,
        )

    @api.model
    def _select_logged(self):
        """Return what the first decision on an order that let it pass says."""
        return SQL(
            """
            SELECT decision.documents, decision.exposure - decision.documents AS exposure
              FROM sale_credit_check decision
              JOIN sale_credit_check_sale_order_rel rel ON rel.sale_credit_check_id = decision.id
             WHERE rel.sale_order_id = ordered.order_id AND decision.unit_id = ordered.unit_id
               AND decision.result IN ('passed', 'warned', 'released')
               AND decision.origin IN ('confirm', 'portal', 'payment')
             ORDER BY decision.id
             LIMIT 1
            """
        )

    @api.model
    def _select_owed(self, company, days):
        """Return what the unit owed when an order was confirmed: all of it, what was late, and unmatched payments.

        :param int days: the term and the days of grace
        """
        return SQL(
            """
            SELECT SUM(item.residual) AS amount,
                   SUM(item.residual) FILTER (WHERE item.residual > 0
                                                AND item.counted_from < ordered.date_order::date - %(days)s) AS late,
                   -SUM(item.residual) FILTER (WHERE item.residual < 0) AS credit
              FROM (SELECT COALESCE(line.invoice_date, line.date) AS counted_from,
                           line.balance
                           - COALESCE((SELECT SUM(amount) FROM account_partial_reconcile
                                        WHERE debit_move_id = line.id AND max_date <= ordered.date_order::date), 0)
                           + COALESCE((SELECT SUM(amount) FROM account_partial_reconcile
                                        WHERE credit_move_id = line.id AND max_date <= ordered.date_order::date), 0)
                           AS residual
                      FROM res_partner member
                      JOIN account_move_line line ON line.partner_id = member.id
                      JOIN account_account account ON account.id = line.account_id
                     WHERE COALESCE(member.credit_unit_id, member.commercial_partner_id) = ordered.unit_id
                       AND account.account_type = 'asset_receivable'
                       AND line.parent_state = 'posted'
                       AND line.company_id = ANY(%(tree)s)
                       AND (line.date < ordered.date_order::date
                            OR line.date = ordered.date_order::date AND line.create_date < ordered.date_order)) item
            """,
            days=days,
            tree=list(self.env["sale.credit.exposure"]._get_tree_ids(company.id)),
        )

    @api.model
    def _select_open_orders(self):
        """Return what earlier orders of the unit had left to invoice when an order was confirmed."""
        return SQL(
            """
            SELECT SUM(GREATEST(other.amount_total / COALESCE(NULLIF(other.currency_rate, 0), 1)::numeric
                                - COALESCE(invoiced.amount, 0), 0)) AS amount
              FROM res_partner member
              JOIN sale_order other ON other.partner_id = member.id
         LEFT JOIN LATERAL (SELECT SUM(-item.balance * (1 + COALESCE(item.price_total / NULLIF(item.price_subtotal, 0)
                                                                     - 1, 0))) AS amount
                              FROM sale_order_line line
                              JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = line.id
                              JOIN account_move_line item ON item.id = rel.invoice_line_id
                             WHERE line.order_id = other.id AND item.parent_state = 'posted'
                               AND item.date <= ordered.date_order::date) invoiced ON TRUE
             WHERE COALESCE(member.credit_unit_id, member.commercial_partner_id) = ordered.unit_id
               AND other.state = 'sale' AND other.id <> ordered.order_id AND other.date_order < ordered.date_order
            """
        )

    @api.model
    def _select_outcome(self):
        """Return what came of an order: its invoices were paid on time, late, or not at all though they are due."""
        return SQL(
            """
            SELECT CASE WHEN BOOL_OR(item.residual > 0 AND item.due < CURRENT_DATE) THEN 'unpaid'
                        WHEN BOOL_OR(item.residual > 0) THEN 'open'
                        WHEN BOOL_OR(item.paid > item.due) THEN 'late'
                        WHEN COUNT(*) > 0 THEN 'on_time' END AS outcome
              FROM (SELECT DISTINCT receivable.id, receivable.amount_residual AS residual,
                           COALESCE(receivable.date_maturity, receivable.date) AS due,
                           (SELECT MAX(max_date) FROM account_partial_reconcile
                             WHERE debit_move_id = receivable.id) AS paid
                      FROM sale_order_line line
                      JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = line.id
                      JOIN account_move_line item ON item.id = rel.invoice_line_id
                      JOIN account_move_line receivable ON receivable.move_id = item.move_id
                      JOIN account_account account ON account.id = receivable.account_id
                     WHERE line.order_id = ordered.order_id AND receivable.parent_state = 'posted'
                       AND account.account_type = 'asset_receivable' AND receivable.balance > 0) item
            """
        )
