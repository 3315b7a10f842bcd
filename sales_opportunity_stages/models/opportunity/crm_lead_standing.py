import logging
from bisect import bisect_right
from collections import defaultdict
from datetime import datetime, time, timedelta

import pytz
from psycopg2 import Error

from odoo import api, fields, models, tools
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import UnruledActivity

_logger = logging.getLogger(__name__)

BATCH_SIZE = 200
STANDING_ACTIVITY = "sales_opportunity_stages.mail_activity_type_standing"
SMALLEST_SAMPLE = 4


class CrmLead(models.Model):
    """Opportunities that stand still: reminders by working days, snoozing them, and the next activity."""

    _inherit = "crm.lead"

    snooze_until = fields.Date(
        "Snoozed Until",
        copy=False,
        tracking=True,
        help="No reminder of this stage is sent before this day. Needs a reason. Blank: reminders are sent.",
    )
    snooze_reason = fields.Char(copy=False, help="Why the reminders are snoozed.")
    snooze_count = fields.Integer(
        "Times Snoozed", readonly=True, copy=False, help="How often the reminders were snoozed in the present stage."
    )
    needs_activity = fields.Boolean(
        "No Next Activity",
        compute="_compute_needs_activity",
        search="_search_needs_activity",
        help="Open, without a planned activity, and its type requires one.",
    )
    stage_pace = fields.Char(
        "Pace", compute="_compute_stage_pace", help="Days in the stage, and how long won opportunities took there."
    )

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"snooze_count"}

    @api.model
    def _get_compared_fields(self):
        return super()._get_compared_fields() | {"snooze_until"}

    def _get_snapshot(self):
        return super()._get_snapshot() | {"snooze": self.snooze_until}

    # ------------------------------------------------------------
    # Snoozing
    # ------------------------------------------------------------

    def _get_newly_snoozed(self, change):
        """Return the opportunities that a change has snoozed, or snoozed until another day."""
        return self.filtered(lambda lead: lead.snooze_until and lead.snooze_until != change.was(lead).get("snooze"))

    def _check_snooze_of_change(self, change):
        """Refuse to snooze without a reason, into the past, or more often than the type allows.

        :raise UserError: naming the opportunity and what to do instead
        """
        for lead in self._get_newly_snoozed(change):
            limit = lead.opportunity_type_id.snooze_limit
            values = {"lead": lead.name, "count": limit, "stage": lead.stage_id.name or ""}
            if lead.type != "opportunity" or lead.won_status != "pending":
                raise UserError(self.env._("'%(lead)s' is not open: there is nothing to snooze.", **values))
            if not (lead.snooze_reason or "").strip():
                raise UserError(self.env._("'%(lead)s' cannot be snoozed without a reason. Give the reason.", **values))
            if lead.snooze_until <= fields.Date.today():
                raise UserError(self.env._("'%(lead)s' can be snoozed until a later day only. Choose one.", **values))
            if limit and lead.snooze_count >= limit:
                raise UserError(
                    self.env._(
                        "'%(lead)s' has been snoozed %(count)s times in %(stage)s, which is the limit. Plan the next "
                        "activity, move the opportunity or lose it.",
                        **values,
                    )
                )

    def _record_snooze_of_change(self, change):
        """Count the snoozes; start again where the opportunity is in another stage now."""
        snoozed = self._get_newly_snoozed(change)
        for lead in snoozed:
            lead._write_derived({"snooze_count": lead.snooze_count + 1})
        if snoozed:
            snoozed._forget_reminders()
        moved = (self - snoozed).filtered(
            lambda lead: (
                (lead.snooze_count or lead.snooze_until)
                and lead.id not in change.created_ids
                and (change.was(lead).get("stage") or (0, 0))[1] != lead.stage_id.id
            )
        )
        if moved:
            moved._write_derived({"snooze_count": 0, "snooze_until": False, "snooze_reason": False})

    def _forget_reminders(self):
        """Delete the reminders of the present stage, which come again after the snooze."""
        type_id = self.env["ir.model.data"]._xmlid_to_res_id(STANDING_ACTIVITY, raise_if_not_found=True)
        # sudo: reminders belong to others too
        self.env["mail.activity"].sudo().search(
            [("res_model", "=", "crm.lead"), ("res_id", "in", self.ids), ("activity_type_id", "=", type_id)]
        ).unlink()
        visits = self.env["crm.stage.visit"].sudo().search([("lead_id", "in", self.ids), ("date_end", "=", False)])
        visits._as_ledger().write({"date_reminded": False, "date_escalated": False})

    # ------------------------------------------------------------
    # Next activity
    # ------------------------------------------------------------

    @api.depends("activity_ids", "won_status", "active", "type", "opportunity_type_id.require_next_activity")
    def _compute_needs_activity(self):
        for lead in self:
            lead.needs_activity = (
                lead.type == "opportunity"
                and lead.active
                and lead.won_status == "pending"
                and lead._requires("require_next_activity")
                and not lead.activity_ids
            )

    @api.model
    def _search_needs_activity(self, operator, value):
        if operator not in ("in", "=") or value not in (True, {True}, [True]):
            return NotImplemented
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        type_ids = [type_id for type_id in stage_map.types if stage_map.has_option(type_id, "require_next_activity")]
        return Domain(
            [
                ("type", "=", "opportunity"),
                ("active", "=", True),
                ("won_status", "=", "pending"),
                ("opportunity_type_id", "in", type_ids),
                ("activity_ids", "=", False),
            ]
        )

    # ------------------------------------------------------------
    # Pace
    # ------------------------------------------------------------

    @api.depends("stage_id", "stage_visit_ids.date_start", "stage_visit_ids.date_end")
    def _compute_stage_pace(self):
        """Compare the days in the stage with those that won opportunities of the same type took there."""
        for lead in self:
            visit = lead._origin.stage_visit_ids.filtered(lambda visit: not visit.date_end)[:1]
            if not visit or lead._origin.stage_id != lead.stage_id:
                lead.stage_pace = False
                continue
            days = round(visit._get_duration_days(visit.date_start, fields.Datetime.now()))
            pace = lead.stage_id._get_pace_of_today(lead.opportunity_type_id.id, fields.Date.today())
            lead.stage_pace = self._format_pace(days, pace)

    @api.model
    def _format_pace(self, days, pace):
        """Return "21 days here; won deals took 6 (3 of 4 within 9)".

        :param int days: in the stage
        :param pace: ``(number of won opportunities, median days, days of three quarters)`` or None
        """
        if not pace or pace[0] < SMALLEST_SAMPLE:
            return self.env._("%s days here", days)
        return self.env._(
            "%(days)s days here; won deals took %(median)s (3 of 4 within %(most)s)",
            days=days,
            median=round(pace[1]),
            most=round(pace[2]),
        )

    # ------------------------------------------------------------
    # Reminding
    # ------------------------------------------------------------

    @api.model
    def _cron_remind_standing(self):
        """Remind of opportunities that stand still; once for each step and visit.

        The salesperson is told after the threshold of the stage, the team leader after the second one, both in working
        days of the company. What has been told is not read again. A record that fails is logged and left out.
        """
        # sudo: everybody is reminded, in all companies
        todo = self.sudo().search(self._get_standing_domain())
        self.env["ir.cron"]._commit_progress(remaining=len(todo))
        for start in range(0, len(todo), BATCH_SIZE):
            leads = todo[start : start + BATCH_SIZE]
            try:
                leads._remind_standing()
                self.env.flush_all()
            except (UserError, ValueError, Error):
                self.env.cr.rollback()  # to the last batch
                leads._remind_standing_each()
            if not self.env["ir.cron"]._commit_progress(len(leads)):
                break

    def _remind_standing_each(self):
        for lead in self:
            try:
                with self.env.cr.savepoint():
                    lead._remind_standing()
            except (UserError, ValueError, Error):
                _logger.exception("%s, which stands still, could not be reminded of", lead)

    @api.model
    def _get_standing_domain(self):
        """Open opportunities in a stage with a threshold that has not been told of in the present visit."""
        today = fields.Date.today()
        step = Domain("date_reminded", "=", False) & Domain("stage_id.rotting_threshold_days", ">", 0)
        step |= Domain("date_escalated", "=", False) & Domain("stage_id.escalate_days", ">", 0)
        # sudo: everybody's visits; only ids of opportunities come of it
        visits = self.env["crm.stage.visit"].sudo()._search(Domain("date_end", "=", False) & step)
        return (
            Domain("id", "in", visits.subselect("lead_id"))
            & Domain([("type", "=", "opportunity"), ("won_status", "=", "pending"), ("active", "=", True)])
            & (Domain("snooze_until", "=", False) | Domain("snooze_until", "<=", today))
        )

    def _remind_standing(self):
        """Schedule what is due today, and store for which visit it was."""
        now, days = fields.Datetime.now(), self._get_days_standing()
        vals_list, reminded, escalated = [], self.env["crm.stage.visit"], self.env["crm.stage.visit"]
        for lead in self:
            visit, stage = lead._get_present_visit(), lead.stage_id
            stood = days.get(lead.id, 0)
            if stage.rotting_threshold_days and not visit.date_reminded and stood >= stage.rotting_threshold_days:
                reminded += visit
                vals_list += lead._prepare_standing_activities(lead.user_id, stood)
            if stage.escalate_days and not visit.date_escalated and stood >= stage.escalate_days:
                escalated += visit
                vals_list += lead._prepare_standing_activities(lead.team_id.user_id, stood)
        type_id = self.env["ir.model.data"]._xmlid_to_res_id(STANDING_ACTIVITY, raise_if_not_found=True)
        UnruledActivity(counts=False, activity_type_id=type_id).on(self.env["mail.activity"]).create(vals_list)
        reminded._as_ledger().write({"date_reminded": now})
        escalated._as_ledger().write({"date_escalated": now})

    def _get_present_visit(self):
        return self.stage_visit_ids.filtered(lambda visit: not visit.date_end)[:1]

    def _prepare_standing_activities(self, user, days):
        """Return the values of the activity that tells ``user``, in a list that is empty without a user."""
        if not user:
            return []
        return [
            {
                "activity_type_id": self.env["ir.model.data"]._xmlid_to_res_id(STANDING_ACTIVITY),
                "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "res_id": self.id,
                "user_id": user.id,
                "summary": self.with_context(lang=user.lang).env._(
                    "%(days)s working days in %(stage)s",
                    days=days,
                    stage=self.stage_id.with_context(lang=user.lang).name,
                ),
                "date_deadline": self._get_local_today(),
                "automated": True,
            }
        ]

    # ------------------------------------------------------------
    # Working days
    # ------------------------------------------------------------

    def _get_days_standing(self):
        """Return ``{lead id: full working days in its present visit}``, by the calendar of its company."""
        today = fields.Date.today()
        result, by_calendar = {}, defaultdict(self.browse)
        for lead in self:
            by_calendar[(lead.company_id or self.env.company).resource_calendar_id] += lead
        for calendar, leads in by_calendar.items():
            starts = {lead.id: visit.date_start.date() for lead in leads if (visit := lead._get_present_visit())}
            workdays = self._get_workdays(calendar, min(starts.values(), default=today), today)
            for lead_id, start in starts.items():
                result[lead_id] = bisect_right(workdays, today) - bisect_right(workdays, start)
        return result

    @api.model
    def _get_workdays(self, calendar, first, last):
        """Return the working days of a calendar between two days, in order; Monday to Friday without a calendar."""
        if not calendar:
            days = (first + timedelta(days=number) for number in range((last - first).days + 1))
            return [day for day in days if day.weekday() < 5]
        zone = pytz.timezone(calendar.tz or "UTC")
        start = zone.localize(datetime.combine(first, time.min))
        end = zone.localize(datetime.combine(last, time.max))
        intervals = calendar._work_intervals_batch(start, end)[False]
        return sorted({interval_start.date() for interval_start, _end, _record in intervals})


class CrmStageVisit(models.Model):
    _inherit = "crm.stage.visit"

    date_reminded = fields.Datetime(
        readonly=True, help="When the salesperson was told that the opportunity stands still."
    )
    date_escalated = fields.Datetime(
        readonly=True, help="When the team leader was told that the opportunity stands still."
    )


class CrmStage(models.Model):
    """Thresholds of a stage, and what its history proposes for them."""

    _inherit = "crm.stage"

    escalate_days = fields.Integer(
        "Days to Escalate",
        help="Working days in the stage after which the team leader is reminded. 0 = never.",
    )
    proposed_rotting_days = fields.Integer(compute="_compute_proposed_thresholds")
    proposed_escalate_days = fields.Integer(compute="_compute_proposed_thresholds")
    threshold_proposal = fields.Char(compute="_compute_proposed_thresholds")

    _check_escalate_days = models.Constraint("CHECK(escalate_days >= 0)", "The days to escalate must be 0 or more.")

    def _compute_proposed_thresholds(self):
        """Propose the working days in which three quarters, and nine tenths, of the won opportunities went on."""
        paces = self._get_paces()
        for stage in self:
            count, _median, most, nearly_all = paces.get(stage._origin.id, (0, 0, 0, 0))
            is_known = count >= SMALLEST_SAMPLE
            stage.proposed_rotting_days = max(round(most * 5 / 7), 1) if is_known else 0
            escalate = max(round(nearly_all * 5 / 7), stage.proposed_rotting_days + 1)
            stage.proposed_escalate_days = escalate if is_known else 0
            stage.threshold_proposal = is_known and self.env._(
                "%(rotting)s and %(escalate)s working days, from %(count)s won opportunities",
                rotting=stage.proposed_rotting_days,
                escalate=stage.proposed_escalate_days,
                count=count,
            )

    def action_take_proposed_thresholds(self):
        """Use what the history of the stages proposes."""
        self.check_access("write")
        for stage in self.filtered("proposed_rotting_days"):
            stage.write(
                {
                    "rotting_threshold_days": stage.proposed_rotting_days,
                    "escalate_days": stage.proposed_escalate_days,
                }
            )
        return True

    @tools.ormcache("self.id", "type_id", "day")
    def _get_pace_of_today(self, type_id, day):
        """Return the pace of this stage, worked out once a day: it adds up the whole history.

        :param day: today, so that the next day works it out again
        """
        return self._get_paces(type_id).get(self.id)

    def _get_paces(self, type_id=None):
        """Return how long won opportunities were in these stages, from the whole history.

        :param type_id: of the opportunities, None for all
        :returns: ``{stage id: (number, median, three quarters, nine tenths)}`` in days
        """
        self.env["crm.stage.visit"].flush_model()
        self.env["crm.lead"].flush_model(["won_status"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT stage_id, COUNT(*),
                       PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY days),
                       PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY days),
                       PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY days)
                  FROM (SELECT visit.stage_id, visit.lead_id, SUM(visit.duration_days) AS days
                          FROM crm_stage_visit visit
                          JOIN crm_lead lead ON lead.id = visit.lead_id AND lead.won_status = 'won'
                         WHERE visit.stage_id = ANY(%(stage_ids)s)
                           AND visit.date_end IS NOT NULL
                           AND visit.outcome IN ('advanced', 'won', 'regressed')
                           AND (%(type_id)s IS NULL OR visit.opportunity_type_id = %(type_id)s)
                         GROUP BY visit.stage_id, visit.lead_id) stay
                 GROUP BY stage_id
                """,
                stage_ids=self._origin.ids,
                type_id=type_id or None,
            )
        )
        return {stage_id: tuple(values) for stage_id, *values in rows}
