from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from dateutil.relativedelta import relativedelta
from lxml import etree

from odoo import fields
from odoo.tests import HttpCase, new_test_user, tagged

from .common import OpportunityStagesSetup
from .funnel_common import FunnelSetup
from .quotation_common import QuotationSetup


@tagged("post_install", "-at_install")
class TestTours(OpportunityStagesSetup, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_pipeline()

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
        today = fields.Date.today()
        leads.with_user(self.manager).date_deadline = today
        # what the funnel opens with goes back a year and ahead a quarter, whatever day it is
        leads[0].with_user(self.manager).date_deadline = today - relativedelta(months=12)
        leads[-1].with_user(self.manager).date_deadline = today + relativedelta(months=3)
        self.start_tour("/odoo", "sales_opportunity_stages_funnel", login=self.salesman.login)


@tagged("post_install", "-at_install")
class TestOnboarding(OpportunityStagesSetup, HttpCase):
    """Every role is shown around once, by a tour of its own, which can be gone through from end to end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_pipeline()
        cls.type_project.sequence = 1000  # the tours open the last one
        groups = "sales_opportunity_stages.group_credit_manager,account.group_account_invoice"
        cls.accountant = new_test_user(cls.env, "tour_accountant", groups=groups)
        groups = "sales_team.group_sale_manager,base.group_system"
        cls.administrator = new_test_user(cls.env, "tour_administrator", groups=groups)
        cls.employee = new_test_user(cls.env, "tour_employee", groups="base.group_user")

    def _get_offered(self, user):
        """The tours of the add-on that this user is shown one after the other."""
        user.tour_enabled = True
        Tour, offered = self.env["web_tour.tour"].with_user(user), []
        tour = Tour.get_current_tour()
        while tour:
            offered.append(tour["name"])
            tour = Tour.consume(tour["name"])
        return [name.split("_")[-2] for name in offered if name.startswith("sales_opportunity_stages_")]

    def test_each_role_has_its_own(self):
        self.assertEqual(self._get_offered(self.salesman), ["salesperson"])
        self.assertEqual(self._get_offered(self.manager), ["manager"])
        self.assertEqual(self._get_offered(self.accountant), ["credit"])
        self.assertEqual(self._get_offered(self.administrator), ["administrator"])
        self.assertEqual(self._get_offered(self.employee), [])

    def test_upgrade_shows_each_role_its_own(self):
        """Tours and rule of the first release are changed once; a rule of one's own stays."""
        path = Path(__file__).parents[1] / "migrations/19.0.2.0.0/post-onboarding_tours.py"
        spec = spec_from_file_location("onboarding_tours", path)
        script = module_from_spec(spec)
        spec.loader.exec_module(script)
        rule = self.env.ref("sales_opportunity_stages.web_tour_tour_rule_group")
        rule.domain_force = script.FORMER_DOMAIN
        tours = self.env["web_tour.tour"].search([("name", "=like", "sales_opportunity_stages_%_onboarding")])
        tours.except_group_ids = False
        for _time in range(2):
            script.migrate(self.env.cr, "19.0.1.0.0")
            self.env.invalidate_all()
            self.assertEqual(rule.domain_force, script.DOMAIN)
            self.assertEqual(self._get_offered(self.manager), ["manager"])
            self.env["web_tour.tour"].search([]).user_consumed_ids = False
        rule.domain_force = "[(1, '=', 1)]"
        script.migrate(self.env.cr, "19.0.1.0.0")
        self.assertEqual(rule.domain_force, "[(1, '=', 1)]")

    def test_salesperson(self):
        self.start_tour("/odoo", "sales_opportunity_stages_salesperson_onboarding", login=self.salesman.login)
        lead = self.env["crm.lead"].search([("name", "=", "My first opportunity")])
        self.assertEqual(lead.stage_id, self.stage_contact)
        self.assertEqual(lead.activity_ids.stage_visit_id, lead.stage_visit_ids)

    def test_manager(self):
        self.start_tour("/odoo", "sales_opportunity_stages_manager_onboarding", login=self.manager.login)

    def test_credit_manager(self):
        self.start_tour("/odoo", "sales_opportunity_stages_credit_onboarding", login=self.accountant.login)

    def test_administrator(self):
        self.start_tour("/odoo", "sales_opportunity_stages_administrator_onboarding", login=self.administrator.login)

    def _follow(self, role, user):
        """Go through a tour as a person does: where no pointer is shown, there is no way on."""
        name = f"sales_opportunity_stages_{role}_onboarding"
        self.browser_js(
            "/odoo", f"odoo.followTour('{name}')", f"odoo.isTourReady('{name}')", login=user.login, timeout=180
        )

    def test_a_salesperson_is_led_to_the_end(self):
        self._follow("salesperson", self.salesman)

    def test_a_manager_is_led_to_the_end(self):
        self._follow("manager", self.manager)

    def test_an_accountant_is_led_to_the_end(self):
        self._follow("credit", self.accountant)

    def test_an_administrator_is_led_to_the_end(self):
        self._follow("administrator", self.administrator)

    def test_settings_lead_everywhere(self):
        """The links of the settings are actions that their users may open."""
        arch = self.env["res.config.settings"].get_view(self.env.ref("crm.res_config_settings_view_form").id)["arch"]
        block = etree.fromstring(arch).find(".//block[@name='opportunity_stages_setting_container']")
        actions = [int(button.get("name")) for button in block.iter("button")]
        self.assertEqual(len(actions), 8)
        for action in self.env["ir.actions.act_window"].browse(actions):
            user = self.env.ref("base.user_admin") if action.res_model == "res.config.settings" else self.manager
            self.env[action.res_model].with_user(user).check_access("read")
