from odoo.fields import Command

from .query_counting import QueryCounting
from .quotation_common import QuotationCase
from .web_client import get_specification

FORM, LIST = 6, 2  # queries more than the same view without the add-ons' fields, at most


class TestOpening(QueryCounting, QuotationCase):
    """What the web client reads to open a view takes few queries more than with Odoo's own fields."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.leads = cls._create_opportunities(20, expected_revenue=5)
        cls._force(cls.leads, cls.stage_needs)
        cls.orders = cls.env["sale.order"].union(*(cls._create_quotation() for _n in range(5)))

    def _get_specifications(self, model, view_type, view):
        """Return what is read with the add-ons' views, and without."""
        model, view_id = model.browse(), self.env.ref(view).id
        whole = get_specification(model, view_type, view_id)
        ours = self.env["ir.ui.view"].search([("model", "=", model._name), ("inherit_id", "!=", False)])
        ours.filtered(lambda view: view.xml_id.startswith("sales_opportunity_stages")).active = False
        native = get_specification(model, view_type, view_id)
        self.assertLess(native.keys(), whole.keys())
        return whole, native

    def assertOpens(self, most, records, view_type, view):
        whole, native = self._get_specifications(records, view_type, view)
        domain = [("id", "in", records.ids)]
        records = records.with_context(lang="en_US")  # the web client names the language

        def read(specification):
            if view_type == "form":
                return records[:1].web_read(specification)
            return records.browse().web_search_read(domain, specification, limit=80)

        alone = self._count(lambda: read(native))
        with self._undone():
            read(whole)
        with self._undone(), self.assertQueryCount(alone + most):
            read(whole)

    def test_kanban_of_opportunities(self):
        self.assertOpens(LIST, self.leads, "kanban", "crm.crm_case_kanban_view_leads")

    def test_list_of_opportunities(self):
        """The columns that are hidden at first are read too: the type, who works on it, the progress."""
        self.assertOpens(LIST, self.leads, "list", "crm.crm_case_tree_view_oppor")

    def test_opportunity_form(self):
        """Which lists are empty is asked for once, and names that the registry keeps are not read."""
        self.assertOpens(FORM, self.leads, "form", "crm.crm_lead_view_form")

    def test_list_of_quotations(self):
        self.assertOpens(LIST, self.orders, "list", "sale.view_quotation_tree_with_onboarding")

    def test_quotation_form(self):
        self.assertOpens(FORM, self.orders, "form", "sale.view_order_form")

    def test_customer_form(self):
        customer = self.customer.with_user(self.salesman)
        self.assertOpens(FORM, customer, "form", "base.view_partner_form")

    def test_progress_on_a_card_is_that_of_the_form(self):
        """A single opportunity is computed with its checklist, several are not."""
        lead, other = self.leads[:2]
        self._complete(lead, self.act_visit)
        (lead | other).invalidate_recordset()
        specification = {"stage_progress": {}, "can_promote": {}}
        cards = (lead | other).web_read(specification)
        (lead | other).invalidate_recordset()
        self.assertEqual([*lead.web_read(specification), *other.web_read(specification)], cards)
        self.assertNotEqual(cards[0]["stage_progress"], cards[1]["stage_progress"])

    def test_what_was_empty_is_read_when_it_is_filled(self):
        lead = self.leads[0].with_user(self.salesman)
        specification = {name: {} for name in (*lead._get_part_fields(), "stage_visit_ids", "probability_mode")}
        lead.invalidate_recordset()
        [before] = lead.web_read(specification)
        self.assertFalse(any(before[name] for name in lead._get_part_fields()))
        self.assertEqual(before["probability_mode"], lead.opportunity_type_id.probability_mode)
        visits = self.env["crm.stage.visit"].with_user(self.salesman).search([("lead_id", "=", lead.id)])
        self.assertEqual(before["stage_visit_ids"], visits.ids)
        line = (
            self.env["crm.opportunity.line"]
            .with_user(self.salesman)
            .create({"lead_id": lead.id, "product_id": self.product.id})
        )
        self.assertEqual(lead.web_read(specification)[0]["opportunity_line_ids"], line.ids)
        lead.invalidate_recordset()
        self.assertEqual(lead.web_read(specification)[0]["opportunity_line_ids"], line.ids)

    def test_checklist_is_made_once(self):
        lead = self.leads[0].with_user(self.salesman)
        progress = self._count(lambda: lead.web_read({"stage_checklist": {}}))
        whole = self._count(lambda: lead.web_read({"can_promote": {}, "stage_progress": {}, "stage_checklist": {}}))
        self.assertEqual(progress, whole)

    def test_credit_is_read_only_where_it_is_limited(self):
        self.env.company.account_use_credit_limit = False
        order = self.orders[0]
        before = self._count(lambda: order.web_read({"partner_credit_warning": {}}))
        order.sudo().order_line = [Command.create({"product_id": self.other_product.id}) for _n in range(3)]
        self.assertEqual(self._count(lambda: order.web_read({"partner_credit_warning": {}})), before)
