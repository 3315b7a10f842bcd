from odoo import api, fields, models


class MailActivitySchedule(models.TransientModel):
    """The schedule wizard offers what the stage allows."""

    _inherit = "mail.activity.schedule"

    allowed_activity_type_ids = fields.Many2many(
        "mail.activity.type", compute="_compute_allowed_activity_type_ids", string="Allowed Activity Types"
    )

    @api.depends("res_model", "res_ids")
    def _compute_allowed_activity_type_ids(self):
        for scheduler in self:
            leads = self.env["crm.lead"]
            if scheduler.res_model == "crm.lead":
                leads = leads.browse(scheduler._evaluate_res_ids())
            allowed = self.env["mail.activity"]._get_types_allowed_on(scheduler.res_model, leads)
            scheduler.allowed_activity_type_ids = allowed

    @api.depends("res_ids")
    def _compute_activity_type_id(self):
        result = super()._compute_activity_type_id()
        for scheduler in self.filtered(lambda scheduler: scheduler.res_model == "crm.lead"):
            allowed = scheduler.allowed_activity_type_ids
            if scheduler.activity_type_id not in allowed:
                scheduler.activity_type_id = allowed[:1]
        return result

    def _check_plan_templates_error(self, applied_on):
        """A plan with an action that a stage does not allow cannot be launched: say so before anyone tries."""
        errors = list(super()._check_plan_templates_error(applied_on))
        for lead in applied_on if self.res_model == "crm.lead" else ():
            allowed = lead._get_allowed_activity_types()
            refused = self.plan_id.template_ids.activity_type_id - allowed
            if refused:
                errors.append(
                    self.env._(
                        "%(activities)s cannot be scheduled on '%(lead)s' in stage %(stage)s. "
                        "Allowed there: %(allowed)s.",
                        activities=", ".join(refused.mapped("name")),
                        lead=lead.name,
                        stage=lead.stage_id.name,
                        allowed=", ".join(allowed.mapped("name")),
                    )
                )
        return errors
