from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list

from ...tools import StageMove


class CrmLead(models.Model):
    """What the opportunity type requires on losing, on winning and on moving back, whoever does it and however."""

    _inherit = "crm.lead"

    back_reason = fields.Char(
        "Reason for Moving Back",
        copy=False,
        help="Why the opportunity was moved back last. Given together with the earlier stage; logged in its history.",
    )
    won_reason = fields.Char(copy=False, tracking=True, help="Why the opportunity was won.")

    def _get_snapshot(self):
        return super()._get_snapshot() | {"status": self.won_status}

    @api.model
    def _get_marks_of_write(self, vals):
        """``back_reason``, ``won_reason``: the same write gives the reason."""
        return [*super()._get_marks_of_write(vals), *({"back_reason", "won_reason"} & {k for k in vals if vals[k]})]

    def action_set_lost(self, **additional_values):
        """Archive and lose as one change: what is required on losing comes with the second write."""
        with self._change():
            return super().action_set_lost(**additional_values)

    # ------------------------------------------------------------
    # Checking
    # ------------------------------------------------------------

    def _check_outcomes_of_change(self, change):
        """Refuse to lose, win or move back an opportunity without what its type requires.

        :raise UserError: naming the opportunity, what is missing and where to give it
        """
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        leads = self._get_in_pipeline(change).filtered(
            lambda lead: lead.type == "opportunity" and stage_map.get_options(lead.opportunity_type_id.id)
        )
        for lead in leads:
            if not lead._is_free_of_rules(change):
                lead._check_outcome_of_change(change)

    def _check_outcome_of_change(self, change):
        status = change.was(self).get("status")
        moves = None if self.id in change.created_ids else {self: (False, self.stage_id.id)}
        if self.won_status == "lost" and status != "lost":
            self._raise_missing_of_loss()
        if self.won_status == "won" and status != "won":
            self._raise_missing_of_win(change, moves)
        if self.won_status == "pending" and self._has_moved_back(change):
            self._raise_missing_of_move_back(change, moves)

    def _raise_missing_of_move_back(self, change, moves):
        """:raise UserError: when the type requires a reason for moving back that is not given"""
        if self._requires("require_back_reason") and self.id not in change.marks["back_reason"]:
            error = UserError(
                self.env._(
                    "'%(lead)s' cannot move back to %(stage)s without a reason. Give the reason for moving back.",
                    lead=self.name,
                    stage=self.stage_id.name,
                )
            )
            raise self._offer_dialog(error, moves)

    def _requires(self, option):
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        return stage_map.has_option(self.opportunity_type_id.id, option)

    def _raise_missing_of_loss(self):
        """:raise UserError: when the type requires something on losing that is not given"""
        missing = [
            self._fields[name]._description_string(self.env)
            for option, name in (
                ("require_lost_reason", "lost_reason_id"),
                ("require_lost_to", "lost_to_id"),
                ("require_competitor", "opportunity_competitor_ids"),
            )
            if self._requires(option) and not self[name]
        ]
        if missing:
            raise UserError(
                self.env._(
                    "'%(lead)s' cannot be lost without: %(missing)s. Opportunity type %(type)s requires it. Use the "
                    "button Lost and fill in what is missing.",
                    lead=self.name,
                    missing=format_list(self.env, missing),
                    type=self.opportunity_type_id.name,
                )
            )

    def _raise_missing_of_win(self, change, moves):
        """:raise UserError: when the type requires something on winning that is not given"""
        if self._requires("require_won_order") and not self._has_confirmed_order():
            error = UserError(
                self.env._(
                    "'%(lead)s' cannot be won without a confirmed order. Confirm a quotation of the opportunity first.",
                    lead=self.name,
                )
            )
            raise self._offer_dialog(error, moves)
        if self._requires("require_won_reason") and not self.won_reason:
            error = UserError(
                self.env._("'%(lead)s' cannot be won without a reason. Give the reason for winning.", lead=self.name)
            )
            raise self._offer_dialog(error, moves)

    def _has_confirmed_order(self):
        # sudo: an order counts, whoever may read it
        return any(order.state == "sale" for order in self.sudo().order_ids)

    def _get_needs_of_move(self, target):
        """Return the options of the type whose demands a move to ``target`` does not meet yet."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        needs = set()
        is_back = target and stage_map.rank(target.id) < stage_map.rank(self.stage_id.id)
        if is_back and self._requires("require_back_reason"):
            needs.add("require_back_reason")
        if target.is_won and self.won_status != "won":
            if self._requires("require_won_reason") and not self.won_reason:
                needs.add("require_won_reason")
            if self._requires("require_won_order") and not self._has_confirmed_order():
                needs.add("require_won_order")
        return needs

    # ------------------------------------------------------------
    # Effects
    # ------------------------------------------------------------

    def _note_reasons_of_change(self, change):
        """Let the visits that a change begins have the reason that came with it."""
        for mark in ("back_reason", "won_reason"):
            for lead in self.filtered(lambda lead, mark=mark: lead.id in change.marks[mark]):
                if mark == "back_reason" and not lead._has_moved_back(change):
                    continue
                move = StageMove("manual", lead[mark], frozenset(lead.ids), lead.stage_id.id)
                change.tokens.insert(0, move)  # first: a token of the server, of an override, says more

    def _clear_won_reason_of_reopened(self, change):
        """Clear the reason of opportunities that are not won any more."""
        reopened = self.filtered(
            lambda lead: lead.won_reason and change.was(lead).get("status") == "won" and lead.won_status != "won"
        )
        if reopened:
            reopened._write_derived({"won_reason": False})
