from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_is_zero


class SaleOrder(models.Model):
    """Close the rest of a confirmed order: what was neither delivered nor invoiced stops using credit."""

    _inherit = "sale.order"

    is_rest_closed = fields.Boolean("Rest Closed", compute="_compute_is_rest_closed", compute_sudo=True)
    rest_close_reason = fields.Text(readonly=True, copy=False, prefetch="approval")

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"rest_close_reason"}

    @api.depends("order_line.is_rest_closed")
    def _compute_is_rest_closed(self):
        for order in self:
            order.is_rest_closed = any(order.order_line.mapped("is_rest_closed"))

    def action_close_rest(self, reason=None):
        """Close the rest of these orders, all or none. Without a reason a dialog asks for it.

        :param str reason: why nothing more will be delivered
        :raise UserError: when one of them is not confirmed, or nothing of it is left
        """
        self.check_access("write")
        for order in self.filtered(lambda order: order.state != "sale"):
            raise UserError(
                self.env._("%s is not confirmed: close the rest of confirmed orders only.", order.display_name)
            )
        if not (reason or "").strip():
            action = self.env["ir.actions.act_window"]._for_xml_id("sales_opportunity_stages.sale_order_rest_action")
            return {**action, "context": {"default_order_ids": self.ids}}
        # sudo: system fields; access is checked above
        for order in self.sudo():
            lines = order.order_line.filtered(lambda line: line._has_rest())
            if not lines:
                raise UserError(self.env._("Nothing of %s is left: it is delivered or invoiced.", order.display_name))
            with order._change():
                lines._close_rest()
                order._write_derived({"rest_close_reason": reason.strip()})
                order._settle_closed_rest(lines)
            order._log_step(self.env._("Rest closed: %s", reason.strip()))
        return True

    def action_reopen_rest(self):
        """Reopen the rest of these orders: credit is checked as for an order that grows.

        :raise UserError: when credit does not allow one of them
        """
        self.check_access("write")
        # sudo: system fields; access is checked above
        for order in self.sudo():
            lines = order.order_line.filtered("is_rest_closed")
            with order._change():
                lines._close_rest(closed=False)
                order._write_derived({"rest_close_reason": False})
                order._settle_reopened_rest(lines)
            order._log_step(self.env._("Rest reopened"))
        return True

    def _settle_closed_rest(self, lines):
        """Take back what other applications had planned for the rest. Extend it, for transfers for example."""

    def _settle_reopened_rest(self, lines):
        """Plan the rest again. Extend it, for transfers for example."""


class SaleOrderLine(models.Model):
    """What Odoo has left to invoice of a line whose rest is closed: what was delivered and is not invoiced."""

    _inherit = "sale.order.line"

    def _has_rest(self):
        """Check whether a part of the line was neither delivered nor invoiced."""
        self.ensure_one()
        if self.display_type or self.is_downpayment or self.is_rest_closed:
            return False
        done = max(self.qty_delivered, self.qty_invoiced_posted, key=abs)
        return abs(done) < abs(self.product_uom_qty)

    def write(self, vals):
        """Reopen the rest of a line whose quantity is raised: the whole of it is checked again."""
        if "product_uom_qty" in vals:
            # sudo: system fields; the write itself has the user's rights
            raised = self.sudo().filtered(
                lambda line: line.is_rest_closed and abs(vals["product_uom_qty"] or 0.0) > abs(line.product_uom_qty)
            )
            if raised:
                # sudo: as above
                with raised.order_id.sudo()._change():
                    raised._close_rest(closed=False)
                    return super().write(vals)
        return super().write(vals)

    @api.depends("is_rest_closed")
    def _compute_qty_to_invoice(self):
        result = super()._compute_qty_to_invoice()
        for line in self.filtered(lambda line: line.is_rest_closed and line.state == "sale"):
            line.qty_to_invoice = max(line.qty_delivered, line.qty_invoiced, key=abs) - line.qty_invoiced
        return result

    @api.depends("is_rest_closed")
    def _compute_invoice_status(self):
        result = super()._compute_invoice_status()
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        for line in self.filtered(lambda line: line.is_rest_closed and line.state == "sale"):
            if float_is_zero(line.qty_to_invoice, precision_digits=digits):
                line.invoice_status = "invoiced"
        return result

    @api.depends("is_rest_closed")
    def _compute_untaxed_amount_to_invoice(self):
        result = super()._compute_untaxed_amount_to_invoice()
        for line in self.filtered(lambda line: line.is_rest_closed and line.product_uom_qty):
            line.untaxed_amount_to_invoice = line.price_subtotal / line.product_uom_qty * line._get_closed_quantity()
        return result

    @api.depends("is_rest_closed")
    def _compute_amount_to_invoice(self):
        result = super()._compute_amount_to_invoice()
        for line in self.filtered(lambda line: line.is_rest_closed and line.product_uom_qty):
            line.amount_to_invoice = line.price_total / line.product_uom_qty * line._get_closed_quantity()
        return result

    def _get_closed_quantity(self):
        """Return the quantity that is left to invoice of a line whose rest is closed, invoices posted."""
        invoiced = self.qty_invoiced_posted
        return max(self.qty_delivered, invoiced, key=abs) - invoiced
