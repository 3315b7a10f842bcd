"""How long the import of opportunities and of their stage history takes, and whether the figures are those of the file.

Imports the opportunities of a public sample into a database with Odoo alone and into one with the add-ons, in turn,
with the columns that Odoo's import would be given; then their history. Everything is undone in the end::

    python benchmarks/import_history.py --config odoo.conf --native plain --database with_addons --folder crm_sample

The sample is "CRM Sales Opportunities" of Maven Analytics: ``sales_pipeline.csv`` with 8,800 opportunities. Another
file with these columns does as well: opportunity_id, product, account, deal_stage (Prospecting, Engaging, Won, Lost),
engage_date, close_date (day-month-year) and close_value.
"""

import argparse
import csv
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

from install import configure

from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry

LIMIT = 1.2  # times as long as with Odoo alone
STAGES = {
    "Prospecting": "crm.stage_lead1",
    "Engaging": "crm.stage_lead2",
    "Lost": "crm.stage_lead2",
    "Won": "crm.stage_lead4",
}
COLUMNS = [
    "id",
    "name",
    "type",
    "partner_id",
    "stage_id/id",
    "expected_revenue",
    "date_deadline",
    "active",
    "probability",
]
HISTORY = ["lead_id/id", "stage_id/id", "date_start", "outcome"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--native", required=True, help="a database with sale_crm and sale_management alone")
    parser.add_argument("--database", required=True, help="a database with the add-ons")
    parser.add_argument("--folder", required=True, type=Path, help="where sales_pipeline.csv is")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def to_date(text):
    return datetime.strptime(text, "%d-%m-%y").date() if text else None


def make_opportunities(deals):
    """Rows of the import: won, or open as it stands before the history says what was lost."""
    for deal in deals:
        yield [
            deal["opportunity_id"],
            f"{deal['product']} {deal['account']}",
            "opportunity",
            deal["account"],
            STAGES[deal["deal_stage"]],
            deal["close_value"] or "0",
            str(to_date(deal["close_date"]) or ""),
        ]


def make_history(deals):
    """Rows of the history, of the opportunities whose dates the file has."""
    for deal in deals:
        engaged, closed = to_date(deal["engage_date"]), to_date(deal["close_date"])
        if engaged:
            yield [deal["opportunity_id"], STAGES["Engaging"], f"{engaged} 08:00:00", ""]
        if closed and deal["deal_stage"] == "Won":
            yield [deal["opportunity_id"], STAGES["Won"], f"{closed} 17:00:00", ""]
        if closed and deal["deal_stage"] == "Lost":
            yield [deal["opportunity_id"], "", f"{closed} 17:00:00", "lost"]


def prepare(env, deals):
    """Give the database the accounts; an import never guesses them."""
    names = sorted({deal["account"] for deal in deals} - {""})
    env["res.partner"].create([{"name": name, "is_company": True} for name in names])
    env.flush_all()


def load(env, model, columns, rows):
    """Import rows as Odoo's import does; return the seconds.

    :raise SystemExit: when a row is refused
    """
    env.invalidate_all()
    started = time.perf_counter()
    result = env[model].with_context(import_file=True, tracking_disable=False).load(columns, rows)
    env.flush_all()
    errors = [message["message"] for message in result["messages"] if message["type"] == "error"]
    if errors:
        raise SystemExit(f"{model}: {len(errors)} rows refused, such as: {errors[0]}")
    return time.perf_counter() - started


def check_figures(env, deals):
    """Compare the funnel with the file's own counts; return whether all are equal."""
    counts = Counter(deal["deal_stage"] for deal in deals)
    engaged, won = env.ref(STAGES["Engaging"]), env.ref(STAGES["Won"])
    leads = (
        env["crm.lead"]
        .with_context(active_test=False)
        .browse(env.ref(f"__import__.{deal['opportunity_id']}").id for deal in deals)
    )
    domain = [("lead_id", "in", leads.ids)]
    rows = env["crm.funnel.report"].formatted_read_group(
        domain, ["stage_id"], ["reached:sum", "won:sum", "lost_here:sum", "win_rate:avg"]
    )
    figures = {row["stage_id"][0]: row for row in rows}
    decided = counts["Won"] + counts["Lost"]
    wanted = {
        "reached the stage of Engaging": (
            figures[engaged.id]["reached:sum"],
            sum(counts[stage] for stage in ("Engaging", "Won", "Lost")),
        ),
        "won": (figures[won.id]["won:sum"], counts["Won"]),
        "lost in the stage of Engaging": (figures[engaged.id]["lost_here:sum"], counts["Lost"]),
        "win rate": (
            round(sum(lead.won_status == "won" for lead in leads) / decided, 6),
            round(counts["Won"] / decided, 6),
        ),
        "days to close, average": (
            round(sum(lead.day_close for lead in leads if lead.won_status == "won") / counts["Won"], 4),
            round(average_days(deals), 4),
        ),
    }
    for name, (found, expected) in wanted.items():
        print(f"  {name:40} {found:>12} file {expected:>12} {'' if found == expected else 'NOT EQUAL'}")
    return all(found == expected for found, expected in wanted.values())


def average_days(deals):
    days = [
        (to_date(deal["close_date"]) - to_date(deal["engage_date"])).days
        for deal in deals
        if deal["deal_stage"] == "Won"
    ]
    return sum(days) / len(days)


def main():
    arguments = parse_arguments()
    configure(arguments.config)
    with open(arguments.folder / "sales_pipeline.csv") as file:
        deals = list(csv.DictReader(file))
    opportunities, history = list(make_opportunities(deals)), list(make_history(deals))
    print(f"{len(opportunities)} opportunities, {len(history)} rows of history")
    ratios, passed = [], True
    for _round in range(arguments.rounds):
        seconds = []
        for name in (arguments.native, arguments.database):
            with Registry(name).cursor() as cr:
                env = Environment(cr, SUPERUSER_ID, {})
                prepare(env, deals)
                seconds.append(load(env, "crm.lead", COLUMNS, opportunities))
                if name == arguments.database:
                    seconds.append(load(env, "crm.stage.visit.import", HISTORY, history))
                    passed &= check_figures(env, deals)
                    again = load(env, "crm.stage.visit.import", HISTORY, history)
                cr.rollback()
        native, ours, visits = seconds
        ratios.append(ours / native)
        print(
            f"Odoo alone {native:.1f} s, with the add-ons {ours:.1f} s (x {ours / native:.2f}); "
            f"history {visits:.1f} s, again {again:.1f} s"
        )
    ratio = sorted(ratios)[len(ratios) // 2]
    print(f"median x {ratio:.2f}, limit {LIMIT}")
    raise SystemExit(not passed or ratio > LIMIT)


if __name__ == "__main__":
    main()
