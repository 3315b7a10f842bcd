from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmOpportunityPartMixin(models.AbstractModel):
    """What belongs to one opportunity and is worked on with it: product lines, contacts, competitors.

    A condition of a stage may look at it, so the opportunity hears of every change. Access follows the opportunity: the
    record rules say so for reading and writing, and :meth:`write` for moving a part to another opportunity.
    """

    _name = "crm.opportunity.part.mixin"
    _description = "Part of an Opportunity"

    lead_id = fields.Many2one("crm.lead", "Opportunity", required=True, index=True, ondelete="cascade")

    @api.constrains("lead_id")
    def _check_lead_is_opportunity(self):
        for part in self:
            if part.lead_id.type != "opportunity":
                raise ValidationError(
                    self.env._(
                        "'%(lead)s' is a lead: convert it before adding anything under %(what)s.",
                        lead=part.lead_id.name,
                        what=self._description,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        parts = super().create(vals_list)
        parts.sudo().lead_id._requirements_changed()
        return parts

    def write(self, vals):
        if vals.get("lead_id"):
            self.env["crm.lead"].browse(vals["lead_id"]).check_access("write")
        leads = self.sudo().lead_id
        result = super().write(vals)
        (leads | self.sudo().lead_id)._requirements_changed()
        return result

    def unlink(self):
        leads = self.sudo().lead_id
        result = super().unlink()
        leads._requirements_changed()
        return result
