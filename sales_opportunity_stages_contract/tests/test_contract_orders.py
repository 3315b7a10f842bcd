from odoo.fields import Command

from odoo.addons.sales_opportunity_stages.tests.credit_common import CreditCase

from .contract_common import ContractCase, ContractSetup


class TestOrders(ContractCase):
    """Orders are made from the contract by its own dialog, at its terms."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation(quantity=10, price=80)
        cls.lead = cls._create_opportunity(partner_id=cls.customer.id)
        cls.order.opportunity_id = cls.lead

    def test_carries_what_was_agreed_on(self):
        invoice, delivery = self.env["res.partner"].create(
            [{"name": "Accounts", "parent_id": self.customer.id}, {"name": "Dock", "parent_id": self.customer.id}]
        )
        self.order.write({"partner_invoice_id": invoice.id, "partner_shipping_id": delivery.id})
        self.order.order_line.write({"discount": 10, "name": "Pump, in red"})
        contract = self._make_open_contract(self.order)
        drawn = self._call_off(contract, 3)
        self.assertEqual((drawn.opportunity_id, drawn.order_source, drawn.state), (self.lead, "other", "draft"))
        self.assertEqual((drawn.partner_invoice_id, drawn.partner_shipping_id), (invoice, delivery))
        for name in ("partner_id", "user_id", "team_id", "company_id", "currency_id", "payment_term_id"):
            self.assertEqual(drawn[name], self.order[name], name)
        line = drawn.order_line
        self.assertEqual((line.blanket_order_line, line.price_unit, line.name), (contract.line_ids, 72, "Pump, in red"))
        self.assertEqual((line.discount, drawn.amount_total), (0, 216))
        drawn.action_confirm()
        self.assertEqual((drawn.state, drawn.order_source), ("sale", "other"))
        self.assertIn(drawn, self.lead.order_ids)

    def test_price_stays_with_the_contract(self):
        self.order.order_line.discount = 10
        drawn = self._call_off(self._make_open_contract(self.order), 3)
        drawn.order_line.product_uom_qty = 5
        self.assertEqual((drawn.order_line.price_unit, drawn.amount_total), (72, 360))

    def test_no_second_discount(self):
        """The discount of the pricelist is in the price already."""
        self.env.user.group_ids += self.env.ref("product.group_product_pricelist")
        self.salesman.sudo().group_ids += self.env.ref("sale.group_discount_per_so_line")
        self.env.ref("base.group_user").implied_ids += self.env.ref("sale.group_discount_per_so_line")
        pricelist = self.env["product.pricelist"].create(
            {"name": "Less 10", "item_ids": [Command.create({"compute_price": "percentage", "percent_price": 10})]}
        )
        order = self._create_quotation(pricelist_id=pricelist.id, order_line=[Command.clear()])
        order.order_line.create({"order_id": order.id, "product_id": self.product.id, "product_uom_qty": 5})
        self.assertEqual((order.order_line.price_unit, order.order_line.discount), (100, 10))
        drawn = self._call_off(self._make_open_contract(order))
        self.assertEqual(drawn.pricelist_id, pricelist)
        drawn.order_line.product_uom_qty = 4
        self.assertEqual((drawn.order_line.price_unit, drawn.order_line.discount), (90, 0))
        self.assertEqual(drawn.amount_total, 360)

    def test_taxes_of_the_contract(self):
        """Also where it has none."""
        tax = self.env["account.tax"].create({"name": "10 %", "amount": 10, "type_tax_use": "sale"})
        self.product.taxes_id = tax
        for taxes in (tax, tax.browse()):
            order = self._create_quotation()
            order.order_line.tax_ids = taxes
            drawn = self._call_off(self._make_open_contract(order), 3)
            self.assertEqual(drawn.order_line.tax_ids, taxes)
            self.env.add_to_compute(drawn.order_line._fields["tax_ids"], drawn.order_line)
            self.assertEqual(drawn.order_line.tax_ids, taxes)

    def test_of_the_contract_that_it_is_made_from(self):
        """Not of another one of the same product, whatever is left there."""
        first = self._make_open_contract(quantity=5, price=80)
        second = self._make_open_contract(quantity=500, price=60)
        self._make_free_contract(price=50)
        for contract, price in ((first, 80), (second, 60)):
            line = self._call_off(contract, 5).order_line
            self.assertEqual((line.blanket_order_line, line.price_unit), (contract.line_ids, price))
            self.env.add_to_compute(line._fields["blanket_order_line"], line)
            self.assertEqual((line.blanket_order_line, line.price_unit), (contract.line_ids, price))

    def test_neither_another_customer_nor_another_product(self):
        contract = self._make_open_contract(quantity=5, price=80)
        drawn = self._call_off(contract, 5)
        with self.assertRefused("customer must be equal"):
            drawn.partner_id = self.stranger
            self.env.flush_all()
        with self.assertRefused("product .* must match"):
            drawn.order_line.product_id = self.other_product
            self.env.flush_all()
        self.env.invalidate_all()
        drawn.order_line.unlink()
        self.assertEqual(contract.line_ids.remaining_uom_qty, 5)

    def test_linking_to_what_is_of_no_concern(self):
        """Whoever links a line to a contract of another customer does not get into its opportunity that way."""
        contract = self._make_open_contract(self.order)
        self._win(self.lead)
        order = self._create_quotation(partner_id=self.stranger.id)
        order.order_line.blanket_order_line = contract.line_ids
        with self.assertRefused("is Won, so no quotation, order or contract can be made for it"):
            order.opportunity_id = self.lead

    def test_several_contracts(self):
        """Together: for the opportunity that they have in common."""
        other = self._create_opportunity(partner_id=self.customer.id)
        same, different = (self._create_quotation(opportunity_id=lead.id) for lead in (self.lead, other))
        first, second, third = (self._make_open_contract(order) for order in (self.order, same, different))
        self.assertEqual(self._call_off(first | second, 1).opportunity_id, self.lead)
        drawn = self._call_off(first | third, 1)
        self.assertFalse(drawn.opportunity_id)
        self.assertEqual((len(drawn.order_line), drawn.order_source), (2, "other"))

    def test_of_a_typed_in_contract(self):
        free = self._make_free_contract(price=50).with_user(self.manager)
        drawn = self._call_off(free, 2)
        self.assertEqual((drawn.order_line.price_unit, drawn.order_source), (50, "other"))

    def test_opportunity_won_since(self):
        """What is ordered under the contract that won it is nothing new; anything else is."""
        contract = self._make_open_contract(self.order)
        self._win(self.lead)
        drawn = self._call_off(contract, 3)
        self.assertEqual(drawn.opportunity_id, self.lead)
        drawn.action_confirm()
        with self.assertRefused("is Won, so no quotation, order or contract can be made for it"):
            self._create_quotation(opportunity_id=self.lead.id)
        line = {"product_id": self.product.id, "blanket_order_line": contract.line_ids.id}
        with self.assertRefused("customer must be equal"):
            self._create_quotation(
                partner_id=self.stranger.id, opportunity_id=self.lead.id, order_line=[Command.create(line)]
            )

    def test_opportunity_lost_since(self):
        contract = self._make_open_contract(self.order)
        drawn = self._call_off(contract, 3)
        self._lose(self.lead)
        with self.assertRefused("is Lost"):
            drawn.action_confirm()
        with self.assertRefused("is Lost, so no quotation, order or contract can be made for it"):
            self._call_off(contract, 3)

    def test_approved_like_any_other(self):
        self.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 300})
        self.order.with_user(self.approver).action_approve()
        contract = self._make_open_contract(self.order)
        small, big = self._call_off(contract, 1), self._call_off(contract, 5)
        small.action_confirm()
        with self.assertRefused("has to be approved first"):
            big.action_confirm()

    def test_not_of_a_contract_that_ended(self):
        contract = self._make_open_contract(self.order)
        contract.action_cancel()
        with self.assertRefused("is not open"):
            self._call_off(contract, 1)


class TestCredit(ContractSetup, CreditCase):
    """Orders of a contract obey credit, those of an opportunity whatever the company's policy; a contract uses none."""

    def test_what_became_a_contract_awaits_no_credit(self):
        self.customer.credit_limit = 10
        self.customer.credit_unit_id = False
        quotation = self._order(100)
        dry_run = self.env["sale.credit.dry.run"].create({"unit_id": self.customer.id, "credit_limit": 10})
        self.assertIn("credit limit of", quotation.partner_credit_warning)
        self.assertEqual(dry_run.blocked_order_ids, quotation)
        contract = self._make_contract(quotation)
        dry_run.credit_limit = 11
        self.assertFalse(quotation.partner_credit_warning)
        self.assertFalse(dry_run.quotation_count)
        contract.action_cancel()
        self.assertIn("credit limit of", quotation.partner_credit_warning)

    def test_credit(self):
        lead = self._create_opportunity(partner_id=self.customer.id)
        order = self._create_quotation(quantity=15, price=100, opportunity_id=lead.id)
        self.company.credit_policy = "none"
        contract = self._make_open_contract(order)
        self.assertEqual(self._get_exposure().total, 0)
        self._call_off(contract, 9).action_confirm()
        self.assertEqual(self._get_exposure().total, 900)
        with self.assertRefused("credit limit of Holding is exceeded"):
            self._call_off(contract, 2).action_confirm()
        self._call_off(contract, 1).action_confirm()
