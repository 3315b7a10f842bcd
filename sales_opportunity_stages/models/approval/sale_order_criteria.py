from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

COMPARISONS = {">": SQL(">"), ">=": SQL(">="), "<": SQL("<"), "<=": SQL("<="), "=": SQL("="), "!=": SQL("!=")}


class SaleOrder(models.Model):
    """What the conditions of approval rules may look at, beside Odoo's own fields. Nothing of it is stored."""

    _inherit = "sale.order"

    largest_discount = fields.Float(
        "Largest Discount (%)",
        compute="_compute_discounts",
        search="_search_largest_discount",
        digits="Discount",
        help="The largest discount of a line, in percent.",
    )
    average_discount = fields.Float(
        "Average Discount (%)",
        compute="_compute_discounts",
        search="_search_average_discount",
        digits="Discount",
        help="What the discounts take off the value of all lines, in percent.",
    )
    below_reference_price = fields.Float(
        "Below Reference Price (%)",
        compute="_compute_below_reference_price",
        search="_search_below_reference_price",
        digits="Discount",
        help="How far the net price of a line is below the sales price of its product, in percent: of the line where "
        "it is most. 0: no line is below.",
    )
    is_first_order = fields.Boolean(
        "First Order of the Customer",
        compute="_compute_is_first_order",
        search="_search_is_first_order",
        help="The customer's company has no other confirmed order.",
    )

    # ------------------------------------------------------------
    # Discounts
    # ------------------------------------------------------------

    @api.depends("order_line.discount", "order_line.price_unit", "order_line.product_uom_qty")
    def _compute_discounts(self):
        for order in self:
            lines = order.order_line.filtered(lambda line: not line.display_type)
            gross = sum(line.price_unit * line.product_uom_qty for line in lines)
            taken = sum(line.price_unit * line.product_uom_qty * line.discount / 100 for line in lines)
            order.largest_discount = max(lines.mapped("discount"), default=0.0)
            order.average_discount = 100 * taken / gross if gross > 0 else 0.0

    def _search_largest_discount(self, operator, value):
        return self._search_lines(SQL("MAX(COALESCE(line.discount, 0))"), operator, value)

    def _search_average_discount(self, operator, value):
        gross = SQL("SUM(line.price_unit * line.product_uom_qty)")
        taken = SQL("SUM(line.price_unit * line.product_uom_qty * COALESCE(line.discount, 0))")
        return self._search_lines(SQL("CASE WHEN %s > 0 THEN %s / %s ELSE 0 END", gross, taken, gross), operator, value)

    def _search_lines(self, aggregate, operator, value):
        """Return the domain of the orders whose lines have an aggregate that compares so; 0 without lines."""
        if operator not in COMPARISONS:
            return NotImplemented
        names = ["order_id", "price_unit", "product_uom_qty", "discount", "display_type"]
        self.env["sale.order.line"].flush_model(names)
        query = SQL(
            """(SELECT o.id
                 FROM sale_order o
            LEFT JOIN sale_order_line line ON line.order_id = o.id AND line.display_type IS NULL
             GROUP BY o.id
               HAVING ROUND(COALESCE(%s, 0)::numeric, 6) %s %s)""",
            aggregate,
            COMPARISONS[operator],
            value,
        )
        return Domain("id", "in", query)

    # ------------------------------------------------------------
    # Reference price
    # ------------------------------------------------------------

    @api.depends(
        "order_line.price_unit",
        "order_line.discount",
        "order_line.product_id",
        "order_line.product_uom_id",
        "currency_id",
        "date_order",
    )
    def _compute_below_reference_price(self):
        for order in self:
            order.below_reference_price = max(
                (line._get_below_reference_price() for line in order.order_line if not line.display_type), default=0.0
            )

    def _search_below_reference_price(self, operator, value):
        """Work it out order by order: prices are in other units and currencies than their products."""
        if operator not in COMPARISONS:
            return NotImplemented
        # sudo: the order itself is looked for with the user's rights
        orders = self.sudo().search([("state", "!=", "cancel")])
        return [("id", "in", orders.filtered_domain([("below_reference_price", operator, value)]).ids)]

    # ------------------------------------------------------------
    # First order
    # ------------------------------------------------------------

    @api.depends("partner_id", "company_id", "state")
    def _compute_is_first_order(self):
        customers = self.partner_id.commercial_partner_id
        # sudo: orders of others count
        confirmed = self.sudo()._read_group(
            [
                ("partner_id.commercial_partner_id", "in", customers.ids),
                ("company_id", "in", self.company_id.ids),
                ("state", "=", "sale"),
            ],
            ["partner_id", "company_id"],
            ["id:array_agg"],
        )
        known = {}
        for partner, company, ids in confirmed:
            known.setdefault((partner.commercial_partner_id, company), set()).update(ids)
        for order in self:
            others = known.get((order.partner_id.commercial_partner_id, order.company_id), set())
            order.is_first_order = bool(order.partner_id) and not others - {order._origin.id or order.id}

    def _search_is_first_order(self, operator, value):
        if operator not in ("in", "="):
            return NotImplemented
        self.flush_model(["partner_id", "company_id", "state"])
        query = SQL(
            """(SELECT o.id
                 FROM sale_order o
                 JOIN res_partner p ON p.id = o.partner_id
                WHERE NOT EXISTS (SELECT FROM sale_order other
                                    JOIN res_partner customer ON customer.id = other.partner_id
                                   WHERE customer.commercial_partner_id = p.commercial_partner_id
                                     AND other.company_id = o.company_id AND other.state = 'sale'
                                     AND other.id <> o.id))"""
        )
        wanted = value if isinstance(value, bool) else True in value
        return Domain("id", "in" if wanted else "not in", query)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _get_below_reference_price(self):
        """Return how far the net price is below the sales price of the product, in percent; 0 where it is not."""
        self.ensure_one()
        product = self.product_id
        price = product.lst_price
        if product and self.product_uom_id:
            price = product.uom_id._compute_price(price, self.product_uom_id)
        if not price or price < 0 or self.is_downpayment:
            return 0.0
        order = self.order_id
        date = order.date_order or fields.Date.today()
        reference = product.currency_id._convert(price, order.currency_id, order.company_id, date, round=False)
        return round(max(0.0, 100 * (1 - self.price_unit * (1 - self.discount / 100) / reference)), 6)
