from odoo import fields, models
from odoo.tools import SQL


class CrmStageVisitReport(models.Model):
    """How long opportunities stay in a stage, and where they go from there: one row for each stay.

    ============= ===================================================================================
    days          length of an ended stay: its mean, its median, and their sum
    open days     age of a stay that goes on, apart
    to            the stage of the next stay, where this one ended with a move: to a loss there is no stage
    ============= ===================================================================================

    Stays of archived opportunities are left out, unless these were lost.
    """

    _name = "crm.stage.visit.report"
    _description = "Stage Visit Analysis"
    _inherit = ["crm.lead.report.mixin"]
    _auto = False
    _rec_name = "lead_id"
    _order = "date_start desc, id desc"
    _depends = {
        "crm.stage.visit": [
            "date_end",
            "date_start",
            "duration_days",
            "lead_id",
            "moved_by_id",
            "opportunity_type_id",
            "outcome",
            "stage_id",
            "trigger",
            "user_id",
        ],
    }

    stage_id = fields.Many2one("crm.stage", readonly=True)
    to_stage_id = fields.Many2one("crm.stage", "Moved To", readonly=True)
    visit_user_id = fields.Many2one("res.users", "Salesperson Then", readonly=True)
    moved_by_id = fields.Many2one("res.users", readonly=True, help="Who brought it into the stage.")
    date_start = fields.Datetime("Entered", readonly=True)
    date_end = fields.Datetime("Left", readonly=True)
    outcome = fields.Selection(
        selection=lambda self: self.env["crm.stage.visit"]._fields["outcome"].selection, readonly=True
    )
    trigger = fields.Selection(
        selection=lambda self: self.env["crm.stage.visit"]._fields["trigger"].selection, readonly=True
    )
    visit_count = fields.Integer("Stays", readonly=True)
    move_count = fields.Integer("Moves", readonly=True, help="Visits that ended with a move to another stage.")
    ended_count = fields.Integer("Ended Visits", readonly=True)
    open_count = fields.Integer("Open Stays", readonly=True)
    duration_days = fields.Float(
        "Average Days", digits=(16, 1), readonly=True, aggregator="avg", help="Average length of the ended visits."
    )
    median_days = fields.Float(
        digits=(16, 1), readonly=True, aggregator="avg", help="Median length of the ended visits."
    )
    total_days = fields.Float(digits=(16, 1), readonly=True, help="Total length of all ended visits.")
    open_days = fields.Float(
        "Average Open Days",
        digits=(16, 1),
        readonly=True,
        aggregator="avg",
        help="Average time in the stage of the opportunities that are in it.",
    )

    # ------------------------------------------------------------
    # Query
    # ------------------------------------------------------------

    def _select_columns(self):
        return {
            **super()._select_columns(),
            **{name: SQL("visit.%s", SQL.identifier(name)) for name in self._get_visit_fields()},
            "visit_user_id": SQL("visit.user_id"),
            "to_stage_id": self._get_next_stage(),
            "visit_count": SQL("1"),
            "move_count": SQL("(%s IS NOT NULL)::int", self._get_next_stage()),
            "ended_count": SQL("(visit.date_end IS NOT NULL)::int"),
            "open_count": SQL("(visit.date_end IS NULL)::int"),
            "duration_days": self._get_days(),
            "median_days": self._get_days(),
            "total_days": self._get_days(),
            "open_days": SQL(
                "CASE WHEN visit.date_end IS NULL THEN EXTRACT(EPOCH FROM %s - visit.date_start) / 86400 END",
                fields.Datetime.now(),
            ),
        }

    def _get_visit_fields(self) -> list[str]:
        """Columns that are shown as they are on the stay; the type is the one of then."""
        return ["id", "opportunity_type_id", "stage_id", "moved_by_id", "date_start", "date_end", "outcome", "trigger"]

    def _get_days(self) -> SQL:
        return SQL("CASE WHEN visit.date_end IS NOT NULL THEN visit.duration_days END")

    def _get_next_stage(self) -> SQL:
        """Where a stay that ended with a move led to."""
        return SQL("CASE WHEN visit.outcome NOT IN ('open', 'lost') THEN visit.next_stage_id END")

    def _from(self):
        return SQL("%s JOIN (%s) visit ON visit.lead_id = lead.id", super()._from(), self._get_visits())

    def _get_visits(self) -> SQL:
        """The stays, each with the stage of the next one. The database leaves that out where nothing asks for it."""
        return SQL(
            """
            SELECT *, LEAD(stage_id) OVER (PARTITION BY lead_id ORDER BY id) AS next_stage_id
              FROM crm_stage_visit
            """
        )

    def _get_aggregates(self):
        median = SQL("PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY %s)", self._column("median_days"))
        return {**super()._get_aggregates(), "median_days": median}
