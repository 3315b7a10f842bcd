from collections import defaultdict

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...tools import StageMove


class CrmLead(models.Model):
    """Promotion (阶段升迁): by the button, by completing an action, to the end."""

    _inherit = "crm.lead"

    # ------------------------------------------------------------
    # By hand
    # ------------------------------------------------------------

    def action_promote(self):
        """Move each opportunity to the next stage of its type. All or none.

        :raise UserError: when one stands in its last stage, is lost, or misses something required
        :returns: the rainbow man when a single one was won, else True
        """
        targets = self._get_promotion_targets()
        moves = {lead: (lead.stage_id.id, target.id) for lead, target in targets.items()}
        # sudo: rules hold for everybody alike, whatever they may read; the move itself is the user's
        self._raise_refusals(self.sudo()._get_gate_refusals(moves), moves)
        by_target = defaultdict(self.browse)
        for lead, target in targets.items():
            by_target[target] += lead
        for target, leads in by_target.items():
            leads.write({"stage_id": target.id})
        message = len(self) == 1 and self.get_rainbowman_message()
        return {"effect": {"fadeout": "slow", "message": message, "type": "rainbow_man"}} if message else True

    def _get_promotion_targets(self):
        """Return ``{opportunity: its next stage}``.

        :raise UserError: when one has none; of several, the web client offers to move the others
        """
        try:
            return {lead: lead._get_promotion_target() for lead in self}
        except UserError as error:
            if len(self) > 1 and not isinstance(error, AccessError):
                self._offer_dialog(error, {lead: (lead.stage_id.id, False) for lead in self})
            raise

    def _get_promotion_obstacle(self):
        """Return why the opportunity has no next stage, an empty text when it has one."""
        try:
            self._get_promotion_target()
        except UserError as error:
            return error.args[0]
        return ""

    def _get_promotion_target(self):
        """The next stage, or an error that says why there is none."""
        target = self._get_next_stage()
        if self.type != "opportunity":
            raise UserError(self.env._("'%s' is a lead: convert it to an opportunity first.", self.name))
        if self.won_status == "lost" or not self.active:
            raise UserError(self.env._("'%s' is lost or archived: restore it before promoting it.", self.name))
        if not self.stage_id:
            raise UserError(
                self.env._(
                    "'%(lead)s' is in no stage: its opportunity type %(type)s has none. An administrator adds stages "
                    "to the type.",
                    lead=self.name,
                    type=self.opportunity_type_id.name or "",
                )
            )
        if not target:
            raise UserError(
                self.env._("'%(lead)s' stands in its last stage, %(stage)s.", lead=self.name, stage=self.stage_id.name)
            )
        return target

    def _get_next_stage(self):
        """The stage after the present one, empty at the end of the pipeline."""
        self.ensure_one()
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        next_id = stage_map.next_stage(self.opportunity_type_id.id, self.team_id.id, self.stage_id.id)
        return self.env["crm.stage"].browse(next_id or ())

    def action_set_won(self):
        """Each opportunity is won in the won stage of its own type and team. All or none."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        groups = self.grouped(lambda lead: (lead.opportunity_type_id, lead.team_id))
        moves = {}
        for (opportunity_type, team), leads in groups.items():
            won_id = stage_map.won_stage(opportunity_type.id, team.id)
            if not won_id:
                raise UserError(
                    self.env._(
                        "'%(lead)s' cannot be won: its opportunity type %(type)s has no won stage.",
                        lead=leads[0].name,
                        type=opportunity_type.name or "",
                    )
                )
            moves.update({lead: (lead.stage_id.id, won_id) for lead in leads if lead.type == "opportunity"})
        if len(groups) > 1:
            # sudo: rules hold for everybody alike, whatever they may read; the move itself is the user's
            self._raise_refusals(self.sudo()._get_gate_refusals(moves), moves, is_win=True)
        for leads in groups.values():
            super(CrmLead, leads).action_set_won()
        return True

    # ------------------------------------------------------------
    # By itself
    # ------------------------------------------------------------

    def _promote_automatically(self, completing=False):
        """Move on the opportunities where a promoting action was completed in the present stay and nothing
        required is missing. Because it looks at the present stay alone, it goes one step and never chains.

        :param bool completing: an action has just been completed, so a refusal is worth a note
        """
        if completing:
            self._note_in_change("completing")
        candidates = self._get_unchanging()._filter_awaiting_promotion()  # the others follow when they are complete
        if not candidates:
            return
        triggers = candidates._get_completed_promotions()
        ready = self.browse(lead.id for lead in candidates if lead.id in triggers)
        unmet = ready._get_unmet_rules({lead: [lead.stage_id.id] for lead in ready})
        by_target = defaultdict(self.browse)
        for lead in ready.filtered(lambda lead: lead not in unmet):
            by_target[lead._get_automatic_target(triggers[lead.id])] += lead
        for target, leads in by_target.items():
            if target:
                leads._move_automatically(target, completing)

    def _promote_changed(self, change):
        """Promote what a change has made ready."""
        self._forget_stage_checklist()
        opportunities = self.filtered(lambda lead: lead.id not in change.created_ids)
        for completing, leads in opportunities.grouped(lambda lead: lead.id in change.marks["completing"]).items():
            leads._promote_automatically(completing=completing)

    def _requirements_changed(self):
        """To be called, in superuser mode, when something else changed that a condition may look at."""
        if self:
            self._forget_stage_checklist()
            self._lock_for_promotion()
            self._promote_automatically()

    def _filter_awaiting_promotion(self):
        """Open opportunities in a stage from which an action may promote."""
        promoting_stage_ids = self.env["crm.opportunity.type"]._get_stage_map().promoting_stage_ids
        return self.filtered(
            lambda lead: (
                lead.stage_id.id in promoting_stage_ids
                and lead.type == "opportunity"
                and lead.active
                and lead.won_status == "pending"
            )
        )

    def _lock_for_promotion(self):
        """Lock the opportunities that may be promoted, so that two people cannot meet the last two rules unseen.

        Each would see in its snapshot that the other's rule is not met, and nobody would promote. Updating a row that
        both share makes one of them fail to serialize, and Odoo runs it again. A write to the opportunity does so
        already; what happens elsewhere, to an activity or a quotation, calls this first.
        """
        lead_ids = self._filter_awaiting_promotion().ids
        if lead_ids:
            self.env.cr.execute(SQL("UPDATE crm_lead SET write_date = write_date WHERE id = ANY(%s)", lead_ids))

    def _get_completed_promotions(self):
        """``{lead id: the rule}`` of the promoting actions completed during the present stay."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        # sudo: actions of others count
        activities = (
            self.env["mail.activity"]
            .sudo()
            .with_context(active_test=False)
            .search_fetch(
                [
                    ("done_visit_id.lead_id", "in", self.ids),
                    ("done_visit_id.date_end", "=", False),
                    ("active", "=", False),
                ],
                ["done_visit_id", "stage_visit_id", "activity_type_id"],
                order="id",
            )
        )
        completed = {}
        for activity in activities:
            lead = activity.done_visit_id.lead_id
            if activity.stage_visit_id.lead_id != lead or activity.stage_visit_id.stage_id != lead.stage_id:
                continue
            for rule in stage_map.rules_of(lead.stage_id.id):
                if rule.promotes and rule.activity_type_id == activity.activity_type_id.id:
                    completed.setdefault(lead.id, rule)
        return completed

    def _get_automatic_target(self, rule):
        """Where a promoting rule leads: its target where the opportunity can go there, else the next stage."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        path = stage_map.path(self.opportunity_type_id.id, self.team_id.id)
        if rule.target_stage_id in path and stage_map.rank(rule.target_stage_id) > stage_map.rank(self.stage_id.id):
            return self.env["crm.stage"].browse(rule.target_stage_id)
        return self._get_next_stage()

    def _move_automatically(self, target, completing):
        """Move to ``target``, obeying the gate. What refuses the move must not undo the action that asked for it:
        all at once first, and where that fails one by one, each refusal becoming a note."""
        move = StageMove("automatic", lead_ids=frozenset(self.ids), stage_id=target.id)
        origins = {lead: lead.stage_id for lead in self}
        try:
            with self.env.cr.savepoint():
                move.on(self).write({"stage_id": target.id})
        except UserError as error:
            if len(self) > 1:
                for lead in self:
                    lead._move_automatically(target, completing)
            elif completing:
                self._message_log(body=self.env._("Not promoted automatically. %s", error.args[0]))
            return
        self._notify_promotion(origins)

    def _notify_promotion(self, origins):
        """Tell the salespeople, and whoever completed the action, that the opportunities have moved by themselves.

        :param dict origins: ``{lead: the stage it came from}``
        """
        for lead, origin in origins.items():
            message = self.env._(
                "'%(lead)s' was promoted from %(origin)s to %(target)s.",
                lead=lead.name,
                origin=origin.name,
                target=lead.stage_id.name,
            )
            toast = {"type": "success", "title": self.env._("Promoted automatically"), "message": message}
            for user in lead.user_id | self.env.user:
                user._bus_send("simple_notification", toast)
        self._message_log_batch(
            bodies={
                lead.id: self.env._("Promoted automatically: all that %s requires is done.", origin.name)
                for lead, origin in origins.items()
            }
        )
