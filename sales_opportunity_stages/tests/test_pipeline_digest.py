from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError

from .funnel_common import FunnelCase

NOW = "2026-04-01 12:00:00"


@freeze_time(NOW)
class TestPipelineDigest(FunnelCase):
    """What changed in the pipeline, by Odoo's digest to the leader of a team."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.leader = cls.supervisor
        cls.digest = cls.env.ref("sales_opportunity_stages.digest_digest_pipeline")
        cls.team.user_id = cls.leader
        cls.by_letter = cls._live_example()

    def _read(self, user, days):
        now = fields.Datetime.from_string(NOW)
        digest = self.digest.with_user(user).with_context(start_datetime=now - timedelta(days=days), end_datetime=now)
        names = ("end", "new", "won", "lost", "pushed_out")
        return {name: digest[f"kpi_pipeline_{name}_value"] for name in names}

    def test_who_leads_a_team_gets_it(self):
        self.assertIn(self.leader, self.digest.user_ids)
        self.assertEqual(self.digest.periodicity, "weekly")
        self.env["crm.team"].create({"name": "Other", "user_id": self.manager.id})
        self.assertIn(self.manager, self.digest.user_ids)
        self.digest.with_user(self.manager).action_unsubscribe()
        self.team.name = "Renamed"
        self.assertNotIn(self.manager, self.digest.user_ids)

    def test_figures_of_the_team(self):
        other = self.env["crm.team"].create({"name": "Other"})
        with freeze_time("2026-03-21 12:00:00"):
            self.by_letter["F"].with_user(self.manager).team_id = other
        self.assertEqual(self._read(self.leader, 30), {"end": 210, "new": 60, "won": 120, "lost": 80, "pushed_out": 0})
        self.assertEqual(self._read(self.leader, 7)["new"], 0)

    def test_each_period_has_its_own_figures(self):
        self.by_letter["E"].with_user(self.manager).date_deadline = "2026-06-01"
        self.assertEqual(self._read(self.leader, 30)["won"], 120)
        self.assertEqual(self._read(self.leader, 2)["won"], 0)
        self.assertEqual(self._read(self.leader, 30)["won"], 120)

    def test_who_sees_no_opportunities(self):
        with self.assertRaises(AccessError):
            self._read(self.employee, 7)

    def test_it_is_sent(self):
        self.leader.write({"email": "leader@example.com"})
        self.digest.user_ids = self.leader
        self.digest.action_send_manual()
        mail = self.env["mail.mail"].search([("email_to", "like", "leader@example.com")], limit=1, order="id desc")
        self.assertIn("Weekly Pipeline Changes", mail.subject)
        self.assertIn("Pipeline: Won", mail.body_html)
