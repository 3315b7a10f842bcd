from odoo import models

from ...tools import accepting


class PaymentTransaction(models.Model):
    """A payment is processed to its end, whatever may not be done with the order that it is for."""

    _inherit = "payment.transaction"

    def _post_process(self):
        return super(PaymentTransaction, accepting(self, "payment"))._post_process()

    def _check_amount_and_confirm_order(self):
        confirmed = self.env["sale.order"]
        for transaction in self:
            confirm = super(PaymentTransaction, transaction)._check_amount_and_confirm_order
            confirmed |= transaction.sale_order_ids._keep_acceptance(confirm) or confirmed
        return confirmed
