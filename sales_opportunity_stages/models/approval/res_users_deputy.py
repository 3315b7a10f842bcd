from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

DEPUTY_FIELDS = ["approval_deputy_id", "approval_deputy_from", "approval_deputy_until"]


class ResUsers(models.Model):
    """Who decides on approvals in somebody's place (代理审批), from when until when."""

    _inherit = "res.users"

    approval_deputy_id = fields.Many2one(
        "res.users",
        domain="[('share', '=', False)]",
        index="btree_not_null",
        ondelete="set null",
        help="Decides on approvals in your place, with your authority, within the dates.",
    )
    approval_deputy_from = fields.Date("Deputy From", help="The first day. Blank: from now on.")
    approval_deputy_until = fields.Date("Deputy Until", help="The last day. Blank: until further notice.")

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, *DEPUTY_FIELDS]

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return [*super().SELF_WRITEABLE_FIELDS, *DEPUTY_FIELDS]

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        found = super().fields_get(allfields, attributes)
        if self.env.su or not self.env.user.share:
            return found
        return {name: description for name, description in found.items() if name not in DEPUTY_FIELDS}

    def _has_field_access(self, field, operation):
        """Deputies are for employees: customers read themselves over RPC."""
        if field.name in DEPUTY_FIELDS and not self.env.su and self.env.user.share:
            return False
        return super()._has_field_access(field, operation)

    @api.constrains(*DEPUTY_FIELDS)
    def _check_approval_deputy(self):
        """:raise ValidationError: for oneself, somebody who cannot open a quotation, or dates the wrong way round"""
        for user in self.filtered("approval_deputy_id"):
            # sudo: groups of another user
            deputy = user.approval_deputy_id.sudo()
            if deputy == user:
                raise ValidationError(self.env._("%s cannot be their own deputy. Choose somebody else.", user.name))
            if deputy.share or not deputy.has_group("sales_team.group_sale_salesman"):
                raise ValidationError(
                    self.env._(
                        "%s cannot be a deputy for approvals without access to sales. Choose somebody else.",
                        deputy.name,
                    )
                )
            since, until = user.approval_deputy_from, user.approval_deputy_until
            if since and until and since > until:
                raise ValidationError(self.env._("A deputy cannot end before they begin. Change the dates."))

    @api.model
    def _get_deputy_domain(self, today):
        """Return the domain of the users whose deputy acts for them on a day."""
        since, until = "approval_deputy_from", "approval_deputy_until"
        return (
            (Domain(since, "=", False) | Domain(since, "<=", today))
            & (Domain(until, "=", False) | Domain(until, ">=", today))
            & Domain("active", "=", True)
        )

    def _get_approval_principals(self):
        """Return the users in whose place this user decides today."""
        self.ensure_one()
        domain = self._get_deputy_domain(fields.Date.context_today(self)) & Domain("approval_deputy_id", "=", self.id)
        # sudo: preferences of other users
        return self.env["res.users"].sudo().search(domain)

    def _get_active_deputies(self):
        """Return ``{user: the deputy who decides in their place today}`` for these users."""
        # sudo: preferences of other users
        domain = self._get_deputy_domain(fields.Date.context_today(self))
        users = self.sudo().filtered("approval_deputy_id").filtered_domain(domain)
        return {user: user.approval_deputy_id for user in users if user.approval_deputy_id.active}
