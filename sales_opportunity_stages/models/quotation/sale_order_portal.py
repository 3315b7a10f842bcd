from odoo import models


class SaleOrder(models.Model):
    """What the customer is told in the portal where a quotation cannot be accepted. The reasons stay inside."""

    _inherit = "sale.order"

    def _get_portal_notice(self):
        """Return a sentence for the customer while this quotation cannot be accepted, or an empty text.

        Override it where a quotation ends in another way. It must not name what customers may not read.
        """
        self.ensure_one()
        # sudo: customers may not read what is checked, only what follows for them
        order = self.sudo()
        if order.state not in ("draft", "sent") or order.is_expired:
            return ""
        if order.signature and not order._has_to_be_paid():
            return self.env._("We have received your signature. We will check the order and contact you.")
        if not order._get_refusals("sign") and not order._get_refusals("pay"):
            return ""
        return order._get_portal_refusal()

    def _get_portal_refusal(self):
        """Return in words for the customer why nothing can be accepted."""
        if self.approval_state == "closed":
            return self.env._("This quotation is closed and can no longer be accepted.")
        if self.opportunity_won_status == "lost":
            return self.env._("This quotation cannot be accepted at the moment.")
        return self.env._("This quotation is still being checked on our side and cannot be accepted yet.")

    def _get_portal_badge(self):
        """Return one word for the list of quotations, or an empty text."""
        self.ensure_one()
        # sudo: see _get_portal_notice
        order = self.sudo()
        if order.state not in ("draft", "sent") or order.is_expired:
            return ""
        return self.env._("Closed") if order.approval_state == "closed" else ""
