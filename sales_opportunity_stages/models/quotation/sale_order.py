from contextlib import contextmanager

from odoo import api, models

from ...tools import ChangeStack


class SaleOrder(models.Model):
    """The one place where a change of a quotation or order is seen.

    An order becomes a sale, is sent, grows or gets another customer by many ways: buttons, the portal, a payment, an
    import, another module, a write to one of its lines. So it is read before and after, whatever was written: see
    :meth:`_get_change_rules`. What other applications do in several writes is one change: see ``app_operations``.
    """

    _name = "sale.order"
    _inherit = ["sale.order", "sales.change.mixin", "sales.system.fields.mixin", "sales.internal.fields.mixin"]

    @api.model
    def _get_change_rules(self):
        return [
            *super()._get_change_rules(),
            (0, "_compute_changed_lines"),
            # Checks
            (10, "_check_approved_content"),
            (20, "_check_linked_opportunities"),
            (30, "_check_operations"),
            (40, "_check_credit_of_change"),
            # Effects
            (110, "_record_authors"),
            (120, "_restart_approval"),
            (130, "_follow_approval_request"),
            (140, "_set_order_source"),
            (150, "_lock_for_approval"),
            (160, "_follow_credit_requests"),
            (170, "_recheck_after_change"),
            (190, "_report_changed_to_opportunities"),
        ]

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_system_fields(vals)
            vals["order_source"] = self._get_initial_order_source(vals)
        self = self._without_system_defaults()
        with self._change(creating=True) as change:
            orders = super().create(vals_list)
            change.add_created(orders.ids)
            orders._note_in_change()
        return orders

    def write(self, vals):
        vals = dict(vals)
        if self._is_derived_write(vals):
            return super().write(vals)
        self._check_system_fields(vals)
        self._check_writable(vals)
        with self._change() as change:
            self._note_in_change()
            result = super().write(vals)
            if vals.get("state") == "sale" and not change.ids.issuperset(self.ids):
                self._check_change_now()  # before the rest of an operation delivers, buys or writes to the customer
        return result

    def unlink(self):
        self._check_allowed("delete")
        opportunities = self._get_touched_opportunities()
        ids = self.ids
        result = super().unlink()
        self._forget_in_changes(ids)
        opportunities._requirements_changed()
        return result

    def _check_writable(self, vals):
        """Refuse a write by what it names, before anything is changed. Extend it for orders that take no write."""

    # ------------------------------------------------------------
    # Changes
    # ------------------------------------------------------------

    @contextmanager
    def _change_lines(self):
        """Check what the block does to lines of these orders as a change of the orders.

        :raise UserError: when one of them takes no change at all, unless it has happened already
        """
        if not ChangeStack(self.env.cr).is_incurred(self._name):
            self._get_unchanging()._check_allowed("edit")
        with self._change():
            self._note_in_change()
            yield

    def _get_snapshot(self):
        return super()._get_snapshot() | {"state": self.state}

    @api.model
    def _get_states_of_snapshot(self):
        return super()._get_states_of_snapshot() | {"state"}

    def _compute_changed_lines(self, change):
        """Compute the lines before the orders.

        Odoo looks lines up to know what is left to invoice of an order, which writes what is known of them by then;
        what follows for them afterwards would take another statement.
        """
        if self - self.browse(change.created_ids):
            self.env["sale.order.line"]._recompute_model()

    # ------------------------------------------------------------
    # Opportunities
    # ------------------------------------------------------------

    def _report_changed_to_opportunities(self, change):
        self._report_to_opportunities()

    def _report_to_opportunities(self):
        """Let the opportunities look at their conditions: a quotation may be what a stage was waiting for."""
        self._get_touched_opportunities()._requirements_changed()

    def _get_touched_opportunities(self):
        """Return the opportunities whose conditions may look at these orders, in superuser mode."""
        # sudo: the opportunity may not be the user's to read, and its conditions look at the order all the same
        orders = self.sudo()
        return orders.opportunity_id | orders.order_line.opportunity_line_id.lead_id
