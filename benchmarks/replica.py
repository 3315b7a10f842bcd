"""Whether the reports run on a replica of the database, and write nothing.

Makes a PostgreSQL of its own with a copy of a database that has the add-on, and a streaming replica of it, both on
loopback and gone in the end; starts Odoo with the two; opens every report as a salesperson over HTTP, as the web client
does; and reads in the logs of the servers which of the two ran which statements::

    python benchmarks/replica.py --config odoo.conf --database scratch
"""

import argparse
import shutil
import sys
import tempfile
import time
from ast import literal_eval
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lxml import etree
from servers import Cluster, WebClient, configure, serving, wait_until

import odoo
from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command
from odoo.modules.registry import Registry

from tools import postgres

LOGIN = "replica_salesperson"
SETTINGS = {
    "wal_level": "replica",
    "autovacuum": "off",  # it would write too
    "fsync": "off",
    "log_statement": "all",
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="a configuration of Odoo whose addons_path has the add-on")
    parser.add_argument("--database", required=True, help="the database to copy; it is only read")
    return parser.parse_args()


# ------------------------------------------------------------
# Two servers
# ------------------------------------------------------------


@contextmanager
def primary_with_copy(programs, folder, database):
    primary = Cluster(programs, folder / "primary", SETTINGS)
    primary.make()
    with primary.running():
        primary.copy(database)
        yield primary


@contextmanager
def streaming_replica(primary, folder):
    replica = Cluster(primary.programs, folder / "replica", SETTINGS)
    source = ["-h", "127.0.0.1", "-p", primary.port, "-U", "odoo"]
    replica.run("pg_basebackup", *source, "-D", replica.folder, "-R", "-X", "stream", "-c", "fast", "--no-sync")
    with replica.running():
        state = "SELECT MAX(state) FROM pg_stat_replication"
        wait_until(lambda: primary.ask(state) == "streaming", "the replica streams")
        assert replica.ask("SELECT pg_is_in_recovery()")
        yield replica


def replica_words(replica):
    """Options of an Odoo that has the replica, and no other work than ours."""
    words = ["--db_replica_host", "127.0.0.1", "--db_replica_port", str(replica.port)]
    return [*words, "--workers", "0", "--max-cron-threads", "0", "--log-level", "warn"]


# ------------------------------------------------------------
# A salesperson
# ------------------------------------------------------------


def prepare(database):
    """Make the salesperson and some opportunities in every state.

    :returns: the id of one of them, and for each report what the web client asks when it is opened
    """
    with Registry(database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        group = env.ref("sales_team.group_sale_salesman")
        user = env["res.users"].create(
            {"name": "Replica", "login": LOGIN, "password": LOGIN, "group_ids": [Command.set(group.ids)]}
        )
        values = {"type": "opportunity", "user_id": user.id, "date_deadline": "2026-01-01", "expected_revenue": 100}
        rival = env["res.partner"].create({"name": "Rival", "is_competitor": True})
        competitors = [Command.create({"partner_id": rival.id})]
        leads = env["crm.lead"].create(
            [{"name": f"Deal {n}", "opportunity_competitor_ids": competitors, **values} for n in range(9)]
        )
        leads[:3].action_set_lost()
        leads[3:6].sudo().action_set_won()
        env.flush_all()
        questions = make_questions(env(user=user.id))
        cr.commit()
        return leads[-1].id, questions


def make_questions(env):
    """``{name of the report: [(path, parameters, table that has to be read or None)]}``"""
    mixin = env.registry["crm.lead.report.mixin"]
    reports = [name for name, model in env.registry.items() if issubclass(model, mixin) and not model._abstract]
    actions = env["ir.actions.act_window"].sudo().search([("res_model", "in", reports)])
    return {f"{action.name} ({action.res_model})": make_calls(env, action) for action in actions}


def make_calls(env, action):
    """What opening the report, switching through its views and clicking a row ask."""
    report, context = env[action.res_model], literal_eval((action.context or "{}").strip())
    views = [[False, kind] for kind in ("search", *action.view_mode.split(","))]
    pivot = etree.fromstring(report.get_views([(False, "pivot")])["views"]["pivot"]["arch"])
    rows = context.get("pivot_row_groupby") or pivot.xpath("//field[@type='row']/@name")
    names = context.get("pivot_measures") or pivot.xpath("//field[@type='measure']/@name")
    measures = ["__count", *(f"{name}:{report._fields[name].aggregator}" for name in names)]
    sets = [list(rows[:size]) for size in range(len(rows) + 1)]
    listed = {"lead_id": {"fields": {"display_name": {}}}, "won_status": {}}
    row = report.search([], limit=1)
    table = report._table
    return [
        ("/web/action/load", {"action_id": action.id}, None),
        kw(report, "get_views", [views], {"options": {"toolbar": True, "load_filters": True}}),
        kw(report, "formatted_read_grouping_sets", [[], sets, measures], {}, table),
        kw(report, "formatted_read_group", [[], list(rows[:1]), measures], {}, table),
        kw(report, "web_search_read", [[], listed], {"limit": 80}, table),
        kw(report, "web_read_group", [[], ["user_id"]], {}, table),
        kw(report, "action_open_lead", [row.ids], {}, None, button=True),
        *(make_funnel_calls(report) if report._name == "crm.funnel.report" else []),
    ]


def make_funnel_calls(report):
    """What drawing the funnel and clicking a segment ask."""
    table = report._table
    return [
        kw(report, "get_funnels", [[], ["user_id"]], {}, table),
        kw(report, "get_opportunities_action", [[("lost_here", "=", 1)]], {}),
        kw(report.env["crm.lead"], "web_search_read", [[("funnel_report_ids", "any", [])], {"name": {}}], {}, table),
    ]


def kw(records, method, args, kwargs, table=None, button=False):
    path = f"/web/dataset/call_{'button' if button else 'kw'}/{records._name}/{method}"
    return path, {"model": records._name, "method": method, "args": args, "kwargs": kwargs}, table


# ------------------------------------------------------------
# Who ran it
# ------------------------------------------------------------


class Watch:
    """Which server ran the statements of a call, and whether the primary wrote anything meanwhile."""

    def __init__(self, primary, replica, database):
        self.primary, self.replica, self.database = primary, replica, database

    def observe(self, ask):
        """:returns: statements of the replica, of the primary, and its transactions that have written"""
        written = self._get_written()
        ends = [cluster.follow() for cluster in (self.replica, self.primary)]
        ask()
        here, there = (
            cluster.statements_since(end, self.database)
            for cluster, end in zip((self.replica, self.primary), ends, strict=True)
        )
        return here, there, self._get_written() - written

    def _get_written(self):
        """Transactions are numbered once they write; the log of the primary grows by itself too, now and then."""
        return int(self.primary.ask("SELECT pg_snapshot_xmax(pg_current_snapshot())"))


def check_reports(watch, client, questions):
    """Print what each report's calls took and where; whether all of it was on the replica, and nothing written."""
    print(f"{'':60} on the replica, on the primary, transactions that wrote", flush=True)
    passed = True
    for report, calls in questions.items():
        print(report)
        for path, parameters, table in calls:
            here, there, written = watch.observe(lambda p=path, v=parameters: client.call(p, v))
            read = not table or any(table in statement for statement in here)
            is_fine = bool(here) and not there and not written and read
            passed &= is_fine
            remark = "" if is_fine else "  NOT SO" if read else "  the report was not read"
            print(f"    {path.rpartition('/')[2]:56} {len(here):14} {len(there):15} {written:14}{remark}", flush=True)
    return passed


def check_that_it_can_fail(watch, client, lead_id):
    """A write runs on the primary and is seen to; the replica tells of it."""
    name = f"Renamed {time.time()}"
    path, parameters, _table = kw_of("crm.lead", "write", [[lead_id], {"name": name}])
    here, there, written = watch.observe(lambda: client.call(path, parameters))
    print(f"{'a write, to compare':60} {len(here):14} {len(there):15} {written:14}")
    path, parameters, _table = kw_of("crm.lead", "web_read", [[lead_id], {"name": {}}])
    wait_until(lambda: client.call(path, parameters)[0]["name"] == name, "the write arrives on the replica", 30)
    here, there_again, _written = watch.observe(lambda: client.call(path, parameters))
    return bool(there) and written > 0 and bool(here) and not there_again


def kw_of(model, method, args):
    path = f"/web/dataset/call_kw/{model}/{method}"
    return path, {"model": model, "method": method, "args": args, "kwargs": {}}, None


def main():
    arguments = parse_arguments()
    odoo.tools.config.parse_config(["-c", arguments.config, "--log-level=error"])
    programs = postgres._programs(Path(sys.prefix))
    folder = Path(tempfile.mkdtemp(prefix="odoo-replica-"))
    try:
        with ExitStack() as stack:
            primary = stack.enter_context(primary_with_copy(programs, folder, arguments.database))
            replica = stack.enter_context(streaming_replica(primary, folder))
            words = configure(arguments.config, primary, arguments.database)
            lead_id, questions = prepare(arguments.database)
            port = stack.enter_context(serving(arguments.config, words, folder, *replica_words(replica)))
            client, watch = WebClient(port, arguments.database, LOGIN), Watch(primary, replica, arguments.database)
            passed = check_reports(watch, client, questions)
            passed &= check_that_it_can_fail(watch, client, lead_id)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("everything was read on the replica" if passed else "NOT everything was read on the replica alone")
    raise SystemExit(not passed)


if __name__ == "__main__":
    main()
