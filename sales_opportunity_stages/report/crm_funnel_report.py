from odoo import api, fields, models
from odoo.tools import SQL

STAGE_BITS = 20  # of the id of a row; the opportunity has the others


class CrmFunnelReport(models.Model):
    """The funnel: one row for each opportunity and each stage that it has reached.

    Stages are ranked within the type as :class:`StageMap` ranks them today; won is the last. The *furthest* stage of an
    opportunity is the one of highest rank that it has ever been in while it had its present type
    (``crm.lead.furthest_stage_id``); a won one has come all the way. Then, for a stage s:

    ============== ======================================== =====================================
    reached        rank(s) ≤ rank(furthest)                 = advanced + lost_here + pending + won at the last stage
    touched        has been in s                            reached = touched + inferred
    advanced       rank(s) < rank(furthest)                 = reached of the next stage
    lost_here      lost, and s is the furthest
    pending        open, and s is the furthest
    step rate      advanced / reached, except of the last stage
    resolved rate  advanced / (advanced + lost_here)
    win rate       won / (won + lost), of what reached s
    days in stage  days of ended stays / number of ended stays
    ============== ======================================== =====================================

    In any grouping a rate is that ratio of the sums over the rows of the group. What counts opportunities
    (``opportunity_count``, ``won``, ``win_rate``) counts each once, however many stages of it are in the group.

    Opportunities that have been in no stage of their type, or have none, are in no funnel.
    """

    _name = "crm.funnel.report"
    _description = "Funnel Analysis"
    _inherit = ["crm.lead.report.mixin"]
    _auto = False
    _rec_name = "lead_id"
    _order = "date_deadline desc, id desc"
    _depends = {
        "crm.lead": ["expected_revenue", "furthest_stage_id", "prorated_revenue"],
        "crm.stage.visit": ["date_end", "duration_days", "lead_id", "opportunity_type_id", "stage_id"],
    }

    stage_id = fields.Many2one("crm.stage", readonly=True)
    reached = fields.Integer(
        readonly=True,
        help="Opportunities that have come to this stage or further, be it that they skipped it or fell back since. "
        "Reached = Advanced + Lost Here + Pending, and in the last stage + Won.",
    )
    touched = fields.Integer(readonly=True, help="Of those that reached the stage, those that have been in it.")
    inferred = fields.Integer(
        readonly=True, help="Of those that reached the stage, those that skipped it or started behind it."
    )
    advanced = fields.Integer(
        readonly=True, help="Of those that reached the stage, those that have come further: Reached of the next stage."
    )
    lost_here = fields.Integer(readonly=True, help="Lost, and this stage is the furthest that they had come to.")
    pending = fields.Integer(
        readonly=True, help="Open, and this stage is the furthest that they have come to, wherever they stand now."
    )
    won = fields.Integer(
        readonly=True, help="Won, of the opportunities that reached the stage. Each is counted once in any group."
    )
    opportunity_count = fields.Integer(
        "Opportunities", readonly=True, help="Each is counted once in any group, however many stages it reached."
    )
    expected_revenue = fields.Monetary(
        readonly=True,
        help="Expected revenue of what reached the stage. Read it by stage: without the stage among the groups an "
        "opportunity counts once for each stage that it reached.",
    )
    prorated_revenue = fields.Monetary(
        "Weighted Revenue",
        readonly=True,
        help="Expected revenue × probability of what reached the stage. Read it by stage: without the stage among the "
        "groups an opportunity counts once for each stage that it reached.",
    )
    step_rate = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Advanced / Reached: how many of those that reached the stage have come to the next one. The last stage "
        "has none, and is left out where stages are taken together.",
    )
    resolved_rate = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Advanced / (Advanced + Lost Here): as the step rate, without those that are still undecided.",
    )
    win_rate = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Won / (Won + Lost), of the closed opportunities that reached the stage. Each is counted once in any "
        "group.",
    )
    days_in_stage = fields.Float(
        "Days in Stage",
        digits=(16, 1),
        readonly=True,
        aggregator="avg",
        help="Days of ended stays in the stage / number of ended stays. A stay that goes on is not counted.",
    )

    # ------------------------------------------------------------
    # Query
    # ------------------------------------------------------------

    def _select_columns(self):
        return {
            **super()._select_columns(),
            "id": SQL("(lead.id::bigint << %s) + stage.stage_id", STAGE_BITS),
            "stage_id": SQL("stage.stage_id"),
            "expected_revenue": SQL("lead.expected_revenue"),
            "prorated_revenue": SQL("lead.prorated_revenue"),
            **self._select_counts(),
            **self._select_rates(),
            "ended_stays": SQL("stay.ended"),
            "ended_days": SQL("stay.days"),
        }

    def _select_counts(self) -> dict[str, SQL]:
        """The measures that a sum adds up, 0 or 1 in each row."""
        is_furthest = SQL("NOT %s", self._has_advanced())
        return {
            "reached": SQL("1"),
            "touched": SQL("(stay.lead_id IS NOT NULL)::int"),
            "inferred": SQL("(stay.lead_id IS NULL)::int"),
            "advanced": SQL("%s::int", self._has_advanced()),
            "lost_here": SQL("(lead.won_status = 'lost' AND %s)::int", is_furthest),
            "pending": SQL("(lead.won_status = 'pending' AND %s)::int", is_furthest),
            "won": SQL("(lead.won_status = 'won')::int"),
            "opportunity_count": SQL("1"),
        }

    def _select_rates(self) -> dict[str, SQL]:
        """The measures that are averages, empty in the rows that they do not apply to."""
        advanced = self._has_advanced()
        return {
            "step_rate": SQL("CASE WHEN NOT stage.is_last THEN %s::int END", advanced),
            "resolved_rate": SQL("CASE WHEN %s THEN 1 WHEN lead.won_status = 'lost' THEN 0 END", advanced),
            "win_rate": SQL("CASE lead.won_status WHEN 'won' THEN 1 WHEN 'lost' THEN 0 END"),
            "days_in_stage": SQL("stay.days / NULLIF(stay.ended, 0)"),
        }

    def _has_advanced(self) -> SQL:
        """Condition: the opportunity has come further than the stage of the row."""
        return SQL("(stage.rank < furthest.rank OR (lead.won_status = 'won' AND NOT stage.is_last))")

    def _from(self):
        return SQL(
            """
            %(lead)s
            JOIN %(ranks)s AS furthest (opportunity_type_id, stage_id, rank, is_last)
              ON furthest.opportunity_type_id = lead.opportunity_type_id
             AND furthest.stage_id = lead.furthest_stage_id
            JOIN %(ranks)s AS stage (opportunity_type_id, stage_id, rank, is_last)
              ON stage.opportunity_type_id = lead.opportunity_type_id
             AND (stage.rank <= furthest.rank OR lead.won_status = 'won')
            LEFT JOIN (%(stays)s) AS stay
              ON stay.lead_id = lead.id
             AND stay.opportunity_type_id = lead.opportunity_type_id
             AND stay.stage_id = stage.stage_id
            """,
            lead=super()._from(),
            ranks=self._get_ranks(),
            stays=self._get_stays(),
        )

    def _get_ranks(self) -> SQL:
        """The stages of each type, with their rank in it and whether it is the last: from the map that the gate and the
        kanban ask too, so that nobody disagrees about the order."""
        rows = self.env["crm.opportunity.type"]._get_stage_map().ranked_stages()
        columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
        return SQL("UNNEST(%s::int[], %s::int[], %s::int[], %s::bool[])", *map(list, columns))

    def _get_stays(self) -> SQL:
        """What the opportunity's stays in a stage come to. The database leaves it out where no measure asks for it."""
        return SQL(
            """
            SELECT lead_id, opportunity_type_id, stage_id, COUNT(date_end) AS ended, SUM(duration_days) AS days
              FROM crm_stage_visit
             GROUP BY lead_id, opportunity_type_id, stage_id
            """
        )

    # ------------------------------------------------------------
    # Aggregates
    # ------------------------------------------------------------

    def _get_aggregates(self):
        won, closed = self._column("won"), self._column("win_rate")
        return {
            **super()._get_aggregates(),
            "opportunity_count": self._count_opportunities(SQL("TRUE")),
            "won": self._count_opportunities(SQL("%s = 1", won)),
            "win_rate": SQL(
                "%s::float / NULLIF(%s, 0)",
                self._count_opportunities(SQL("%s = 1", won)),
                self._count_opportunities(SQL("%s IS NOT NULL", closed)),
            ),
            "days_in_stage": SQL(
                "SUM(%s) / NULLIF(SUM(%s), 0)", self._column("ended_days"), self._column("ended_stays")
            ),
        }

    def _count_opportunities(self, condition) -> SQL:
        """Number of different opportunities in the group that the condition holds for.

        Where the groups are stages, an opportunity has one row in each: counting rows is the same, and much faster.
        """
        if self.env.context.get("funnel_grouped_by_stage"):
            return SQL("COUNT(*) FILTER (WHERE %s)", condition)
        return SQL("COUNT(DISTINCT %s) FILTER (WHERE %s)", self._column("lead_id"), condition)

    @api.model
    def _read_group(self, domain, groupby=(), *args, **kwargs):
        return super(CrmFunnelReport, self._with_grain([groupby]))._read_group(domain, groupby, *args, **kwargs)

    @api.model
    def _read_grouping_sets(self, domain, grouping_sets, *args, **kwargs):
        by_stage = self._with_grain(grouping_sets)
        return super(CrmFunnelReport, by_stage)._read_grouping_sets(domain, grouping_sets, *args, **kwargs)

    def _with_grain(self, grouping_sets):
        """Know for :meth:`_count_opportunities` whether the stage is in all of the groupings."""
        return self.with_context(funnel_grouped_by_stage=all("stage_id" in groupby for groupby in grouping_sets))

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_open_lead(self):
        """Told from the id of the row, without searching the funnel for it."""
        self.ensure_one()
        return self.env["crm.lead"].browse(self.id >> STAGE_BITS).get_formview_action()
