from odoo import api, fields, models


class CrmOpportunityLine(models.Model):
    """A product that the customer of an opportunity is interested in, and what we ask for it.

    ``reference_price`` is what the product costs by itself: shown, never filled in. ``price_unit`` is the salesperson's
    own price; while it is zero the line is not quoted and adds nothing to the expected revenue.
    """

    _name = "crm.opportunity.line"
    _description = "Opportunity Product Line"
    _inherit = ["crm.opportunity.part.mixin"]
    _order = "lead_id, sequence, id"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", related="lead_id.company_id", store=True)
    sequence = fields.Integer(default=10)
    product_id = fields.Many2one(
        "product.product",
        required=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('sale_ok', '=', True)]",
    )
    name = fields.Text("Description", compute="_compute_name", store=True, readonly=False, precompute=True)
    product_uom_qty = fields.Float("Quantity", digits="Product Unit", required=True, default=1.0)
    allowed_uom_ids = fields.Many2many("uom.uom", compute="_compute_allowed_uom_ids")
    product_uom_id = fields.Many2one(
        "uom.uom",
        "Unit",
        compute="_compute_product_uom_id",
        store=True,
        readonly=False,
        precompute=True,
        ondelete="restrict",
        domain="[('id', 'in', allowed_uom_ids)]",
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    reference_price = fields.Monetary(
        compute="_compute_reference_price",
        help="The product's sales price, in the opportunity's currency and in the unit of the line.",
    )
    price_unit = fields.Monetary("Quoted Price", help="What we ask for a unit. Zero: not quoted yet.")
    price_subtotal = fields.Monetary("Subtotal", compute="_compute_price_subtotal", store=True, precompute=True)

    _check_quantity = models.Constraint("CHECK(product_uom_qty >= 0)", "The quantity of a line cannot be negative.")
    _check_price = models.Constraint("CHECK(price_unit >= 0)", "The quoted price of a line cannot be negative.")

    # ------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------

    @api.depends("product_id")
    def _compute_name(self):
        for line in self:
            line.name = line.product_id.get_product_multiline_description_sale() if line.product_id else line.name

    @api.depends("product_id.uom_id", "product_id.uom_ids", "product_id.seller_ids")
    def _compute_allowed_uom_ids(self):
        for line in self:
            line.allowed_uom_ids = line.product_id.uom_id | line.product_id.uom_ids

    @api.depends("product_id")
    def _compute_product_uom_id(self):
        for line in self:
            if not line.product_uom_id or line.product_uom_id not in line.allowed_uom_ids:
                line.product_uom_id = line.product_id.uom_id

    @api.depends("lead_id.company_currency")
    def _compute_currency_id(self):
        for line in self:
            line.currency_id = line.lead_id.company_currency or self.env.company.currency_id

    @api.depends("product_id.lst_price", "product_id.currency_id", "product_uom_id", "currency_id")
    def _compute_reference_price(self):
        today = fields.Date.context_today(self)
        for line in self:
            product = line.product_id
            price = product.lst_price
            if product and line.product_uom_id:
                price = product.uom_id._compute_price(price, line.product_uom_id)
            company = line.lead_id.company_id or self.env.company
            line.reference_price = (
                product.currency_id._convert(price, line.currency_id, company, today) if product else 0
            )

    @api.depends("product_uom_qty", "price_unit", "lead_id.company_id")
    def _compute_price_subtotal(self):
        for line in self:
            line.price_subtotal = line.currency_id.round(line.product_uom_qty * line.price_unit)

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_take_reference_price(self):
        """Quote the reference price on these lines."""
        for line in self:
            line.price_unit = line.reference_price
        return True
