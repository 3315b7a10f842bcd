from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_list

ICONS = {"field": "fa-pencil", "document": "fa-paperclip", "signoff": "fa-certificate"}


class CrmLead(models.Model):
    """The checklist: what the stage asks for, what of it is done, and by whom."""

    _inherit = "crm.lead"

    stage_checklist = fields.Json(compute="_compute_stage_checklist")
    stage_progress = fields.Char(
        compute="_compute_stage_progress", help="Required rules of the stage that are met, of how many."
    )
    stage_outlook = fields.Char(
        compute="_compute_stage_progress", help="What is still required before the next stage, or that nothing is."
    )
    can_promote = fields.Boolean(
        "Ready to Promote",
        compute="_compute_stage_progress",
        search="_search_can_promote",
        help="Open, not in its last stage, and everything that the stage requires is met.",
    )

    @api.depends("stage_id", "opportunity_type_id", "team_id", "type", "active", "won_status", "activity_ids")
    def _compute_stage_checklist(self):
        computes = ("_compute_stage_checklist", "_compute_stage_progress")
        together = [field for field in self._fields.values() if field.compute in computes]
        with self.env.protecting(together, self):  # all of them are set, whichever is asked for
            self._set_stage_checklist()

    def _set_stage_checklist(self):
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        self.stage_checklist = self.stage_progress = self.stage_outlook = self.can_promote = False
        # sudo: rules look at activities and documents that the user may not read; shown is only what is met
        records = {record._origin.sudo(): record for record in self if record._origin}  # a form shows what is saved
        leads = self.sudo().browse().concat(*records)
        leads = leads.filtered(lambda lead: lead.type == "opportunity" and lead.stage_id)
        rules_by_lead = {
            lead: sorted(stage_map.rules_of(lead.stage_id.id), key=lambda rule: not rule.required) for lead in leads
        }
        activities = leads._get_checklist_activities() if any(rules_by_lead.values()) else {}
        done = {key for key, activity in activities.items() if not activity.active}
        met = leads._get_met_rules({rule for rules in rules_by_lead.values() for rule in rules}, done)
        for lead, rules in rules_by_lead.items():
            items = [lead._prepare_checklist_item(rule, met, activities) for rule in rules]
            lead._add_signoffs_to_checklist(items, records[lead])
            required = [item for item in items if item["required"]]
            done = [item for item in required if item["state"] == "done"]
            record = records[lead]
            if record._has_unsaved_stage(lead):
                record.stage_checklist = {"unsaved_stage": record.stage_id.name, "items": []}
                continue
            record.stage_progress = f"{len(done)}/{len(required)}" if required else False
            record.can_promote = len(done) == len(required) and lead._is_promotable()
            record.stage_checklist = checklist = lead._prepare_checklist(items, record.can_promote)
            record.stage_outlook = bool(required) and lead._get_stage_outlook(record.can_promote, checklist["missing"])

    @api.depends("stage_id", "opportunity_type_id", "team_id", "type", "active", "won_status", "activity_ids")
    def _compute_stage_progress(self):
        """Compute what cards show, without the checklist itself; a form shows that too."""
        if len(self) == 1:
            self._compute_stage_checklist()
            return
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        self.stage_progress = self.stage_outlook = self.can_promote = False
        # sudo: rules look at activities and documents that the user may not read; shown is only what is met
        records = {record._origin.sudo(): record for record in self if record._origin and record.type == "opportunity"}
        rules = {lead: stage_map.rules_of(lead.stage_id.id, required=True) for lead in records if lead.stage_id}
        leads = self.sudo().browse().concat(*rules)
        met = leads._get_met_rules({rule for required in rules.values() for rule in required})
        labels = self.env["crm.opportunity.type"]._get_labels()["crm.stage.rule"]
        for lead, required in rules.items():
            missing = [rule.id for rule in required if (lead.id, rule.id) not in met]
            record = records[lead]
            record.stage_progress = f"{len(required) - len(missing)}/{len(required)}" if required else False
            record.can_promote = not missing and lead._is_promotable()
            names = [labels.get(rule_id, "") for rule_id in missing]
            record.stage_outlook = bool(required) and lead._get_stage_outlook(record.can_promote, names)

    def _is_promotable(self):
        return self.won_status == "pending" and self.active and bool(self._get_next_stage())

    def _has_unsaved_stage(self, saved):
        """Whether a form shows another stage or type than is saved: their checklist is not known before saving."""
        return (self.stage_id.id, self.opportunity_type_id.id) != (saved.stage_id.id, saved.opportunity_type_id.id)

    def _get_stage_outlook(self, can_promote, missing):
        """Return what a card says of the next stage.

        :param missing: names of the required rules that are not met
        """
        if can_promote:
            names = self.env["crm.opportunity.type"]._get_labels()["crm.stage"]
            return self.env._("Ready for %s", names.get(self._get_next_stage().id, ""))
        return bool(missing) and self.env._("Still required: %s", format_list(self.env, missing))

    def _forget_stage_checklist(self):
        """The checklist hangs on conditions, which may read anything: what is in the cache is never to be trusted."""
        names = ["stage_checklist", "stage_progress", "stage_outlook", "can_promote"]
        self.env["crm.lead"].invalidate_model(names, flush=False)

    def _get_checklist_activities(self):
        """``{(lead id, stage id, activity type id): activity}``: done ones, else the next planned one."""
        # sudo: actions of others count, and their assignee and date are told to whoever works on it
        activities = (
            self.env["mail.activity"]
            .sudo()
            .with_context(active_test=False)
            .search_fetch(
                [("stage_visit_id.lead_id", "in", self.ids)],
                [
                    *("stage_visit_id", "activity_type_id", "active", "user_id", "date_deadline"),
                    *("done_user_id", "date_done"),
                ],
            )
        )
        planned = activities.filtered("active").sorted(lambda activity: (activity.date_deadline, activity.id))
        done = (activities - planned).sorted("id")
        return {activity._get_action_key(): activity for activity in [*reversed(planned), *done]}

    def _prepare_checklist(self, items, can_promote):
        """The JSON that the form's widget shows."""
        next_stage = self._get_next_stage()
        (self.stage_id | next_stage).fetch(["name"])
        return {
            "stage": self.stage_id.name,
            "next_stage": next_stage.name or False,
            "can_promote": can_promote,
            "is_open": self.won_status == "pending" and self.active,
            "missing": [item["label"] for item in items if item["required"] and item["state"] != "done"],
            "items": items,
        }

    def _prepare_checklist_item(self, rule, met, activities):
        """One line of the checklist. ``state`` is ``done``, ``scheduled`` or ``todo``."""
        # sudo: rules are everybody's; the name of an activity type is no secret
        record = self.env["crm.stage.rule"].sudo().browse(rule.id).with_prefetch(self._get_rule_ids())
        activity = activities.get((self.id, rule.stage_id, rule.activity_type_id)) if rule.kind == "action" else None
        is_done = (self.id, rule.id) in met
        item = {
            "id": rule.id,
            "label": record.display_name,
            "kind": rule.kind,
            "required": rule.required,
            "promotes": rule.promotes,
            "state": "done" if is_done else "scheduled" if activity else "todo",
            "activity_type_id": rule.activity_type_id,
            "icon": record.activity_type_id.icon or ICONS.get(rule.kind, False),
            "evidence": rule.evidence,
            "activity_id": False,
            "is_upload": record.activity_type_id.category == "upload_file",
            "field": rule.field_name if rule.kind == "field" else False,
            "document_name": rule.document_name or False,
            "document_tag": rule.document_tag or False,
            "user": False,
            "date": False,
            "comment": False,
            "target": not is_done and rule.kind in ("condition", "field") and self._get_condition_target(record),
        }
        if activity:
            user = activity.done_user_id if is_done else activity.user_id
            date = activity.date_done if is_done else activity.date_deadline
            item.update(activity_id=activity.id, user=user.name or False, date=fields.Date.to_string(date) or False)
        if activity and not activity.active and not is_done:
            item["state"] = "todo"  # done without the evidence that the rule requires
            item["activity_id"] = False
        return item

    def _add_signoffs_to_checklist(self, items, record):
        """Add to the items of sign-offs who has given them, who has been asked, and whether the user may give them."""
        by_rule = {item["id"]: item for item in items if item["kind"] == "signoff"}
        rules = self.env["crm.stage.rule"].browse(by_rule)
        for signoff in self._get_valid_signoffs(rules) if by_rule else ():
            by_rule[signoff.rule_id.id].update(
                user=signoff.user_id.name, date=fields.Date.to_string(signoff.date), comment=signoff.comment
            )
        for rule in rules:
            item = by_rule[rule.id]
            asked = self._get_signoff_activities(rule) if item["state"] != "done" else self.env["mail.activity"]
            item["can_sign"] = item["state"] != "done" and record.env.user in self._get_signers(rule)
            if asked:
                item.update(state="scheduled", user=format_list(self.env, asked.user_id.mapped("name")))

    # ------------------------------------------------------------
    # Meeting a rule from the checklist
    # ------------------------------------------------------------

    def action_complete_rule(self, rule_id, feedback=False, attachment_ids=None):
        """Mark the action of a rule as done: the planned activity, or else one that is scheduled for now.

        :param int rule_id: a ``crm.stage.rule`` of kind ``action`` of the present stage
        :raise UserError: when the rule is of another stage, or without the evidence that it requires
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: rules are everybody's
        rule = self.env["crm.stage.rule"].sudo().browse(rule_id).exists()
        if rule.kind != "action" or rule.stage_id != self.stage_id:
            raise UserError(
                self.env._(
                    "'%(rule)s' is no action of stage %(stage)s. Reload the page and choose again.",
                    rule=rule.display_name or "",
                    stage=self.stage_id.name,
                )
            )
        planned = self.activity_ids.filtered(
            lambda activity: (
                activity.activity_type_id == rule.activity_type_id and activity.stage_visit_id.stage_id == rule.stage_id
            )
        )[:1]
        activity = planned or self.activity_schedule(
            activity_type_id=rule.activity_type_id.id, user_id=self.env.uid, automated=False
        )
        attachments = self._take_loose_attachments(attachment_ids or ())
        activity.action_feedback(feedback=feedback, attachment_ids=attachments.ids or None)
        return True

    def _take_loose_attachments(self, attachment_ids):
        """Attach to the opportunity what the user has uploaded and is attached to nothing yet.

        :returns: the attachments
        """
        attachments = self.env["ir.attachment"].browse(attachment_ids).exists()
        attachments.check_access("read")
        loose = attachments.filtered(lambda attachment: not attachment.res_id)
        if loose:
            loose.write({"res_model": self._name, "res_id": self.id})
        return attachments

    @api.model
    def _get_rule_ids(self) -> tuple:
        """Return the ids of all rules, which are few and read together."""
        rules = self.env["crm.opportunity.type"]._get_stage_map().rules
        return tuple(rule.id for stage_rules in rules.values() for rule in stage_rules)

    def _get_condition_target(self, rule):
        """Return where the form lets the user meet a condition: a field to fill in or a method to call.

        :param rule: a ``crm.stage.rule``
        :returns: ``{"field" or "method": name, "label": what to show}``, or False
        """
        name = next((name for name in rule._get_condition_fields() if name in self._fields), False)
        if rule.kind == "field":
            name = rule.field_id.name
        if name in self._get_order_fields():
            label = self.env._("View Quotations") if self.order_ids else self.env._("New Quotation")
            return {
                "method": "action_view_sale_quotation" if self.order_ids else "action_sale_quotations_new",
                "label": label,
            }
        if name == "expected_revenue" and self.opportunity_line_ids:
            name = "opportunity_line_ids"  # the revenue follows from the lines
        return name and {"field": name, "label": self._fields[name]._description_string(self.env)}

    @api.model
    def _get_order_fields(self):
        """Fields of an opportunity that change with its quotations and orders."""
        return {"order_ids", "quotation_count", "sale_order_count", "sale_amount_total"}

    # ------------------------------------------------------------
    # Search
    # ------------------------------------------------------------

    def _search_can_promote(self, operator, value):
        if operator not in ("in", "=") or value not in (True, {True}, [True]):
            return NotImplemented
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        # sudo: as the gate: rules do not depend on what the user may read. Only ids of opportunities come of it
        Rule = self.env["crm.stage.rule"].sudo()
        ready = Domain.OR(
            Domain("stage_id", "=", stage_id) & Domain.AND(Rule._get_met_domain(rule) for rule in rules)
            for stage_id in stage_map.rules
            if (rules := stage_map.rules_of(stage_id, required=True))
        )
        unruled = Domain("stage_id", "not in", [s for s in stage_map.rules if stage_map.rules_of(s, required=True)])
        return (ready | unruled) & self._get_promotable_domain()

    @api.model
    def _get_promotable_domain(self):
        """Open opportunities that have a stage to go to."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        open_domain = Domain(
            [
                ("type", "=", "opportunity"),
                ("won_status", "=", "pending"),
                ("active", "=", True),
                ("stage_id", "!=", False),
            ]
        )
        with_stages = sorted({team_id for stage in stage_map.stages.values() for team_id in stage.team_ids})
        teams = [(team_id, Domain("team_id", "=", team_id)) for team_id in with_stages]
        teams.append((None, Domain("team_id", "not in", with_stages)))  # all others go through the same stages
        dead_ends = Domain.OR(
            Domain([("opportunity_type_id", "=", type_id), ("stage_id", "=", path[-1])]) & team_domain
            for type_id in stage_map.types
            for team_id, team_domain in teams
            if (path := stage_map.path(type_id, team_id)) and not stage_map.stages[path[-1]].is_won
        )
        return open_domain & ~dead_ends
