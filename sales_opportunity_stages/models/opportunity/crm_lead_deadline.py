import logging
from collections import defaultdict
from datetime import datetime, timedelta

import pytz
from psycopg2 import Error

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import UnruledActivity

_logger = logging.getLogger(__name__)

BATCH_SIZE = 200
DEADLINE_ACTIVITY = "sales_opportunity_stages.mail_activity_type_deadline"


class CrmLead(models.Model):
    """The expected closing (预计截至日期): what was promised first, how often it was pushed, whether it was missed."""

    _inherit = "crm.lead"

    initial_date_deadline = fields.Date(
        "Initial Expected Closing", readonly=True, copy=False, help="The first date that was ever expected."
    )
    deadline_push_count = fields.Integer(
        "Times Pushed", readonly=True, copy=False, help="How often the expected closing was moved to a later day."
    )
    deadline_push_days = fields.Integer(
        "Days Pushed", readonly=True, copy=False, help="By how many days in all the expected closing was moved later."
    )
    deadline_missed_date = fields.Date(
        "Missed Closing", readonly=True, copy=False, help="The first expected closing that passed while it was open."
    )
    deadline_reminded_date = fields.Date(readonly=True, copy=False, help="The expected closing last reminded of.")
    deadline_overdue_date = fields.Date(readonly=True, copy=False, help="The expected closing last reported as missed.")
    is_deadline_missed = fields.Boolean(
        "Closing Missed",
        compute="_compute_is_deadline_missed",
        search="_search_is_deadline_missed",
        help="An expected closing date passed while the opportunity was open. It may have been pushed since.",
    )

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | self._get_deadline_record_fields()

    @api.model
    def _get_deadline_record_fields(self):
        """Fields that keep what became of the expected closing."""
        return {
            "initial_date_deadline",
            "deadline_push_count",
            "deadline_push_days",
            "deadline_missed_date",
            "deadline_reminded_date",
            "deadline_overdue_date",
        }

    # ------------------------------------------------------------
    # Missed
    # ------------------------------------------------------------

    @api.depends("deadline_missed_date", "date_deadline", "won_status", "active")
    def _compute_is_deadline_missed(self):
        for lead in self:
            lead.is_deadline_missed = bool(lead.deadline_missed_date) or lead._is_overdue()

    def _search_is_deadline_missed(self, operator, value):
        if operator != "in" or set(value) != {True}:
            return NotImplemented
        is_opportunity = Domain("type", "=", "opportunity")
        return is_opportunity & (Domain("deadline_missed_date", "!=", False) | self._get_overdue_domain())

    @api.model
    def _get_overdue_domain(self):
        """Return the domain of what :meth:`_is_overdue` says: where it depends on a time zone, each is asked."""
        today = fields.Date.today()
        is_open = Domain([("won_status", "=", "pending"), ("active", "=", True)])
        near = Domain("date_deadline", ">=", today - timedelta(days=1)) & Domain("date_deadline", "<=", today)
        # sudo: the time zone of each salesperson; only ids come of it, and the search has the user's rights
        late = self.sudo().search(is_open & near).filtered(lambda lead: lead._is_overdue())
        return is_open & (Domain("date_deadline", "<", today - timedelta(days=1)) | Domain("id", "in", late.ids))

    def _is_overdue(self):
        """Open, and its expected closing has passed where its salesperson is."""
        self.ensure_one()
        if not self.date_deadline or self.type != "opportunity" or not self.active or self.won_status != "pending":
            return False
        days = (fields.Date.today() - self.date_deadline).days
        if days not in (0, 1, -1):  # so far off that no time zone matters
            return days > 0
        return self.date_deadline < self._get_local_today()

    def _get_local_today(self):
        """Today where the salesperson is."""
        # sudo: the time zone of another user
        zone = self.sudo().user_id.tz or self.env.user.tz or "UTC"
        return datetime.now(pytz.timezone(zone)).date()

    # ------------------------------------------------------------
    # Keeping count
    # ------------------------------------------------------------

    def _get_snapshot(self):
        return super()._get_snapshot() | {"deadline": (self.date_deadline, self._is_overdue())}

    def _record_deadline_change(self, change):
        """Record what became of the expected closing."""
        by_values = defaultdict(self.browse)
        for lead in self.filtered(lambda lead: lead.type == "opportunity"):
            values = lead._get_deadline_values(*change.was(lead).get("deadline", (False, False)))
            if values:
                by_values[tuple(values.items())] += lead
        for values, leads in by_values.items():
            leads._write_derived(dict(values))

    def _get_deadline_values(self, old, was_overdue):
        values = {}
        if self.date_deadline and not self.initial_date_deadline:
            values["initial_date_deadline"] = old or self.date_deadline
        if old and self.date_deadline and self.date_deadline > old:
            values["deadline_push_count"] = self.deadline_push_count + 1
            values["deadline_push_days"] = self.deadline_push_days + (self.date_deadline - old).days
        if was_overdue and not self._is_overdue() and not self.deadline_missed_date:
            values["deadline_missed_date"] = old
        return values

    def _merge_dependences(self, opportunities):
        """The expected closing that the merged opportunity has brings its record along.

        The head keeps its own; where it has none, Odoo gives it the first of the others.
        """
        # sudo: system fields, which no user writes
        donor = opportunities.sudo().filtered("date_deadline")[:1]
        if donor and not self.date_deadline and not self.initial_date_deadline:
            names = sorted(self._get_deadline_record_fields())
            self.sudo()._write_derived({name: donor[name] for name in names})
        return super()._merge_dependences(opportunities)

    # ------------------------------------------------------------
    # Reminding
    # ------------------------------------------------------------

    @api.model
    def _cron_remind_deadlines(self):
        """Remind of expected closings, and report those that were missed; once for each opportunity and date.

        Works in batches and commits after each. What has been told is not read again, so an interrupted run continues
        with the rest. A record that fails is logged and left out; the others are reminded.
        """
        # sudo: everybody is reminded, in all companies
        todo = self.sudo().search(self._get_reminder_domain())
        self.env["ir.cron"]._commit_progress(remaining=len(todo))
        for start in range(0, len(todo), BATCH_SIZE):
            leads = todo[start : start + BATCH_SIZE]
            try:
                leads._remind_deadlines()
                self.env.flush_all()
            except (UserError, ValueError, Error):
                self.env.cr.rollback()  # to the last batch
                leads._remind_each()
            if not self.env["ir.cron"]._commit_progress(len(leads)):
                break

    def _remind_each(self):
        """Remind of each in a savepoint of its own. Log what fails, and leave it out."""
        for lead in self:
            try:
                with self.env.cr.savepoint():
                    lead._remind_deadlines()
            except (UserError, ValueError, Error):
                _logger.exception("The expected closing of %s could not be reminded of", lead)

    @api.model
    def _get_reminder_domain(self):
        """Open opportunities that somebody, in some time zone, may have to be told of today."""
        # sudo: types of all companies
        types = self.env["crm.opportunity.type"].sudo().search([("reminder_days", ">", 0)])
        longest = max(types.mapped("reminder_days"), default=0)
        horizon = fields.Date.today() + timedelta(days=longest + 1)
        long_overdue_and_told = Domain("date_deadline", "<", fields.Date.today() - timedelta(days=1)) & Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s = %s",
                model._field_to_sql(alias, "deadline_overdue_date", query),
                model._field_to_sql(alias, "date_deadline", query),
            )
        )
        return Domain(
            [
                ("type", "=", "opportunity"),
                ("won_status", "=", "pending"),
                ("active", "=", True),
                ("date_deadline", "!=", False),
                ("date_deadline", "<=", horizon),
                ("id", "not in", self.sudo()._search(long_overdue_and_told)),
            ]
        )

    def _remind_deadlines(self):
        """Schedule what is due today, and remember for which date it was."""
        due = self.filtered(lambda lead: lead._is_reminder_due())
        missed = self.filtered(lambda lead: lead._is_overdue() and lead.deadline_overdue_date != lead.date_deadline)
        vals_list = [
            lead._prepare_deadline_activity(lead.user_id, self.env._("Expected closing is near")) for lead in due
        ]
        for lead in missed:
            for user in lead.user_id | lead.team_id.user_id:
                vals_list.append(lead._prepare_deadline_activity(user, self.env._("Expected closing was missed")))
        type_id = self.env["ir.model.data"]._xmlid_to_res_id(DEADLINE_ACTIVITY, raise_if_not_found=True)
        UnruledActivity(counts=False, activity_type_id=type_id).on(self.env["mail.activity"]).create(vals_list)
        by_values = defaultdict(self.browse)
        for lead in due:
            by_values["deadline_reminded_date", lead.date_deadline] += lead
        for lead in missed:
            by_values["deadline_overdue_date", lead.date_deadline] += lead
            if not lead.deadline_missed_date:
                by_values["deadline_missed_date", lead.date_deadline] += lead
        for (name, date), leads in by_values.items():
            leads._write_derived({name: date})

    def _is_reminder_due(self):
        days = self.opportunity_type_id.reminder_days
        if not days or not self.user_id or self.deadline_reminded_date == self.date_deadline:
            return False
        today = self._get_local_today()
        return self.date_deadline - timedelta(days=days) <= today <= self.date_deadline

    def _prepare_deadline_activity(self, user, summary):
        """Values of the activity that tells ``user``. Override to word it otherwise."""
        return {
            "activity_type_id": self.env["ir.model.data"]._xmlid_to_res_id(DEADLINE_ACTIVITY, raise_if_not_found=True),
            "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
            "res_id": self.id,
            "user_id": user.id,
            "summary": summary,
            "date_deadline": max(self.date_deadline, self._get_local_today()),
            "automated": True,
        }
