from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form
from odoo.tools import mute_logger

from .common import OpportunityStagesCase


class TestOpportunityLine(OpportunityStagesCase):
    """What the customer wants, what we ask for it, and the expected revenue that follows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.unit = cls.env.ref("uom.product_uom_unit")
        cls.dozen = cls.env.ref("uom.product_uom_dozen")
        cls.pump, cls.valve = cls.env["product.product"].create(
            [
                {"name": "Pump", "list_price": 100, "uom_id": cls.unit.id, "uom_ids": [Command.set(cls.dozen.ids)]},
                {"name": "Valve", "list_price": 7.5, "description_sale": "Brass"},
            ]
        )

    def _add_line(self, lead, product, **values):
        return (
            self.env["crm.opportunity.line"]
            .with_user(lead.env.user)
            .create({"lead_id": lead.id, "product_id": product.id, **values})
        )

    def test_reference_price_is_shown_never_filled_in(self):
        lead = self._create_opportunity()
        line = self._add_line(lead, self.pump, product_uom_qty=3)
        self.assertEqual((line.reference_price, line.price_unit, line.price_subtotal), (100, 0, 0))
        self.assertEqual(lead.expected_revenue, 0)
        line.product_uom_id = self.dozen
        self.assertEqual(line.reference_price, 1200)
        line.action_take_reference_price()
        self.assertEqual((line.price_unit, line.price_subtotal, lead.expected_revenue), (1200, 3600, 3600))

    def test_reference_prices_of_what_is_not_quoted(self):
        lead = self._create_opportunity()
        quoted = self._add_line(lead, self.pump, price_unit=80)
        self._add_line(lead, self.valve, product_uom_qty=4)
        lead.action_take_reference_prices()
        self.assertEqual(quoted.price_unit, 80)
        self.assertEqual(lead.expected_revenue, 80 + 4 * 7.5)

    def test_currency_of_the_opportunity(self):
        company = self.env["res.company"].create({"name": "Abroad", "currency_id": self.env.ref("base.CHF").id})
        self.env["res.currency.rate"].create(
            {"currency_id": company.currency_id.id, "company_id": company.id, "name": "2020-01-01", "rate": 1}
        )
        self.env["res.currency.rate"].create(
            {"currency_id": self.pump.currency_id.id, "company_id": company.id, "name": "2020-01-01", "rate": 0.5}
        )
        lead = self.env["crm.lead"].create(
            {"name": "x", "type": "opportunity", "company_id": company.id, "user_id": False, "team_id": False}
        )
        line = self._add_line(lead, self.pump)
        self.assertEqual((line.currency_id, line.reference_price), (company.currency_id, 200))

    def test_description_and_unit_come_from_the_product(self):
        line = self._add_line(self._create_opportunity(), self.valve)
        self.assertEqual((line.name, line.product_uom_id), ("Valve\nBrass", self.valve.uom_id))
        line.product_id = self.pump
        self.assertEqual((line.name, line.product_uom_id), ("Pump", self.unit))

    def test_lines_make_the_revenue(self):
        lead = self._create_opportunity(expected_revenue=999)
        self.assertEqual(lead.expected_revenue, 999, "without lines it is what somebody has put in")
        first = self._add_line(lead, self.pump, price_unit=90, product_uom_qty=2)
        second = self._add_line(lead, self.valve, price_unit=5)
        self.assertEqual(lead.expected_revenue, 185)
        second.product_uom_qty = 3
        self.assertEqual(lead.expected_revenue, 195)
        first.unlink()
        self.assertEqual(lead.expected_revenue, 15)
        second.unlink()
        self.assertEqual(lead.expected_revenue, 15, "the last sum stays, to be changed by hand")
        lead.expected_revenue = 50
        self.assertEqual(lead.expected_revenue, 50)

    def test_a_revenue_written_against_the_lines_gives_way(self):
        line_values = [Command.create({"product_id": self.pump.id, "price_unit": 60})]
        lead = self._create_opportunity(expected_revenue=1, opportunity_line_ids=line_values)
        self.assertEqual(lead.expected_revenue, 60)
        lead.write({"expected_revenue": 5})
        self.env.flush_all()
        self.assertEqual(lead.expected_revenue, 60)
        lead.write(
            {
                "expected_revenue": 5,
                "opportunity_line_ids": [Command.update(lead.opportunity_line_ids.id, {"price_unit": 70})],
            }
        )
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(lead.expected_revenue, 70)

    def test_confirming_an_order_does_not_fight_the_lines(self):
        partner = self.env["res.partner"].create({"name": "Acme"})
        with_lines, without = self._create_opportunities(2, partner_id=partner.id)
        self._add_line(with_lines, self.pump, price_unit=60)
        for lead in (with_lines, without):
            order = self.env["sale.order"].create(
                {
                    "partner_id": partner.id,
                    "opportunity_id": lead.id,
                    "order_line": [Command.create({"product_id": self.pump.id, "price_unit": 500, "tax_ids": False})],
                }
            )
            order.action_confirm()
        self.assertEqual((with_lines.expected_revenue, without.expected_revenue), (60, 500))
        self.assertFalse(with_lines.message_ids.filtered(lambda message: "has been updated" in message.body))

    def test_import_gives_the_same(self):
        result = (
            self.env["crm.lead"]
            .with_user(self.salesman)
            .load(
                [
                    "name",
                    "type",
                    "team_id/.id",
                    "opportunity_line_ids/product_id/.id",
                    "opportunity_line_ids/product_uom_qty",
                    "opportunity_line_ids/price_unit",
                ],
                [
                    ["By import", "opportunity", self.team.id, self.pump.id, 2, 45],
                    ["", "", "", self.valve.id, 1, 10],
                ],
            )
        )
        self.assertFalse(result["messages"])
        lead = self.env["crm.lead"].browse(result["ids"])
        self.assertEqual((lead.expected_revenue, len(lead.opportunity_line_ids)), (100, 2))

    def test_form(self):
        lead = self._create_opportunity()
        with Form(lead) as form:
            with form.opportunity_line_ids.new() as line:
                line.product_id = self.pump
                line.price_unit = 11
                line.product_uom_qty = 2
            self.assertEqual(form.expected_revenue, 22)
        self.assertEqual(lead.expected_revenue, 22)

    def test_a_line_may_be_what_promotion_waits_for(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_needs)
        self._complete(lead, self.act_visit, self.act_sign)
        self.assertEqual(lead.stage_id, self.stage_needs)
        self._add_line(lead, self.pump, price_unit=60)
        self.assertEqual(lead.stage_id, self.stage_solution)

    def test_merge_and_copy(self):
        head, tail = self._create_opportunities(2)
        self._force(head, self.stage_needs)
        self._add_line(head, self.pump, price_unit=10)
        self._add_line(tail, self.valve, price_unit=5)
        (head | tail).merge_opportunity()
        self.assertEqual(len(head.opportunity_line_ids), 2)
        self.assertEqual(head.expected_revenue, 15)
        self.assertEqual(head.copy().expected_revenue, 15)

    def test_bad_input(self):
        lead = self._create_opportunity(company_id=self.env.company.id)
        line = self._add_line(lead, self.pump)
        for values in ({"product_uom_qty": -1}, {"price_unit": -0.01}):
            with self.subTest(values=values), mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
                line.write(values)
                self.env.flush_all()
        self.valve.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        with self.assertRaises(UserError):
            self._add_line(lead, self.valve)

    def test_leads_have_no_lines(self):
        lead = self.env["crm.lead"].create({"name": "Raw", "type": "lead"})
        with self.assertRefused("Convert lead 'Raw'"):
            self._add_line(lead, self.pump)

    def test_who_works_on_them(self):
        mine = self._add_line(self._create_opportunity(), self.pump)
        other_lead = self._create_opportunity(user=self.supervisor, user_id=self.supervisor.id)
        other = self._add_line(other_lead, self.pump)
        with self.assertRaises(AccessError):
            other.with_user(self.salesman).write({"price_unit": 1})
        with self.assertRaises(AccessError):
            mine.with_user(self.salesman).write({"lead_id": other_lead.id})
        with self.assertRaises(AccessError):
            mine.with_user(self.employee).read(["price_unit"])
        mine.with_user(self.supervisor).price_unit = 3
        self.assertEqual(
            self.env["crm.opportunity.line"].with_user(self.salesman).search([("product_id", "=", self.pump.id)]), mine
        )
