"""How much longer opening a form, a kanban or a list takes with the add-ons than with Odoo alone.

What the web client reads for each view is read in a database with Odoo alone and in one with the add-ons, on the same
records, in turn and with an empty cache, as a salesperson. Everything is undone in the end::

    python benchmarks/opening.py --config odoo.conf --native plain --database with_addons
"""

import argparse
import statistics
import time
from contextlib import ExitStack
from typing import NamedTuple

from install import configure

from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command
from odoo.modules.registry import Registry

COUNT = 80
FORM, LIST = (1.3, 6), (1.15, 2)  # times as long, and queries more, at most
VIEWS = {
    "opportunity form": ("crm.lead", "form", "crm.crm_lead_view_form"),
    "quotation form": ("sale.order", "form", "sale.view_order_form"),
    "customer form": ("res.partner", "form", "base.view_partner_form"),
    "kanban of opportunities": ("crm.lead", "kanban", "crm.crm_case_kanban_view_leads"),
    "list of opportunities": ("crm.lead", "list", "crm.crm_case_tree_view_oppor"),
    "list of quotations": ("sale.order", "list", "sale.view_quotation_tree_with_onboarding"),
    "list of orders": ("sale.order", "list", "sale.view_order_tree"),
}


class Reading(NamedTuple):
    milliseconds: float
    queries: int


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--native", required=True, help="a database with sale_crm and sale_management alone")
    parser.add_argument("--database", required=True, help="a database with the add-ons")
    parser.add_argument("--rounds", type=int, default=31)
    return parser.parse_args()


# ------------------------------------------------------------
# Data
# ------------------------------------------------------------


def make_records(env):
    """A salesperson's opportunities, quotations and customers: ``{model: records}``, the first ones of each full."""
    group = env.ref("sales_team.group_sale_salesman_all_leads")
    seller = env["res.users"].create(
        {"name": "Seller", "login": "opening", "group_ids": [Command.link(group.id)], "email": "seller@example.com"}
    )
    team = env["crm.team"].create({"name": "Opening"})
    env["crm.team.member"].create({"user_id": seller.id, "crm_team_id": team.id})
    partners = env["res.partner"].create([{"name": f"Customer {n}"} for n in range(COUNT)])
    products = env["product.product"].create([{"name": f"Product {n}", "list_price": 10} for n in range(5)])
    lead_values = {"type": "opportunity", "user_id": seller.id, "team_id": team.id, "expected_revenue": 100}
    leads = env["crm.lead"].create(
        [{**lead_values, "name": f"Opportunity {n}", "partner_id": partners[n].id} for n in range(COUNT)]
    )
    if "crm.stage.rule" in env:
        add_details(env, leads[1], products, partners)
    for lead in leads:
        lead.activity_schedule("mail.mail_activity_data_call", user_id=seller.id)
    lines = [Command.create({"product_id": product.id}) for product in products]
    order_values = {"user_id": seller.id, "team_id": team.id, "order_line": lines}
    orders = env["sale.order"].create(
        [
            {**order_values, "partner_id": partners[n].id, "opportunity_id": n in (1, 2) and leads[1].id}
            for n in range(COUNT)
        ]
    )
    env.flush_all()
    return {records._name: records.with_user(seller) for records in (leads, orders, partners)}


def add_details(env, lead, products, partners):
    """Rules on the first stage, and something on each tab of one opportunity."""
    stage = lead.stage_id
    stage.rule_ids.unlink()
    call = env.ref("mail.mail_activity_data_call")
    env["crm.stage.rule"].create(
        [
            {"stage_id": stage.id, "kind": "action", "activity_type_id": call.id, "required": True},
            {
                "stage_id": stage.id,
                "kind": "condition",
                "name": "Worth it",
                "domain": "[('expected_revenue', '>', 0)]",
                "required": True,
            },
        ]
    )
    partners[3].is_competitor = True
    lead.write(
        {
            "opportunity_line_ids": [Command.create({"product_id": product.id}) for product in products[:3]],
            "opportunity_contact_ids": [Command.create({"partner_id": partner.id}) for partner in partners[1:3]],
            "opportunity_competitor_ids": [Command.create({"partner_id": partners[3].id})],
        }
    )


# ------------------------------------------------------------
# Reading
# ------------------------------------------------------------


def make_readings(env):
    """``{label: function}``, each of which reads what a view shows."""
    from odoo.addons.sales_opportunity_stages.tests.web_client import get_specification

    records = make_records(env)
    readings = {}
    for label, (model, view_type, view) in VIEWS.items():
        found = records[model]
        specification = get_specification(found.browse(), view_type, env.ref(view).id)
        if view_type == "form":
            readings[label] = lambda found=found, spec=specification: found[0].web_read(spec)
        else:
            readings[label] = lambda found=found, spec=specification: found.browse().web_search_read(
                [("id", "in", found.ids)], spec, limit=COUNT
            )
    leads = records["crm.lead"]
    specification = get_specification(leads.browse(), "form", env.ref("crm.crm_lead_view_form").id)
    return readings | {"opportunity form, all tabs filled": lambda: leads[1].web_read(specification)}


def read(env, reading):
    env.invalidate_all()
    queries, start = env.cr.sql_log_count, time.perf_counter()
    reading()
    return Reading(1000 * (time.perf_counter() - start), env.cr.sql_log_count - queries)


def compare(label, native, ours):
    """Print the medians. Return whether they are within the limit."""
    most, more = FORM if "form" in label else LIST
    ratio = statistics.median(a.milliseconds / b.milliseconds for a, b in zip(ours, native, strict=True))
    best = min(a.milliseconds for a in ours) / min(b.milliseconds for b in native)
    times = [statistics.median(reading.milliseconds for reading in readings) for readings in (ours, native)]
    queries = [readings[-1].queries for readings in (ours, native)]
    print(
        f"{label:>34}: {times[0]:7.1f} ms, alone {times[1]:7.1f}: {ratio:.2f} times, the best {best:.2f} (at most"
        f" {most}); {queries[0]} queries, alone {queries[1]} (at most {more} more)",
        flush=True,
    )
    return min(ratio, best) <= most and queries[0] - queries[1] <= more


def main():
    arguments = parse_arguments()
    configure(arguments.config)
    with ExitStack() as stack:
        environments = []
        for database in (arguments.native, arguments.database):
            cr = stack.enter_context(Registry(database).cursor())
            stack.callback(cr.rollback)
            environments.append(Environment(cr, SUPERUSER_ID, {}))
        readings = [make_readings(env) for env in environments]
        within = True
        for label in readings[0]:
            rounds = [
                [read(env, reading[label]) for env, reading in zip(environments, readings, strict=True)]
                for _round in range(arguments.rounds + 2)
            ]
            native, ours = zip(*rounds[2:], strict=True)  # the first ones are for warming up
            within &= compare(label, native, ours)
    raise SystemExit(not within)


if __name__ == "__main__":
    main()
