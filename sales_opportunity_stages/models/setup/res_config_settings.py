from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    quotation_approval = fields.Selection(related="company_id.quotation_approval", readonly=False, required=True)
    quotation_approval_min_amount = fields.Monetary(
        related="company_id.quotation_approval_min_amount", readonly=False, currency_field="currency_id"
    )
    quotation_approval_four_eyes = fields.Boolean(related="company_id.quotation_approval_four_eyes", readonly=False)
    credit_policy = fields.Selection(related="company_id.credit_policy", readonly=False, required=True)
    credit_check_keep_days = fields.Integer(related="company_id.credit_check_keep_days", readonly=False)
