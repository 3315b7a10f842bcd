from odoo import api, fields, models


class SaleOrderLine(models.Model):
    """A line that may come from a product line of an opportunity. What changes a line changes its order."""

    _name = "sale.order.line"
    _inherit = ["sale.order.line", "sales.system.fields.mixin", "sales.internal.fields.mixin"]

    opportunity_line_id = fields.Many2one(
        "crm.opportunity.line",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        help="The product line of the opportunity that this line quotes.",
    )

    @api.model
    def _get_derived_fields(self):
        return super()._get_derived_fields() | {
            "state",
            "price_subtotal",
            "price_tax",
            "price_total",
            "qty_invoiced",
            "untaxed_amount_invoiced",
        }

    # ------------------------------------------------------------
    # At the quoted price
    # ------------------------------------------------------------

    def _is_at_quoted_price(self):
        """Check whether the price is that of a product line of an opportunity, and not one of a pricelist."""
        self.ensure_one()
        # sudo: the opportunity may not be the user's to read; a yes or no comes of it
        source = self.opportunity_line_id.sudo()
        if not source.price_unit or source.product_id != self.product_id:
            return False
        currency = self.currency_id or self.env.company.currency_id
        return bool(currency.compare_amounts(self.technical_price_unit, self.price_unit))

    def _compute_discount(self):
        """A quoted price is net: the discount of a pricelist is not taken off it again. One that is typed in stays."""
        quoted = self.filtered(lambda line: line._is_at_quoted_price())
        for line in quoted:
            line.discount = line.discount or 0.0
        return super(SaleOrderLine, self - quoted)._compute_discount()

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_system_fields(vals)
        default_id = self.env.context.get("default_order_id")
        order_ids = {vals.get("order_id", default_id) for vals in vals_list}
        with self.env["sale.order"].browse(filter(None, order_ids))._change_lines():
            lines = super().create(vals_list)
            lines.opportunity_line_id.check_access("read")
        return lines

    def write(self, vals):
        vals = dict(vals)
        if self._is_derived_write(vals):
            return super().write(vals)
        self._check_system_fields(vals)
        if vals.get("opportunity_line_id"):
            self.env["crm.opportunity.line"].browse(vals["opportunity_line_id"]).check_access("read")
        # sudo: lines may be written by those who may not read the order; the mode itself is handed on as it was
        orders = self.sudo().order_id.sudo(self.env.su)
        if vals.get("order_id"):
            orders |= orders.browse(vals["order_id"])
        with orders._change_lines():
            return super().write(vals)

    def unlink(self):
        # sudo: as write
        with self.sudo().order_id.sudo(self.env.su)._change_lines():
            return super().unlink()

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for line, vals in zip(self, vals_list, strict=True):
            # sudo: the opportunity may not be the user's to read; the link alone is dropped
            if line.sudo().opportunity_line_id.lead_id._is_closed():
                vals["opportunity_line_id"] = False
        return vals_list
