from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Note in the ledgers that their rows are of another partner now: they are sealed again."""
        Seal = self.env["sales.ledger.seal"]
        rows = Seal._get_rows_of(self.env["res.partner"].browse(partner_ids))
        result = super()._merge(partner_ids, dst_partner=dst_partner, extra_checks=extra_checks)
        for records in rows:
            records.invalidate_recordset()
            Seal._note_amended(records)
        return result
