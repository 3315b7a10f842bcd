from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...tools import ActivityChain, UnruledActivity


class MailActivity(models.Model):
    """Activities are the actions of the stage rules. Each knows the stay in which it was scheduled, and the one in
    which it was done; both are set here and believed from nobody else."""

    _name = "mail.activity"
    _inherit = ["mail.activity", "sales.system.fields.mixin"]

    stage_visit_id = fields.Many2one(
        "crm.stage.visit",
        string="Scheduled in Visit",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    done_visit_id = fields.Many2one(
        "crm.stage.visit",
        string="Done in Visit",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    done_user_id = fields.Many2one("res.users", string="Done By", readonly=True, copy=False)
    signoff_rule_id = fields.Many2one(
        "crm.stage.rule", "Sign-Off Requested", readonly=True, copy=False, index="btree_not_null", ondelete="cascade"
    )
    stage_id = fields.Many2one("crm.stage", compute="_compute_stage_id")
    allowed_activity_type_ids = fields.Many2many(
        "mail.activity.type", compute="_compute_allowed_activity_type_ids", string="Allowed Activity Types"
    )

    @api.depends("res_model", "res_id")
    def _compute_allowed_activity_type_ids(self):
        for activity in self:
            lead = self.env["crm.lead"].browse((activity.res_model == "crm.lead" and activity.res_id) or ())
            activity.allowed_activity_type_ids = self._get_types_allowed_on(activity.res_model, lead)

    @api.depends("stage_visit_id.stage_id", "done_visit_id.stage_id")
    def _compute_stage_id(self):
        """The stage in which it was done, or for which it is planned."""
        for activity in self:
            activity.stage_id = (activity.done_visit_id or activity.stage_visit_id).stage_id

    @api.model
    def _get_types_allowed_on(self, res_model, leads):
        """The activity types to choose from: on opportunities those allowed on every one of them."""
        types = self.env["mail.activity.type"].search([("res_model", "in", (False, res_model))])
        # sudo: what the stage lists; the assignee may not read the opportunity
        for lead in leads.sudo().exists() if res_model == "crm.lead" else ():
            types &= lead._get_allowed_activity_types()
        return types.sudo(False)

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {
            *("stage_visit_id", "done_visit_id", "done_user_id"),
            "signoff_rule_id",
        }

    @api.model
    def _get_checked_fields(self):
        return super()._get_checked_fields() | {"activity_type_id", "res_id", "res_model_id", "res_model", "active"}

    @api.model_create_multi
    def create(self, vals_list):
        self = self._without_system_defaults()
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_system_fields(vals)
        chain = ActivityChain.of(self)
        if chain:
            vals_list = [vals for vals in vals_list if self._is_allowed_or_defer(vals, chain)]
        activities = super().create(vals_list)
        activities._settle_in_stage()
        activities.filtered(lambda activity: not activity.active)._complete_in_stage()
        return activities

    def write(self, vals):
        vals = dict(vals)
        if self._is_derived_write(vals):
            return super().write(vals)
        self._check_system_fields(vals)
        moved = bool(vals.keys() & {"activity_type_id", "res_id", "res_model_id", "res_model"})
        if moved:
            self._check_not_done()
        completed = self.browse()
        if "active" in vals:
            completed = self.filtered("active") if not vals["active"] else completed
            reopened = self.filtered(lambda activity: not activity.active) if vals["active"] else self.browse()
            reopened._write_stage_fields({"done_visit_id": False, "done_user_id": False})
        result = super().write(vals)
        if moved:
            # sudo: no more than its own fields, after the write has checked access
            done = self.sudo().filtered(lambda activity: not activity.active)
            (self - done)._settle_in_stage()
            done._write_stage_fields({"stage_visit_id": False, "done_visit_id": False})
        completed._complete_in_stage()
        if vals.keys() & {"feedback", "attachment_ids"}:
            (self - completed)._add_evidence()
        return result

    def unlink(self):
        leads = self._get_opportunities()
        result = super().unlink()
        leads._forget_stage_checklist()
        return result

    def _write_stage_fields(self, vals):
        if self:
            # sudo: system fields, which no user writes
            self.sudo()._write_derived(vals)

    def _check_not_done(self):
        """What was done was done: making another action of it would be a way round the rules."""
        # sudo: a check does not depend on what the user may read
        done = self.sudo().filtered(lambda activity: not activity.active and activity.stage_visit_id)
        if done and not self.env.su:
            self.browse(done.ids).check_access("write")  # or the message would tell of them
            raise UserError(
                self.env._(
                    "'%(activity)s' on '%(document)s' is done and counts in its stage: it cannot be made another "
                    "action. Schedule a new one.",
                    activity=done[0].display_name,
                    document=done[0].res_name,
                )
            )

    def _get_action_key(self):
        """What the activity counts for: (opportunity id, stage id, activity type id)."""
        visit = self.stage_visit_id
        return visit.lead_id.id, visit.stage_id.id, self.activity_type_id.id

    # ------------------------------------------------------------
    # Scheduling
    # ------------------------------------------------------------

    def _get_opportunities(self):
        """The opportunities that these activities are on, in superuser mode: an assignee may not read them all."""
        # sudo: an assignee may not read the opportunity, and the rules hold all the same
        ids = {activity.res_id for activity in self.sudo() if activity.res_model == "crm.lead"}
        return self.env["crm.lead"].sudo().browse(sorted(ids)).exists()

    def _settle_in_stage(self):
        """Refuse what the stage does not allow, and store the stage visit."""
        token = UnruledActivity.of(self)
        unruled = self.filtered(lambda activity: token and token.covers(activity.activity_type_id.id))
        counted = self if not token or token.counts else self - unruled
        # sudo: an assignee may not read the opportunity, and the rules hold all the same
        if not any(activity.res_model == "crm.lead" or activity.stage_visit_id for activity in counted.sudo()):
            return
        leads = counted._get_opportunities()
        (self - unruled)._check_allowed(leads)
        counted._store_stage_visits(leads)
        leads._forget_stage_checklist()

    def _store_stage_visits(self, leads):
        """Store the open visits of the opportunities as those in which the activities are scheduled."""
        visits = leads._get_open_visits()
        by_visit = defaultdict(self.browse)
        # sudo: as _settle_in_stage
        for activity in self.sudo():
            visit = visits.get(activity.res_id) if activity.res_model == "crm.lead" else None
            if activity.stage_visit_id != (visit or activity.stage_visit_id.browse()):
                by_visit[visit] += activity
        for visit, activities in by_visit.items():
            activities._write_stage_fields({"stage_visit_id": visit.id if visit else False})

    def _check_allowed(self, leads):
        """:raise ValidationError: listing what is allowed in the stage"""
        by_id = leads.grouped("id")
        # sudo: an assignee may not read the opportunity, and the rules hold all the same
        for activity in self.sudo().filtered(lambda activity: activity.res_model == "crm.lead"):
            lead = by_id.get(activity.res_id, leads.browse())
            if not lead._allows_activity_type(activity.activity_type_id.id):
                raise ValidationError(
                    self.env._(
                        "'%(activity)s' cannot be scheduled on '%(lead)s' in stage %(stage)s. "
                        "Allowed there: %(allowed)s.",
                        activity=activity.activity_type_id.name or "",
                        lead=lead.name,
                        stage=lead.stage_id.name,
                        allowed=", ".join(lead._get_allowed_activity_types().mapped("name")),
                    )
                )

    # ------------------------------------------------------------
    # Completing
    # ------------------------------------------------------------

    def _complete_in_stage(self):
        """Remember who completed the actions in which stay, and promote the opportunities that are ready."""
        leads = self._get_opportunities()
        if not leads:
            return
        visits = leads._get_open_visits()
        by_visit = defaultdict(self.browse)
        # sudo: an assignee may not read the opportunity, and the rules hold all the same
        for activity in self.sudo().filtered(lambda activity: activity.res_model == "crm.lead"):
            by_visit[visits.get(activity.res_id)] += activity
        for visit, activities in by_visit.items():
            activities._write_stage_fields(
                {"done_visit_id": visit.id if visit else False, "done_user_id": self.env.uid}
            )
        leads._forget_stage_checklist()
        leads._lock_for_promotion()
        leads._promote_automatically(completing=True)

    def _action_done(self, feedback=False, attachment_ids=None):
        """A chained activity that the stage does not allow waits for the promotion; if the stage reached does not
        allow it either, it is left out with a note, and completing goes through."""
        self._sign_off_when_done(feedback)
        self._check_evidence(feedback, attachment_ids)
        chain = ActivityChain()
        activities = chain.on(self)
        messages, next_activities = super(MailActivity, activities)._action_done(
            feedback=feedback, attachment_ids=attachment_ids
        )
        next_activities = next_activities.with_env(self.env)
        for vals in chain.vals_list:
            next_activities += self._schedule_deferred(vals)
        return messages.with_env(self.env), next_activities

    def _is_allowed_or_defer(self, vals, chain):
        if self._is_chained_vals_allowed(vals):
            return True
        chain.vals_list.append(vals)
        return False

    @api.model
    def _is_chained_vals_allowed(self, vals):
        if vals.get("res_model") != "crm.lead":
            return True
        # sudo: an assignee may not read the opportunity, and the rules hold all the same
        lead = self.env["crm.lead"].sudo().browse(vals["res_id"]).exists()
        return lead._allows_activity_type(vals.get("activity_type_id"))

    @api.model
    def _schedule_deferred(self, vals):
        if self._is_chained_vals_allowed(vals):
            return self.create(vals)
        # sudo: an assignee may not read the opportunity; the note is the system's
        lead = self.env["crm.lead"].sudo().browse(vals["res_id"])
        lead._message_log(
            body=self.env._(
                "The next activity, %(activity)s, was not scheduled: stage %(stage)s does not allow it.",
                activity=self.env["mail.activity.type"].browse(vals["activity_type_id"]).name,
                stage=lead.stage_id.name,
            )
        )
        return self.browse()

    # ------------------------------------------------------------
    # Evidence and sign-offs
    # ------------------------------------------------------------

    def _get_evidence_rule(self):
        """Return the :class:`Rule` that asks for evidence of this activity, or None."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        if self.activity_type_id.id not in stage_map.evidence_type_ids:
            return None
        # sudo: an assignee may not read the visit
        rules = stage_map.rules.get(self.sudo().stage_visit_id.stage_id.id, ())
        return next(
            (
                rule
                for rule in rules
                if rule.kind == "action"
                and rule.evidence != "none"
                and rule.activity_type_id == self.activity_type_id.id
            ),
            None,
        )

    def _check_evidence(self, feedback, attachment_ids):
        """Ask for the evidence that the rule of an action requires, and store it before the action counts as done.

        :raise UserError: naming the action and what is missing
        """
        for activity in self:
            rule = activity._get_evidence_rule()
            if not rule:
                continue
            if rule.evidence == "feedback" and not (feedback or activity.feedback or "").strip():
                raise UserError(
                    self.env._(
                        "'%(activity)s' on '%(lead)s' needs feedback. Write what came of it and mark it as done again.",
                        activity=activity.activity_type_id.name or "",
                        lead=activity.res_name or "",
                    )
                )
            if rule.evidence == "attachment" and not (attachment_ids or activity.attachment_ids):
                raise UserError(
                    self.env._(
                        "'%(activity)s' on '%(lead)s' needs an attachment. Attach the document when you mark it as "
                        "done from the checklist.",
                        activity=activity.activity_type_id.name or "",
                        lead=activity.res_name or "",
                    )
                )
            if feedback:
                activity.feedback = feedback

    def _add_evidence(self):
        """Promote what evidence that is added later makes ready."""
        done = self.sudo().filtered(lambda activity: not activity.active)  # sudo: as _complete_in_stage
        if any(activity._get_evidence_rule() for activity in done):
            leads = done._get_opportunities()
            leads._forget_stage_checklist()
            leads._lock_for_promotion()
            leads._promote_automatically(completing=True)

    def _sign_off_when_done(self, feedback):
        """Sign off what an activity asks its assignee for; the feedback is the comment.

        :raise AccessError: for anybody who may not sign off
        """
        # sudo: the rule is a system field
        for activity in self.filtered(lambda activity: activity.sudo().signoff_rule_id and activity.active):
            lead = self.env["crm.lead"].browse(activity.res_id)
            rule = activity.sudo().signoff_rule_id  # sudo: as above
            lead._check_may_sign_off(rule)
            comment = (feedback or "").strip()
            if not comment:
                raise UserError(
                    self.env._(
                        "Add a comment to sign off '%(rule)s' on '%(lead)s'.", rule=rule.display_name, lead=lead.name
                    )
                )
            activity._write_stage_fields({"signoff_rule_id": False})
            if not lead._get_valid_signoffs(rule):
                lead._store_signoff(rule, comment)
