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

    requires_lost_reason = fields.Boolean(compute="_compute_requirements")
    requires_lost_to = fields.Boolean(compute="_compute_requirements")
    requires_competitor = fields.Boolean(compute="_compute_requirements")
    new_competitor_ids = fields.Many2many(
        "res.partner",
        "crm_lead_lost_competitor_rel",
        string="Add Competitors",
        domain="[('is_competitor', '=', True)]",
        help="Competitors to name on the opportunities.",
    )

    @api.depends("lead_ids")
    def _compute_requirements(self):
        """Tell what the types of the opportunities require on losing."""
        for wizard in self:
            leads = wizard.lead_ids._origin.filtered(lambda lead: lead.type == "opportunity")
            wizard.requires_lost_reason = any(lead._requires("require_lost_reason") for lead in leads)
            wizard.requires_lost_to = any(lead._requires("require_lost_to") for lead in leads)
            wizard.requires_competitor = any(
                lead._requires("require_competitor") and not lead.opportunity_competitor_ids for lead in leads
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
        """Lose and say to whom, as one change: the type may require it."""
        # the block is the opportunities' own, also of those that are archived already
        with self.lead_ids._change():
            self._add_competitors()
            result = super().action_lost_reason_apply()
            if self.lost_to_id:
                self.lead_ids.write({"lost_to_id": self.lost_to_id.id})
        return result

    def _add_competitors(self):
        for lead in self.lead_ids if self.new_competitor_ids else ():
            for partner in self.new_competitor_ids - lead.opportunity_competitor_ids.partner_id:
                lead.write({"opportunity_competitor_ids": [fields.Command.create({"partner_id": partner.id})]})
