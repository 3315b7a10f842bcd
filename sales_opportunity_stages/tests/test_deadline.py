from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tools import mute_logger

from odoo.addons.sales_opportunity_stages.models.opportunity import crm_lead_deadline

from .common import OpportunityStagesCase


class TestDeadline(OpportunityStagesCase):
    """What was promised, how often it was pushed, whether it was missed, and who is told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.leader = cls.supervisor
        cls.team.user_id = cls.leader
        cls.type_project.reminder_days = 3
        cls.salesman.tz = "UTC"

    def _run_cron(self):
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref("sales_opportunity_stages.ir_cron_remind_deadlines").method_direct_trigger()
        self.env.invalidate_all()

    def _get_reminders(self, leads):
        activity_type = self.env.ref("sales_opportunity_stages.mail_activity_type_deadline")
        activities = (
            self.env["mail.activity"]
            .with_context(active_test=False)
            .search(
                [
                    ("res_model", "=", "crm.lead"),
                    ("res_id", "in", leads.ids),
                    ("activity_type_id", "=", activity_type.id),
                ]
            )
        )
        return sorted((activity.summary, activity.user_id.login) for activity in activities)

    def test_pushing_is_counted(self):
        lead = self._create_opportunity(date_deadline="2026-03-10")
        self.assertEqual(lead.initial_date_deadline, date(2026, 3, 10))
        with freeze_time("2026-03-01"):
            lead.write({"date_deadline": "2026-03-20"})
            lead.write({"date_deadline": "2026-03-15"})
            lead.write({"date_deadline": "2026-03-16", "name": "Renamed"})
        self.assertEqual((lead.deadline_push_count, lead.deadline_push_days), (2, 11))
        self.assertEqual(lead.initial_date_deadline, date(2026, 3, 10))
        self.assertFalse(lead.deadline_missed_date)

    def test_set_later_and_emptied(self):
        lead = self._create_opportunity()
        self.assertFalse(lead.initial_date_deadline)
        lead.date_deadline = "2030-01-01"
        lead.date_deadline = False
        lead.date_deadline = "2031-01-01"
        self.assertEqual((lead.initial_date_deadline, lead.deadline_push_count), (date(2030, 1, 1), 0))

    def test_a_miss_stays_on_record(self):
        pushed, won, lost, kept = leads = self._create_opportunities(4, date_deadline="2026-03-10")
        with freeze_time("2026-03-12"):
            self.env.invalidate_all()
            self.assertEqual(leads.mapped("is_deadline_missed"), [True] * 4)
            pushed.write({"date_deadline": "2026-04-01"})
            self._force(won, self.stage_won)
            lost.action_set_lost()
        with freeze_time("2026-03-09"):
            self.env.invalidate_all()
            self.assertEqual(leads.mapped("is_deadline_missed"), [True, True, True, False])
            Lead = self.env["crm.lead"].with_context(active_test=False)
            self.assertEqual(
                set(Lead.search([("is_deadline_missed", "=", True), ("id", "in", leads.ids)])), {pushed, won, lost}
            )
            self.assertEqual(Lead.search([("is_deadline_missed", "=", False), ("id", "in", leads.ids)]), kept)

    def test_the_record_cannot_be_forged(self):
        lead = self._create_opportunity(date_deadline="2026-03-10")
        for values in (
            {"deadline_push_count": 1},
            {"initial_date_deadline": "2020-01-01"},
            {"deadline_missed_date": "2020-01-01"},
        ):
            with self.assertRaises(AccessError):
                lead.write(values)

    def test_a_date_typed_wrongly_in_an_import(self):
        """One message that names the value, the field and the row; what the other rows say is not saved either."""
        lead = self._create_opportunity(date_deadline="2026-03-10")
        external_id = lead.sudo().export_data(["id"])["datas"][0][0]
        product = self.env["product.product"].create({"name": "Pump"})
        columns = ["id", "name", "type", "date_deadline", "opportunity_line_ids/product_id/.id"]
        for wrong in ("31.02.2026", "2026-02-30", "next week"):
            rows = [
                [external_id, "Renamed", "opportunity", "2026-04-01", product.id],
                ["", "Imported", "opportunity", wrong, product.id],
                ["", "Imported too", "opportunity", "2026-05-01", product.id],
            ]
            with self.subTest(wrong=wrong):
                result = self.env["crm.lead"].with_user(self.salesman).load(columns, rows)
                self.assertFalse(result["ids"])
                (message,) = result["messages"]
                self.assertEqual((message["type"], message["rows"]), ("error", {"from": 1, "to": 1}))
                self.assertIn(
                    f"'{wrong}' does not seem to be a valid date for field 'Expected Closing'", message["message"]
                )
                self.env.invalidate_all()
                self.assertEqual((lead.name, lead.deadline_push_count), ("Acme line 3", 0))
                self.assertFalse(lead.opportunity_line_ids)
                self.assertFalse(self.env["crm.lead"].search([("name", "like", "Imported")]))

    def test_an_import_keeps_count(self):
        lead = self._create_opportunity(date_deadline="2026-03-10")
        external_id = lead.sudo().export_data(["id"])["datas"][0][0]
        leads = self.env["crm.lead"].with_user(self.salesman)
        with freeze_time("2026-03-12"):
            result = leads.load(["id", "date_deadline"], [[external_id, "2026-03-20"]])
        self.assertFalse(result["messages"])
        self.assertEqual((lead.deadline_push_count, lead.deadline_push_days), (1, 10))
        self.assertEqual(lead.deadline_missed_date, date(2026, 3, 10))
        result = leads.load(["id", "deadline_push_count"], [[external_id, "7"]])
        self.assertIn("kept by the system", str(result["messages"]))

    def test_reminder_once_for_each_date(self):
        lead, far = self._create_opportunities(2, date_deadline="2026-03-10")
        far.date_deadline = "2026-05-10"
        with freeze_time("2026-03-06 12:00:00"):
            self._run_cron()
            self.assertEqual(self._get_reminders(lead | far), [])
        near = ("Expected closing is near", self.salesman.login)
        for day in ("2026-03-07 12:00:00", "2026-03-08 12:00:00"):
            with freeze_time(day):
                self._run_cron()
                self._run_cron()
        self.assertEqual(self._get_reminders(lead | far), [near])
        with freeze_time("2026-03-09 12:00:00"):
            lead.date_deadline = "2026-03-11"
            self._run_cron()
        self.assertEqual(self._get_reminders(lead | far), [near, near])

    def test_a_miss_is_reported_to_salesperson_and_leader(self):
        lead, won = self._create_opportunities(2, date_deadline="2026-03-10")
        self._force(won, self.stage_won)
        self.type_project.reminder_days = 0
        with freeze_time("2026-03-10 12:00:00"):
            self._run_cron()
            self.assertEqual(self._get_reminders(lead), [])
        for day in ("2026-03-11 12:00:00", "2026-03-12 12:00:00"):
            with freeze_time(day):
                self._run_cron()
        missed = "Expected closing was missed"
        self.assertEqual(self._get_reminders(lead), [(missed, self.salesman.login), (missed, self.leader.login)])
        self.assertEqual(self._get_reminders(won), [])
        self.assertEqual(lead.deadline_missed_date, date(2026, 3, 10))

    def test_in_the_time_zone_of_the_salesperson(self):
        lead = self._create_opportunity(date_deadline="2026-03-10")
        self.type_project.reminder_days = 0
        self.salesman.tz = "Asia/Shanghai"
        with freeze_time("2026-03-10 15:30:00"):
            self._run_cron()
            self.assertEqual(self._get_reminders(lead), [])
        with freeze_time("2026-03-10 16:30:00"):
            self._run_cron()
            self.assertEqual(len(self._get_reminders(lead)), 2, "it is the 11th in Shanghai")

    def test_missed_is_searched_as_it_is_computed(self):
        """Where a day has ended for one salesperson and not for another, each counts where they are."""
        early, late = (self._create_opportunity(date_deadline="2026-03-10") for _index in range(2))
        early.user_id.sudo().tz = "Asia/Shanghai"
        late.sudo().user_id = self.colleague
        self.colleague.tz = "America/Los_Angeles"
        leads = (early | late).sudo()
        for reader in (self.env.user, self.colleague):
            reader.tz = "Pacific/Honolulu" if reader == self.env.user else reader.tz
            with freeze_time("2026-03-10 20:00:00"):
                leads.invalidate_recordset(["is_deadline_missed"])
                found = leads.search([("is_deadline_missed", "=", True), ("id", "in", leads.ids)])
                self.assertEqual(leads.mapped("is_deadline_missed"), [True, False])
                self.assertEqual(found, early.sudo())

    def test_one_that_fails_holds_up_nobody(self):
        leads = self._create_opportunities(3)
        leads.sudo().date_deadline = date(2026, 3, 1)
        Lead = self.registry["crm.lead"]
        prepare = Lead._prepare_deadline_activity

        def fail(lead, user, summary):
            if lead == leads[1]:
                raise ValueError
            return prepare(lead, user, summary)

        self.patch(Lead, "_prepare_deadline_activity", fail)
        with freeze_time("2026-03-05"), mute_logger(crm_lead_deadline.__name__):
            self._run_cron()
        self.assertEqual(leads.mapped(lambda lead: bool(lead.deadline_overdue_date)), [True, False, True])

    def test_what_was_told_is_not_read_again(self):
        lead = self._create_opportunity(date_deadline="2026-03-01")
        Lead = self.env["crm.lead"].sudo()
        with freeze_time("2026-03-05"):
            self.assertIn(lead, Lead.search(Lead._get_reminder_domain()))
            lead.sudo()._remind_deadlines()
            self.env.flush_all()
            self.assertNotIn(lead, Lead.search(Lead._get_reminder_domain()))
            lead.date_deadline = "2026-03-02"
            self.assertIn(lead, Lead.search(Lead._get_reminder_domain()))

    def test_reminders_are_not_held_up_and_never_count(self):
        lead = self._create_opportunity(date_deadline="2026-03-10")
        reminder_type = self.env.ref("sales_opportunity_stages.mail_activity_type_deadline")
        self.rule_call.activity_type_id = reminder_type
        with freeze_time("2026-03-09 12:00:00"):
            self._run_cron()
        activity = lead.activity_ids
        self.assertEqual(activity.activity_type_id, reminder_type)
        activity.with_user(self.salesman).action_feedback()
        self.assertEqual(lead.stage_id, self.stage_contact)
        self.assertEqual(lead._get_missing_rules(self.stage_needs), self.rule_call)
