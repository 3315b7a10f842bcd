from odoo import fields, models


class CrmStageRuleSignoff(models.Model):
    """One confirmation of a sign-off rule for one opportunity. Written by the system alone.

    It counts until it is withdrawn, which happens when the opportunity moves back to the stage of the rule or before.
    """

    _name = "crm.stage.rule.signoff"
    _description = "Stage Sign-Off"
    _inherit = ["sales.ledger.mixin"]
    _order = "id desc"
    _rec_name = "rule_id"

    lead_id = fields.Many2one("crm.lead", "Opportunity", required=True, readonly=True, index=True, ondelete="cascade")
    rule_id = fields.Many2one("crm.stage.rule", required=True, readonly=True, index=True, ondelete="cascade")
    stage_id = fields.Many2one(related="rule_id.stage_id")
    user_id = fields.Many2one("res.users", "Signed Off By", required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    comment = fields.Text(required=True, readonly=True)
    withdrawn_date = fields.Datetime(
        "Withdrawn On", readonly=True, help="When the opportunity moved back. Blank: the sign-off counts."
    )

    _one_valid_signoff = models.UniqueIndex(
        "(lead_id, rule_id) WHERE withdrawn_date IS NULL",
        "This sign-off has been given already.",
    )
