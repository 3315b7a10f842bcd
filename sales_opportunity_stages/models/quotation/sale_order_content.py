from odoo import api, models
from odoo.exceptions import UserError


def _get_plain_value(record, name):
    """The value of a field, such that equal means unchanged."""
    value = record[name]
    if record._fields[name].relational:
        return tuple(sorted(value.ids))
    return round(value, 6) if isinstance(value, float) else value


class SaleOrder(models.Model):
    """What was approved stays as it was approved, by whatever way a change comes.

    While a quotation is approved nobody changes its content; on an order that was confirmed with an approval an
    approver may, and it is logged. An order confirmed without one cannot grow to where it would have needed one.
    """

    _inherit = "sale.order"

    @api.model
    def _get_content_fields(self):
        """Fields of the header that an approval covers. Extend it with what else is agreed with the customer."""
        return {
            "company_id",
            "partner_id",
            "partner_invoice_id",
            "partner_shipping_id",
            "pricelist_id",
            "currency_id",
            "fiscal_position_id",
            "payment_term_id",
            "preferred_payment_method_line_id",
            "require_signature",
            "require_payment",
            "prepayment_percent",
            "validity_date",
            "note",
        }

    def _get_content(self):
        """What an approval covers, flat, so that two of them can be compared.

        :returns: ``{(record, field name): plain value}``
        """
        self.ensure_one()
        content = {(self, name): _get_plain_value(self, name) for name in self._get_content_fields()}
        for line in self.order_line:
            content |= line._get_content()
        return content

    def _get_snapshot(self):
        snapshot = super()._get_snapshot()
        if self.approval_state == "approved":
            snapshot["content"] = self._get_content()
        elif self.state == "sale" and self.company_id.quotation_approval == "required":
            snapshot["amount"] = self._get_company_amount()
        return snapshot

    def _settle_changes(self, before):
        for order in self:
            snapshot = before.get(order.id, {})
            if "content" in snapshot:
                order._check_content(snapshot)
            elif "amount" in snapshot:
                order._check_growth(snapshot)
        return super()._settle_changes(before)

    def _check_content(self, snapshot):
        """:raise UserError: when what was approved is not what it was, and the user may not change it"""
        before, after = snapshot["content"], self._get_content()
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        if not changed:
            return
        labels = self._describe_content(changed)
        if snapshot["state"] != "sale":
            raise UserError(
                self.env._(
                    "%(order)s is approved, so this cannot be changed: %(fields)s. Withdraw the approval first.",
                    order=self.name,
                    fields=labels,
                )
            )
        reasons = self._get_approver_refusals()
        if reasons:
            raise UserError(
                self.env._(
                    "%(order)s was confirmed with an approval, so only an approver can change this: %(fields)s. "
                    "%(reasons)s",
                    order=self.name,
                    fields=labels,
                    reasons=" ".join(reasons),
                )
            )
        self._log_step(
            self.env._(
                "Changed after approval: %(fields)s. Total now %(total)s", fields=labels, total=self._get_total_label()
            )
        )

    def _check_growth(self, snapshot):
        """:raise UserError: when an order confirmed without approval has grown to where it needs one"""
        grown = self.company_id.currency_id.compare_amounts(self._get_company_amount(), snapshot["amount"]) > 0
        if not grown or self.state != "sale" or not self._requires_approval():
            return
        reasons = self._get_approver_refusals()
        if reasons:
            raise UserError(
                self.env._(
                    "%(order)s was confirmed without an approval and would come to %(total)s, which needs one. "
                    "%(reasons)s",
                    order=self.name,
                    total=self._get_total_label(),
                    reasons=" ".join(reasons),
                )
            )
        self._set_approved()

    def _describe_content(self, keys):
        """The names of changed fields, for a message.

        :param keys: keys of :meth:`_get_content`
        """
        labels = {
            (record.name.splitlines()[0] + ": " if record._name == "sale.order.line" and record.exists() else "")
            + record._fields[name].string
            for record, name in keys
        }
        return ", ".join(sorted(labels)[:10])


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.model
    def _get_content_fields(self):
        """Fields of a line that an approval covers."""
        return {
            "order_id",
            "product_id",
            "name",
            "product_uom_qty",
            "product_uom_id",
            "price_unit",
            "discount",
            "tax_ids",
            "extra_tax_data",
            "display_type",
        }

    def _get_content(self):
        """See :meth:`sale.order._get_content`. Down payments and re-invoiced expenses, which Odoo adds to a confirmed
        order with no quantity, are not what the customer was offered."""
        self.ensure_one()
        if (self.is_downpayment or self.is_expense) and not self.product_uom_qty:
            return {}
        return {(self, name): _get_plain_value(self, name) for name in self._get_content_fields()}
