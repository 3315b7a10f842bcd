from odoo.fields import Command

from ..credit_common import CreditCase


class AppsCase(CreditCase):
    """A company that asks for approvals from 1,000 and checks credit, and an order of 5 pumps at 100."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write(
            {
                "quotation_approval": "required",
                "quotation_approval_min_amount": 400,
                "quotation_approval_four_eyes": True,
            }
        )
        cls.env.ref("base.user_admin").group_ids -= cls.env.ref("sales_opportunity_stages.group_quotation_approver")

    def _approved(self, **values):
        """An approved quotation over 500."""
        order = self._create_quotation(quantity=5, price=100.0, **values)
        order.with_user(self.approver).action_approve()
        return order

    def _confirmed(self, **values):
        """An order over 500 that was confirmed with an approval."""
        order = self._approved(**values)
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        return order

    def _get_notes(self, order):
        return " ".join(order.sudo().message_ids.mapped(lambda message: message.body or ""))

    def _get_results(self, order):
        return order.sudo().credit_check_ids.sorted("id").mapped("result")

    def _make_discount(self, percent=10, **values):
        """A promotion that gives every order a discount."""
        return self.env["loyalty.program"].create(
            {
                "name": "Spring",
                "program_type": "promotion",
                "trigger": "auto",
                "applies_on": "current",
                "rule_ids": [Command.create({"minimum_qty": 0})],
                "reward_ids": [
                    Command.create(
                        {
                            "reward_type": "discount",
                            "discount": percent,
                            "discount_mode": "percent",
                            "discount_applicability": "order",
                        }
                    )
                ],
                **values,
            }
        )

    def _claim(self, order):
        """Apply the promotions that the order may have, as the *Promotions* button does."""
        order._update_programs_and_rewards()
        for coupon, rewards in order._get_claimable_rewards().items():
            for reward in rewards:
                order._apply_program_reward(reward, coupon)
        return order
