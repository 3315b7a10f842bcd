from odoo.tests import tagged

from .credit_common import CreditTours


@tagged("post_install", "-at_install")
class TestCreditDeskTour(CreditTours):
    """Salesperson requests, accountant releases, salesperson confirms; each result is read back."""

    def test_request_release_confirm(self):
        self._invoice(900)
        order = self._order(300)
        path = f"/odoo/action-{self.env.ref('sale.action_quotations').id}/{order.id}"
        self._tour("credit_request", path, self.salesman)
        request = order.sudo().credit_request_ids
        self.assertEqual((request.state, request.excess, order.on_credit_hold), ("requested", 200, True))
        self._tour("credit_release", "/odoo", self.keeper)
        self.assertEqual((request.state, request.decided_by_id), ("granted", self.keeper))
        self._tour("credit_used", path, self.salesman)
        self.assertEqual((order.state, request.state), ("sale", "used"))
