from odoo.api import SUPERUSER_ID
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .credit_common import CreditSetup


@tagged("post_install", "-at_install")
class TestCreditDeskTour(CreditSetup, AccountTestInvoicingCommon, HttpCase):
    """Salesperson requests, accountant releases, salesperson confirms; each result is read back."""

    browser_size = "1280x720"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.company_data["company"]
        cls.env = cls.env(user=SUPERUSER_ID, context=dict(cls.env.context, allowed_company_ids=company.ids))
        cls.env.user.company_ids |= company
        cls._set_up_credit()
        groups = "account.group_account_invoice,sales_opportunity_stages.group_credit_manager"
        cls.keeper = new_test_user(cls.env, "sos_keeper", groups=groups)

    def _tour(self, name, path, user):
        self.start_tour(path, f"sales_opportunity_stages_{name}", login=user.login, timeout=300)

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
