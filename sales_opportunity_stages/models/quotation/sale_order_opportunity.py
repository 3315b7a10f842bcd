from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleOrder(models.Model):
    """The opportunity that a quotation or order is for.

    A closed opportunity takes nothing new. A lost one also stops what it has; a won one lets it be confirmed.
    """

    _inherit = "sale.order"

    opportunity_won_status = fields.Selection(
        related="opportunity_id.won_status",
        string="Opportunity Status",
        tracking=False,  # it is tracked on the opportunity
    )

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        orders.opportunity_id.check_access("read")
        return orders

    def write(self, vals):
        if vals.get("opportunity_id"):
            self.env["crm.lead"].browse(vals["opportunity_id"]).check_access("read")
        return super().write(vals)

    def copy_data(self, default=None):
        """A copy of what was made for a closed opportunity is for none: it may be the start of the next."""
        vals_list = super().copy_data(default)
        for order, vals in zip(self, vals_list, strict=True):
            # sudo: the opportunity may not be the user's to read; the link alone is dropped
            if "opportunity_id" not in (default or {}) and order.sudo().opportunity_id._is_closed():
                vals["opportunity_id"] = False
        return vals_list

    def _get_snapshot(self):
        return super()._get_snapshot() | {
            "opportunity": self.opportunity_id,
            "opportunities": self._get_touched_opportunities(),
        }

    def _check_linked_opportunities(self, change):
        """Check the opportunities that orders are linked to now, or not linked to any more."""
        for order in self:
            was = change.was(order)
            order._check_takes_orders(
                order._get_touched_opportunities() - was.get("opportunities", order.opportunity_id[:0])
            )
            if was.get("opportunity") and not order.opportunity_id:
                order._check_may_detach(was["opportunity"].exists())

    def _check_may_detach(self, opportunity):
        """Keep an order under the rules of its opportunity: strict credit, and no order while that is lost.

        :param opportunity: the one that the order was for; empty where it has been deleted
        :raise UserError: for anybody but a Sales Administrator
        """
        if not opportunity:
            return
        if not self.env.user.has_group("sales_team.group_sale_manager"):
            raise UserError(
                self.env._(
                    "%(order)s belongs to opportunity '%(lead)s' and cannot be removed from it. Link it to another "
                    "opportunity, or ask a Sales Administrator to remove it.",
                    order=self.name,
                    lead=opportunity.name,
                )
            )
        self._log_step(self.env._("Removed from opportunity '%s'", opportunity.name))

    def _check_takes_orders(self, opportunities):
        """Refuse to link anything new to a closed opportunity.

        :param opportunities: the ones that the order is being linked to
        :raise UserError: when one of them is won or lost
        """
        closed = opportunities.filtered(lambda lead: lead._is_closed())
        if closed and not closed._is_being_merged():
            closed.sudo(False).check_access("read")  # or the message would tell of them
            raise UserError(
                self.env._(
                    "'%(lead)s' is %(status)s, so no quotation, order or contract can be made for it: reopen the "
                    "opportunity first.",
                    lead=closed[0].name,
                    status=closed[0]._get_won_status_label(),
                )
            )

    def _refuse_by_opportunity(self, operation):
        lead = self.opportunity_id
        is_offering = operation == "confirm" or self.state != "sale"
        stopped = ("send", "approve", "sign", "pay", "confirm") if is_offering else ()
        if not (operation in stopped and lead.won_status == "lost") and not (
            operation == "contract" and lead._is_closed()
        ):
            return []
        return [
            self.env._(
                "Its opportunity '%(lead)s' is %(status)s: reopen that first.",
                lead=lead.name,
                status=lead._get_won_status_label(),
            )
        ]
