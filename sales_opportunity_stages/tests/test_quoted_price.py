from odoo.exceptions import ValidationError
from odoo.fields import Command

from .quotation_common import QuotationCase


class TestQuotedPrice(QuotationCase):
    """What was quoted is the net price: the expected revenue is the total of the quotation without taxes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in (cls.salesman, cls.env.user):
            user.group_ids |= cls.env.ref("sale.group_discount_per_so_line")
            user.group_ids |= cls.env.ref("product.group_product_pricelist")
        cls.lead = cls._create_opportunity(partner_id=cls.customer.id)
        cls.line = cls.env["crm.opportunity.line"].create(
            {"lead_id": cls.lead.id, "product_id": cls.product.id, "product_uom_qty": 5, "price_unit": 80}
        )

    def _use_pricelist(self, currency=None, **item):
        values = {"applied_on": "3_global", "min_quantity": 0, **item}
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Any",
                "currency_id": (currency or self.company.currency_id).id,
                "item_ids": [Command.create(values)],
            }
        )
        self.customer.property_product_pricelist = pricelist
        return pricelist

    def _assert_total(self, order, quantity=5):
        self.assertEqual((order.amount_untaxed, order.order_line.discount), (80 * quantity, 0))

    def _assert_quoted(self, **values):
        """The total stays what was quoted, at another quantity and once it is confirmed."""
        self.customer.invalidate_recordset()
        order = self._generate(self.lead).sudo()
        self.assertEqual(self.lead.expected_revenue, 400)
        self._assert_total(order)
        for quantity in (6, 50):
            order.order_line.product_uom_qty = quantity
            self._assert_total(order, quantity)
        order.action_confirm()
        self._assert_total(order, 50)
        return order

    def test_each_kind_of_pricelist(self):
        base = {"base": "list_price"}
        for kind, item in {
            "discount shown": {"compute_price": "percentage", "percent_price": 10},
            "discount shown from a quantity on": {
                "compute_price": "percentage",
                "percent_price": 10,
                "min_quantity": 6,
            },
            "formula": {"compute_price": "formula", "price_discount": 10, **base},
            "surcharge": {"compute_price": "formula", "price_surcharge": 7, **base},
            "fixed": {"compute_price": "fixed", "fixed_price": 55},
        }.items():
            with self.subTest(kind):
                pricelist = self._use_pricelist(**item)
                order = self._assert_quoted()
                self.assertEqual(order.pricelist_id, pricelist)
                order._action_cancel()  # or nothing would be left to quote

    def test_a_new_order(self):
        self._use_pricelist(compute_price="percentage", percent_price=10)
        order = self._generate(self.lead, "order").sudo()
        self.assertEqual((order.state, order.amount_untaxed), ("sale", 400))

    def test_a_discount_that_is_given_stays(self):
        self._use_pricelist(compute_price="percentage", percent_price=10)
        order = self._generate(self.lead)
        order.order_line.discount = 25
        order.order_line.product_uom_qty = 6
        self.assertEqual((order.order_line.discount, order.amount_untaxed), (25, 360))

    def test_prices_updated_from_the_pricelist(self):
        """Asked for by hand, the pricelist counts, with its discount."""
        self._use_pricelist(compute_price="percentage", percent_price=10)
        order = self._generate(self.lead)
        order.action_update_prices()
        self.assertEqual((order.order_line.price_unit, order.order_line.discount, order.amount_untaxed), (100, 10, 450))

    def test_what_is_not_quoted_has_the_price_of_the_pricelist(self):
        self.line.price_unit = 0
        self._use_pricelist(compute_price="percentage", percent_price=10)
        order = self._generate(self.lead)
        self.assertEqual((order.order_line.discount, order.amount_untaxed), (10, 450))

    def test_in_another_currency(self):
        currency = self.env["res.currency"].create(
            {"name": "XQQ", "symbol": "q", "rate_ids": [Command.create({"name": "2000-01-01", "rate": 3.0})]}
        )
        self._use_pricelist(currency, compute_price="percentage", percent_price=10)
        order = self._generate(self.lead)
        self.assertEqual((order.currency_id, order.amount_untaxed), (currency, 1200))

    def test_with_taxes(self):
        taxes = {
            name: self.env["account.tax"].create(
                {"name": name, "amount": 20, "type_tax_use": "sale", "price_include_override": override}
            )
            for name, override in (("excluded", "tax_excluded"), ("included", "tax_included"))
        }
        position = self.env["account.fiscal.position"].create({"name": "Abroad"})
        taxes["excluded"].fiscal_position_ids = position
        taxes["excluded"].original_tax_ids = taxes["included"]
        for product_tax, fiscal_position in (
            ("excluded", False),
            ("included", False),
            ("included", position),
        ):
            with self.subTest(product_tax, fiscal_position=fiscal_position):
                self.product.taxes_id = taxes[product_tax]
                self.customer.property_account_position_id = fiscal_position
                order = self._generate(self.lead).sudo()
                self.assertEqual(order.fiscal_position_id, fiscal_position or position.browse())
                self.assertEqual((order.amount_untaxed, order.amount_total), (400, 480))

    def test_the_reference_price_is_taken_without_taxes(self):
        self.product.taxes_id = self.env["account.tax"].create(
            {"name": "included", "amount": 25, "type_tax_use": "sale", "price_include_override": "tax_included"}
        )
        self.line.action_take_reference_price()
        self.assertEqual((self.line.reference_price, self.line.price_unit), (100, 80))
        self.assertEqual(self._generate(self.lead).amount_untaxed, 400)

    def test_a_combo_is_chosen_on_the_quotation(self):
        combo = self.env["product.combo"].create(
            {"name": "Any", "combo_item_ids": [Command.create({"product_id": self.other_product.id})]}
        )
        product = self.env["product.product"].create(
            {"name": "Meal", "type": "combo", "combo_ids": [Command.set(combo.ids)], "list_price": 10}
        )
        line = self.env["crm.opportunity.line"]
        with self.assertRefused("'Meal' is a combo", ValidationError):
            line.create({"lead_id": self.lead.id, "product_id": product.id})
        with self.assertRefused("'Meal' is a combo", ValidationError):
            self.line.product_id = product
        self.assertIn("combo", line._fields["product_id"].domain)
        self.product.product_tmpl_id.write({"type": "combo", "combo_ids": [Command.set(combo.ids)]})
        with self.assertRefused("'Pump' is a combo", ValidationError):
            self._generate(self.lead)


class TestMergingLost(QuotationCase):
    """Merging is nothing new: what two lost opportunities had stays, as in Odoo."""

    def test_two_lost_ones_with_quotations(self):
        leads = self._create_opportunities(2, partner_id=self.customer.id)
        orders = self.env["sale.order"]
        for lead in leads:
            orders |= self._create_quotation(opportunity_id=lead.id)
            self._lose(lead)
        merged = leads.with_user(self.manager).merge_opportunity()
        self.env.flush_all()
        self.assertEqual((merged.won_status, merged.order_ids), ("lost", orders))
        with self.assertRefused("is lost|is Lost"):
            orders[0].action_confirm()

    def test_with_product_lines(self):
        leads = self._create_quotable() | self._create_quotable()
        orders = self.env["sale.order"]
        for lead in leads:
            orders |= self._generate(lead)
            self._lose(lead)
        merged = leads.with_user(self.manager).merge_opportunity()
        self.assertEqual((len(merged.opportunity_line_ids), merged.order_ids), (4, orders))

    def test_nothing_new_by_the_context(self):
        lead, order = self._create_opportunity(), self._create_quotation()
        self._lose(lead)
        with self.assertRefused("reopen the"):
            order.with_context(opportunity_merging=True).opportunity_id = lead


class TestStageProbability(QuotationCase):
    """An open opportunity never has 0 %, which Odoo takes for lost, nor 100 %."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.type_project.probability_mode = "stage"
        (cls.stage_contact | cls.stage_needs).probability = 0
        cls.stage_closing.probability = 100

    def test_archiving_at_nought_is_no_loss(self):
        lead = self._create_opportunity()
        self.assertEqual(lead.probability, 0.01)
        lead.action_archive()
        self.env.flush_all()
        self.assertEqual((lead.won_status, lead.active), ("pending", False))
        self.assertEqual(lead.stage_visit_ids[0].outcome, "open")
        report = self.env["crm.funnel.report"].search([("lead_id", "=", lead.id)])
        self.assertFalse(sum(report.mapped("lost_here")))
        lost = self.env["crm.lead.scoring.frequency"].search([("variable", "=", "stage_id")]).mapped("lost_count")
        self.env["crm.lead"]._cron_update_automated_probabilities()
        self.assertEqual(
            self.env["crm.lead.scoring.frequency"].search([("variable", "=", "stage_id")]).mapped("lost_count"), lost
        )

    def test_losing_is_a_loss(self):
        lead = self._create_opportunity()
        self._lose(lead)
        self.assertEqual(lead.won_status, "lost")

    def test_a_hundred_is_not_won(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_closing)
        self.assertEqual((lead.probability, lead.won_status), (99.99, "pending"))
        self.assertFalse(lead.date_closed)

    def test_when_the_stage_is_changed(self):
        lead = self._create_opportunity()
        self.stage_contact.probability = 50
        self.stage_contact.probability = 0
        self.env.flush_all()
        self.assertNotIn(lead.probability, (0, 100))

    def test_a_type_without_stages_says_so(self):
        bare = self.env["crm.opportunity.type"].create({"name": "Bare"})
        stages = self.env["crm.stage"].search([("opportunity_type_ids", "=", False)])
        stages.opportunity_type_ids = self.type_project
        lead = self._create_opportunity(opportunity_type_id=bare.id)
        with self.assertRefused("is in no stage: its opportunity type Bare has none"):
            lead.action_promote()
