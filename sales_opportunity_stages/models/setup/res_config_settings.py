from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    quotation_approval = fields.Selection(related="company_id.quotation_approval", readonly=False, required=True)
    quotation_approval_min_amount = fields.Monetary(
        related="company_id.quotation_approval_min_amount", readonly=False, currency_field="currency_id"
    )
    quotation_approval_four_eyes = fields.Boolean(related="company_id.quotation_approval_four_eyes", readonly=False)
    credit_policy = fields.Selection(related="company_id.credit_policy", readonly=False, required=True)
    credit_check_keep_days = fields.Integer(related="company_id.credit_check_keep_days", readonly=False)
    credit_tolerance = fields.Monetary(
        related="company_id.credit_tolerance", readonly=False, currency_field="currency_id"
    )
    credit_release_crm = fields.Boolean(related="company_id.credit_release_crm", readonly=False)
    credit_term_basis = fields.Selection(related="company_id.credit_term_basis", readonly=False, required=True)
    credit_grace_days = fields.Integer(related="company_id.credit_grace_days", readonly=False)
    credit_use_parent_limit = fields.Boolean(related="company_id.credit_use_parent_limit", readonly=False)
    credit_auto_confirm = fields.Boolean(related="company_id.credit_auto_confirm", readonly=False)
    credit_check_delivery = fields.Selection(related="company_id.credit_check_delivery", readonly=False, required=True)
    credit_check_invoice = fields.Selection(related="company_id.credit_check_invoice", readonly=False, required=True)
    credit_is_branch = fields.Boolean(compute="_compute_credit_is_branch")
    lead_change_keep_years = fields.Integer(
        "Keep Changes",
        config_parameter="sales_opportunity_stages.lead_change_keep_years",
        help="Years that changes of opportunities are kept. 0 = keep all. Figures of days within that time stay exact.",
    )
    credit_unchecked_companies = fields.Char("Credit Not Checked In", compute="_compute_credit_unchecked_companies")

    @api.depends("company_id")
    def _compute_credit_is_branch(self):
        for settings in self:
            settings.credit_is_branch = bool(settings.company_id.parent_id)

    @api.depends("company_id", "account_use_credit_limit")
    def _compute_credit_unchecked_companies(self):
        """Name the other companies of the user where the switch is off: each company has its own."""
        for settings in self:
            # sudo: the switch of companies that are not active just now
            others = self.env.user.sudo().company_ids - settings.company_id
            unchecked = others.filtered(lambda company: not company.account_use_credit_limit)
            settings.credit_unchecked_companies = ", ".join(unchecked.mapped("name"))
