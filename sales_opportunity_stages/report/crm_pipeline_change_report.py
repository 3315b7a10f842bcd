from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

PERIOD = ("change_date_from", "change_date_to", "tz")  # what the figures of a row depend on
DAYS = 7
SPLIT_BY = ("user_id", "team_id", "date_deadline")  # beside type and stage


def _count(label, **kwargs):
    return fields.Integer(label, readonly=True, depends_context=PERIOD, **kwargs)


def _revenue(label, **kwargs):
    return fields.Monetary(label, readonly=True, depends_context=PERIOD, **kwargs)


class CrmPipelineChangeReport(models.Model):
    """What changed in the pipeline since a day: each opportunity as it was at the start and as it is at the end.

    The period is from the start of ``change_date_from`` to the end of ``change_date_to`` in the context, else the last
    seven days. What happened in between is netted: only the two ends are compared. In any filter and grouping, for
    counts and for revenue::

        at start + new + reopened + moved + bigger - smaller - won - lost - left = at end

    Salesperson, team, type, stage and expected closing are those of the row. An opportunity for which one of them
    changed has two rows: with the old values it was there at the start and moved out, with the new ones it moved in and
    is there at the end. *Moved* of a whole opportunity is 0, so it shows where figures are grouped or filtered by what
    changed.

    Pulled in, pushed out, moved back, advanced and handed over say what else changed of what is there at both ends;
    they are no part of the sum.
    """

    _name = "crm.pipeline.change.report"
    _description = "Pipeline Changes"
    _inherit = ["crm.stage.history.report.mixin"]
    _auto = False
    _rec_name = "lead_id"
    _order = "lead_id desc, id desc"
    _depends = {"crm.stage": ["is_won", "sequence"]}

    opportunity_type_id = fields.Many2one("crm.opportunity.type", readonly=True, depends_context=PERIOD)
    stage_id = fields.Many2one("crm.stage", readonly=True, depends_context=PERIOD)
    date_start = fields.Datetime("Entered", readonly=True, depends_context=PERIOD)
    date_end = fields.Datetime("Left", readonly=True, depends_context=PERIOD)
    result = fields.Selection(
        [("there", "In Pipeline"), ("won", "Won"), ("lost", "Lost"), ("left", "Left"), ("moved", "Moved")],
        "Outcome",
        readonly=True,
        depends_context=PERIOD,
        help="What became of it by the end. Moved: this is the row with the old values.",
    )
    expected_revenue = _revenue(
        "Revenue Then", help="Expected revenue at the end; of the row with the old values, at the start."
    )
    start_count = _count("At Start", help="Was in the pipeline when the first day began.")
    new_count = _count("New", help="Was never in the pipeline before, also where it was converted from a lead.")
    reopened_count = _count("Reopened", help="Had been won, lost or made a lead before.")
    moved_count = _count(
        "Moved", help="Came from (+) or went to (-) another salesperson, team, type, stage or expected closing."
    )
    bigger_count = _count("Bigger", help="Expected revenue is higher than at the start.")
    smaller_count = _count("Smaller", help="Expected revenue is lower than at the start.")
    won_count = _count("Won")
    lost_count = _count("Lost")
    left_count = _count("Left Pipeline", help="Was made a lead again, or has no stage any more.")
    end_count = _count(
        "At End", help="In the pipeline when the last day ended: At Start + New + Reopened + Moved - Won - Lost - Left."
    )
    pulled_in_count = _count("Pulled In", help="Expected closing is earlier than at the start.")
    pushed_out_count = _count("Pushed Out", help="Expected closing is later than at the start.")
    moved_back_count = _count("Moved Back", help="Stands in an earlier stage than at the start.")
    advanced_count = _count("Advanced", help="Stands in a later stage than at the start.")
    handed_over_count = _count("Handed Over", help="Another salesperson is responsible.")
    start_revenue = _revenue("Revenue at Start", help="Expected revenue, as it was when the first day began.")
    new_revenue = _revenue("New Revenue")
    reopened_revenue = _revenue("Reopened Revenue")
    moved_revenue = _revenue("Moved Revenue", help="In (+) and out (-), at the expected revenue of the start.")
    bigger_revenue = _revenue("Revenue Bigger", help="By how much it is higher than at the start.")
    smaller_revenue = _revenue("Revenue Smaller", help="By how much it is lower than at the start.")
    won_revenue = _revenue("Won Revenue", help="Expected revenue at the end of what was won.")
    lost_revenue = _revenue("Lost Revenue", help="Expected revenue at the end of what was lost.")
    left_revenue = _revenue("Left Revenue")
    end_revenue = _revenue(
        "Revenue at End",
        help="At Start + New + Reopened + Moved + Bigger - Smaller - Won - Lost - Left.",
    )
    pulled_in_revenue = _revenue("Pulled In Revenue")
    pushed_out_revenue = _revenue("Pushed Out Revenue")
    moved_back_revenue = _revenue("Moved Back Revenue")
    advanced_revenue = _revenue("Advanced Revenue")
    handed_over_revenue = _revenue("Handed Over Revenue")

    # ------------------------------------------------------------
    # Period
    # ------------------------------------------------------------

    def _get_moments(self):
        last = self._get_chosen_day("change_date_to", fields.Date.context_today(self))
        first = self._get_chosen_day("change_date_from", last - timedelta(days=DAYS - 1))
        return {"start": self._get_day_start(first), "end": self._get_day_end(last)}

    # ------------------------------------------------------------
    # Rows
    # ------------------------------------------------------------

    def _from(self):
        return SQL(
            """
            %(leads)s
            JOIN (%(spans)s) span ON span.lead_id = lead.id
            CROSS JOIN (VALUES (TRUE), (FALSE)) side (is_start)
            """,
            leads=self._from_leads(),
            spans=self._select_spans(),
        )

    def _select_spans(self) -> SQL:
        """Return of each opportunity with a stay in the period: the stay at the start, and the last one."""
        return SQL(
            """
            SELECT lead_id,
                   BOOL_OR(date_start < %(start)s) AS was_there,
                   BOOL_OR(date_end IS NULL OR date_end >= %(end)s) AS is_there,
                   MIN(id) AS first_id,
                   MAX(id) AS last_id,
                   MAX(id) FILTER (WHERE date_start < %(start)s) AS start_id
              FROM crm_stage_visit
             WHERE date_start < %(end)s AND (date_end IS NULL OR date_end >= %(start)s)
             GROUP BY lead_id
            """,
            **self._get_moments(),
        )

    def _get_joins(self):
        """``first_visit`` is the stay at the start, ``last_visit`` the last one, ``previous`` the one before them."""
        return {
            **super()._get_joins(),
            "first_visit": SQL("LEFT JOIN crm_stage_visit first_visit ON first_visit.id = span.start_id"),
            "last_visit": SQL("LEFT JOIN crm_stage_visit last_visit ON last_visit.id = span.last_id"),
            "first_stage": SQL("LEFT JOIN crm_stage first_stage ON first_stage.id = first_visit.stage_id"),
            "last_stage": SQL("LEFT JOIN crm_stage last_stage ON last_stage.id = last_visit.stage_id"),
            "previous": SQL(
                """
                LEFT JOIN LATERAL (SELECT outcome
                                     FROM crm_stage_visit
                                    WHERE lead_id = span.lead_id AND id < span.first_id AND NOT span.was_there
                                    ORDER BY id DESC
                                    LIMIT 1) previous ON TRUE
                """
            ),
        }

    def _where(self):
        """What was neither there at the start nor is at the end counts, unless it ended as it had ended before."""
        return SQL(
            """
            %(where)s
            AND (span.was_there OR span.is_there OR previous.outcome IS DISTINCT FROM last_visit.outcome)
            AND (NOT side.is_start OR span.was_there AND %(is_split)s)
            """,
            where=super()._where(),
            is_split=self._is_split(),
        )

    def _is_split(self) -> SQL:
        """Return whether what figures are grouped by differs between the ends."""
        differences = [
            SQL("%s IS DISTINCT FROM %s", self._get_value_at("start", name), self._get_value_at("end", name))
            for name in SPLIT_BY
        ]
        return SQL(
            "(first_visit.stage_id IS DISTINCT FROM last_visit.stage_id"
            " OR first_visit.opportunity_type_id IS DISTINCT FROM last_visit.opportunity_type_id OR %s)",
            SQL(" OR ").join(differences),
        )

    # ------------------------------------------------------------
    # Columns
    # ------------------------------------------------------------

    def _select_columns(self):
        counts = self._get_counts()
        return {
            **super()._select_columns(),
            **self._select_sides(),
            "result": SQL(
                """
                CASE WHEN side.is_start THEN 'moved' WHEN span.is_there THEN 'there'
                     WHEN last_visit.outcome IN ('won', 'lost') THEN last_visit.outcome ELSE 'left' END
                """
            ),
            **{f"{name}_count": count for name, count in counts.items()},
            **self._select_revenues(counts),
        }

    def _select_sides(self) -> dict[str, SQL]:
        """Columns that are of the start in the row of what moved out, and of the end in all others."""
        pairs = {
            "stage_id": (SQL("first_visit.stage_id"), SQL("last_visit.stage_id")),
            "opportunity_type_id": (SQL("first_visit.opportunity_type_id"), SQL("last_visit.opportunity_type_id")),
            "date_start": (SQL("first_visit.date_start"), SQL("last_visit.date_start")),
            "date_end": (SQL("first_visit.date_end"), SQL("last_visit.date_end")),
            "expected_revenue": tuple(self._get_value_at(moment, "expected_revenue") for moment in ("start", "end")),
        }
        for column, name in (
            ("visit_user_id", "user_id"),
            ("team_then_id", "team_id"),
            ("deadline_then", "date_deadline"),
        ):
            pairs[column] = (self._get_value_at("start", name), self._get_value_at("end", name))
        return {
            "id": SQL("span.last_id * 2 + side.is_start::int"),
            **{name: SQL("CASE WHEN side.is_start THEN %s ELSE %s END", *pair) for name, pair in pairs.items()},
        }

    def _get_counts(self) -> dict[str, SQL]:
        """``{name: 0 or 1}``, of *moved* also -1."""
        start, end = (self._get_value_at(moment, "expected_revenue") for moment in ("start", "end"))
        closing, closed = (self._get_value_at(moment, "date_deadline") for moment in ("start", "end"))
        last = SQL("NOT side.is_start")
        came = SQL("%s AND NOT span.was_there", last)
        went = SQL("%s AND NOT span.is_there", last)
        stayed = SQL("%s AND span.was_there AND span.is_there", last)
        conditions = {
            "start": SQL("span.was_there AND (side.is_start OR NOT %s)", self._is_split()),
            "new": SQL("%s AND previous.outcome IS NULL", came),
            "reopened": SQL("%s AND previous.outcome IS NOT NULL", came),
            "bigger": SQL("%s AND span.was_there AND %s > %s", last, end, start),
            "smaller": SQL("%s AND span.was_there AND %s < %s", last, end, start),
            "won": SQL("%s AND last_visit.outcome = 'won'", went),
            "lost": SQL("%s AND last_visit.outcome = 'lost'", went),
            "left": SQL("%s AND last_visit.outcome NOT IN ('won', 'lost')", went),
            "end": SQL("%s AND span.is_there", last),
            "pulled_in": SQL("%s AND %s < %s", stayed, closed, closing),
            "pushed_out": SQL("%s AND %s > %s", stayed, closed, closing),
            "moved_back": SQL("%s AND %s", stayed, self._compare_stages(SQL("<"))),
            "advanced": SQL("%s AND %s", stayed, self._compare_stages(SQL(">"))),
            "handed_over": SQL(
                "%s AND %s IS DISTINCT FROM %s",
                stayed,
                self._get_value_at("start", "user_id"),
                self._get_value_at("end", "user_id"),
            ),
        }
        moved = SQL("CASE WHEN side.is_start THEN -1 WHEN span.was_there AND %s THEN 1 ELSE 0 END", self._is_split())
        counts = {name: SQL("COALESCE(%s, FALSE)::int", condition) for name, condition in conditions.items()}
        return {**counts, "moved": moved}

    def _compare_stages(self, operator) -> SQL:
        """Return whether the last stage comes before (``<``) or after (``>``) the first, as ``StageMap`` has them."""
        last, first = (
            SQL("(COALESCE(%(stage)s.is_won, FALSE), %(stage)s.sequence, %(stage)s.id)", stage=SQL.identifier(alias))
            for alias in ("last_stage", "first_stage")
        )
        return SQL(
            "first_visit.opportunity_type_id = last_visit.opportunity_type_id AND %s %s %s", last, operator, first
        )

    def _select_revenues(self, counts) -> dict[str, SQL]:
        """What was there counts at its revenue of the start, what came, went or is there at that of the end."""
        start, end = (
            SQL("COALESCE(%s, 0)", self._get_value_at(moment, "expected_revenue")) for moment in ("start", "end")
        )
        amounts = dict.fromkeys(counts, end) | {
            "start": start,
            "moved": start,
            "bigger": SQL("(%s - %s)", end, start),
            "smaller": SQL("(%s - %s)", start, end),
        }
        return {f"{name}_revenue": SQL("%s * %s", counts[name], amount) for name, amount in amounts.items()}
