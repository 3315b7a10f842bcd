from odoo import api, fields, models
from odoo.exceptions import ValidationError

MAX_KEY_FIELDS = 5


class CrmStage(models.Model):
    """Guidance: what the salesperson reads and fills in while an opportunity is in the stage."""

    _inherit = "crm.stage"

    guidance = fields.Html(
        translate=True, help="Advice and links, shown above the checklist of opportunities in this stage."
    )
    key_field_ids = fields.Many2many(
        "ir.model.fields",
        "crm_stage_key_field_rel",
        "stage_id",
        "field_id",
        string="Key Fields",
        groups="sales_team.group_sale_manager",
        domain="[('model', '=', 'crm.lead'), ('ttype', 'not in', ('one2many', 'binary', 'json', 'properties'))]",
        help="Up to five fields of the opportunity that matter in this stage. They are edited beside the guidance.",
    )

    @api.constrains("key_field_ids")
    def _check_key_fields(self):
        for stage in self:
            # sudo: fields are read by their names alone
            key_fields = stage.sudo().key_field_ids
            if len(key_fields) > MAX_KEY_FIELDS:
                raise ValidationError(
                    self.env._(
                        "Stage '%(stage)s' has more than %(count)s key fields. Remove some.",
                        stage=stage.name,
                        count=MAX_KEY_FIELDS,
                    )
                )
            if any(field.model != "crm.lead" for field in key_fields):
                raise ValidationError(
                    self.env._("The key fields of stage '%s' must be fields of the opportunity.", stage.name)
                )

    def write(self, vals):
        result = super().write(vals)
        if "key_field_ids" in vals:
            self.env.registry.clear_cache()
            self.env.registry.clear_cache("templates")
        return result

    def _to_stage_map(self):
        # sudo: fields are read by their names alone
        return super()._to_stage_map()._replace(key_fields=tuple(self.sudo().key_field_ids.mapped("name")))
