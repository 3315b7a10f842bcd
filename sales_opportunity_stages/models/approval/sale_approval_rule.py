from odoo import api, fields, models, tools
from odoo.api import SUPERUSER_ID
from odoo.exceptions import ValidationError

from ...tools import ApprovalTerms, get_criteria

APPROVER_GROUP = "sales_opportunity_stages.group_quotation_approver"
SALES_GROUP = "sales_team.group_sale_salesman"


class SaleApprovalRule(models.Model):
    """One row of a company's approval flow (审批流).

    A quotation needs the approval of every active rule that it matches: by its total and by the domain. Rules of the
    lowest level are asked first, those of one level side by side, the next level when all of it has approved. What is
    asked of whom is pinned by a request as :class:`ApprovalTerms`: a rule that is edited holds for new requests.
    """

    _name = "sale.approval.rule"
    _inherit = ["sales.system.fields.mixin"]
    _description = "Approval Rule"
    _order = "company_id, level, sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    sequence = fields.Integer(default=10)
    level = fields.Integer(
        default=1, required=True, help="1 is asked first. Rules of the same level are asked side by side."
    )
    min_amount = fields.Monetary(
        "From a Total of",
        help="Quotations of this total or more, taxes included, in the company's currency. 0: every total.",
    )
    domain = fields.Char(default="[]", help="Only quotations that match these conditions. Blank: all.")
    approver_type = fields.Selection(
        [("users", "People"), ("group", "Group"), ("team_leader", "Team Leader")], required=True, default="users"
    )
    approver_ids = fields.Many2many(
        "res.users", string="Approvers", domain="[('share', '=', False)]", help="The people who are asked."
    )
    approver_group_id = fields.Many2one("res.groups", ondelete="restrict", help="Everybody in this group is asked.")
    quorum = fields.Selection(
        [("any", "Any of them"), ("all", "All of them")],
        required=True,
        default="any",
        help="Whose approval the rule needs: that of any one of the approvers, or of all.",
    )
    escalate_days = fields.Integer(
        "Escalate After",
        help="Days without a decision after which the deputy is asked too, and after as many more the level above. "
        "0: never.",
    )
    from_settings = fields.Boolean(
        "From the Settings", readonly=True, copy=False, help="This rule and the settings of Sales follow each other."
    )

    _check_level = models.Constraint("CHECK(level > 0)", "The level of an approval rule starts at 1.")
    _check_min_amount = models.Constraint("CHECK(min_amount >= 0)", "The total of an approval rule is never negative.")
    _check_escalate_days = models.Constraint(
        "CHECK(escalate_days >= 0)", "The days until an escalation are never negative."
    )
    _unique_from_settings = models.UniqueIndex(
        "(company_id) WHERE from_settings", "Each company has one approval rule from the settings."
    )

    # ------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------

    @api.constrains("approver_type", "approver_ids", "approver_group_id", "active")
    def _check_approvers(self):
        """:raise ValidationError: when nobody is named, or somebody who cannot open a quotation"""
        for rule in self.filtered("active"):
            if rule.approver_type == "users" and not rule.approver_ids:
                raise ValidationError(self.env._("Approval rule '%s' needs at least one approver.", rule.name))
            if rule.approver_type == "group" and not rule.approver_group_id:
                raise ValidationError(self.env._("Approval rule '%s' needs an approver group.", rule.name))
            # sudo: groups of other users
            outsiders = rule.approver_ids.sudo().filtered(lambda user: not user.has_group(SALES_GROUP))
            if rule.approver_type == "users" and outsiders:
                raise ValidationError(
                    self.env._(
                        "%(users)s cannot approve quotations without access to sales. Give them the Sales role in "
                        "their user settings first.",
                        users=", ".join(outsiders.mapped("name")),
                    )
                )

    @api.constrains("domain")
    def _check_domain(self):
        for rule in self:
            try:
                # with the rights of who writes it, as constraints have not: later it is evaluated in superuser mode
                self.env["sale.order"].sudo(False).search(self._evaluate_domain(rule.domain), limit=1)
            except Exception as error:  # whatever is wrong with what was typed, the user must hear of it
                raise ValidationError(
                    self.env._(
                        "The conditions of approval rule '%(rule)s' cannot be used: %(error)s",
                        rule=rule.name,
                        error=error,
                    )
                ) from error

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"from_settings"}

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_system_fields(vals)
        rules = super(SaleApprovalRule, self._without_system_defaults()).create(vals_list)
        self.env.registry.clear_cache()
        return rules

    def write(self, vals):
        vals = dict(vals)
        if not self._is_derived_write(vals):
            self._check_system_fields(vals)
        result = super().write(vals)
        self.env.registry.clear_cache()
        if vals.keys() & {"active", "min_amount"}:
            self._write_settings()
        return result

    def unlink(self):
        # sudo: the settings of the company follow their rule
        companies = self.sudo().filtered("from_settings").company_id
        result = super().unlink()
        self.env.registry.clear_cache()
        companies.filtered(lambda company: company.quotation_approval == "required").quotation_approval = "off"
        return result

    def _write_settings(self):
        """Let the settings of the company say what the rule that was made from them says now."""
        # sudo: a Sales Administrator writes the rule; the settings follow
        for rule in self.sudo().filtered("from_settings"):
            values = {"quotation_approval": "required" if rule.active else "off"}
            if rule.active:
                values["quotation_approval_min_amount"] = rule.min_amount
            changed = {name: value for name, value in values.items() if rule.company_id[name] != value}
            if changed:
                rule.company_id.write(changed)

    # ------------------------------------------------------------
    # Terms
    # ------------------------------------------------------------

    @api.model
    def _evaluate_domain(self, text):
        """Return the conditions as a ``Domain`` on ``sale.order``. Dates may be relative."""
        return self.env["crm.stage.rule"]._evaluate_condition(text)

    @api.model
    @tools.ormcache("company_id")
    def _get_flow(self, company_id):
        """Return the terms of the active rules of a company, by level: nothing is read where they are known."""
        # sudo: rules hold for everybody, whoever may read them
        rules = self.sudo().search([("company_id", "=", company_id), ("active", "=", True)])
        return tuple(rule._get_terms() for rule in rules)

    def _get_terms(self):
        """Return what the rule asks now, see :class:`ApprovalTerms`."""
        self.ensure_one()
        criteria = get_criteria(list(self._evaluate_domain(self.domain)))
        if self.approver_type == "team_leader":
            criteria = (*(each for each in criteria if each[0] != "team_id"), ("team_id", "any"))
        return ApprovalTerms(
            rule_id=self.id,
            level=self.level,
            min_amount=self.min_amount,
            domain=self.domain or "[]",
            criteria=criteria,
            approver_type=self.approver_type,
            approver_ids=tuple(self.approver_ids.ids) if self.approver_type == "users" else (),
            group_id=self.approver_group_id.id if self.approver_type == "group" else 0,
            quorum=self.quorum,
            escalate_days=self.escalate_days,
        )

    @api.model
    def _get_default_terms(self):
        """Return the terms of an approval that no rule asks for: any quotation approver gives it."""
        group_id = self.env["ir.model.data"]._xmlid_to_res_id(APPROVER_GROUP)
        return ApprovalTerms(0, 1, 0.0, "[]", (), "group", (), group_id, "any", 0)

    @api.model
    def _get_candidates(self, terms, order):
        """Return the users whom these terms name for an order, as far as they can open it.

        The system's own user decides only for itself, such as in a server action: nobody asks it.
        """
        # sudo: groups and companies of other users
        users = self.env["res.users"].sudo()
        if terms.approver_type == "team_leader":
            users = order.sudo().team_id.user_id
        elif terms.approver_type == "group":
            users = self.env["res.groups"].sudo().browse(terms.group_id).exists().all_user_ids
        else:
            users = users.browse(terms.approver_ids).exists()
        return users.filtered(
            lambda user: (
                user.active
                and not user.share
                and order.company_id in user.company_ids
                and user.has_group(SALES_GROUP)
                and (user.id != SUPERUSER_ID or self.env.uid == SUPERUSER_ID)
            )
        )

    @api.model
    def _get_sales_administrators(self, order):
        """Return who is told when nobody can decide: those who have not worked on the quotation, else all."""
        # sudo: groups and companies of other users
        managers = self.env.ref("sales_team.group_sale_manager").sudo().all_user_ids
        managers = managers.filtered(
            lambda user: (
                user.active and not user.share and order.company_id in user.company_ids and user.id != SUPERUSER_ID
            )
        )
        return managers - order._get_involved_users() or managers
