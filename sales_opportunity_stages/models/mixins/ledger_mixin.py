from odoo import api, models
from odoo.exceptions import AccessError

_TOKEN = object()
_CONTEXT_KEY = "sales_ledger_token"


class SalesLedgerMixin(models.AbstractModel):
    """Rows that only the server's own code may write, such as an audit trail.

    Access rights alone do not do: ``sudo()`` in a server action or in another module passes them.
    Writing takes an object that lives in this module, and objects do not arrive by RPC.
    """

    _name = "sales.ledger.mixin"
    _description = "Rows written by the system only"

    def _as_ledger(self):
        """The same records in superuser mode, free to be written. Never return them to a caller."""
        # sudo: nobody has write access to a ledger
        return self.sudo().with_context(**{_CONTEXT_KEY: _TOKEN})

    def _check_ledger_access(self):
        if self.env.context.get(_CONTEXT_KEY) is not _TOKEN or not self.env.su:
            raise AccessError(
                self.env._(
                    "The rows of '%(model)s' are written by the system alone: they cannot be created, changed or "
                    "deleted.",
                    model=self._description,
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        self._check_ledger_access()
        return super().create(vals_list)

    def write(self, vals):
        self._check_ledger_access()
        return super().write(vals)

    def unlink(self):
        self._check_ledger_access()
        return super().unlink()
