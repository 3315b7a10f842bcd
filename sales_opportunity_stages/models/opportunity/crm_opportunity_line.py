from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmOpportunityLine(models.Model):
    """A product that the customer of an opportunity is interested in, and what we ask for it.

    ``reference_price`` is what the product costs by itself: shown, never filled in. ``price_unit`` is the salesperson's
    own price; while it is zero the line is not quoted and adds nothing to the expected revenue.
    """

    _name = "crm.opportunity.line"
    _description = "Opportunity Product Line"
    _inherit = ["crm.opportunity.part.mixin", "sales.system.fields.mixin"]
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
        domain="[('sale_ok', '=', True), ('type', '!=', 'combo')]",
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
    price_unit = fields.Monetary("Quoted Price", help="Net price of a unit, without taxes. 0: not quoted yet.")
    price_subtotal = fields.Monetary("Subtotal", compute="_compute_price_subtotal", store=True, precompute=True)

    order_line_ids = fields.One2many("sale.order.line", "opportunity_line_id", "Order Lines")
    quoted_qty = fields.Float(
        "Quoted",
        compute="_compute_quoted_quantities",
        store=True,
        digits="Product Unit",
        help="Quantity in the open quotations made from this line, in its unit. Ordered quantities, cancelled and "
        "closed quotations are not counted.",
    )
    ordered_qty = fields.Float(
        "Ordered",
        compute="_compute_quoted_quantities",
        store=True,
        digits="Product Unit",
        help="Quantity in the confirmed orders made from this line, in its unit.",
    )
    remaining_qty = fields.Float(
        "Not Ordered",
        compute="_compute_remaining_qty",
        digits="Product Unit",
        help="Quantity that is not ordered yet, in the unit of the line. 0 when everything is ordered.",
    )

    _check_quantity = models.Constraint("CHECK(product_uom_qty >= 0)", "The quantity of a line cannot be negative.")
    _check_price = models.Constraint("CHECK(price_unit >= 0)", "The quoted price of a line cannot be negative.")

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model
    def _get_derived_fields(self):
        return super()._get_derived_fields() | {"price_subtotal", "quoted_qty", "ordered_qty"}

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_system_fields(vals)
        return super().create(vals_list)

    def write(self, vals):
        vals = dict(vals)
        self._check_system_fields(vals)
        return super().write(vals)

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

    @api.depends(
        "product_id",
        "product_uom_id",
        "order_line_ids.product_id",
        "order_line_ids.product_uom_id",
        "order_line_ids.product_uom_qty",
        "order_line_ids.state",
        "order_line_ids.order_id.approval_state",
    )
    def _compute_quoted_quantities(self):
        for line in self:
            quoted = line.order_line_ids.filtered(
                lambda sale_line, line=line: (
                    sale_line.product_id == line.product_id
                    and sale_line.state != "cancel"
                    and sale_line.order_id.approval_state != "closed"
                )
            )
            ordered = quoted.filtered(lambda sale_line: sale_line.state == "sale")
            line.quoted_qty = line._sum_quantities(quoted - ordered)
            line.ordered_qty = line._sum_quantities(ordered)

    @api.depends("product_uom_qty", "ordered_qty")
    def _compute_remaining_qty(self):
        for line in self:
            line.remaining_qty = max(line.product_uom_qty - line.ordered_qty, 0)

    def _get_offered_quantity(self, order):
        """Return what is left to take over into a quotation: not ordered yet, and not in that quotation already.

        :param order: the ``sale.order`` to append to; an empty one for a new document
        :returns: a quantity in the unit of this line
        """
        self.ensure_one()
        # sudo: the lines of the same product in other documents may not be the user's to read
        present = self.sudo().order_line_ids.filtered(
            lambda sale_line: sale_line.order_id == order and sale_line.product_id == self.product_id
        )
        return max(self.remaining_qty - self._sum_quantities(present), 0)

    def _sum_quantities(self, sale_lines):
        """The ordered quantity of sale order lines, in the unit of this line."""
        return sum(
            sale_line.product_uom_id._compute_quantity(sale_line.product_uom_qty, self.product_uom_id, round=False)
            for sale_line in sale_lines
        )

    def _get_included_taxes(self, company, fiscal_position=None):
        """Return the taxes that prices of the product include, as an order of the company has them."""
        # sudo: taxes are the company's; only whether a price includes them matters
        taxes = self.product_id.sudo().taxes_id._filter_taxes_by_company(company)
        if taxes and fiscal_position:
            taxes = fiscal_position.map_tax(taxes)
        return taxes.flatten_taxes_hierarchy().filtered("price_include")

    @api.constrains("product_id")
    def _check_no_combo(self):
        """A combo is chosen item by item on the quotation: a line of an opportunity has no choice to carry over."""
        for line in self.filtered(lambda line: line.product_id.type == "combo"):
            line._refuse_combo()

    def _refuse_combo(self):
        raise ValidationError(
            self.env._(
                "'%(product)s' is a combo: its items are chosen on the quotation. Add it there, or put the items on "
                "the opportunity '%(lead)s'.",
                product=self.product_id.display_name,
                lead=self.lead_id.name,
            )
        )

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_take_reference_price(self):
        """Quote the reference price on these lines, without the taxes that it includes: quoted prices are net."""
        for line in self:
            taxes = line._get_included_taxes(line.lead_id.company_id or self.env.company)
            price = line.reference_price
            line.price_unit = taxes.compute_all(price, line.currency_id)["total_excluded"] if taxes else price
        return True

    def _filter_missing_price(self):
        """Return the lines that are not quoted yet and whose product has a reference price."""
        return self.filtered(lambda line: not line.price_unit and line.reference_price)

    # ------------------------------------------------------------
    # Quotations
    # ------------------------------------------------------------

    def _prepare_order_line_values(self, order, quantity):
        """The line of a quotation for this product line. Override it to carry another field over.

        :param order: the ``sale.order`` that it is for: its currency, company and date count
        :param float quantity: in the unit of this line
        """
        self.ensure_one()
        if self.product_id.type == "combo":  # it has become one since
            self._refuse_combo()
        values = {
            "opportunity_line_id": self.id,
            "product_id": self.product_id.id,
            "name": self.name or self.product_id.get_product_multiline_description_sale(),
            "product_uom_id": self.product_uom_id.id,
            "product_uom_qty": quantity,
        }
        if self.price_unit:
            # while the technical price equals it, Odoo takes a price for its own and changes it with the quantity
            values |= {"price_unit": self._get_quoted_price(order), "technical_price_unit": 0.0, "discount": 0.0}
        return values

    def _get_quoted_price(self, order):
        """Return the quoted price in the currency of an order, at its date and in its company.

        With the taxes that prices include there, so that without taxes it is what was quoted. Not rounded, as Odoo's
        own pricelists do not round what they convert.
        """
        price = self.currency_id._convert(
            self.price_unit, order.currency_id, order.company_id, order.date_order, round=False
        )
        taxes = self._get_included_taxes(order.company_id, order.fiscal_position_id)
        if not taxes:
            return price
        return taxes._get_tax_details(
            price, 1, precision_rounding=1e-6, rounding_method="round_globally", special_mode="total_excluded"
        )["total_included"]
