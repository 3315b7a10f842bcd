from odoo import models
from odoo.exceptions import AccessError
from odoo.tools import format_list

from .sale_approval_rule import APPROVER_GROUP


class SaleOrder(models.Model):
    """Decisions on a pending request: approve, refuse, return for change, and the requester's withdrawal.

    Each is all or nothing over several quotations, and checks who decides: a button is never the guard.
    """

    _inherit = "sale.order"

    # ------------------------------------------------------------
    # Who
    # ------------------------------------------------------------

    def _get_asked_terms(self):
        """Return the terms whose approvers decide now: the level that is asked, or would be asked first; on what is
        approved, the last level that approved it."""
        self.ensure_one()
        if self.approval_state == "approved":
            steps = self._get_live_steps("approved")
            last = steps.filtered(lambda step: step.level == max(steps.mapped("level")))
            return [step._get_terms() for step in last] or [self.env["sale.approval.rule"]._get_default_terms()]
        if self.approval_progress == "requested":
            return [step._get_terms() for step in self._get_live_steps("requested")]
        needed = self._get_needed_terms()
        level = min(terms.level for terms in needed)
        return [terms for terms in needed if terms.level == level]

    def _get_approvers(self):
        """Return who may decide on this order now: approvers of the level that is asked, and their deputies."""
        self.ensure_one()
        if self.approval_progress == "requested" and self.approval_state == "open":
            steps = self._get_live_steps("requested")
            return self.env["res.users"].union(*(user for step in steps for user in step._get_deciders()))
        named = self._get_named_approvers()
        if self.approval_state == "approved":
            steps = self._get_live_steps("approved")
            named |= steps.filtered(lambda step: step.level == max(steps.mapped("level"))).approver_ids
        return self._find_deciders(named)

    def _get_named_approvers(self):
        """Return the users whom the rules name now, before four-eyes and deputies."""
        candidates = self.env["sale.approval.rule"]._get_candidates
        return self.env["res.users"].union(*(candidates(terms, self) for terms in self._get_asked_terms()))

    def _get_approver_refusals(self):
        """Return why the user may not decide on this order, or change it once it is approved.

        :returns: a list of sentences
        """
        self.ensure_one()
        user = self.env.user
        approvers = self._get_approvers()
        if user in approvers:
            return []
        named = self._get_named_approvers()
        is_named = user in named or user._get_approval_principals() & named
        if is_named and user in self._get_involved_users():
            return [self.env._("You have worked on this quotation. Ask another quotation approver.")]
        group_id = self.env["ir.model.data"]._xmlid_to_res_id(APPROVER_GROUP)
        if all(terms.group_id == group_id for terms in self._get_asked_terms()):
            return [self.env._("Only a quotation approver can do this.")]
        names = format_list(self.env, approvers[:5].mapped("name")) if approvers else self.env._("nobody")
        return [self.env._("Only those who are asked can do this: %s.", names)]

    def _check_approver(self, operation):
        """:raise AccessError: when the user may not do this with one of the orders"""
        # sudo: who has worked on it counts, whoever asks
        refusals = {order: reasons for order in self.sudo() if (reasons := order._get_approver_refusals())}
        if refusals:
            raise AccessError(self._format_refusals(operation, refusals))

    def _get_steps_to_decide(self, principals):
        """Return the steps that the user may decide on now, one of each rule.

        :param principals: the users in whose place the user decides today
        """
        mine = self.env["sale.order.approval"]
        user = self.env.user
        for step in sorted(self._get_live_steps("requested"), key=lambda step: user not in step.approver_ids):
            is_new = step.rule_id not in mine.rule_id or not step.rule_id
            if is_new and step._find_principal(user, principals) is not None:
                mine |= step
        return mine

    # ------------------------------------------------------------
    # Approving
    # ------------------------------------------------------------

    def action_approve(self):
        """Approve these quotations, all or none: the steps that ask the user, or where nothing was requested, those
        that would.

        :raise AccessError: when the user may not approve one of them
        :raise UserError: when one of them cannot be approved
        """
        self.check_access("read")
        self._lock_rows()
        self._check_approver("approve")
        self._check_allowed("approve")
        # sudo: system fields: approvers read all quotations and need not be able to write them. Checked above
        for order in self.sudo():
            order._approve()
        self._report_to_opportunities()
        return True

    def _approve(self):
        user = self.env.user
        if self.approval_progress != "requested":
            self._start_round(user.browse())
        steps = self._get_steps_to_decide(user._get_approval_principals())
        steps._decide("approved", user)
        self._remember_decision()
        self._complete_approval_request(self.env._("Approved"))
        if self._get_live_steps("requested", "waiting"):
            self._log_decision(self.env._("Approved on level %s", steps[:1].level), steps)
        self._advance()

    def _set_approved(self):
        """Make this quotation effective: everybody who was asked has approved it."""
        self._write_derived(self._prepare_approved())
        self._log_step(self.env._("Approved: %s", self._get_total_label()))

    def _record_approval(self, terms):
        """Store that the user has approved, in one go, what these terms ask for on a confirmed order."""
        self._end_round("lapsed")
        self._write_derived({"approval_round": self.approval_round + 1})
        self._create_steps(terms)
        self._get_live_steps("waiting")._set_state("requested")
        self._get_live_steps("requested")._decide("approved", self.env.user)
        self._set_approved()

    # ------------------------------------------------------------
    # Refusing, returning, withdrawing
    # ------------------------------------------------------------

    def action_refuse_approval(self, reason=None):
        """Refuse these quotations, all or none: each is open, and marked until it is changed and requested again.

        Without a reason a dialog asks for it.

        :param str reason: why, for the salesperson
        :raise AccessError: when the user may not decide on one of them
        :raise UserError: when one of them has not been requested
        """
        return self._decide_against("refuse", reason)

    def action_return_approval(self, reason=None):
        """Return these quotations for change, all or none: each is open and can be requested again.

        Without a comment a dialog asks for it.

        :param str reason: what is to be changed
        :raise AccessError: when the user may not decide on one of them
        :raise UserError: when one of them has not been requested
        """
        return self._decide_against("return", reason)

    def _decide_against(self, operation, reason):
        self.check_access("read")
        self._lock_rows()
        self._check_approver(operation)
        self._check_allowed(operation)
        if not (reason or "").strip():
            return self._open_decision(operation)
        # sudo: as action_approve
        for order in self.sudo():
            order._end_by_decision(operation, reason.strip())
        self._report_to_opportunities()
        return True

    def _open_decision(self, operation):
        action = self.env["ir.actions.act_window"]._for_xml_id("sales_opportunity_stages.sale_order_decision_action")
        is_refusal = operation == "refuse"
        action["name"] = self.env._("Refuse") if is_refusal else self.env._("Return for Change")
        action["context"] = {"default_order_ids": self.ids, "default_operation": operation}
        return action

    def _end_by_decision(self, operation, reason):
        """Store a decision against this quotation, end the request and tell those who wait for it."""
        user, is_refusal = self.env.user, operation == "refuse"
        steps = self._get_steps_to_decide(user._get_approval_principals())
        steps._decide("refused" if is_refusal else "returned", user, reason)
        sentence = self.env._("Refused: %s", reason) if is_refusal else self.env._("Returned for change: %s", reason)
        self._complete_approval_request(sentence)
        self._end_request("lapsed", "refused" if is_refusal else "none")
        self._tell_requester(sentence)

    def _tell_requester(self, sentence):
        """Notify who requested the approval and who is responsible, by mail or in their inbox."""
        # sudo: partners of other users
        told = (self.approval_requested_by_id | self.user_id).sudo() - self.env.user
        self.message_post(
            body=sentence,
            author_id=self.env.user.partner_id.id,
            partner_ids=told.partner_id.ids,
            subtype_xmlid="mail.mt_note",
        )

    def action_withdraw_request(self):
        """Withdraw the approval requests for these quotations, all or none. Only the requester can.

        :raise AccessError: for anybody but the requester
        :raise UserError: when none is pending for one of them
        """
        self.check_access("read")
        self._lock_rows()
        self._check_requester()
        self._check_allowed("withdraw")
        # sudo: system fields; the requester is checked above
        for order in self.sudo():
            order._end_request("withdrawn")
            order._write_derived({"approval_requested_by_id": False})
            order._log_step(self.env._("Approval request withdrawn"))
        self._report_to_opportunities()
        return True

    def _check_requester(self):
        """:raise AccessError: when the user has not requested one of the approvals"""
        # sudo: system fields
        for order in self.sudo().filtered(lambda order: order.approval_progress == "requested"):
            requester = order.approval_requested_by_id or order.user_id
            if requester != self.env.user:
                raise AccessError(
                    self.env._(
                        "The approval request for %(order)s can be withdrawn by %(user)s, who made it. An approver can "
                        "return it for change.",
                        order=order.name,
                        user=requester.name or self.env._("nobody"),
                    )
                )
        if not self.has_access("write") and any(order.approval_progress != "requested" for order in self.sudo()):
            self.check_access("write")
