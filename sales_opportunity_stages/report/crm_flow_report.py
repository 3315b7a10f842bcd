from odoo import fields, models
from odoo.tools import SQL

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
            ("handed", "Handed In"),
        ],
        readonly=True,
        depends_context=PERIOD,
        help="How it came into the stage, if it did so in the period.",
    )
    exit = fields.Selection(
        [
            ("stock", "Still There"),
            ("advanced", "Advanced"),
            ("regressed", "Went Back"),
            ("won", "Won"),
            ("lost", "Lost"),
            ("handoff", "Handed Out"),
        ],
        readonly=True,
        depends_context=PERIOD,
        help="How it left the stage, if it did so in the period.",
    )
    start_count = _count("At Start", help="Stood there when the first day began.")
    created_count = _count("Created", help="New opportunities, also those converted from a lead.")
    reopened_count = _count("Reopened", help="Had been won, lost or made a lead before.")
    moved_in_count = _count("Moved In", help="Came from another stage of the same type, forward or back.")
    handed_in_count = _count("Handed In", help="Came from another type.")
    in_count = _count("In", help="Created + Reopened + Moved In + Handed In.")
    advanced_count = _count("Advanced", help="Went on to a later stage.")
    regressed_count = _count("Went Back", help="Went back to an earlier stage.")
    won_count = _count("Won", help="Won from this stage.")
    lost_count = _count("Lost", help="Lost in this stage.")
    handed_out_count = _count("Handed Out", help="Went to another type, or back to the leads.")
    out_count = _count("Out", help="Advanced + Went Back + Won + Lost + Handed Out.")
    end_count = _count("At End", help="Stood there when the last day ended: At Start + In - Out.")
    start_revenue = _revenue("Revenue at Start", help="Expected revenue, as it was on entering the stage.")
    in_revenue = _revenue("Revenue In", help="Expected revenue, as it was on entering the stage.")
    out_revenue = _revenue("Revenue Out", help="Expected revenue, as it was on entering the stage that was left.")
    end_revenue = _revenue("Revenue at End", help="Revenue at Start + Revenue In - Revenue Out.")

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
            **{f"{name}_count": SQL("(%s)::int", state) for name, state in states.items()},
            **{f"{name}_revenue": self._get_revenue(state) for name, state in states.items()},
            **self._select_ways("entry", self._get_entry(states["start"]), ENTRIES),
            **self._select_ways("exit", self._get_exit(states["end"]), EXITS),
        }

    def _get_revenue(self, state) -> SQL:
        return SQL("CASE WHEN %s THEN visit.expected_revenue ELSE 0 END", state)

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
