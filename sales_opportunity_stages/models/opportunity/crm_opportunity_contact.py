from odoo import fields, models


class CrmOpportunityContact(models.Model):
    """Somebody on the customer's side, and the part they play in this opportunity."""

    _name = "crm.opportunity.contact"
    _description = "Opportunity Contact"
    _inherit = ["crm.opportunity.part.mixin"]
    _order = "lead_id, role, id"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner", "Contact", required=True, index=True, ondelete="restrict", check_company=True
    )
    role = fields.Selection(
        [
            ("decision", "Decision maker"),
            ("influencer", "Influencer"),
            ("user", "User"),
            ("technical", "Technical"),
            ("finance", "Finance"),
            ("other", "Other"),
        ],
        required=True,
        default="other",
    )
    email = fields.Char(related="partner_id.email")
    phone = fields.Char(related="partner_id.phone")
    function = fields.Char(related="partner_id.function")
    note = fields.Char()

    _unique_contact = models.UniqueIndex("(lead_id, partner_id)", "This contact is already on the opportunity.")
