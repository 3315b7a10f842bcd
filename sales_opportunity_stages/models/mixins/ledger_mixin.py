from odoo import api, models
from odoo.exceptions import AccessError

from ...tools import LedgerWrite


class SalesLedgerMixin(models.AbstractModel):
    """Rows that only the server's own code may write, such as an audit trail.

    Access rights alone are not enough: ``sudo()`` in a server action or in another module passes them. Writing takes
    a :class:`LedgerWrite` of this model, which does not arrive by RPC.
    """

    _name = "sales.ledger.mixin"
    _description = "Rows written by the system only"

    _is_sealed = False
    """Whether the rows are sealed every night: see ``sales.ledger.seal``."""

    @api.model
    def _is_sealed_ledger(self):
        """Check whether the rows of this ledger are sealed: where it says so, and the steps of approvals."""
        return self._is_sealed or self._name == "sale.order.approval"

    def _as_ledger(self):
        """Return the same records in superuser mode, free to be written. Never return them to a caller."""
        # sudo: nobody has write access to a ledger
        return LedgerWrite(self._name).on(self.sudo())

    def _check_ledger_access(self):
        if LedgerWrite.of(self) != LedgerWrite(self._name) or not self.env.su:
            raise AccessError(
                self.env._(
                    "The rows of '%(model)s' are written by the system alone: they cannot be created, changed or "
                    "deleted.",
                    model=self.env["ir.model"]._get(self._name).name,
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        self._check_ledger_access()
        return super().create(vals_list)

    def write(self, vals):
        self._check_ledger_access()
        result = super().write(vals)
        if self._is_sealed_ledger():
            self.env["sales.ledger.seal"]._note_amended(self)
        return result

    def unlink(self):
        self._check_ledger_access()
        if self._is_sealed_ledger():
            self.env["sales.ledger.seal"]._note_amended(self, removed=True)
        return super().unlink()
