from odoo import fields, models


class WebTourTour(models.Model):
    """Show each role its own onboarding tour.

    A record rule shows a tour to the groups it is for, and to everybody where it names none. It hides the tour from
    groups that have another one: a Sales Administrator has the rights of a salesperson, but another job.
    """

    _inherit = "web_tour.tour"

    group_ids = fields.Many2many("res.groups", string="For", help="Who is shown this tour; blank for everybody.")
    except_group_ids = fields.Many2many(
        "res.groups", "web_tour_tour_except_group_rel", string="Except", help="Who has a tour of their own instead."
    )
