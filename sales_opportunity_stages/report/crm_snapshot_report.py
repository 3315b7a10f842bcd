from odoo import fields, models
from odoo.tools import SQL


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
    _depends = {"crm.lead": ["expected_revenue"]}

    opportunity_count = fields.Integer("Opportunities", readonly=True)
    expected_revenue = fields.Monetary(
        "Revenue Then", readonly=True, help="Expected revenue, as it was on entering the stage where it stood."
    )
    current_revenue = fields.Monetary("Revenue Now", readonly=True, help="Expected revenue, as it is now.")
    days_in_stage = fields.Float(
        "Days in Stage",
        digits=(16, 1),
        readonly=True,
        aggregator="avg",
        depends_context=("snapshot_date", "tz"),
        help="Days from entering the stage until the end of the day, on average.",
    )

    def _get_moment(self):
        """The end of the chosen day, in UTC."""
        return self._get_day_end(self._get_chosen_day("snapshot_date", fields.Date.context_today(self)))

    def _select_columns(self):
        return {
            **super()._select_columns(),
            "opportunity_count": SQL("1"),
            "expected_revenue": SQL("visit.expected_revenue"),
            "current_revenue": SQL("lead.expected_revenue"),
            "days_in_stage": SQL("EXTRACT(EPOCH FROM %s - visit.date_start) / 86400", self._get_moment()),
        }

    def _where(self):
        return SQL(
            "%(where)s AND visit.date_start < %(moment)s AND (visit.date_end IS NULL OR visit.date_end >= %(moment)s)",
            where=super()._where(),
            moment=self._get_moment(),
        )
