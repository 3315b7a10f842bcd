from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Command

DEPUTY, LEVEL_ABOVE = 1, 2


class SaleOrderApproval(models.Model):
    """Escalation (升级): after the days of its rule a step asks the deputy too, after as many more the level above.

    Each once. Where nobody is left to ask, a Sales Administrator is told. Nothing is ever approved by itself.
    """

    _inherit = "sale.order.approval"

    @api.model
    def _cron_escalate(self):
        """Escalate the steps that are due, and tell Sales Administrators of steps that reach nobody. Idempotent."""
        # sudo: everybody's steps, in all companies
        steps = self.sudo().search([("state", "=", "requested")])
        self.env["ir.cron"]._commit_progress(remaining=len(steps))
        for step in steps:
            if step._is_escalation_due():
                step._escalate()
            if step.state == "requested" and step.order_id._is_approval_pending():
                step.order_id._sync_approval_requests()
            if not self.env["ir.cron"]._commit_progress(1):
                break

    def _is_escalation_due(self):
        self.ensure_one()
        since = self.escalated_date or self.requested_date
        return bool(
            self.escalate_days
            and self.escalation_count < LEVEL_ABOVE
            and since + timedelta(days=self.escalate_days) <= fields.Datetime.now()
        )

    def _escalate(self):
        """Ask the deputies, or where there are none left, the level above."""
        users = self._get_named_deputies() if self.escalation_count < DEPUTY else self.browse().approver_ids
        count = DEPUTY if users else LEVEL_ABOVE
        users = users or self._get_level_above()
        self._write_step(
            {
                "approver_ids": [Command.link(user.id) for user in users],
                "escalated_ids": [Command.link(user.id) for user in users],
                "escalation_count": count,
                "escalated_date": fields.Datetime.now(),
            }
        )
        self._report_escalation(users)

    def _get_named_deputies(self):
        """Return the deputies of the approvers who may decide, whatever their dates."""
        # sudo: preferences of other users
        order, approvers = self.order_id, self.approver_ids.sudo()
        return (approvers.approval_deputy_id - approvers - order._get_involved_users()).filtered(
            lambda user: user.active and order.company_id in user.company_ids
        )

    def _get_level_above(self):
        """Return the approvers of the next level in the rules that were asked."""
        order = self.order_id
        above = [terms for terms in order._get_flow_in_force() if terms.level > self.level]
        level = min((terms.level for terms in above), default=None)
        candidates = self.env["sale.approval.rule"]._get_candidates
        users = self.env["res.users"].union(*(candidates(terms, order) for terms in above if terms.level == level))
        return users - self.approver_ids - order._get_barred_users()

    def _report_escalation(self, users):
        order = self.order_id
        if users:
            names = ", ".join(users.mapped("name"))
            order._log_step(
                self.env._("No decision on level %(level)s yet: %(users)s asked too", level=self.level, users=names)
            )
            return
        for user in self.env["sale.approval.rule"]._get_sales_administrators(order):
            order.activity_schedule(
                "mail.mail_activity_data_todo",
                user_id=user.id,
                summary=self.env._("No decision on %s yet", order.name),
                note=self.env._("Level %s has nobody above it to ask. Talk to its approvers.", self.level),
            )
