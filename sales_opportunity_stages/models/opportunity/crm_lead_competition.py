from odoo import api, fields, models


class CrmLead(models.Model):
    """Contacts, competitors, and whom an opportunity was lost to (丢单对象)."""

    _inherit = "crm.lead"

    opportunity_contact_ids = fields.One2many("crm.opportunity.contact", "lead_id", string="Contacts", copy=True)
    opportunity_competitor_ids = fields.One2many(
        "crm.opportunity.competitor", "lead_id", string="Competitors", copy=False
    )
    lost_to_id = fields.Many2one(
        "res.partner",
        index="btree_not_null",
        tracking=True,
        copy=False,
        ondelete="restrict",
        check_company=True,
        domain="[('is_competitor', '=', True)]",
        help="The competitor who won it.",
    )

    @api.constrains("partner_id")
    def _check_customer_is_no_competitor(self):
        # sudo: a check does not depend on what the user may read
        self.sudo().opportunity_competitor_ids._check_is_not_the_customer()

    def _clear_loss_of_reopened(self, change):
        """Clear the competitor and the reason of opportunities that are not lost any more."""
        reopened = self.filtered(
            lambda lead: (
                lead.lost_to_id
                and lead.won_status != "lost"
                and lead.id in change.marks["stage"]
                and lead.id not in change.marks["lost_to"]
            )
        )
        if reopened:
            reopened.write({"lost_to_id": False, "lost_reason_id": False})

    @api.model
    def _get_marks_of_write(self, vals):
        """``lost_to``: the same write says whom the opportunity was lost to, as the dialog does before it is lost."""
        return [*super()._get_marks_of_write(vals), *(["lost_to"] if "lost_to_id" in vals else [])]

    def _merge_get_fields(self):
        return [*super()._merge_get_fields(), "lost_to_id"]

    def _merge_get_fields_specific(self):
        specific = super()._merge_get_fields_specific()
        specific["lost_to_id"] = lambda fname, leads: leads._get_merge_head().lost_to_id.id
        return specific

    def _merge_dependences(self, opportunities):
        """Contacts and competitors of the others are the head's now; a contact that it has already goes."""
        result = super()._merge_dependences(opportunities)
        # sudo: all parts go to the head, those out of the user's sight too
        opportunities.sudo().opportunity_competitor_ids.write({"lead_id": self.id})
        known = self.sudo().opportunity_contact_ids.partner_id
        for contact in opportunities.sudo().opportunity_contact_ids:
            if contact.partner_id in known:
                contact.unlink()
            else:
                known |= contact.partner_id
                contact.lead_id = self
        return result
