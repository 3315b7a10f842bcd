import json

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .contract_common import ContractSetup


@tagged("post_install", "-at_install")
class TestContractJsonRpc(ContractSetup, HttpCase):
    """What a salesperson can send over the wire makes no order and contract of one quotation."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()

    def _call(self, model, method, *args, user=None, **kwargs):
        self.authenticate((user or self.salesman).login, (user or self.salesman).login)
        with mute_logger("odoo.http"):
            response = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}",
                data=json.dumps({"params": {"model": model, "method": method, "args": args, "kwargs": kwargs}}),
                headers={"Content-Type": "application/json"},
            )
        return response.json()

    def _assert_refused(self, expected, model, method, *args, **kwargs):
        answer = self._call(model, method, *args, **kwargs)
        self.assertIn("error", answer, f"{model}.{method} was let through")
        self.assertRegex(answer["error"]["data"]["message"], expected)

    def test_the_honest_way(self):
        order = self._create_quotation()
        action = self._call("sale.order", "action_create_contract", order.ids)["result"]
        self.assertEqual((action["res_model"], action["res_id"]), ("sale.blanket.order", order.contract_ids.id))
        validity = {"validity_start_date": "2026-01-01", "validity_date": "2099-12-31"}
        self._call("sale.blanket.order", "write", order.contract_ids.ids, validity)
        self._call("sale.blanket.order", "action_confirm", order.contract_ids.ids)
        self.assertEqual(order.contract_ids.state, "open")

    def test_order_beside_a_contract(self):
        order = self._create_quotation()
        self._make_contract(order)
        wanted = "A contract was made from it, cancel that first"
        for context in ({}, {"sales_server_tokens": [{"values": {}}], "binds_quotation": False, "su": True}):
            self._assert_refused(wanted, "sale.order", "action_confirm", order.ids, context=context)
            self._assert_refused(wanted, "sale.order", "write", order.ids, {"state": "sale"}, context=context)
            self._assert_refused(
                wanted, "sale.order", "web_save", order.ids, {"state": "sale"}, specification={}, context=context
            )
            self._assert_refused(wanted, "sale.order", "action_create_contract", order.ids, context=context)
        self.assertEqual(order.state, "draft")

    def test_contract_beside_an_order(self):
        order = self._create_quotation()
        contract = self._make_open_contract(order)
        contract.action_cancel()
        order.action_confirm()
        wanted = "The order is already confirmed or cancelled"
        model = contract._name
        self._assert_refused(wanted, "sale.order", "action_create_contract", order.ids)
        self._assert_refused(wanted, model, "set_to_draft", contract.ids)
        for state in ("draft", "open", "done"):
            self._assert_refused(wanted, model, "write", contract.ids, {"state": state})
            self._assert_refused(wanted, model, "web_save", contract.ids, {"state": state}, specification={})
        for confirmed in (False, True):
            values = {"confirmed": confirmed, "validity_date": "2099-12-31"}
            self.assertNotIn("error", self._call(model, "write", contract.ids, values))
        self.assertEqual(contract.state, "expired")

    def test_forging_the_links(self):
        order, lead = self._create_quotation(), self._create_opportunity()
        contract = self._make_free_contract()
        forged = {"quotation_id": order.id, "opportunity_id": lead.id, "binds_quotation": True, "is_cancelled": True}
        required = {"partner_id": self.customer.id, "pricelist_id": contract.pricelist_id.id}
        for name, value in forged.items():
            for user in (self.salesman, self.manager):
                with self.subTest(name, user=user.login):
                    kept = ("kept by the system", contract._name)
                    self._assert_refused(*kept, "write", contract.ids, {name: value}, user=user)
                    self._assert_refused(*kept, "web_save", contract.ids, {name: value}, specification={}, user=user)
                    self._assert_refused(*kept, "create", [{**required, name: value}], user=user)
                    self._assert_refused(
                        *kept,
                        "create",
                        [{**required, name: value}],
                        user=user,
                        context={"sales_server_tokens": [{"model": contract._name, "values": {name: value}}]},
                    )
                    answer = self._call(
                        contract._name, "create", [required], user=user, context={f"default_{name}": value}
                    )
                    self.assertFalse(contract.browse(answer["result"])[name])
        self._assert_refused("kept by the system", "sale.order", "write", order.ids, {"has_contract": True})
        for command in ([4, contract.id], [6, 0, contract.ids], [0, 0, required]):
            self._assert_refused(".", "sale.order", "write", order.ids, {"contract_ids": [command]})
            self._assert_refused(".", "crm.lead", "write", lead.ids, {"contract_ids": [command]})
        self.assertFalse(order.contract_ids or lead.contract_ids)

    def test_importing(self):
        order = self._create_quotation()
        pricelist = self._make_free_contract().pricelist_id
        fields = ["partner_id/.id", "pricelist_id/.id", "quotation_id/.id"]
        rows = [[str(self.customer.id), str(pricelist.id), str(order.id)]]
        answer = self._call("sale.blanket.order", "load", fields, rows)
        self.assertFalse(answer.get("result", {}).get("ids"))
        self.assertFalse(order.contract_ids)

    def test_private_methods(self):
        order = self._create_quotation()
        contract = self._make_contract(order)
        for method, *args in (
            ("_write_derived", {"binds_quotation": False}),
            ("_bind_quotations", None),
            ("_is_live",),
        ):
            self._assert_refused("Private methods", contract._name, method, contract.ids, *args)
        self._assert_refused("Private methods", "sale.order", "_write_derived", order.ids, {"has_contract": False})
        self.assertTrue(order.has_contract)

    def test_unapproved_and_closed_opportunities(self):
        lead = self._create_opportunity(partner_id=self.customer.id)
        order = self._create_quotation(opportunity_id=lead.id)
        self._lose(lead)
        self._assert_refused("is Lost: reopen that first", "sale.order", "action_create_contract", order.ids)
        self.company.quotation_approval = "required"
        order = self._create_quotation()
        self._assert_refused("has to be approved first", "sale.order", "action_create_contract", order.ids)
        self._assert_refused(".", "sale.order", "action_create_contract", order.ids, user=self.colleague)
