from odoo import fields, models


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "sales.internal.fields.mixin"]

    is_competitor = fields.Boolean("Competitor", prefetch=False, help="Can be named as a competitor in opportunities.")
    competing_product_ids = fields.One2many("crm.competing.product", "partner_id", string="Competing Products")
