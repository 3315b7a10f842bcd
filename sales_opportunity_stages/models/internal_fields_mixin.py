from odoo import api, models

FAMILY = "sales_opportunity_stages"


class SalesInternalFieldsMixin(models.AbstractModel):
    """A model of Odoo's that customers may read over RPC: what the add-on and its bridges keep there is for employees.

    ``groups`` on each field would say the same, and warn of every view that looks at one.
    """

    _name = "sales.internal.fields.mixin"
    _description = "Model with Fields for Employees Alone"

    # Of the model, worked out when the registry is set up: access is asked for at every value that is read.
    _internal_fields = frozenset()

    @api.model
    def _is_internal_field(self, field):
        """Whether a field is for employees alone. Extend it with others; asked once, when the registry is set up."""
        return bool(field._modules) and all(module.startswith(FAMILY) for module in field._modules)

    def _post_model_setup__(self):
        type(self)._internal_fields = frozenset(filter(self._is_internal_field, self._fields.values()))
        return super()._post_model_setup__()

    def _has_field_access(self, field, operation):
        if field in self._internal_fields and not self.env.su and self.env.user.share:
            return False
        return super()._has_field_access(field, operation)
