from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class SaleCreditGrant(models.Model):
    """What a credit unit has been granted: on top of its limit for some time, insured, or as its limit or term.

    Nobody writes it by hand. A temporary or insured grant is counted on the days from its first to its last one by the
    query that gives the exposure; several add up. A permanent one says that the limit or the term of the unit was
    changed, by whom and why: the amount in force is the unit's own field.
    """

    _name = "sale.credit.grant"
    _description = "Credit Grant"
    _inherit = ["sales.ledger.mixin"]
    _order = "id desc"
    _rec_name = "unit_id"
    _is_sealed = True

    unit_id = fields.Many2one(
        "res.partner", "Credit Unit", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company",
        readonly=True,
        ondelete="cascade",
        help="The company whose limit is raised. Blank: all companies under the same parent company.",
    )
    root_company_id = fields.Many2one(
        "res.company",
        "Parent Company",
        required=True,
        readonly=True,
        ondelete="cascade",
        default=lambda self: self.env.company.root_id,
    )
    currency_id = fields.Many2one(related="root_company_id.currency_id")
    kind = fields.Selection(
        [("permanent", "Permanent"), ("temporary", "Temporary"), ("insured", "Insured")],
        required=True,
        readonly=True,
        default="temporary",
        help="Permanent: the limit or the term was changed. Temporary and insured: an amount on top of the limit.",
    )
    amount = fields.Monetary(readonly=True, help="Amount on top of the limit. Of a permanent grant: the new limit.")
    term_days = fields.Integer("Credit Term", readonly=True, help="The new term of a permanent grant, in days.")
    date_from = fields.Date("From", required=True, readonly=True, default=fields.Date.context_today)
    date_to = fields.Date("Until", readonly=True, help="The last day. Blank: no end.")
    policy_number = fields.Char(readonly=True, help="Of the credit insurance.")
    reason = fields.Char(readonly=True)
    requested_by_id = fields.Many2one("res.users", readonly=True)
    granted_by_id = fields.Many2one("res.users", readonly=True, default=lambda self: self.env.user)
    old_amount = fields.Monetary("Limit Before", readonly=True)
    old_term_days = fields.Integer("Term Before", readonly=True)
    is_in_force = fields.Boolean(
        "In Force",
        compute="_compute_is_in_force",
        search="_search_is_in_force",
        help="It raises the limit today.",
    )
    is_over_since_expiry = fields.Boolean(
        "Over since Expiry",
        compute="_compute_is_over_since_expiry",
        search="_search_is_over_since_expiry",
        help="It has expired, and the unit is over its limit today.",
    )

    _on_top_idx = models.Index("(unit_id) WHERE kind <> 'permanent'")
    _check_dates = models.Constraint(
        "CHECK(date_to IS NULL OR date_to >= date_from)", "A grant ends on its first day or later."
    )

    # ------------------------------------------------------------
    # In force
    # ------------------------------------------------------------

    @api.depends("kind", "date_from", "date_to")
    def _compute_is_in_force(self):
        today = fields.Date.context_today(self)
        for grant in self:
            grant.is_in_force = (
                grant.kind != "permanent" and grant.date_from <= today and (not grant.date_to or grant.date_to >= today)
            )

    @api.model
    def _search_is_in_force(self, operator, value):
        if operator != "in":
            return NotImplemented
        return self._get_domain_in_force(fields.Date.context_today(self))

    @api.model
    def _get_domain_in_force(self, day):
        """Return the domain of the grants on top of a limit that hold on a day."""
        return Domain(
            [
                ("kind", "!=", "permanent"),
                ("date_from", "<=", day),
                "|",
                ("date_to", "=", False),
                ("date_to", ">=", day),
            ]
        )

    @api.depends("kind", "date_to")
    @api.depends_context("company")
    def _compute_is_over_since_expiry(self):
        over = self.search([("id", "in", self.ids), ("is_over_since_expiry", "=", True)])
        for grant in self:
            grant.is_over_since_expiry = grant in over

    @api.model
    def _search_is_over_since_expiry(self, operator, value):
        """Find the expired grants of units that are over their limit in the company of the user."""
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        expired = Domain([("kind", "!=", "permanent"), ("date_to", "<", today)])
        # sudo: which units are over their limit is asked of all documents; the grants are read with the user's rights
        units = self.sudo().search(expired).unit_id
        over = units.filtered(lambda unit: unit.credit_effective_limit and unit.credit_available < 0)
        return expired & Domain("unit_id", "in", over.ids)

    @api.model
    def _get_limit_on(self, unit, company, day):
        """Return the effective limit of a unit in a company on any day, grants of that day counted.

        The permanent limit of a past day is what the first change after it says that it was before.
        """
        # sudo: the log of all changes counts; amounts are given to a caller who may read them
        grants, unit = self.sudo(), unit.sudo().with_company(company)
        later = grants.search(
            [
                ("unit_id", "=", unit.id),
                ("kind", "=", "permanent"),
                ("company_id", "=", company.id),
                ("date_from", ">", day),
            ],
            order="date_from, id",
            limit=1,
        )
        limit = later.old_amount if later else unit.credit_limit
        on_top = grants.search(
            self._get_domain_in_force(day)
            & Domain("unit_id", "=", unit.id)
            & (
                Domain("company_id", "=", company.id)
                | (Domain("company_id", "=", False) & Domain("root_company_id", "=", company.root_id.id))
            )
        )
        return limit + sum(on_top.mapped("amount")) if limit else 0.0

    # ------------------------------------------------------------
    # Granting
    # ------------------------------------------------------------

    @api.model
    def _grant(self, unit, amount, **values):
        """Grant a unit an amount on top of its limit. The caller checks who may do so.

        :param unit: the ``res.partner`` that carries the credit
        :param float amount: in the currency of the company
        :param values: further fields of the grant
        :raise UserError: when the amount or the dates make no sense
        """
        self._check_grantable(unit, amount, values)
        return self._as_ledger().create({"unit_id": unit.id, "amount": amount, **values}).with_env(self.env)

    @api.model
    def _check_grantable(self, unit, amount, values):
        today = fields.Date.context_today(self)
        if amount <= 0:
            raise UserError(self.env._("The amount of a grant for %s has to be more than 0.", unit.name))
        if values.get("date_to") and values["date_to"] < max(today, values.get("date_from") or today):
            raise UserError(
                self.env._("The grant for %s would have ended already. Choose a later last day.", unit.name)
            )
        if values.get("kind") == "insured" and not values.get("policy_number"):
            raise UserError(self.env._("Enter the policy number of the insured grant for %s.", unit.name))

    @api.model_create_multi
    def create(self, vals_list):
        grants = super().create(vals_list)
        # sudo: the figures of its unit are to be read anew
        on_top = grants.sudo().filtered(lambda grant: grant.kind != "permanent")
        on_top.unit_id.invalidate_recordset([*on_top.unit_id._get_credit_figures(), "credit_grant_ids"], flush=False)
        on_top.unit_id._recheck_credit_holds()
        return grants

    @api.model
    def _log_permanent_changes(self, before, reasons):
        """Log what the limit or the term of units was changed to.

        :param dict before: ``{unit: {field: former value}}``, in superuser mode
        :param dict reasons: ``{unit: why}``
        """
        reasons = {partner.id: reason for partner, reason in reasons.items()}
        changed = [
            (unit, former)
            for unit, former in before.items()
            if (former.get("credit_limit") or 0.0, former.get("credit_term_days") or 0)
            != (unit.credit_limit, unit.credit_term_days)
        ]
        if not changed:
            return
        self._as_ledger().create(
            [
                {
                    "unit_id": unit.id,
                    "company_id": self.env.company.id,
                    "root_company_id": self.env.company.root_id.id,
                    "kind": "permanent",
                    "amount": unit.credit_limit,
                    "term_days": unit.credit_term_days,
                    "old_amount": former.get("credit_limit") or 0.0,
                    "old_term_days": former.get("credit_term_days") or 0,
                    "reason": (reasons.get(unit.id) or "").strip() or False,
                    "granted_by_id": self.env.uid,
                }
                for unit, former in changed
            ]
        )
