from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Orders and limits do not go to another company's credit by being merged: as by a change of company.

        :raise AccessError: for anybody but accountants and credit managers
        """
        partners = self.env["res.partner"].browse(partner_ids).exists()
        if len(partners.commercial_partner_id) > 1 and not partners._may_write_credit():
            # sudo: fields that the user may not read are compared
            for partner in partners.sudo():
                partner._check_carries_no_credit(partner.commercial_partner_id, partner._get_granted_credit(partner))
        return super()._merge(partner_ids, dst_partner=dst_partner, extra_checks=extra_checks)
