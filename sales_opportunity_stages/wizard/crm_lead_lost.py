from odoo import api, fields, models


class CrmLeadLost(models.TransientModel):
    """Losing may say to whom, for one opportunity and for many."""

    _inherit = "crm.lead.lost"

    competitor_ids = fields.Many2many("res.partner", compute="_compute_competitor_ids")
    lost_to_id = fields.Many2one(
        "res.partner",
        compute="_compute_lost_to_id",
        store=True,
        readonly=False,
        domain="[('is_competitor', '=', True)]",
    )

    @api.depends("lead_ids")
    def _compute_competitor_ids(self):
        for wizard in self:
            wizard.competitor_ids = wizard.lead_ids.opportunity_competitor_ids.partner_id

    @api.depends("lead_ids")
    def _compute_lost_to_id(self):
        """Propose the competitor that every one of the opportunities names, if each names just this one."""
        for wizard in self:
            named = [lead.opportunity_competitor_ids.partner_id for lead in wizard.lead_ids]
            only = named and all(partners == named[0] for partners in named) and len(named[0]) == 1
            wizard.lost_to_id = named[0]._origin if only else wizard.lost_to_id

    def action_lost_reason_apply(self):
        result = super().action_lost_reason_apply()
        if self.lost_to_id:
            self.lead_ids.write({"lost_to_id": self.lost_to_id.id})
        return result
