from odoo import fields, models
from odoo.tools import SQL

from .crm_stage_history_report_mixin import LEDGER_COLUMNS

ENTRIES = {
    "created_count": "created",
    "reopened_count": "reopened",
    "moved_in_count": "moved",
    "handed_in_count": "handed",
}
EXITS = {
    "advanced_count": "advanced",
    "regressed_count": "regressed",
    "won_count": "won",
    "lost_count": "lost",
    "handed_out_count": "handoff",
}
PERIOD = ("flow_date_from", "flow_date_to", "tz")  # what the figures of a row depend on


def _count(label, **kwargs):
    return fields.Integer(label, readonly=True, depends_context=PERIOD, **kwargs)


def _revenue(label, **kwargs):
    return fields.Monetary(label, readonly=True, depends_context=PERIOD, **kwargs)


class CrmFlowReport(models.Model):
    """What came into the pipeline and what left it between two days: one row for each stay that the period touches.

    The period is from the start of ``flow_date_from`` to the end of ``flow_date_to`` in the context, else this month up
    to today. Each stay counts 0 or 1, and so it holds in any grouping::

        at start + in - out = at end
        in  = created + reopened + moved in + handed in
        out = advanced + regressed + won + lost + handed out

    Revenue is that of each moment, so there is what changes in between: at start + in + changed - out = at end.
    Salesperson, team and expected closing are those of when it left the stage, or of the end of the period.

    An opportunity that goes through several stages enters and leaves each; by type what moved in is what moved out of
    other stages. A win is counted in the stage that it was won from: the stay in the won stage that follows, which
    starts and ends at once, is left out.
    """

    _name = "crm.flow.report"
    _description = "Pipeline Flow"
    _inherit = ["crm.stage.history.report.mixin"]
    _auto = False
    _rec_name = "lead_id"
    _order = "date_start desc, id desc"
    _depends = {"crm.stage": ["is_won"]}

    entry = fields.Selection(
        [
            ("stock", "There at Start"),
            ("created", "Created"),
            ("reopened", "Reopened"),
            ("moved", "Moved In"),
            ("handed", "Type Changed (In)"),
        ],
        readonly=True,
        depends_context=PERIOD,
        help="How it came into the stage, if it did so in the period.",
    )
    exit = fields.Selection(
        [
            ("stock", "In Progress"),
            ("advanced", "Advanced"),
            ("regressed", "Moved Back"),
            ("won", "Won"),
            ("lost", "Lost"),
            ("handoff", "Type Changed (Out)"),
        ],
        readonly=True,
        depends_context=PERIOD,
        help="How it left the stage, if it did so in the period.",
    )
    start_count = _count("At Start", help="Stood there when the first day began.")
    created_count = _count("Created", help="New opportunities, also those converted from a lead.")
    reopened_count = _count("Reopened", help="Had been won, lost or made a lead before.")
    moved_in_count = _count("Moved In", help="Came from another stage of the same type, forward or back.")
    handed_in_count = _count("Type Changed (In)", help="Came from another type.")
    in_count = _count("In", help="Created + Reopened + Moved In + Type Changed (In).")
    advanced_count = _count("Advanced", help="Went on to a later stage.")
    regressed_count = _count("Moved Back", help="Moved back to an earlier stage.")
    won_count = _count("Won", help="Won from this stage.")
    lost_count = _count("Lost", help="Lost in this stage.")
    handed_out_count = _count("Type Changed (Out)", help="Went to another type, or back to the leads.")
    out_count = _count("Out", help="Advanced + Moved Back + Won + Lost + Type Changed (Out).")
    end_count = _count("At End", help="Stood there when the last day ended: At Start + In - Out.")
    start_revenue = _revenue("Revenue at Start", help="Expected revenue, as it was when the first day began.")
    in_revenue = _revenue("Revenue In", help="Expected revenue, as it was on entering the stage.")
    changed_revenue = _revenue(
        "Revenue Changed", help="By how much expected revenue has become bigger or smaller while it stood in the stage."
    )
    out_revenue = _revenue("Revenue Out", help="Expected revenue, as it was on leaving the stage.")
    end_revenue = _revenue(
        "Revenue at End",
        help="Expected revenue, as it was when the last day ended: Revenue at Start + Revenue In + Revenue Changed - "
        "Revenue Out.",
    )

    # ------------------------------------------------------------
    # Period
    # ------------------------------------------------------------

    def _get_period(self):
        """Start and end in UTC: what happens at the end is not in it."""
        last = self._get_chosen_day("flow_date_to", fields.Date.context_today(self))
        first = self._get_chosen_day("flow_date_from", last.replace(day=1))
        return self._get_day_start(first), self._get_day_end(last)

    # ------------------------------------------------------------
    # Query
    # ------------------------------------------------------------

    def _select_columns(self):
        start, end = self._get_period()
        states = {
            "start": SQL("visit.date_start < %s", start),
            "in": SQL("visit.date_start >= %s", start),
            "out": SQL("COALESCE(visit.date_end < %s, FALSE)", end),
            "end": SQL("COALESCE(visit.date_end >= %s, TRUE)", end),
        }
        return {
            **super()._select_columns(),
            "visit_user_id": self._get_last_value("user_id"),
            "team_then_id": self._get_last_value("team_id"),
            "deadline_then": self._get_last_value("date_deadline"),
            **{f"{name}_count": SQL("(%s)::int", state) for name, state in states.items()},
            **self._select_revenues(states),
            **self._select_ways("entry", self._get_entry(states["start"]), ENTRIES),
            **self._select_ways("exit", self._get_exit(states["end"]), EXITS),
        }

    def _get_moments(self):
        return dict(zip(("start", "end"), self._get_period(), strict=True))

    def _get_last_value(self, name) -> SQL:
        """Return the value that an opportunity had on leaving the stage, or at the end of the period."""
        return self._get_value_of(f"last_{name}", name)

    def _get_value_of(self, alias, name) -> SQL:
        change = SQL.identifier(alias)
        return SQL("CASE WHEN %s.lead_id IS NULL THEN lead.%s ELSE %s.value END", change, SQL.identifier(name), change)

    def _join_first_change_since(self, alias, name, moment) -> SQL:
        """Return the join of the first change from a moment of the row on: its old value is that of the moment.

        What changes together with the stage counts as changed before the move: what goes out comes in.
        """
        return SQL(
            """
            LEFT JOIN LATERAL (SELECT lead_id, %(column)s AS value
                                 FROM crm_lead_change
                                WHERE field_name = %(name)s AND lead_id = lead.id
                                  AND change_date >= %(moment)s
                                ORDER BY change_date, id
                                LIMIT 1) %(alias)s ON TRUE
            """,
            column=SQL.identifier(LEDGER_COLUMNS.get(name, "old_record_id")),
            name=name,
            moment=moment,
            alias=SQL.identifier(alias),
        )

    def _get_joins(self):
        last = SQL("LEAST(visit.date_end + INTERVAL '1 second', %s)", self._get_period()[1])
        entered = SQL("visit.date_start + INTERVAL '1 second'")
        names = ("expected_revenue", "user_id", "team_id", "date_deadline")
        return {
            **super()._get_joins(),
            **{f"last_{name}": self._join_first_change_since(f"last_{name}", name, last) for name in names},
            "entry_revenue": self._join_first_change_since("entry_revenue", "expected_revenue", entered),
        }

    def _select_revenues(self, states) -> dict[str, SQL]:
        """Each of its moment: so what is at the start and what comes in, with what changes, is what goes or stays."""
        first = SQL(
            "CASE WHEN %s THEN %s ELSE %s END",
            states["start"],
            self._get_value_at("start", "expected_revenue"),
            self._get_value_of("entry_revenue", "expected_revenue"),
        )
        last = self._get_last_value("expected_revenue")
        revenues = {"start": first, "in": first, "out": last, "end": last}
        return {
            "changed_revenue": SQL("%s - %s", last, first),
            **{
                f"{name}_revenue": SQL("CASE WHEN %s THEN %s ELSE 0 END", states[name], revenue)
                for name, revenue in revenues.items()
            },
        }

    def _select_ways(self, name, way, counts) -> dict[str, SQL]:
        """How a stay began or ended, and a count for each way."""
        return {name: way, **{count: SQL("(%s = %s)::int", way, value) for count, value in counts.items()}}

    def _get_exit(self, is_there) -> SQL:
        return SQL("CASE WHEN %s THEN 'stock' ELSE visit.outcome END", is_there)

    def _get_entry(self, was_there) -> SQL:
        """How an opportunity came into the stage: told from how it left the one before.

        A hand-off without a type to come from, or after some time, is one to the leads: it was converted once more.
        """
        return SQL(
            """
            CASE WHEN %s THEN 'stock'
                 WHEN previous.outcome IS NULL THEN 'created'
                 WHEN previous.outcome IN ('advanced', 'regressed') THEN 'moved'
                 WHEN previous.outcome = 'handoff' AND previous.date_end = visit.date_start
                      AND previous.type_id <> visit.opportunity_type_id THEN 'handed'
                 ELSE 'reopened'
            END
            """,
            was_there,
        )

    def _from(self):
        return SQL(
            """
            %s
            LEFT JOIN crm_stage stage ON stage.id = visit.stage_id
            LEFT JOIN (%s) previous ON previous.id = visit.id
            """,
            super()._from(),
            self._get_previous(),
        )

    def _get_previous(self) -> SQL:
        """How the stay before ended, for what started in the period: of the opportunities that something came in of."""
        start, end = self._get_period()
        return SQL(
            """
            SELECT id,
                   LAG(outcome) OVER stays AS outcome,
                   LAG(date_end) OVER stays AS date_end,
                   LAG(opportunity_type_id) OVER stays AS type_id
              FROM crm_stage_visit
             WHERE lead_id IN (SELECT lead_id FROM crm_stage_visit WHERE date_start >= %s AND date_start < %s)
            WINDOW stays AS (PARTITION BY lead_id ORDER BY id)
            """,
            start,
            end,
        )

    def _where(self):
        start, end = self._get_period()
        return SQL(
            """
            %(where)s
            AND visit.date_start < %(end)s
            AND (visit.date_end IS NULL OR visit.date_end >= %(start)s)
            AND NOT (visit.outcome = 'won'
                     AND visit.date_end = visit.date_start
                     AND COALESCE(stage.is_won, visit.stage_id IS NULL)
                     AND COALESCE(previous.outcome = 'won', FALSE))
            """,
            where=super()._where(),
            start=start,
            end=end,
        )
