from odoo import api, fields, models


class SaleBlanketOrderLine(models.Model):
    _inherit = "sale.blanket.order.line"

    # net of a discount it may have more digits than a price has: rounded, the totals would not be the quotation's
    price_unit = fields.Float(digits=False, min_display_digits="Product Price")

    # ------------------------------------------------------------
    # As it was approved
    # ------------------------------------------------------------

    @api.constrains("product_id", "product_uom", "original_uom_qty", "price_unit", "taxes_id")
    def _check_as_approved(self):
        self.order_id._check_as_approved()

    def _get_agreed_values(self):
        """Return what an approval covers of the line, such that equal means unchanged. The product is first."""
        self.ensure_one()
        return self._get_values_to_agree(
            {
                "product_id": self.product_id.id,
                "product_uom": self.product_uom.id,
                "original_uom_qty": self.original_uom_qty,
                "price_unit": self.price_unit,
                "taxes_id": [(6, 0, self.taxes_id.ids)],
            }
        )

    @api.model
    def _get_values_to_agree(self, values):
        """The same of the values that a line is created with."""
        return (
            values["product_id"],
            values["product_uom"],
            round(values["original_uom_qty"], 6),
            round(values["price_unit"], 6),
            tuple(sorted(values["taxes_id"][0][2])),
        )

    def _prepare_quotation_line(self):
        """Return the values of a quotation line with the content of this line."""
        self.ensure_one()
        return {
            "product_id": self.product_id.id,
            "product_uom_id": self.product_uom.id,
            "product_uom_qty": self.original_uom_qty,
            "price_unit": self.price_unit,
            "discount": 0.0,
            "tax_ids": [fields.Command.set(self.taxes_id.ids)],
        }

    def _prepare_base_line_for_taxes_computation(self):
        """The line as Odoo's computation of taxes takes it."""
        self.ensure_one()
        return self.env["account.tax"]._prepare_base_line_for_taxes_computation(
            self,
            tax_ids=self.taxes_id,
            quantity=self.original_uom_qty,
            product_uom_id=self.product_uom,
            partner_id=self.order_id.partner_id,
            currency_id=self.order_id.currency_id,
        )

    @api.depends("sale_lines.order_id.approval_state")
    def _compute_quantities(self):
        """What a closed quotation took of the contract is free again."""
        result = super()._compute_quantities()
        for line in self:
            closed = line.sale_lines.filtered(line._is_given_up)
            if closed:
                line._give_back(
                    sum(
                        sale_line.product_uom_id._compute_quantity(sale_line.product_uom_qty, line.product_uom)
                        for sale_line in closed
                    )
                )
        return result

    def _is_given_up(self, sale_line):
        """Whether a quotation line that counts as ordered never will be."""
        order = sale_line.order_id
        return order.state != "cancel" and order.approval_state == "closed" and sale_line.product_id == self.product_id

    def _give_back(self, quantity):
        """:param float quantity: in the unit of this line"""
        self.ordered_uom_qty -= quantity
        self.remaining_uom_qty += quantity
        self.remaining_qty = self.product_uom._compute_quantity(self.remaining_uom_qty, self.product_id.uom_id)
