from odoo import fields, models


class CrmLeadSnooze(models.TransientModel):
    """Snooze the reminders of opportunities that stand still, with a reason."""

    _name = "crm.lead.snooze"
    _description = "Snooze Reminders"

    lead_ids = fields.Many2many(
        "crm.lead",
        string="Opportunities",
        required=True,
        default=lambda self: (
            self.env.context.get("active_ids") if self.env.context.get("active_model") == "crm.lead" else False
        ),
    )
    snooze_until = fields.Date(required=True)
    reason = fields.Char(required=True)

    def action_snooze(self):
        """Snooze the opportunities, with the rights of the user.

        :raise UserError: for an opportunity that has been snoozed as often as its type allows
        """
        self.ensure_one()
        self.lead_ids.write({"snooze_until": self.snooze_until, "snooze_reason": self.reason})
        return {"type": "ir.actions.act_window_close"}
