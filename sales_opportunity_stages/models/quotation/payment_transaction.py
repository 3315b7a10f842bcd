from odoo import models


class PaymentTransaction(models.Model):
    """A payment is processed to its end, even where its order cannot be confirmed: see ``app_operations``."""

    _inherit = "payment.transaction"

    def _check_amount_and_confirm_order(self):
        """Leave out what could not be confirmed: it stays a quotation, and the salesperson is told why."""
        return super()._check_amount_and_confirm_order().filtered(lambda order: order.state == "sale")
