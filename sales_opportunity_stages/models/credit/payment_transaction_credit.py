from odoo import models


class PaymentTransaction(models.Model):
    """What of a payment has been received and is not in the books yet.

    An authorization is captured, voided or refunded by transactions of its own, which no order knows: Odoo books the
    money on those.
    """

    _inherit = "payment.transaction"

    def _get_received(self):
        """Return the amount received or authorized that no entry holds yet, in the currency of the transaction.

        Captures and refunds of it are counted with it.
        """
        self.ensure_one()
        children = self.child_transaction_ids
        own = 0.0
        if self.state in ("authorized", "done") and not self._is_in_books():
            own = self.amount - sum(child.amount for child in children if self._settles(child))
        return self.currency_id.round(own + sum(child._get_received() for child in children))

    def _settles(self, child):
        """Check whether a child has captured or voided a part of this transaction for good."""
        return child.operation == self.operation and child.state in ("done", "cancel")

    def _is_in_books(self):
        """Check whether the money counts in the receivables, or has gone on from there."""
        payment = self.payment_id
        return payment.move_id.state == "posted" or payment.state == "paid"
