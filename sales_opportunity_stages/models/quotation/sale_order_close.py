from odoo import api, fields, models
from odoo.exceptions import AccessError

ACCEPTED_FIELDS = frozenset({"signature", "signed_by", "signed_on"})


class SaleOrder(models.Model):
    """Closing a quotation (关闭): nothing at all is done with it any more, until a Sales Administrator reopens it."""

    _inherit = "sale.order"

    close_reason = fields.Text(readonly=True, copy=False, prefetch="approval")

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"close_reason"}

    @api.model
    def _get_closed_writable_fields(self):
        """Fields that a closed quotation takes from the system: what the customer has done, and what goes with it."""
        return ACCEPTED_FIELDS | {"access_token", "pending_email_template_id", "reference"}

    def _check_writable(self, vals):
        result = super()._check_writable(vals)
        free = self._get_closed_writable_fields() if self.env.su else ()
        if any(name not in free and not name.startswith(("message_", "activity_", "rating_")) for name in vals):
            self._check_allowed("edit")
        return result

    def _refuse_closed(self, operation):
        if operation == "reopen":
            return [] if self.approval_state == "closed" else [self.env._("It is not closed.")]
        is_refused = self.approval_state == "closed" and operation != "unapprove"
        return [self._get_closed_refusal()] if is_refused else []

    def _get_closed_refusal(self):
        reason = (self.close_reason or "").partition("\n")[0]
        return self.env._("It is closed (%s): a Sales Administrator can reopen it.", reason)

    def action_close_quotation(self, reason=None):
        """Close these quotations, all or none. Without a reason a dialog asks for it.

        :param str reason: why nothing will come of them
        :raise UserError: when one of them is confirmed or closed already
        """
        self.check_access("write")
        self._check_allowed("close")
        if not (reason or "").strip():
            action = self.env["ir.actions.act_window"]._for_xml_id("sales_opportunity_stages.sale_order_close_action")
            action["context"] = {"default_order_ids": self.ids}
            return action
        # sudo: system fields; access is checked above
        for order in self.sudo():
            if order.approval_progress == "requested":
                order._end_request("lapsed")
            order._write_derived({"approval_state": "closed", "close_reason": reason.strip()})
            order.activity_unlink(["sales_opportunity_stages.mail_activity_type_approval"])
            order._log_step(self.env._("Closed: %s", reason.strip()))
        self._report_to_opportunities()
        return True

    def action_reopen_quotation(self):
        """Reopen closed quotations, all or none, to open: an approval has to be given again.

        :raise AccessError: for anybody but a Sales Administrator
        :raise UserError: when one of them is not closed
        """
        if not self.env.user.has_group("sales_team.group_sale_manager"):
            raise AccessError(self.env._("Only a Sales Administrator can reopen a closed quotation."))
        self.check_access("write")
        self._check_allowed("reopen")
        # sudo: system fields; access is checked above
        self.sudo()._set_open(self.env._("Reopened"))
        self._report_to_opportunities()
        return True
