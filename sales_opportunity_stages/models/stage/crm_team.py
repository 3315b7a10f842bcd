from odoo import fields, models


class CrmTeam(models.Model):
    _inherit = "crm.team"

    opportunity_type_id = fields.Many2one(
        "crm.opportunity.type",
        string="Default Opportunity Type",
        check_company=True,
        ondelete="set null",
        help="Given to new opportunities of the team. Blank: the company's first type.",
    )
