from odoo import fields, models
from odoo.tools import SQL


class CrmDeadlineReport(models.Model):
    """What became of the expected closings: one row for each opportunity, open, won, lost or archived.

    *Overdue* is as of today in the time zone of whoever reads the report: the query is made anew for each request.

    Every measure is right in any grouping: counts are added up; rates and lengths are averages, and opportunities that
    they do not apply to have no value, which leaves them out.
    """

    _name = "crm.deadline.report"
    _description = "Expected Closing Analysis"
    _inherit = ["crm.lead.report.mixin"]
    _auto = False
    _rec_name = "lead_id"
    _order = "date_deadline desc, id desc"
    _depends = {
        "crm.lead": [
            "deadline_missed_date",
            "deadline_push_count",
            "deadline_push_days",
            "initial_date_deadline",
            "stage_id",
        ]
    }

    stage_id = fields.Many2one("crm.stage", readonly=True)
    status = fields.Selection(
        [("open", "Open"), ("won", "Won"), ("lost", "Lost"), ("archived", "Archived")],
        readonly=True,
        help="Archived: put away without having been won or lost.",
    )
    initial_date_deadline = fields.Date("Initial Expected Closing", readonly=True)
    opportunity_count = fields.Integer("Opportunities", readonly=True)
    open_count = fields.Integer("Open", readonly=True)
    overdue_count = fields.Integer(
        "Overdue", readonly=True, help="Open, and the expected closing has passed, as of today in your time zone."
    )
    missed_count = fields.Integer(
        "Missed",
        readonly=True,
        help="An expected closing date passed while the opportunity was open. It may have been pushed since.",
    )
    pushed_count = fields.Integer("Pushed", readonly=True, help="The expected closing was moved to a later day.")
    push_count = fields.Integer("Times Pushed", readonly=True)
    missed_rate = fields.Float(
        "Missed (%)", readonly=True, aggregator="avg", help="Missed, of those that were ever expected on some day."
    )
    pushed_rate = fields.Float(
        "Pushed (%)", readonly=True, aggregator="avg", help="Pushed, of those that were ever expected on some day."
    )
    slip_days = fields.Float(
        "Average Slip",
        digits=(16, 1),
        readonly=True,
        aggregator="avg",
        help="By how many days in all a pushed one was moved later; the average of those that were pushed.",
    )
    overdue_days = fields.Float(
        "Days Overdue",
        digits=(16, 1),
        readonly=True,
        aggregator="avg",
        help="Days since the expected closing, as of today in your time zone; the average of those that are overdue.",
    )

    # ------------------------------------------------------------
    # Query
    # ------------------------------------------------------------

    def _select_columns(self):
        overdue, missed, pushed = self._is_overdue(), self._is_missed(), SQL("lead.deadline_push_count > 0")
        promised = SQL("COALESCE(lead.initial_date_deadline, lead.date_deadline) IS NOT NULL")
        today = fields.Date.context_today(self)
        return {
            **super()._select_columns(),
            "stage_id": SQL("lead.stage_id"),
            "initial_date_deadline": SQL("lead.initial_date_deadline"),
            "status": self._get_status(),
            "opportunity_count": SQL("1"),
            "open_count": SQL("(%s = 'open')::int", self._get_status()),
            "overdue_count": SQL("COALESCE(%s, FALSE)::int", overdue),
            "missed_count": SQL("COALESCE(%s, FALSE)::int", missed),
            "pushed_count": SQL("COALESCE(%s, FALSE)::int", pushed),
            "push_count": SQL("COALESCE(lead.deadline_push_count, 0)"),
            "missed_rate": SQL("CASE WHEN %s THEN COALESCE(%s, FALSE)::int END", promised, missed),
            "pushed_rate": SQL("CASE WHEN %s THEN COALESCE(%s, FALSE)::int END", promised, pushed),
            "slip_days": SQL("CASE WHEN %s THEN lead.deadline_push_days END", pushed),
            "overdue_days": SQL("CASE WHEN %s THEN %s - lead.date_deadline END", overdue, today),
        }

    def _get_status(self) -> SQL:
        return SQL(
            """
            CASE WHEN lead.won_status IN ('won', 'lost') THEN lead.won_status
                 WHEN lead.active THEN 'open'
                 ELSE 'archived'
            END
            """
        )

    def _is_overdue(self) -> SQL:
        """Condition: open, and its expected closing has passed where the reader is."""
        today = fields.Date.context_today(self)
        return SQL("(%s = 'open' AND lead.date_deadline < %s)", self._get_status(), today)

    def _is_missed(self) -> SQL:
        """Condition: as ``crm.lead.is_deadline_missed``, for the reader's day."""
        return SQL("(lead.deadline_missed_date IS NOT NULL OR %s)", self._is_overdue())

    def _where(self):
        """What was put away without being lost kept to its expected closing or did not, like the others."""
        return SQL("lead.type = 'opportunity'")
