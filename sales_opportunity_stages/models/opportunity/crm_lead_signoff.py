from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...tools import UnruledActivity

SIGNOFF_ACTIVITY = "sales_opportunity_stages.mail_activity_type_signoff"
MAX_ASKED = 10


class CrmLead(models.Model):
    """Sign-offs: a member of a group or the team leader confirms, with a comment, what a stage requires."""

    _inherit = "crm.lead"

    signoff_ids = fields.One2many("crm.stage.rule.signoff", "lead_id", string="Sign-Offs", readonly=True, copy=False)

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"signoff_ids"}

    # ------------------------------------------------------------
    # Signing off
    # ------------------------------------------------------------

    def action_sign_off(self, rule_id, comment):
        """Confirm a sign-off rule for this opportunity, as the user who asks.

        :param int rule_id: a ``crm.stage.rule`` of kind ``signoff``
        :param str comment: what is confirmed; required
        :raise AccessError: for anybody who may not sign off, the salesperson among them
        :raise UserError: without a comment, or for a rule that is no sign-off
        """
        self.ensure_one()
        self.check_access("read")
        rule = self._get_signoff_rule(rule_id)
        comment = (comment or "").strip()
        if not comment:
            raise UserError(
                self.env._(
                    "Add a comment to sign off '%(rule)s' on '%(lead)s'.", rule=rule.display_name, lead=self.name
                )
            )
        self._check_may_sign_off(rule)
        if not self._get_valid_signoffs(rule):
            self._store_signoff(rule, comment)
        return True

    def _store_signoff(self, rule, comment):
        self.env["crm.stage.rule.signoff"]._as_ledger().create(
            {"lead_id": self.id, "rule_id": rule.id, "user_id": self.env.uid, "comment": comment}
        )
        # sudo: what follows from a sign-off does not depend on what the signer may write
        lead = self.sudo()
        lead._message_log(
            body=self.env._(
                "%(user)s signed off '%(rule)s': %(comment)s",
                user=self.env.user.name,
                rule=rule.display_name,
                comment=comment,
            )
        )
        lead._get_signoff_activities(rule).unlink()
        lead._requirements_changed()

    @api.model
    def _get_signoff_rule(self, rule_id):
        """Return the rule in superuser mode.

        :raise UserError: when it is no sign-off
        """
        # sudo: rules are everybody's, and who signs off is no secret
        rule = self.env["crm.stage.rule"].sudo().browse(rule_id).exists()
        if rule.kind != "signoff":
            raise UserError(self.env._("This rule is no sign-off. Reload the page and choose again."))
        return rule

    def _check_may_sign_off(self, rule):
        """:raise AccessError: naming who may sign off"""
        signers = self._get_signers(rule)
        if self.env.user in signers:
            return
        raise AccessError(
            self.env._(
                "You cannot sign off '%(rule)s' on '%(lead)s'. Nobody signs off an own opportunity or request. "
                "Ask one of: %(signers)s.",
                rule=rule.display_name,
                lead=self.name,
                signers=", ".join(signers[:MAX_ASKED].mapped("name")) or self.env._("a Sales Administrator"),
            )
        )

    def _get_signers(self, rule):
        """Return who may sign off: the members of the group, or the team leader, without salesperson and requester.

        Where the team has no leader who may, Sales Administrators sign off.
        """
        # sudo: who signs off does not depend on what the user may read
        lead = self.sudo()
        requesters = lead._get_signoff_activities(rule).create_uid
        present_visit = lead.stage_visit_ids.filtered(lambda visit: not visit.date_end)
        excluded = lead.user_id | present_visit.user_id | requesters
        if rule.signoff_group_id:
            return rule.signoff_group_id.all_user_ids.filtered("active") - excluded
        leader = lead.team_id.user_id - excluded
        managers = self.env.ref("sales_team.group_sale_manager").sudo().all_user_ids.filtered("active")
        return leader or managers - excluded

    def _get_valid_signoffs(self, rules):
        """Return the sign-offs of these rules that count."""
        # sudo: the ledger is compared as a whole
        signoffs = self.env["crm.stage.rule.signoff"].sudo()
        return signoffs.search(
            [("lead_id", "in", self.ids), ("rule_id", "in", rules.ids), ("withdrawn_date", "=", False)]
        )

    # ------------------------------------------------------------
    # Requesting
    # ------------------------------------------------------------

    def action_request_signoff(self, rule_id):
        """Ask those who may sign off, by an activity for each of them. Who has been asked is not asked again.

        :param int rule_id: a ``crm.stage.rule`` of kind ``signoff``
        :raise UserError: when there is nobody to ask
        """
        self.ensure_one()
        self.check_access("write")
        rule = self._get_signoff_rule(rule_id)
        if self._get_valid_signoffs(rule):
            return True
        signers = (self._get_signers(rule) - self.env.user)[:MAX_ASKED]
        if not signers:
            raise UserError(
                self.env._(
                    "Nobody can sign off '%(rule)s' on '%(lead)s'. A Sales Administrator adds users to the group of "
                    "the rule, or gives the team a leader.",
                    rule=rule.display_name,
                    lead=self.name,
                )
            )
        asked = self._get_signoff_activities(rule).user_id
        self._schedule_signoffs(rule, signers - asked)
        return True

    def _schedule_signoffs(self, rule, signers):
        type_id = self.env["ir.model.data"]._xmlid_to_res_id(SIGNOFF_ACTIVITY, raise_if_not_found=True)
        # sudo: the rule of the activity is a system field, and the signers may be out of the user's sight
        activities = UnruledActivity(counts=False, activity_type_id=type_id).on(self.env["mail.activity"].sudo())
        created = activities.create(
            [
                {
                    "activity_type_id": type_id,
                    "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                    "res_id": self.id,
                    "user_id": signer.id,
                    "summary": rule.display_name,
                    "automated": True,
                }
                for signer in signers
            ]
        )
        if created:
            created._write_derived({"signoff_rule_id": rule.id})
        self._forget_stage_checklist()

    def _get_signoff_activities(self, rule):
        # sudo: the request is found, whoever asks
        return (
            self.env["mail.activity"]
            .sudo()
            .search([("res_model", "=", "crm.lead"), ("res_id", "in", self.ids), ("signoff_rule_id", "in", rule.ids)])
        )

    # ------------------------------------------------------------
    # Withdrawing
    # ------------------------------------------------------------

    def _withdraw_signoffs_of_change(self, change):
        """Withdraw the sign-offs of an opportunity that has moved back: those of its stage and of later ones."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        if "signoff" not in stage_map.rule_kinds:
            return
        back = self.filtered(lambda lead: lead._has_moved_back(change))
        rules = {
            lead: [
                rule.id
                for rule in stage_map.rules_by_id.values()
                if rule.kind == "signoff" and stage_map.rank(rule.stage_id) >= stage_map.rank(lead.stage_id.id)
            ]
            for lead in back
        }
        signoffs = back._get_valid_signoffs(self.env["crm.stage.rule"].browse(stage_map.rules_by_id))
        withdrawn = signoffs.filtered(lambda signoff: signoff.rule_id.id in rules[signoff.lead_id])
        if withdrawn:
            withdrawn._as_ledger().write({"withdrawn_date": fields.Datetime.now()})
            back._forget_stage_checklist()

    def _has_moved_back(self, change):
        """Return whether a change has brought this opportunity to an earlier stage of the same type."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        was = change.was(self).get("stage")
        return bool(
            was
            and self.type == "opportunity"
            and was.type_id == self.opportunity_type_id.id
            and stage_map.rank(self.stage_id.id) < stage_map.rank(was.stage_id)
        )
