from odoo.api import SUPERUSER_ID
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .credit_common import CreditSetup


@tagged("post_install", "-at_install")
class TestAccountantTours(CreditSetup, AccountTestInvoicingCommon, HttpCase):
    """The day of an accountant, by real clicks; each result is read back after a reload."""

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
        self.start_tour(path, f"sales_opportunity_stages_{name}", login=user.login, timeout=240)

    def test_block_decision_drill_down_and_simulation(self):
        self._confirm(500, partner=self.member)
        self._invoice(300)
        order = self._order(900)
        quotations = self.env.ref("sale.action_quotations").id
        self._tour("credit_blocks", f"/odoo/action-{quotations}/{order.id}", self.salesman)
        self.assertEqual((order.state, self._get_checks()[-1].result), ("draft", "blocked"))
        self._tour("credit_decision", "/odoo", self.keeper)
        self.assertEqual(self.unit.credit_limit, 2000)
        units = self.env.ref("sales_opportunity_stages.res_partner_action_credit").id
        self._tour("credit_raised", f"/odoo/action-{units}/{self.unit.id}", self.keeper)
        self._tour("credit_passes", f"/odoo/action-{quotations}/{order.id}", self.salesman)
        self.assertEqual(order.state, "sale")
