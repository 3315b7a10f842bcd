from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _settle_closed_rest(self, lines):
        """Cancel what is left to deliver of lines whose rest is closed."""
        result = super()._settle_closed_rest(lines)
        # sudo: a salesperson closes the rest and need not be able to write transfers
        moves = lines.sudo().move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
        moves._action_cancel()
        return result

    def _settle_reopened_rest(self, lines):
        """Plan again what is left to deliver."""
        result = super()._settle_reopened_rest(lines)
        # sudo: as _settle_closed_rest
        lines.sudo()._action_launch_stock_rule()
        return result
