from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Orders and limits do not go to another company's credit by being merged: as by a change of company.

        A partner that carries its own credit, without terms, takes over the credit unit of what is merged into it.

        :raise AccessError: for anybody but accountants and credit managers
        :raise UserError: when open documents would leave the unit that they count in
        """
        partners = self.env["res.partner"].browse(partner_ids).exists()
        if len(partners.commercial_partner_id) < 2:
            return super()._merge(partner_ids, dst_partner=dst_partner, extra_checks=extra_checks)
        if not partners._may_write_credit():
            # sudo: fields that the user may not read are compared
            for partner in partners.sudo():
                partner._check_carries_no_credit(partner.commercial_partner_id, partner._get_granted_credit(partner))
        destination = dst_partner if dst_partner in partners else self._get_ordered_partner(partners.ids)[-1:]
        # sudo: who carries whose credit counts for everybody
        destination = destination.sudo()
        unit = destination._get_merged_credit_unit(partners.sudo() - destination)
        if destination.credit_unit_id in partners:
            destination.credit_unit_id = False  # it becomes the unit itself
        result = super()._merge(partner_ids, dst_partner=dst_partner, extra_checks=extra_checks)
        destination._settle_merged_credit(unit)
        return result
