"""Two people fulfil the last two requirements of a stage at the same time, in two processes, N times.

Each must see the other's work: the opportunity has to be promoted, once, with one open stay. Run it against a database
with the add-on, without a server on it; what it makes stays there::

    python benchmarks/race_promotion.py --config odoo.conf --database scratch --trials 50
"""

import argparse
import multiprocessing

import odoo
from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--trials", type=int, default=50)
    return parser.parse_args()


def make_pipeline(env):
    """A type whose first stage asks for two actions, one of which promotes."""
    actions = env["mail.activity.type"].create([{"name": f"Race {i}", "res_model": "crm.lead"} for i in (1, 2)])
    opportunity_type = env["crm.opportunity.type"].create({"name": "Race", "sequence": 999})
    stages = env["crm.stage"].create(
        [
            {"name": n, "sequence": s, "opportunity_type_ids": [Command.set(opportunity_type.ids)]}
            for n, s in (("A", 1), ("B", 2))
        ]
    )
    env["crm.stage.rule"].create(
        [
            {
                "stage_id": stages[0].id,
                "activity_type_id": action.id,
                "required": True,
                "promotes": action == actions[0],
            }
            for action in actions
        ]
    )
    return opportunity_type, actions, stages


def make_opportunities(env, opportunity_type, actions, count):
    leads = env["crm.lead"].create(
        [{"name": f"Race {i}", "type": "opportunity", "opportunity_type_id": opportunity_type.id} for i in range(count)]
    )
    pairs = []
    for lead in leads:
        pairs.append([lead.activity_schedule(activity_type_id=action.id).id for action in actions])
    return leads, pairs


def complete(config, database, activity_ids, barrier):
    """One of the two people: completes its activity of every opportunity, each in a transaction of its own."""
    odoo.tools.config.parse_config(["-c", config, "-d", database, "--log-level=critical"])
    registry = Registry(database)
    for activity_id in activity_ids:
        barrier.wait()
        with registry.cursor() as cr:
            env = Environment(cr, SUPERUSER_ID, {})
            retrying(lambda env=env, id_=activity_id: env["mail.activity"].browse(id_).action_feedback() and None, env)


def main():
    arguments = parse_arguments()
    odoo.tools.config.parse_config(["-c", arguments.config, "-d", arguments.database, "--log-level=critical"])
    registry = Registry(arguments.database)
    with registry.cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        opportunity_type, actions, stages = make_pipeline(env)
        leads, pairs = make_opportunities(env, opportunity_type, actions, arguments.trials)
        lead_ids, target_id = leads.ids, stages[1].id
    barrier = multiprocessing.get_context("spawn").Barrier(2)
    people = [
        multiprocessing.get_context("spawn").Process(
            target=complete, args=(arguments.config, arguments.database, [pair[i] for pair in pairs], barrier)
        )
        for i in (0, 1)
    ]
    for person in people:
        person.start()
    for person in people:
        person.join()
    with registry.cursor() as cr:
        leads = Environment(cr, SUPERUSER_ID, {})["crm.lead"].browse(lead_ids)
        promoted = leads.filtered(lambda lead: lead.stage_id.id == target_id)
        once = leads.filtered(lambda lead: lead.stage_visit_ids.mapped("outcome") in (["open", "advanced"],))
    print(f"{len(promoted)} of {len(leads)} promoted, {len(once)} with exactly one move in their history")
    raise SystemExit(len(promoted) != len(leads) or len(once) != len(leads))


if __name__ == "__main__":
    main()
