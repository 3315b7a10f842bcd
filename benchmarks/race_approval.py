"""Two people decide on one approval step at the same moment; two board members approve for the same quotation. N times.

One step is decided once, and by one of them; whoever is too late is told so. Where both have to agree, the quotation is
approved when both have. Run it against a database with the add-on, without a server on it; what it makes stays there::

    python benchmarks/race_approval.py --config odoo.conf --database scratch --trials 50
"""

from race import compete, environment, parse_arguments

from odoo.fields import Command


def make_user(env, login):
    group = env.ref("sales_team.group_sale_salesman_all_leads")
    user = env["res.users"].search([("login", "=", login)])
    return user or env["res.users"].create({"name": login, "login": login, "group_ids": [Command.link(group.id)]})


def make_rules(env, users):
    """A level that one of two approves, and one that both have to."""
    values = {"company_id": env.company.id, "approver_ids": [Command.set(users.ids)]}
    return env["sale.approval.rule"].create(
        [
            {**values, "name": "Race: any", "domain": "[('client_order_ref', '=', 'any')]"},
            {**values, "name": "Race: all", "domain": "[('client_order_ref', '=', 'all')]", "quorum": "all"},
        ]
    )


def make_quotations(env, count, kind):
    customer = env["res.partner"].create({"name": "Race"})
    product = env["product.product"].create({"name": "Race", "list_price": 10})
    lines = [Command.create({"product_id": product.id})]
    orders = env["sale.order"].create(
        [{"partner_id": customer.id, "client_order_ref": kind, "order_line": lines}] * count
    )
    orders.action_request_approval()
    return orders.ids


def approve_first(env, order_id):
    decide(env, order_id, "race_first", "action_approve")


def approve_second(env, order_id):
    decide(env, order_id, "race_second", "action_approve")


def refuse_second(env, order_id):
    decide(env, order_id, "race_second", "action_refuse_approval", "race")


def decide(env, order_id, login, method, *args):
    user = env["res.users"].search([("login", "=", login)])
    getattr(env["sale.order"].with_user(user).browse(order_id), method)(*args)


def main():
    arguments = parse_arguments(__doc__.splitlines()[0])
    with environment(arguments) as env:
        rules = make_rules(env, make_user(env, "race_first") | make_user(env, "race_second"))
        any_ids = make_quotations(env, arguments.trials, "any")
        all_ids = make_quotations(env, arguments.trials, "all")
        rule_ids = rules.ids
    first, second = compete(arguments, [(approve_first, any_ids), (refuse_second, any_ids)])
    compete(arguments, [(approve_first, all_ids), (approve_second, all_ids)])
    with environment(arguments) as env:
        orders = env["sale.order"].browse(any_ids)
        decided = [order.approval_step_ids.filtered("decided_by_id") for order in orders]
        twice = [steps for steps in decided if len(steps) != 1]
        both = [id_ for id_ in any_ids if (first[id_] is None) == (second[id_] is None)]
        unclear = [text for text in (*first.values(), *second.values()) if text and "serialize" in str(text)]
        won = sum(steps.state == "approved" for steps in decided)
        open_ = env["sale.order"].browse(all_ids).filtered(lambda order: order.approval_state != "approved")
        env["sale.approval.rule"].browse(rule_ids).active = False
    print(f"{len(twice)} of {len(any_ids)} steps not decided once ({won} approved, the others refused)")
    print(f"{len(both)} where both or neither got through, {len(unclear)} told something unclear")
    print(f"{len(open_)} of {len(all_ids)} not approved although both have agreed")
    raise SystemExit(bool(twice or both or unclear or open_))


if __name__ == "__main__":
    main()
