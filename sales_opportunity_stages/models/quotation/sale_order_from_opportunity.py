from odoo import models


class SaleOrder(models.Model):
    """Product lines of opportunities, appended to a quotation (参照生单)."""

    _inherit = "sale.order"

    def action_add_from_opportunity(self):
        """Choose among the open opportunities of the customer what to append.

        :raise UserError: when the order is not a quotation any more
        :returns: the dialog
        """
        self.ensure_one()
        self.check_access("write")
        self._check_allowed("append")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sales_opportunity_stages.crm_opportunity_generate_action"
        )
        action["name"] = self.env._("Add from Opportunity")
        action["context"] = {"default_order_id": self.id}
        return action

    def _get_addable_opportunities(self):
        """The customer's open opportunities that the user may read, whichever contact or address they name."""
        return self.env["crm.lead"].search(
            [
                ("type", "=", "opportunity"),
                ("won_status", "=", "pending"),
                ("partner_id.commercial_partner_id", "=", self.partner_id.commercial_partner_id.id),
                ("company_id", "in", [self.company_id.id, False]),
            ]
        )

    def _add_opportunity_lines(self, quantities):
        """Append product lines of opportunities, linked to them.

        :param dict quantities: ``{crm.opportunity.line: quantity in the unit of the line}``
        """
        self.ensure_one()
        sequence = max(self.order_line.mapped("sequence"), default=9)
        vals_list = [
            {"order_id": self.id, "sequence": sequence + index, **line._prepare_order_line_values(self, quantity)}
            for index, (line, quantity) in enumerate(quantities.items(), start=1)
        ]
        return self.env["sale.order.line"].create(vals_list)
