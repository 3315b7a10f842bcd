from odoo import api, models


class SalesDialogLineMixin(models.AbstractModel):
    """A line of a dialog that tells of a record, such as an opportunity: only to users who may read that record.

    Anybody may make a line over RPC, and what it shows is partly read in superuser mode.
    """

    _name = "sales.dialog.line.mixin"
    _description = "Line of a Dialog"
    _told_field = None
    """Name of the many2one to the record that the line tells of."""

    @api.model_create_multi
    def create(self, vals_list):
        """:raise AccessError: for a record that the user may not read"""
        lines = super().create(vals_list)
        lines[self._told_field].check_access("read")
        return lines

    def write(self, vals):
        """:raise AccessError: as :meth:`create`"""
        if record_id := vals.get(self._told_field):
            self[self._told_field].browse(record_id).check_access("read")
        return super().write(vals)
