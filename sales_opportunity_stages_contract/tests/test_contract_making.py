from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.modules import Manifest
from odoo.tests import new_test_user
from odoo.tools import convert_file

from .contract_common import ContractCase


class TestMaking(ContractCase):
    def test_takes_over_what_was_agreed_on(self):
        invoice, delivery = self.env["res.partner"].create(
            [{"name": "Accounts", "parent_id": self.customer.id}, {"name": "Dock", "parent_id": self.customer.id}]
        )
        term = self.env["account.payment.term"].create({"name": "45 days"})
        tax = self.env["account.tax"].create({"name": "10 %", "amount": 10, "type_tax_use": "sale"})
        lead = self._create_opportunity(partner_id=self.customer.id)
        order = self._create_quotation(
            opportunity_id=lead.id,
            partner_invoice_id=invoice.id,
            partner_shipping_id=delivery.id,
            payment_term_id=term.id,
            client_order_ref="RFQ 9",
        )
        dozen = self.env.ref("uom.product_uom_dozen")
        order.order_line.write({"product_uom_id": dozen.id, "price_unit": 960, "tax_ids": [Command.set(tax.ids)]})
        order.order_line.name = "Pump, in red"
        contract = self._make_contract(order)
        self.assertEqual(contract.state, "draft")
        for name in ("partner_id", "user_id", "team_id", "company_id", "currency_id", "payment_term_id"):
            self.assertEqual(contract[name], order[name], name)
        for name in ("partner_invoice_id", "partner_shipping_id", "fiscal_position_id", "client_order_ref"):
            self.assertEqual(contract[name], order[name], name)
        self.assertEqual((contract.quotation_id, contract.opportunity_id), (order, lead))
        today = fields.Date.today()
        self.assertEqual(contract.validity_start_date, today)
        self.assertEqual(contract.validity_date, fields.Date.add(today, years=1), "to be changed while it is a draft")
        line = contract.line_ids
        self.assertEqual((line.product_id, line.original_uom_qty, line.product_uom), (self.product, 10, dozen))
        self.assertEqual((line.price_unit, line.taxes_id, line.name), (960, tax, "Pump, in red"))
        self.assertEqual((contract.amount_untaxed, contract.amount_tax), (9600, 960))
        self.assertEqual(order.state, "draft")
        self.assertIn("A contract was made from it", order.sudo().message_ids[0].body)

    def test_sections_and_what_is_not_taken(self):
        order = self._create_quotation()
        order.order_line.create(
            [
                {"order_id": order.id, "display_type": "line_section", "name": "Options"},
                {"order_id": order.id, "display_type": "line_note", "name": "Ex works"},
                {"order_id": order.id, "product_id": self.other_product.id, "product_uom_qty": 0},
            ]
        )
        lines = self._make_contract(order).line_ids
        self.assertEqual(lines.mapped("display_type"), [False, "line_section", "line_note"])
        self.assertEqual(lines.mapped("name")[1:], ["Options", "Ex works"])

    def test_shown_on_quotation_and_opportunity(self):
        order = self._generate(self._create_quotable())
        lead = order.opportunity_id
        self.assertFalse(order.contract_count or order.has_contract or lead.contract_count)
        contract = self._make_contract(order)
        self.assertEqual((order.contract_count, order.has_contract, lead.contract_count), (1, True, 1))
        for record in (order, lead):
            self.assertEqual(record.action_view_contracts()["res_id"], contract.id)
        self.assertEqual(self.env["sale.order"].search([("has_contract", "=", True)]), order)
        attachment = self.env["ir.attachment"].create(
            {"name": "signed.pdf", "res_model": contract._name, "res_id": contract.id}
        )
        self.assertIn(attachment, lead.document_ids)

    def test_named_after_the_quotation_until_it_has_a_number(self):
        order = self._create_quotation()
        contract = self._make_contract(order)
        self.assertEqual(contract.display_name, f"Draft contract of {order.name}")
        self._open(contract)
        self.assertEqual(contract.display_name, contract.name)
        self.assertEqual(self._make_free_contract().copy().display_name, "Draft")

    def test_demo_data(self):
        """With the company of the demo, where an amount like this has to be approved."""
        for name in Manifest.for_addon("sales_opportunity_stages")["demo"]:
            convert_file(self.env, "sales_opportunity_stages", name, {}, "init", noupdate=False)
        module = "sales_opportunity_stages_contract"
        convert_file(self.env, module, "demo/sale_blanket_order_demo.xml", {}, "init", noupdate=False)
        contract = self.env.ref(f"{module}.order_cold_store").contract_ids
        self.assertEqual((contract.amount_untaxed, contract.line_ids.price_unit), (288000, 14400))
        self.assertEqual(contract.opportunity_id, self.env.ref("sales_opportunity_stages.lead_cold_store"))


class TestNetPrice(ContractCase):
    """A contract knows no discount: the price is net, and the totals are those of the quotation, to the cent."""

    def _create_taxed(self, lines, **tax_values):
        tax = self.env["account.tax"].create(
            {
                "name": f"Tax {self.env['account.tax'].search_count([])}",
                "amount": 19,
                "type_tax_use": "sale",
                "price_include_override": "tax_excluded",
            }
            | tax_values
        )
        order = self._create_quotation(order_line=[Command.clear()])
        order.order_line.create(
            [
                {
                    "order_id": order.id,
                    "product_id": self.product.id,
                    "product_uom_qty": quantity,
                    "price_unit": price,
                    "technical_price_unit": 0.0,
                    "discount": discount,
                    "tax_ids": [Command.set(tax.ids)],
                }
                for quantity, price, discount in lines
            ]
        )
        return order

    def assertSameTotals(self, contract, order):
        self.env.flush_all()
        self.env.invalidate_all()
        for name in ("amount_untaxed", "amount_tax", "amount_total"):
            self.assertEqual(contract.currency_id.compare_amounts(contract[name], order[name]), 0, name)

    def test_80_less_10_percent(self):
        order = self._create_quotation(quantity=5, price=80)
        order.order_line.discount = 10
        contract = self._make_contract(order)
        self.assertEqual(contract.line_ids.price_unit, 72)
        self.assertEqual(contract.amount_total, 360)
        order = self._call_off(self._open(contract))
        self.assertEqual((order.order_line.price_unit, order.order_line.discount), (72, 0))
        self.assertEqual(order.amount_total, 360)

    def test_more_digits_than_a_price_has(self):
        order = self._create_quotation(quantity=1000, price=33.33)
        order.order_line.discount = 12.5
        contract = self._make_contract(order)
        self.assertEqual(order.amount_total, 29163.75)
        self.assertSameTotals(contract, order)
        drawn = self._call_off(self._open(contract))
        self.assertSameTotals(drawn, order)

    def test_totals_with_taxes(self):
        lines = [(7, 33.33, 12.5), (3, 0.07, 33.33), (11, 9.99, 0), (1, 1234.56, 7.77)]
        for rounding in ("round_per_line", "round_globally"):
            for included in ("tax_excluded", "tax_included"):
                with self.subTest(rounding=rounding, included=included):
                    self.company.tax_calculation_rounding_method = rounding
                    order = self._create_taxed(lines, price_include_override=included)
                    contract = self._make_contract(order)
                    self.assertSameTotals(contract, order)
                    self.assertSameTotals(self._call_off(self._open(contract)), order)

    def test_negative_price(self):
        """A discount that is a line of its own."""
        order = self._create_taxed([(10, 100, 0), (1, -50, 0)])
        self.assertSameTotals(self._make_contract(order), order)

    def test_another_currency(self):
        currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", "CNY")])
        currency.active = True
        pricelist = self.env["product.pricelist"].create({"name": "China", "currency_id": currency.id})
        order = self._create_quotation(pricelist_id=pricelist.id)
        contract = self._make_contract(order)
        self.assertEqual((contract.pricelist_id, contract.currency_id), (pricelist, currency))
        self.assertSameTotals(contract, order)
        drawn = self._call_off(self._open(contract))
        self.assertEqual((drawn.currency_id, drawn.amount_total), (currency, 1000))

    def test_without_a_pricelist(self):
        """Odoo needs none for a quotation; a contract gets one without any price, and the next the same."""
        first, second = self._make_contract(self._create_quotation()), self._make_contract(self._create_quotation())
        self.assertEqual(first.pricelist_id, second.pricelist_id)
        self.assertFalse(first.pricelist_id.item_ids)
        self.assertEqual((first.currency_id, first.amount_total), (self.company.currency_id, 1000))

    def test_the_settings_do_not_warn_of_it(self):
        """While pricelists are off, Odoo's settings speak up about each one that is active, and archive it."""
        self.env["product.pricelist"].search([]).action_archive()
        self._make_contract(self._create_quotation())
        self.assertFalse(self.env["product.pricelist"].search([]))


class TestEffective(ContractCase):
    """Only an effective quotation becomes a contract."""

    def assertNoContract(self, order, pattern):
        with self.assertRefused(f"No contract can be made from {order.name}.*{pattern}"):
            order.action_create_contract()
        self.assertFalse(order.sudo().contract_ids)

    def test_approved_where_it_is_asked_for(self):
        self.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 500})
        small, order = self._create_quotation(price=10), self._create_quotation()
        self._make_contract(small)
        self.assertNoContract(order, "has to be approved first")
        order.with_user(self.approver).action_approve()
        self.assertEqual(self._make_contract(order).amount_total, 1000)

    def test_sent(self):
        order = self._create_quotation()
        order.action_quotation_sent()
        self.assertTrue(self._make_contract(order))

    def test_not_confirmed_cancelled_or_closed(self):
        confirmed, cancelled, closed = (self._create_quotation() for _index in range(3))
        confirmed.action_confirm()
        cancelled.action_cancel()
        closed.action_close_quotation("No budget")
        self.assertNoContract(confirmed, "already confirmed or cancelled")
        self.assertNoContract(cancelled, "already confirmed or cancelled")
        self.assertNoContract(closed, "It is closed")

    def test_not_for_a_closed_opportunity(self):
        for close in (self._win, self._lose):
            order = self._generate(self._create_quotable())
            close(order.opportunity_id)
            self.assertNoContract(order, "Its opportunity 'Acme line 3' is (Won|Lost): reopen that first")
            order.opportunity_id.with_user(self.manager).action_restore()

    def test_not_from_an_order_of_a_contract(self):
        contract = self._make_open_contract()
        self.assertNoContract(self._call_off(contract, 3), f"itself made from a contract: {contract.name}")


class TestWho(ContractCase):
    """Whoever may write the quotation and make a contract."""

    def test_colleagues(self):
        order = self._create_quotation()
        with self.assertRaises(AccessError):
            order.with_user(self.colleague).action_create_contract()
        order.write({"collaborator_ids": [Command.link(self.colleague.id)]})
        contract = self._make_contract(order.with_user(self.colleague))
        self.assertEqual(contract.user_id, self.salesman)

    def test_not_whoever_makes_no_contracts(self):
        order = self._create_quotation()
        accountant = new_test_user(self.env, "sos_biller", groups="account.group_account_invoice")
        for user in (accountant, self.employee, self.approver):
            with self.subTest(user.login), self.assertRaises(AccessError):
                order.with_user(user).action_create_contract()
        self.assertFalse(order.contract_ids)

    def test_whoever_reads_no_contracts_still_reads_quotations(self):
        order = self._create_quotation()
        self._make_contract(order)
        accountant = new_test_user(self.env, "sos_biller", groups="account.group_account_invoice")
        values = order.with_user(accountant).read()[0]
        self.assertEqual((values["contract_count"], "contract_ids" in values), (1, False))

    def test_of_another_company(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.manager.company_ids |= elsewhere
        there = self.env["sale.order"].with_user(self.manager).with_context(allowed_company_ids=elsewhere.ids)
        order = there.create(
            {"partner_id": self.customer.id, "order_line": [Command.create({"product_id": self.product.id})]}
        )
        both = order.with_context(allowed_company_ids=(self.company | elsewhere).ids)
        contract = self.env["sale.blanket.order"].browse(both.action_create_contract()["res_id"])
        self.assertEqual((contract.company_id, contract.pricelist_id.company_id), (elsewhere, elsewhere))
        with self.assertRaises(AccessError):
            contract.with_user(self.salesman).read(["name"])
        with self.assertRefused("company inconsistencies"):
            contract.company_id = self.company
        self._open(contract.with_user(self.manager).with_context(allowed_company_ids=(self.company | elsewhere).ids))
        drawn = self._call_off(contract.with_env(both.env))
        self.assertEqual(drawn.company_id, elsewhere)
