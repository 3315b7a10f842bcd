from odoo import fields, models
from odoo.tools import SQL


class CrmPipelineReport(models.Model):
    """What opportunities come to: one row for each that is open, won or lost.

    Amounts and counts add up in any grouping; rates and lengths are averages over the opportunities that they apply to.

    Velocity = open opportunities × win rate × average won amount / average won cycle, each of the group: what the
    pipeline brings in a day. A cycle of hours, as of what is entered once it is won, is taken as a day: it says nothing
    about how often such a win can be had.
    """

    _name = "crm.pipeline.report"
    _description = "Pipeline Analysis by Opportunity"
    _inherit = ["crm.lead.report.mixin"]
    _auto = False
    _rec_name = "lead_id"
    _order = "date_deadline desc, id desc"
    _depends = {
        "crm.lead": ["expected_revenue", "lost_reason_id", "prorated_revenue", "stage_id"],
        "crm.stage.visit": ["date_end", "lead_id", "outcome"],
    }

    stage_id = fields.Many2one("crm.stage", readonly=True, help="Where it stands now.")
    lost_reason_id = fields.Many2one("crm.lost.reason", readonly=True)
    opportunity_count = fields.Integer("Opportunities", readonly=True)
    open_count = fields.Integer("Open", readonly=True)
    won_count = fields.Integer("Won", readonly=True)
    lost_count = fields.Integer("Lost", readonly=True)
    expected_revenue = fields.Monetary(readonly=True)
    prorated_revenue = fields.Monetary("Weighted Revenue", readonly=True, help="Expected revenue × probability.")
    won_revenue = fields.Monetary(readonly=True, help="Expected revenue of what was won.")
    ordered_revenue = fields.Monetary(
        readonly=True,
        help="Total without taxes of the confirmed orders of what was won, in company currency at the rate of the "
        "order date.",
    )
    invoiced_revenue = fields.Monetary(
        readonly=True,
        help="What of these orders has been invoiced, without taxes, in company currency at the rate of the order "
        "date.",
    )
    order_difference = fields.Monetary(
        "Ordered - Won",
        readonly=True,
        help="Ordered revenue - won revenue: how far orders differ from what was expected.",
    )
    lost_revenue = fields.Monetary(readonly=True, help="Expected revenue of what was lost.")
    win_rate = fields.Float(readonly=True, aggregator="avg", help="Won / (Won + Lost).")
    won_amount = fields.Monetary(
        "Average Won", readonly=True, aggregator="avg", help="Won revenue / number of opportunities won."
    )
    cycle_days = fields.Float(
        "Won Cycle",
        digits=(16, 1),
        readonly=True,
        aggregator="avg",
        help="Days from creation until it was won, the last time; the average of those that were won.",
    )
    velocity = fields.Monetary(
        "Velocity per Day",
        readonly=True,
        aggregator="avg",
        help="Open opportunities × win rate × average won amount / average won cycle in days, of a day at least: what "
        "the pipeline brings in a day. Empty where nothing has been won, and for several currencies together.",
    )

    # ------------------------------------------------------------
    # Query
    # ------------------------------------------------------------

    def _select_columns(self):
        won, lost = SQL("lead.won_status = 'won'"), SQL("lead.won_status = 'lost'")
        return {
            **super()._select_columns(),
            "stage_id": SQL("lead.stage_id"),
            "lost_reason_id": SQL("lead.lost_reason_id"),
            "opportunity_count": SQL("1"),
            "open_count": SQL("(lead.won_status = 'pending')::int"),
            "won_count": SQL("(%s)::int", won),
            "lost_count": SQL("(%s)::int", lost),
            "expected_revenue": SQL("lead.expected_revenue"),
            "prorated_revenue": SQL("lead.prorated_revenue"),
            "won_revenue": SQL("CASE WHEN %s THEN lead.expected_revenue ELSE 0 END", won),
            **self._select_orders(won),
            "lost_revenue": SQL("CASE WHEN %s THEN lead.expected_revenue ELSE 0 END", lost),
            "win_rate": SQL("CASE WHEN %s THEN 1 WHEN %s THEN 0 END", won, lost),
            "won_amount": SQL("CASE WHEN %s THEN lead.expected_revenue END", won),
            "cycle_days": self._get_cycle(),
            "velocity": SQL("NULL::numeric"),
        }

    def _select_orders(self, won) -> dict[str, SQL]:
        """What was ordered and invoiced of won opportunities."""
        ordered, invoiced = (
            SQL("CASE WHEN %s THEN COALESCE(%s.amount, 0) ELSE 0 END", won, SQL.identifier(alias))
            for alias in ("ordered", "invoiced")
        )
        return {
            "ordered_revenue": ordered,
            "invoiced_revenue": invoiced,
            "order_difference": SQL("%s - CASE WHEN %s THEN lead.expected_revenue ELSE 0 END", ordered, won),
        }

    def _get_cycle(self) -> SQL:
        """Days from the creation of a won opportunity until it was won, empty for others."""
        return SQL("CASE WHEN lead.won_status = 'won' THEN EXTRACT(EPOCH FROM win.date - lead.create_date) / 86400 END")

    def _get_joins(self):
        return {
            **super()._get_joins(),
            **self._get_order_joins(),
            "win": SQL("LEFT JOIN (%s) win ON win.lead_id = lead.id", self._get_wins()),
        }

    def _get_wins(self) -> SQL:
        """Return when opportunities were won, the last time."""
        return SQL("SELECT lead_id, MAX(date_end) AS date FROM crm_stage_visit WHERE outcome = 'won' GROUP BY lead_id")

    def _get_aggregates(self):
        return {
            **super()._get_aggregates(),
            "velocity": SQL(
                "SUM(%s) * AVG(%s) * AVG(%s) / GREATEST(AVG(%s), 1)",
                *map(self._column, ("open_count", "win_rate", "won_amount", "cycle_days")),
            ),
        }
