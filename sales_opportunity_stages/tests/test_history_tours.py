from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.tests import HttpCase, tagged

from .funnel_common import FunnelSetup


@tagged("post_install", "-at_install")
class TestHistoryTours(FunnelSetup, HttpCase):
    """What changed in the pipeline, by real clicks."""

    browser_size = "1280x720"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_funnel()
        now = fields.Datetime.now()
        with freeze_time(now - timedelta(days=20)):
            lost, bigger = (cls._create_in_funnel(name, amount) for name, amount in (("D", 80), ("E", 150)))
            cls.env.flush_all()
        with freeze_time(now - timedelta(days=3)):
            lost.action_set_lost()
            bigger.expected_revenue = 200
            cls._create_in_funnel("H", 60)
            cls.env.flush_all()

    @classmethod
    def _create_in_funnel(cls, name, amount):
        values = {"opportunity_type_id": cls.type_funnel.id, "stage_id": cls.s1.id, "expected_revenue": amount}
        return cls._create_opportunity(name, cls.manager, **values)

    def test_changes(self):
        """A salesperson reads what changed in the last seven days, and opens what was lost."""
        self.env["crm.lead"].search([("user_id", "=", False)]).user_id = self.manager  # the salesperson sees these too
        self.start_tour("/odoo", "sales_opportunity_stages_changes", login=self.salesman.login, timeout=180)
