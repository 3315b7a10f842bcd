from odoo import api, fields, models


class SaleOrder(models.Model):
    """Where an order comes from (订单来源)."""

    _inherit = "sale.order"

    order_source = fields.Selection(
        [
            ("manual", "Manual"),
            ("opportunity", "Opportunity"),
            ("quotation", "Quotation"),
            ("other", "Other application"),
        ],
        default="manual",
        readonly=True,
        copy=False,
        index=True,
        prefetch=False,
        help="Manual, from an opportunity, or from another application such as the website or a "
        "contract. An order from a quotation is one that was sent or approved before it was "
        "confirmed.",
    )

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"order_source"}

    @api.model
    def _get_initial_order_source(self, vals):
        """Where a new order comes from. A module that makes orders by itself overrides this.

        :param dict vals: what it is created with
        """
        if vals.get("opportunity_id", self.env.context.get("default_opportunity_id")):
            return "opportunity"
        return "other" if vals.get("website_id") else "manual"

    def _set_order_source(self, change):
        """Say of an offered quotation that is confirmed now that the order comes from it."""
        for order in self:
            state = change.was(order).get("state", "draft")
            offered = state == "sent" or order.approval_state == "approved"
            if order.state == "sale" != state and offered and order.order_source in ("manual", "opportunity"):
                order._write_derived({"order_source": "quotation"})
