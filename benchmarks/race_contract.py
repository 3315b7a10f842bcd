"""One person makes a contract of a quotation while another confirms it, or makes one too, or takes a cancelled one up.

A quotation becomes an order or a contract, never both and never two. Run it against a database with
``sales_opportunity_stages_contract``, without a server on it; what it makes stays there::

    python benchmarks/race_contract.py --config odoo.conf --database scratch --trials 50
"""

from race import compete, environment, parse_arguments

from odoo.fields import Command


def make_quotations(env, count):
    customer = env["res.partner"].create({"name": "Race"})
    product = env["product.product"].create({"name": "Race", "list_price": 10})
    lines = [Command.create({"product_id": product.id})]
    return env["sale.order"].create([{"partner_id": customer.id, "order_line": lines}] * count)


def make_contract(env, order_id):
    env["sale.order"].browse(order_id).action_create_contract()


def take_up(env, order_id):
    """Make the cancelled contract a draft again."""
    env["sale.order"].browse(order_id).contract_ids.set_to_draft()


def confirm(env, order_id):
    env["sale.order"].browse(order_id).action_confirm()


def main():
    arguments = parse_arguments(__doc__.splitlines()[0])
    with environment(arguments) as env:
        groups = [make_quotations(env, arguments.trials).ids for _index in range(3)]
        for order in env["sale.order"].browse(groups[2]):
            order.action_create_contract()
            order.contract_ids.action_cancel()
    for (first, second), ids in zip(
        [(make_contract, confirm), (make_contract, make_contract), (take_up, confirm)], groups, strict=True
    ):
        compete(arguments, [(first, ids), (second, ids)])
    wrong = 0
    with environment(arguments) as env:
        for ids in groups:
            orders = env["sale.order"].browse(ids)
            became = [(order.state == "sale") + sum(order.contract_ids.mapped("binds_quotation")) for order in orders]
            wrong += sum(count != 1 for count in became)
            ordered = len(orders.filtered(lambda order: order.state == "sale"))
            print(f"{sum(count != 1 for count in became)} of {len(ids)} not exactly one ({ordered} became orders)")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
