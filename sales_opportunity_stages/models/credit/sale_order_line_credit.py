from odoo import api, fields, models
from odoo.tools import float_compare


def _get_optional(names, model, prefix=""):
    """Return those of the paths of fields whose first field the model has: their add-on may not be installed."""
    return [f"{prefix}{name}" for name in names if name.split(".")[0] in model._fields]


class SaleOrderLine(models.Model):
    """What a line of an order still uses of credit: what may yet be delivered or invoiced, at the order's price."""

    _inherit = "sale.order.line"

    is_rest_closed = fields.Boolean(
        "Rest Closed",
        readonly=True,
        copy=False,
        help="Nothing more of this line is delivered or invoiced than has been delivered or invoiced already.",
    )
    credit_uninvoiced = fields.Monetary(
        "Left to Invoice",
        compute="_compute_credit_uninvoiced",
        store=True,
        compute_sudo=True,
        copy=False,
        help="Amount that this line uses of the customer's credit, taxes included, in the currency of the order. "
        "0 once the whole quantity is on posted invoices. Down payments count for the order as a whole.",
    )

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"credit_uninvoiced", "is_rest_closed"}

    def _close_rest(self, closed=True):
        """Close what was neither delivered nor invoiced of these lines, or open it again.

        The caller checks who may do so. Opening is checked as any growth of the order.
        """
        for order, lines in self.grouped("order_id").items():
            with order._change():
                lines._write_derived({"is_rest_closed": closed})

    @api.depends(
        lambda self: [
            "display_type",
            "is_downpayment",
            "is_rest_closed",
            "product_id",
            "product_uom_qty",
            "price_unit",
            "discount",
            "price_total",
            "qty_delivered",
            "qty_invoiced_posted",
            "amount_invoiced",
            *_get_optional(
                [
                    "move_ids.state",
                    "pos_order_line_ids.qty",
                    "pos_order_line_ids.price_subtotal_incl",
                    "pos_order_line_ids.order_id.state",
                ],
                self,
            ),
        ]
    )
    def _compute_credit_uninvoiced(self):
        for line in self:
            line.credit_uninvoiced = line._get_credit_amount()

    def _get_credit_amount(self):
        """Return what is left to invoice of the line, between 0 and its amount, in the currency of the order.

        The quantity that is left, at the price of the order: at which price the rest was invoiced does not matter.
        Odoo's *Un-invoiced Balance* is the same, as long as nothing is yet to be delivered.
        """
        self.ensure_one()
        if self.display_type or self.is_downpayment:
            return 0.0
        expected, quantity = self._get_expected_quantity(), self._get_invoiced()[0]
        amount = self._get_expected_amount(expected)
        if not amount or self._covers(quantity, expected):
            return 0.0
        least, most = sorted((0.0, amount))
        return min(max(self._get_expected_amount(expected - quantity), least), most)

    def _covers(self, quantity, expected):
        """Check whether an invoiced quantity is all that is expected."""
        sign, digits = (-1 if expected < 0 else 1), self.env["decimal.precision"].precision_get("Product Unit")
        return float_compare(sign * quantity, sign * expected, precision_digits=digits) >= 0

    # ------------------------------------------------------------
    # Expected
    # ------------------------------------------------------------

    def _get_expected_quantity(self):
        """Return the quantity that will have been invoiced in the end, as far as the documents tell, in the unit of
        the line."""
        if self.is_rest_closed:
            return max(self.qty_delivered, self.qty_invoiced_posted, key=abs)
        if self.product_id.invoice_policy != "delivery":
            return self.product_uom_qty
        if not self._may_be_delivered():
            return self.qty_delivered
        return max(self.product_uom_qty, self.qty_delivered, key=abs)

    def _may_be_delivered(self):
        """Check whether a transfer may still deliver more. Without any transfer the ordered quantity is to come."""
        moves = self.move_ids if "move_ids" in self._fields else ()
        return not moves or any(
            move.state not in ("done", "cancel") and move.location_id.usage != "customer" for move in moves
        )

    def _get_expected_amount(self, quantity):
        """Return what a quantity of the line comes to, taxes included, in the currency of the order."""
        if quantity == self.product_uom_qty:
            return self.price_total
        if self.product_uom_qty:
            return self.currency_id.round(self.price_total / self.product_uom_qty * quantity)
        price = self.price_unit * (1 - self.discount / 100)
        return self.tax_ids.compute_all(
            price, self.currency_id, quantity, self.product_id, self.order_id.partner_shipping_id
        )["total_included"]

    # ------------------------------------------------------------
    # Invoiced
    # ------------------------------------------------------------

    def _get_invoiced(self):
        """Return what is on posted invoices or was settled in a point of sale.

        :returns: the quantity in the unit of the line; the amount in the currency of the order
        """
        settled = self._get_settled_lines()
        if not self.invoice_lines and not settled:
            return 0.0, 0.0
        return (
            self.qty_invoiced_posted + sum(self._convert_qty(self, line.qty, "p2s") for line in settled),
            self.amount_invoiced + sum(self._convert_settled(line) for line in settled),
        )

    def _get_settled_lines(self):
        """Return the lines of completed point of sale orders that settle this one."""
        if "pos_order_line_ids" not in self._fields:
            return ()
        return self.pos_order_line_ids.filtered(lambda line: line.order_id.state not in ("draft", "cancel"))

    def _convert_settled(self, line):
        return line.currency_id._convert(
            line.price_subtotal_incl, self.currency_id, self.company_id, line.order_id.date_order
        )
