from functools import wraps

from odoo import api, models
from odoo.fields import Domain
from odoo.http import request

from ...tools import Acceptance, OpenCarts

ONE_CHANGE = "one_change"
"""The writes of the operation to its orders are checked together."""

CONFIRMATION = "confirmation"
"""As ``one_change``. Where it is the customer's, it is kept even if it is refused."""

INCURRED = "incurred"
"""The operation records what has happened: goods shipped, money spent. It is logged and counted, never refused."""

DELIVERY = "delivery"
"""As ``incurred``, with the orders that are delivered: more than ordered counts for credit."""

FOR_CUSTOMER = "for_customer"
"""The operation records what a customer has paid: a confirmation that is refused does not undo it."""

CARTS = "carts"
"""The operation looks for carts of a website: what is closed or approved is none."""

CART_OF_SESSION = "cart_of_session"
"""As ``carts``, on the website of a request: a cart that has been closed or approved meanwhile is let go."""

ARCHIVING = "archiving"
"""Archiving products takes them out of carts, see ``carts``."""

CART_DOMAIN = "cart_domain"
"""The method returns a domain of carts."""


class SalesAppOperations(models.AbstractModel):
    """Operations of Odoo and of other applications that change an order in several writes.

    They are wrapped when the registry is complete, so that the change begins outside every override, wherever the
    graph of modules puts it. Models and methods that are not installed are passed over.
    """

    _name = "sales.app.operations"
    _description = "Operations in Several Writes"

    @api.model
    def _get_app_operations(self):
        """Return ``{model: {method: how}}``, with ``how`` one of the words above. Extend it by yours.

        Only methods of ``sale.order`` itself can be ``one_change``: it is about the orders that they are called on.
        """
        one_change = dict.fromkeys(self._get_order_operations(), ONE_CHANGE)
        return {
            "sale.order": one_change
            | {
                "action_confirm": CONFIRMATION,
                "_action_confirm": INCURRED,
                # Money received at the till or by an invoice
                "_create_down_payment_section_line_if_needed": INCURRED,
                "_create_down_payment_lines_from_base_lines": INCURRED,
                # Carts of a website
                "_gc_abandoned_coupons": CARTS,
                "_search_abandoned_cart": CART_DOMAIN,
            },
            "website": {"_get_and_cache_current_cart": CART_OF_SESSION},
            "product.product": {"write": ARCHIVING},
            "res.partner": {"_get_order_fiscal_position_recompute_domain": CART_DOMAIN},
            # Re-invoiced expenses and vendor bills
            "account.move.line": {"_sale_create_reinvoice_sale_line": INCURRED},
            "hr.expense": {"_sale_expense_reset_sol_quantities": INCURRED},
            # Products shipped in addition, real shipping costs, materials used
            "stock.move": {
                "_action_synch_order": INCURRED,
                "_create_repair_sale_order_line": INCURRED,
                "_update_repair_sale_order_line": INCURRED,
                "_clean_repair_sale_order_line": INCURRED,
            },
            "stock.picking": {
                "_action_done": DELIVERY,
                "_add_delivery_cost_to_so": INCURRED,
                "send_to_shipper": INCURRED,
                "button_validate": INCURRED,
            },
            "repair.order": {"action_repair_cancel": INCURRED, "_update_sale_order_line_price": INCURRED},
            # Down payments
            "sale.advance.payment.inv": {"_create_invoices": INCURRED},
            # Paid: online, on delivery, on site, at the till
            "payment.transaction": {"_post_process": FOR_CUSTOMER},
            "pos.order": {"sync_from_ui": FOR_CUSTOMER},
        }

    @api.model
    def _get_order_operations(self):
        """Return the methods of ``sale.order`` that are one change of the orders they are called on."""
        return [
            "_action_cancel",
            "_recompute_prices",
            "_recompute_taxes",
            # Shipping
            "set_delivery_line",
            "_remove_delivery_line",
            "_set_delivery_method",
            "_set_pickup_location",
            # Promotions
            "_update_programs_and_rewards",
            "_apply_program_reward",
            "_try_apply_code",
            "_auto_apply_rewards",
            "_remove_program_from_points",
            "action_open_reward_wizard",
            # Grid, shop and catalogue
            "_apply_grid",
            "_cart_add",
            "_cart_update_line_quantity",
            "_update_order_line_info",
        ]

    @api.model
    def _get_delivered_orders(self, pickings):
        """Return the confirmed orders that transfers deliver, in superuser mode."""
        # sudo: the warehouse need not be able to read orders
        moves = pickings.sudo().move_ids
        orders = moves.sale_line_id.order_id if "sale_line_id" in moves._fields else self.env["sale.order"]
        return orders.filtered(lambda order: order.state == "sale" and order.company_id.account_use_credit_limit)

    def _register_hook(self):
        result = super()._register_hook()
        for model, operations in self._get_app_operations().items():
            cls = self.env.registry.get(model)
            for name, how in operations.items() if cls else ():
                if hasattr(cls, name) and name not in vars(cls):
                    setattr(cls, name, _wrap(cls, name, how))
        return result

    def _unregister_hook(self):
        result = super()._unregister_hook()
        for model, operations in self._get_app_operations().items():
            cls = self.env.registry.get(model)
            for name in operations if cls else ():
                if hasattr(vars(cls).get(name), "wraps_operation"):
                    delattr(cls, name)
        return result


def _wrap(cls, name, how):
    """Return the method of a class of the registry, wrapped."""
    run = RUNNERS[how]

    @wraps(getattr(cls, name))
    def method(self, *args, **kwargs):
        return run(self, lambda records: getattr(super(cls, records), name)(*args, **kwargs), *args)

    method.wraps_operation = True
    return method


def _run_as_one_change(orders, operation, *_args):
    with orders._change():
        return operation(orders)


def _run_confirmation(orders, operation, *_args):
    if not orders._confirms_for_customer():
        return _run_as_one_change(orders, operation)
    for order in orders:  # of several customers, perhaps: one that is refused is not in the way of the others
        result = order._keep_acceptance(lambda kept: _run_as_one_change(kept, operation))
    return result if len(orders) == 1 else True


def _run_incurred(records, operation, *_args):
    orders = records if records._name == "sale.order" else records.env["sale.order"]
    with orders._change(incurred=True):
        return operation(records)


def _run_delivery(pickings, operation, *_args):
    orders = pickings.env["sales.app.operations"]._get_delivered_orders(pickings)
    with pickings.env["sale.order"]._change(incurred=True) as change:
        orders._join_change(change)
        return operation(pickings)


def _run_for_customer(records, operation, *_args):
    return operation(Acceptance("payment").on(records))


def _run_among_carts(records, operation, *_args):
    return operation(OpenCarts().on(records))


def _run_cart_of_session(website, operation, *_args):
    # sudo: as Odoo, which hands the cart out in superuser mode
    cart = website.env["sale.order"].sudo().browse(request.session.get("sale_order_id") or ())
    if cart.exists() and not cart.filtered_domain(cart._get_cart_domain()):
        website.sale_reset()
    found = _run_among_carts(website, operation)
    return found.with_env(website.env(su=found.env.su))


def _run_archiving(products, operation, vals, *_args):
    is_archiving = "active" in vals and not vals["active"]
    return _run_among_carts(products, operation) if is_archiving else operation(products)


def _add_cart_domain(records, operation, *_args):
    domain = operation(records)
    return domain if domain is NotImplemented else Domain(domain) & records.env["sale.order"]._get_cart_domain()


RUNNERS = {
    ONE_CHANGE: _run_as_one_change,
    CONFIRMATION: _run_confirmation,
    INCURRED: _run_incurred,
    DELIVERY: _run_delivery,
    FOR_CUSTOMER: _run_for_customer,
    CARTS: _run_among_carts,
    CART_OF_SESSION: _run_cart_of_session,
    ARCHIVING: _run_archiving,
    CART_DOMAIN: _add_cart_domain,
}
