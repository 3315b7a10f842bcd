from odoo import fields, models
from odoo.tools import SQL

DAY = ("snapshot_date", "tz")  # what the figures of a row depend on


class CrmSnapshotReport(models.Model):
    """The pipeline as it stood at the end of a day: one row for each opportunity that was open then, where it stood.

    The day is ``snapshot_date`` in the context, else today. A stay counts from its start up to but without its end, so
    what was won or lost on that day is not in the pipeline any more.
    """

    _name = "crm.snapshot.report"
    _description = "Pipeline as of a Day"
    _inherit = ["crm.stage.history.report.mixin"]
    _auto = False
    _rec_name = "lead_id"
    _order = "date_start desc, id desc"
    opportunity_count = fields.Integer("Opportunities", readonly=True)
    expected_revenue = fields.Monetary(
        "Revenue Then",
        readonly=True,
        depends_context=DAY,
        help="Expected revenue, as it was when the day ended.",
    )
    prorated_revenue = fields.Monetary(
        "Weighted Revenue Then",
        readonly=True,
        depends_context=DAY,
        help="Expected revenue × probability, as they were when the day ended.",
    )
    probability_then = fields.Float(readonly=True, aggregator="avg", depends_context=DAY, help="In percent.")
    current_revenue = fields.Monetary("Revenue Now", readonly=True, help="Expected revenue, as it is now.")
    days_in_stage = fields.Float(
        "Days in Stage",
        digits=(16, 1),
        readonly=True,
        aggregator="avg",
        depends_context=DAY,
        help="Days from entering the stage until the end of the day, on average.",
    )

    def _get_moment(self):
        """The end of the chosen day, in UTC."""
        return self._get_day_end(self._get_chosen_day("snapshot_date", fields.Date.context_today(self)))

    def _get_moments(self):
        return {"then": self._get_moment()}

    def _select_columns(self):
        revenue, probability = (self._get_value_at("then", name) for name in ("expected_revenue", "probability"))
        return {
            **super()._select_columns(),
            "visit_user_id": self._get_value_at("then", "user_id"),
            "team_then_id": self._get_value_at("then", "team_id"),
            "deadline_then": self._get_value_at("then", "date_deadline"),
            "opportunity_count": SQL("1"),
            "expected_revenue": revenue,
            "probability_then": SQL("(%s)::float8", probability),
            "prorated_revenue": SQL("ROUND((%s) * (%s)::numeric / 100, 2)", revenue, probability),
            "current_revenue": SQL("lead.expected_revenue"),
            "days_in_stage": SQL("EXTRACT(EPOCH FROM %s - visit.date_start) / 86400", self._get_moment()),
        }

    def _where(self):
        return SQL(
            "%(where)s AND visit.date_start < %(moment)s AND (visit.date_end IS NULL OR visit.date_end >= %(moment)s)",
            where=super()._where(),
            moment=self._get_moment(),
        )
