"""One person approves a quotation while another changes a line of it; one confirms while another closes. N times each.

What is approved has to be what the approver saw, and nothing may be both an order and closed. Run it against a database
with the add-on, without a server on it; what it makes stays there::

    python benchmarks/race_quotation.py --config odoo.conf --database scratch --trials 50
"""

from race import compete, environment, parse_arguments

from odoo.fields import Command


def make_quotations(env, count):
    """Approval is asked for from the company for as long as the race runs."""
    env.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 0})
    env.company.quotation_approval_four_eyes = False
    customer = env["res.partner"].create({"name": "Race"})
    product = env["product.product"].create({"name": "Race", "list_price": 10})
    lines = [Command.create({"product_id": product.id, "name": "as first written"})]
    return env["sale.order"].create([{"partner_id": customer.id, "order_line": lines}] * count)


def approve(env, order_id):
    """:returns: what the approver saw"""
    order = env["sale.order"].browse(order_id)
    seen = order.order_line.name
    order.action_approve()
    return seen


def change(env, order_id):
    """Change what the total does not show."""
    env["sale.order"].browse(order_id).order_line.write({"name": "changed"})


def confirm(env, order_id):
    env["sale.order"].browse(order_id).action_confirm()


def close(env, order_id):
    env["sale.order"].browse(order_id).action_close_quotation("race")


def main():
    arguments = parse_arguments(__doc__.splitlines()[0])
    with environment(arguments) as env:
        names = ("quotation_approval", "quotation_approval_min_amount", "quotation_approval_four_eyes")
        former = {name: env.company[name] for name in names}
        first, second = make_quotations(env, arguments.trials), make_quotations(env, arguments.trials)
        second.action_approve()
        first_ids, second_ids = first.ids, second.ids
    approved, _changed = compete(arguments, [(approve, first_ids), (change, first_ids)])
    compete(arguments, [(confirm, second_ids), (close, second_ids)])
    with environment(arguments) as env:
        first, second = env["sale.order"].browse(first_ids), env["sale.order"].browse(second_ids)
        unseen = first.filtered(
            lambda order: order.approval_state == "approved" and order.order_line.name != approved[order.id]
        )
        both = second.filtered(lambda order: order.state == "sale" and order.approval_state == "closed")
        won = len(second.filtered(lambda order: order.state == "sale"))
        env.company.write(former)
    print(f"{len(unseen)} of {len(first_ids)} approved with content that the approver did not see")
    print(f"{len(both)} of {len(second_ids)} both confirmed and closed ({won} confirmed, the others closed)")
    raise SystemExit(bool(unseen or both))


if __name__ == "__main__":
    main()
