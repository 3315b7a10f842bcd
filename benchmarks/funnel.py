"""How long the funnel takes, against the leanest SQL for the same figures and against Odoo's own pipeline by stage.

Copies a database that has the add-on, fills the copy with opportunities that have a history, asks each question again
and again, in turn, and drops the copy::

    python benchmarks/funnel.py --config odoo.conf --template scratch

With ``--keep`` the copy stays, and ``--database`` measures it again. ``--explain`` prints the plans.
"""

import argparse
import statistics
import time
from contextlib import contextmanager

from install import configure, copy

import odoo.service.db
from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tools import SQL

TYPES, STAGES, SALESPEOPLE = 3, 7, 10  # stages of each type, the last of them won
COUNTS = ("reached", "touched", "inferred", "advanced", "lost_here", "pending", "won", "opportunity_count")
AMOUNTS = ("expected_revenue", "prorated_revenue")
RATES = ("step_rate", "resolved_rate", "win_rate", "days_in_stage")
MEASURES = [*(f"{name}:sum" for name in COUNTS + AMOUNTS), *(f"{name}:avg" for name in RATES)]
LIMITS = {"lean": 3, "native": 4}  # times as long at most
HISTORY = """
    CREATE TEMP TABLE story AS
         SELECT n, made, status, 3 + n %% 5 AS stays, type.id AS type_id, type.stage_ids,
                salesman.ids[1 + n %% CARDINALITY(salesman.ids)] AS user_id
           FROM GENERATE_SERIES(1, %(count)s) n
           JOIN UNNEST(%(type_ids)s) WITH ORDINALITY AS chosen (id, place) ON chosen.place = 1 + n %% %(types)s
           JOIN LATERAL (SELECT chosen.id, ARRAY_AGG(stage.id ORDER BY stage.sequence) AS stage_ids
                           FROM crm_stage stage
                           JOIN crm_opportunity_type_stage_rel rel
                             ON rel.stage_id = stage.id AND rel.opportunity_type_id = chosen.id) type ON TRUE,
                (SELECT %(user_ids)s AS ids) salesman,
        LATERAL (SELECT CASE WHEN n %% 10 < 5 THEN 'pending' WHEN n %% 10 < 8 THEN 'lost' ELSE 'won' END AS status,
                        NOW() AT TIME ZONE 'UTC' - (n * 7 %% 900 + 60) * INTERVAL '1 day' AS made) lead;
    CREATE TEMP TABLE stay AS
         SELECT story.n, place, stays, status, type_id, user_id, rank, stage_ids[rank] AS stage_id,
                CASE WHEN rank < CARDINALITY(stage_ids) THEN 15 * rank END AS forecast,
                made + place * INTERVAL '8 days' AS date_start,
                CASE WHEN rank = CARDINALITY(stage_ids) THEN made + place * INTERVAL '8 days'
                     WHEN place < stays OR status <> 'pending' THEN made + (place + 1) * INTERVAL '8 days'
                END AS date_end
           FROM story, GENERATE_SERIES(1, stays) place,
        LATERAL (SELECT CASE WHEN status = 'won' AND place = stays THEN CARDINALITY(stage_ids)
                             WHEN n %% 3 = 0 AND place = stays THEN GREATEST(place - 2, 1)
                             ELSE LEAST(place, CARDINALITY(stage_ids) - 1) END AS rank) there;
    INSERT INTO crm_lead (
                name, type, active, opportunity_type_id, stage_id, furthest_stage_id, team_id, company_id, user_id,
                email_from, expected_revenue, prorated_revenue, probability, automated_probability, won_status,
                priority, message_bounce, create_uid, write_uid, create_date, write_date, date_deadline, date_open,
                date_last_stage_update, date_closed)
         SELECT 'Opportunity ' || n, 'opportunity', status <> 'lost', type_id, last.stage_id, furthest.stage_id,
                team.id, company.id, story.user_id, 'customer' || n || '@example.com', n %% 90000, n %% 9000, chance,
                chance, status, '0', 0, 1, 1, made, made, made + INTERVAL '90 days', made, last.date_start,
                CASE WHEN status <> 'pending' THEN last.date_end END
           FROM story
           JOIN (SELECT DISTINCT ON (n) n, stage_id FROM stay ORDER BY n, rank DESC) furthest USING (n)
           JOIN (SELECT n, stage_id, date_start, date_end FROM stay WHERE place = stays) last USING (n),
        LATERAL (SELECT CASE status WHEN 'won' THEN 100 WHEN 'lost' THEN 0 ELSE 30 END AS chance) odds,
                (SELECT MIN(id) AS id FROM crm_team) team,
                (SELECT MIN(id) AS id FROM res_company) company
          ORDER BY n;
    INSERT INTO crm_stage_visit (
                lead_id, opportunity_type_id, stage_id, date_start, date_end, duration_days, outcome, trigger, user_id,
                expected_revenue, probability, create_uid, write_uid, create_date, write_date)
         SELECT lead.id, type_id, stay.stage_id, date_start, date_end,
                EXTRACT(EPOCH FROM date_end - date_start) / 86400,
                CASE WHEN place < stays THEN 'advanced' WHEN status = 'pending' THEN 'open' ELSE status END, 'manual',
                stay.user_id, lead.expected_revenue, forecast, 1, 1, date_start, date_start
           FROM stay
           JOIN crm_lead lead ON lead.name = 'Opportunity ' || n
          ORDER BY date_start, n;
    ANALYZE crm_lead;
    ANALYZE crm_stage_visit
"""

# What an expert would write who knows that the groups are stages: opportunities are counted before the stages that they
# reached are looked at. Counting distinct opportunities takes less than putting their stays together first.
LEAN_REACHED = """
    SELECT stage.id, SUM(opportunities)
      FROM (SELECT opportunity_type_id, furthest_stage_id, won_status = 'won' AS is_won, COUNT(*) AS opportunities
              FROM crm_lead
             WHERE type = 'opportunity' AND (active OR won_status = 'lost')
             GROUP BY opportunity_type_id, furthest_stage_id, won_status = 'won') lead
      JOIN stage furthest ON furthest.type_id = lead.opportunity_type_id AND furthest.id = lead.furthest_stage_id
      JOIN stage ON stage.type_id = lead.opportunity_type_id AND (stage.rank <= furthest.rank OR lead.is_won)
     GROUP BY stage.id
"""
LEAN_ALL = """
    SELECT reached.id, reached, advanced, lost_here, pending, won, expected_revenue, prorated_revenue, touched,
           days / NULLIF(ended, 0) AS days_in_stage, won / NULLIF(won + lost, 0) AS win_rate
      FROM (SELECT stage.id,
                   SUM(opportunities) AS reached,
                   SUM(opportunities) FILTER (WHERE advanced) AS advanced,
                   SUM(opportunities) FILTER (WHERE NOT advanced AND won_status = 'lost') AS lost_here,
                   SUM(opportunities) FILTER (WHERE NOT advanced AND won_status = 'pending') AS pending,
                   COALESCE(SUM(opportunities) FILTER (WHERE won_status = 'won'), 0) AS won,
                   COALESCE(SUM(opportunities) FILTER (WHERE won_status = 'lost'), 0) AS lost,
                   SUM(lead.expected_revenue) AS expected_revenue,
                   SUM(lead.prorated_revenue) AS prorated_revenue
              FROM (SELECT opportunity_type_id, furthest_stage_id, won_status, COUNT(*) AS opportunities,
                           SUM(expected_revenue) AS expected_revenue, SUM(prorated_revenue) AS prorated_revenue
                      FROM crm_lead
                     WHERE type = 'opportunity' AND (active OR won_status = 'lost')
                     GROUP BY opportunity_type_id, furthest_stage_id, won_status) lead
              JOIN stage furthest
                ON furthest.type_id = lead.opportunity_type_id
               AND furthest.id = lead.furthest_stage_id
              JOIN stage
                ON stage.type_id = lead.opportunity_type_id
               AND (stage.rank <= furthest.rank OR lead.won_status = 'won'),
           LATERAL (SELECT stage.rank < furthest.rank OR (lead.won_status = 'won' AND NOT stage.is_last) AS advanced)
             GROUP BY stage.id) reached
      LEFT JOIN (SELECT visit.stage_id, COUNT(DISTINCT visit.lead_id) AS touched, COUNT(visit.date_end) AS ended,
                        SUM(visit.duration_days) AS days
                   FROM crm_stage_visit visit
                   JOIN crm_lead lead
                     ON lead.id = visit.lead_id
                    AND lead.opportunity_type_id = visit.opportunity_type_id
                  WHERE lead.type = 'opportunity' AND (lead.active OR lead.won_status = 'lost')
                  GROUP BY visit.stage_id) stay
        ON stay.stage_id = reached.id
"""
# The same with the median of the stays, which sorts them.
LEAN_VIEW = LEAN_ALL.replace("touched,\n", "touched, median_days,\n").replace(
    "SUM(visit.duration_days) AS days",
    "SUM(visit.duration_days) AS days,\n"
    "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY visit.duration_days) AS median_days",
)


def parse_arguments(documentation=__doc__):
    parser = argparse.ArgumentParser(description=documentation.splitlines()[0])
    parser.add_argument("--config", required=True, help="a configuration of Odoo whose addons_path has the add-on")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--template", help="the database to copy")
    source.add_argument("--database", help="a filled database that was kept")
    parser.add_argument("--count", type=int, default=200_000, help="opportunities, with five stays each (%(default)s)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--explain", action="store_true", help="print the plans")
    parser.add_argument("--keep", action="store_true", help="do not drop the copy")
    return parser.parse_args()


# ------------------------------------------------------------
# Data
# ------------------------------------------------------------


def fill(database, count):
    with Registry(database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        types = env["crm.opportunity.type"].create([{"name": f"Benchmark {i}"} for i in range(TYPES)])
        env["crm.stage"].create(
            [
                {
                    "name": f"Stage {rank}",
                    "sequence": rank,
                    "is_won": rank == STAGES,
                    "opportunity_type_ids": [Command.set(opportunity_type.ids)],
                }
                for opportunity_type in types
                for rank in range(1, STAGES + 1)
            ]
        )
        users = env["res.users"].create(
            [{"name": f"Benchmark {i}", "login": f"benchmark_{i}"} for i in range(SALESPEOPLE)]
        )
        env.flush_all()
        cr.execute(HISTORY, {"count": count, "types": TYPES, "type_ids": types.ids, "user_ids": users.ids})
        cr.commit()
        cr._cnx.autocommit = True
        cr.execute("VACUUM ANALYZE crm_lead")
        cr.execute("VACUUM ANALYZE crm_stage_visit")


# ------------------------------------------------------------
# Questions
# ------------------------------------------------------------


def make_questions(env):
    """``{label: (question, what to compare it with)}``, each question a function that gives its answer."""
    report, lead = env["crm.funnel.report"], env["crm.lead"]
    opportunities = [("type", "=", "opportunity")]
    by_type_and_stage = [[], ["opportunity_type_id"], ["opportunity_type_id", "stage_id"]]
    return {
        "native": (lambda: lead._read_group(opportunities, ["stage_id"], ["__count"]), {}),
        "lean reached": (lambda: run(env, LEAN_REACHED), {}),
        "lean all": (lambda: run(env, LEAN_ALL), {}),
        "lean view": (lambda: run(env, LEAN_VIEW), {}),
        "reached by stage": (
            lambda: report._read_group([], ["stage_id"], ["reached:sum"]),
            {"lean reached": LIMITS["lean"], "native": LIMITS["native"]},
        ),
        "all by stage": (lambda: report._read_group([], ["stage_id"], MEASURES), {"lean all": LIMITS["lean"]}),
        "the funnel view, with medians": (lambda: report.get_funnels([]), {"lean view": LIMITS["lean"]}),
        "all by salesperson": (lambda: report._read_group([], ["user_id"], MEASURES), {}),
        "all by type and stage, with totals": (
            lambda: report._read_grouping_sets([], by_type_and_stage, MEASURES),
            {},
        ),
    }


def run(env, query):
    """The rows of a lean query, which finds the stages in a table as an expert would have them at hand."""
    env.cr.execute(query)
    return env.cr.fetchall()


def make_stage_table(env):
    funnels = env["crm.opportunity.type"]._get_stage_map().funnels()
    rows = [
        (type_id, stage_id, rank, rank == len(stage_ids))
        for type_id, stage_ids in funnels.items()
        for rank, stage_id in enumerate(stage_ids, 1)
    ]
    env.cr.execute("CREATE TEMP TABLE stage (type_id int, id int, rank int, is_last bool)")
    env.cr.execute(SQL("INSERT INTO stage VALUES %s", SQL(", ").join(rows)))
    env.cr.execute("ANALYZE stage")


def check_same_figures(env):
    """The lean queries answer the same question, or the comparison means nothing.

    :raise AssertionError: naming the stage, what the funnel says and what the query says
    """
    names = ["reached", "advanced", "lost_here", "pending", "won", "expected_revenue", "prorated_revenue", "touched"]
    specs = [*(f"{name}:sum" for name in names), "days_in_stage:avg", "win_rate:avg"]
    ours = {stage.id: row for stage, *row in env["crm.funnel.report"]._read_group([], ["stage_id"], specs)}
    assert {stage_id: row[0] for stage_id, row in ours.items()} == dict(run(env, LEAN_REACHED))
    lean = {stage_id: row for stage_id, *row in run(env, LEAN_ALL)}
    assert ours.keys() == lean.keys()
    for stage_id, row in ours.items():
        same = (abs((a or 0) - (b or 0)) < 1e-6 * (1 + abs(b or 0)) for a, b in zip(row, lean[stage_id], strict=True))
        assert all(same), (stage_id, row, lean[stage_id])


def measure(questions, rounds):
    """Milliseconds of each question in each round, all of them in turn; the first round warms up."""
    spent = {label: [] for label in questions}
    for _round in range(rounds + 1):
        for label, (ask, _limits) in questions.items():
            start = time.perf_counter()
            ask()
            spent[label].append(1000 * (time.perf_counter() - start))
    return {label: times[1:] for label, times in spent.items()}


def report_times(questions, spent):
    """Print the medians and ratios; whether each ratio is within its limit."""
    within = True
    medians = {label: statistics.median(times) for label, times in spent.items()}
    for label, (_ask, limits) in questions.items():
        ratios = []
        for other, limit in limits.items():
            ratio = statistics.median(a / b for a, b in zip(spent[label], spent[other], strict=True))
            ratios.append(f"{ratio:.2f} x {other} (at most {limit})")
            within &= ratio <= limit
        print(f"{label:>36}: {medians[label]:8.1f} ms  {', '.join(ratios)}", flush=True)
    return within


def explain(env):
    report = env["crm.funnel.report"]
    for measures in (["reached:sum"], MEASURES):
        by_stage = report._with_grain([], [["stage_id"]])
        query = by_stage._search([])
        query.groupby = SQL("stage_id")
        select = query.select(SQL("stage_id"), *(by_stage._read_group_select(spec, query) for spec in measures))
        env.cr.execute(SQL("EXPLAIN (ANALYZE, BUFFERS) %s", select))
        print(f"\n{', '.join(measures)} by stage", *(line for (line,) in env.cr.fetchall()), sep="\n")


@contextmanager
def filled(arguments, name, *fills):
    """An environment in superuser mode in a filled database: a copy, which is dropped again, or one that was kept.

    :param str name: what the copy is for, part of its own name
    :param fills: each fills the database that it is given the name of
    """
    database = arguments.database or f"{arguments.template}_{name}_{arguments.count}"
    if arguments.template:
        copy(arguments.template, database)
    try:
        if arguments.template:
            for fill_part in fills:
                fill_part(database)
        with Registry(database).cursor() as cr:
            yield Environment(cr, SUPERUSER_ID, {})
            cr.rollback()
    finally:
        if arguments.template and not arguments.keep:
            odoo.service.db.exp_drop(database)


def main():
    arguments = parse_arguments()
    configure(arguments.config)
    with filled(arguments, "funnel", lambda database: fill(database, arguments.count)) as env:
        env.cr.execute("SELECT (SELECT COUNT(*) FROM crm_lead), (SELECT COUNT(*) FROM crm_stage_visit)")
        print("{} opportunities, {} stays".format(*env.cr.fetchone()), flush=True)
        make_stage_table(env)
        check_same_figures(env)
        questions = make_questions(env)
        within = report_times(questions, measure(questions, arguments.rounds))
        if arguments.explain:
            explain(env)
    raise SystemExit(not within)


if __name__ == "__main__":
    main()
