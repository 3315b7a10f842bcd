from odoo import api, models

FAMILY = "sales_opportunity_stages"


class SalesInternalFieldsMixin(models.AbstractModel):
    """A model of Odoo's that customers may read over RPC: what the add-on and its bridges keep there is for employees.

    ``groups`` on each field would say the same, and warn of every view that looks at one.
    """

    _name = "sales.internal.fields.mixin"
    _description = "Model with Fields for Employees Alone"

    @api.model
    def _is_internal_field(self, field):
        """Whether a field is for employees alone. Extend it with others."""
        return bool(field._modules) and all(module.startswith(FAMILY) for module in field._modules)

    def _has_field_access(self, field, operation):
        allowed = super()._has_field_access(field, operation)
        return allowed and (self.env.su or self.env.user._is_internal() or not self._is_internal_field(field))
