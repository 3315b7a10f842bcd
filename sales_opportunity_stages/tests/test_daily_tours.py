from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from .quotation_common import QuotationCase, QuotationSetup


@tagged("post_install", "-at_install")
class TestDailyTours(QuotationSetup, HttpCase):
    """The day of a salesperson, by real clicks. What is saved is read back after a reload."""

    browser_size = "1280x900"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()
        cls.customer.is_company = True
        cls.rival = cls.env["res.partner"].create({"name": "Rival Works", "is_company": True, "is_competitor": True})
        cls.env["res.partner"].create(
            [
                {"name": "Aaron Nobody"},
                {"name": "Zoe Buyer", "parent_id": cls.customer.id, "type": "contact"},
            ]
        )

    def _start(self, tour, lead=None, action="crm.action_your_pipeline"):
        url = f"/odoo/action-{action}" + (f"/{lead.id}" if lead else "")
        self.start_tour(url, f"sales_opportunity_stages_daily_{tour}", login=self.salesman.login, timeout=180)
        self.env.invalidate_all()

    def _open(self, tour, lead):
        self._start(tour, lead, "crm.crm_lead_action_pipeline")

    def test_from_card_to_promotion(self):
        self._create_opportunity("Other Deal", opportunity_type_id=self.type_quick.id)
        self._create_opportunity("Plant Deal", partner_id=self.customer.id)
        self._create_opportunity("Second Plant Deal")
        self._start("promote")
        lead = self.env["crm.lead"].search([("name", "=", "Tour Deal")])
        self.assertEqual((lead.opportunity_type_id, lead.stage_id), (self.type_project, self.stage_solution))
        self.assertEqual(lead.partner_id, self.customer)
        self.assertEqual(lead.opportunity_line_ids.mapped("price_unit"), [100, 40])
        self.assertEqual(lead.expected_revenue, 10 * 100 + 40)
        self.assertEqual(lead.opportunity_contact_ids.partner_id.name, "Zoe Buyer")
        self.assertEqual([visit[1:] for visit in self._get_visits(lead)[1:2]], [("advanced", "automatic")])

    def test_refused_in_the_kanban_and_the_form(self):
        lead = self._create_opportunity("Refused Deal")
        self._start("refused")
        self.assertEqual((lead.stage_id, lead.priority), (self.stage_contact, "1"))
        self.assertEqual(lead.name, "Refused Deal, renamed")

    def test_lose_and_reopen(self):
        lead = self._create_opportunity("Lost Deal")
        self._force(lead, self.stage_needs)
        lead.opportunity_competitor_ids = [Command.create({"partner_id": self.rival.id})]
        self._open("lose", lead)
        self.assertEqual((lead.won_status, lead.stage_id), ("pending", self.stage_needs))
        self.assertFalse(lead.lost_to_id)

    def test_quotation_of_a_part_and_order_of_the_rest(self):
        lead = self._create_quotable()
        self._open("quote_and_order", lead)
        first, second = lead.order_ids.sorted("id")
        self.assertEqual((first.state, second.state), ("draft", "sale"))
        self.assertEqual(first.order_line.mapped("product_uom_qty"), [2])
        self.assertEqual(second.order_line.mapped("product_uom_qty"), [3, 10])
        self.assertEqual(
            lead.opportunity_line_ids.mapped("quoted_qty"), [2, 0]
        )  # what is ordered is not quoted any more
        self.assertEqual(lead.opportunity_line_ids.mapped("ordered_qty"), [3, 10])

    def test_add_from_opportunity_before_the_first_save(self):
        lead = self._create_quotable(name="Source Deal")
        self._start("add_from_opportunity", action="sale.action_quotations")
        order = self.env["sale.order"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual(order.opportunity_id, lead)
        self.assertEqual(order.order_line.opportunity_line_id, lead.opportunity_line_ids)

    def test_type_past_the_first_stage(self):
        lead = self._create_opportunity("Typed Deal")
        self._open("change_type", lead)
        self.assertEqual(lead.opportunity_type_id, self.type_quick)
        lead.with_user(self.manager).opportunity_type_id = self.type_project
        self._force(lead, self.stage_needs)
        self._open("type_is_locked", lead)

    def test_phone(self):
        """The form at the width of a phone."""
        self.browser_size, self.touch_enabled = "390x844", True
        lead = self._create_quotable(name="Phone Deal")
        self._open("phone", lead)
        self.assertEqual(lead.stage_id, self.stage_needs)
        self.assertEqual(lead.opportunity_line_ids.mapped("price_unit"), [80, 40])


@tagged("post_install", "-at_install")
class TestDailyWork(QuotationCase):
    """What the screens of a salesperson are given."""

    def _get_items(self, lead):
        return {item["label"]: item for item in lead.stage_checklist["items"]}

    def test_a_condition_leads_to_where_it_is_met(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_needs)
        target = self._get_items(lead)["Revenue set"]["target"]
        self.assertEqual(target, {"field": "expected_revenue", "label": "Expected Revenue"})
        lead.opportunity_line_ids = [Command.create({"product_id": self.product.id})]
        self.assertEqual(self._get_items(lead)["Revenue set"]["target"]["field"], "opportunity_line_ids")
        lead.opportunity_line_ids.price_unit = 5
        self.assertFalse(self._get_items(lead)["Revenue set"]["target"], "it is met")
        self.assertFalse(self._get_items(lead)["Visit A"]["target"], "an action is scheduled")

    def test_a_condition_on_quotations_leads_to_them(self):
        self.rule_revenue.domain = "['&', ('order_ids.state', '=', 'sale'), ('name', '!=', False)]"
        lead = self._create_quotable()
        self._force(lead, self.stage_needs)
        self.assertEqual(self._get_items(lead)["Revenue set"]["target"]["method"], "action_sale_quotations_new")
        self._generate(lead)
        lead.invalidate_recordset()
        self.assertEqual(self._get_items(lead)["Revenue set"]["target"]["method"], "action_view_sale_quotation")

    def test_outlook(self):
        lead = self._create_opportunity()
        self.assertEqual(lead.stage_outlook, "Still required: Call A")
        self.rule_call.promotes = False
        self._complete(lead, self.act_call)
        self.assertEqual((lead.stage_progress, lead.stage_outlook), ("1/1", "Ready for Needs"))
        self._force(lead, self.stage_closing)
        self.assertFalse(lead.stage_outlook, "nothing is required there")

    def test_who_may_change_the_type(self):
        lead = self._create_opportunity()
        self.assertTrue(lead.can_change_type)
        self._force(lead, self.stage_needs)
        self.assertFalse(lead.can_change_type)
        self.assertTrue(lead.with_user(self.manager).can_change_type)
        with self.assertRefused("Sales Administrator"):
            lead.opportunity_type_id = self.type_quick
        self.assertTrue(self.env["crm.lead"].with_user(self.salesman).new({"type": "opportunity"}).can_change_type)

    def test_missing_prices(self):
        lead = self._create_quotable()
        self.assertTrue(lead.has_missing_prices)
        lead.action_take_reference_prices()
        self.assertEqual(lead.opportunity_line_ids.mapped("price_unit"), [80, 40])
        self.assertFalse(lead.has_missing_prices)
        self.other_product.list_price = 0
        lead.opportunity_line_ids[1].price_unit = 0
        self.assertFalse(lead.has_missing_prices, "there is no reference price to fill in")

    def test_contacts_of_the_customer_come_first(self):
        names = ["Aaron of Acme", "Zoe of Acme"]
        people = self.env["res.partner"].create([{"name": name, "parent_id": self.customer.id} for name in names])
        others = self.env["res.partner"].create([{"name": "Aaron"}, {"name": "Zoe"}])
        Partner = self.env["res.partner"].with_user(self.salesman)

        def find(name, customer, **kwargs):
            found = Partner.with_context(contacts_of_partner=customer).name_search(name, **kwargs)
            return [partner_id for partner_id, _name in found]

        self.assertEqual(find("Zoe", self.customer.id), [people[1].id, others[1].id])
        self.assertEqual(find("Zoe", people[0].id), [people[1].id, others[1].id], "a contact stands for its company")
        self.assertEqual(find("Zoe", self.customer.id, limit=1), [people[1].id])
        self.assertEqual(find("Zoe", self.customer.id, domain=[("id", "in", others.ids)]), [others[1].id])
        self.assertEqual(set(find("Zoe", False)), {people[1].id, others[1].id})
        self.assertEqual(set(find("Zoe", "1 OR 1=1")), {people[1].id, others[1].id})

    def test_the_only_competitor_is_proposed(self):
        rivals = self.env["res.partner"].create([{"name": name, "is_competitor": True} for name in ("Rival", "Other")])
        leads = self._create_opportunities(2)
        wizard = self.env["crm.lead.lost"].with_user(self.salesman).with_context(active_ids=leads.ids)

        def propose(leads):
            return wizard.create({"lead_ids": [Command.set(leads.ids)]}).lost_to_id

        self.assertFalse(propose(leads[0]))
        leads[0].opportunity_competitor_ids = [Command.create({"partner_id": rivals[0].id})]
        self.assertEqual(propose(leads[0]), rivals[0])
        self.assertFalse(propose(leads), "the other one names none")
        leads[1].opportunity_competitor_ids = [Command.create({"partner_id": rivals[0].id})]
        self.assertEqual(propose(leads), rivals[0])
        leads[0].opportunity_competitor_ids = [Command.create({"partner_id": rivals[1].id})]
        self.assertFalse(propose(leads[0]), "which of the two is not known")


@tagged("post_install", "-at_install")
class TestFirstScreen(QuotationSetup, HttpCase):
    """What the menu CRM opens."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()
        # what a database of demo data has is out of the way
        cls.env["crm.lead"].search([]).with_context(active_test=False).unlink()

    def _get_action(self, user):
        return self.env["crm.team"].with_user(user).action_your_pipeline()

    def _get_type(self, user):
        return self._get_action(user)["context"].get("searchpanel_default_opportunity_type_id")

    def test_busiest_type_of_ones_own(self):
        self._create_opportunity()
        for _number in range(2):
            self._create_opportunity(opportunity_type_id=self.type_quick.id)
        for _number in range(3):
            self._force(self._create_opportunity(), self.stage_won)
        self.assertEqual(self._get_type(self.salesman), self.type_quick.id)
        self.assertTrue(self._get_action(self.salesman)["context"]["search_default_assigned_to_me"])

    def test_without_opportunities_the_type_of_the_team(self):
        self.assertEqual(self._get_type(self.colleague), self.type_project.id)
        self._create_opportunity(opportunity_type_id=self.type_quick.id)
        self.assertEqual(self._get_type(self.colleague), self.type_project.id, "those of others are not theirs")

    def test_manager_sees_those_of_the_others(self):
        self._create_opportunity(opportunity_type_id=self.type_quick.id)
        context = self._get_action(self.manager)["context"]
        self.assertEqual(context["searchpanel_default_opportunity_type_id"], self.type_quick.id)
        self.assertFalse(context["search_default_assigned_to_me"])
        self._create_opportunity(user=self.manager, user_id=self.manager.id)
        context = self._get_action(self.manager)["context"]
        self.assertEqual(context["searchpanel_default_opportunity_type_id"], self.type_project.id)
        self.assertTrue(context["search_default_assigned_to_me"])

    def test_a_default_favorite_stands_above(self):
        self._create_opportunity()
        action = self._get_action(self.salesman)
        self.env["ir.filters"].with_user(self.salesman).create(
            {
                "name": "Mine",
                "model_id": "crm.lead",
                "action_id": action["id"],
                "user_ids": [Command.set(self.salesman.ids)],
                "is_default": True,
                "domain": "[]",
            }
        )
        self.assertFalse(self._get_type(self.salesman))

    def test_one_type_is_as_in_odoo(self):
        (self.env["crm.opportunity.type"].search([]) - self.type_project).active = False
        self._create_opportunity()
        action = self._get_action(self.salesman)
        native = self.env["ir.actions.actions"]._for_xml_id("crm.crm_lead_action_pipeline")
        self.assertEqual(action["search_view_id"], native["search_view_id"])
        self.assertNotIn("searchpanel_default_opportunity_type_id", action["context"])

    def test_what_is_created_is_of_the_type_chosen(self):
        """A stage that is open to every type does not decide it."""
        self.env["crm.stage"].create({"name": "For all", "sequence": 0})
        self._create_opportunity()
        self.start_tour(
            "/odoo/action-crm.action_your_pipeline", "sales_opportunity_stages_choose_type", login=self.salesman.login
        )
        lead = self.env["crm.lead"].search([("name", "=", "Of the chosen type")])
        self.assertEqual(lead.opportunity_type_id, self.type_quick)
