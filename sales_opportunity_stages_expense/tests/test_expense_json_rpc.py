import json

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import ExpenseSetup


@tagged("post_install", "-at_install")
class TestExpenseJsonRpc(ExpenseSetup, HttpCase):
    """What can be sent over the wire does not get further than the web client."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_expenses()
        cls.lead = cls._create_opportunity(partner_id=cls.customer.id)
        cls.quotation = cls._create_quotation(opportunity_id=cls.lead.id)
        cls.foreign_lead = cls._create_opportunity("Theirs", user=cls.colleague, user_id=cls.colleague.id)
        cls.foreign_quotation = cls._create_quotation(user=cls.colleague, opportunity_id=cls.foreign_lead.id)

    def _call(self, model, method, *args, user=None, **kwargs):
        self.authenticate((user or self.salesman).login, (user or self.salesman).login)
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule"):
            response = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}",
                data=json.dumps({"params": {"model": model, "method": method, "args": args, "kwargs": kwargs}}),
                headers={"Content-Type": "application/json"},
            )
        return response.json()

    def assertRpcRefused(self, answer, exception="AccessError", part=""):
        self.assertEqual(answer.get("error", {}).get("data", {}).get("name"), f"odoo.exceptions.{exception}")
        self.assertIn(part, answer["error"]["data"]["message"])

    def test_the_honest_way(self):
        context = self._call("sale.order", "action_view_expenses", self.quotation.ids)["result"]["context"]
        values = self._prepare_expense()
        saved = self._call("hr.expense", "web_save", [], values, specification={}, context=context)["result"]
        expense = self.env["hr.expense"].browse(saved[0]["id"])
        self.assertEqual(self._get_links(expense), (self.lead, self.quotation, self.customer))
        self.assertNotIn("error", self._call("hr.expense", "action_submit", expense.ids))
        self.assertNotIn("error", self._call("hr.expense", "action_approve", expense.ids, user=self.officer))
        total = self._call("sale.order", "read", self.quotation.ids, ["expense_total"])["result"][0]["expense_total"]
        self.assertEqual(total, 100)

    def test_linking(self):
        """By every method, to what one may not read, with whatever context."""
        expense = self._spend(approve=False)
        theirs = {"opportunity_id": self.foreign_lead.id}, {"quotation_id": self.foreign_quotation.id}
        for link in theirs:
            values = self._prepare_expense(**link)
            for context in ({}, {"from_split_wizard": True, "import_file": True, "install_mode": True, "su": True}):
                for answer in (
                    self._call("hr.expense", "create", [values], context=context),
                    self._call("hr.expense", "write", expense.ids, link, context=context),
                    self._call("hr.expense", "web_save", expense.ids, link, specification={}, context=context),
                    self._call("hr.expense", "web_save_multi", expense.ids, [link], specification={}, context=context),
                    self._call("hr.expense", "copy", expense.ids, link, context=context),
                ):
                    self.assertRpcRefused(answer)
            defaults = {f"default_{name}": value for name, value in link.items()}
            self.assertRpcRefused(self._call("hr.expense", "create", [self._prepare_expense()], context=defaults))
            fields, row = [*values], [str(value) for value in values.values()]
            fields = [f"{name}/.id" if name.endswith("_id") else name for name in fields]
            self.assertFalse(self._call("hr.expense", "load", fields, [row])["result"]["ids"])
        for user in (self.employee, self.officer):
            mine = self._spend(user=self.employee, approve=False)
            self.assertRpcRefused(self._call("hr.expense", "write", mine.ids, theirs[0], user=user))
        self.env.invalidate_all()
        self.assertFalse(expense.opportunity_id or expense.quotation_id)

    def test_contradictions(self):
        other = self._create_opportunity("Other")
        values = self._prepare_expense(quotation_id=self.quotation.id, opportunity_id=other.id)
        self.assertRpcRefused(
            self._call("hr.expense", "create", [values]), "ValidationError", "choose that opportunity"
        )

    def test_contradictions_do_not_tell_names(self):
        """Of what one may not read, whichever check would have been the first to speak."""
        expense = self._spend(approve=False)
        links = {"quotation_id": self.foreign_quotation.id, "opportunity_id": self.lead.id}
        for answer in (
            self._call("hr.expense", "create", [self._prepare_expense(**links)]),
            self._call("hr.expense", "write", expense.ids, links),
        ):
            self.assertRpcRefused(answer)
            self.assertNotIn("Theirs", answer["error"]["data"]["message"])

    def test_others_expenses_do_not_leak(self):
        """Not by the total, the list, the link, a group or the receipts."""
        expense = self._spend(77, user=self.colleague, approve=False)
        expense.sudo().opportunity_id = self.lead
        self._approve(expense)
        lead = self._call("crm.lead", "read", self.lead.ids, ["expense_total", "spent_expense_ids", "document_count"])
        self.assertEqual(
            lead["result"], [{"id": self.lead.id, "expense_total": 0, "spent_expense_ids": [], "document_count": 0}]
        )
        for context in ({}, {"active_test": False, "allowed_company_ids": self.env.company.ids, "su": True}):
            answer = self._call(
                "hr.expense",
                "formatted_read_group",
                [["opportunity_id", "=", self.lead.id]],
                ["opportunity_id"],
                ["total_amount:sum"],
                context=context,
            )
            self.assertEqual(answer["result"], [])
            totals = self._call("crm.lead", "read", self.lead.ids, ["expense_total"], context=context)
            self.assertEqual(totals["result"][0]["expense_total"], 0)
        self.assertFalse(
            self._call("crm.lead", "search", [["spent_expense_ids.total_amount", "=", 77]])["result"],
            "nor by asking for the opportunities that have it",
        )
        self.assertRpcRefused(
            self._call("crm.lead", "write", self.lead.ids, {"spent_expense_ids": [[1, expense.id, {"name": "x"}]]})
        )
        self.assertRpcRefused(self._call("crm.lead", "action_view_expenses", self.lead.ids, user=self.employee))

    def test_what_is_counted_is_not_written(self):
        self._call("crm.lead", "write", self.lead.ids, {"expense_total": 5})
        self.env.invalidate_all()
        self.assertEqual(self.lead.expense_total, 0)
        for method in ("_check_may_link", "_link_order_to_reinvoice"):
            self.assertIn("error", self._call("hr.expense", method, []))
