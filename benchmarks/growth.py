"""Whether the reports take longer only in proportion to what they count, from 50,000 to 800,000 opportunities.

Fills a copy of a database for each size, asks the same questions of all of them in turn and drops the copies::

    python benchmarks/growth.py --config odoo.conf --template scratch

A question may take as many times longer as there are more opportunities, and a quarter more. With ``--keep`` the copies
stay, and ``--databases`` measures them again, smallest first.
"""

import argparse
import statistics
from contextlib import ExitStack
from itertools import pairwise

import funnel
from install import configure

SIZES = (50_000, 200_000, 800_000)
TOLERANCE = 1.25
SMALL = 20  # milliseconds: below, what it takes is not the database's work


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="a configuration of Odoo whose addons_path has the add-on")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--template", help="the database to copy")
    source.add_argument("--databases", nargs="+", help="filled databases that were kept, smallest first")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="opportunities (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="do not drop the copies")
    return parser.parse_args()


def open_databases(arguments, stack):
    """Return an environment in each of the databases, by its number of opportunities."""
    environments = {}
    for place, size in enumerate(arguments.sizes):
        chosen = argparse.Namespace(
            database=arguments.databases and arguments.databases[place],
            template=arguments.template,
            count=size,
            keep=arguments.keep,
        )
        fill = [lambda database, size=size: funnel.fill(database, size), funnel.add_details]
        environments[size] = stack.enter_context(funnel.filled(chosen, "growth", *fill))
    return environments


def make_questions(env):
    report, pipeline, lead = env["crm.funnel.report"], env["crm.pipeline.report"], env["crm.lead"]
    opportunity_type = env["crm.opportunity.type"].search([("name", "like", "Benchmark")], limit=1)
    customer = env["res.partner"].search([("name", "=", "Customer 77")])
    of_type = [("opportunity_type_id", "=", opportunity_type.id)]
    visits = env["crm.stage.visit.report"]
    return {
        "Odoo's pipeline by stage": lambda: lead._read_group([("type", "=", "opportunity")], ["stage_id"], ["__count"]),
        "reached by stage": lambda: report._read_group([], ["stage_id"], ["reached:sum"]),
        "reached of a type": lambda: report._read_group(of_type, ["stage_id"], ["reached:sum"]),
        "reached of a customer": lambda: report._read_group(
            [("partner_id", "=", customer.id)], ["stage_id"], ["reached:sum"]
        ),
        "the funnel view": lambda: report.get_funnels([]),
        "the funnel view of a type": lambda: report.get_funnels(of_type),
        "forecast by month": lambda: pipeline._read_group(
            [("won_status", "=", "pending")], ["date_deadline:month"], ["prorated_revenue:sum"]
        ),
        "time in stage": lambda: visits._read_group(
            [], ["opportunity_type_id", "stage_id"], ["duration_days:avg", "median_days:avg"]
        ),
        "kanban of 80": lambda: lead.web_search_read(
            [("type", "=", "opportunity"), *of_type], {"name": {}, "stage_progress": {}, "can_promote": {}}, limit=80
        ),
    }


def measure(environments, rounds):
    """Return the median milliseconds of each question, by size."""
    questions = {
        (label, size): (ask, {}) for size, env in environments.items() for label, ask in make_questions(env).items()
    }
    order = sorted(questions, key=lambda key: key[0])
    spent = funnel.measure({key: questions[key] for key in order}, rounds)
    labels = dict.fromkeys(label for label, _size in questions)
    return {label: {size: statistics.median(spent[label, size]) for size in environments} for label in labels}


def report(medians, sizes):
    """Print the medians. Return whether none grew faster than its rows."""
    within = True
    for label, times in medians.items():
        steps = [(times[large] / times[small], large / small) for small, large in pairwise(sizes)]
        within &= all(
            ratio <= limit * TOLERANCE or times[size] < SMALL
            for (ratio, limit), size in zip(steps, sizes[1:], strict=True)
        )
        cells = "".join(f"{times[size]:10.1f}" for size in sizes)
        growth = ", ".join(f"x {ratio:.2f} for x {limit:g}" for ratio, limit in steps)
        print(f"{label:>26}:{cells} ms  {growth}", flush=True)
    return within


def main():
    arguments = parse_arguments()
    configure(arguments.config)
    with ExitStack() as stack:
        environments = open_databases(arguments, stack)
        within = report(measure(environments, arguments.rounds), list(environments))
    raise SystemExit(not within)


if __name__ == "__main__":
    main()
