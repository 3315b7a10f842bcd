from odoo import api, models


class SaleOrder(models.Model):
    """A quotation may be what the stage of its opportunity was waiting for."""

    _inherit = "sale.order"

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        orders._report_to_opportunities()
        return orders

    def write(self, vals):
        result = super().write(vals)
        self._report_to_opportunities()
        return result

    def _report_to_opportunities(self):
        """Let the opportunities look again at their conditions."""
        self.sudo().opportunity_id._requirements_changed()
