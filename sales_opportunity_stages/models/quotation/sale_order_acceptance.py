from odoo import models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html

from ...tools import Acceptance


class SaleOrder(models.Model):
    """The customer's side: what is refused is not offered, and what the customer has done is never lost.

    Somebody signs or pays on a page that was opened while it was allowed. Then the signature or the payment is kept,
    the order stays a quotation, and the salesperson gets an activity that says why.
    """

    _inherit = "sale.order"

    def _has_to_be_signed(self):
        return super()._has_to_be_signed() and (bool(Acceptance.of(self)) or not self._get_refusals("sign"))

    def _has_to_be_paid(self):
        return super()._has_to_be_paid() and (bool(Acceptance.of(self)) or not self._get_refusals("pay"))

    def _can_be_edited_on_portal(self):
        return super()._can_be_edited_on_portal() and self.approval_state == "open"

    def action_quotation_sent(self):
        """A payment that is under way marks what may not be sent neither as sent nor as failed."""
        if Acceptance.of(self):
            self = self.filtered(lambda order: not order._get_refusals("send"))
        return super().action_quotation_sent()

    def _validate_order(self):
        return self._keep_acceptance(lambda orders: super()._validate_order())

    def _confirms_for_customer(self):
        """Return whether a confirmation is the customer's: they have signed or paid, or a page confirms for them.

        A page runs in superuser mode. What customers call themselves is refused like any other call.
        """
        acceptance = Acceptance.of(self)
        return not acceptance.is_kept if acceptance else self.env.su and self.env.user.share

    def _keep_acceptance(self, confirm):
        """Confirm on behalf of the customer, or say to the salesperson why that was not possible.

        :param confirm: what confirms the orders it is called with; when it is refused, it alone is undone
        :returns: what ``confirm`` returned, None when it was refused
        """
        acceptance = Acceptance.of(self)
        kept = Acceptance(acceptance.origin if acceptance else "portal", is_kept=True).on(self)
        try:
            with self.env.cr.savepoint():
                return confirm(kept)
        except UserError as refusal:
            # sudo: the customer signs or pays; the activity is the system's
            for order in self.sudo():
                order._report_unconfirmed(refusal.args[0])
            return None

    def _report_unconfirmed(self, reason):
        """Ask the salesperson to see to an order that the customer has accepted and that could not be confirmed.

        :param str reason: why it was refused
        """
        self.ensure_one()
        responsible = self.user_id or self.team_id.user_id or self.create_uid
        # sudo: in the system's name: a customer may not schedule activities
        self.with_user(self.env.ref("base.user_root")).sudo().activity_schedule(
            "mail.mail_activity_data_todo",
            user_id=responsible.id,
            summary=self.env._("Accepted by the customer, not confirmed"),
            note=plaintext2html(reason),
        )
