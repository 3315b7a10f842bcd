from odoo import fields, models


class SaleOrderClose(models.TransientModel):
    """Close quotations, one or many, with the reason."""

    _name = "sale.order.close"
    _description = "Close Quotations"

    order_ids = fields.Many2many("sale.order", string="Quotations", required=True)
    reason = fields.Text(required=True)

    def action_close(self):
        """See ``sale.order.action_close_quotation``."""
        self.ensure_one()
        self.order_ids.action_close_quotation(self.reason)
        return {"type": "ir.actions.act_window_close"}
