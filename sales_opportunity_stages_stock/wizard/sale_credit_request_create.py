from odoo import fields, models


class SaleCreditRequestCreate(models.TransientModel):
    """Request credit for transfers, too."""

    _inherit = "sale.credit.request.create"

    order_ids = fields.Many2many(required=False)
    picking_ids = fields.Many2many("stock.picking", string="Transfers")

    def action_request(self):
        """See ``stock.picking.action_request_credit``."""
        self.ensure_one()
        if not self.picking_ids:
            return super().action_request()
        self.picking_ids.action_request_credit(self.reason)
        return {"type": "ir.actions.act_window_close", "infos": {"reload": True}}
