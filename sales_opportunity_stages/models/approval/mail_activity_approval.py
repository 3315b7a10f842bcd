from odoo import models
from odoo.exceptions import UserError

from ..quotation.sale_order_approval import APPROVAL_ACTIVITY


class MailActivity(models.Model):
    """An activity that asks for an approval is completed by deciding on the quotation, and by nothing else.

    Otherwise the requester could mark it done, and nobody would be asked any more.
    """

    _inherit = "mail.activity"

    def write(self, vals):
        if not vals.keys() & {"active", "user_id", "activity_type_id", "res_id", "res_model_id", "res_model"}:
            return super().write(vals)
        handed_over = self._check_approval_decided(reassigned_to=vals.get("user_id") if len(vals) == 1 else None)
        result = super().write(vals)
        for order, user in handed_over:
            order._hand_over(user, self.env["res.users"].sudo().browse(vals["user_id"]))  # sudo: another user
        return result

    def unlink(self):
        self._check_approval_decided()
        return super().unlink()

    def _check_approval_decided(self, reassigned_to=None):
        """Keep an approval request with the approver until the quotation is decided on.

        :param reassigned_to: id of a user, where the assigned approver hands the activity over
        :raise UserError: naming the quotation and the approver
        :returns: ``[(order, the approver who hands it over)]``
        """
        type_id = self.env["ir.model.data"]._xmlid_to_res_id(APPROVAL_ACTIVITY)
        handed_over = []
        # sudo: the guard does not depend on what the user may read
        for activity in self.sudo():
            if activity.res_model != "sale.order" or activity.activity_type_id.id != type_id:
                continue
            order = self.env["sale.order"].sudo().browse(activity.res_id).exists()
            if not order or not order._is_approval_pending() or activity.user_id not in order._get_approvers():
                continue
            if activity.user_id == self.env.user and reassigned_to in order._get_successors(activity.user_id).ids:
                handed_over.append((order, activity.user_id))
                continue
            raise UserError(
                self.env._(
                    "This activity asks %(approver)s to approve %(order)s. It is completed by approving, refusing or "
                    "returning the quotation.",
                    approver=activity.user_id.name,
                    order=order.name,
                )
            )
        return handed_over
