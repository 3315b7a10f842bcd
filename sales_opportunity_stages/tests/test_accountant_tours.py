from odoo.tests import tagged

from .credit_common import CreditTours


@tagged("post_install", "-at_install")
class TestAccountantTours(CreditTours):
    """The day of an accountant, by real clicks; each result is read back after a reload."""

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
