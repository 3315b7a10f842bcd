from lxml import etree

from odoo import api, fields, models


class CrmLead(models.Model):
    """Guidance: the advice of the stage and its key fields, in the form of the opportunity."""

    _inherit = "crm.lead"

    stage_guidance = fields.Html(related="stage_id.guidance", string="Guidance", related_sudo=True)
    has_guidance = fields.Boolean(compute="_compute_has_guidance")

    @api.depends("stage_id")
    def _compute_has_guidance(self):
        """Tell whether the stage has advice or key fields."""
        key_stages = self._get_key_field_stages()
        stages = {stage_id for stage_ids in key_stages.values() for stage_id in stage_ids}
        for lead in self:
            lead.has_guidance = lead.stage_id.id in stages or bool(lead.stage_guidance)

    @api.model
    def _get_key_field_stages(self):
        """Return ``{name of a field: ids of the stages that it is a key field of}``."""
        stages = {}
        for stage in self.env["crm.opportunity.type"]._get_stage_map().stages.values():
            for name in stage.key_fields:
                if name in self._fields:
                    stages.setdefault(name, []).append(stage.id)
        return stages

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        if view_type != "form":
            return key
        return (*key, tuple((name, *stage_ids) for name, stage_ids in self._get_key_field_stages().items()))

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Add the key fields of all stages to the panel of the form; each shows in its stages alone.

        They are fields of the form as any other, so the rights and groups of each field hold.
        """
        arch, view = super()._get_view(view_id, view_type, **options)
        panel = arch.find(".//group[@name='stage_key_fields']") if view_type == "form" else None
        if panel is not None:
            for name, stage_ids in self._get_key_field_stages().items():
                panel.append(self._make_key_field(name, stage_ids))
        return arch, view

    @api.model
    def _make_key_field(self, name, stage_ids):
        attributes = {"name": name, "invisible": f"stage_id not in {sorted(stage_ids)}"}
        if self._fields[name].type == "many2many":
            attributes["widget"] = "many2many_tags"
        return etree.Element("field", attributes)
