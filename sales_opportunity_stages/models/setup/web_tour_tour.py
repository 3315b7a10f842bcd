from odoo import fields, models


class WebTourTour(models.Model):
    """Onboarding by role: a record rule shows a tour to the groups it is for, and to everybody where it names none."""

    _inherit = "web_tour.tour"

    group_ids = fields.Many2many("res.groups", string="For", help="Who is shown this tour; blank for everybody.")
