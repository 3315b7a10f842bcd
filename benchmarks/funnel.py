"""How long the funnel takes, against the leanest SQL for the same figures and against Odoo's own pipeline.

*Reached* is asked with each filter of the search view and by each of its groups, the view and all measures with the
filters that a manager sets first. Copies a database that has the add-on, fills the copy with opportunities that have a
history, asks each question again and again, in turn, and drops the copy::

    python benchmarks/funnel.py --config odoo.conf --template scratch

With ``--keep`` the copy stays, and ``--database`` measures it again. ``--explain`` prints the plans.
"""

import argparse
import statistics
import time
from contextlib import contextmanager
from datetime import date, timedelta
from typing import NamedTuple
from unittest.mock import patch

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
LIMITS = {"lean": 3, "native": 4, "all": 2, "view": 2.2}  # times as long at most
SMALL = 10  # milliseconds: what the leanest SQL answers in less is held against Odoo's pipeline alone
PARTNERS, SOURCES, CAMPAIGNS, TEAMS, COMPETITORS, CATEGORIES = 2000, 8, 12, 4, 15, 6
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

DETAILS = """
    UPDATE crm_lead lead
       SET partner_id = (%(partner_ids)s)[1 + lead.id %% CARDINALITY(%(partner_ids)s)],
           source_id = (%(source_ids)s)[1 + lead.id %% CARDINALITY(%(source_ids)s)],
           campaign_id = (%(campaign_ids)s)[1 + lead.id %% CARDINALITY(%(campaign_ids)s)],
           team_id = (%(team_ids)s)[1 + lead.id %% CARDINALITY(%(team_ids)s)],
           create_date = create_date + lead.id * INTERVAL '0.25 second',
           lost_to_id = CASE WHEN won_status = 'lost'
                             THEN (%(competitor_ids)s)[1 + lead.id %% CARDINALITY(%(competitor_ids)s)] END,
           initial_date_deadline = date_deadline - (lead.id %% 3)::int * 10,
           deadline_push_count = (lead.id %% 3)::int,
           deadline_push_days = (lead.id %% 3)::int * 10,
           deadline_missed_date = CASE WHEN lead.id %% 4 = 0 THEN date_deadline END
     WHERE name LIKE 'Opportunity %%';
    INSERT INTO crm_opportunity_competitor (
                lead_id, partner_id, threat, create_uid, write_uid, create_date, write_date)
         SELECT lead.id, (%(competitor_ids)s)[1 + (lead.id + n) %% CARDINALITY(%(competitor_ids)s)], '1', 1, 1,
                NOW(), NOW()
           FROM crm_lead lead, GENERATE_SERIES(0, 1) n
          WHERE lead.name LIKE 'Opportunity %%' AND (n = 0 OR lead.id %% 2 = 0);
    INSERT INTO crm_opportunity_line (
                lead_id, product_id, name, product_uom_qty, product_uom_id, price_unit, price_subtotal, create_uid,
                write_uid, create_date, write_date)
         SELECT lead.id, product.id, 'Line', 1, template.uom_id, 100, 100, 1, 1, NOW(), NOW()
           FROM crm_lead lead, GENERATE_SERIES(0, 1) n,
        LATERAL (SELECT (%(product_ids)s)[1 + (lead.id + n * 5) %% CARDINALITY(%(product_ids)s)] AS id) chosen
           JOIN product_product product ON product.id = chosen.id
           JOIN product_template template ON template.id = product.product_tmpl_id
          WHERE lead.name LIKE 'Opportunity %%'
"""

# What an expert would write who knows what is asked: opportunities are counted before the stages that they reached are
# looked at. Counting distinct opportunities takes less than putting their stays together first.
LEAN_REACHED = """
    SELECT %(groups)s, SUM(opportunities)
      FROM (SELECT opportunity_type_id, furthest_stage_id, won_status = 'won' AS is_won, %(inner_groups)s
                   COUNT(*) AS opportunities
              FROM crm_lead lead
             WHERE type = 'opportunity' AND (active OR won_status = 'lost') AND %(where)s
             GROUP BY %(inner_names)s opportunity_type_id, furthest_stage_id, won_status = 'won') lead
      JOIN stage furthest ON furthest.type_id = lead.opportunity_type_id AND furthest.id = lead.furthest_stage_id
      JOIN stage ON stage.type_id = lead.opportunity_type_id AND (stage.rank <= furthest.rank OR lead.is_won)
     GROUP BY %(groups)s
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
                      FROM crm_lead lead
                     WHERE type = 'opportunity' AND (active OR won_status = 'lost') AND %(where)s
                     GROUP BY opportunity_type_id, furthest_stage_id, won_status) lead
              JOIN stage furthest
                ON furthest.type_id = lead.opportunity_type_id
               AND furthest.id = lead.furthest_stage_id
              JOIN stage
                ON stage.type_id = lead.opportunity_type_id
               AND (stage.rank <= furthest.rank OR lead.won_status = 'won'),
           LATERAL (SELECT stage.rank < furthest.rank OR (lead.won_status = 'won' AND NOT stage.is_last) AS advanced)
             GROUP BY stage.id) reached
      LEFT JOIN (SELECT visit.stage_id, %(visit_measures)s
                   FROM crm_stage_visit visit
                   JOIN crm_lead lead
                     ON lead.id = visit.lead_id
                    AND lead.opportunity_type_id = visit.opportunity_type_id
                  WHERE lead.type = 'opportunity' AND (lead.active OR lead.won_status = 'lost') AND %(where)s
                  GROUP BY visit.stage_id) stay
        ON stay.stage_id = reached.id
"""
TOUCHED = SQL(
    "COUNT(DISTINCT visit.lead_id) AS touched, COUNT(visit.date_end) AS ended, SUM(visit.duration_days) AS days"
)
# The view shows the median, which sorts the stays, and not what was touched.
MEDIAN = SQL(
    "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY visit.duration_days) AS touched,"
    " COUNT(visit.date_end) AS ended, SUM(visit.duration_days) AS days"
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


def add_details(database):
    """Customers, sources, teams, competitors and product lines."""
    with Registry(database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        partners = env["res.partner"].create([{"name": f"Customer {n}"} for n in range(PARTNERS)])
        rivals = env["res.partner"].create([{"name": f"Rival {n}", "is_competitor": True} for n in range(COMPETITORS)])
        sources = env["utm.source"].create([{"name": f"Source {n}"} for n in range(SOURCES)])
        campaigns = env["utm.campaign"].create([{"name": f"Campaign {n}"} for n in range(CAMPAIGNS)])
        teams = env["crm.team"].create([{"name": f"Team {n}"} for n in range(TEAMS)])
        categories = env["product.category"].create([{"name": f"Category {n}"} for n in range(CATEGORIES)])
        products = env["product.product"].create(
            [{"name": f"Product {n}", "categ_id": categories[n % CATEGORIES].id} for n in range(5 * CATEGORIES)]
        )
        env.flush_all()
        ids = {
            "partner": partners,
            "source": sources,
            "campaign": campaigns,
            "team": teams,
            "competitor": rivals,
            "product": products,
        }
        cr.execute(DETAILS, {f"{name}_ids": records.ids for name, records in ids.items()})
        cr.commit()
        cr._cnx.autocommit = True
        for table in ("crm_lead", "crm_opportunity_competitor", "crm_opportunity_line"):
            cr.execute(SQL("VACUUM ANALYZE %s", SQL.identifier(table)))


# ------------------------------------------------------------
# Questions
# ------------------------------------------------------------


class Filter(NamedTuple):
    """A filter of the search view, and the leanest SQL for it; Odoo's pipeline may need another domain."""

    domain: list
    where: SQL
    native_domain: list | None = None


def make_questions(env):
    """``{label: (question, what to compare it with)}``, each question a function that gives its answer."""
    report = env["crm.funnel.report"]
    by_type_and_stage = [[], ["opportunity_type_id"], ["opportunity_type_id", "stage_id"]]
    filters = make_filters(env)
    questions = {}
    for label, chosen in filters.items():
        questions |= make_filter_questions(env, label, chosen)
    for groupby, expression in make_groups().items():
        questions |= make_group_questions(env, groupby, expression)
    for label in ("everything", "type", "salesperson", "expected closing"):
        questions |= make_whole_questions(env, label, filters[label])
    return questions | {
        "all by salesperson": (lambda: report._read_group([], ["user_id"], MEASURES), {}),
        "all by type and stage, with totals": (
            lambda: report._read_grouping_sets([], by_type_and_stage, MEASURES),
            {},
        ),
    }


def make_filters(env):
    """Every filter of the search view, and three of them together."""
    first = {
        "type": env["crm.opportunity.type"].search([("name", "like", "Benchmark")], limit=1),
        "salesperson": env["res.users"].search([("login", "like", "benchmark_")], limit=1),
        "team": env["crm.team"].search([("name", "=", "Team 1")]),
        "customer": env["res.partner"].search([("name", "=", "Customer 77")]),
        "source": env["utm.source"].search([("name", "=", "Source 3")]),
        "campaign": env["utm.campaign"].search([("name", "=", "Campaign 3")]),
    }
    columns = {"type": "opportunity_type_id", "salesperson": "user_id", "customer": "partner_id"}
    filters = {"everything": Filter([], SQL("TRUE"))}
    for label, record in first.items():
        name = columns.get(label, f"{label}_id")
        operator = "child_of" if label == "customer" else "="
        filters[label] = Filter([(name, operator, record.id)], SQL("lead.%s = %s", SQL.identifier(name), record.id))
    filters["product category"] = make_category_filter(env)
    start, end = date.today() - timedelta(days=365), date.today() + timedelta(days=100)
    for label, name in (("expected closing", "date_deadline"), ("created on", "create_date")):
        column = SQL("lead.%s", SQL.identifier(name))
        period = [(name, ">=", start), (name, "<", end)]
        filters[label] = Filter(period, SQL("%s >= %s AND %s < %s", column, start, column, end))
    filters["no expected closing"] = Filter([("date_deadline", "=", False)], SQL("lead.date_deadline IS NULL"))
    for status in ("pending", "won", "lost"):
        filters[status] = Filter([("won_status", "=", status)], SQL("lead.won_status = %s", status))
    several = [filters[label] for label in ("type", "salesperson", "expected closing")]
    filters["type, salesperson, expected closing"] = Filter(
        [condition for chosen in several for condition in chosen.domain],
        SQL(" AND ").join([chosen.where for chosen in several]),
    )
    return filters


def make_category_filter(env):
    category = env["product.category"].search([("name", "=", "Category 2")])
    where = SQL(
        """
        lead.id IN (SELECT line.lead_id
                      FROM crm_opportunity_line line
                      JOIN product_product product ON product.id = line.product_id
                      JOIN product_template template ON template.id = product.product_tmpl_id
                     WHERE template.categ_id = %s)
        """,
        category.id,
    )
    native = [("opportunity_line_ids.product_id.categ_id", "child_of", category.id)]
    return Filter([("product_category_id", "child_of", category.id)], where, native)


def make_groups():
    """Every group of the search view, in SQL."""
    names = ("opportunity_type_id", "user_id", "team_id", "partner_id", "source_id", "campaign_id", "medium_id")
    groups = {name: SQL("lead.%s", SQL.identifier(name)) for name in (*names, "won_status", "company_id")}
    for name in ("date_deadline", "create_date"):
        groups[f"{name}:month"] = SQL("DATE_TRUNC('month', lead.%s::timestamp)", SQL.identifier(name))
    return groups


def make_filter_questions(env, label, chosen):
    domain, native = chosen.domain, chosen.native_domain or chosen.domain
    lean = make_lean_reached(chosen.where, by_stage=True)
    return make_reached_questions(env, f"reached by stage, {label}", domain, native, ["stage_id"], lean)


def make_group_questions(env, name, expression):
    questions = {}
    for groupby in ([name], [name, "stage_id"]):
        lean = make_lean_reached(SQL("TRUE"), expression, by_stage="stage_id" in groupby)
        questions |= make_reached_questions(env, f"reached by {', '.join(groupby)}", [], [], groupby, lean)
    return questions


def make_reached_questions(env, label, domain, native_domain, groupby, lean):
    report, lead = env["crm.funnel.report"], env["crm.lead"]
    native_domain = [("type", "=", "opportunity"), *native_domain]
    return {
        f"native {label}": (lambda: lead._read_group(native_domain, groupby, ["__count"]), {}),
        f"lean {label}": (lambda: run(env, lean), {}),
        label: (
            lambda: report._read_group(domain, groupby, ["reached:sum"]),
            {f"lean {label}": LIMITS["lean"], f"native {label}": LIMITS["native"]},
        ),
    }


def make_whole_questions(env, label, chosen):
    report = env["crm.funnel.report"]
    lean_all, lean_view = (SQL(LEAN_ALL, where=chosen.where, visit_measures=measures) for measures in (TOUCHED, MEDIAN))
    return {
        f"lean all, {label}": (lambda: run(env, lean_all), {}),
        f"all by stage, {label}": (
            lambda: report._read_group(chosen.domain, ["stage_id"], MEASURES),
            {f"lean all, {label}": LIMITS["all"]},
        ),
        f"lean view, {label}": (lambda: run(env, lean_view), {}),
        f"funnel view, {label}": (
            lambda: report.get_funnels(chosen.domain),
            {f"lean view, {label}": LIMITS["view"]},
        ),
    }


def make_lean_reached(where, group=None, by_stage=True):
    names = [SQL("grouped")] if group else []
    groups = names + ([SQL("stage.id")] if by_stage else [])
    return SQL(
        LEAN_REACHED,
        groups=SQL(", ").join(groups),
        inner_groups=SQL("%s AS grouped,", group) if group else SQL(),
        inner_names=SQL("grouped,") if group else SQL(),
        where=where,
    )


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

    :raise AssertionError: naming the filter and the stage, what the funnel says and what the query says
    """
    for label, chosen in make_filters(env).items():
        ours = env["crm.funnel.report"]._read_group(chosen.domain, ["stage_id"], ["reached:sum"])
        lean = run(env, make_lean_reached(chosen.where))
        assert {stage.id: reached for stage, reached in ours} == dict(lean), label
        check_all_figures(env, label, chosen)
    for groupby, expression in make_groups().items():
        ours = env["crm.funnel.report"]._read_group([], [groupby], ["reached:sum"])
        lean = run(env, make_lean_reached(SQL("TRUE"), expression, by_stage=False))
        assert sorted(reached for _group, reached in ours) == sorted(reached for _group, reached in lean), groupby


def check_all_figures(env, label, chosen):
    names = ["reached", "advanced", "lost_here", "pending", "won", "expected_revenue", "prorated_revenue", "touched"]
    specs = [*(f"{name}:sum" for name in names), "days_in_stage:avg", "win_rate:avg"]
    ours = env["crm.funnel.report"]._read_group(chosen.domain, ["stage_id"], specs)
    query = SQL(LEAN_ALL, where=chosen.where, visit_measures=TOUCHED)
    lean = {stage_id: row for stage_id, *row in run(env, query)}
    assert {stage.id for stage, *_row in ours} == lean.keys(), label
    for stage, *row in ours:
        pairs = zip(row, lean[stage.id], strict=True)
        same = (abs((a or 0) - (b or 0)) < 1e-6 * (1 + abs(b or 0)) for a, b in pairs)
        assert all(same), (label, stage.id, row, lean[stage.id])


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
            ratios.append(f"{ratio:.2f} x {other.partition(' ')[0]} {medians[other]:.1f} ms (at most {limit})")
            within &= ratio <= limit or (other.startswith("lean") and medians[other] < SMALL)
        if limits or not label.startswith(("lean", "native")):
            print(f"{label:>50}: {medians[label]:8.1f} ms  {', '.join(ratios)}", flush=True)
    return within


def explain(env):
    for label, (ask, limits) in make_questions(env).items():
        if limits:
            explain_statements(env, label, ask)


def explain_statements(env, label, ask):
    """Print the plans of the statements over opportunities that a question makes."""
    execute_query = Environment.execute_query

    def explained(self, query):
        if "crm_lead" in query.code:
            self.cr.execute(SQL("EXPLAIN (ANALYZE, BUFFERS) %s", query))
            print(f"\n{label}", *(line for (line,) in self.cr.fetchall()), sep="\n")
        return execute_query(self, query)

    with patch.object(Environment, "execute_query", explained):
        ask()


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
    with filled(arguments, "funnel", lambda database: fill(database, arguments.count), add_details) as env:
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
