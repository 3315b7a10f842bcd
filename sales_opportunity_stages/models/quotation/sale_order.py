from contextlib import contextmanager

from odoo import api, models

_WATCHED = "sales_opportunity_stages.watched_orders"
_DEFERRED = "sales_opportunity_stages.deferred_orders"


class SaleOrder(models.Model):
    """The one place where a change of a quotation or order is seen.

    An order becomes a sale, is sent, grows or gets another customer by many ways: buttons, the portal, a payment, an
    import, another module, a write to one of its lines. So it is read before and after, whatever was written, and
    what may not be is refused then: see :meth:`_settle_changes`, which each capability extends in its own file.
    """

    _name = "sale.order"
    _inherit = ["sale.order", "sales.system.fields.mixin", "sales.internal.fields.mixin"]

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_system_fields(vals)
            vals["order_source"] = self._get_initial_order_source(vals)
        self = self._without_system_defaults()
        with self._defer_judgement() as before:
            orders = super().create(vals_list)
        for order_id in orders.ids:
            before.pop(order_id, None)  # half made then: it is judged as new
        # sudo: rules hold for everybody alike; Odoo has checked the user's rights
        touched = orders.sudo() | self.sudo().browse(before)
        touched._settle_changes(before)
        touched._report_to_opportunities()
        return orders

    def write(self, vals):
        vals = dict(vals)
        if self._is_derived_write(vals):
            return super().write(vals)
        self._check_system_fields(vals)
        self._check_writable(vals)
        with self._watch_changes():
            return super().write(vals)

    def unlink(self):
        self._check_allowed("delete")
        opportunities = self._get_touched_opportunities()
        result = super().unlink()
        opportunities._requirements_changed()
        return result

    def _check_writable(self, vals):
        """Refuse a write by what it names, before anything is changed. Extend it for orders that take no write."""

    # ------------------------------------------------------------
    # Before and after
    # ------------------------------------------------------------

    @contextmanager
    def _watch_changes(self):
        """Judge what happens inside to these orders and their lines, once it is complete.

        Where one watch runs inside another, only the outer one judges: a write to an order that writes its lines is
        one change. What is being watched is kept on the cursor, where no client can put anything.
        """
        watched, orders = self._get_watched_ids(), self._get_unwatched()
        before = orders._read_snapshots()
        deferred = self.env.cr.cache.get(_DEFERRED)
        if deferred is not None:
            deferred.update({id_: snapshot for id_, snapshot in before.items() if id_ not in deferred})
            yield
            return
        watched.update(orders.ids)
        try:
            yield
            if orders:
                # Lines first. Odoo looks them up to know what is left to invoice of an order, which writes what is
                # known of them by then; what follows for them afterwards would take another statement.
                self.env["sale.order.line"]._recompute_model()
                orders._settle_changes(before)
                orders._report_to_opportunities()
        finally:
            watched.difference_update(before)

    @contextmanager
    def _defer_judgement(self):
        """Leave what is changed inside, in the middle of a creation, to be judged when that is complete.

        :returns: the snapshots of what has been changed, filled while the block runs
        """
        cache = self.env.cr.cache
        if _DEFERRED in cache:  # an order that makes another one
            yield {}
            return
        cache[_DEFERRED] = before = {}
        try:
            yield before
        finally:
            cache.pop(_DEFERRED, None)

    def _watch_lines(self):
        """Watch the orders whose lines are about to be changed.

        :raise UserError: when one of them takes no change at all
        """
        self.browse(self._get_unwatched().ids)._check_allowed("edit")
        return self._watch_changes()

    def _get_watched_ids(self):
        """Ids of the orders that are being changed and have yet to be judged."""
        return self.env.cr.cache.setdefault(_WATCHED, set())

    def _get_unwatched(self):
        """Those of the orders that no watch around this one judges, in superuser mode."""
        watched = self._get_watched_ids()
        # sudo: rules hold for everybody alike; Odoo checks the user's rights in the write itself
        return self.sudo().browse(id_ for id_ in self._ids if isinstance(id_, int) and id_ not in watched)

    def _read_snapshots(self):
        """What the orders are like now, to be compared later.

        :returns: ``{order id: dict}``
        """
        return {order.id: order._get_snapshot() for order in self}

    def _get_snapshot(self):
        """What a change is judged by. Extend it with what another rule compares.

        :returns: a dict of plain values
        """
        self.ensure_one()
        return {"state": self.state}

    def _settle_changes(self, before):
        """Judge a completed change, then record what follows from it. Extend it: raise to refuse.

        Called in superuser mode; ``env.user`` is still who asked.

        :param dict before: :meth:`_read_snapshots` from before the change; an order that is not in it is new
        :raise UserError: when an order may not be what it has become; everything is rolled back
        """
        for deed, state in (("send", "sent"), ("confirm", "sale"), ("cancel", "cancel")):
            self.filtered(
                lambda order, state=state: (
                    order.state == state and before.get(order.id, {}).get("state", "draft") != state
                )
            )._check_allowed(deed)

    # ------------------------------------------------------------
    # Opportunities
    # ------------------------------------------------------------

    def _report_to_opportunities(self):
        """A quotation may be what the stage of its opportunity was waiting for: let it look at its conditions."""
        self._get_touched_opportunities()._requirements_changed()

    def _get_touched_opportunities(self):
        """The opportunities whose conditions may look at these orders, in superuser mode."""
        # sudo: the opportunity may not be the user's to read, and its conditions look at the order all the same
        orders = self.sudo()
        return orders.opportunity_id | orders.order_line.opportunity_line_id.lead_id
