"""Templates that Odoo's import offers: types, stages with rules, opportunities with lines, credit units."""

from odoo import api, models

FOLDER = "/sales_opportunity_stages/static/xls"


class CrmOpportunityType(models.Model):
    _inherit = "crm.opportunity.type"

    @api.model
    def get_import_templates(self):
        label = self.env._("Import Template for Opportunity Types")
        return [*super().get_import_templates(), {"label": label, "template": f"{FOLDER}/opportunity_types.xlsx"}]


class CrmStage(models.Model):
    _inherit = "crm.stage"

    @api.model
    def get_import_templates(self):
        label = self.env._("Import Template for Stages and Rules")
        return [*super().get_import_templates(), {"label": label, "template": f"{FOLDER}/stages_and_rules.xlsx"}]


class CrmLead(models.Model):
    _inherit = "crm.lead"

    @api.model
    def get_import_templates(self):
        label = self.env._("Import Template for Opportunities with Product Lines")
        return [*super().get_import_templates(), {"label": label, "template": f"{FOLDER}/opportunities.xlsx"}]


class ResPartner(models.Model):
    _inherit = "res.partner"

    @api.model
    def get_import_templates(self):
        label = self.env._("Import Template for Credit Units")
        return [*super().get_import_templates(), {"label": label, "template": f"{FOLDER}/credit_units.xlsx"}]
