from odoo import models

from ...tools import Acceptance


class PaymentTransaction(models.Model):
    """A payment is processed to its end, even where its order cannot be confirmed."""

    _inherit = "payment.transaction"

    def _post_process(self):
        return super(PaymentTransaction, Acceptance("payment").on(self))._post_process()

    def _check_amount_and_confirm_order(self):
        """Leave out what could not be confirmed: it stays a quotation, and the salesperson is told why."""
        return super()._check_amount_and_confirm_order().filtered(lambda order: order.state == "sale")
