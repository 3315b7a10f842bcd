from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import OpportunityStagesSetup
from .funnel_common import FunnelSetup
from .quotation_common import QuotationSetup


@tagged("post_install", "-at_install")
class TestTours(OpportunityStagesSetup, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_pipeline()

    def test_manager_configures_a_type(self):
        """A Sales Administrator makes a type with stages and rules, all from the type's form."""
        self.start_tour("/odoo", "sales_opportunity_stages_configure", login=self.manager.login)
        created = self.env["crm.opportunity.type"].search([("name", "=", "Tour Sale")])
        first, second = created.stage_ids.sorted("sequence")
        self.assertEqual((first.name, second.name), ("Tour First", "Tour Second"))
        self.assertEqual(first.opportunity_type_ids, created)
        rule = first.rule_ids
        self.assertEqual((rule.activity_type_id, rule.required), (self.act_call, True))

    def test_salesperson_promotes_an_opportunity(self):
        """A salesperson is refused, does what the checklist asks, and sees the opportunity move on by itself."""
        partner = self.env["res.partner"].create({"name": "Tour Customer"})
        lead = self._create_opportunity("Tour Opportunity", partner_id=partner.id)
        self.start_tour("/odoo", "sales_opportunity_stages_promote", login=self.salesman.login)
        self.assertEqual(lead.stage_id, self.stage_needs)
        self.assertEqual(self._get_visits(lead)[-1], (self.stage_needs, "open", "automatic"))
        quick = self.env["crm.lead"].search([("name", "=", "Quick one")])
        self.assertEqual((quick.opportunity_type_id, quick.stage_id), (self.type_project, self.stage_contact))


@tagged("post_install", "-at_install")
class TestQuotationTours(QuotationSetup, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()

    def test_from_opportunity_to_order(self):
        """A salesperson makes a quotation and asks for approval, an approver gives it, it becomes an order."""
        self.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 1000})
        lead = self._create_quotable()
        self.start_tour(
            f"/odoo/action-crm.crm_lead_action_pipeline/{lead.id}",
            "sales_opportunity_stages_quote",
            login=self.salesman.login,
        )
        order = lead.order_ids
        self.assertEqual((order.amount_total, order.approval_requested_by_id), (1600, self.salesman))
        quotations = self.env.ref("sale.action_quotations")
        self.start_tour(
            f"/odoo/action-{quotations.id}/{order.id}", "sales_opportunity_stages_approve", login=self.approver.login
        )
        self.assertEqual((order.approval_state, order.approved_by_id), ("approved", self.approver))
        self.start_tour(
            f"/odoo/action-{quotations.id}/{order.id}",
            "sales_opportunity_stages_confirm",
            login=self.salesman.login,
        )
        self.assertEqual((order.state, order.order_source), ("sale", "quotation"))
        self.assertEqual(lead.opportunity_line_ids.mapped("ordered_qty"), [20, 0])


@tagged("post_install", "-at_install")
class TestReportTours(FunnelSetup, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_funnel()

    def test_funnel(self):
        """A salesperson reads the worked example in the funnel and in the pivot, and what is behind a loss."""
        leads = self.env["crm.lead"].union(*self._live_example().values())
        leads.with_user(self.manager).date_deadline = fields.Date.today()
        self.start_tour("/odoo", "sales_opportunity_stages_funnel", login=self.salesman.login)
