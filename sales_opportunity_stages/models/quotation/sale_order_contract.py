from odoo import models
from odoo.tools import format_list


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

    def _refuse_by_contract(self, operation):
        if operation not in ("confirm", "contract", "close", "unapprove"):
            return []
        contracts = self._get_followup_contracts()
        if not contracts:
            return []
        names = format_list(self.env, [contract.display_name for contract in contracts])
        return [self.env._("A contract was made from it, cancel that first: %s.", names)]
