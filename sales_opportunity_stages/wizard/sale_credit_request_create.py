from odoo import fields, models


class SaleCreditRequestCreate(models.TransientModel):
    """Request credit for quotations, with the reason."""

    _name = "sale.credit.request.create"
    _description = "Request Credit"

    order_ids = fields.Many2many("sale.order", string="Quotations", required=True)
    reason = fields.Text(required=True)

    def action_request(self):
        """See ``sale.order.action_request_credit``."""
        self.ensure_one()
        self.order_ids.action_request_credit(self.reason)
        return {"type": "ir.actions.act_window_close", "infos": {"reload": True}}
