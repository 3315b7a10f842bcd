from odoo import api, fields, models


class CrmLeadLost(models.TransientModel):
    """Losing may say to whom, for one opportunity and for many."""

    _inherit = "crm.lead.lost"

    competitor_ids = fields.Many2many("res.partner", compute="_compute_competitor_ids")
    lost_to_id = fields.Many2one("res.partner", domain="[('is_competitor', '=', True)]")

    @api.depends("lead_ids")
    def _compute_competitor_ids(self):
        for wizard in self:
            wizard.competitor_ids = wizard.lead_ids.opportunity_competitor_ids.partner_id

    def action_lost_reason_apply(self):
        result = super().action_lost_reason_apply()
        if self.lost_to_id:
            self.lead_ids.write({"lost_to_id": self.lost_to_id.id})
        return result
