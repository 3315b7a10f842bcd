"""How much longer moving opportunities takes with the add-on than with Odoo alone.

The same opportunities are moved again and again, in turn with the add-on's hooks and with the hooks passed by, in one
transaction that is undone in the end. Run it against a database with the add-on::

    python benchmarks/stage_move.py --config odoo.conf --database scratch
"""

import argparse
import statistics
import time
from contextlib import nullcontext

import odoo
from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 500], help="opportunities moved at once")
    parser.add_argument("--rounds", type=int, default=15)
    return parser.parse_args()


def make_case(env):
    """The pipeline of the tests, and their way of standing in a stage with everything done."""
    from odoo.addons.sales_opportunity_stages.tests.test_performance import TestPerformance

    cls = type("Bench", (TestPerformance,), {"env": env, "cr": env.cr})
    cls._set_up_pipeline()
    cls.rule_sign.promotes = False
    return cls("run")


def seconds_of_a_move(env, leads, stage, hooks):
    """Move, write and track everything, and undo it."""
    env.flush_all()
    with hooks, env.cr.savepoint() as savepoint:
        env.invalidate_all()
        env.cr.flush()
        start = time.perf_counter()
        leads.write({"stage_id": stage.id})
        env.flush_all()
        env.cr.flush()
        spent = time.perf_counter() - start
        savepoint.rollback()
    env.invalidate_all()
    return spent


def compare(env, leads, stage, rounds):
    """Seconds of each round: with the add-on, and with Odoo alone."""
    from odoo.addons.sales_opportunity_stages.tests.query_counting import odoo_alone

    with_addon, alone = [], []
    for _ in range(rounds + 1):
        with_addon.append(seconds_of_a_move(env, leads, stage, nullcontext()))
        alone.append(seconds_of_a_move(env, leads, stage, odoo_alone()))
    return with_addon[1:], alone[1:]  # the first is for warming up


def report(label, with_addon, alone):
    ours, native = statistics.median(with_addon), statistics.median(alone)
    print(
        f"{label}: {ours * 1000:8.1f} ms with the add-on, {native * 1000:8.1f} ms without: "
        f"{ours / native:.2f} times, {(ours - native) * 1000:+.1f} ms",
        flush=True,
    )


def main():
    arguments = parse_arguments()
    odoo.tools.config.parse_config(["-c", arguments.config, "-d", arguments.database, "--log-level=error"])
    with Registry(arguments.database).cursor() as cr:
        case = make_case(Environment(cr, SUPERUSER_ID, {}))
        for count in arguments.counts:
            leads = case._prepare_in_needs(count)
            for label, tracking_disable in (("tracked", False), ("untracked", True)):
                moved = leads.with_context(tracking_disable=tracking_disable)
                times = compare(case.env, moved, case.stage_solution, arguments.rounds)
                report(f"{count:5} {label:>9}", *times)
        cr.rollback()


if __name__ == "__main__":
    main()
