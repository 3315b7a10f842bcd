from collections import defaultdict

from odoo import api, fields, models
from odoo.api import SUPERUSER_ID


class SaleOrder(models.Model):
    """Who has worked on a quotation: recorded when its content differs after a change, for the four-eyes rule.

    It is recorded where the company asks for approvals. ``write_uid`` would not do: Odoo sets it on recomputation too.
    """

    _inherit = "sale.order"

    author_ids = fields.Many2many(
        "res.users",
        "sale_order_author_rel",
        "order_id",
        "user_id",
        string="Authors",
        readonly=True,
        copy=False,
        help="Users who changed the content of the quotation, or were its salesperson.",
    )
    amender_ids = fields.Many2many(
        "res.users",
        "sale_order_amender_rel",
        "order_id",
        "user_id",
        string="Changed After Confirmation By",
        readonly=True,
        copy=False,
        help="Users who changed the content of the confirmed order. They become authors if it is a quotation again.",
    )

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"author_ids", "amender_ids"}

    def _get_snapshot(self):
        return super()._get_snapshot() | {"salesperson": self.user_id}

    def _get_involved_users(self):
        """Return the users who may not approve the order under the four-eyes rule (四眼原则).

        Who created it or one of its lines, is or was its salesperson, requested the approval or changed its content.
        An approver who changes a confirmed order does so in the place of an approval, and may do it again.
        """
        self.ensure_one()
        involved = self.create_uid | self.user_id | self.approval_requested_by_id | self.author_ids
        return involved if self.state == "sale" else involved | self.order_line.create_uid

    def _record_authors(self, change):
        """Record who has changed the content of these orders, or handed them over."""
        if change.is_incurred:
            return
        found = defaultdict(self.browse)
        for order in self.filtered(lambda order: order._get_live_flow()):
            was = change.was(order)
            if was.get("state") == "cancel" and order.state == "draft" and order.amender_ids:
                order._write_derived({"author_ids": [(4, id_) for id_ in order.amender_ids.ids], "amender_ids": [(5,)]})
            is_order = order.state == was.get("state") == "sale"
            name = "amender_ids" if is_order else "author_ids"
            authors = order._get_new_authors(change) - order[name]
            if authors:
                found[name, authors] |= order
        for (name, authors), orders in found.items():
            orders._write_derived({name: [(4, id_) for id_ in authors.ids]})

    def _get_new_authors(self, change):
        """Return who has changed the content of this order in a change, or has been its salesperson before it."""
        authors = change.was(self).get("salesperson", self.user_id) - self.user_id
        if self._get_changed_content(change):
            authors |= authors.browse(sorted(change.writers.get(self.id, ())))
        return authors.filtered(lambda user: user.id != SUPERUSER_ID)
