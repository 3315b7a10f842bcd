"""How much longer a write takes with the change ledger, and how long the ledger takes to be filled from the chatter.

Two tracked values of the same opportunities are written again and again, in turn with the ledger and without, in a
transaction that is undone. With ``--values`` as many tracked values are then put into the chatter, and the ledger is
filled from them, with its progress in the log; this is undone, too::

    python benchmarks/change_ledger.py --config odoo.conf --database scratch --values 2000000
"""

import argparse
import logging
import statistics
import time
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from stage_move import make_case

import odoo
from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry

LIMIT = 1.15  # times as long as without the ledger at most
TRACKED = """
    WITH message AS (
        INSERT INTO mail_message (model, res_id, date, message_type, create_uid, create_date)
             SELECT 'crm.lead', lead.id, lead.create_date + n * INTERVAL '1 day', 'notification', 1, lead.create_date
               FROM (SELECT id, create_date
                       FROM crm_lead
                      WHERE type = 'opportunity'
                      ORDER BY id DESC
                      LIMIT %(leads)s) lead,
                    GENERATE_SERIES(1, %(each)s) n
          RETURNING id, res_id)
    INSERT INTO mail_tracking_value (
                mail_message_id, field_id, old_value_float, new_value_float, create_uid, create_date)
         SELECT id, %(field)s, id %% 1000, (id + 1) %% 1000, 1, NOW() FROM message
"""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 200], help="opportunities written at once")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--values", type=int, default=0, help="tracked values to fill the ledger from")
    parser.add_argument("--each", type=int, default=10, help="tracked values of each opportunity")
    return parser.parse_args()


@contextmanager
def without_ledger(env):
    """Compare and log nothing."""
    from odoo.addons.sales_opportunity_stages.models.opportunity.crm_lead_ledger import CrmLead

    with ExitStack() as stack:
        stack.enter_context(patch.object(CrmLead, "_log_values_of_change", lambda leads, change: None))
        stack.enter_context(patch.object(CrmLead, "_get_snapshot", lambda lead: super(CrmLead, lead)._get_snapshot()))
        yield


@contextmanager
def with_ledger(env):
    yield


def seconds_of_a_write(env, leads, values, how):
    env.flush_all()
    with how(env), env.cr.savepoint() as savepoint:
        env.invalidate_all()
        env.cr.flush()
        start = time.perf_counter()
        leads.write(values)
        env.flush_all()
        env.cr.flush()
        spent = time.perf_counter() - start
        savepoint.rollback()
    env.invalidate_all()
    return spent


def measure_writes(case, arguments):
    """Whether writing two tracked values is within the limit."""
    within = True
    values = {"expected_revenue": 4321.5, "date_deadline": "2031-01-01"}
    for count in arguments.counts:
        leads = case._create_opportunities(count, expected_revenue=1, date_deadline="2030-01-01")
        pairs = [
            [seconds_of_a_write(case.env, leads, values, how) for how in (with_ledger, without_ledger)]
            for _round in range(arguments.rounds + 3)
        ][3:]
        ours, before = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        within &= ratio <= LIMIT
        print(
            f"{count} written: {ours * 1000:.1f} ms with the ledger, {before * 1000:.1f} ms without: {ratio:.2f} times "
            f"(at most {LIMIT})",
            flush=True,
        )
    return within


def measure_filling(env, values, each):
    """Fill the ledger of the last opportunities."""
    from odoo.addons.sales_opportunity_stages.change_history import ChangeHistory

    logging.getLogger("odoo.addons.sales_opportunity_stages.change_history").setLevel(logging.INFO)
    field = env["ir.model.fields"]._get("crm.lead", "expected_revenue")
    env.flush_all()
    env.cr.execute("DELETE FROM crm_lead_change")
    env.cr.execute(TRACKED, {"leads": values // each, "each": each, "field": field.id})
    env.cr.execute("ANALYZE mail_message; ANALYZE mail_tracking_value")
    start = time.perf_counter()
    count = ChangeHistory(env).rebuild()
    print(f"{count} changes from {values} tracked values: {time.perf_counter() - start:.1f} s", flush=True)


def main():
    arguments = parse_arguments()
    odoo.tools.config.parse_config(["-c", arguments.config, "-d", arguments.database, "--log-level=error"])
    with Registry(arguments.database).cursor() as cr:
        case = make_case(Environment(cr, SUPERUSER_ID, {}))
        within = measure_writes(case, arguments)
        if arguments.values:
            measure_filling(case.env, arguments.values, arguments.each)
        cr.rollback()
    raise SystemExit(not within)


if __name__ == "__main__":
    main()
