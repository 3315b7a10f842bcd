from odoo import api, models


class SaleCreditDryRun(models.TransientModel):
    _inherit = "sale.credit.dry.run"

    @api.model
    def _get_quotation_domain(self, unit, company):
        """A quotation that became a contract never becomes an order."""
        return [*super()._get_quotation_domain(unit, company), ("has_contract", "=", False)]
