from odoo import api, fields, models


class CrmLead2OpportunityPartner(models.TransientModel):
    """Converting offers the type, for one lead and in mass (the mass dialog inherits from this one)."""

    _inherit = "crm.lead2opportunity.partner"

    opportunity_type_id = fields.Many2one(
        "crm.opportunity.type",
        compute="_compute_opportunity_type_id",
        store=True,
        readonly=False,
        compute_sudo=False,
        help="Blank: the default of each lead's team, else the company's first.",
    )

    @api.depends("team_id")
    def _compute_opportunity_type_id(self):
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        for wizard in self:
            team = wizard.team_id
            company_id = wizard.lead_id.company_id.id or team.company_id.id
            # sudo: the default counts for those too who may not read the team
            wizard.opportunity_type_id = stage_map.default_type(company_id, team.sudo().opportunity_type_id.id)

    def _convert_and_allocate(self, leads, user_ids, team_id=False):
        leads = leads.with_context(convert_opportunity_type_id=self.opportunity_type_id.id)
        with leads._change():
            return super()._convert_and_allocate(leads, user_ids, team_id=team_id)
