from odoo import api, fields, models

from ...tools import StageMove


class CrmLead(models.Model):
    """The one place where a change of an opportunity is seen.

    ``stage_id`` is a stored compute: it moves with the team, the type or the salesperson as well as by hand. So the
    records are compared before and after, whatever was written: see :meth:`_get_change_rules`.
    """

    _name = "crm.lead"
    _inherit = ["crm.lead", "sales.change.mixin", "sales.system.fields.mixin"]

    furthest_stage_id = fields.Many2one(
        "crm.stage",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The last stage in order that the opportunity has ever been in, with its present type.",
    )

    @api.model
    def _get_change_rules(self):
        return [
            *super()._get_change_rules(),
            # Checks
            (10, "_read_visits_of_change"),
            (20, "_place_in_first_stage"),
            (30, "_check_stage_gate"),
            (40, "_check_outcomes_of_change"),
            (45, "_check_snooze_of_change"),
            # Effects
            (105, "_note_reasons_of_change"),
            (110, "_log_visits_of_change"),
            (112, "_record_snooze_of_change"),
            (115, "_withdraw_signoffs_of_change"),
            (120, "_record_deadline_change"),
            (130, "_clear_loss_of_reopened"),
            (135, "_clear_won_reason_of_reopened"),
            (150, "_log_values_of_change"),
            (190, "_promote_changed"),
        ]

    @api.model
    def _get_stage_trigger_fields(self):
        """Return the fields whose writing may change the stage, the type or the status of an opportunity.

        Extend it when another field makes ``stage_id``, ``opportunity_type_id`` or ``won_status`` change.
        """
        return {"stage_id", "opportunity_type_id", "type", "team_id", "user_id", "company_id", "active", "probability"}

    @api.model
    def _get_compared_fields(self):
        """Return the fields whose writing begins a change. Extend it with what another rule compares."""
        return self._get_stage_trigger_fields() | {"date_deadline"}

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"furthest_stage_id", "stage_visit_ids"}

    @api.model
    def _get_checked_fields(self):
        return super()._get_checked_fields() | self._get_compared_fields()

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_system_fields(vals)
            if not vals.get("opportunity_type_id", True):
                del vals["opportunity_type_id"]  # blank asks for the default, it cannot stay blank
        self = self._without_system_defaults()
        with self._change(creating=True) as change:
            leads = super().create(vals_list)
            change.add_created(leads.ids)
            leads._note_in_change("stage", *(["starts_anywhere"] if self._may_start_anywhere() else []))
        return leads

    def write(self, vals):
        vals = dict(vals)
        if self._is_derived_write(vals):
            return super().write(vals)
        self._check_system_fields(vals)
        if self._get_compared_fields() & vals.keys():
            with self._change(), self._checking_type_change(vals):
                self._note_in_change(*self._get_marks_of_write(vals), token=StageMove.of(self))
                return super().write(vals)
        result = super().write(vals)
        # sudo: what follows from a change does not depend on who asks, who may have lost sight of it by the change
        leads = self.sudo()
        leads._forget_stage_checklist()
        leads._promote_automatically()
        return result

    def unlink(self):
        ids = self.ids
        result = super().unlink()
        self._forget_in_changes(ids)
        return result

    @api.model
    def _get_marks_of_write(self, vals):
        """Return what the rules have to know of a write.

        ``stage``: the stage, the type or the status may change. ``placed``: the stage is given by name, rather than
        following something else.
        """
        marks = ["stage"] if self._get_stage_trigger_fields() & vals.keys() else []
        return [*marks, "placed"] if "stage_id" in vals else marks
