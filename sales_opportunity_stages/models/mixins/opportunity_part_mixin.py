from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_list


class CrmOpportunityPartMixin(models.AbstractModel):
    """What belongs to one opportunity and is worked on with it: product lines, contacts, competitors.

    A condition of a stage may look at it, so the opportunity hears of every change. Access follows the opportunity: the
    record rules say so for reading and writing, and :meth:`write` for moving a part to another opportunity.
    """

    _name = "crm.opportunity.part.mixin"
    _description = "Part of an Opportunity"
    _check_company_auto = True

    lead_id = fields.Many2one("crm.lead", "Opportunity", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", related="lead_id.company_id", store=True)

    @api.constrains("lead_id")
    def _check_lead_is_opportunity(self):
        for part in self:
            if part.lead_id.type != "opportunity":
                raise ValidationError(
                    self.env._(
                        "Convert lead '%(lead)s' to an opportunity before adding %(what)s.",
                        lead=part.lead_id.name,
                        what=self._get_part_label(),
                    )
                )

    @api.constrains("lead_id", "company_id")
    def _check_company_of_opportunity(self):
        """An opportunity that changes company, and a part that changes opportunity, leaves nothing of another company.

        :raise ValidationError: naming what has to be taken off first
        """
        # sudo: a check does not depend on what the user may read
        for part in self.sudo():
            foreign = part._get_records_of_other_companies()
            if foreign:
                raise ValidationError(
                    self.env._(
                        "'%(lead)s' cannot belong to %(company)s: in %(what)s, %(records)s belong to another company. "
                        "Remove them first.",
                        lead=part.lead_id.name,
                        company=part.company_id.name or self.env._("no company"),
                        what=self._get_part_label(),
                        records=format_list(self.env, foreign),
                    )
                )

    def _get_part_label(self):
        """Return the name of this model in the user's language."""
        return self.env["ir.model"]._get(self._name).name

    def _get_records_of_other_companies(self):
        """Return the names of what this part points to and its company may not use."""
        related = [self[name] for name, field in self._fields.items() if field.relational and field.check_company]
        return [
            record.display_name
            for record in related
            if record != record.filtered_domain(record._check_company_domain(self.company_id))
        ]

    @api.model_create_multi
    def create(self, vals_list):
        parts = super().create(vals_list)
        # sudo: what the opportunity is waiting for does not depend on who adds it
        parts.sudo().lead_id._requirements_changed()
        return parts

    def write(self, vals):
        if vals.get("lead_id"):
            self.env["crm.lead"].browse(vals["lead_id"]).check_access("write")
        # sudo: the opportunity that it was taken from may be out of the user's sight
        leads = self.sudo().lead_id
        result = super().write(vals)
        (leads | self.sudo().lead_id)._requirements_changed()
        return result

    def unlink(self):
        # sudo: what the opportunity is waiting for does not depend on who takes it off
        leads = self.sudo().lead_id.with_prefetch()  # its own: that of deleted parts would find nothing
        result = super().unlink()
        leads._requirements_changed()
        return result
