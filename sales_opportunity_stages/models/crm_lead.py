from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..tools import DerivedValues


class CrmLead(models.Model):
    """The one place where a change of stage is seen.

    ``stage_id`` is a stored compute: it moves with the team, the type or the salesperson as well as by hand. So the
    state of the records is compared before and after, whatever was written, and three things follow, each in its
    own file: the gate (``crm_lead_gate``), the visits (``crm_lead_visit``), the promotion (``crm_lead_promotion``).
    """

    _inherit = "crm.lead"

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
        """Fields that only the add-on's own code may write."""
        return {"furthest_stage_id", "stage_visit_ids"}

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_system_fields(vals)
            if not vals.get("opportunity_type_id", True):
                del vals["opportunity_type_id"]  # blank asks for the default, it cannot stay blank
        leads = super().create(vals_list)
        opportunities = leads.filtered(lambda lead: lead.type == "opportunity")
        if not self._may_start_anywhere():
            opportunities._check_stage_moves({})
        opportunities.sudo()._log_stage_visits()
        return leads

    def write(self, vals):
        vals = dict(vals)
        if self._is_derived_write(vals):
            return super().write(vals)
        self._check_system_fields(vals)
        if self._get_stage_trigger_fields() & vals.keys():
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

    def _is_derived_write(self, vals):
        derived = DerivedValues.of(self)
        watched = self._get_system_fields() | self._get_stage_trigger_fields()
        return bool(derived) and derived.matches(self, vals, watched)

    def _write_derived(self, vals):
        """Store what follows from a move, without judging or logging it as another one."""
        DerivedValues(frozenset(self.ids), dict(vals)).on(self).write(vals)

    def _check_system_fields(self, vals):
        """Refuse what a client may not write; drop it where it is blank, as a form may send it."""
        forged = self._get_system_fields() & vals.keys()
        if any(vals[name] for name in forged):
            raise AccessError(
                self.env._(
                    "%(fields)s of an opportunity is kept by the system and cannot be written.",
                    fields=", ".join(sorted(self._fields[name].string for name in forged)),
                )
            )
        for name in forged:
            del vals[name]

    def _settle_stage_change(self, before, explicit_stage):
        """Judge what a write has changed, then record it.

        :param dict before: :meth:`_read_stage_states` from before the write
        :param bool explicit_stage: the write named the stage, rather than the stage following something else
        """
        self._check_type_changes(before)
        leads = self.sudo()
        visits = leads._get_stage_visits()  # now: the gate reads them too, with the actions done in them
        if not explicit_stage:
            leads._start_where_earned(before)
        leads._check_stage_moves(before)
        leads._log_stage_visits(visits)
