from odoo import api, fields, models
from odoo.fields import Domain


class CrmLead(models.Model):
    """The contracts made from the quotations of an opportunity. Where a quotation goes, its contracts follow.

    A condition of a stage may look at ``contract_ids``.
    """

    _inherit = "crm.lead"

    contract_ids = fields.One2many("sale.blanket.order", "opportunity_id", "Contracts", readonly=True)
    contract_count = fields.Integer(compute="_compute_contract_count")

    @api.depends("contract_ids")
    def _compute_contract_count(self):
        for lead in self:
            lead.contract_count = len(lead.contract_ids)

    @api.model
    def _get_counted_lists(self):
        return super()._get_counted_lists() | {"contract_ids": {}}

    def _get_document_domain(self):
        return Domain.OR([super()._get_document_domain(), *self._get_attachment_domains(self.contract_ids)])

    def action_view_contracts(self):
        """The contracts of this opportunity, live and cancelled."""
        self.ensure_one()
        return self.contract_ids._get_records_action(name=self.env._("Contracts"), context={"create": False})
