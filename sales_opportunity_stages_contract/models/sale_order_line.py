from odoo import api, fields, models


class SaleOrderLine(models.Model):
    """Lines and contracts: a line is ordered under a contract made from a quotation only when it was made from that.

    Odoo's contracts take over any line of their customer and product, with their price. What is quoted for an
    opportunity, or beside a contract that came of a quotation, has its own price and stays as it is.
    """

    _inherit = "sale.order.line"

    # Odoo drops what a new record is given for a field that is computed before and read only: a line made from one
    # contract would then be taken over by whichever other one fits
    blanket_order_line = fields.Many2one(readonly=False)

    def _is_under_contract(self):
        """Whether it is ordered under a contract that was made from a quotation: at that price, and no other."""
        self.ensure_one()
        # sudo: the quotation may not be the user's to read; a yes or no comes of it
        return bool(self.blanket_order_line.sudo().order_id.quotation_id)

    # ------------------------------------------------------------
    # Which contract
    # ------------------------------------------------------------

    def _get_eligible_bo_lines_domain(self, base_qty):
        return [*super()._get_eligible_bo_lines_domain(base_qty), ("order_id.quotation_id", "=", False)]

    def _get_eligible_bo_lines(self):
        if self.opportunity_line_id or self.order_id.opportunity_id:
            return self.env["sale.blanket.order.line"]
        return super()._get_eligible_bo_lines()

    def get_assigned_bo_line(self):
        """What was made from a contract goes on under it, whatever is left there for others."""
        if not self._is_under_contract():
            return super().get_assigned_bo_line()

    def _fits_contract(self):
        """Whether it is what the contract is about, and for whom."""
        contract_line = self.blanket_order_line
        return self._is_under_contract() and (
            contract_line.product_id == self.product_id
            and contract_line.partner_id == self.order_id.partner_id
            and contract_line.currency_id == self.order_id.currency_id
        )

    # ------------------------------------------------------------
    # At its terms
    # ------------------------------------------------------------

    @api.depends("blanket_order_line")
    def _compute_discount(self):
        """The price of a contract is net."""
        lines = self.filtered(lambda line: line._is_under_contract())
        lines.discount = 0.0
        return super(SaleOrderLine, self - lines)._compute_discount()

    def _compute_tax_ids(self):
        """A contract without taxes is one without taxes."""
        lines = self.filtered(lambda line: line._is_under_contract() and not line.blanket_order_line.taxes_id)
        lines.tax_ids = False
        return super(SaleOrderLine, self - lines)._compute_tax_ids()

    # ------------------------------------------------------------
    # Making a contract
    # ------------------------------------------------------------

    def _goes_into_contract(self):
        """Whether a contract is made over this line: not what is quoted in addition and not taken, for one."""
        self.ensure_one()
        return bool(self.display_type or (self.product_uom_qty and not self.is_downpayment))

    def _prepare_contract_line_values(self):
        """The line of a contract for this one, at the net price: a contract knows no discount.

        :returns: values of a ``sale.blanket.order.line``
        """
        self.ensure_one()
        values = {"sequence": self.sequence, "name": self.name}
        if self.display_type:
            note = self.display_type == "line_note"
            return values | {"display_type": "line_note" if note else "line_section"}
        return values | {
            "product_id": self.product_id.id,
            "product_uom": self.product_uom_id.id,
            "original_uom_qty": self.product_uom_qty,
            "price_unit": self.price_unit * (1 - self.discount / 100),
            "taxes_id": [(6, 0, self.tax_ids.ids)],
            "analytic_distribution": self.analytic_distribution,
        }
