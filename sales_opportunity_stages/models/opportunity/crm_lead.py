from contextlib import contextmanager

from odoo import api, fields, models

from ...tools import StageChange


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
            result = super().write(vals)
            self._check_type_changes(before)
            self._settle_stage_change(before, placed_ids=self.ids if "stage_id" in vals else [])
        else:
            result = super().write(vals)
        leads = self.sudo()
        leads._forget_stage_checklist()
        if not StageChange.of(self):
            leads._promote_automatically()
        return result

    def _settle_stage_change(self, before, placed_ids):
        """Judge what a change has come to, then record it. A part of a larger change waits for the rest of it.

        :param dict before: :meth:`_read_stage_states` from before the change
        :param placed_ids: those that were given a stage by name, rather than the stage following something else
        """
        larger = StageChange.of(self)
        if larger:
            larger.placed_ids.update(placed_ids)
            return
        # sudo: rules hold for everybody alike, whatever they may read
        leads = self.sudo().filtered(lambda lead: lead.id in before or lead.type == "opportunity")
        visits = leads._get_stage_visits()  # now: the gate reads them too, with the actions done in them
        leads.filtered(lambda lead: lead.id not in placed_ids)._start_where_earned(before)
        leads._check_stage_moves(before)
        leads._log_stage_visits(visits)

    @contextmanager
    def _as_one_change(self):
        """Let the writes of the block be judged and logged together: converting and assigning begin one stay, of the
        salesperson who gets it.

        :returns: the same records, for the block to write
        """
        if StageChange.of(self):
            yield self
            return
        # sudo: what follows from a change does not depend on who asks, who may have lost sight of it by the change
        change = StageChange(self.sudo()._read_stage_states(), frozenset(self.ids))
        yield change.on(self)
        self._settle_stage_change(change.before, change.placed_ids)
        self.sudo()._promote_automatically()
