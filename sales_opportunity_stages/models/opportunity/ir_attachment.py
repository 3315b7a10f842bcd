from odoo import api, models


class IrAttachment(models.Model):
    """A document of an opportunity may be what its stage requires."""

    _inherit = "ir.attachment"

    @api.model_create_multi
    def create(self, vals_list):
        attachments = super().create(vals_list)
        attachments._tell_opportunities()
        return attachments

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"name", "description", "res_model", "res_id"}:
            self._tell_opportunities()
        return result

    def unlink(self):
        lead_ids = self._get_opportunity_ids()
        result = super().unlink()
        if lead_ids:
            self.env["crm.lead"]._forget_stage_checklist()
        return result

    def _tell_opportunities(self):
        """Promote the opportunities that a document has made ready."""
        lead_ids = self._get_opportunity_ids()
        if lead_ids:
            # sudo: rules hold for everybody alike
            self.env["crm.lead"].sudo().browse(lead_ids).exists()._requirements_changed()

    def _get_opportunity_ids(self):
        """Return the ids of the opportunities that these documents belong to, where any stage requires a document."""
        if not any(attachment.res_model == "crm.lead" for attachment in self.sudo()):  # sudo: only their model is read
            return []
        if "document" not in self.env["crm.opportunity.type"]._get_stage_map().rule_kinds:
            return []
        # sudo: only the opportunity is read
        return sorted({document.res_id for document in self.sudo() if document.res_model == "crm.lead"} - {0})
