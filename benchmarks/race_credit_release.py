"""Two people confirm orders at the same moment that need the same release, or the room that a grant gives to one.

One wins each time: a release is used once, and no unit owes more than its limit, the grants of today and the releases
together. A grant that ended yesterday gives nobody room. Run it against a database with the add-on, without a server on
it; what it makes stays there::

    python benchmarks/race_credit_release.py --config odoo.conf --database scratch --trials 50
"""

from datetime import timedelta

from race import compete, environment, make_parser

from odoo import fields
from odoo.fields import Command

LIMIT, EACH = 1000, 600
KINDS = ("release", "grant", "expired")


def make_orders(env, trials):
    """For each trial a unit with two orders over its limit, and what lets one of them pass, or none."""
    env.company.account_use_credit_limit = True
    product = env["product.product"].create({"name": "Race", "list_price": EACH, "taxes_id": [Command.clear()]})
    line = {"product_id": product.id, "price_unit": EACH, "tax_ids": [Command.clear()]}
    units, pairs = [], []
    for number in range(trials):
        kind = KINDS[number % len(KINDS)]
        unit = env["res.partner"].create({"name": f"Release {number}", "credit_limit": 1 if kind == "release" else 100})
        orders = env["sale.order"].create(
            [{"partner_id": unit.id, "order_line": [Command.create(line)]} for _person in range(2)]
        )
        if kind == "release":
            request = orders.sudo()._request_credit("Race")
            request._decide("granted", "Race", decision="release", valid_until=fields.Date.today())
        else:
            today = fields.Date.today()
            end = today if kind == "grant" else today - timedelta(days=1)
            env["sale.credit.grant"]._as_ledger().create(
                {"unit_id": unit.id, "amount": EACH, "date_from": today - timedelta(days=9), "date_to": end}
            )
        units.append((unit.id, kind))
        pairs.append(orders.ids)
    return units, pairs


def confirm(env, order_id):
    env["sale.order"].browse(order_id).action_confirm()


def main():
    arguments = make_parser(__doc__.splitlines()[0]).parse_args()
    with environment(arguments) as env:
        switched_on = env.company.account_use_credit_limit
        units, pairs = make_orders(env, arguments.trials)
    compete(arguments, [(confirm, [pair[person] for pair in pairs]) for person in range(2)])
    wrong = []
    with environment(arguments) as env:
        for (unit_id, kind), pair in zip(units, pairs, strict=True):
            confirmed = env["sale.order"].browse(pair).filtered(lambda order: order.state == "sale")
            if len(confirmed) != (0 if kind == "expired" else 1):
                wrong.append((kind, unit_id, len(confirmed)))
        env.company.account_use_credit_limit = switched_on
    print(
        f"{len(units) - len(wrong)} of {len(units)} as they should be: one order for a release or a grant, none for "
        f"a grant that has ended {wrong[:3]}"
    )
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
