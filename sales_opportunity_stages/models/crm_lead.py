from odoo import api, fields, models


class CrmLead(models.Model):
    """The one place where a change of stage is seen.

    ``stage_id`` is a stored compute: it moves with the team, the type or the salesperson as well as by hand. So the
    state of the records is compared before and after, whatever was written, and three things follow, each in its
    own file: the gate (``crm_lead_gate``), the visits (``crm_lead_visit``), the promotion (``crm_lead_promotion``).
    """

    _name = "crm.lead"
    _inherit = ["crm.lead", "sales.system.fields.mixin"]

    furthest_stage_id = fields.Many2one(
        "crm.stage",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The last stage in order that the opportunity has ever been in, with its present type.",
    )

    @api.model
    def _get_stage_trigger_fields(self):
        """Fields whose writing may change the stage, the type or the status of an opportunity.

        Extend it when another field makes ``stage_id``, ``opportunity_type_id`` or ``won_status`` change.
        """
        return {"stage_id", "opportunity_type_id", "type", "team_id", "user_id", "company_id", "active", "probability"}

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"furthest_stage_id", "stage_visit_ids"}

    @api.model
    def _get_judged_fields(self):
        return super()._get_judged_fields() | self._get_stage_trigger_fields()

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_system_fields(vals)
            if not vals.get("opportunity_type_id", True):
                del vals["opportunity_type_id"]  # blank asks for the default, it cannot stay blank
        self = self._without_system_defaults()
        leads = super().create(vals_list)
        opportunities = leads.filtered(lambda lead: lead.type == "opportunity")
        if not self._may_start_anywhere():
            opportunities._check_stage_moves({})
        # sudo: the log is the system's, and no rule depends on who asks
        opportunities.sudo()._log_stage_visits()
        return leads

    def write(self, vals):
        vals = dict(vals)
        if self._is_derived_write(vals):
            return super().write(vals)
        self._check_system_fields(vals)
        if self._get_stage_trigger_fields() & vals.keys():
            # sudo: what follows from a change does not depend on who asks, who may have lost sight of it by the change
            before = self.sudo()._read_stage_states()
            explicit_stage = "stage_id" in vals
            result = super().write(vals)
            self._settle_stage_change(before, explicit_stage)
        else:
            result = super().write(vals)
        leads = self.sudo()
        leads._forget_stage_checklist()
        leads._promote_automatically()
        return result

    def _settle_stage_change(self, before, explicit_stage):
        """Judge what a write has changed, then record it.

        :param dict before: :meth:`_read_stage_states` from before the write
        :param bool explicit_stage: the write named the stage, rather than the stage following something else
        """
        self._check_type_changes(before)
        # sudo: rules hold for everybody alike, whatever they may read
        leads = self.sudo()
        visits = leads._get_stage_visits()  # now: the gate reads them too, with the actions done in them
        if not explicit_stage:
            leads._start_where_earned(before)
        leads._check_stage_moves(before)
        leads._log_stage_visits(visits)
