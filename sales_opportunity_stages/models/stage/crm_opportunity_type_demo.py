from odoo import api, models


class CrmOpportunityType(models.Model):
    _inherit = "crm.opportunity.type"

    @api.model
    def _tell_demo_story(self):
        """Let the opportunities of the demo be lived through; called by its data file.

        That is loaded before the add-on's hook has run, while Odoo's stages are still open to every type.
        """
        from ...demo.story import Story  # demo data is not loaded with the models
        from ...hooks import STANDARD_TYPE, give_stages_a_type

        self.env.flush_all()
        self.env.cr.execute(give_stages_a_type(self.env.ref(STANDARD_TYPE)))
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        Story(self.env).tell()
