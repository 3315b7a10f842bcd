"""Credit side by side, in one process: confirming a 5-line order, and reading what a unit owes.

The same data in a database with Odoo alone, in one with the add-on and, if wanted, in one with another add-on for
credit (the published ``sale_financial_risk``): customers without history, with 5,000 orders invoiced and paid, with
5,000 orders invoiced and not paid, with 5,000 open orders, and with as many open invoices besides; each by itself, and
as one of the 1,000 members of a unit. Then units of 1,000 members who each have an open order, or an open invoice.
The orders are confirmed by a salesperson who may see all documents, or with ``--own`` only the own ones. All of them in
turn, medians of the ratios within a round. The databases are copied, filled, committed and vacuumed, as one is that is
in use: rows of a transaction that goes on take PostgreSQL longer to look at. With ``--not-vacuumed`` they are left as
they were written, as a moment after an import. The copies are dropped again::

    python benchmarks/credit.py --config odoo.conf --native plain --database with_addon --peer with_other --size 5000
"""

import argparse
import gc
import statistics
import time

from install import configure, copy

import odoo.service.db
from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.sql_db import db_connect
from odoo.tools import SQL

ALONE = ("no history", "settled", "not paid", "open orders", "busy")
WIDE = ("wide, orders", "wide, invoices")  # a unit of which every member owes
SCENARIOS = (*ALONE, *(f"{history}, unit" for history in ALONE), *WIDE)
GRANTED = 10**9


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--native", required=True, help="a database with sale_crm and sale_management alone")
    parser.add_argument("--database", required=True, help="a database with the add-on")
    parser.add_argument("--peer", help="a database with sale_financial_risk")
    parser.add_argument("--size", type=int, default=5000, help="orders and invoices of a customer")
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--settled", type=int, default=0, help="more orders invoiced and paid of the settled customer")
    parser.add_argument("--runs", type=int, default=101, help="rounds of confirmations; a tenth of them for reading")
    parser.add_argument("--not-vacuumed", action="store_true", help="leave the rows as they were written a moment ago")
    parser.add_argument("--own", action="store_true", help="confirm as a salesperson who may see own documents alone")
    parser.add_argument("--without-tracking", action="store_true", help="leave Odoo's tracking out of a confirmation")
    return parser.parse_args()


# ------------------------------------------------------------
# Data: one of each is made by Odoo, the others are copies of its rows
# ------------------------------------------------------------


class Ledger:
    """Orders with their invoices, as many as wanted, each a copy of one that Odoo has made."""

    # Tables in the order in which they are copied, with the columns that follow another table's copies.
    TABLES = (
        ("sale_order", {}),
        ("sale_order_line", {"order_id": "sale_order"}),
        ("account_move", {}),
        ("account_move_line", {"move_id": "account_move"}),
        ("sale_order_line_invoice_rel", {"order_line_id": "sale_order_line", "invoice_line_id": "account_move_line"}),
    )

    def __init__(self, env, product):
        self.env, self.product = env, product

    def make_order(self, partner, lines):
        line = {"product_id": self.product.id, "product_uom_qty": 1, "price_unit": 1, "tax_ids": [Command.clear()]}
        return self.env["sale.order"].create({"partner_id": partner.id, "order_line": [Command.create(line)] * lines})

    def make_open_orders(self, partner, count):
        order = self.make_order(partner, 1)
        order.action_confirm()
        self._multiply(order, self.env["account.move"], count)

    def make_open_invoices(self, partner, count):
        """Posted, of no order."""
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": "2026-01-01",
                "invoice_line_ids": [Command.create({"product_id": self.product.id, "price_unit": 1, "tax_ids": []})],
            }
        )
        move.action_post()
        self._multiply(self.env["sale.order"], move, count)

    def make_invoiced(self, partner, count, paid):
        """Orders that were invoiced, and paid or not."""
        order = self.make_order(partner, 1)
        order.action_confirm()
        move = order._create_invoices()
        move.action_post()
        if paid:
            register = self.env["account.payment.register"]
            register.with_context(active_model="account.move", active_ids=move.ids).create({})._create_payments()
            assert all(
                move.line_ids.filtered(lambda line: line.account_type == "asset_receivable").mapped("reconciled")
            )
        self._multiply(order, move, count)

    def _multiply(self, order, move, count):
        self.env.cr.flush()
        originals = {
            "sale_order": order.ids,
            "sale_order_line": order.order_line.ids,
            "account_move": move.ids,
            "account_move_line": move.line_ids.ids,
        }
        copies = {}
        for table, links in self.TABLES:
            if table in originals:
                copies[table] = {id_: self._copy(table, id_, count, links, copies) for id_ in originals[table]}
            else:
                self._link(table, links, copies)

    def _copy(self, table, record_id, count, links, copies):
        """Ids of the copies of a row, in the order of their numbers."""
        self.env.cr.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
        columns = [row[0] for row in self.env.cr.fetchall() if row[0] != "id"]
        changes = {column: self._follow(column, copies[other]) for column, other in links.items()}
        if table == "account_move":
            changes["name"] = SQL("source.name || '/' || number")
        values = [changes.get(column, SQL("source.%s", SQL.identifier(column))) for column in columns]
        rows = self.env.execute_query(
            SQL(
                "INSERT INTO %(table)s (%(columns)s) SELECT %(values)s"
                " FROM %(table)s source, GENERATE_SERIES(1, %(count)s) number"
                " WHERE source.id = %(id)s ORDER BY number RETURNING id",
                table=SQL.identifier(table),
                columns=SQL(", ").join(SQL.identifier(column) for column in columns),
                values=SQL(", ").join(values),
                count=count,
                id=record_id,
            )
        )
        return [row[0] for row in rows]

    def _follow(self, column, copies):
        """The copy with the same number of the one row that the column names."""
        (ids,) = copies.values()
        return SQL("(%s::int[])[number]", ids)

    def _link(self, table, links, copies):
        """Copy the rows of a relation between rows that were copied."""
        (left, left_copies), (right, right_copies) = ((column, copies[other]) for column, other in links.items())
        query = SQL("SELECT * FROM %s", SQL.identifier(table))
        for left_id, right_id in self.env.execute_query(query):
            if left_id in left_copies and right_id in right_copies:
                self.env.cr.execute(
                    SQL(
                        "INSERT INTO %s (%s, %s) SELECT * FROM UNNEST(%s::int[], %s::int[])",
                        SQL.identifier(table),
                        SQL.identifier(left),
                        SQL.identifier(right),
                        left_copies[left_id],
                        right_copies[right_id],
                    )
                )


class Side:
    """A database with its data, how credit is switched on and read there, and a salesperson who confirms."""

    name, database_option = "Odoo", "native"

    def __init__(self, arguments):
        template = getattr(arguments, self.database_option)
        self.database = f"{template}_credit"
        copy(template, self.database)
        self.cr = Registry(self.database).cursor()
        context = {"tracking_disable": True} if arguments.without_tracking else {}
        self.env = Environment(self.cr, SUPERUSER_ID, context)
        self.env.company.account_use_credit_limit = True
        product = self.env["product.product"].create({"name": "Bench", "list_price": 1, "invoice_policy": "order"})
        self.ledger = Ledger(self.env, product)
        self.partners = self._make_partners(arguments)
        seller = self._make_seller("salesman" if arguments.own else "salesman_all_leads")
        self.orders = {name: self._make_order(partner, seller) for name, partner in self.partners.items()}
        self.cr.commit()
        if not arguments.not_vacuumed:
            self._vacuum()

    def _vacuum(self):
        """As PostgreSQL does by itself, sooner or later."""
        with db_connect(self.database).cursor() as cr:
            cr._cnx.autocommit = True
            cr.execute("VACUUM ANALYZE")

    def _make_seller(self, role):
        group = self.env.ref(f"sales_team.group_sale_{role}")
        return self.env["res.users"].create(
            {"name": "Seller", "login": "bench_seller", "group_ids": [Command.link(group.id)]}
        )

    def _make_order(self, partner, seller):
        order = self.ledger.make_order(partner, 5)
        order.user_id = seller
        return order.with_user(seller)

    def _make_partners(self, arguments):
        partners = {name: self._make_partner(name, self._grant()) for name in ALONE}
        for history in ALONE:
            unit = self._make_partner(f"Unit, {history}", self._grant())
            members = [self._make_partner(f"Member {number}", self._join(unit)) for number in range(arguments.members)]
            partners[f"{history}, unit"] = members[0]
        partners |= {name: self._make_wide(name, arguments) for name in WIDE}
        for name, partner in partners.items():
            self._make_history(partner, name.removesuffix(", unit"), arguments)
        return partners

    def _make_wide(self, name, arguments):
        """A member of a unit of which each member has one open order, or two open invoices."""
        unit = self._make_partner(f"Unit, {name}", self._grant())
        members = [self._make_partner(f"{name} {number}", self._join(unit)) for number in range(arguments.members)]
        for member in members:
            if name.endswith("orders"):
                self.ledger.make_order(member, 1).action_confirm()
            else:
                self.ledger.make_open_invoices(member, 1)
        return members[0]

    def _make_partner(self, name, terms):
        return self.env["res.partner"].create({"name": name, "is_company": True, **terms})

    def _make_history(self, partner, history, arguments):
        if history in ("settled", "not paid"):
            count = arguments.size + (arguments.settled if history == "settled" else 0)
            self.ledger.make_invoiced(partner, count, paid=history == "settled")
        if history in ("open orders", "busy"):
            self.ledger.make_open_orders(partner, arguments.size)
        if history == "busy":
            self.ledger.make_open_invoices(partner, arguments.size)

    def drop(self):
        self.cr.rollback()
        self.cr.close()
        odoo.service.db.exp_drop(self.database)

    def _grant(self):
        """A credit that is never used up."""
        return {"credit_limit": GRANTED}

    def _join(self, unit):
        """One of many customers; Odoo knows no units."""
        return self._grant()

    def read(self, partner):
        return partner.credit, partner.credit_to_invoice

    # Measuring

    def time(self, operation, record):
        """Seconds and queries of an operation up to the end of its transaction, which is then undone."""
        with self.cr.savepoint() as savepoint:
            self.cr.flush()
            self.env.invalidate_all()
            gc.collect()
            queries, start = self.cr.sql_log_count, time.perf_counter()
            operation(record)
            self.cr.flush()
            result = time.perf_counter() - start, self.cr.sql_log_count - queries
            savepoint.rollback()
        self.env.invalidate_all()
        return result


class AddonSide(Side):
    name, database_option = "add-on", "database"

    def _grant(self):
        return {"credit_limit": GRANTED, "credit_term_days": 10**5}

    def _join(self, unit):
        return {"credit_unit_id": unit.id}

    def read(self, partner):
        return self.env["sale.credit.exposure"]._get_standings(partner.ids, self.env.company)

    def print_plan(self, scenario):
        members = self.partners[scenario]._get_credit_unit()._get_credit_members()
        code = self.env["sale.credit.exposure"]._select_exposures().code
        arrays = {"member_ids": members.ids, "tree_ids": self.env.company.ids}
        for name, ids in arrays.items():
            code = code.replace(f"({name})", f"(ARRAY{ids})")
        for name, value in {
            "detail_ids": "ARRAY[]::int[]",
            "with_dates": "TRUE",
            "company_key": str(self.env.company.id),
        }.items():
            code = code.replace(name, value)
        rows = self.env.execute_query(SQL("EXPLAIN (ANALYZE, BUFFERS) %s", SQL(code)))
        print(f"\nPlan, {scenario}")
        print("\n".join(row[0] for row in rows if "Scan" in row[0] or "Time" in row[0]))


class PeerSide(Side):
    name, database_option = "sale_financial_risk", "peer"

    def _grant(self):
        return {
            "credit_limit": GRANTED,
            "risk_sale_order_include": True,
            "risk_invoice_draft_include": True,
            "risk_invoice_open_include": True,
            "risk_invoice_unpaid_include": True,
        }

    def read(self, partner):
        return partner.risk_total, partner.risk_exception


def measure(sides, operation, scenario, records, runs):
    """Print the medians of one operation on all sides, taken in turn."""
    samples = {side: [] for side in sides}
    for run in range(-2, runs):
        for side in sides:
            sample = side.time(operation(side), records(side)[scenario])
            if run >= 0:
                samples[side].append(sample)
    native = samples[sides[0]]
    words = [f"{scenario:>18}:"]
    for side in sides:
        seconds = statistics.median(seconds for seconds, _queries in samples[side]) * 1000
        words.append(f"{side.name} {seconds:7.2f} ms {samples[side][-1][1]:3d} queries")
        if side is not sides[0]:
            pairs = zip(samples[side], native, strict=True)
            words.append(f"(x{statistics.median(own[0] / other[0] for own, other in pairs):.3f})")
    print(" ".join(words), flush=True)


def main():
    arguments = parse_arguments()
    configure(arguments.config)
    sides = [Side(arguments), AddonSide(arguments)]
    if arguments.peer:
        sides.append(PeerSide(arguments))
    gc.collect()  # what is frozen with it is never freed
    gc.freeze()
    print("Confirming 5 lines")
    for scenario in SCENARIOS:
        measure(
            sides, lambda side: lambda order: order.action_confirm(), scenario, lambda side: side.orders, arguments.runs
        )
    print("Reading what is owed")
    for scenario in SCENARIOS:
        measure(sides, lambda side: side.read, scenario, lambda side: side.partners, arguments.runs // 10)
    for scenario in SCENARIOS:
        sides[1].print_plan(scenario)
    for side in sides:
        side.drop()


if __name__ == "__main__":
    main()
