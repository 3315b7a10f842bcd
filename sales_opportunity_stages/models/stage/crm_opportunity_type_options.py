from odoo import api, fields, models


class CrmOpportunityType(models.Model):
    """What opportunities of a type require beside the rules of their stages. Every option is off to begin with."""

    _inherit = "crm.opportunity.type"

    require_lost_reason = fields.Boolean("Lost Reason Required", help="An opportunity is lost with a reason only.")
    require_lost_to = fields.Boolean(
        "Lost To Required", help="An opportunity is lost only with the competitor who has won it."
    )
    require_competitor = fields.Boolean(
        "Competitor Required", help="An opportunity is lost only if it names a competitor."
    )
    require_back_reason = fields.Boolean(
        "Reason for Moving Back Required", help="An opportunity moves back to an earlier stage with a reason only."
    )
    require_won_reason = fields.Boolean("Won Reason Required", help="An opportunity is won with a reason only.")
    require_won_order = fields.Boolean(
        "Confirmed Order Required", help="An opportunity is won only if it has a confirmed sales order."
    )
    require_next_activity = fields.Boolean(
        "Next Activity Required",
        help="Open opportunities without a planned activity show a warning and can be filtered.",
    )
    snooze_limit = fields.Integer(
        default=3, help="How often reminders of one opportunity can be snoozed in a stage. 0 = no limit."
    )

    @api.model
    def _get_option_fields(self):
        return [*super()._get_option_fields(), *(name for name in self._fields if name.startswith("require_"))]
