from odoo import api, fields, models


class CrmLead(models.Model):
    """The product lines of an opportunity, and the expected revenue that follows from them."""

    _inherit = "crm.lead"

    opportunity_line_ids = fields.One2many("crm.opportunity.line", "lead_id", string="Product Lines", copy=True)
    expected_revenue = fields.Monetary(compute="_compute_expected_revenue", store=True, readonly=False)
    has_missing_prices = fields.Boolean(
        compute="_compute_has_missing_prices",
        help="A product line is not quoted yet, and its product has a reference price.",
    )

    @api.depends("opportunity_line_ids.price_subtotal")
    def _compute_expected_revenue(self):
        """The sum of the lines while there are any; without lines it is whatever somebody has put in."""
        for lead in self:
            if lead.opportunity_line_ids:
                lead.expected_revenue = sum(lead.opportunity_line_ids.mapped("price_subtotal"))
            else:
                lead.expected_revenue = lead.expected_revenue or 0.0

    @api.depends("opportunity_line_ids.price_unit", "opportunity_line_ids.reference_price")
    def _compute_has_missing_prices(self):
        for lead in self:
            lead.has_missing_prices = bool(lead.opportunity_line_ids._filter_missing_price())

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        with_lines = [lead.id for lead, vals in zip(leads, vals_list, strict=True) if vals.get("opportunity_line_ids")]
        self.browse(with_lines)._give_way_to_lines()
        return leads

    def write(self, vals):
        result = super().write(vals)
        if "expected_revenue" in vals:
            self._give_way_to_lines()
        return result

    def _give_way_to_lines(self):
        """A revenue written against the lines is not kept."""
        # sudo: the sum is that of all lines
        with_lines = self.sudo().filtered("opportunity_line_ids")
        self.env.add_to_compute(self._fields["expected_revenue"], with_lines)

    def _update_revenues_from_so(self, order):
        """Confirming an order raises the revenue in Odoo; where there are lines, they say what it is."""
        return super(CrmLead, self.filtered(lambda lead: not lead.opportunity_line_ids))._update_revenues_from_so(order)

    def action_take_reference_prices(self):
        """Quote the reference price on every line that is not quoted yet."""
        self.opportunity_line_ids._filter_missing_price().action_take_reference_price()
        return True

    def _merge_dependences(self, opportunities):
        """The lines of the others are lines of the head now."""
        result = super()._merge_dependences(opportunities)
        # sudo: all lines go to the head, those out of the user's sight too
        opportunities.sudo().opportunity_line_ids.write({"lead_id": self.id})
        return result
