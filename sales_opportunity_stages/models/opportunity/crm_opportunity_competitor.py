from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmOpportunityCompetitor(models.Model):
    """A competitor in this opportunity: what they offer, at what price, and where they are strong and weak."""

    _name = "crm.opportunity.competitor"
    _description = "Opportunity Competitor"
    _inherit = ["crm.opportunity.part.mixin"]
    _order = "lead_id, threat desc, id"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner",
        "Competitor",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        domain="[('is_competitor', '=', True)]",
        context={"default_is_competitor": True, "default_is_company": True},
    )
    competing_product_id = fields.Many2one(
        "crm.competing.product",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('partner_id', '=', partner_id)]",
    )
    currency_id = fields.Many2one("res.currency", related="lead_id.company_currency")
    price = fields.Monetary("Their Price", help="What they ask for in this opportunity.")
    threat = fields.Selection([("1", "Low"), ("2", "Moderate"), ("3", "High")], default="2", required=True)
    strengths = fields.Text()
    weaknesses = fields.Text()

    _check_price = models.Constraint("CHECK(price >= 0)", "The price of a competitor cannot be negative.")

    @api.constrains("partner_id", "lead_id")
    def _check_is_not_the_customer(self):
        for competitor in self:
            lead = competitor.lead_id
            company = competitor.partner_id.commercial_partner_id
            if lead.partner_id and company == lead.partner_id.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "%(partner)s is the customer of '%(lead)s' and cannot be a competitor in it.",
                        partner=company.name,
                        lead=lead.name,
                    )
                )
