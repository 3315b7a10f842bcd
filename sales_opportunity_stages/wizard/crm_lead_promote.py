import ast
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_list

from ..models.opportunity.crm_lead_gate import MAX_NAMED_REFUSALS

INPUT_TYPES = {
    *("boolean", "char", "text", "integer", "float", "monetary", "date", "datetime", "selection", "many2one"),
    "many2many",
}


class CrmLeadPromote(models.TransientModel):
    """The dialog of a promotion: what is missing between two stages, and a place to give it.

    It gives nothing that the user could not give elsewhere, and the gate checks the move as any other. One opportunity
    is moved completely or not at all; of several, those move that can.
    """

    _name = "crm.lead.promote"
    _description = "Promote Opportunities"

    lead_ids = fields.Many2many(
        "crm.lead",
        string="Opportunities",
        required=True,
        context={"active_test": False},
        default=lambda self: (
            self.env.context.get("active_ids") if self.env.context.get("active_model") == "crm.lead" else False
        ),
    )
    lead_id = fields.Many2one("crm.lead", compute="_compute_lead_id", help="The one opportunity, if it is one.")
    target_stage_id = fields.Many2one("crm.stage", "Move To", help="Blank: the next stage of each opportunity.")
    is_win = fields.Boolean(help="Each opportunity is won, in the won stage of its own type.")
    line_ids = fields.One2many(
        "crm.lead.promote.line",
        "promote_id",
        "Missing",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    field_values = fields.Json(
        help="Values of fields of the opportunity that rules ask for, as a form would save them."
    )
    heading = fields.Char(compute="_compute_summary")
    ready_summary = fields.Text("Will Move", compute="_compute_summary")
    blocked_summary = fields.Text("Cannot Move", compute="_compute_summary")
    ready_count = fields.Integer(compute="_compute_summary")
    needs_back_reason = fields.Boolean(compute="_compute_needs")
    needs_won_reason = fields.Boolean(compute="_compute_needs")
    needs_order = fields.Boolean(compute="_compute_needs")
    reason = fields.Char(help="Why the opportunity moves back, or why it was won. It is logged.")

    @api.depends("lead_ids")
    def _compute_lead_id(self):
        for wizard in self:
            leads = wizard.lead_ids._origin
            wizard.lead_id = leads if len(leads) == 1 else False

    @api.depends("lead_ids", "target_stage_id", "is_win")
    def _compute_line_ids(self):
        for wizard in self:
            commands = [fields.Command.clear()]
            for lead, rules in wizard._get_missing().items():
                commands += [fields.Command.create({"lead_id": lead.id, "rule_id": rule.id}) for rule in rules]
            wizard.line_ids = commands

    @api.depends("lead_ids", "target_stage_id", "is_win")
    def _compute_summary(self):
        for wizard in self:
            moves, missing = wizard._get_moves(), wizard._get_missing()
            ready = [lead.name for lead, target in moves.items() if target and lead not in missing]
            wizard.ready_count = len(ready)
            wizard.ready_summary = "\n".join(ready[:MAX_NAMED_REFUSALS]) if len(moves) > 1 else False
            blocked = [
                self.env._("%(lead)s — %(todo)s", lead=lead.name, todo=lead._format_missing_rules(rules))
                for lead, rules in missing.items()
            ]
            blocked += [lead._get_promotion_obstacle() for lead, target in moves.items() if not target]
            wizard.blocked_summary = "\n".join(blocked) if len(moves) > 1 else False
            wizard.heading = wizard._get_heading(moves)

    def _get_heading(self, moves):
        """Return the stages from and to, or how many opportunities are to move."""
        if len(moves) != 1:
            return self.env._("Move %s opportunities", len(moves))
        ((lead, target),) = moves.items()
        return self.env._(
            "Move from %(origin)s to %(target)s", origin=lead.stage_id.name or "", target=target.name or ""
        )

    @api.depends("lead_ids", "target_stage_id", "is_win")
    def _compute_needs(self):
        for wizard in self:
            needs = set()
            for lead, target in wizard._get_moves().items():
                needs |= lead._get_needs_of_move(target)
            wizard.needs_back_reason = "require_back_reason" in needs
            wizard.needs_won_reason = "require_won_reason" in needs
            wizard.needs_order = "require_won_order" in needs

    # ------------------------------------------------------------
    # What is to move
    # ------------------------------------------------------------

    def _get_moves(self):
        """Return ``{opportunity: the stage that it is to move to}``, which is empty where there is none."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        moves = {}
        for lead in self.lead_ids._origin:
            target = self.target_stage_id._origin
            if not target and lead._is_promotable():
                target = lead._get_next_stage()
            if self.is_win:
                won_id = stage_map.won_stage(lead.opportunity_type_id.id, lead.team_id.id)
                target = target.browse(won_id or ())
            moves[lead] = target
        return moves

    def _get_missing(self):
        """Return ``{opportunity: its missing rules}``, in the order of the stages."""
        moves = {lead: (lead.stage_id.id, target.id) for lead, target in self._get_moves().items() if target}
        # sudo: rules hold for everybody alike; the opportunities are the user's
        refusals = (
            self.env["crm.lead"]
            .concat(*moves)
            .sudo()
            ._get_gate_refusals({lead.sudo(): move for lead, move in moves.items()})
        )
        return {refusal.lead.sudo(False): refusal.rules.sudo(False) for refusal in refusals}

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_promote(self):
        """Save what was given and move, in one transaction. Of several opportunities, move those that can.

        With ``save_only`` in the context, save without moving.

        :raise UserError: naming what still remains; nothing is saved then
        :returns: the action that closes the dialog
        """
        self.ensure_one()
        self.lead_ids.check_access("write")
        if self.env.context.get("save_only"):
            return self._save_answers()
        moves = self._get_moves()
        if not moves:
            raise UserError(self.env._("Choose the opportunities to promote."))
        with self._saying_what_remains(), self.env.cr.savepoint():
            self._give_answers()
            if len(moves) == 1:
                self._move_one(*next(iter(moves.items())))
                return self._get_closing_action(self.lead_ids)
        return self._move_several(moves)

    def _save_answers(self):
        """Save what was given without moving.

        :returns: the action that closes the dialog
        """
        with self._saying_what_remains(), self.env.cr.savepoint():
            self._give_answers(may_move=False)
        return self._get_closing_action(self.lead_ids.browse())

    def _saying_what_remains(self):
        """Return a block whose refusals do not open this dialog again."""
        return self.env["crm.lead"]._without_dialog()

    def _get_closing_action(self, moved):
        action = {"type": "ir.actions.act_window_close", "infos": {"promoted": True}}
        message = len(moved) == 1 and moved.get_rainbowman_message()
        if message:
            action["effect"] = {"fadeout": "slow", "message": message, "type": "rainbow_man"}
        return action

    # ------------------------------------------------------------
    # Moving
    # ------------------------------------------------------------

    def _move_one(self, lead, target):
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        if not target:
            target = lead._get_promotion_target()
        is_back = stage_map.rank(target.id) < stage_map.rank(lead.stage_id.id)
        moves_back = bool(is_back and self.needs_back_reason)
        if is_back and not moves_back and any(line.resolution == "done" for line in self.line_ids):
            return  # what was done has promoted it past the stage
        if lead.stage_id != target:
            lead.write({"stage_id": target.id, **self._get_reasons(lead, target)})

    def _get_reasons(self, lead, target):
        reason = (self.reason or "").strip()
        needs = lead._get_needs_of_move(target) if reason else set()
        values = {"require_back_reason": "back_reason", "require_won_reason": "won_reason"}
        return {values[need]: reason for need in needs & values.keys()}

    def _move_several(self, moves):
        """Move those that can, a stage at once; where that fails, one by one."""
        missing = self._get_missing()
        by_target, failed = defaultdict(self.env["crm.lead"].browse), {}
        for lead, target in moves.items():
            if lead in missing or not target:
                failed[lead] = (
                    lead._format_missing_rules(missing[lead]) if lead in missing else lead._get_promotion_obstacle()
                )
            else:
                by_target[target] += lead
        moved = self.env["crm.lead"]
        for target, leads in by_target.items():
            moved += self._move_together(leads, target, failed)
        if not moved:
            raise UserError(self._get_failures(failed))
        return self._get_report_action(moved, failed)

    def _move_together(self, leads, target, failed):
        """Return the opportunities that have moved; add the others to ``failed`` with the reason."""
        try:
            with self.env.cr.savepoint():
                for values, group in leads.grouped(lambda lead: tuple(self._get_reasons(lead, target).items())).items():
                    group.write({"stage_id": target.id, **dict(values)})
            return leads
        except UserError as error:
            if len(leads) == 1:
                failed[leads] = error.args[0]
                return leads.browse()
        return leads.browse().concat(*(self._move_together(lead, target, failed) for lead in leads))

    def _get_failures(self, failed):
        lines = [
            self.env._("%(lead)s — %(todo)s", lead=lead.name, todo=reason or self.env._("There is no next stage."))
            for lead, reason in list(failed.items())[:MAX_NAMED_REFUSALS]
        ]
        if len(failed) > MAX_NAMED_REFUSALS:
            lines.append(self.env._("… and %s more.", len(failed) - MAX_NAMED_REFUSALS))
        return "\n".join([self.env._("%s opportunities were not moved:", len(failed)), *lines])

    def _get_report_action(self, moved, failed):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if failed else "success",
                "title": self.env._("%s opportunities moved", len(moved)),
                "message": self._get_failures(failed) if failed else format_list(self.env, moved.mapped("name")[:10]),
                "sticky": bool(failed),
                "next": {"type": "ir.actions.act_window_close", "infos": {"promoted": True}},
            },
        }

    # ------------------------------------------------------------
    # Giving what was missing
    # ------------------------------------------------------------

    def _give_answers(self, may_move=True):
        """Write fields, attach documents, sign off and complete actions, with the rights of the user.

        An action of a later stage is done in that stage, so the opportunity moves there first.
        """
        if self.field_values and self.lead_id:
            self.lead_id.write(self._get_field_values())
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        lines = self.line_ids.filtered("rule_id")
        for line in lines:
            line._give_document()
            line._give_signoff()
        actions = lines.filtered(lambda line: line.kind == "action" and line.resolution)
        for line in actions.sorted(lambda line: (stage_map.rank(line.rule_id.stage_id.id), line.rule_id.promotes)):
            line._give_action(may_move)

    def _get_field_values(self):
        """Return what the dialog writes on the opportunity.

        :raise AccessError: for a field that no missing rule asks for
        """
        asked = {line.info.get("field") for line in self.line_ids if line.info and line.info.get("is_input")}
        values = self.field_values if isinstance(self.field_values, dict) else {}
        others = values.keys() - asked
        if others:
            raise AccessError(
                self.env._("The dialog cannot write %s. Open the opportunity to change it.", ", ".join(sorted(others)))
            )
        return values


class CrmLeadPromoteLine(models.TransientModel):
    """One missing rule of one opportunity, and what the user gives for it."""

    _name = "crm.lead.promote.line"
    _inherit = ["sales.dialog.line.mixin"]
    _told_field = "lead_id"
    _description = "Missing Rule of a Promotion"

    promote_id = fields.Many2one("crm.lead.promote", required=True, ondelete="cascade")
    lead_id = fields.Many2one("crm.lead", required=True, ondelete="cascade")
    rule_id = fields.Many2one("crm.stage.rule", required=True, ondelete="cascade")
    kind = fields.Selection(related="rule_id.kind")
    info = fields.Json(compute="_compute_info", help="What the dialog shows of the rule.")
    resolution = fields.Selection(
        [("done", "Mark Done"), ("schedule", "Schedule"), ("request", "Request"), ("sign", "Sign Off")],
        help="What the dialog does for the rule. Blank: nothing.",
    )
    feedback = fields.Text(help="Feedback of the action, or comment of the sign-off.")
    date_deadline = fields.Date("Due Date", default=fields.Date.context_today)
    attachment_ids = fields.Many2many("ir.attachment", string="Documents")

    @api.depends("lead_id", "rule_id")
    @api.depends_context("uid", "lang")
    def _compute_info(self):
        for line in self:
            line.info = line._prepare_info() if line.rule_id and line.lead_id else False

    def _prepare_info(self):
        # sudo: rules and what of them is met are no secret to whoever works on the opportunity
        lead, rule = self.lead_id._origin.sudo(), self.rule_id._origin.sudo()
        lead_of_user = self.lead_id._origin
        info = {
            "label": rule.display_name,
            "stage": rule.stage_id.name,
            "evidence": rule.evidence,
            "is_upload": rule.activity_type_id.category == "upload_file",
            "document_name": rule.document_name or False,
            "document_tag": rule.document_tag or False,
            "lead": lead.name,
            "target": rule.kind in ("condition", "field") and lead_of_user._get_condition_target(rule),
        }
        if rule.kind == "signoff":
            signers = lead._get_signers(rule)
            info["can_sign"] = self.env.user in signers
            info["signers"] = format_list(self.env, signers[:5].mapped("name")) if signers else ""
            info["is_requested"] = bool(lead._get_signoff_activities(rule))
        name = info["target"] and info["target"].get("field")
        return {**info, **(lead_of_user._get_input_of_field(name) if name else {})}

    # ------------------------------------------------------------
    # Giving
    # ------------------------------------------------------------

    def _give_document(self):
        """Attach to the opportunity what was uploaded to the dialog for a document rule."""
        if self.kind != "document" or not self.attachment_ids:
            return
        self.lead_id.check_access("write")
        attachments = self._get_own_attachments()
        values = {"res_model": "crm.lead", "res_id": self.lead_id.id}
        if self.rule_id.document_tag:
            values["description"] = self.rule_id.document_tag
        attachments.write(values)

    def _get_own_attachments(self):
        """Return the uploaded documents.

        :raise AccessError: for a document that was not uploaded here by the user
        """
        # sudo: only where the document belongs is read
        for attachment in self.attachment_ids.sudo():
            if attachment.res_model not in (False, self._name) or attachment.create_uid != self.env.user:
                raise AccessError(self.env._("Upload the document '%s' in the dialog.", attachment.name))
        return self.attachment_ids

    def _give_signoff(self):
        if self.kind == "signoff" and self.resolution == "sign":
            self.lead_id.action_sign_off(self.rule_id.id, self.feedback)
        elif self.kind == "signoff" and self.resolution == "request":
            self.lead_id.action_request_signoff(self.rule_id.id)

    def _give_action(self, may_move):
        lead, stage_map = self.lead_id, self.env["crm.opportunity.type"]._get_stage_map()
        stage = self.rule_id.stage_id
        if may_move and stage_map.rank(lead.stage_id.id) < stage_map.rank(stage.id):
            lead.write({"stage_id": stage.id})
        if self.resolution == "schedule":
            lead.activity_schedule(
                activity_type_id=self.rule_id.activity_type_id.id,
                user_id=self.env.uid,
                date_deadline=self.date_deadline,
                automated=False,
            )
        elif self.resolution == "done":
            attachments = self._get_own_attachments()
            lead.action_complete_rule(self.rule_id.id, self.feedback, attachments.ids or None)


class CrmLead(models.Model):
    """What the dialog has to know of fields of an opportunity."""

    _inherit = "crm.lead"

    def _get_input_of_field(self, name):
        """Return how the dialog lets the user fill in a field, empty where the opportunity's own form has to.

        :returns: ``{"field", "is_input", "needed_fields"}``
        """
        field = self._fields[name]
        is_writable = (
            field.type in INPUT_TYPES
            and not field.readonly
            and name not in self._get_system_fields() | self._get_derived_fields()
            and self._has_field_access(field, "write")
            and self.has_access("write")
        )
        if not is_writable:
            return {"field": name, "is_input": False}
        needed = {field.get_currency_field(self)} if field.type == "monetary" else set()
        domain = field._description_domain(self.env) if field.relational else ""
        if isinstance(domain, str) and domain:
            needed |= {node.id for node in ast.walk(ast.parse(domain, mode="eval")) if isinstance(node, ast.Name)}
        return {"field": name, "is_input": True, "needed_fields": sorted(needed & self._fields.keys() - {name})}
