from odoo import fields, models
from odoo.tools import SQL

BUCKETS = 10


class CrmCalibrationReport(models.Model):
    """How well the probabilities forecast: one row for each closed opportunity and each stage that it had been in.

    ========== ==========================================================================================
    forecast   the probability on first entering the stage: the stage's, the learned one or Odoo's scoring
    outcome    1 if the opportunity was won in the end, 0 if it was lost
    bias       forecast - outcome: on average too hopeful above 0, too cautious below
    Brier      (forecast - outcome)²; G. W. Brier, "Verification of forecasts expressed in terms of probability",
               Monthly Weather Review 78 (1950), 1-3
    ========== ==========================================================================================

    All are means over the rows of a group, whatever it is grouped by: each forecast counts once, against its outcome.

    Of the stages of the type that the opportunity has now, as in the funnel. A stay whose forecast is not known is left
    out: in a won stage, reconstructed from before the add-on was there, or where the scoring had nothing to go by.
    """

    _name = "crm.calibration.report"
    _description = "Forecast Calibration"
    _inherit = ["crm.lead.report.mixin"]
    _auto = False
    _rec_name = "lead_id"
    _order = "date_closed desc, id desc"
    _depends = {
        "crm.lead": ["date_closed"],
        "crm.stage.visit": ["date_start", "lead_id", "opportunity_type_id", "probability", "stage_id"],
    }

    stage_id = fields.Many2one("crm.stage", readonly=True)
    date_start = fields.Datetime("Forecast On", readonly=True, help="When the opportunity first entered the stage.")
    date_closed = fields.Datetime("Closed On", readonly=True)
    bucket = fields.Selection(
        [(str(n), f"{100 // BUCKETS * n}–{100 // BUCKETS * (n + 1)} %") for n in range(BUCKETS)],
        "Forecast Range",
        readonly=True,
        help="In ten equal ranges. Of what was forecast within one, about as much should have been won.",
    )
    forecast_count = fields.Integer(
        "Forecasts", readonly=True, help="One for each closed opportunity and stage that it had been in."
    )
    opportunity_count = fields.Integer(
        "Opportunities", readonly=True, help="Each is counted once in any group, however many stages it had been in."
    )
    forecast = fields.Float(
        readonly=True, aggregator="avg", help="Average of the probabilities that were given on entering the stages."
    )
    outcome = fields.Float(
        readonly=True, aggregator="avg", help="Won / (Won + Lost), over the same forecasts, so that the two compare."
    )
    bias = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Forecast - Outcome. Above 0 % the forecasts were too hopeful, below it too cautious.",
    )
    brier_score = fields.Float(
        digits=(16, 3),
        readonly=True,
        aggregator="avg",
        help="Average of (forecast - outcome)², with 1 for won and 0 for lost. 0 is perfect; saying 50 % of everything "
        "scores 0.25.",
    )

    # ------------------------------------------------------------
    # Query
    # ------------------------------------------------------------

    def _select_columns(self):
        forecast, outcome = SQL("stay.probability / 100"), SQL("(lead.won_status = 'won')::int")
        return {
            **super()._select_columns(),
            "id": SQL("stay.id"),
            "stage_id": SQL("stay.stage_id"),
            "date_start": SQL("stay.date_start"),
            "date_closed": SQL("lead.date_closed"),
            "bucket": SQL("LEAST(FLOOR(stay.probability * %s / 100), %s)::varchar", BUCKETS, BUCKETS - 1),
            "forecast_count": SQL("1"),
            "opportunity_count": SQL("1"),
            "forecast": forecast,
            "outcome": outcome,
            "bias": SQL("%s - %s", forecast, outcome),
            "brier_score": SQL("(%s - %s) ^ 2", forecast, outcome),
        }

    def _from(self):
        return SQL(
            """
            %s
            JOIN (%s) stay ON stay.lead_id = lead.id AND stay.opportunity_type_id = lead.opportunity_type_id
            """,
            super()._from(),
            self._get_first_stays(),
        )

    def _get_first_stays(self) -> SQL:
        """The first stay in each stage with a forecast, in each type."""
        return SQL(
            """
            SELECT DISTINCT ON (lead_id, opportunity_type_id, stage_id)
                   id, lead_id, opportunity_type_id, stage_id, date_start, probability
              FROM crm_stage_visit
             WHERE probability IS NOT NULL AND stage_id IS NOT NULL
             ORDER BY lead_id, opportunity_type_id, stage_id, id
            """
        )

    def _where(self):
        return SQL("%s AND lead.won_status IN ('won', 'lost')", super()._where())

    # ------------------------------------------------------------
    # Aggregates
    # ------------------------------------------------------------

    def _get_aggregates(self):
        opportunities = SQL("COUNT(DISTINCT %s)", self._column("lead_id"))
        return {**super()._get_aggregates(), "opportunity_count": opportunities}
