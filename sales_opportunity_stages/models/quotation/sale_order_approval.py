from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_amount

APPROVAL_ACTIVITY = "sales_opportunity_stages.mail_activity_type_approval"
APPROVER_GROUP = "sales_opportunity_stages.group_quotation_approver"


class SaleOrder(models.Model):
    """Approval (审核) and its withdrawal (弃审).

    Where the company asks for it, a quotation takes effect by being approved: only then can it be sent, signed, paid,
    confirmed or turned into a contract. What was approved stays as it was approved: see ``sale_order_content``.
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
        help="The company asks for an approval of quotations of this amount.",
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

    @api.depends("amount_total", "currency_id", "company_id", "date_order")
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
        """Whether the total, taxes included, in the company's currency at the date of the order, reaches its threshold.

        Worked out afresh: a rule that asks during a recomputation must not be answered from before it. Override it
        where something besides the amount calls for an approval, such as a discount.
        """
        self.ensure_one()
        company = self.company_id
        return company.quotation_approval == "required" and (
            company.currency_id.compare_amounts(self._get_company_amount(), company.quotation_approval_min_amount) >= 0
        )

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
            return [
                self.env._(
                    "A quotation over %s has to be approved first: press Request Approval.", self._get_total_label()
                )
            ]
        return []

    def _refuse_while_approved(self, operation):
        if operation in ("approve", "request") and self.state in ("draft", "sent"):
            return [self.env._("It is approved already.")]
        if operation == "delete":
            return [self.env._("It is approved: withdraw the approval first.")]
        if operation == "unapprove" and self.state == "sale":
            return [self.env._("It is a confirmed order: cancel the order first.")]
        return []

    def _get_total_label(self):
        return format_amount(self.env, self.amount_total, self.currency_id)

    def _get_approver_refusals(self):
        """Return why the user may not approve this order, or change it once it is approved.

        Four-eyes (四眼原则): not by somebody who has worked on it, see :meth:`_get_involved_users`.

        :returns: a list of sentences
        """
        self.ensure_one()
        user = self.env.user
        if not user.has_group(APPROVER_GROUP):
            return [self.env._("Only a quotation approver can do this.")]
        if self.company_id.quotation_approval_four_eyes and user in self._get_involved_users():
            return [self.env._("You have worked on this quotation. Ask another quotation approver.")]
        return []

    def _check_approver(self, operation):
        """:raise AccessError: when the user may not do this with one of the orders"""
        # sudo: who has worked on it counts, whoever asks
        refusals = {order: reasons for order in self.sudo() if (reasons := order._get_approver_refusals())}
        if refusals:
            raise AccessError(self._format_refusals(operation, refusals))

    # ------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------

    def action_request_approval(self):
        """Ask the approvers of the company, each by an activity.

        :raise UserError: when one of the orders is not an open quotation, or nobody can approve it
        """
        self.check_access("write")
        self._check_allowed("request")
        # sudo: system fields, and activities for others; access is checked above
        for order in self.sudo():
            order._write_derived({"approval_requested_by_id": self.env.uid})
            order._check_has_approver()
            order._schedule_approval_requests()
        return True

    def _check_has_approver(self):
        """:raise UserError: when a request would reach nobody; it names what to do"""
        if not self._get_approvers():
            raise UserError(
                self.env._(
                    "Nobody can approve %(order)s: every quotation approver of %(company)s has worked on it. Ask an "
                    "administrator to add a quotation approver.",
                    order=self.name,
                    company=self.company_id.name,
                )
            )

    def _get_approvers(self):
        """Return who may approve this order. Override it to ask the team leader alone, for example."""
        self.ensure_one()
        # sudo: groups and companies of other users
        approvers = (
            self.env.ref(APPROVER_GROUP)
            .sudo()
            .all_user_ids.filtered(lambda user: user.active and not user.share and self.company_id in user.company_ids)
        )
        others = approvers.filtered(lambda user: not self.with_user(user).sudo()._get_approver_refusals())
        return others - self.env.ref("base.user_root")

    def _get_approval_activities(self):
        return self.activity_ids.filtered(lambda activity: activity.activity_type_id == self.env.ref(APPROVAL_ACTIVITY))

    def _schedule_approval_requests(self):
        for approver in self._get_approvers() - self._get_approval_activities().user_id:
            self.activity_schedule(APPROVAL_ACTIVITY, user_id=approver.id, **self._prepare_approval_request())

    def _prepare_approval_request(self):
        """Return summary and note of the activity that asks for the approval."""
        return {
            "summary": self.env._("Approve %(total)s", total=self._get_total_label()),
            "note": self.env._(
                "%(user)s asks for the approval of %(order)s for %(customer)s.",
                user=self.approval_requested_by_id.name,
                order=self.name,
                customer=self.partner_id.display_name,
            ),
        }

    def _is_approval_pending(self):
        """Return whether an approval has been requested and not decided."""
        self.ensure_one()
        return bool(self.approval_requested_by_id) and self.approval_state == "open" and self.state in ("draft", "sent")

    def action_approve(self):
        """Approve these quotations, all or none.

        :raise AccessError: when the user may not approve one of them
        :raise UserError: when one of them cannot be approved
        """
        self.check_access("read")
        self._check_approver("approve")
        self._check_allowed("approve")
        # sudo: system fields: approvers read all quotations and need not be able to write them. Checked above
        for order in self.sudo():
            order._set_approved()
            order._close_approval_requests(self.env._("Approved"))
        self._report_to_opportunities()
        return True

    def _set_approved(self):
        self._write_derived(
            {
                "approval_state": "approved",
                "approved_by_id": self.env.uid,
                "approved_date": fields.Datetime.now(),
                "approved_amount": self.amount_total,
            }
        )
        self._log_step(self.env._("Approved: %s", self._get_total_label()))

    def action_unapprove(self):
        """Withdraw the approval of these quotations, all or none: they are open again.

        :raise AccessError: when the user may not approve one of them
        :raise UserError: when one is confirmed or has a contract; it says which
        """
        self.check_access("read")
        self._check_approver("unapprove")
        self._check_allowed("unapprove")
        # sudo: as action_approve
        self.sudo()._set_open(self.env._("Approval withdrawn"))
        self._report_to_opportunities()
        return True

    def _set_open(self, step):
        """Open these quotations again.

        :param str step: what has happened, for the chatter
        """
        for order in self:
            order._write_derived(
                {
                    "approval_state": "open",
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

    def _close_approval_requests(self, feedback):
        """Complete the request of the user who has decided, and remove those of the others."""
        self.activity_feedback([APPROVAL_ACTIVITY], user_id=self.env.uid, feedback=feedback)
        self.activity_unlink([APPROVAL_ACTIVITY])

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
            cancelled.activity_unlink([APPROVAL_ACTIVITY])

    def _follow_approval_request(self, change):
        """Let a pending request say what the quotation is now, and reach those who may approve it now."""
        for order in self.filtered(lambda order: order._get_changed_content(change) and order._is_approval_pending()):
            approvers, activities = order._get_approvers(), order._get_approval_activities()
            activities.filtered(lambda activity: activity.user_id not in approvers).unlink()  # noqa: B023
            if not approvers or not order._requires_approval():
                order._write_derived({"approval_requested_by_id": False})
                order._get_approval_activities().unlink()
                order._log_step(self.env._("The approval request has ended: the quotation was changed"))
                continue
            order._get_approval_activities().write(order._prepare_approval_request())
            order._schedule_approval_requests()

    def _lock_for_approval(self, change):
        """Lock the order row, so that an approval and a change of a line at the same time cannot pass each other.

        Each would see in its snapshot the order as it was before the other. Updating the row that both share makes
        one of them fail to serialize, and Odoo runs it again.
        """
        ids = self.filtered(lambda order: order.company_id.quotation_approval == "required").ids
        if ids:
            self.env.cr.execute(SQL("UPDATE sale_order SET write_uid = write_uid WHERE id = ANY(%s)", ids))
