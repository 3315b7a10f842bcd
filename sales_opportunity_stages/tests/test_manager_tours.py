from odoo import fields
from odoo.tests import HttpCase, tagged

from .funnel_common import FunnelSetup
from .quotation_common import QuotationSetup


class ManagerTours(QuotationSetup, HttpCase):
    browser_size = "1280x720"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()
        cls.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 500})

    def _create_requested(self):
        order = self._create_quotation()
        order.action_request_approval()
        return order

    def _tour(self, name, action, record=None, user=None):
        path = f"/odoo/action-{self.env.ref(action).id}" + (f"/{record.id}" if record else "")
        self.start_tour(path, f"sales_opportunity_stages_{name}", login=(user or self.manager).login, timeout=180)


@tagged("post_install", "-at_install")
class TestManagerTours(ManagerTours):
    """The day of a Sales Administrator, by real clicks; each result is read back after a reload."""

    def test_assigns(self):
        leads = self.env["crm.lead"].union(
            *(self._create_opportunity(f"Tour {name}") for name in ("One", "Two", "Three"))
        )
        self._tour("assign", "crm.crm_lead_action_pipeline")
        self.assertEqual(leads[0].user_id, self.colleague)
        self.assertEqual(leads[1:].user_id, self.colleague | self.salesman, "evenly, by open workload")
        self._tour("assigned", "crm.crm_lead_action_pipeline")

    def test_overrides(self):
        lead = self._create_opportunity("Tour Override")
        self._tour("override", "crm.crm_lead_action_pipeline", lead)
        self.assertEqual(self._get_visits(lead)[-1], (self.stage_solution, "open", "forced"))
        self._tour("overridden", "crm.crm_lead_action_pipeline", lead)

    def test_approves_withdraws_closes_and_reopens(self):
        order = self._create_requested()
        self._tour("approve_and_withdraw", "sale.action_quotations", order)
        self.assertEqual(order.approval_state, "open")
        self._tour("close", "sale.action_quotations", order)
        self.assertEqual((order.approval_state, order.close_reason), ("closed", "The budget is gone"))
        self._tour("reopen", "sale.action_quotations", order)
        self.assertEqual((order.approval_state, order.close_reason), ("open", False))


@tagged("post_install", "-at_install")
class TestManagerPhoneTours(ManagerTours):
    """Approvals on a phone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_approves_on_a_phone(self):
        order = self._create_requested()
        self._tour("approve_on_a_phone", "sale.action_quotations", order)
        self.assertEqual((order.approval_state, order.close_reason), ("open", False))
        steps = " ".join(order.message_ids.mapped("body"))
        for step in ("Approved", "Approval withdrawn", "Closed", "Reopened"):
            self.assertIn(step, steps)


@tagged("post_install", "-at_install")
class TestReportTours(FunnelSetup, HttpCase):
    browser_size = "1280x720"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_funnel()
        leads = cls._live_example()
        everything = cls.env["crm.lead"].union(*leads.values()).with_user(cls.manager)
        everything.date_deadline = fields.Date.today()
        leads["H"].with_user(cls.manager).date_deadline = False
        leads["A"].with_user(cls.manager).user_id = cls.colleague

    def test_compares_funnels(self):
        action = self.env.ref("sales_opportunity_stages.crm_funnel_report_action")
        self.start_tour(
            f"/odoo/action-{action.id}",
            "sales_opportunity_stages_compare_funnels",
            login=self.manager.login,
            timeout=180,
        )

    def test_opens_each_report(self):
        self.start_tour("/odoo", "sales_opportunity_stages_each_report", login=self.manager.login, timeout=240)
