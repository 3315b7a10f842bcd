"""N people confirm orders of one credit unit at the same moment, in N processes; together they are over the limit.

The unit may never owe more than its limit, and whoever is too late is told so, not that something could not be
serialized. Run it against a database with the add-on, without a server on it; what it makes stays there::

    python benchmarks/race_credit.py --config odoo.conf --database scratch --trials 50 --people 2
    python benchmarks/race_credit.py --config odoo.conf --database scratch --trials 10 --people 8
"""

from race import compete, environment, make_parser

from odoo.fields import Command

LIMIT, EACH = 1000, 600


def make_orders(env, trials, people):
    """For each trial a unit with as many customers as people, each with an order: one of them fits."""
    env.company.account_use_credit_limit = True
    product = env["product.product"].create({"name": "Race", "list_price": EACH, "taxes_id": [Command.clear()]})
    units = env["res.partner"].create([{"name": f"Unit {i}", "credit_limit": LIMIT} for i in range(trials)])
    order_ids = []
    for unit in units:
        customers = env["res.partner"].create(
            [{"name": f"{unit.name}, customer {i}", "credit_unit_id": unit.id} for i in range(people)]
        )
        line = {"product_id": product.id, "price_unit": EACH, "tax_ids": [Command.clear()]}
        orders = env["sale.order"].create(
            [{"partner_id": customer.id, "order_line": [Command.create(line)]} for customer in customers]
        )
        order_ids.append(orders.ids)
    return units.ids, order_ids


def confirm(env, order_id):
    env["sale.order"].browse(order_id).action_confirm()


def main():
    parser = make_parser(__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=2)
    arguments = parser.parse_args()
    with environment(arguments) as env:
        switched_on = env.company.account_use_credit_limit
        unit_ids, order_ids = make_orders(env, arguments.trials, arguments.people)
    results = compete(
        arguments, [(confirm, [orders[person] for orders in order_ids]) for person in range(arguments.people)]
    )
    refusals = [answer for result in results for answer in result.values() if answer is not None]
    with environment(arguments) as env:
        standings = env["sale.credit.exposure"]._get_standings(unit_ids, env.company).values()
        over = [standing for standing in standings if standing.exposure.total > LIMIT]
        full = [standing for standing in standings if standing.exposure.total == EACH]
        env.company.account_use_credit_limit = switched_on
    unclear = [refusal for refusal in refusals if "credit limit" not in str(refusal)]
    print(f"{len(over)} of {len(unit_ids)} units over their limit, {len(full)} used as far as it goes")
    print(f"{len(refusals)} too late, {len(unclear)} of them without a clear reason {unclear[:1]}")
    raise SystemExit(bool(over or unclear))


if __name__ == "__main__":
    main()
