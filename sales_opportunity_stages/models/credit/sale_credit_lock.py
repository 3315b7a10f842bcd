from odoo import api, fields, models
from odoo.tools import SQL


class SaleCreditLock(models.Model):
    """A row for each credit unit, which everything that uses its credit updates.

    Under Odoo's isolation a transaction does not see what another has committed since it began, locked or not. Updating
    the same row makes the second one fail to serialize, and Odoo runs it again on a fresh snapshot. It is a row of its
    own so that nothing else that is written to the partner collides with it, and different units never wait for each
    other.
    """

    _name = "sale.credit.lock"
    _description = "Credit in Use"
    _log_access = False

    unit_id = fields.Many2one("res.partner", required=True, ondelete="cascade")
    version = fields.Integer(default=0)

    _one_per_unit = models.UniqueIndex("(unit_id)")

    @api.model
    def _take(self):
        """The statement that makes its transaction the only one to use the credit of ``unit_ids`` until it ends.

        It fails to serialize when somebody else has used it since. Everybody takes units in one order, so that nobody
        waits in a circle.
        """
        return SQL(
            """
            INSERT INTO sale_credit_lock (unit_id, version)
                 SELECT DISTINCT id, 1 FROM UNNEST(unit_ids) id ORDER BY id
            ON CONFLICT (unit_id) DO UPDATE SET version = sale_credit_lock.version + 1
            """
        )
