from odoo import fields, models


class SaleOrder(models.Model):
    """What was spent on a quotation or order, whether it is re-invoiced or not."""

    _name = "sale.order"
    _inherit = ["sale.order", "sales.expense.mixin"]

    spent_expense_ids = fields.One2many(inverse_name="quotation_id")

    def _prepare_expense_context(self):
        """On a confirmed order it may be re-invoiced; Odoo forgets that where its category is not.

        On a quotation it could not be posted, and so not be paid back, until the customer orders.
        """
        context = super()._prepare_expense_context()
        if self.state == "sale":
            context["default_sale_order_id"] = self.id
        return context
