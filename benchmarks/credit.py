"""Credit side by side with Odoo, in one process: confirming a 5-line order, and reading what a unit owes.

For a customer without history, one with 5,000 orders and 5,000 paid invoices, one with 5,000 open orders, and a unit of
1,000 members. Medians of interleaved runs; everything is undone. ``--paid`` adds closed history::

    python benchmarks/credit.py --config odoo.conf --database scratch --size 5000 --runs 15
"""

import argparse
import statistics
import time

import odoo
from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tools import SQL


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--size", type=int, default=5000)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--paid", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=15)
    return parser.parse_args()


# ------------------------------------------------------------
# Data: one of each is made by Odoo, the others are copies of its rows
# ------------------------------------------------------------


def copy_rows(env, table, record_id, count, **changes):
    """Copies of a row; ``changes`` are SQL expressions in which ``number`` counts the copies.

    :returns: the ids of the copies
    """
    env.cr.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
    columns = [row[0] for row in env.cr.fetchall() if row[0] != "id"]
    values = [changes.get(column, SQL("source.%s", SQL.identifier(column))) for column in columns]
    query = SQL(
        "INSERT INTO %(table)s (%(columns)s) SELECT %(values)s"
        " FROM %(table)s source, GENERATE_SERIES(1, %(count)s) number WHERE source.id = %(id)s RETURNING id",
        table=SQL.identifier(table),
        columns=SQL(", ").join(SQL.identifier(column) for column in columns),
        values=SQL(", ").join(values),
        count=count,
        id=record_id,
    )
    env.cr.execute(query)
    return [row[0] for row in env.cr.fetchall()]


def add_orders(env, product, partner, count, uninvoiced):
    order = make_order(env, product, partner, 1)
    order.write({"state": "sale"})
    env.flush_all()
    used = SQL("source.credit_uninvoiced") if uninvoiced else SQL("0")
    order_ids = copy_rows(env, "sale_order", order.id, count, credit_uninvoiced=used, access_token=SQL("NULL"))
    line_ids = copy_rows(env, "sale_order_line", order.order_line[0].id, count)
    env.cr.execute(
        SQL(
            "UPDATE sale_order_line SET order_id = pair.order_id"
            " FROM UNNEST(%s, %s) AS pair (line_id, order_id) WHERE id = pair.line_id",
            line_ids,
            order_ids,
        )
    )


def add_invoices(env, product, partner, count, paid):
    move = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": partner.id,
            "invoice_date": "2026-01-01",
            "invoice_line_ids": [Command.create({"product_id": product.id, "price_unit": 1, "tax_ids": []})],
        }
    )
    move.action_post()
    env.flush_all()
    move_ids = copy_rows(
        env,
        "account_move",
        move.id,
        count,
        name=SQL("'BENCH/' || source.id || '/' || number"),
        access_token=SQL("NULL"),
    )
    for line in move.line_ids:
        settled = {"amount_residual": SQL("0"), "reconciled": SQL("TRUE")} if paid and line.amount_residual else {}
        line_ids = copy_rows(env, "account_move_line", line.id, count, **settled)
        env.cr.execute(
            SQL(
                "UPDATE account_move_line SET move_id = pair.move_id"
                " FROM UNNEST(%s, %s) AS pair (line_id, move_id) WHERE id = pair.line_id",
                line_ids,
                move_ids,
            )
        )


def make_order(env, product, partner, lines):
    line = {"product_id": product.id, "product_uom_qty": 1, "price_unit": 1, "tax_ids": [Command.clear()]}
    return env["sale.order"].create({"partner_id": partner.id, "order_line": [Command.create(line)] * lines})


def make_scenarios(env, arguments, product):
    """``{name: the customer}``"""
    limit = {"is_company": True, "credit_limit": 10**9, "credit_term_days": 10**5}
    Partner = env["res.partner"]
    fresh, settled, busy, unit = Partner.create(
        [{"name": name, **limit} for name in ("New", "Settled", "Busy", "Unit")]
    )
    members = Partner.create(
        [{"name": f"Member {i}", "is_company": True, "credit_unit_id": unit.id} for i in range(arguments.members)]
    )
    add_orders(env, product, settled, arguments.size, uninvoiced=False)
    add_invoices(env, product, settled, arguments.paid, paid=True)
    add_orders(env, product, busy, arguments.size, uninvoiced=True)
    add_orders(env, product, members[0], arguments.size, uninvoiced=True)
    add_invoices(env, product, busy, arguments.size, paid=False)
    env.invalidate_all()
    env.cr.execute("ANALYZE sale_order, sale_order_line, account_move, account_move_line, res_partner")
    return {"no history": fresh, "settled": settled, "busy": busy, "unit of members": members[0]}


# ------------------------------------------------------------
# Measuring
# ------------------------------------------------------------


def confirm(env, order, checked):
    """Seconds and queries of a confirmation, undone afterwards; ``checked`` is the add-on's credit, or none of it."""
    with env.cr.savepoint() as savepoint:
        env.company.account_use_credit_limit = checked
        env.flush_all()
        env.invalidate_all()
        queries, start = env.cr.sql_log_count, time.perf_counter()
        order.action_confirm()
        env.flush_all()
        result = time.perf_counter() - start, env.cr.sql_log_count - queries
        savepoint.rollback()
    env.invalidate_all()
    return result


def read_native(env, partner):
    """Odoo's own figure: its receivables and what is to be invoiced."""
    env.invalidate_all()
    start = time.perf_counter()
    partner.credit, partner.credit_to_invoice  # noqa: B018
    return time.perf_counter() - start


def read_exposure(env, partner):
    env.invalidate_all()
    start = time.perf_counter()
    env["sale.credit.exposure"]._get_exposures(partner._get_credit_unit(), env.company)
    return time.perf_counter() - start


def report_confirmation(env, name, partner, product, runs):
    order = make_order(env, product, partner, 5)
    samples = {False: [], True: []}
    for checked in (False, True):
        confirm(env, order, checked)
    for _run in range(runs):
        for checked in (False, True):
            samples[checked].append(confirm(env, order, checked))
    alone, ours = (statistics.median(seconds for seconds, _queries in samples[checked]) for checked in (False, True))
    extra = samples[True][-1][1] - samples[False][-1][1]
    print(
        f"{name:>16}: {alone * 1000:6.1f} ms unchecked, {ours * 1000:6.1f} checked,"
        f" x{ours / alone:.2f}, {extra:+d} queries"
    )


def report_reading(env, name, partner, runs):
    samples = {read_native: [], read_exposure: []}
    env.company.account_use_credit_limit = True
    for _run in range(runs):
        for read, seconds in samples.items():
            seconds.append(read(env, partner))
    native, ours = (statistics.median(samples[read]) for read in (read_native, read_exposure))
    print(f"{name:>16}: {native * 1000:7.1f} ms Odoo, {ours * 1000:6.2f} exposure, 1/{native / ours:.0f}")


def print_plan(env, partner):
    query = env["sale.credit.exposure"]._get_query(partner._get_credit_unit(), env.company)
    rows = env.execute_query(SQL("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) %s", query))
    print("\n".join(row[0] for row in rows if "Scan" in row[0] or "Time" in row[0]))


def main():
    arguments = parse_arguments()
    odoo.tools.config.parse_config(["-c", arguments.config, "-d", arguments.database, "--log-level=critical"])
    with Registry(arguments.database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        product = env["product.product"].create({"name": "Bench", "list_price": 1, "invoice_policy": "order"})
        scenarios = make_scenarios(env, arguments, product)
        print("Confirming 5 lines")
        for name, partner in scenarios.items():
            report_confirmation(env, name, partner, product, arguments.runs)
        print("Reading what is owed")
        for name, partner in scenarios.items():
            report_reading(env, name, partner, arguments.runs)
        print_plan(env, scenarios["settled"])
        cr.rollback()


if __name__ == "__main__":
    main()
