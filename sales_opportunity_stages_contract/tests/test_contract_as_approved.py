from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user

from .contract_common import ContractCase


class TestAsApproved(ContractCase):
    """A contract takes effect as its quotation was approved."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.quotation_approval = "required"
        cls.order = cls._create_quotation()
        cls.order.with_user(cls.approver).action_approve()
        cls.contract = cls._make_contract(cls.order)

    def test_unchanged(self):
        self._open(self.contract)
        self.assertEqual(self.contract.state, "open")

    def test_another_price(self):
        self.contract.line_ids.price_unit = 1
        with self.assertRefused("is not as .* was approved: Pump"):
            self._open(self.contract)
        self.contract.line_ids.price_unit = 100
        self._open(self.contract)

    def test_other_lines(self):
        copy = self.contract.line_ids.copy({"order_id": self.contract.id})
        with self.assertRefused("is not as .* was approved: Pump"):
            self._open(self.contract)
        copy.unlink()
        self.contract.line_ids.original_uom_qty = 11
        with self.assertRefused("is not as .* was approved: Pump"):
            self._open(self.contract)
        self.contract.line_ids.unlink()
        with self.assertRefused("."):
            self._open(self.contract)

    def test_another_payment_term(self):
        self.contract.payment_term_id = self.env["account.payment.term"].create({"name": "In a year"})
        with self.assertRefused("is not as .* was approved: Payment Terms"):
            self._open(self.contract)

    def test_confirmed_by_a_write(self):
        self.contract.line_ids.price_unit = 1
        with self.assertRefused("is not as .* was approved"):
            self.contract.write({"confirmed": True})

    def test_changed_afterwards(self):
        self._open(self.contract)
        with self.assertRefused("is not as .* was approved: Pump"):
            self.contract.line_ids.price_unit = 1

    def test_of_what_needs_no_approval(self):
        self.company.quotation_approval_min_amount = 5000
        self.contract.line_ids.price_unit = 1
        self._open(self.contract)

    def test_raised_to_what_needs_an_approval(self):
        """The quotation needed none; the draft contract made of it does."""
        self.company.quotation_approval_min_amount = 5000
        quotation = self._create_quotation()
        contract = self._make_contract(quotation)
        contract.line_ids.price_unit = 600
        with self.assertRefused("is not as .* was approved: Pump"):
            self._open(contract)
        contract.line_ids.price_unit = 100
        self._open(contract)

    def test_a_rule_with_levels(self):
        """Neither level alone lets a contract be made."""
        rules = self.env["sale.approval.rule"]
        people = new_test_user(self.env, "sos_second_level", groups="sales_team.group_sale_salesman")
        rules.create({"name": "Second", "level": 2, "approver_ids": [Command.set(people.ids)]})
        quotation = self._create_quotation()
        quotation.action_request_approval()
        for user in (self.approver, people):
            with self.assertRefused("has to be approved first"):
                quotation.action_create_contract()
            quotation.with_user(user).action_approve()
        self._open(self._make_contract(quotation))


class TestExpired(ContractCase):
    """A contract that has expired stays bound by what was ordered under it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation()
        cls.contract = cls._make_open_contract(cls.order)

    def _expire(self):
        self.contract.validity_date = fields.Date.today()
        self.env.flush_all()
        self.assertEqual(self.contract.state, "expired")

    def test_nothing_ordered(self):
        self._expire()
        self.order.action_confirm()
        self.assertEqual(self.order.state, "sale")

    def test_partly_ordered(self):
        """6 of 10: the quotation would sell 16."""
        self._call_off(self.contract, 6).action_confirm()
        self._expire()
        self.assertTrue(self.contract.binds_quotation)
        with self.assertRefused("extend it to order the rest"):
            self.order.action_confirm()
        with self.assertRefused("extend it to order the rest"):
            self.order.action_create_contract()

    def test_the_rest_is_ordered_by_extending_it(self):
        self._call_off(self.contract, 6).action_confirm()
        self._expire()
        self.contract.validity_date = fields.Date.today() + timedelta(days=30)
        self.assertEqual(self.contract.state, "open")
        rest = self._call_off(self.contract)
        rest.action_confirm()
        self.assertEqual(rest.order_line.product_uom_qty, 4)
        self.assertEqual(self.contract.state, "done")

    def test_the_rest_is_quoted_anew(self):
        self._call_off(self.contract, 6).action_confirm()
        self._expire()
        rest = self.order.copy()
        rest.order_line.product_uom_qty = 4
        rest.action_confirm()
        self.assertEqual(rest.state, "sale")

    def test_free_once_the_orders_are_cancelled(self):
        ordered = self._call_off(self.contract, 6)
        ordered.action_confirm()
        self._expire()
        ordered.action_cancel()
        self.env.flush_all()
        self.assertFalse(self.contract.binds_quotation)
        self.order.action_confirm()

    def test_cancelled_by_a_write(self):
        self._call_off(self.contract, 6).action_confirm()
        with self.assertRefused("opened sale orders"):
            self.contract.write({"state": "expired"})

    def test_bound_by_a_quotation_under_it_until_that_is_closed(self):
        ordered = self._call_off(self.contract, 6)
        self._expire()
        with self.assertRefused("extend it to order the rest"):
            self.order.action_confirm()
        ordered.action_close_quotation("x")
        self.env.flush_all()
        self.order.action_confirm()
