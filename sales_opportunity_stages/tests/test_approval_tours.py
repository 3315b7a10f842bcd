from odoo.tests import HttpCase, tagged

from .approval_common import ApprovalFlowSetup


class ApprovalTours(ApprovalFlowSetup, HttpCase):
    browser_size = "1280x720"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_flow()

    def _tour(self, name, user, order=None, action="sale.action_quotations"):
        path = f"/odoo/action-{self.env.ref(action).id}" + (f"/{order.id}" if order else "")
        self.start_tour(path, f"sales_opportunity_stages_approval_{name}", login=user.login, timeout=240)
        self.env.invalidate_all()

    def _decide_from_the_queue(self, name, user):
        self._tour(name, user, action="sales_opportunity_stages.sale_order_action_to_approve")


@tagged("post_install", "-at_install")
class TestApprovalTours(ApprovalTours):
    """Three levels, by real clicks of each person: a refusal, and a deputy."""

    def test_three_levels(self):
        self.director.tz = "UTC"  # which the preferences ask for
        order = self._create_quotation(price=600)
        self._tour("request", self.salesman, order)
        self._decide_from_the_queue("from_the_list", self.leader)
        self._decide_from_the_queue("refuse", self.director)
        self.assertEqual((order.approval_state, order.approval_progress), ("open", "refused"))
        self._tour("change", self.salesman, order)
        self.assertEqual(order.amount_total, 6500)
        self._tour("approve", self.leader, order)
        self._tour("deputy", self.director, self.director, action="base.action_res_users_my")
        self.assertEqual(self.director.approval_deputy_id, self.deputy)
        self._tour("approve", self.deputy, order)
        self._tour("approve", self.board_a, order)
        self._tour("approve", self.board_b, order)
        self.assertEqual(order.approval_state, "approved")
        step = order.approval_step_ids.filtered(lambda step: step.on_behalf_of_id)
        self.assertEqual((step.decided_by_id, step.on_behalf_of_id), (self.deputy, self.director))


@tagged("post_install", "-at_install")
class TestApprovalPhoneTours(ApprovalTours):
    browser_size = "390x844"
    touch_enabled = True

    def test_on_a_phone(self):
        order = self._request(price=60)
        self._decide_from_the_queue("on_a_phone", self.leader)
        self.assertEqual(order.approval_state, "approved")
