from odoo import api, fields, models


class CrmCompetingProduct(models.Model):
    """A product of a competitor, and the one of ours that it competes with."""

    _name = "crm.competing.product"
    _description = "Competing Product"
    _order = "partner_id, name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    partner_id = fields.Many2one(
        "res.partner",
        "Maker",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        domain="[('is_competitor', '=', True)]",
        context={"default_is_competitor": True, "default_is_company": True},
    )
    product_id = fields.Many2one(
        "product.product",
        "Competes With",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        help="The product of ours.",
    )
    company_id = fields.Many2one(
        "res.company",
        compute="_compute_company_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        help="The company that our product or the maker belongs to. Blank: every company sees it.",
    )
    currency_id = fields.Many2one("res.currency", required=True, default=lambda self: self.env.company.currency_id)
    price = fields.Monetary(help="What they ask for it in general.")
    note = fields.Text()

    _check_price = models.Constraint("CHECK(price >= 0)", "The price of a competing product cannot be negative.")

    @api.depends("product_id.company_id", "partner_id.company_id")
    def _compute_company_id(self):
        for product in self:
            product.company_id = product.product_id.company_id or product.partner_id.company_id
