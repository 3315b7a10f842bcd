from odoo.exceptions import UserError

from .common import AppsCase


class TestPromotion(AppsCase):
    """A promotion writes its lines to 0 and back: that is one change of the order."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["loyalty.program"].search([]).active = False
        cls.program = cls._make_discount(cls)

    def test_an_approved_quotation_is_confirmed(self):
        order = self._claim(self._create_quotation(quantity=5, price=100.0))
        self.assertEqual(order.amount_total, 450)
        order.with_user(self.approver).action_approve()
        order.action_confirm()
        self.assertEqual((order.state, order.amount_total), ("sale", 450))
        self.assertEqual(order.approval_state, "approved")

    def test_a_confirmed_order_at_its_limit_keeps_its_promotion(self):
        order = self._claim(self._create_quotation(quantity=5, price=100.0))
        order.with_user(self.approver).action_approve()
        order.action_confirm()
        self.unit.credit_limit = 450
        order._update_programs_and_rewards()
        self.assertEqual(order.amount_total, 450)
        self.assertEqual(self._get_results(order), ["passed"])

    def test_at_the_threshold_of_approval(self):
        """Below it with the promotion, above it while the promotion is written."""
        self.company.quotation_approval_min_amount = 460
        order = self._claim(self._create_quotation(quantity=5, price=100.0))
        order.action_confirm()
        self.assertEqual((order.state, order.approval_state), ("sale", "open"))
        order._update_programs_and_rewards()
        self.assertEqual(order.amount_total, 450)

    def test_a_promotion_that_has_changed_is_content(self):
        """What was approved is not what would be confirmed."""
        order = self._claim(self._create_quotation(quantity=5, price=100.0))
        order.with_user(self.approver).action_approve()
        self.program.reward_ids.discount = 20
        with self.assertRefused("is approved, so this cannot be changed"):
            order.action_confirm()
        self.assertEqual((order.state, order.amount_total), ("draft", 450))

    def test_refused_by_credit_uses_no_coupon(self):
        """Nothing is left of a confirmation that credit refuses, and no mail goes to the customer."""
        cards = self.env["loyalty.card"].search_count([])
        self.env["loyalty.program"].create(
            {
                "name": "Next time",
                "program_type": "next_order_coupons",
                "trigger": "auto",
                "applies_on": "future",
                "rule_ids": [(0, 0, {"minimum_amount": 0, "minimum_qty": 0})],
                "reward_ids": [(0, 0, {"discount": 5})],
            }
        )
        order = self._create_quotation(quantity=3, price=100.0)
        order._update_programs_and_rewards()
        self.unit.credit_limit = 299
        sent = []
        self.patch(
            self.registry["loyalty.card"],
            "_send_creation_communication",
            lambda cards, force_send=False: sent.append(cards),
        )
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.action_confirm()
        self.assertEqual(sent, [])
        self.assertEqual(order.state, "draft")
        self.assertFalse(self.env["loyalty.history"].search([("order_id", "=", order.id)]))
        self.assertEqual(self.env["loyalty.card"].search_count([]) - cards, len(order.coupon_point_ids))

    def test_a_confirmed_order_with_a_promotion_is_cancelled(self):
        """Cancelling takes the reward away: that is no change of what was approved."""
        order = self._claim(self._create_quotation(quantity=5, price=100.0))
        order.with_user(self.approver).action_approve()
        order.action_confirm()
        order._action_cancel()
        self.assertEqual((order.state, order.approval_state), ("cancel", "open"))
        self.assertFalse(order.order_line.filtered("is_reward_line"))
