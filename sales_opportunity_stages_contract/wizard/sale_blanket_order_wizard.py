from odoo import models


class SaleBlanketOrderWizard(models.TransientModel):
    """Orders made from a contract are for its opportunity, at its terms."""

    _inherit = "sale.blanket.order.wizard"

    def _prepare_so_line_vals(self, line):
        values = super()._prepare_so_line_vals(line)
        if line.blanket_line_id.order_id.quotation_id:
            values |= {"name": line.blanket_line_id.name or values["name"], "discount": 0.0}
        return values

    def _prepare_so_vals(self, *args, **kwargs):
        values = super()._prepare_so_vals(*args, **kwargs)
        lines = self.env["sale.blanket.order.line"].browse(
            vals["blanket_order_line"] for _command, _id, vals in values["order_line"]
        )
        return values | lines.order_id._prepare_order_values()
