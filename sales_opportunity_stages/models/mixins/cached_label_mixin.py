from odoo import models


class SalesCachedLabelMixin(models.AbstractModel):
    """A model whose names are kept in the registry's cache, by ``crm.opportunity.type._get_labels()``."""

    _name = "sales.cached.label.mixin"
    _description = "Record Whose Name Is Cached"

    def write(self, vals):
        result = super().write(vals)
        if "name" in vals:
            self.env.registry.clear_cache()
        return result

    def _update_field_translations(self, field_name, *args, **kwargs):
        result = super()._update_field_translations(field_name, *args, **kwargs)
        if field_name == "name":
            self.env.registry.clear_cache()
        return result
