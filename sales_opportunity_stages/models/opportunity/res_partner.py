from odoo import api, fields, models
from odoo.fields import Domain


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "sales.internal.fields.mixin"]

    is_competitor = fields.Boolean("Competitor", prefetch=False, help="Can be named as a competitor in opportunities.")
    competing_product_ids = fields.One2many("crm.competing.product", "partner_id", string="Competing Products")

    @api.model
    @api.readonly
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        """Offer the contacts of a customer first, where the context names one as ``contacts_of_partner``."""
        partner_id = self.env.context.get("contacts_of_partner")
        if not isinstance(partner_id, int) or not partner_id:
            return super().name_search(name, domain, operator, limit)
        domain = Domain(domain or Domain.TRUE)
        # sudo: the company of a contact decides the order alone; what is found is searched as the user
        customer = self.browse(partner_id).sudo().exists().commercial_partner_id
        found = super().name_search(name, domain & Domain("id", "child_of", customer.ids), operator, limit)
        if limit and len(found) >= limit:
            return found
        others = domain & Domain("id", "not in", [partner_id for partner_id, _name in found])
        return found + super().name_search(name, others, operator, limit and limit - len(found))
