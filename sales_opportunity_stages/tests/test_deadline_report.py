from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import AccessError

from .common import OpportunityStagesCase

COUNTS = ["opportunity_count", "open_count", "overdue_count", "missed_count", "pushed_count", "push_count"]
AVERAGES = ["missed_rate", "pushed_rate", "slip_days", "overdue_days"]


@freeze_time("2026-03-15 12:00:00")
class TestDeadlineReport(OpportunityStagesCase):
    """Who keeps to what was promised: read by salespeople over the opportunities that are theirs.

    ======= ================================ ==========
    kept    3-10, pushed to 3-20              open
    late    3-10                              overdue
    slipped 3-10, pushed to 3-14, then 4-13   open, missed
    won     3-10                              won in time
    lost    3-10                              lost on 3-12
    undated --                                open
    ======= ================================ ==========
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.salesman | cls.supervisor).tz = "UTC"
        with freeze_time("2026-03-01 12:00:00"):
            dated = cls._create_opportunities(5, date_deadline="2026-03-10")
            cls.kept, cls.late, cls.slipped, cls.won, cls.lost = dated
            cls.undated = cls._create_opportunity("Undated")
            cls.kept.date_deadline = "2026-03-20"
            cls.slipped.date_deadline = "2026-03-14"
            cls._force(cls.won, cls.stage_won)
        with freeze_time("2026-03-12 12:00:00"):
            cls.lost.action_set_lost()
        cls.slipped.date_deadline = "2026-04-13"
        cls.leads = dated | cls.undated

    def _read(self, groupby=(), leads=None, user=None, **context):
        """What the user sees of these opportunities, as dicts."""
        report = self.env["crm.deadline.report"].with_user(user or self.salesman).with_context(**context)
        return report.formatted_read_group(
            [("lead_id", "in", (leads or self.leads).ids)],
            groupby,
            [*(f"{name}:sum" for name in COUNTS), *(f"{name}:avg" for name in AVERAGES)],
        )

    def _get_seen(self, user, **context):
        report = self.env["crm.deadline.report"].with_user(user).with_context(**context)
        return report.search([("lead_id", "in", self.leads.ids)]).sudo().lead_id

    def test_measures(self):
        (row,) = self._read()
        self.assertEqual([row[f"{name}:sum"] for name in COUNTS], [6, 4, 1, 3, 2, 3])
        self.assertAlmostEqual(row["missed_rate:avg"], 3 / 5, msg="of the five that were expected on some day")
        self.assertAlmostEqual(row["pushed_rate:avg"], 2 / 5)
        self.assertEqual(row["slip_days:avg"], (10 + 34) / 2, "of the two that were pushed")
        self.assertEqual(row["overdue_days:avg"], 5, "of the one that is overdue")

    def test_groups_add_up(self):
        """An average within a group is that of its opportunities, whatever else is in the report."""
        rows = {row["status"]: row for row in self._read(["status"])}
        self.assertEqual(
            {status: row["missed_count:sum"] for status, row in rows.items()}, {"open": 2, "won": 0, "lost": 1}
        )
        self.assertAlmostEqual(rows["open"]["missed_rate:avg"], 2 / 3)
        self.assertEqual(rows["open"]["slip_days:avg"], 22)
        self.assertFalse(rows["won"]["slip_days:avg"])
        by_month = self._read(["date_deadline:month"])
        self.assertEqual(
            [((row["date_deadline:month"] or [False])[0], row["opportunity_count:sum"]) for row in by_month],
            [("2026-03-01", 4), ("2026-04-01", 1), (False, 1)],
        )

    def test_by_salesperson(self):
        self.late.with_user(self.supervisor).user_id = self.colleague
        rows = self._read(["user_id"], user=self.supervisor)
        self.assertEqual(
            {row["user_id"][0]: (row["overdue_count:sum"], row["missed_rate:avg"]) for row in rows},
            {self.salesman.id: (0, 2 / 4), self.colleague.id: (1, 1)},
        )

    def test_agrees_with_the_opportunities(self):
        for row in self.env["crm.deadline.report"].with_user(self.salesman).search([("lead_id", "in", self.leads.ids)]):
            lead = row.lead_id
            with self.subTest(lead=lead.name):
                self.assertEqual(bool(row.missed_count), lead.is_deadline_missed)
                self.assertEqual(row.push_count, lead.deadline_push_count)
                self.assertEqual(row.date_deadline, lead.date_deadline)

    def test_archived_without_being_lost(self):
        self.late.active = False
        self.kept.active = False
        rows = {row["status"]: row for row in self._read(["status"])}
        self.assertEqual((rows["archived"]["opportunity_count:sum"], rows["archived"]["overdue_count:sum"]), (2, 0))
        self.assertEqual(rows["archived"]["missed_count:sum"], 1, "what passed before it was put away was missed")

    def test_leads_are_left_out(self):
        lead = self.env["crm.lead"].create({"name": "Raw", "type": "lead", "date_deadline": "2026-03-10"})
        self.assertFalse(self.env["crm.deadline.report"].search([("lead_id", "=", lead.id)]))

    def test_overdue_in_the_time_zone_of_the_reader(self):
        """On the 10th, 23:30 in London: in Shanghai the 10th has passed."""
        with freeze_time("2026-03-10 23:30:00"):
            for zone, overdue in (("UTC", 0), ("Asia/Shanghai", 1), ("America/New_York", 0)):
                (row,) = self._read(leads=self.late, tz=zone)
                self.assertEqual((row["overdue_count:sum"], row["missed_count:sum"]), (overdue, overdue), zone)
            self.colleague.tz = "Asia/Shanghai"
            self.late.with_user(self.supervisor).user_id = self.colleague
            (row,) = self._read(leads=self.late, user=self.colleague)
            self.assertEqual(row["overdue_count:sum"], 1, "without a zone in the context, that of the user's settings")

    def test_a_row_opens_its_opportunity(self):
        report = self.env["crm.deadline.report"].with_user(self.salesman)
        action = report.search([("lead_id", "=", self.late.id)]).action_open_lead()
        self.assertEqual((action["res_model"], action["res_id"]), ("crm.lead", self.late.id))
        self.late.with_user(self.supervisor).user_id = self.supervisor
        with self.assertRaises(AccessError):
            report.browse(self.late.id).action_open_lead()

    # ------------------------------------------------------------
    # Who sees what
    # ------------------------------------------------------------

    def test_one_sees_what_one_sees_of_opportunities(self):
        (self.late | self.won | self.lost).with_user(self.supervisor).user_id = self.supervisor
        self.undated.with_user(self.supervisor).user_id = False
        (self.late | self.lost).with_user(self.supervisor).collaborator_ids = [Command.link(self.colleague.id)]
        for user in (self.salesman, self.colleague, self.supervisor, self.manager):
            Lead = self.env["crm.lead"].with_user(user).with_context(active_test=False)
            with self.subTest(user=user.login):
                self.assertEqual(self._get_seen(user), Lead.search([("id", "in", self.leads.ids)]).sudo())
        self.assertEqual(self._get_seen(self.colleague), (self.late | self.lost | self.undated).sudo())
        with self.assertRaises(AccessError):
            self._get_seen(self.employee)

    def test_one_sees_the_companies_one_works_in(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.late.sudo().write({"company_id": company.id, "user_id": False, "team_id": False})
        self.assertNotIn(self.late, self._get_seen(self.manager).with_user(self.salesman))
        self.manager.company_ids += company
        self.assertIn(self.late.id, self._get_seen(self.manager, allowed_company_ids=company.ids).ids)

    def test_nobody_writes_it(self):
        row = self.env["crm.deadline.report"].with_user(self.manager).search([("lead_id", "=", self.late.id)])
        for operation in ("write", "create", "unlink"):
            self.assertFalse(row.has_access(operation), operation)

    def test_queries_do_not_grow(self):
        """A reading costs what it costs, of however many opportunities."""
        groupby = ["user_id", "date_deadline:month"]
        counts = {}
        for number in (10, 500):
            leads = self._create_opportunities(number, date_deadline="2026-03-10")
            self.env.flush_all()
            self.env.invalidate_all()
            self._read(groupby, leads=leads)
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._read(groupby, leads=leads)
            counts[number] = self.env.cr.sql_log_count - before
        self.assertEqual(counts[10], counts[500], counts)
