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
        cls = type(self)
        cls._internal_fields = frozenset(
            field.name for field in self._fields.values() if self._is_internal_field(field)
        )
        # What super() finds, which would look through all of the model's classes for it each time.
        cls._has_field_access_besides = super(SalesInternalFieldsMixin, cls)._has_field_access
        return super()._post_model_setup__()

    def _has_field_access(self, field, operation):
        if field.name in self._internal_fields and not self.env.su and self.env.user.share:
            return False
        return self._has_field_access_besides(field, operation)
