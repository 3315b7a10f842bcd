"""How long every report of the menu takes, each against the leanest SQL for the same figures.

The data are those of ``funnel.py``, 200,000 opportunities with a million stays, customers, sources, competitors and
product lines, and two million changes in the ledger, ten of each opportunity. Every report is asked for what its menu
shows, over all years; the snapshot, the flow and the changes for days in the middle of the history and at its end::

    python benchmarks/reports.py --config odoo.conf --template scratch

With ``--keep`` the copy stays, and ``--database`` measures it again. ``--explain`` prints the plans.
"""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import funnel
from install import configure

from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry
from odoo.tools import SQL

LIMIT = 3  # times as long as the leanest SQL at most
REPORTED = SQL("lead.type = 'opportunity' AND (lead.active OR lead.won_status = 'lost')")
CHANGES = 10  # of each opportunity: five amounts, two closings, a salesperson, a team and a probability
LEDGER = """
    CREATE TEMP TABLE change AS
         SELECT lead.id AS lead_id, place, lead.create_date + place * INTERVAL '6 days' AS moment,
                (ARRAY['expected_revenue', 'date_deadline', 'expected_revenue', 'user_id', 'expected_revenue',
                       'probability', 'expected_revenue', 'date_deadline', 'expected_revenue', 'team_id']
                )[1 + place %% 10] AS field_name
           FROM crm_lead lead, GENERATE_SERIES(0, %(changes)s - 1) place
          WHERE lead.name LIKE 'Opportunity %%';
    CREATE TEMP TABLE chain AS
         SELECT change.*, place = MAX(place) OVER field AS is_last, (lead_id * 7919 + place * 104729) %% 90000 AS seed,
                (lead_id * 7919 + LEAD(place) OVER step * 104729) %% 90000 AS next_seed
           FROM change
         WINDOW field AS (PARTITION BY lead_id, field_name), step AS (PARTITION BY lead_id, field_name ORDER BY place);
    INSERT INTO crm_lead_change (
                lead_id, field_name, trigger, change_date, user_id, old_amount, new_amount, old_date, new_date,
                old_record_id, new_record_id, create_uid, create_date, write_uid, write_date)
         SELECT lead_id, field_name, 'manual', moment, lead.user_id,
                CASE field_name WHEN 'expected_revenue' THEN seed WHEN 'probability' THEN seed %% 90 + 5 END,
                CASE field_name WHEN 'expected_revenue' THEN COALESCE(next_seed, lead.expected_revenue)
                                WHEN 'probability' THEN lead.probability END,
                CASE field_name WHEN 'date_deadline' THEN lead.date_deadline - (seed %% 60)::int END,
                CASE field_name WHEN 'date_deadline' THEN lead.date_deadline - COALESCE(next_seed %% 60, 0)::int END,
                CASE field_name WHEN 'user_id' THEN (%(user_ids)s)[1 + seed %% CARDINALITY(%(user_ids)s)]
                                WHEN 'team_id' THEN (%(team_ids)s)[1 + seed %% CARDINALITY(%(team_ids)s)] END,
                CASE field_name WHEN 'user_id' THEN lead.user_id WHEN 'team_id' THEN lead.team_id END,
                1, moment, 1, moment
           FROM chain
           JOIN crm_lead lead ON lead.id = lead_id
          ORDER BY moment
"""
PIPELINE = SQL(
    """
    COUNT(*), SUM(lead.expected_revenue), COUNT(*) FILTER (WHERE lead.won_status = 'pending'),
    COUNT(*) FILTER (WHERE lead.won_status = 'won'), COUNT(*) FILTER (WHERE lead.won_status = 'lost'),
    AVG(CASE lead.won_status WHEN 'won' THEN 1 WHEN 'lost' THEN 0 END)
    """
)
PIPELINE_MEASURES = [
    *("opportunity_count:sum", "expected_revenue:sum", "open_count:sum", "won_count:sum", "lost_count:sum"),
    "win_rate:avg",
]
FLOW_MEASURES = [
    f"{name}_count:sum"
    for name in (
        *("start", "created", "reopened", "moved_in", "handed_in", "advanced", "regressed", "won", "lost"),
        *("handed_out", "end"),
    )
]


class Question(NamedTuple):
    """What a report is asked, and the leanest SQL with the same answer: the groups, then the measures."""

    model: str
    groupby: list
    measures: list
    lean: SQL
    domain: list = []
    context: dict = {}

    def ask(self, env):
        report = env[self.model].with_context(**self.context)
        return report._read_group(self.domain, self.groupby, self.measures)

    def ask_lean(self, env):
        env.cr.execute(self.lean)
        return env.cr.fetchall()


# ------------------------------------------------------------
# Changes
# ------------------------------------------------------------


def add_changes(database, changes=CHANGES):
    """A ledger that ends in what each opportunity is now."""
    with Registry(database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        users = env["res.users"].search([("login", "like", "benchmark_%")])
        teams = env["crm.team"].search([("name", "like", "Team %")])
        cr.execute(LEDGER, {"changes": changes, "user_ids": users.ids, "team_ids": teams.ids})
        cr.commit()
        cr._cnx.autocommit = True
        cr.execute("VACUUM ANALYZE crm_lead_change")
        cr.execute("SELECT COUNT(*) FROM crm_lead_change")
        print("{} changes".format(*cr.fetchone()), flush=True)


# ------------------------------------------------------------
# Questions
# ------------------------------------------------------------


def make_questions(env):
    today = date.today()
    middle = today - timedelta(days=400)
    return {
        **make_pipeline_questions(),
        **make_stay_questions(),
        "win/loss by competitor": make_competition_question(),
        "calibration": make_calibration_question(),
        "expected closings by salesperson": make_deadline_question(today),
        "changes, last 7 days": make_changes_question(today - timedelta(days=6), today),
        "changes, a quarter long ago": make_changes_question(middle - timedelta(days=90), middle),
        "snapshot, today": make_snapshot_question(env, today),
        "snapshot, long ago": make_snapshot_question(env, middle),
        "flow, last 30 days": make_flow_question(env, today - timedelta(days=30), today),
        "flow, a month long ago": make_flow_question(env, middle - timedelta(days=30), middle),
        "flow, two years": make_flow_question(env, today - timedelta(days=730), today),
    }


def make_pipeline_questions():
    def question(names, measures, select, domain=(), where="TRUE"):
        groups = SQL(", ").join(SQL("lead.%s", SQL.identifier(name)) for name in names)
        query = SQL(
            "SELECT %s, %s FROM crm_lead lead WHERE %s AND %s GROUP BY %s", groups, select, REPORTED, SQL(where), groups
        )
        return Question("crm.pipeline.report", names, measures, query, list(domain))

    amounts = SQL("COUNT(*), SUM(lead.expected_revenue), SUM(lead.prorated_revenue)")
    amount_measures = ["open_count:sum", "expected_revenue:sum", "prorated_revenue:sum"]
    pending = {"domain": [("won_status", "=", "pending")], "where": "lead.won_status = 'pending'"}
    return {
        "by salesperson": question(["user_id"], PIPELINE_MEASURES, PIPELINE),
        "by customer": question(["partner_id"], PIPELINE_MEASURES, PIPELINE),
        "by stage": question(["opportunity_type_id", "stage_id"], amount_measures, amounts, **pending),
        "by source and campaign": question(["source_id", "campaign_id"], PIPELINE_MEASURES, PIPELINE),
        "forecast by month": make_forecast_question(amount_measures, amounts),
        "velocity": make_velocity_question(),
    }


def make_forecast_question(measures, amounts):
    query = SQL(
        """
        SELECT DATE_TRUNC('month', lead.date_deadline)::date AS month, %s
          FROM crm_lead lead
         WHERE %s AND lead.won_status = 'pending'
         GROUP BY month
        """,
        amounts,
        REPORTED,
    )
    domain = [("won_status", "=", "pending")]
    return Question("crm.pipeline.report", ["date_deadline:month"], measures, query, domain)


def make_velocity_question():
    measures = ["open_count:sum", "win_rate:avg", "won_amount:avg", "cycle_days:avg", "velocity:avg"]
    query = SQL(
        """
        SELECT opportunity_type_id, user_id, pending, rate, amount, days, pending * rate * amount / GREATEST(days, 1)
          FROM (SELECT lead.opportunity_type_id, lead.user_id,
                       COUNT(*) FILTER (WHERE lead.won_status = 'pending') AS pending,
                       AVG(CASE lead.won_status WHEN 'won' THEN 1 WHEN 'lost' THEN 0 END) AS rate,
                       AVG(lead.expected_revenue) FILTER (WHERE lead.won_status = 'won') AS amount,
                       AVG(EXTRACT(EPOCH FROM win.date - lead.create_date) / 86400)
                       FILTER (WHERE lead.won_status = 'won') AS days
                  FROM crm_lead lead
                  LEFT JOIN (SELECT lead_id, MAX(date_end) AS date
                               FROM crm_stage_visit
                              WHERE outcome = 'won'
                              GROUP BY lead_id) win ON win.lead_id = lead.id
                 WHERE %s
                 GROUP BY lead.opportunity_type_id, lead.user_id) total
        """,
        REPORTED,
    )
    return Question("crm.pipeline.report", ["opportunity_type_id", "user_id"], measures, query)


def make_stay_questions():
    time_query = SQL(
        """
        SELECT visit.opportunity_type_id, visit.stage_id, COUNT(visit.date_end),
               AVG(visit.duration_days) FILTER (WHERE visit.date_end IS NOT NULL),
               PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY visit.duration_days),
               COUNT(*) FILTER (WHERE visit.date_end IS NULL)
          FROM crm_stage_visit visit
          JOIN crm_lead lead ON lead.id = visit.lead_id
          JOIN crm_stage stage ON stage.id = visit.stage_id AND stage.is_won IS NOT TRUE
         WHERE %s
         GROUP BY visit.opportunity_type_id, visit.stage_id
        """,
        REPORTED,
    )
    moves_query = SQL(
        """
        SELECT visit.stage_id, next_id, COUNT(*)
          FROM (SELECT visit.stage_id, visit.outcome, visit.lead_id,
                       LEAD(visit.stage_id) OVER (PARTITION BY visit.lead_id ORDER BY visit.id) AS next_id
                  FROM crm_stage_visit visit) visit
          JOIN crm_lead lead ON lead.id = visit.lead_id
         WHERE %s AND next_id IS NOT NULL AND outcome NOT IN ('open', 'lost')
         GROUP BY visit.stage_id, next_id
        """,
        REPORTED,
    )
    model = "crm.stage.visit.report"
    measures = ["ended_count:sum", "duration_days:avg", "median_days:avg", "open_count:sum"]
    before_won, moves = [("stage_id.is_won", "=", False)], [("to_stage_id", "!=", False)]
    return {
        "time in stage": Question(model, ["opportunity_type_id", "stage_id"], measures, time_query, before_won),
        "stage moves": Question(model, ["stage_id", "to_stage_id"], ["move_count:sum"], moves_query, moves),
    }


def make_competition_question():
    """Opportunities are counted once for each competitor, also the one that they were lost to."""
    query = SQL(
        """
        SELECT competitor.partner_id, COUNT(*), COUNT(*) FILTER (WHERE lead.won_status = 'won'),
               COUNT(*) FILTER (WHERE lead.won_status = 'lost'),
               COUNT(*) FILTER (WHERE lead.won_status = 'lost' AND lead.lost_to_id = competitor.partner_id),
               AVG(CASE lead.won_status WHEN 'won' THEN 1 WHEN 'lost' THEN 0 END),
               SUM(COALESCE(line.revenue, lead.expected_revenue))
          FROM (SELECT lead_id, partner_id FROM crm_opportunity_competitor
                 UNION
                SELECT id, lost_to_id FROM crm_lead WHERE lost_to_id IS NOT NULL) competitor
          JOIN crm_lead lead ON lead.id = competitor.lead_id
          LEFT JOIN (SELECT lead_id, SUM(price_subtotal) AS revenue FROM crm_opportunity_line GROUP BY lead_id) line
            ON line.lead_id = lead.id
         WHERE %s
         GROUP BY competitor.partner_id
        """,
        REPORTED,
    )
    counts = ("opportunity_count", "won_count", "lost_count", "lost_to_count")
    measures = [*(f"{name}:sum" for name in counts), "win_rate:avg", "revenue:sum"]
    return Question("crm.competition.report", ["competitor_id"], measures, query)


def make_calibration_question():
    """Only what closed is sorted by its stays."""
    query = SQL(
        """
        SELECT opportunity_type_id, stage_id, COUNT(*), AVG(forecast), AVG(outcome), AVG(forecast - outcome),
               AVG((forecast - outcome) ^ 2)
          FROM (SELECT DISTINCT ON (lead.id, visit.stage_id)
                       visit.opportunity_type_id, visit.stage_id, visit.probability / 100 AS forecast,
                       (lead.won_status = 'won')::int AS outcome
                  FROM crm_stage_visit visit
                  JOIN crm_lead lead
                    ON lead.id = visit.lead_id
                   AND lead.opportunity_type_id = visit.opportunity_type_id
                 WHERE %s AND lead.won_status IN ('won', 'lost') AND visit.probability IS NOT NULL
                 ORDER BY lead.id, visit.stage_id, visit.id) stay
         GROUP BY opportunity_type_id, stage_id
        """,
        REPORTED,
    )
    measures = ["forecast_count:sum", "forecast:avg", "outcome:avg", "bias:avg", "brier_score:avg"]
    return Question("crm.calibration.report", ["opportunity_type_id", "stage_id"], measures, query)


def make_deadline_question(today):
    query = SQL(
        """
        SELECT user_id, COUNT(*), SUM((is_open AND late)::int), SUM((missed OR is_open AND late)::int),
               SUM(pushed::int), AVG(deadline_push_days) FILTER (WHERE pushed)
          FROM crm_lead,
       LATERAL (SELECT active AND won_status = 'pending' AS is_open, date_deadline < %s AS late,
                       deadline_missed_date IS NOT NULL AS missed, deadline_push_count > 0 AS pushed) was
         WHERE type = 'opportunity'
         GROUP BY user_id
        """,
        today,
    )
    counts = ("opportunity_count", "overdue_count", "missed_count", "pushed_count")
    measures = [*(f"{name}:sum" for name in counts), "slip_days:avg"]
    return Question("crm.deadline.report", ["user_id"], measures, query)


def select_value(name, column, moment, alias):
    """The leanest join of the value of a field at a moment, and the expression of it."""
    join = SQL(
        """
        LEFT JOIN (SELECT DISTINCT ON (lead_id) lead_id, %(column)s AS value
                     FROM crm_lead_change
                    WHERE field_name = %(name)s AND change_date >= %(moment)s
                    ORDER BY lead_id, change_date, id) %(alias)s ON %(alias)s.lead_id = lead.id
        """,
        column=SQL.identifier(column),
        name=name,
        moment=moment,
        alias=SQL.identifier(alias),
    )
    value = SQL(
        "CASE WHEN %(alias)s.lead_id IS NULL THEN lead.%(name)s ELSE %(alias)s.value END",
        alias=SQL.identifier(alias),
        name=SQL.identifier(name),
    )
    return join, value


def make_snapshot_question(env, day):
    moment = datetime.combine(day + timedelta(days=1), time())
    join, revenue = select_value("expected_revenue", "old_amount", moment, "revenue")
    query = SQL(
        """
        SELECT visit.opportunity_type_id, visit.stage_id, COUNT(*), SUM(%(revenue)s),
               AVG(EXTRACT(EPOCH FROM %(moment)s - visit.date_start) / 86400)
          FROM crm_stage_visit visit
          JOIN crm_lead lead ON lead.id = visit.lead_id
          %(join)s
         WHERE visit.date_start < %(moment)s AND (visit.date_end IS NULL OR visit.date_end >= %(moment)s)
           AND (lead.active OR lead.won_status = 'lost')
         GROUP BY visit.opportunity_type_id, visit.stage_id
        """,
        moment=moment,
        revenue=revenue,
        join=join,
    )
    measures = ["opportunity_count:sum", "expected_revenue:sum", "days_in_stage:avg"]
    groupby, context = ["opportunity_type_id", "stage_id"], {"snapshot_date": str(day), "tz": "UTC"}
    return Question("crm.snapshot.report", groupby, measures, query, context=context)


def make_changes_question(first, last):
    """By the present salesperson, what each opportunity was at both ends: whether it has two rows does not matter."""
    start, end = (datetime.combine(day, time()) for day in (first, last + timedelta(days=1)))
    joins, revenues = zip(
        select_value("expected_revenue", "old_amount", start, "opening"),
        select_value("expected_revenue", "old_amount", end, "closing"),
        strict=True,
    )
    query = SQL(
        """
        SELECT user_id, COUNT(*) FILTER (WHERE was_there), COUNT(*) FILTER (WHERE NOT was_there AND previous IS NULL),
               COUNT(*) FILTER (WHERE NOT is_there AND outcome = 'won'),
               COUNT(*) FILTER (WHERE NOT is_there AND outcome = 'lost'), COUNT(*) FILTER (WHERE is_there),
               SUM(opening) FILTER (WHERE was_there), SUM(GREATEST(closing - opening, 0)) FILTER (WHERE was_there),
               SUM(GREATEST(opening - closing, 0)) FILTER (WHERE was_there), SUM(closing) FILTER (WHERE is_there)
          FROM (SELECT lead.user_id, span.was_there, span.is_there, last.outcome, %(opening)s AS opening,
                       %(closing)s AS closing,
                       CASE WHEN NOT span.was_there THEN (
                            SELECT outcome FROM crm_stage_visit
                             WHERE lead_id = span.lead_id AND id < span.first_id
                             ORDER BY id DESC
                             LIMIT 1) END AS previous
                  FROM crm_lead lead
                  JOIN (SELECT lead_id, BOOL_OR(date_start < %(start)s) AS was_there,
                               BOOL_OR(date_end IS NULL OR date_end >= %(end)s) AS is_there,
                               MIN(id) AS first_id, MAX(id) AS last_id
                          FROM crm_stage_visit
                         WHERE date_start < %(end)s AND (date_end IS NULL OR date_end >= %(start)s)
                         GROUP BY lead_id) span ON span.lead_id = lead.id
                  JOIN crm_stage_visit last ON last.id = span.last_id
                  %(joins)s
                 WHERE lead.active OR lead.won_status = 'lost') ends
         WHERE was_there OR is_there OR previous IS DISTINCT FROM outcome
         GROUP BY user_id
        """,
        start=start,
        end=end,
        opening=revenues[0],
        closing=revenues[1],
        joins=SQL(" ").join(joins),
    )
    measures = [
        *(f"{name}_count:sum" for name in ("start", "new", "won", "lost", "end")),
        *(f"{name}_revenue:sum" for name in ("start", "bigger", "smaller", "end")),
    ]
    context = {"change_date_from": str(first), "change_date_to": str(last), "tz": "UTC"}
    return Question("crm.pipeline.change.report", ["user_id"], measures, query, context=context)


def make_flow_question(env, first, last):
    """The stay before is asked of those opportunities only that something came in of."""
    start, end = (datetime.combine(day, time()) for day in (first, last + timedelta(days=1)))
    query = SQL(
        """
        SELECT visit.opportunity_type_id, visit.stage_id,
               COUNT(*) FILTER (WHERE NOT comes),
               COUNT(*) FILTER (WHERE comes AND before.outcome IS NULL),
               COUNT(*) FILTER (WHERE comes AND before.outcome IN ('won', 'lost')),
               COUNT(*) FILTER (WHERE comes AND before.outcome IN ('advanced', 'regressed')),
               COUNT(*) FILTER (WHERE comes AND before.outcome = 'handoff'),
               COUNT(*) FILTER (WHERE goes AND visit.outcome = 'advanced'),
               COUNT(*) FILTER (WHERE goes AND visit.outcome = 'regressed'),
               COUNT(*) FILTER (WHERE goes AND visit.outcome = 'won'),
               COUNT(*) FILTER (WHERE goes AND visit.outcome = 'lost'),
               COUNT(*) FILTER (WHERE goes AND visit.outcome = 'handoff'),
               COUNT(*) FILTER (WHERE NOT goes)
          FROM crm_stage_visit visit
          JOIN crm_lead lead ON lead.id = visit.lead_id
          LEFT JOIN (SELECT id, LAG(outcome) OVER (PARTITION BY lead_id ORDER BY id) AS outcome
                       FROM crm_stage_visit
                      WHERE lead_id IN (SELECT lead_id
                                          FROM crm_stage_visit
                                         WHERE date_start >= %(start)s AND date_start < %(end)s)) before
            ON before.id = visit.id
          LEFT JOIN crm_stage stage ON stage.id = visit.stage_id,
       LATERAL (SELECT visit.date_start >= %(start)s AS comes,
                       COALESCE(visit.date_end < %(end)s, FALSE) AS goes) happened
         WHERE visit.date_start < %(end)s AND (visit.date_end IS NULL OR visit.date_end >= %(start)s)
           AND (lead.active OR lead.won_status = 'lost')
           AND NOT (visit.outcome = 'won'
                    AND visit.date_end = visit.date_start
                    AND stage.is_won
                    AND COALESCE(before.outcome = 'won', FALSE))
         GROUP BY visit.opportunity_type_id, visit.stage_id
        """,
        start=start,
        end=end,
    )
    context = {"flow_date_from": str(first), "flow_date_to": str(last), "tz": "UTC"}
    groupby = ["opportunity_type_id", "stage_id"]
    return Question("crm.flow.report", groupby, FLOW_MEASURES, query, context=context)


# ------------------------------------------------------------
# Main
# ------------------------------------------------------------


def check_same_figures(env, label, question):
    """The lean query answers the same question, or the comparison means nothing.

    :raise AssertionError: naming the report, what it says and what the query says
    """
    ours, lean = (sorted(map(make_comparable, rows), key=str) for rows in (question.ask(env), question.ask_lean(env)))
    assert ours == lean, (label, next((a, b) for a, b in zip(ours, lean, strict=True) if a != b))


def make_comparable(row):
    """Records by id, numbers rounded, and nothing told apart from nought."""
    plain = (getattr(value, "id", value) or 0 for value in row)
    return tuple(value if isinstance(value, date) else float(f"{value:.6g}") for value in plain)


def measure(env, rounds):
    """Whether every report is within its limit."""
    questions = make_questions(env)
    for label, question in questions.items():
        check_same_figures(env, label, question)
    pairs = {}
    for label, question in questions.items():
        pairs[f"lean {label}"] = (lambda question=question: question.ask_lean(env), {})
        pairs[label] = (lambda question=question: question.ask(env), {f"lean {label}": LIMIT})
    return funnel.report_times(pairs, funnel.measure(pairs, rounds))


def explain(env):
    for label, question in make_questions(env).items():
        report = env[question.model].with_context(**question.context)
        query = report._search(question.domain)
        groups = [report._read_group_groupby(report._table, spec, query) for spec in question.groupby]
        query.groupby = SQL(", ").join(groups)
        select = query.select(*groups, *(report._read_group_select(spec, query) for spec in question.measures))
        env.cr.execute(SQL("EXPLAIN (ANALYZE, BUFFERS) %s", select))
        print(f"\n{label}", *(line for (line,) in env.cr.fetchall()), sep="\n")


def main():
    arguments = funnel.parse_arguments(__doc__)
    configure(arguments.config)
    with funnel.filled(
        arguments, "reports", lambda database: funnel.fill(database, arguments.count), funnel.add_details, add_changes
    ) as env:
        within = measure(env, arguments.rounds)
        if arguments.explain:
            explain(env)
    raise SystemExit(not within)


if __name__ == "__main__":
    main()
