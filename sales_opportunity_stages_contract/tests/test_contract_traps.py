from odoo import fields
from odoo.fields import Command
from odoo.tests import Form

from .contract_common import ContractCase


class TestAutomaticLinks(ContractCase):
    """Odoo's contracts take over any line of their customer and product, with their price. Not here: what was quoted
    stays as it was quoted, and a contract that came of a quotation serves the orders that are made from it."""

    def assertUntouched(self, line, price):
        self.env.flush_all()
        self.assertFalse(line.blanket_order_line)
        self.assertEqual(line.price_unit, price)

    def test_typed_on_another_quotation(self):
        """Neither its price nor the contract's quantity is touched, whatever way the line comes."""
        contract = self._make_open_contract(quantity=10, price=72)
        typed = self._create_quotation(quantity=2, price=95)
        listed = typed.order_line.create({"order_id": typed.id, "product_id": self.product.id, "product_uom_qty": 1})
        self.assertUntouched(typed.order_line - listed, 95)
        self.assertUntouched(listed, 100)
        listed.product_uom_qty = 3
        typed.order_line.product_uom_id = self.env.ref("uom.product_uom_dozen")
        typed.order_line.write({"product_id": self.other_product.id})
        typed.order_line.write({"product_id": self.product.id})
        self.assertFalse(typed.order_line.blanket_order_line)
        typed.action_confirm()
        self.assertEqual(contract.line_ids.remaining_uom_qty, 10)

    def test_on_the_screen(self):
        self._make_open_contract(quantity=10, price=72)
        with Form(self.env["sale.order"].with_user(self.salesman)) as form:
            form.partner_id = self.customer
            with form.order_line.new() as line:
                line.product_id = self.product
                self.assertEqual(line.price_unit, 100)
                line.product_uom_qty = 3
                self.assertEqual(line.price_unit, 100)
        self.assertUntouched(form.record.order_line, 100)

    def test_another_customer(self):
        self._make_open_contract(quantity=10, price=72)
        order = self._create_quotation(partner_id=self.stranger.id, quantity=1, price=95)
        order.partner_id = self.customer
        self.assertFalse(order.order_line.blanket_order_line)
        self.assertEqual(order.amount_total, 95)

    def test_the_quotation_itself(self):
        contract = self._make_open_contract(quantity=10, price=72)
        order = contract.quotation_id
        for attempt in (
            lambda: order.order_line.write({"product_uom_qty": 4}),
            lambda: order.order_line.create({"order_id": order.id, "product_id": self.product.id}),
        ):
            with self.assertRefused("became a contract, so this cannot be changed"):
                attempt()
        self.assertFalse(order.order_line.blanket_order_line)
        self.assertEqual(contract.line_ids.remaining_uom_qty, 10)

    def test_a_copy(self):
        for order in (self._make_open_contract().quotation_id, self._call_off(self._make_open_contract())):
            copy = order.copy()
            self.assertUntouched(copy.order_line, 100)
            self.assertNotEqual(copy.order_source, "other")

    def test_quoted_for_an_opportunity(self):
        """Nor by a contract that was typed in: the opportunity has its own price."""
        free = self._make_free_contract(price=50)
        lead = self._create_quotable()
        order = self._generate(lead)
        line = order.order_line.filtered("opportunity_line_id")[0]
        self.assertUntouched(line, 80)
        line.product_uom_qty = 7
        self.assertUntouched(line, 80)
        typed = line.create({"order_id": order.id, "product_id": self.product.id, "product_uom_qty": 1})
        self.assertUntouched(typed, 100)
        order.action_confirm()
        self.assertEqual(free.line_ids.remaining_uom_qty, 1000)

    def test_added_from_an_opportunity(self):
        """To a quotation that is for none."""
        self._make_free_contract(price=50)
        order = self._create_quotation(order_line=[Command.clear()])
        order._add_opportunity_lines(dict.fromkeys(self._create_quotable().opportunity_line_ids[:1], 1))
        self.assertUntouched(order.order_line, 80)

    def test_approved(self):
        """What was approved is not repriced, by either kind of contract."""
        order = self._create_quotation(quantity=2, price=95)
        order.with_user(self.approver).action_approve()
        self._make_open_contract(quantity=10, price=72)
        self._make_free_contract(price=50)
        self.env.add_to_compute(order.order_line._fields["blanket_order_line"], order.order_line)
        order.with_user(self.manager).write({"client_order_ref": "PO 7"})
        order.action_confirm()
        self.assertEqual((order.amount_total, order.approval_state), (190, "approved"))

    def test_typed_in_contracts_work_as_they_do(self):
        """Beside no opportunity that is what they are for."""
        free = self._make_free_contract(price=50)
        order = self._create_quotation(order_line=[Command.clear()])
        line = order.order_line.create({"order_id": order.id, "product_id": self.product.id, "product_uom_qty": 2})
        self.assertEqual((line.blanket_order_line, line.price_unit), (free.line_ids, 50))


class TestQuantities(ContractCase):
    def test_counted_once(self):
        """Also when the contract and its first order are made in one transaction."""
        contract = self._make_open_contract(quantity=10)
        line = contract.line_ids
        self.assertFalse(line.sale_lines)
        order = self._call_off(contract, 4)
        self.assertEqual((line.ordered_uom_qty, line.remaining_uom_qty), (4, 6))
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((line.ordered_uom_qty, line.remaining_uom_qty, contract.state), (4, 6, "open"))
        order.order_line.product_uom_qty = 5
        self.assertEqual(line.remaining_uom_qty, 5)
        self._call_off(contract)
        self.assertEqual((line.ordered_uom_qty, line.remaining_uom_qty, contract.state), (10, 0, "done"))

    def test_drafts_reserve_until_they_are_given_up(self):
        """What was made from the contract holds its quantity, so that it is not promised twice."""
        contract = self._make_open_contract(quantity=10)
        line = contract.line_ids
        cancelled, closed = self._call_off(contract, 4), self._call_off(contract, 6)
        self.assertEqual((line.remaining_uom_qty, contract.state), (0, "done"))
        cancelled.action_cancel()
        self.assertEqual((line.remaining_uom_qty, contract.state), (4, "open"))
        closed.action_close_quotation("Too early")
        self.assertEqual((line.ordered_uom_qty, line.remaining_uom_qty, line.remaining_qty), (0, 10, 10))
        closed.with_user(self.manager).action_reopen_quotation()
        self.assertEqual(line.remaining_uom_qty, 4)

    def test_given_back_in_its_own_unit(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self._create_quotation(quantity=2)
        order.order_line.product_uom_id = dozen
        contract = self._make_open_contract(order)
        drawn = self._call_off(contract, 1)
        drawn.order_line.write({"product_uom_id": self.product.uom_id.id, "product_uom_qty": 6})
        line = contract.line_ids
        self.assertEqual(line.remaining_uom_qty, 1.5)
        drawn.action_close_quotation("x")
        self.assertEqual((line.remaining_uom_qty, line.remaining_qty), (2, 24))

    def test_not_more_than_is_left(self):
        contract = self._make_open_contract(quantity=10)
        order = self._call_off(contract, 10)
        order.order_line.product_uom_qty = 11
        with self.assertRefused("no remaining quantity"):
            order.action_confirm()


class TestCancelled(ContractCase):
    """Odoo's contracts are only expired by cancelling, and live again with the next change of a quantity or date."""

    def test_stays_cancelled(self):
        contract = self._make_open_contract(quantity=10)
        order, quotation = self._call_off(contract, 4), contract.quotation_id
        order.action_cancel()
        contract.action_cancel()
        quotation.action_confirm()
        order.action_draft()
        order.order_line.product_uom_qty = 2
        contract.line_ids.original_uom_qty = 20
        contract.validity_date = fields.Date.add(fields.Date.today(), years=1)
        self.env.flush_all()
        self.assertEqual((contract.state, quotation.has_contract, quotation.state), ("expired", False, "sale"))

    def test_a_draft_stays_cancelled(self):
        contract = self._make_contract(self._create_quotation())
        contract.action_cancel()
        contract.validity_date = fields.Date.add(fields.Date.today(), years=1)
        self.env.flush_all()
        self.assertEqual(contract.state, "expired")
        contract.set_to_draft()
        self.assertEqual(self._open(contract).state, "open")

    def test_not_while_there_are_orders(self):
        contract = self._make_open_contract()
        closed, order = self._call_off(contract, 1), self._call_off(contract, 1)
        with self.assertRefused("opened sale orders"):
            contract.action_cancel()
        order.action_cancel()
        closed.action_close_quotation("in nobody's way")
        contract.action_cancel()
        self.assertEqual(contract.state, "expired")
