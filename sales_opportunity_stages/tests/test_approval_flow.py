import ast
import doctest
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import TransactionCase, freeze_time, new_test_user, tagged

from odoo.addons.sales_opportunity_stages.tools import approval, get_criteria

from .approval_common import ApprovalFlowCase
from .query_counting import QueryCounting


@tagged("post_install", "-at_install")
class TestTerms(TransactionCase):
    def test_doctests(self):
        results = doctest.testmod(approval)
        self.assertGreater(results.attempted, 5)
        self.assertEqual(results.failed, 0)

    def test_two_directions_are_any(self):
        domain = ["&", ("largest_discount", ">", 5), ("largest_discount", "<", 10)]
        self.assertEqual(get_criteria(domain), (("largest_discount", "any"),))


class TestLevels(ApprovalFlowCase):
    def test_only_the_next_level_is_asked(self):
        order = self._request(price=600)
        self.assertEqual(
            self._get_steps(order),
            [(self.rule_leader, "requested"), (self.rule_director, "waiting"), (self.rule_board, "waiting")],
        )
        self.assertEqual(self._get_asked(order), self.leader)
        self.assertEqual((order.approval_state, order.approval_progress), ("open", "requested"))
        self._approve(order, self.leader)
        self.assertEqual(self._get_asked(order), self.director)
        self._approve(order, self.director)
        self.assertEqual(self._get_asked(order), self.board_a | self.board_b)
        self._approve(order, self.board_a)
        self.assertEqual((order.approval_state, self._get_asked(order)), ("open", self.board_b))
        self._approve(order, self.board_b)
        self.assertEqual((order.approval_state, order.approved_by_id), ("approved", self.board_b))
        self.assertEqual({state for _rule, state in self._get_steps(order)}, {"approved"})
        self.assertFalse(self._get_asked(order))
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_only_matching_rules_are_asked(self):
        order = self._request(price=60)
        self.assertEqual(self._get_steps(order), [(self.rule_leader, "requested")])
        self._approve(order, self.leader)
        self.assertEqual(order.approval_state, "approved")

    def test_rules_of_a_level_side_by_side(self):
        rule = self._create_rule("Lawyer", 1, 0, approver_ids=self.deputy)
        order = self._request(price=60)
        self.assertEqual(self._get_asked(order), self.leader | self.deputy)
        self._approve(order, self.deputy)
        self.assertEqual(self._get_steps(order), [(self.rule_leader, "requested"), (rule, "approved")])
        self._approve(order, self.leader)
        self.assertEqual(order.approval_state, "approved")

    def test_nobody_out_of_turn(self):
        order = self._request(price=600)
        for user in (self.director, self.board_a, self.salesman, self.manager, self.approver):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self._approve(order, user)
        self._approve(order, self.leader)
        with self.assertRaises(AccessError):
            self._approve(order, self.leader)

    def test_not_sent_or_confirmed_in_between(self):
        order = self._request(price=600)
        self._approve(order, self.leader, self.director)
        for attempt in (order.action_confirm, order.action_quotation_send, lambda: order.write({"state": "sale"})):
            with self.assertRefused("has to be approved first"):
                attempt()

    def test_what_a_step_says(self):
        with freeze_time("2026-03-02 09:00:00"):
            order = self._request()
        with freeze_time("2026-03-03 10:00:00"):
            self._approve(order, self.leader)
        step = order.sudo().approval_step_ids.filtered(lambda step: step.rule_id == self.rule_leader)
        self.assertEqual((step.requested_by_id, step.approver_ids), (self.salesman, self.leader))
        self.assertEqual((step.decided_by_id, step.on_behalf_of_id.id), (self.leader, False))
        self.assertEqual(step.requested_date, fields.Datetime.to_datetime("2026-03-02 09:00:00"))
        self.assertEqual(step.decided_date, fields.Datetime.to_datetime("2026-03-03 10:00:00"))
        self.assertEqual((step.amount, len(step.content_digest)), (1000, 64))

    def test_conditions(self):
        rules = {
            "[('largest_discount', '>', 10)]": {"discount": 20},
            "[('average_discount', '>', 10)]": {"discount": 20},
            "[('below_reference_price', '>', 5)]": {"price_unit": 90},
        }
        for domain, values in rules.items():
            rule = self._create_rule("Condition", 1, 0, approver_ids=self.director, domain=domain)
            order = self._create_quotation(quantity=1, price=100)
            with self.subTest(domain):
                self.assertFalse(order.approval_required)
                order.order_line.write(values)
                self.assertTrue(order.approval_required)
                Order = self.env["sale.order"]
                found = Order.search([("id", "=", order.id), *ast.literal_eval(domain)])
                self.assertEqual(found, order.sudo())
            rule.active = False

    def test_conditions_of_the_header(self):
        term = self.env.ref("account.account_payment_term_30days")
        for domain, values in (
            (f"[('payment_term_id', '=', {term.id})]", {"payment_term_id": term.id}),
            (f"[('team_id', '=', {self.team.id})]", {"team_id": self.team.id}),
            (f"[('partner_id', '=', {self.stranger.id})]", {"partner_id": self.stranger.id}),
        ):
            rule = self._create_rule("Condition", 1, 0, approver_ids=self.director, domain=domain)
            order = self._create_quotation(quantity=1, price=100, team_id=False, payment_term_id=False)
            with self.subTest(domain):
                self.assertFalse(order.approval_required)
                order.write(values)
                order.invalidate_recordset(["approval_required"])
                self.assertTrue(order.approval_required)
            rule.active = False

    def test_first_order_of_the_customer(self):
        self._create_rule("First", 1, 0, approver_ids=self.director, domain="[('is_first_order', '=', True)]")
        order, other = self._create_quotation(quantity=1), self._create_quotation(quantity=1)
        self.assertTrue(order.approval_required)
        self.assertIn(order.sudo(), self.env["sale.order"].search([("is_first_order", "=", True)]))
        order.action_request_approval()
        self._approve(order, self.director)
        order.action_confirm()
        self.assertFalse(other._requires_approval())
        self.assertNotIn(other.sudo(), self.env["sale.order"].search([("is_first_order", "=", True)]))

    def test_another_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self._create_rule("Elsewhere", 1, 0, approver_ids=self.director, company_id=company.id)
        self.assertFalse(self._create_quotation(quantity=1).approval_required)

    def test_rules_that_cannot_be(self):
        for values in (
            {"approver_type": "users"},
            {"approver_type": "group"},
            {"approver_ids": self.employee},
            {"approver_ids": self.director, "domain": "[('no_such_field', '=', 1)]"},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self._create_rule("Bad", 1, 0, **values)


class TestSettings(ApprovalFlowCase):
    """The simple setting is the first rule."""

    def _get_rule(self):
        Rule = self.env["sale.approval.rule"].with_context(active_test=False)
        return Rule.search([("company_id", "=", self.company.id), ("from_settings", "=", True)])

    def test_the_rule_follows_the_settings(self):
        self.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 300})
        rule = self._get_rule()
        self.assertEqual((rule.active, rule.min_amount, rule.level), (True, 300, 1))
        self.assertEqual(rule.approver_group_id, self.env.ref("sales_opportunity_stages.group_quotation_approver"))
        self.company.quotation_approval_min_amount = 400
        self.assertEqual(rule.min_amount, 400)
        self.company.quotation_approval = "off"
        self.assertFalse(rule.active)
        self.company.quotation_approval = "required"
        self.assertEqual(self._get_rule(), rule)

    def test_the_settings_follow_the_rule(self):
        self.company.quotation_approval = "required"
        rule = self._get_rule()
        rule.with_user(self.manager).min_amount = 700
        self.assertEqual(self.company.quotation_approval_min_amount, 700)
        rule.with_user(self.manager).active = False
        self.assertEqual(self.company.quotation_approval, "off")
        rule.active = True
        rule.unlink()
        self.assertEqual(self.company.quotation_approval, "off")

    def test_nobody_makes_a_rule_that_of_the_settings(self):
        for user in (self.manager, self.env.user):
            with self.assertRaises(AccessError):
                self.rule_leader.with_user(user).from_settings = True

    def test_four_eyes_is_on_at_first(self):
        self.assertTrue(self.env["res.company"].create({"name": "New"}).quotation_approval_four_eyes)

    def test_dry_run(self):
        order, small = self._create_quotation(price=600), self._create_quotation(price=1)
        old = self._create_quotation(price=600)
        self.env.flush_all()
        long_ago = fields.Datetime.now() - timedelta(days=100)
        self.env.cr.execute("UPDATE sale_order SET create_date = %s WHERE id = %s", [long_ago, old.id])
        rule = self.rule_director.with_user(self.manager)
        rule.invalidate_recordset()
        found = rule.dry_run_order_ids
        self.assertIn(order, found)
        self.assertFalse((small | old) & found)
        self.assertEqual(rule.dry_run_count, len(found))
        self.assertGreater(rule.dry_run_total, rule.dry_run_count)
        new = rule.new({"company_id": self.company.id, "min_amount": 0, "domain": "[('partner_id', '=', 0)]"})
        self.assertEqual(new.dry_run_count, 0)
        new.domain = "[("
        self.assertEqual(new.dry_run_count, 0)


class TestDecisions(ApprovalFlowCase):
    def test_refused(self):
        order = self._request()
        self._approve(order, self.leader)
        order.with_user(self.director).action_refuse_approval("Too cheap")
        self.assertEqual((order.approval_state, order.approval_progress), ("open", "refused"))
        self.assertEqual(self._get_steps(order), [(self.rule_leader, "lapsed"), (self.rule_director, "refused")])
        step = order.sudo().approval_step_ids.filtered(lambda step: step.state == "refused")
        self.assertEqual((step.reason, step.decided_by_id), ("Too cheap", self.director))
        self.assertFalse(self._get_asked(order))
        message = order.sudo().message_ids[0]
        self.assertIn("Refused: Too cheap", message.body)
        self.assertIn(self.salesman.partner_id, message.notified_partner_ids | message.partner_ids)
        self.assertEqual(self.env["sale.order"].search([("approval_progress", "=", "refused")]), order.sudo())

    def test_refused_until_it_is_changed_and_requested_again(self):
        order = self._request()
        order.with_user(self.leader).action_refuse_approval("Too cheap")
        with self.assertRefused("It was refused: change it first"):
            order.action_request_approval()
        with self.assertRefused("has to be approved first"):
            order.action_confirm()
        order.order_line.price_unit = 110
        self.assertEqual(order.approval_progress, "refused")
        order.action_request_approval()
        self.assertEqual(order.approval_progress, "requested")
        self._approve(order, self.leader, self.director)
        self.assertEqual(order.approval_state, "approved")
        self.assertEqual(len(order.sudo().approval_step_ids), 4)

    def test_returned(self):
        order = self._request()
        order.with_user(self.leader).action_return_approval("Say when you deliver")
        self.assertEqual((order.approval_state, order.approval_progress), ("open", "none"))
        self.assertEqual(self._get_steps(order), [(self.rule_leader, "returned"), (self.rule_director, "lapsed")])
        self.assertIn("Returned for change: Say when", order.sudo().message_ids[0].body)
        order.action_request_approval()
        self.assertEqual(self._get_asked(order), self.leader)

    def test_not_passed_over_from_an_old_page(self):
        """Who approves what another has just refused or returned is told so."""
        self.rule_leader.write(
            {"approver_type": "users", "approver_ids": [Command.set((self.leader | self.deputy).ids)]}
        )
        for method in ("action_refuse_approval", "action_return_approval"):
            order = self._request()
            getattr(order.with_user(self.leader), method)("Too cheap")
            with self.subTest(method), self.assertRefused("Another approver has refused or returned it"):
                self._approve(order, self.deputy)

    def test_without_a_reason_a_dialog_asks(self):
        order = self._request()
        for method, operation in (("action_refuse_approval", "refuse"), ("action_return_approval", "return")):
            action = getattr(order.with_user(self.leader), method)()
            self.assertEqual(action["res_model"], "sale.order.decision")
            self.assertEqual(action["context"]["default_operation"], operation)
        self.assertEqual(order.approval_progress, "requested")
        dialog = self.env["sale.order.decision"].with_user(self.leader).with_context(**action["context"])
        dialog.create({"reason": "Later"}).action_decide()
        self.assertEqual(self._get_steps(order)[0], (self.rule_leader, "returned"))

    def test_who_may_not(self):
        order = self._request()
        for user in (self.salesman, self.colleague, self.director, self.approver, self.manager):
            for method, *args in (("action_refuse_approval", "no"), ("action_return_approval", "no")):
                with self.subTest(user.login, method=method), self.assertRaises(AccessError):
                    getattr(order.with_user(user), method)(*args)
        self.assertEqual(order.approval_progress, "requested")

    def test_only_what_is_requested(self):
        order = self._create_quotation()
        self.leader.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        for method in ("action_refuse_approval", "action_return_approval"):
            with self.assertRefused("No approval has been requested"):
                getattr(order.with_user(self.leader), method)("no")
        with self.assertRefused("No approval has been requested"):
            order.action_withdraw_request()

    def test_withdrawn_by_the_requester(self):
        order = self._request()
        self._approve(order, self.leader)
        for user in (self.colleague, self.leader, self.manager):
            with self.subTest(user.login), self.assertRaises(AccessError):
                order.with_user(user).action_withdraw_request()
        order.action_withdraw_request()
        self.assertEqual((order.approval_progress, order.approval_requested_by_id.id), ("none", False))
        self.assertEqual({state for _rule, state in self._get_steps(order)}, {"withdrawn"})
        self.assertFalse(self._get_asked(order))

    def test_unapproved_by_the_last_level(self):
        order = self._request()
        self._approve(order, self.leader, self.director)
        for user in (self.leader, self.salesman, self.manager, self.approver):
            with self.subTest(user.login), self.assertRaises(AccessError):
                order.with_user(user).action_unapprove()
        order.with_user(self.director).action_unapprove()
        self.assertEqual((order.approval_state, order.approval_progress), ("open", "none"))
        self.assertEqual({state for _rule, state in self._get_steps(order)}, {"withdrawn"})

    def test_a_batch_is_all_or_nothing(self):
        orders = self._request(price=60) | self._request(price=70)
        own = self._request(price=80, user=self.leader)
        with self.assertRaises(AccessError):
            (orders | own).with_user(self.leader).action_approve()
        self.assertEqual(set(orders.mapped("approval_state")), {"open"})
        with self.assertRaises(AccessError):
            (orders | own).with_user(self.leader).action_refuse_approval("x")
        self.assertEqual(set(orders.mapped("approval_progress")), {"requested"})
        orders.with_user(self.leader).action_approve()
        self.assertEqual(set(orders.mapped("approval_state")), {"approved"})

    def test_what_ends_a_request(self):
        for end in (lambda order: order.action_cancel(), lambda order: order.action_close_quotation("no")):
            order = self._request()
            end(order)
            self.assertEqual(order.approval_progress, "none")
            self.assertEqual({state for _rule, state in self._get_steps(order)}, {"lapsed"})
            self.assertFalse(self._get_asked(order))

    def test_unasked(self):
        """The first level approves what nobody has requested, and the next one is asked."""
        order = self._create_quotation()
        with self.assertRaises(AccessError):
            order.sudo().with_user(self.director).sudo().action_approve()
        order.sudo().with_user(self.leader).sudo().action_approve()
        self.assertEqual(self._get_steps(order), [(self.rule_leader, "approved"), (self.rule_director, "requested")])
        self.assertEqual(self._get_asked(order), self.director)


class TestChanges(ApprovalFlowCase):
    def _raise_to_board(self):
        order = self._request(price=600)
        self._approve(order, self.leader, self.director)
        return order

    def test_what_worsens_nothing_keeps_the_steps(self):
        order = self._raise_to_board()
        order.order_line.price_unit = 550
        order.write({"note": "<p>Delivered in May</p>", "client_order_ref": "PO 7"})
        self.assertEqual(
            self._get_steps(order, "approved"), [(self.rule_leader, "approved"), (self.rule_director, "approved")]
        )
        self.assertEqual(self._get_asked(order), self.board_a | self.board_b)
        activity = order.sudo().activity_ids.filtered(lambda activity: activity.user_id == self.board_a)
        self.assertIn("5,500", activity.summary)

    def test_a_higher_total_restarts(self):
        order = self._raise_to_board()
        order.order_line.price_unit = 650
        self.assertEqual(self._get_asked(order), self.leader)
        live = self._get_steps(order, "waiting", "requested", "approved")
        self.assertEqual(
            sorted((rule.level, state) for rule, state in live), [(1, "requested"), (2, "waiting"), (3, "waiting")]
        )
        self._approve(order, self.leader, self.director, self.board_a, self.board_b)
        self.assertEqual(order.approval_state, "approved")

    def test_lowered_and_raised_again(self):
        """Approved low, raised to what nobody approved."""
        order = self._request(price=600)
        order.order_line.price_unit = 60
        self.assertEqual(self._get_steps(order, "waiting", "requested"), [(self.rule_leader, "requested")])
        self._approve(order, self.leader)
        self.assertEqual(order.approval_state, "approved")
        with self.assertRefused("is approved, so this cannot be changed"):
            order.order_line.price_unit = 600
        order.action_confirm()
        for user in (self.salesman, self.leader):
            with self.subTest(user.login), self.assertRaises(UserError):
                order.sudo().with_user(user).sudo().order_line.price_unit = 600
        self.assertEqual(order.amount_total, 600)

    def test_raised_between_two_levels(self):
        order = self._request(price=100)
        self._approve(order, self.leader)
        order.order_line.price_unit = 90
        self.assertEqual(order.approval_state, "approved", "the level that was left is not needed any more")
        order.sudo().with_user(self.leader).sudo().action_unapprove()
        order.action_request_approval()
        order.order_line.price_unit = 95
        order.order_line.price_unit = 92
        self.assertEqual(self._get_steps(order, "requested"), [(self.rule_leader, "requested")])

    def test_two_steps_back_and_forth_are_one(self):
        order = self._raise_to_board()
        order.order_line.price_unit = 550
        order.order_line.price_unit = 600
        self.assertEqual(self._get_asked(order), self.board_a | self.board_b)
        order.order_line.price_unit = 601
        self.assertEqual(self._get_asked(order), self.leader)

    def test_restarts_from_the_rule_it_touches(self):
        """A rule looks at the discount on the second level: the first one stays."""
        self.rule_director.domain = "['|', ('largest_discount', '>', 20), ('amount_total', '>=', 1000)]"
        order = self._raise_to_board()
        self.assertEqual(self._get_asked(order), self.board_a | self.board_b)
        order.order_line.write({"price_unit": 601, "discount": 5})
        self.assertEqual(self._get_asked(order), self.director)
        self.assertIn((self.rule_leader, "approved"), self._get_steps(order))

    def test_a_rule_that_did_not_match_before(self):
        self._create_rule("Discount", 1, 0, approver_ids=self.deputy, domain="[('largest_discount', '>', 20)]")
        order = self._request(price=100)
        self._approve(order, self.leader)
        order.order_line.write({"price_unit": 150, "discount": 30})
        self.assertEqual(self._get_asked(order), self.leader | self.deputy)

    def test_what_is_no_content_but_looked_at(self):
        other = self.env["crm.team"].create({"name": "Other", "user_id": self.deputy.id})
        self._create_rule("Team", 1, 0, approver_ids=self.board_a, domain=f"[('team_id', '=', {other.id})]")
        order = self._request(price=100)
        self._approve(order, self.leader)
        order.team_id = other
        self.assertIn(self.board_a, self._get_asked(order))

    def test_editing_a_rule_does_not_change_what_was_asked(self):
        order = self._request(price=600)
        self.rule_leader.write({"approver_type": "users", "approver_ids": [Command.set(self.deputy.ids)]})
        self.rule_director.write({"approver_ids": [Command.set(self.deputy.ids)], "min_amount": 10**6})
        self.rule_board.active = False
        self._create_rule("New", 1, 0, approver_ids=self.deputy)
        with self.assertRaises(AccessError):
            self._approve(order, self.deputy)
        self._approve(order, self.leader, self.director, self.board_a, self.board_b)
        self.assertEqual(order.approval_state, "approved")
        other = self._request(price=600)
        self.assertEqual(self._get_asked(other), self.deputy)

    def test_what_changed_is_shown(self):
        order = self._request(price=600)
        self.assertFalse(order.approval_changes)
        order.order_line.price_unit = 590
        self._approve(order, self.leader)
        order.order_line.write({"price_unit": 580, "product_uom_qty": 9})
        changes = order.with_user(self.director).approval_changes
        self.assertIn("Changed since the request", changes)
        self.assertIn("Changed since the last approval", changes)
        for text in ("Pump", "Unit Price", "600.00", "590.00", "580.00", "Quantity"):
            self.assertIn(text, changes)
        order.order_line.name = "<script>alert(1)</script>"
        order.invalidate_recordset()
        self.assertNotIn("<script>", order.approval_changes)


class TestDeputies(ApprovalFlowCase):
    def _appoint(self, user, deputy, **values):
        user.with_user(user).write({"approval_deputy_id": deputy.id, **values})

    def test_acts_for_somebody(self):
        self._appoint(self.leader, self.deputy)
        order = self._request(price=60)
        self.assertEqual(self._get_asked(order), self.leader | self.deputy)
        self.assertTrue(order.with_user(self.deputy).can_approve)
        self._approve(order, self.deputy)
        step = order.sudo().approval_step_ids
        self.assertEqual((step.decided_by_id, step.on_behalf_of_id), (self.deputy, self.leader))
        self.assertEqual(order.approval_state, "approved")

    def test_dates(self):
        self._appoint(self.leader, self.deputy, approval_deputy_from="2026-03-02", approval_deputy_until="2026-03-06")
        order = self._request(price=60)
        for day, may in (("2026-03-01", False), ("2026-03-02", True), ("2026-03-06", True), ("2026-03-07", False)):
            with self.subTest(day), freeze_time(f"{day} 12:00:00"):
                order.invalidate_recordset()
                self.assertEqual(order.sudo().with_user(self.deputy).sudo().can_approve, may)
                found = self.env["sale.order"].sudo().with_user(self.deputy).sudo().search([("can_approve", "=", True)])
                self.assertEqual(order.sudo() in found, may)
        with freeze_time("2026-03-07 12:00:00"), self.assertRaises(AccessError):
            self._approve(order, self.deputy)

    def test_four_eyes_counts_both(self):
        self._appoint(self.leader, self.deputy)
        order = self._create_quotation(user=self.leader, price=60)
        with self.assertRaises(AccessError):
            order.sudo().with_user(self.deputy).sudo().action_approve()
        own = self._create_quotation(user=self.deputy, price=60)
        own.action_request_approval()
        with self.assertRefused("You have worked on this quotation", AccessError):
            self._approve(own, self.deputy)
        self.assertEqual(self._get_asked(own), self.leader)

    def test_never_for_ones_own_without_four_eyes(self):
        self.company.quotation_approval_four_eyes = False
        self._appoint(self.leader, self.salesman)
        order = self._request(price=60)
        with self.assertRefused("You have worked on this quotation", AccessError):
            self._approve(order, self.salesman)

    def test_not_ones_own_deputy(self):
        with self.assertRefused("cannot be their own deputy", ValidationError):
            self._appoint(self.leader, self.leader)
        with self.assertRaises(ValidationError):
            self._appoint(self.leader, self.employee)
        with self.assertRaises(ValidationError):
            dates = {"approval_deputy_from": "2026-03-02", "approval_deputy_until": "2026-03-01"}
            self._appoint(self.leader, self.deputy, **dates)
        with self.assertRaises(AccessError):
            self.leader.with_user(self.salesman).write({"approval_deputy_id": self.salesman.id})

    def test_not_of_a_deputy(self):
        self._appoint(self.leader, self.deputy)
        self._appoint(self.deputy, self.director)
        order = self._request(price=60)
        with self.assertRaises(AccessError):
            self._approve(order, self.director)

    def test_one_person_agrees_once(self):
        """Both board members are needed: one of them does not also stand in for the other."""
        self._appoint(self.board_b, self.board_a)
        order = self._request(price=600)
        self._approve(order, self.leader, self.director, self.board_a)
        self.assertEqual(order.approval_state, "open")
        with self.assertRaises(AccessError):
            self._approve(order, self.board_a)
        self._approve(order, self.board_b)
        self.assertEqual(order.approval_state, "approved")


class TestEscalation(ApprovalFlowCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule_leader.escalate_days = 3

    def _run(self, date):
        with freeze_time(date), patch.object(self.registry["ir.cron"], "_commit_progress", return_value=1):
            self.env["sale.order.approval"]._cron_escalate()
            self.env["sale.order.approval"]._cron_escalate()

    def test_the_deputy_then_the_level_above_once(self):
        with freeze_time("2026-03-02 09:00:00"):
            order = self._request(price=60)
        self.leader.approval_deputy_id = self.deputy
        self.leader.approval_deputy_until = "2026-01-01"  # not in office now
        self._run("2026-03-05 08:00:00")
        self.assertEqual(self._get_asked(order), self.leader)
        self._run("2026-03-05 09:30:00")
        self.assertEqual(self._get_asked(order), self.leader | self.deputy)
        self._run("2026-03-08 10:00:00")
        self.assertEqual(self._get_asked(order), self.leader | self.deputy | self.director)
        self._run("2026-04-08 10:00:00")
        self.assertEqual(self._get_asked(order), self.leader | self.deputy | self.director)
        self.assertEqual(order.approval_progress, "requested", "nothing is approved by itself")
        self._approve(order, self.deputy)
        step = order.sudo().approval_step_ids
        self.assertEqual((step.state, step.on_behalf_of_id), ("approved", self.leader))

    def test_without_a_deputy(self):
        with freeze_time("2026-03-02 09:00:00"):
            order = self._request(price=60)
        self._run("2026-03-05 09:30:00")
        self.assertEqual(self._get_asked(order), self.leader | self.director)
        self._approve(order, self.director)
        self.assertEqual(order.approval_state, "approved")

    def test_nobody_above(self):
        (self.rule_director | self.rule_board).active = False
        with freeze_time("2026-03-02 09:00:00"):
            order = self._request(price=60)
        self._run("2026-03-05 09:30:00")
        self.assertIn(self.manager, order.sudo().activity_ids.user_id)
        self.assertEqual(order.approval_progress, "requested")

    def test_nobody_eligible(self):
        """A Sales Administrator is told at once, mends the rule, and the request is repeated."""
        self.rule_leader.escalate_days = 0
        self.team.user_id = False
        order = self._request(price=60)
        self.assertEqual(order.approval_progress, "requested")
        self.assertIn(self.manager, self._get_asked(order))
        self.assertNotIn(self.salesman, self._get_asked(order))
        with self.assertRaises(AccessError):
            self._approve(order, self.manager)
        self._run("2027-03-05 09:30:00")
        self.assertEqual(order.approval_state, "open")
        self.team.user_id = self.leader
        order.action_request_approval()
        self.assertEqual(self._get_asked(order), self.leader)


class TestSecurity(ApprovalFlowCase):
    def test_steps_are_written_by_the_system_alone(self):
        order = self._request()
        step = order.approval_step_ids[0]
        for user in (self.salesman, self.leader, self.manager, self.env.user):
            for attempt in (
                lambda step: step.write({"state": "approved"}),
                lambda step: step.unlink(),
                lambda step: step.copy(),
                lambda step: step.create({"order_id": order.id, "level": 1, "round": 1, "state": "approved"}),
            ):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    attempt(step.sudo().with_user(user).sudo())

    def test_fields_of_the_order(self):
        order = self._request()
        for name, value in {
            "approval_progress": "none",
            "approval_round": 7,
            "approval_flow": [{}],
            "requested_content": {"a": 1},
            "decided_content": {"a": 1},
            "approval_requested_date": "2020-01-01 00:00:00",
            "approval_step_ids": [Command.create({"level": 1})],
        }.items():
            with self.subTest(name), self.assertRaises(AccessError):
                order.write({name: value})

    def test_a_copy_is_not_approved(self):
        order = self._request(price=60)
        self._approve(order, self.leader)
        copy = order.copy()
        self.assertEqual((copy.approval_state, copy.approval_progress), ("open", "none"))
        self.assertFalse(copy.approval_step_ids)
        with self.assertRefused("has to be approved first"):
            copy.action_confirm()
        pending = self._request(price=60).copy()
        self.assertEqual((pending.approval_progress, pending.approval_round), ("none", 0))

    def test_what_approvers_read(self):
        """Whom a rule names reads what they are asked, and nothing else."""
        order, other = self._request(), self._create_quotation()
        self.env.invalidate_all()
        Order = self.env["sale.order"]
        self.assertIn(order.id, Order.with_user(self.leader).search([]).ids)
        self.assertNotIn(other.id, Order.with_user(self.leader).search([]).ids)
        self.assertNotIn(order.id, Order.with_user(self.director).search([]).ids, "it is not their turn")
        self.assertEqual(len(order.with_user(self.leader).order_line.read(["price_unit"])), 1)
        with self.assertRaises(AccessError):
            order.with_user(self.leader).write({"client_order_ref": "x"})
        steps = self.env["sale.order.approval"].with_user(self.colleague)
        self.assertFalse(steps.search([("order_id", "=", order.id)]))
        with self.assertRaises(AccessError):
            self.env["sale.order.approval"].with_user(self.employee).search([])

    def test_another_companys_approver(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        order = self._request()
        self.leader.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        with self.assertRaises(AccessError):
            self._approve(order, self.leader)

    def test_who_has_left(self):
        order = self._request()
        self.leader.active = False
        with self.assertRaises(AccessError):
            order.sudo().with_user(self.leader).sudo().action_approve()

    def test_another_group_is_no_approver(self):
        """The rule names a group: administrators and other approvers are not in it."""
        group = self.env["res.groups"].create({"name": "Directors", "user_ids": [Command.set(self.director.ids)]})
        self.rule_leader.write({"approver_type": "group", "approver_group_id": group.id})
        order = self._request()
        self.assertEqual(self._get_asked(order), self.director)
        for user in (self.manager, self.approver):
            with self.subTest(user.login), self.assertRefused("Only those who are asked", AccessError):
                self._approve(order, user)

    def test_approver_and_credit_manager_in_one(self):
        groups = "sales_opportunity_stages.group_quotation_approver,sales_opportunity_stages.group_credit_manager"
        both = new_test_user(self.env, "sos_both", groups=groups)
        self.rule_leader.write({"approver_type": "users", "approver_ids": [Command.set(both.ids)]})
        order = self._request(price=60)
        self._approve(order, both)
        self.assertEqual(order.approval_state, "approved")

    def test_nobody_else_completes_the_activity(self):
        order = self._request()
        activity = order.sudo().activity_ids
        for user in (self.salesman, self.manager, self.leader):
            with self.subTest(user.login), self.assertRaises(UserError), self.env.cr.savepoint():
                activity.with_user(user).action_feedback("done")
        self.assertTrue(activity.active)

    def test_grown_after_confirmation(self):
        order = self._create_quotation(price=40)
        order.action_confirm()
        with self.assertRefused("requires approval"):
            order.order_line.price_unit = 60
        self._create_rule("Discount", 2, 0, approver_ids=self.board_a, domain="[('largest_discount', '>', 20)]")
        with self.assertRefused("requires approval"):
            order.order_line.discount = 30
        order.order_line.discount = 10
        self.assertEqual(order.order_line.discount, 10)


class TestQueue(ApprovalFlowCase):
    def test_waits_for_me(self):
        order, other = self._request(), self._create_quotation()
        for user, may in ((self.leader, True), (self.director, False), (self.salesman, False), (self.manager, False)):
            with self.subTest(user.login):
                record = order.sudo().with_user(user).sudo()
                record.invalidate_recordset()
                self.assertEqual(record.can_approve, may)
                found = record.search([("can_approve", "=", True)])
                self.assertEqual((record in found, other.sudo() in found), (may, False))
                self.assertEqual(record in record.search([("can_approve", "=", False)]), not may)
        self._approve(order, self.leader)
        order.invalidate_recordset()
        self.assertFalse(order.sudo().with_user(self.leader).sudo().can_approve)
        self.assertTrue(order.with_user(self.director).can_approve)

    def test_what_the_list_says(self):
        with freeze_time("2026-03-02 09:00:00"):
            order = self._request(price=600)
        with freeze_time("2026-03-06 09:00:00"):
            order = order.with_user(self.leader)
            self.assertEqual((order.approval_level, order.approval_asked, order.approval_age), (1, self.leader.name, 4))

    def test_the_activity_says_what_it_is_about(self):
        order = self._request(price=600)
        activity = order.sudo().activity_ids
        self.assertIn("6,000", activity.summary)
        self.assertIn("Acme", activity.summary)
        self.assertIn("Acme", activity.note)
        self.assertEqual((activity.res_model, activity.res_id), ("sale.order", order.id))
        if "margin" in order._fields:
            self.assertIn("Margin", activity.note)

    def test_report(self):
        with freeze_time("2026-03-02 09:00:00"):
            order, refused = self._request(price=60), self._request(price=60)
        with freeze_time("2026-03-02 13:00:00"):
            self._approve(order, self.leader)
            refused.with_user(self.leader).action_refuse_approval("Too cheap\nby far")
        self.env.flush_all()
        Report = self.env["sale.approval.report"].with_user(self.salesman)
        rows = Report.search([("order_id", "in", (order | refused).ids)])
        self.assertEqual({row.hours_to_decide for row in rows}, {4.0})
        grouped = Report._read_group(
            [("id", "in", rows.ids), ("state", "=", "refused")], ["reason"], ["refused_count:sum"]
        )
        self.assertEqual(grouped, [("Too cheap", 1)])
        self.assertFalse(Report.with_user(self.colleague).search([("id", "in", rows.ids)]))


class TestCost(QueryCounting, ApprovalFlowCase):
    def test_a_confirmation(self):
        """Three rules that do not ask for it cost three queries at most; no rule none."""
        order = self._create_quotation(price=10)
        with_rules = self._count(lambda: order.action_confirm())
        (self.rule_leader | self.rule_director | self.rule_board).active = False
        without = self._count(lambda: order.action_confirm())
        self.assertLessEqual(with_rules - without, 3)

    def test_a_list(self):
        fields_read = {
            "can_approve": {},
            "approval_asked": {},
            "approval_level": {},
            "approval_age": {},
            "approval_margin": {},
            "approval_progress": {},
        }
        ids = [self._request(price=60).id for _index in range(80)]
        for user in (self.leader, self.salesman):
            orders = self.env["sale.order"].with_user(user).browse(ids)
            few = self._count(lambda orders=orders: orders[:8].web_read(fields_read))
            many = self._count(lambda orders=orders: orders.web_read(fields_read))
            self.assertLessEqual(many - few, 2)


class TestUpgrade(ApprovalFlowCase):
    def test_approvals_stay_given_and_requests_become_steps(self):
        approved, pending, free = (self._create_quotation() for _index in range(3))
        (self.rule_leader | self.rule_director | self.rule_board).active = False
        self.env.flush_all()
        # as the release before has left it
        self.env.cr.execute(
            "UPDATE res_company SET quotation_approval = 'required', quotation_approval_min_amount = 500 WHERE id = %s",
            [self.company.id],
        )
        self.env.cr.execute(
            "UPDATE sale_order SET approval_state = 'approved', approved_by_id = %s, approved_date = '2026-01-05',"
            " approved_amount = 1000 WHERE id = %s",
            [self.approver.id, approved.id],
        )
        self.env.cr.execute(
            "UPDATE sale_order SET approval_requested_by_id = %s WHERE id = %s", [self.salesman.id, pending.id]
        )
        self.env.invalidate_all()
        for _twice in range(2):
            self.env["sale.approval.rule"]._upgrade_to_flow()
        rule = self.env["sale.approval.rule"].search([("company_id", "=", self.company.id)])
        self.assertEqual((len(rule), rule.from_settings, rule.min_amount), (1, True, 500))
        self.assertEqual((approved.approval_state, approved.approved_by_id), ("approved", self.approver))
        self.assertEqual(self._get_steps(approved), [(rule, "approved")])
        self.assertEqual(approved.sudo().approval_step_ids.decided_by_id, self.approver)
        self.assertEqual(self._get_steps(pending), [(rule, "requested")])
        self.assertEqual((pending.approval_progress, pending.approval_requested_by_id), ("requested", self.salesman))
        self.assertEqual(self._get_steps(free), [])
        approved.action_confirm()
        self._approve(pending, self.approver)
        self.assertEqual(pending.approval_state, "approved")
