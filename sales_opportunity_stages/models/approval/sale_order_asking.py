from markupsafe import Markup

from odoo import models
from odoo.tools import format_amount

from ..quotation.sale_order_approval import APPROVAL_ACTIVITY


class SaleOrder(models.Model):
    """Who is asked: an activity for each who may decide now, and for a Sales Administrator where nobody may."""

    _inherit = "sale.order"

    def _get_approval_activities(self):
        return self.activity_ids.filtered(lambda activity: activity.activity_type_id == self.env.ref(APPROVAL_ACTIVITY))

    def _sync_approval_requests(self):
        """Let the activities be those of the people who are asked now, and say what the quotation is now."""
        self.ensure_one()
        wanted = self._prepare_approval_requests()
        activities = self._get_approval_activities()
        activities.filtered(lambda activity: activity.user_id not in wanted).unlink()
        for user, values in wanted.items():
            mine = activities.exists().filtered(lambda activity, user=user: activity.user_id == user)
            if not mine:
                self.activity_schedule(APPROVAL_ACTIVITY, user_id=user.id, **values)
            elif any(mine[0][name] != value for name, value in values.items()):
                mine.write(values)

    def _prepare_approval_requests(self):
        """Return ``{user: summary and note of their activity}`` of everybody who is asked, or told that nobody is."""
        if not self._is_approval_pending():
            return {}
        request, wanted = self._prepare_approval_request(), {}
        for step in self._get_live_steps("requested"):
            deciders = step._get_deciders()
            wanted |= dict.fromkeys(deciders, request)
            if not deciders:
                told = self.env["sale.approval.rule"]._get_sales_administrators(self)
                wanted = dict.fromkeys(told, self._prepare_nobody_notice(step)) | wanted
        return wanted

    def _prepare_approval_request(self):
        """Return summary and note of the activity that asks for the approval: how much, for whom, margin if known."""
        requester = self.approval_requested_by_id or self.user_id
        parts = [
            self.env._(
                "%(user)s asks for the approval of %(order)s for %(customer)s.",
                user=requester.name or self.env._("Nobody"),
                order=self.name,
                customer=self.partner_id.display_name,
            ),
            self.env._("Total: %s", self._get_total_label()),
        ]
        if margin := self._get_margin_label():
            parts.append(self.env._("Margin: %s", margin))
        return {
            "summary": self.env._(
                "Approve %(total)s for %(customer)s",
                total=self._get_total_label(),
                customer=self.partner_id.display_name,
            ),
            "note": Markup("<p>%s</p>") % Markup("<br>").join(parts),
        }

    def _get_margin_label(self):
        """Return margin and percentage where the margin application is installed, else an empty text."""
        if "margin" not in self._fields:
            return ""
        return self.env._(
            "%(amount)s (%(percent)s %%)",
            amount=format_amount(self.env, self.margin, self.currency_id),
            percent=f"{100 * self.margin_percent:.1f}",
        )

    def _prepare_nobody_notice(self, step):
        """Return summary and note of the activity that tells a Sales Administrator that a step reaches nobody."""
        return {
            "summary": self.env._("Nobody can approve %s", self.name),
            "note": Markup("<p>%s</p>")
            % self.env._(
                "%(rule)s of %(order)s for %(customer)s reaches nobody who may decide. Change the approval rule, then "
                "request the approval again.",
                rule=step.display_name,
                order=self.name,
                customer=self.partner_id.display_name,
            ),
        }

    def _complete_approval_request(self, feedback):
        """Complete the activity of the user who has decided; those of others end when they are not asked any more."""
        self.activity_feedback([APPROVAL_ACTIVITY], user_id=self.env.uid, feedback=feedback)

    def _log_decision(self, sentence, steps):
        """Put a decision in the chatter, with in whose place it was made."""
        if principal := steps.on_behalf_of_id[:1]:
            sentence = self.env._("%(decision)s, on behalf of %(user)s", decision=sentence, user=principal.name)
        self._log_step(sentence)

    def _get_successors(self, user):
        """Return the users to whom an approver may hand over what they are asked: others whom the rule named."""
        candidates = self.env["sale.approval.rule"]._get_candidates
        steps = self._get_live_steps("requested").filtered(lambda step: user in step.approver_ids)
        named = self.env["res.users"].union(*(candidates(step._get_terms(), self) for step in steps))
        return (named | self._get_approvers()) - self._get_barred_users()

    def _hand_over(self, user, successor):
        """Let another approver decide on what a user was asked."""
        for step in self._get_live_steps("requested").filtered(lambda step: user in step.approver_ids):
            if successor not in step.approver_ids:
                step._write_step({"approver_ids": [(4, successor.id)]})
