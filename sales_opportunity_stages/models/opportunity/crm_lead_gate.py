from collections import defaultdict
from contextlib import contextmanager
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_list

MAX_NAMED_REFUSALS = 10


class StageState(NamedTuple):
    """What the gate must know of an opportunity from before a write."""

    type_id: int
    stage_id: int
    team_id: int


class Refusal(NamedTuple):
    """An opportunity that may not be moved, and the rules that speak against it."""

    lead: models.BaseModel
    origin: models.BaseModel
    target: models.BaseModel
    rules: models.BaseModel


class CrmLead(models.Model):
    """The gate: a forward move needs every required rule of the stages left behind.

    It holds for everybody. The one way around is :class:`crm.lead.stage.force`, which says so by a
    ``StageMove`` token that no client can send.
    """

    _inherit = "crm.lead"

    # ------------------------------------------------------------
    # Checking moves
    # ------------------------------------------------------------

    def _get_snapshot(self):
        return super()._get_snapshot() | {"stage": self._read_stage_states().get(self.id)}

    def _read_stage_states(self):
        """Return type, stage and team of each opportunity, to compare with later. Leads are in no pipeline."""
        return {
            lead.id: StageState(lead.opportunity_type_id.id, lead.stage_id.id, lead.team_id.id)
            for lead in self
            if lead.type == "opportunity"
        }

    def _may_start_anywhere(self):
        """Who may create an opportunity in a later stage: imports of a running pipeline."""
        return self.env.su or self.env.user.has_group("sales_team.group_sale_manager")

    def _get_in_pipeline(self, change):
        """Return those whose stage, type or status may have changed, as the first rule of the change found them."""
        return change.data["in_pipeline"] if "in_pipeline" in change.data else self._filter_in_pipeline(change)

    def _filter_in_pipeline(self, change):
        """Return those whose stage, type or status may have changed, and that are or were opportunities."""
        return self.filtered(
            lambda lead: (
                lead.id in change.marks["stage"] and (lead.type == "opportunity" or change.was(lead).get("stage"))
            )
        )

    def _check_stage_gate(self, change):
        """Refuse the forward moves for which a required rule is not met, all in one message.

        :raise UserError: naming each refused opportunity, its stages and the missing rules
        """
        moves = {}
        for lead in self._get_in_pipeline(change).filtered(lambda lead: lead.type == "opportunity" and lead.stage_id):
            origin_id = lead._get_gate_origin(change)
            if origin_id != lead.stage_id.id and not lead._is_free_of_rules(change):
                moves[lead] = (origin_id, lead.stage_id.id)
        is_new = any(lead.id in change.created_ids for lead in moves)
        self._raise_refusals(self._get_gate_refusals(moves), None if is_new else moves)

    def _is_free_of_rules(self, change):
        """Return whether this change is an override or an import of history, or the start of an opportunity that may
        start anywhere."""
        self.ensure_one()
        return self.id in change.marks["starts_anywhere"] or any(
            move.passes_rules and move.covers(self) for move in change.tokens
        )

    def _get_gate_origin(self, change):
        """Return the id of the stage that a move is measured from; False for one that enters its pipeline."""
        was = change.was(self).get("stage")
        return was.stage_id if was and was.type_id == self.opportunity_type_id.id else False

    def _place_in_first_stage(self, change):
        """Put what entered a pipeline without naming a stage into the first one, unless required rules are met.

        That is a converted lead, which keeps its stage in Odoo, and a change between types that share a stage.
        """
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        entering = self._get_in_pipeline(change).filtered(lambda lead: lead.id not in change.created_ids)
        moves = {
            lead: (False, lead.stage_id.id)
            for lead in entering
            if lead.type == "opportunity"
            and lead.stage_id
            and lead.id not in change.marks["placed"]
            and not lead._get_gate_origin(change)
        }
        for refusal in self._get_gate_refusals(moves):
            lead = refusal.lead
            entry_id = stage_map.entry_stage(lead.opportunity_type_id.id, lead.team_id.id)
            lead._write_derived({"stage_id": entry_id})

    def _get_gate_refusals(self, moves):
        """Return the moves that miss a required rule.

        :param dict moves: ``{lead: (origin stage id or False, target stage id)}``
        :rtype: list[Refusal]
        """
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        stage_ids_by_lead = {
            lead: stage_map.stages_to_leave(lead.opportunity_type_id.id, lead.team_id.id, origin_id, target_id)
            for lead, (origin_id, target_id) in moves.items()
        }
        unmet = self._get_unmet_rules(stage_ids_by_lead)
        # sudo: an error names stages and rules, whoever reads it
        Stage, Rule = self.env["crm.stage"].sudo(), self.env["crm.stage.rule"].sudo()
        return [
            Refusal(lead, Stage.browse(moves[lead][0] or ()), Stage.browse(moves[lead][1]), Rule.browse(rule_ids))
            for lead, rule_ids in unmet.items()
        ]

    def _get_unmet_rules(self, stage_ids_by_lead):
        """The required rules of the given stages that each opportunity does not meet.

        Takes a few queries, however many opportunities and rules there are.

        :param dict stage_ids_by_lead: ``{lead: stage ids in order}``
        :returns: ``{lead: [rule ids]}``, without the opportunities that meet all
        """
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        needed = {
            lead: [rule for stage_id in stage_ids for rule in stage_map.rules_of(stage_id, required=True)]
            for lead, stage_ids in stage_ids_by_lead.items()
        }
        needed = {lead: rules for lead, rules in needed.items() if rules}
        if not needed:
            return {}
        met = self.env["crm.lead"].concat(*needed)._get_met_rules({rule for rules in needed.values() for rule in rules})
        unmet = {lead: [rule.id for rule in rules if (lead.id, rule.id) not in met] for lead, rules in needed.items()}
        return {lead: rule_ids for lead, rule_ids in unmet.items() if rule_ids}

    def _get_met_rules(self, rules, done=None):
        """Which of the rules each of these opportunities meets.

        :param rules: :class:`Rule` values
        :param done: what :meth:`_get_completed_actions` returns, where it is known
        :returns: set of ``(lead id, rule id)``
        """
        plain = [rule for rule in rules if rule.is_plain_action]
        met = set()
        if plain:
            done = self._get_completed_actions() if done is None else done
            met = {
                (lead.id, rule.id)
                for rule in plain
                for lead in self
                if (lead.id, rule.stage_id, rule.activity_type_id) in done
            }
        return met | self.env["crm.stage.rule"]._filter_met(self, set(rules) - set(plain))

    def _get_completed_actions(self):
        """``{(lead id, stage id, activity type id)}`` of what was scheduled in a stage and done."""
        # sudo: rules do not depend on what the user may read: actions of others count
        groups = (
            self.env["mail.activity"]
            .sudo()
            .with_context(active_test=False)
            ._read_group(
                [("stage_visit_id.lead_id", "in", self.ids), ("active", "=", False)],
                ["stage_visit_id.lead_id", "stage_visit_id.stage_id", "activity_type_id"],
            )
        )
        return {tuple(record.id for record in key) for key in groups}

    # ------------------------------------------------------------
    # Saying no
    # ------------------------------------------------------------

    @api.model
    def _raise_refusals(self, refusals, moves=None, **dialog):
        """Raise one error for all refusals: the first ten by name, then a count.

        :param dict moves: as in :meth:`_get_gate_refusals`; with them the error tells the web client what the dialog
            of the promotion is to ask for
        :param dialog: other values of the dialog
        """
        if not refusals:
            return
        lines = [self._format_refusal(refusal) for refusal in refusals[:MAX_NAMED_REFUSALS]]
        if len(refusals) > 1:
            lines.insert(0, self.env._("%s opportunities cannot be moved, so none was:", len(refusals)))
        if len(refusals) > MAX_NAMED_REFUSALS:
            lines.append(self.env._("… and %s more.", len(refusals) - MAX_NAMED_REFUSALS))
        raise self._offer_dialog(UserError("\n".join(lines)), moves, **dialog)

    @api.model
    def _offer_dialog(self, error, moves, **dialog):
        """Return an error that the web client answers with ``crm.lead.promote``. Everybody else gets its text.

        :param dict moves: ``{lead: (origin stage id or False, target stage id)}``
        """
        if moves:
            target_ids = {target_id for _origin_id, target_id in moves.values()}
            target_id = next(iter(target_ids)) if len(target_ids) == 1 else False
            lead_ids = [lead.id for lead in moves]
            error.context = {"crm_lead_promote": {"lead_ids": lead_ids, "target_stage_id": target_id, **dialog}}
        return error

    @api.model
    @contextmanager
    def _without_dialog(self):
        """Raise what is refused inside the block as a text alone, because the dialog is open already."""
        try:
            yield
        except UserError as error:
            if hasattr(error, "context"):
                del error.context
            raise

    def _format_refusal(self, refusal):
        values = {
            "lead": refusal.lead.name,
            "origin": refusal.origin.name,
            "target": refusal.target.name,
            "todo": self._format_missing_rules(refusal.rules),
        }
        if not refusal.origin:
            return self.env._("Cannot start '%(lead)s' in %(target)s. Still to do — %(todo)s", **values)
        return self.env._("Cannot promote '%(lead)s' from %(origin)s to %(target)s. Still to do — %(todo)s", **values)

    @api.model
    def _format_missing_rules(self, rules):
        """``Stage: rule, rule · Stage: rule``, in the order of the stages."""
        by_stage = defaultdict(list)
        for rule in rules:
            by_stage[rule.stage_id.name].append(rule.display_name)
        return " · ".join(
            self.env._("%(stage)s: %(rules)s", stage=stage, rules=format_list(self.env, labels))
            for stage, labels in by_stage.items()
        )

    # ------------------------------------------------------------
    # Public questions
    # ------------------------------------------------------------

    def _get_missing_rules(self, target_stage):
        """The required rules that this opportunity still has to meet before it may move to ``target_stage``.

        :param target_stage: a ``crm.stage``
        :returns: ``crm.stage.rule``, in the order of the stages; empty when the way is free
        """
        self.ensure_one()
        refusals = self._get_gate_refusals({self: (self.stage_id.id, target_stage.id)})
        return refusals[0].rules.sudo(False) if refusals else self.env["crm.stage.rule"]

    def _get_allowed_activity_types(self):
        """The activity types that may be scheduled on this opportunity where it stands.

        :returns: ``mail.activity.type``: those the stage lists, or every one for opportunities if it lists none
        """
        types = self.env["mail.activity.type"]
        listed = self._get_listed_activity_type_ids()
        return types.search([("id", "in", list(listed))] if listed else [("res_model", "in", (False, "crm.lead"))])

    def _get_listed_activity_type_ids(self):
        """Ids of the only activity types that may be scheduled where this opportunity stands; empty when any may."""
        self.ensure_one()
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        return stage_map.allowed_activity_types(self.stage_id.id) if self.type == "opportunity" else set()

    def _allows_activity_type(self, activity_type_id):
        """Whether the stage lets an activity of this type be scheduled; what no longer exists forbids nothing."""
        listed = self._get_listed_activity_type_ids() if self else set()
        return not listed or activity_type_id in listed
