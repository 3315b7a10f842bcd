from odoo import fields, models


class SaleOrderDecision(models.TransientModel):
    """Refuse quotations or return them for change, one or many, with the reason."""

    _name = "sale.order.decision"
    _description = "Decide on an Approval"

    order_ids = fields.Many2many("sale.order", string="Quotations", required=True)
    operation = fields.Selection(
        [("refuse", "Refuse"), ("return", "Return for Change")], required=True, default="refuse"
    )
    reason = fields.Text(required=True)

    def action_decide(self):
        """See ``sale.order.action_refuse_approval`` and ``sale.order.action_return_approval``."""
        self.ensure_one()
        if self.operation == "refuse":
            self.order_ids.action_refuse_approval(self.reason)
        else:
            self.order_ids.action_return_approval(self.reason)
        return {"type": "ir.actions.act_window_close"}
