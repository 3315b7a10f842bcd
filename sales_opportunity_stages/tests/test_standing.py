from datetime import date, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import Form

from .common import OpportunityStagesCase

MONDAY = date(2026, 3, 2)


class StandingCase(OpportunityStagesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.user_id = cls.supervisor
        cls.stage_contact.write({"rotting_threshold_days": 3, "escalate_days": 6})
        cls.reminder_type = cls.env.ref("sales_opportunity_stages.mail_activity_type_standing")
        with cls._at(MONDAY):
            cls.lead = cls._create_opportunity()

    @classmethod
    def _at(cls, day):
        return freeze_time(f"{day} 10:00:00")

    def _run(self, day):
        self.env.flush_all()
        with self._at(day), self.enter_registry_test_mode():
            self.env.ref("sales_opportunity_stages.ir_cron_remind_standing").method_direct_trigger()

    def _get_reminded(self, lead=None):
        activities = self.env["mail.activity"].search(
            [("res_id", "=", (lead or self.lead).id), ("activity_type_id", "=", self.reminder_type.id)], order="id"
        )
        return [activity.user_id for activity in activities]


class TestReminders(StandingCase):
    """Who lets an opportunity stand is told in working days, once for each step and visit."""

    def test_salesperson_then_team_leader(self):
        self._run(MONDAY + timedelta(days=2))
        self.assertEqual(self._get_reminded(), [])
        self._run(MONDAY + timedelta(days=3))
        self.assertEqual(self._get_reminded(), [self.salesman])
        self._run(MONDAY + timedelta(days=3))
        self._run(MONDAY + timedelta(days=7))
        self.assertEqual(self._get_reminded(), [self.salesman], "the weekend does not count")
        self._run(MONDAY + timedelta(days=8))
        self._run(MONDAY + timedelta(days=30))
        self.assertEqual(self._get_reminded(), [self.salesman, self.supervisor])

    def test_holidays_of_the_company(self):
        calendar = self.env.company.resource_calendar_id
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Spring Festival",
                "calendar_id": calendar.id,
                "date_from": "2026-03-03 00:00:00",
                "date_to": "2026-03-05 23:59:59",
            }
        )
        self._run(MONDAY + timedelta(days=4))
        self.assertEqual(self._get_reminded(), [])
        self._run(MONDAY + timedelta(days=8))
        self.assertEqual(self._get_reminded(), [self.salesman])

    def test_again_in_another_stage(self):
        self.stage_needs.rotting_threshold_days = 2
        self._run(MONDAY + timedelta(days=3))
        with self._at(MONDAY + timedelta(days=7)):
            self._complete(self.lead, self.act_call)
        self.assertEqual(self.lead.stage_id, self.stage_needs)
        self._run(MONDAY + timedelta(days=8))
        self.assertEqual(len(self._get_reminded()), 1)
        self._run(MONDAY + timedelta(days=9))
        self.assertEqual(len(self._get_reminded()), 2)

    def test_not_of_closed_ones(self):
        self.lead.action_set_lost()
        self._run(MONDAY + timedelta(days=30))
        self.assertEqual(self._get_reminded(), [])

    def test_reminders_meet_no_rule(self):
        self._run(MONDAY + timedelta(days=3))
        self.env["mail.activity"].search([("activity_type_id", "=", self.reminder_type.id)]).action_feedback()
        self.assertEqual(self.lead.stage_id, self.stage_contact)


class TestSnooze(StandingCase):
    """Snooze until a day with a reason: counted, limited, by whoever works on the opportunity."""

    def _snooze(self, days, reason="They decide in April", user=None):
        with self._at(MONDAY):
            self.env["crm.lead.snooze"].with_user(user or self.salesman).create(
                {
                    "lead_ids": [Command.set(self.lead.ids)],
                    "snooze_until": MONDAY + timedelta(days=days),
                    "reason": reason,
                }
            ).action_snooze()

    def test_no_reminder_before_the_day(self):
        self._snooze(20)
        self.assertEqual((self.lead.snooze_count, self.lead.snooze_reason), (1, "They decide in April"))
        self._run(MONDAY + timedelta(days=19))
        self.assertEqual(self._get_reminded(), [])
        self._run(MONDAY + timedelta(days=20))
        self.assertEqual(self._get_reminded(), [self.salesman, self.supervisor])

    def test_takes_the_reminder_back(self):
        self._run(MONDAY + timedelta(days=3))
        self._snooze(20)
        self.assertEqual(self._get_reminded(), [])

    def test_limited(self):
        self.type_project.snooze_limit = 2
        self._snooze(10)
        self._snooze(11)
        with self.env.cr.savepoint(), self.assertRefused("has been snoozed 2 times in Contact"):
            self._snooze(12)
        self.type_project.snooze_limit = 0
        self._snooze(12)
        self.assertEqual(self.lead.snooze_count, 3)

    def test_needs_a_reason_and_a_later_day(self):
        with self._at(MONDAY):
            for values, message in (
                ({"snooze_until": MONDAY + timedelta(days=5)}, "without a reason"),
                ({"snooze_until": MONDAY, "snooze_reason": "x"}, "later day"),
            ):
                with self.env.cr.savepoint(), self.assertRefused(message):
                    self.lead.write(values)

    def test_starts_again_in_the_next_stage(self):
        self._snooze(20)
        with self._at(MONDAY + timedelta(days=1)):
            self._complete(self.lead, self.act_call)
        self.assertEqual((self.lead.snooze_count, self.lead.snooze_until), (0, False))

    def test_nobody_else(self):
        with self.assertRaises(AccessError):
            self._snooze(10, user=self.colleague)
        with self.assertRaises(AccessError):
            self.lead.write({"snooze_count": 9})


class TestNextActivity(StandingCase):
    def test_warning_and_filter(self):
        Lead = self.env["crm.lead"].with_user(self.salesman)
        search = [("needs_activity", "=", True), ("id", "=", self.lead.id)]
        self.assertFalse(self.lead.needs_activity or Lead.search(search))
        self.type_project.require_next_activity = True
        self.lead.invalidate_recordset()
        self.assertTrue(self.lead.needs_activity and Lead.search(search))
        self._schedule(self.lead, self.act_call)
        self.assertFalse(self.lead.needs_activity or Lead.search(search))


class TestPace(StandingCase):
    """The form compares the days in the stage with those of won opportunities."""

    def _win_after(self, *days):
        for number in days:
            with self._at(MONDAY):
                lead = self._create_opportunity(f"Won after {number}")
            with self._at(MONDAY + timedelta(days=number)):
                self._force(lead, self.stage_won)

    def test_sentence(self):
        with self._at(MONDAY + timedelta(days=21)):
            self.assertEqual(self.lead.stage_pace, "21 days here")
        self._win_after(3, 5, 7, 9)
        self.lead.invalidate_recordset()
        with self._at(MONDAY + timedelta(days=21)):
            self.assertEqual(self.lead.stage_pace, "21 days here", "the history is added up once a day")
        self.lead.invalidate_recordset()
        with self._at(MONDAY + timedelta(days=22)):
            self.assertEqual(self.lead.stage_pace, "22 days here; won deals took 6 (3 of 4 within 8)")

    def test_stage_proposes_thresholds(self):
        self.assertFalse(self.stage_contact.proposed_rotting_days)
        self._win_after(7, 7, 14, 14)
        self.stage_contact.invalidate_recordset()
        stage = self.stage_contact.with_user(self.manager)
        self.assertEqual((stage.proposed_rotting_days, stage.proposed_escalate_days), (10, 11))
        stage.action_take_proposed_thresholds()
        self.assertEqual((stage.rotting_threshold_days, stage.escalate_days), (10, 11))
        with self.assertRaises(AccessError):
            stage.with_user(self.salesman).action_take_proposed_thresholds()


class TestGuidance(OpportunityStagesCase):
    """Advice and key fields of the stage, in the form of the opportunity, edited there."""

    def test_key_fields_show_in_their_stage(self):
        names = ("referred", "date_deadline")
        fields_ = self.env["ir.model.fields"].search([("model", "=", "crm.lead"), ("name", "in", names)])
        self.stage_contact.with_user(self.manager).write(
            {"guidance": "<p>Ask who decides</p>", "key_field_ids": [Command.set(fields_.ids)]}
        )
        lead = self._create_opportunity()
        self.assertTrue(lead.has_guidance)
        self.assertIn("Ask who decides", lead.stage_guidance)
        arch = self.env["crm.lead"].with_user(self.salesman).get_view(view_type="form")["arch"]
        self.assertIn(f"stage_id not in [{self.stage_contact.id}]", arch)
        with Form(lead) as form:
            form.referred = "Li"
        self.assertEqual(lead.referred, "Li")
        self._force(lead, self.stage_closing)
        self.assertFalse(lead.has_guidance)

    def test_up_to_five_fields_of_the_opportunity(self):
        domain = [("model", "=", "crm.lead"), ("ttype", "=", "char")]
        six = self.env["ir.model.fields"].search(domain, limit=6)
        with self.assertRaises(ValidationError):
            self.stage_contact.key_field_ids = six
        with self.assertRaises(ValidationError):
            self.stage_contact.key_field_ids = self.env["ir.model.fields"]._get("res.partner", "name")

    def test_only_sales_administrators_write_it(self):
        for user in (self.salesman, self.supervisor):
            with self.assertRaises(AccessError):
                self.stage_contact.with_user(user).guidance = "x"
