from odoo import api, models
from odoo.exceptions import AccessError

from ...tools import DerivedValues


class SalesSystemFieldsMixin(models.AbstractModel):
    """Fields on an otherwise writable model that only the server's own code may set.

    ``readonly`` is a matter of views: a client can write such a field all the same. A model that inherits this calls
    :meth:`_check_system_fields` from its ``create`` and ``write``, and stores with :meth:`_write_derived`.
    """

    _name = "sales.system.fields.mixin"
    _description = "Fields written by the system only"

    @api.model
    def _get_system_fields(self):
        """Return the names of the fields that only the add-on's own code may write. Extend it to protect others."""
        return set()

    @api.model
    def _get_derived_fields(self):
        """Return the names of stored computed fields that rules use: no client writes them, though Odoo would let it.

        Code that runs as superuser may. Extend it with what another rule uses.
        """
        return set()

    def _write_derived(self, vals):
        """Store what the add-on has decided, without checking or logging it as somebody's own change."""
        # base_tier_validation of OCA refuses writes while a review is open: this is how its own code passes
        records = self.with_context(skip_validation_check=True)
        DerivedValues(self._name, frozenset(self.ids), dict(vals)).on(records).write(vals)

    @api.model
    def _get_checked_fields(self):
        """Return the fields that make an announced write an ordinary one when they come along unannounced."""
        return self._get_system_fields()

    def _is_derived_write(self, vals):
        """Return whether this write comes from :meth:`_write_derived`, with nothing else that would be checked."""
        derived = DerivedValues.of(self)
        return bool(derived) and derived.matches(self, vals, self._get_checked_fields())

    def _check_system_fields(self, vals):
        """Refuse what a client may not write; drop it where it is blank, as a form may send it.

        :raise AccessError: when ``vals`` sets one of :meth:`_get_system_fields`
        """
        kept = self._get_system_fields()
        if not self.env.su:
            kept = kept | self._get_derived_fields()
        forged = kept & vals.keys()
        if any(vals[name] for name in forged):
            raise AccessError(
                self.env._(
                    "%(fields)s of '%(model)s' is kept by the system and cannot be written.",
                    fields=", ".join(sorted(self._fields[name]._description_string(self.env) for name in forged)),
                    model=self.env["ir.model"]._get(self._name).name,
                )
            )
        for name in forged:
            del vals[name]

    def _without_system_defaults(self):
        """The same model with a context that gives none of these fields a default."""
        forged = {f"default_{name}" for name in self._get_system_fields()} & self.env.context.keys()
        if not forged:
            return self
        context = {key: value for key, value in self.env.context.items() if key not in forged}
        return self.with_context(context)  # pylint: disable=context-overridden
