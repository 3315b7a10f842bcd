from odoo import models
from odoo.api import SUPERUSER_ID


class SaleOrder(models.Model):
    """Four-eyes (四眼原则): who may not decide on a quotation. It is asked for here and nowhere else."""

    _inherit = "sale.order"

    def _get_barred_users(self):
        """Return the users who may decide neither themselves nor by a deputy: see :meth:`_get_involved_users`.

        The system's own user is no person: what it has made, such as an order of the website, anybody may approve.
        """
        self.ensure_one()
        if not self.company_id.quotation_approval_four_eyes:
            return self.env["res.users"]
        return self._get_involved_users().filtered(lambda user: user.id != SUPERUSER_ID)

    def _find_deciders(self, approvers):
        """Return those of some approvers who may decide, and their deputies of today who may.

        :param approvers: users whom rules or steps name
        """
        barred, involved = self._get_barred_users(), self._get_involved_users()
        allowed = approvers.filtered(lambda user: user.active) - barred
        deputies = allowed.browse().union(*allowed._get_active_deputies().values())
        return allowed | (deputies - involved).filtered(lambda user: self.company_id in user.company_ids)
