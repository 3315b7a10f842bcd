from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools import StageMove


class CrmLeadStageForce(models.TransientModel):
    """The one way round the stage rules: a Sales Administrator's, with a reason that stays on record."""

    _name = "crm.lead.stage.force"
    _description = "Override Stage Rules"

    lead_ids = fields.Many2many(
        "crm.lead",
        string="Opportunities",
        required=True,
        default=lambda self: (
            self.env.context.get("active_ids") if self.env.context.get("active_model") == "crm.lead" else False
        ),
    )
    allowed_stage_ids = fields.Many2many("crm.stage", compute="_compute_allowed_stage_ids")
    target_stage_id = fields.Many2one(
        "crm.stage",
        string="Move To",
        required=True,
        compute="_compute_target_stage_id",
        store=True,
        readonly=False,
        domain="[('id', 'in', allowed_stage_ids)]",
    )
    reason = fields.Char(required=True)
    missing_summary = fields.Text(compute="_compute_missing_summary", string="Overrides")

    @api.depends("lead_ids")
    def _compute_allowed_stage_ids(self):
        for wizard in self:
            paths = [set(lead._get_stage_path().ids) for lead in wizard.lead_ids]
            stages = self.env["crm.stage"].browse(set.intersection(*paths) if paths else ())
            wizard.allowed_stage_ids = stages.sorted("sequence")

    @api.depends("lead_ids")
    def _compute_target_stage_id(self):
        for wizard in self:
            wizard.target_stage_id = wizard.lead_ids[:1]._get_next_stage() if wizard.lead_ids else False

    @api.depends("lead_ids", "target_stage_id")
    def _compute_missing_summary(self):
        for wizard in self:
            target = wizard.target_stage_id
            refusals = wizard.lead_ids._origin._get_gate_refusals(
                {lead: (lead.stage_id.id, target.id) for lead in wizard.lead_ids._origin} if target else {}
            )
            wizard.missing_summary = "\n".join(
                f"{refusal.lead.name} — {wizard.lead_ids._format_missing_rules(refusal.rules)}" for refusal in refusals
            )

    def action_force(self):
        """Move the opportunities whatever the rules require, and record who did it and why.

        :raise AccessError: for anybody but a Sales Administrator, however this is called
        """
        self.ensure_one()
        if not self.env.user.has_group("sales_team.group_sale_manager"):
            raise AccessError(self.env._("Only a Sales Administrator can override stage rules."))
        reason = (self.reason or "").strip()
        if not reason:
            raise UserError(self.env._("Enter a reason for overriding the stage rules. It is logged."))
        move = StageMove("forced", reason, frozenset(self.lead_ids.ids), self.target_stage_id.id)
        move.on(self.lead_ids).write({"stage_id": self.target_stage_id.id})
        body = self.env._(
            "Stage rules overridden by %(user)s: moved to %(stage)s. Reason: %(reason)s",
            user=self.env.user.name,
            stage=self.target_stage_id.name,
            reason=reason,
        )
        self.lead_ids._message_log_batch(bodies=dict.fromkeys(self.lead_ids.ids, body))
        return {"type": "ir.actions.act_window_close"}
