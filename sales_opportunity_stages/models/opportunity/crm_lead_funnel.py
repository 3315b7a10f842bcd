from odoo import fields, models


class CrmLead(models.Model):
    """What the funnel makes of an opportunity, so that opportunities are found by it: those behind a figure."""

    _inherit = "crm.lead"

    funnel_report_ids = fields.One2many(
        "crm.funnel.report", "lead_id", "Funnel", help="A row for each stage that the opportunity has reached."
    )
