from odoo import models


class SaleOrder(models.Model):
    """Order or contract, never both: a quotation becomes one of them. There are no contracts in the core; a bridge to
    a module that has them says which, by :meth:`_get_followup_contracts`."""

    _inherit = "sale.order"

    def _get_followup_contracts(self):
        """The live contracts that were made from this quotation, one order at a time.

        A bridge returns its records; they need a ``display_name``. Cancelled and expired ones are not live.

        :returns: a list of records, of any model
        """
        self.ensure_one()
        return []

    def _get_refusals(self, deed):
        refusals = super()._get_refusals(deed)
        if deed == "contract" and self.state not in ("draft", "sent"):
            refusals.append(self.env._("It is not a quotation any more."))
        if deed in ("confirm", "contract", "close", "unapprove") and (contracts := self._get_followup_contracts()):
            refusals.append(
                self.env._(
                    "A contract was made from it, cancel that first: %s.",
                    ", ".join(contract.display_name for contract in contracts),
                )
            )
        return refusals
