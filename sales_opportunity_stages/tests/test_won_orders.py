from odoo.fields import Command

from .quotation_common import QuotationCase


class TestWonOrders(QuotationCase):
    """Won revenue beside what was ordered and invoiced of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls.env["res.partner"].create({"name": "Buyer"})
        cls.product = cls.env["product.product"].create(
            {"name": "Pump", "type": "service", "invoice_policy": "order", "taxes_id": [Command.clear()]}
        )
        cls.leads = cls._create_opportunities(3, expected_revenue=100, partner_id=cls.customer.id)

    def _order(self, lead, amount, confirm=True, **values):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "opportunity_id": lead.id,
                "order_line": [Command.create({"product_id": self.product.id, "price_unit": amount})],
                **values,
            }
        )
        if confirm:
            order.action_confirm()
        return order

    def _win(self, leads, revenue=100):
        self._force(leads, self.stage_closing)
        leads.with_user(self.manager).action_set_won()
        leads.sudo().write({"expected_revenue": revenue})

    def _read(self, groupby=()):
        names = ["won_revenue", "ordered_revenue", "invoiced_revenue", "order_difference"]
        rows = self.env["crm.pipeline.report"]._read_group(
            [("lead_id", "in", self.leads.ids)], list(groupby), [f"{name}:sum" for name in names]
        )
        return {row[: len(groupby)]: row[len(groupby) :] for row in rows}

    def test_ordered_and_invoiced(self):
        won, other, pending = self.leads
        order = self._order(won, 80)
        self._order(won, 40)
        self._order(won, 1000, confirm=False)
        self._order(pending, 500)
        order._create_invoices().action_post()
        self._win(won | other)
        self.env.flush_all()
        self.assertEqual(self._read()[()], (200, 120, 80, -80))
        self.assertEqual(self._read(["lead_id"])[won,], (100, 120, 80, 20))
        self.assertEqual(self._read(["user_id"])[self.salesman,], (200, 120, 80, -80))
        self.assertEqual(self._read(["partner_id"])[self.customer,], (200, 120, 80, -80))

    def test_the_rate_of_the_order_date(self):
        """In company currency, to the cent."""
        currency = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "=", "CNY"), ("id", "!=", self.env.company.currency_id.id)])
        )
        currency.active = True
        currency.rate_ids.unlink()
        currency.rate_ids = [
            Command.create({"name": "2026-01-01", "rate": 3}),
            Command.create({"name": "2026-02-01", "rate": 5}),
        ]
        pricelist = self.env["product.pricelist"].create({"name": "Abroad", "currency_id": currency.id})
        won = self.leads[0]
        order = self._order(won, 100, confirm=False, pricelist_id=pricelist.id, date_order="2026-01-15")
        order.order_line.price_unit = 100
        order.action_confirm()
        order.date_order = "2026-01-15"
        self._win(won)
        self.env.flush_all()
        self.assertEqual(order.currency_id, currency)
        self.assertEqual(self._read(["lead_id"])[won,][1], 33.33)

    def test_the_funnel(self):
        """The switch shows what was ordered of what was won, and leaves all other stages alone."""
        won, other, pending = self.leads
        self._order(won, 80)
        self._order(pending, 500)
        self._win(won | other)
        self.env.flush_all()
        domain = [("lead_id", "in", self.leads.ids)]
        report = self.env["crm.funnel.report"]
        expected, ordered = (
            {row["stage_id"][0]: row["expected_revenue:sum"] for row in funnels["rows"]}
            for funnels in (
                report.get_funnels(domain),
                report.with_context(funnel_won_figure="ordered").get_funnels(domain),
            )
        )
        self.assertEqual(expected.pop(self.stage_won.id), 200)
        self.assertEqual(ordered.pop(self.stage_won.id), 80)
        self.assertEqual(expected, ordered)
        self.assertEqual(report._read_group(domain, [], ["ordered_revenue:sum"]), [(80,)])
        self.assertEqual(
            report._read_group([*domain, ("ordered_revenue", ">", 0)], ["stage_id"], ["reached:sum"]),
            [(self.stage_won, 1)],
        )
