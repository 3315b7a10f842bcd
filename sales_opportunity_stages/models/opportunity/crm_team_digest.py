from odoo import api, models


class CrmTeam(models.Model):
    """Who becomes the leader of a team gets the weekly digest of its pipeline."""

    _inherit = "crm.team"

    @api.model_create_multi
    def create(self, vals_list):
        teams = super().create(vals_list)
        self.env["digest.digest"]._subscribe_team_leaders(teams)
        return teams

    def write(self, vals):
        newly_led = self.filtered(lambda team: team.user_id.id != vals["user_id"]) if vals.get("user_id") else self[:0]
        result = super().write(vals)
        if newly_led:
            self.env["digest.digest"]._subscribe_team_leaders(newly_led)
        return result
