from odoo import api, models


class CrmOpportunityType(models.Model):
    _inherit = "crm.opportunity.type"

    @api.model
    def _tell_demo_story(self):
        """Let the opportunities of the demo be lived through; called by its data file."""
        from ..demo.story import Story  # demo data is not loaded with the models

        Story(self.env).tell()
