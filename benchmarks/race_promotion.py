"""Two people fulfil the last two requirements of a stage at the same time, in two processes, N times.

Each must see the other's work: the opportunity has to be promoted, once, with one open stay. Run it against a database
with the add-on, without a server on it; what it makes stays there::

    python benchmarks/race_promotion.py --config odoo.conf --database scratch --trials 50
"""

from race import compete, environment, parse_arguments

from odoo.fields import Command


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
    return leads, [[lead.activity_schedule(activity_type_id=action.id).id for action in actions] for lead in leads]


def complete(env, activity_id):
    env["mail.activity"].browse(activity_id).action_feedback()


def main():
    arguments = parse_arguments(__doc__.splitlines()[0])
    with environment(arguments) as env:
        opportunity_type, actions, stages = make_pipeline(env)
        leads, pairs = make_opportunities(env, opportunity_type, actions, arguments.trials)
        lead_ids, target_id = leads.ids, stages[1].id
    compete(arguments, [(complete, [pair[i] for pair in pairs]) for i in (0, 1)])
    with environment(arguments) as env:
        leads = env["crm.lead"].browse(lead_ids)
        promoted = leads.filtered(lambda lead: lead.stage_id.id == target_id)
        once = leads.filtered(lambda lead: lead.stage_visit_ids.mapped("outcome") in (["open", "advanced"],))
    print(f"{len(promoted)} of {len(leads)} promoted, {len(once)} with exactly one move in their history")
    raise SystemExit(len(promoted) != len(leads) or len(once) != len(leads))


if __name__ == "__main__":
    main()
