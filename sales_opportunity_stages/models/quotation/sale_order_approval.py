from odoo import api, fields, models
from odoo.tools import format_amount, format_list

APPROVAL_ACTIVITY = "sales_opportunity_stages.mail_activity_type_approval"


class SaleOrder(models.Model):
    """Approval (审核) and its withdrawal (弃审).

    Where a rule of the company asks for it, a quotation takes effect by being approved: only then can it be sent,
    signed, paid, confirmed or turned into a contract. What was approved stays as it was: see ``sale_order_content``.
    Who is asked and who has decided is the approval flow: see ``models/approval``.
    """

    _inherit = "sale.order"

    approval_state = fields.Selection(
        [("open", "Not Approved"), ("approved", "Approved"), ("closed", "Closed")],
        string="Approval",
        default="open",
        required=True,
        readonly=True,
        copy=False,
        index=True,
    )
    # Read with each other, not with every order: few are asked for them.
    approved_by_id = fields.Many2one("res.users", readonly=True, copy=False, prefetch="approval")
    approved_date = fields.Datetime(readonly=True, copy=False, prefetch="approval")
    approved_amount = fields.Monetary(
        readonly=True, copy=False, prefetch="approval", help="The total that was approved, taxes included."
    )
    approval_requested_by_id = fields.Many2one(
        "res.users", string="Requested By", readonly=True, copy=False, prefetch="approval"
    )
    approval_required = fields.Boolean(
        compute="_compute_approval_required",
        compute_sudo=True,
        help="An approval rule of the company asks for the approval of this quotation.",
    )
    awaits_approval = fields.Boolean(compute="_compute_awaits_approval", compute_sudo=True)

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {
            "approval_state",
            "approved_by_id",
            "approved_date",
            "approved_amount",
            "approval_requested_by_id",
        }

    @api.depends(
        "amount_total",
        "currency_id",
        "company_id",
        "date_order",
        "partner_id",
        "team_id",
        "payment_term_id",
        "order_line.discount",
        "order_line.price_unit",
        "approval_progress",
    )
    def _compute_approval_required(self):
        for order in self:
            order.approval_required = order._requires_approval()

    @api.depends("approval_required", "approval_state", "state")
    def _compute_awaits_approval(self):
        for order in self:
            order.awaits_approval = (
                order.approval_required and order.approval_state == "open" and order.state in ("draft", "sent")
            )

    def _requires_approval(self):
        """Return whether a rule of the company asks for the approval of this order: by its total, or its conditions.

        Worked out afresh: a rule that asks during a recomputation must not be answered from before it. Override it
        where something else calls for an approval: any quotation approver gives it then.
        """
        self.ensure_one()
        return bool(self._filter_terms(self._get_flow_in_force()))

    def _get_company_amount(self):
        """The total, taxes included, in the company's currency at the date of the order."""
        self.ensure_one()
        return self.currency_id._convert(
            self.amount_total, self.company_id.currency_id, self.company_id, self.date_order or fields.Date.today()
        )

    # ------------------------------------------------------------
    # What it allows
    # ------------------------------------------------------------

    def _refuse_by_approval(self, operation):
        if self.approval_state == "approved":
            return self._refuse_while_approved(operation)
        if operation == "unapprove":
            return [self.env._("It is not approved.")]
        takes_effect = operation in ("confirm", "contract") or (
            operation in ("send", "sign", "pay") and self.state != "sale"
        )
        if takes_effect and self._requires_approval():
            return [self._get_missing_approval()]
        if operation in ("refuse", "return", "withdraw") and not self._is_approval_pending():
            return [self.env._("No approval has been requested: press Request Approval.")]
        if operation == "request" and self._is_decided_against("refused"):
            return [self.env._("It was refused: change it first, then request the approval again.")]
        if operation == "approve" and self._is_decided_against("refused", "returned"):
            return [self.env._("Another approver has refused or returned it. It has to be requested again.")]
        return []

    def _get_missing_approval(self):
        """Return why this quotation does not take effect yet, and what to do."""
        if not self._is_approval_pending():
            return self.env._(
                "A quotation over %s has to be approved first: press Request Approval.", self._get_total_label()
            )
        names = format_list(self.env, self._get_approvers()[:5].mapped("name")) or self.env._("nobody yet")
        return self.env._(
            "It has to be approved first, and waits for %s. The requester can withdraw the request.", names
        )

    def _is_decided_against(self, *states):
        """Return whether the last request ended in one of these states, and the content is what it was then.

        Who approves from a page that was opened before does not pass over another's decision.
        """
        if self.approval_progress == "requested" or not self.approval_round:
            return False
        ended = self._get_round_steps().filtered(lambda step: step.state in states)
        return bool(ended) and self._get_content_digest() in ended.mapped("content_digest")

    def _refuse_while_approved(self, operation):
        if operation in ("approve", "request", "refuse", "return", "withdraw") and self.state in ("draft", "sent"):
            return [self.env._("It is approved already.")]
        if operation == "delete":
            return [self.env._("It is approved: withdraw the approval first.")]
        if operation == "unapprove" and self.state == "sale":
            return [self.env._("It is a confirmed order: cancel the order first.")]
        return []

    def _get_total_label(self):
        return format_amount(self.env, self.amount_total, self.currency_id)

    # ------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------

    def _is_approval_pending(self):
        """Return whether an approval has been requested and not decided."""
        self.ensure_one()
        is_open = self.approval_state == "open" and self.state in ("draft", "sent")
        return is_open and self.approval_progress == "requested"

    def _prepare_approved(self):
        """Return the values of a quotation that the user has approved as the last one."""
        return {
            "approval_state": "approved",
            "approval_progress": "none",
            "approved_by_id": self.env.uid,
            "approved_date": fields.Datetime.now(),
            "approved_amount": self.amount_total,
        }

    def action_unapprove(self):
        """Withdraw the approval of these quotations, all or none: they are open again.

        :raise AccessError: when the user may not approve one of them
        :raise UserError: when one is confirmed or has a contract; it says which
        """
        self.check_access("read")
        self._lock_rows()
        self._check_approver("unapprove")
        self._check_allowed("unapprove")
        # sudo: as action_approve
        self.sudo()._set_open(self.env._("Approval withdrawn"), "withdrawn")
        self._report_to_opportunities()
        return True

    def _set_open(self, step, state="lapsed"):
        """Open these quotations again.

        :param str step: what has happened, for the chatter
        :param str state: of the approval steps that hold no longer
        """
        for order in self:
            order._end_round(state)
            order._write_derived(
                {
                    "approval_state": "open",
                    "approval_progress": "none",
                    "approved_by_id": False,
                    "approved_date": False,
                    "approved_amount": 0.0,
                    "approval_requested_by_id": False,
                    "close_reason": False,
                }
            )
            order._log_step(step)

    def _log_step(self, step):
        """Put a step in the chatter, with who and when, whatever tracking the caller has switched off."""
        self.ensure_one()
        self._message_log(body=step, author_id=self.env.user.partner_id.id)

    # ------------------------------------------------------------
    # What follows from other changes
    # ------------------------------------------------------------

    def _get_snapshot(self):
        return super()._get_snapshot() | {"approval_state": self.approval_state}

    @api.model
    def _get_states_of_snapshot(self):
        return super()._get_states_of_snapshot() | {"approval_state"}

    def _restart_approval(self, change):
        """End the approval of a cancelled quotation that is changed or taken up again."""
        approved = self.filtered(lambda order: order.approval_state == "approved")
        restarted = approved.filtered(
            lambda order: order.state == "draft" and change.was(order).get("state") == "cancel"
        )
        if restarted:
            restarted._set_open(self.env._("Open again: the cancelled quotation was taken up"))
        changed = approved.filtered(lambda order: order.state == "cancel" and order._get_changed_content(change))
        if changed:
            changed._set_open(self.env._("Approval ended: the cancelled quotation was changed"))
        if cancelled := self.filtered(lambda order: order.state == "cancel"):
            cancelled.filtered(lambda order: order.approval_progress == "requested")._end_request("lapsed")
            cancelled.activity_unlink([APPROVAL_ACTIVITY])

    def _lock_for_approval(self, change):
        """Lock the order row, so that an approval and a change of a line at the same time cannot pass each other.

        Each would see in its snapshot the order as it was before the other. Updating the row that both share makes
        one of them fail to serialize, and Odoo runs it again.
        """
        self.filtered(lambda order: order._get_live_flow())._lock_rows()
