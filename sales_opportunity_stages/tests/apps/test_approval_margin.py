from .common import AppsCase


class TestApprovalByMargin(AppsCase):
    """Needs ``sale_margin``. A rule may ask for an approval by the margin; a change that worsens the margin counts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.quotation_approval = "off"
        cls.product.standard_price = 80
        cls.rule = cls.env["sale.approval.rule"].create(
            {
                "name": "Low Margin",
                "company_id": cls.company.id,
                "level": 1,
                "domain": "[('margin_percent', '<', 0.25)]",
                "approver_type": "users",
                "approver_ids": cls.approver.ids,
            }
        )

    def _quote(self, price):
        order = self._create_quotation(quantity=5, price=price)
        order.order_line.purchase_price = 80
        return order

    def test_margin_decides(self):
        for price, required in ((100, True), (120, False)):
            with self.subTest(price):
                order = self._quote(price)
                self.assertEqual(order.approval_required, required)
                refusals = order._get_refusals("confirm")
                self.assertEqual(bool(refusals), required)

    def test_lower_price_asks_for_the_approval(self):
        order = self._quote(120)
        order.order_line.price_unit = 90
        self.assertTrue(order._get_refusals("confirm"))
        order.action_request_approval()
        order.with_user(self.approver).action_approve()
        self.assertEqual(order.approval_state, "approved")

    def test_better_margin_keeps_the_request_and_worse_renews_it(self):
        order = self._quote(90)
        order.action_request_approval()
        step = order.sudo().approval_step_ids.filtered(lambda step: step.state == "requested")
        seen = step.seen
        order.order_line.price_unit = 85
        renewed = order.sudo().approval_step_ids.filtered(lambda step: step.state == "requested")
        self.assertEqual(len(renewed), 1)
        self.assertTrue(renewed != step or renewed.seen != seen)
