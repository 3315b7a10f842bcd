from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form

from .contract_common import ContractCase


class TestOrderOrContract(ContractCase):
    def setUp(self):
        super().setUp()
        self.order = self._create_quotation()

    def test_no_order_beside_a_contract(self):
        contract = self._make_contract(self.order)
        for state in ("draft", "open", "done"):
            if state == "open":
                self._open(contract)
            elif state == "done":
                self._call_off(contract)
            self.assertEqual(contract.state, state)
            with self.subTest(state):
                for attempt in (
                    self.order.action_confirm,
                    lambda: self.order.write({"state": "sale"}),
                    lambda: self.order.with_context(binds_quotation=False, install_mode=True).action_confirm(),
                    lambda: self.order.action_close_quotation("x"),
                    self.order.action_create_contract,
                ):
                    with self.assertRefused(f"A contract was made from it, cancel that first: {contract.display_name}"):
                        attempt()
        self.assertEqual(self.order.state, "draft")

    def test_what_became_a_contract_stays_as_it_was_agreed(self):
        """By whatever way; what is not agreed with the customer may change. Cancelling the contract frees it."""
        contract = self._make_contract(self.order)
        line = self.order.order_line
        attempts = {
            "price": lambda: line.write({"price_unit": 1}),
            "quantity": lambda: self.order.write({"order_line": [Command.update(line.id, {"product_uom_qty": 99})]}),
            "another line": lambda: self.order.write({"order_line": [Command.create({"product_id": self.product.id})]}),
            "no line": lambda: line.unlink(),
            "customer": lambda: self.order.write({"partner_id": self.stranger.id}),
        }
        for name, attempt in attempts.items():
            with self.subTest(name), self.assertRefused(f"became a contract.*{contract.display_name}"):
                attempt()
        self.order.write({"client_order_ref": "PO 7"})
        self.assertEqual((line.price_unit, line.product_uom_qty), (100, 10))
        contract.action_cancel()
        line.product_uom_qty = 99
        self.assertEqual(self.order.amount_total, 9900)

    def test_the_form_of_what_became_a_contract_is_read_only(self):
        self._make_contract(self.order)
        with Form(self.order) as form:
            for name in ("partner_id", "validity_date", "payment_term_id", "order_line"):
                self.assertTrue(form._get_modifier(name, "readonly"), name)

    def test_the_customer_is_told(self):
        self.order.write({"require_signature": True})
        self.assertEqual(self.order._get_portal_notice(), "")
        self._make_contract(self.order)
        self.assertIn("became a contract", self.order._get_portal_notice())

    def test_neither_signed_nor_paid(self):
        self.order.write({"require_signature": True, "require_payment": True})
        self.assertTrue(self.order._has_to_be_signed() and self.order._has_to_be_paid())
        contract = self._make_contract(self.order)
        self.assertFalse(self.order._has_to_be_signed() or self.order._has_to_be_paid())
        self.order._validate_order()  # signed on a page that was open still
        self.assertEqual(self.order.state, "draft")
        self.assertIn("A contract was made from it", self.order.activity_ids.note)
        contract.action_cancel()
        self.assertTrue(self.order._has_to_be_signed() and self.order._has_to_be_paid())

    def test_no_withdrawal_beside_a_contract(self):
        approved = self.order.with_user(self.approver)
        approved.action_approve()
        contract = self._make_contract(self.order)
        with self.assertRefused("cannot be withdrawn. A contract was made from it"):
            approved.action_unapprove()
        contract.action_cancel()
        approved.action_unapprove()

    def test_cancelling_frees(self):
        for opened in (False, True):
            contract = self._make_contract(self.order)
            if opened:
                self._open(contract)
            contract.action_cancel()
            self.assertEqual((contract.state, self.order.has_contract), ("expired", False))
        self.assertEqual(self.order.contract_count, 2)
        self.order.action_confirm()
        self.assertEqual(self.order.state, "sale")

    def test_expiring_frees(self):
        contract = self._open(self._make_contract(self.order), days=30)
        with freeze_time(fields.Date.today() + timedelta(days=30)):
            self.env["sale.blanket.order"].expire_orders()
            self.assertEqual(contract.state, "expired")
            self.order.action_confirm()
        self.assertEqual(self.order.state, "sale")

    def test_deleting_frees(self):
        contract = self._make_contract(self.order)
        with self.assertRaises(AccessError):
            contract.unlink()
        contract.with_user(self.manager).unlink()
        self.order.action_confirm()

    def test_cancelling_the_quotation_does_not_part_it_from_the_contract(self):
        self._make_contract(self.order)
        self.order.action_cancel()
        self.order.action_draft()
        with self.assertRefused("A contract was made from it"):
            self.order.action_confirm()

    def test_deleting_the_quotation(self):
        contract = self._make_contract(self.order)
        contract.action_cancel()
        with self.assertRefused("cannot be deleted. A contract was made from it, delete that first"):
            self.order.with_user(self.manager).unlink()
        contract.with_user(self.manager).unlink()
        self.order.with_user(self.manager).unlink()

    def test_no_contract_beside_an_order(self):
        self.order.action_confirm()
        with self.assertRefused("No contract can be made from .* The order is already confirmed or cancelled"):
            self.order.action_create_contract()

    def test_the_row_of_the_quotation_is_updated(self):
        """As a confirmation does: only one of the two can, at the same time. See benchmarks/race_contract.py."""

        def get_version():
            self.env.flush_all()
            self.env.cr.execute("SELECT ctid FROM sale_order WHERE id = %s", [self.order.id])
            return self.env.cr.fetchone()

        contract, before = self._make_contract(self._create_quotation()), get_version()
        contract.action_cancel()
        self.assertEqual(get_version(), before, "another quotation's")
        contract = self._make_contract(self.order)
        made = get_version()
        self.assertNotEqual(made, before)
        contract.action_cancel()
        contract.set_to_draft()
        self.assertNotEqual(get_version(), made)


class TestComingBack(ContractCase):
    """A contract that is live again binds its quotation again, or is not let."""

    def setUp(self):
        super().setUp()
        self.order = self._create_quotation()
        self.contract = self._make_open_contract(self.order)
        self.contract.action_cancel()

    def _attempts(self):
        contract = self.contract
        return {
            "draft": contract.set_to_draft,
            "state": lambda: contract.write({"state": "open"}),
            "state as superuser": lambda: contract.sudo().write({"state": "draft"}),
            "context": lambda: contract.with_context(sales_server_tokens=({"values": {}},)).set_to_draft(),
        }

    def test_binds_again(self):
        for name, attempt in self._attempts().items():
            with self.subTest(name):
                attempt()
                with self.assertRefused("A contract was made from it"):
                    self.order.action_confirm()
                self.contract.action_cancel()

    def test_not_beside_an_order(self):
        self.order.action_confirm()
        for name, attempt in self._attempts().items():
            with self.subTest(name), self.assertRefused("The order is already confirmed or cancelled"):
                attempt()
                self.env.flush_all()
            self.contract.invalidate_recordset()
        self.assertEqual(self.contract.state, "expired")

    def test_not_beside_another_contract(self):
        other = self._make_contract(self.order)
        with self.assertRefused(f"cancel that first: {other.display_name}"):
            self.contract.set_to_draft()

    def test_not_for_a_closed_opportunity(self):
        lead = self._create_opportunity(partner_id=self.customer.id)
        self.order.opportunity_id = lead
        self._lose(lead)
        with self.assertRefused("Its opportunity .* is Lost"):
            self.contract.set_to_draft()

    def test_by_a_later_end(self):
        """An end in the past is no end for good: who moves it makes the contract live again."""
        contract = self._make_open_contract(self._create_quotation())
        order = contract.quotation_id
        with freeze_time(fields.Date.today() + timedelta(days=40)):
            contract.expire_orders()
            order.action_confirm()
            with self.assertRefused("The order is already confirmed or cancelled"):
                contract.validity_date = fields.Date.today() + timedelta(days=5)
                self.env.flush_all()

    def test_two_at_once(self):
        """Each by itself would be let."""
        other = self._make_open_contract(self.order)
        other.action_cancel()
        with self.assertRefused("A contract was made from it"):
            (other | self.contract).set_to_draft()

    def test_closing_the_opportunity_later_leaves_the_contract_alone(self):
        lead = self._create_opportunity(partner_id=self.customer.id)
        order = self._create_quotation(opportunity_id=lead.id)
        contract = self._make_open_contract(order)
        self._win(lead)
        contract.validity_date += timedelta(days=5)
        self.env.flush_all()
        self.assertEqual((contract.state, order.has_contract), ("open", True))


class TestForging(ContractCase):
    """The links are the system's: no import and no client sets them."""

    def test_links(self):
        order, lead = self._create_quotation(), self._create_opportunity()
        contract = self._make_free_contract().with_user(self.salesman)
        forged = {
            "quotation_id": order.id,
            "opportunity_id": lead.id,
            "binds_quotation": True,
            "is_cancelled": True,
        }
        values = {"partner_id": self.customer.id, "pricelist_id": contract.pricelist_id.id}
        for name, value in forged.items():
            for user in (self.salesman, self.manager):
                mine = contract.with_user(user)
                with self.subTest(name, user=user.login), self.assertRefused("kept by the system", AccessError):
                    mine.write({name: value})
                with self.subTest(name, user=user.login), self.assertRefused("kept by the system", AccessError):
                    mine.create({**values, name: value})
                born = mine.with_context(**{f"default_{name}": value}).create(values)
                self.assertFalse(born[name])
        self.assertFalse(order.contract_ids or lead.contract_ids)

    def test_on_the_quotation(self):
        order = self._create_quotation()
        for values in ({"has_contract": True}, {"has_contract": True, "client_order_ref": "x"}):
            with self.assertRefused("kept by the system", AccessError):
                order.write(values)
        self._make_contract(order)
        order.write({"has_contract": False})
        with self.assertRefused("A contract was made from it"):
            order.action_confirm()

    def test_through_the_quotation(self):
        order, lead, contract = self._create_quotation(), self._create_opportunity(), self._make_free_contract()
        for record in (order, lead):
            for command in (Command.link(contract.id), Command.set(contract.ids), Command.create({"partner_id": 1})):
                with self.subTest(record._name, command=command), self.assertRaises(AccessError):
                    record.write({"contract_ids": [command]})

    def test_not_parted(self):
        contract = self._make_contract(self._create_quotation())
        order = contract.quotation_id
        contract.write({"quotation_id": False, "binds_quotation": False})
        order.write({"contract_ids": [Command.unlink(contract.id)]})
        order.write({"contract_ids": [Command.clear()]})
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(order.contract_ids, contract)
        self.assertTrue(order.has_contract)
