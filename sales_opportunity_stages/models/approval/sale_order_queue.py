from odoo import api, fields, models
from odoo.tools import format_list


class SaleOrder(models.Model):
    """The queue of approvals: whom a quotation waits for, since when, and whether the user may decide on it."""

    _inherit = "sale.order"

    can_approve = fields.Boolean(
        "Waits for Me",
        compute="_compute_can_approve",
        search="_search_can_approve",
        compute_sudo=True,
        help="An approval has been requested, and you may decide on it now.",
    )
    can_approve_unasked = fields.Boolean(compute="_compute_can_approve_unasked", compute_sudo=True)
    can_withdraw_request = fields.Boolean(compute="_compute_can_withdraw_request", compute_sudo=True)
    can_unapprove = fields.Boolean(compute="_compute_can_unapprove", compute_sudo=True)
    approval_asked = fields.Char("Waiting For", compute="_compute_approval_asked", compute_sudo=True)
    approval_level = fields.Integer(compute="_compute_approval_asked", compute_sudo=True)
    approval_age = fields.Integer(
        "Waiting Days", compute="_compute_approval_age", compute_sudo=True, help="Days since the request."
    )
    approval_notice = fields.Char(compute="_compute_approval_notice", compute_sudo=True)
    approval_margin = fields.Char("Margin Then", compute="_compute_approval_margin", compute_sudo=True)

    @api.depends("approval_progress", "approval_step_ids.state", "approval_step_ids.approver_ids", "approval_state")
    @api.depends_context("uid")
    def _compute_can_approve(self):
        requested = self.filtered(lambda order: order.approval_progress == "requested" and order._is_approval_pending())
        principals = self.env.user._get_approval_principals() if requested else self.env["res.users"]
        for order in self:
            order.can_approve = order in requested and bool(order._get_steps_to_decide(principals))

    @api.depends("awaits_approval", "approval_progress")
    @api.depends_context("uid")
    def _compute_can_approve_unasked(self):
        """Let an approver approve what nobody has requested yet."""
        for order in self:
            order.can_approve_unasked = (
                order.awaits_approval
                and order.approval_progress != "requested"
                and not order._is_decided_against("refused", "returned")
                and self.env.user in order._get_approvers()
            )

    def _search_can_approve(self, operator, value):
        if operator != "in":
            return NotImplemented
        user = self.env.user
        principals = user._get_approval_principals()
        # sudo: what the user is asked; the orders themselves are looked for with the user's rights
        steps = (
            self.env["sale.order.approval"]
            .sudo()
            .search([("state", "=", "requested"), ("approver_ids", "in", (user | principals).ids)])
        )
        orders = steps.order_id.filtered(
            lambda order: order._is_approval_pending() and order._get_steps_to_decide(principals)
        )
        return [("id", "in" if True in value else "not in", orders.ids)]

    @api.depends("approval_progress", "approval_requested_by_id")
    @api.depends_context("uid")
    def _compute_can_withdraw_request(self):
        for order in self:
            requester = order.approval_progress == "requested" and (order.approval_requested_by_id or order.user_id)
            order.can_withdraw_request = requester == self.env.user

    @api.depends("approval_state", "state")
    @api.depends_context("uid")
    def _compute_can_unapprove(self):
        for order in self:
            order.can_unapprove = (
                order.approval_state == "approved" and order.state != "sale" and self.env.user in order._get_approvers()
            )

    @api.depends("approval_progress", "approval_step_ids.state", "approval_step_ids.approver_ids")
    def _compute_approval_asked(self):
        for order in self:
            steps = order._get_live_steps("requested") if order.approval_progress == "requested" else ()
            names = steps.approver_ids.mapped("name") if steps else []
            order.approval_level = steps[0].level if steps else 0
            order.approval_asked = format_list(self.env, names[:4]) if names else False

    @api.depends("awaits_approval", "approval_progress", "approval_asked")
    def _compute_approval_notice(self):
        """Say in one sentence where the approval of an open quotation stands."""
        for order in self:
            order.approval_notice = order._get_approval_notice() if order.awaits_approval else False

    def _get_approval_notice(self):
        if self.approval_progress == "requested":
            return self.env._(
                "Waiting for approval by %(approvers)s, requested by %(user)s.",
                approvers=self.approval_asked or self.env._("nobody yet"),
                user=self.approval_requested_by_id.name or self.env._("nobody"),
            )
        if self.approval_progress == "refused":
            refused = self._get_round_steps().filtered(lambda step: step.state == "refused")[:1]
            return self.env._(
                "Refused by %(user)s: %(reason)s Change the quotation and request the approval again.",
                user=refused.decided_by_id.name,
                reason=(refused.reason or "").partition("\n")[0].rstrip(".") + ".",
            )
        return self.env._("This quotation takes effect by being approved: only then can it be sent or confirmed.")

    @api.depends("approval_requested_date", "approval_progress")
    def _compute_approval_age(self):
        now = fields.Datetime.now()
        for order in self:
            since = order.approval_progress == "requested" and order.approval_requested_date
            order.approval_age = (now - since).days if since else 0

    @api.depends("amount_total")
    def _compute_approval_margin(self):
        for order in self:
            order.approval_margin = order._get_margin_label()

    def action_preview_approval(self):
        """Open the lines, what has changed and the steps of a quotation in a dialog, to decide from the list."""
        self.ensure_one()
        self._check_may_hear_reasons()
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": "sale.order",
            "res_id": self.id,
            "views": [(self.env.ref("sales_opportunity_stages.sale_order_view_form_approval").id, "form")],
            "target": "new",
            "context": {"create": False, "edit": False},
        }
