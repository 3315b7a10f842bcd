from odoo.tests import HttpCase, tagged

from .contract_common import ContractSetup


@tagged("post_install", "-at_install")
class TestContractTours(ContractSetup, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()

    def test_contract_from_a_quotation(self):
        """A salesperson makes a contract of a quotation, changes and confirms it, and finds it again."""
        term = self.env["account.payment.term"].create({"name": "Tour 45 Days"})
        order = self._create_quotation()
        url = f"/odoo/action-sale.action_quotations/{order.id}"
        self.start_tour(url, "sales_opportunity_stages_contract", login=self.salesman.login)
        contract = self.env["sale.blanket.order"].search([("quotation_id", "=", order.id)])
        self.assertEqual((contract.state, contract.payment_term_id), ("open", term))
        self.assertEqual(contract.line_ids.mapped("price_unit"), order.order_line.mapped("price_unit"))
