from odoo import api, fields, models


class SaleCreditAuthority(models.Model):
    """Up to where somebody decides on credit requests of a company.

    Without a row every credit manager of the company decides, without a limit. As soon as a company has rows, those
    decide whom a row names, up to what it says.
    """

    _name = "sale.credit.authority"
    _description = "Credit Authority"
    _order = "company_id, max_excess, id"
    _rec_name = "company_id"

    company_id = fields.Many2one(
        "res.company", required=True, index=True, ondelete="cascade", default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(
        "res.users",
        ondelete="cascade",
        domain="[('share', '=', False)]",
        help="Who decides. Blank: everybody of the group.",
    )
    group_id = fields.Many2one(
        "res.groups",
        ondelete="cascade",
        help="Whose users decide. Blank, without a user: every credit manager.",
    )
    max_excess = fields.Monetary(
        "Excess up to",
        help="Amount over the limit that may be released or granted, in the company's currency. 0: no limit.",
    )
    max_excess_percent = fields.Float("Excess up to (%)", help="Amount over the limit, in % of the limit. 0: no limit.")
    max_overdue_days = fields.Integer("Days Overdue up to", help="0: no limit.")

    _check_not_negative = models.Constraint(
        "CHECK(max_excess >= 0 AND max_excess_percent >= 0 AND max_overdue_days >= 0)",
        "What somebody may decide cannot be negative.",
    )

    @api.model
    def _get_deciders(self, company):
        """Return ``{user: rows that name them}`` of a company, ``None`` instead of rows where nothing limits them."""
        # sudo: groups and companies of other users, and rows that salespeople do not read
        rows = self.sudo().search([("company_id", "=", company.id)])
        managers = self.env.ref("sales_opportunity_stages.group_credit_manager").sudo().all_user_ids
        if not rows:
            return dict.fromkeys(self._get_employees(managers, company))
        found = {}
        for row in rows:
            users = row.user_id or (row.group_id.all_user_ids if row.group_id else managers)
            for user in self._get_employees(users, company):
                found[user] = found.get(user, self.sudo()) | row
        return found

    @api.model
    def _get_employees(self, users, company):
        root = self.env.ref("base.user_root")
        return users.filtered(
            lambda user: user.active and not user.share and user != root and company in user.company_ids
        )

    def _suffices(self, excess, percent, overdue_days):
        """Check whether one of these rows lets somebody decide on so much.

        :param float excess: over the limit, in the company's currency
        :param percent: of the limit; None where there is no limit to compare with
        :param int overdue_days: days overdue
        """
        return any(
            (not row.max_excess or row.currency_id.compare_amounts(excess, row.max_excess) <= 0)
            and (not row.max_excess_percent or (percent is not None and percent <= row.max_excess_percent))
            and (not row.max_overdue_days or overdue_days <= row.max_overdue_days)
            for row in self
        )
