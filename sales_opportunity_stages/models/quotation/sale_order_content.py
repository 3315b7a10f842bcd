from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_list

from ...tools import AMOUNT


def _get_plain_value(record, name):
    """The value of a field, such that equal means unchanged."""
    value = record[name]
    if record._fields[name].relational:
        return tuple(sorted(value.ids))
    return round(value, 6) if isinstance(value, float) else value


class SaleOrder(models.Model):
    """The content that an approval covers.

    While a quotation is approved nobody changes it. On an order that was confirmed with an approval an approver may,
    and it is logged. An order confirmed without one cannot grow to a total that requires it.
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
        flow = self._get_live_flow()
        if flow or self.approval_state == "approved" or self.approval_progress == "requested":
            snapshot["content"] = self._get_content()
        if flow and self.approval_state != "approved" and self.state == "sale":
            snapshot["seen"] = self._get_seen(flow)
            snapshot["needed"] = {terms.rule_id for terms in self._filter_terms(flow)}
        return snapshot

    def _get_changed_content(self, change):
        """Return the keys of the content that differ from before a change; empty where it was not read."""
        before = change.was(self).get("content")
        return set() if before is None else self._compare_content(before)

    def _compare_content(self, before):
        """Return the keys of the content that differ from what :meth:`_get_content` returned before."""
        after = self._get_content()
        return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}

    def _check_approved_content(self, change):
        """Check that what was approved is what it was, and that an order has not grown to need an approval."""
        for order in self.filtered(lambda order: order.state != "cancel"):
            was = change.was(order)
            if was.get("approval_state") == "approved":
                order._check_content(change)
            elif "seen" in was and not change.is_incurred:
                order._check_growth(was)

    def _check_content(self, change):
        """:raise UserError: when what was approved is not what it was, and the user may not change it"""
        changed = self._get_changed_content(change)
        if not changed:
            return
        labels, is_order = self._describe_content(changed), change.was(self)["state"] == "sale"
        if not is_order:
            raise UserError(
                self.env._(
                    "%(order)s is approved, so this cannot be changed: %(fields)s. Withdraw the approval first.",
                    order=self.name,
                    fields=labels,
                )
            )
        if change.is_incurred:
            self._log_incurred_change(labels)
            return
        reasons = self._get_amendment_refusals()
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

    def _log_incurred_change(self, labels):
        """Log what another application has added to an approved order. It has happened, so it is not refused."""
        self._log_step(
            self.env._(
                "Added by another application after the approval: %(fields)s. Total now %(total)s",
                fields=labels,
                total=self._get_total_label(),
            )
        )

    def _get_amendment_refusals(self):
        """Return why the user may not change this order, which was confirmed with an approval.

        An approver of the last level that has approved it may. What needs an approval that was not given, because the
        order has grown since, takes an approver of that.
        """
        given = {step._get_terms().rule_id for step in self._get_live_steps("approved")}
        missing = [terms for terms in self._filter_terms(self._get_live_flow()) if terms.rule_id not in given]
        return self._get_refusals_of_terms(missing if given else []) or self._get_approver_refusals()

    def _get_refusals_of_terms(self, needed):
        """Return why the user cannot give the approval that some terms ask for: that of the highest level counts."""
        level = max((terms.level for terms in needed), default=None)
        candidates = self.env["sale.approval.rule"]._get_candidates
        for terms in needed:
            approvers = candidates(terms, self)
            if terms.level == level and self.env.user not in self._find_deciders(approvers):
                if self.env.user in approvers:
                    return [self.env._("You have worked on this quotation. Ask another quotation approver.")]
                names = format_list(self.env, approvers[:5].mapped("name")) or self.env._("nobody")
                return [
                    self.env._(
                        "Only those who approve on level %(level)s can do this: %(users)s.", level=level, users=names
                    )
                ]
        return []

    def _get_grown_terms(self, snapshot):
        """Return the terms that ask for an approval now, and did not before, or of which the order has more now."""
        flow = self._get_live_flow()
        seen = self._get_seen(flow)
        return [
            terms
            for terms in self._filter_terms(flow)
            if terms.rule_id not in snapshot["needed"] or terms.is_worse(snapshot["seen"], seen)
        ]

    def _check_growth(self, snapshot):
        """:raise UserError: when an order confirmed without approval has grown to where it needs one"""
        if self.state != "sale" or not self._requires_approval():
            return
        grown, more = self._get_grown_terms(snapshot), self._get_company_amount() - snapshot["seen"][AMOUNT]
        if not grown and (more <= 0 or self._filter_terms(self._get_live_flow())):
            return
        reasons = self._get_refusals_of_terms(grown) if grown else self._get_approver_refusals()
        if reasons:
            raise UserError(
                self.env._(
                    "The new total of %(order)s, %(total)s, requires approval. %(reasons)s",
                    order=self.name,
                    total=self._get_total_label(),
                    reasons=" ".join(reasons),
                )
            )
        self._record_approval(grown or self._get_needed_terms())

    def _describe_content(self, keys):
        """Return the labels of changed fields, for a message.

        :param keys: keys of :meth:`_get_content`
        """
        return format_list(self.env, sorted({self._describe_content_field(*key) for key in keys})[:10])

    def _describe_content_field(self, record, name):
        label = record._fields[name]._description_string(self.env)
        line_name = (record.exists().name or "").partition("\n")[0] if record._name == "sale.order.line" else ""
        return f"{line_name}: {label}" if line_name else label


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
