from odoo import models


class CrmLead(models.Model):
    """Quotations and orders made from an opportunity (相关对象中新建)."""

    _inherit = "crm.lead"

    def _is_closed(self):
        """Whether it is won or lost: nothing new is made for it then. False without a record."""
        return self.won_status in ("won", "lost")

    def _get_won_status_label(self):
        return dict(self._fields["won_status"]._description_selection(self.env)).get(self.won_status, "")

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_new_quotation(self):
        """Offer the product lines where there are any; else Odoo's own form opens."""
        self.ensure_one()
        self.env["sale.order"]._check_takes_orders(self)
        if not self.opportunity_line_ids:
            return super().action_new_quotation()
        document = "order" if self.env.context.get("opportunity_document") == "order" else "quotation"
        return self._get_generate_action(document)

    def action_new_order(self):
        """Make an order and confirm it in one step. Asks for the customer first where there is none.

        :returns: an action
        """
        action = self.with_context(opportunity_document="order").action_sale_quotations_new()
        if action.get("res_model") == "crm.quotation.partner":
            action["context"] = {"active_model": self._name, "active_id": self.id, "opportunity_document": "order"}
        return action

    def _get_generate_action(self, document):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sales_opportunity_stages.crm_opportunity_generate_action"
        )
        action["context"] = {"default_lead_id": self.id, "default_document": document}
        if document == "order":
            action["name"] = self.env._("Order from Opportunity")
        return action

    def action_view_sale_quotation(self):
        """Odoo's list, without the closed ones at first."""
        action = super().action_view_sale_quotation()
        action["context"]["search_default_not_closed"] = 1
        return action

    def _get_lead_quotation_domain(self):
        """A closed quotation is none that counts."""
        return [*super()._get_lead_quotation_domain(), ("approval_state", "!=", "closed")]

    # ------------------------------------------------------------
    # Making them
    # ------------------------------------------------------------

    def _prepare_quotation_values(self):
        """The header of a quotation for this opportunity: what Odoo's own form would start with.

        A collaborator who may not make one in the salesperson's name makes their own, and the salesperson
        collaborates. Override it to carry another field over.
        """
        values = {
            key.removeprefix("default_"): value
            for key, value in self._prepare_opportunity_quotation_context().items()
            if key.startswith("default_")
        }
        people = self.collaborator_ids
        if self.user_id and self.user_id != self.env.user and not self._may_assign():
            values["user_id"] = self.env.uid
            people += self.user_id
        return values | {"collaborator_ids": (people - self.env.user).ids}

    def _create_quotation(self, quantities):
        """Make a quotation of some product lines.

        :param dict quantities: ``{crm.opportunity.line: quantity in the unit of the line}``
        :raise UserError: when the opportunity is closed, or has no customer
        :returns: the new ``sale.order``
        """
        self.ensure_one()
        order = self.env["sale.order"].create(self._prepare_quotation_values())
        order._add_opportunity_lines(quantities)
        return order
