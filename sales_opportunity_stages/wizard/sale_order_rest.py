from odoo import fields, models


class SaleOrderRest(models.TransientModel):
    """Close the rest of orders, with the reason."""

    _name = "sale.order.rest"
    _description = "Close the Rest of Orders"

    order_ids = fields.Many2many("sale.order", string="Orders", required=True)
    reason = fields.Text(required=True)

    def action_close_rest(self):
        """See ``sale.order.action_close_rest``."""
        self.ensure_one()
        self.order_ids.action_close_rest(self.reason)
        return {"type": "ir.actions.act_window_close", "infos": {"reload": True}}
