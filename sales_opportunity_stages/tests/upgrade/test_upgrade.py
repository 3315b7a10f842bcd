import json
from datetime import datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, tagged

from . import scenario

# What an upgrade changes on purpose: {(model, field): why}. A field that is gone is named here too.
CHANGED = {
    ("crm.opportunity.line", "quoted_qty"): "no longer counts what is ordered",
    ("crm.lead", "stage_visit_days"): "grows with the time",
}
# Figures of reports that are others on purpose: {(model, measure): why}
CHANGED_FIGURES = {
    **dict.fromkeys(
        [("crm.flow.report", name) for name in ("start_revenue", "in_revenue", "out_revenue", "end_revenue")],
        "the revenue of that moment, no longer the one on entering the stage",
    ),
    ("crm.snapshot.report", "expected_revenue"): "the revenue of that day, no longer the one on entering the stage",
}
# Rights that are others on purpose: {(role, model): why}
CHANGED_RIGHTS = {
    ("manager", "web_tour.tour"): "each role sees its own tour alone",
}


@tagged("post_install", "-at_install")
class TestUpgrade(TransactionCase):
    """What the previous release knew is known after the upgrade, and what it allowed and refused is the same."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.before = json.loads(cls.env["ir.config_parameter"].sudo().get_param(scenario.PARAMETER))
        cls.after = json.loads(json.dumps(scenario.read(cls.env)))

    def _get_user(self, role):
        return self.env["res.users"].search([("login", "=", f"upgrade_{role}")])

    def _get_order(self, *domain):
        return self.env["sale.order"].search([("order_line.product_id.name", "=", "Pump"), *domain], limit=1)

    # ------------------------------------------------------------
    # Figures and rights
    # ------------------------------------------------------------

    def test_every_value(self):
        """Of each field of the add-ons, on each record."""
        compared = 0
        for model, fields in self.before["values"].items():
            for name, values in fields.items():
                if (model, name) in CHANGED:
                    continue
                with self.subTest(model=model, field=name):
                    after = self.after["values"].get(model, {})
                    self.assertIn(name, after, "it is gone: say in CHANGED where it went")
                    self.assertEqual(after[name], values)
                    compared += len(values)
        self.assertGreater(compared, 1000)

    def test_every_report(self):
        for model, figures in self.before["reports"].items():
            with self.subTest(report=model):
                after = self.after["reports"].get(model, {})
                same = {name: value for name, value in figures.items() if (model, name) not in CHANGED_FIGURES}
                self.assertEqual({name: after.get(name) for name in same}, same)
        snapshot = self.after["reports"]["crm.snapshot.report"]
        self.assertEqual(snapshot["expected_revenue"], snapshot["current_revenue"])
        self.assertGreater(self.before["reports"]["crm.funnel.report"]["__count"], 5)

    def test_every_right(self):
        for name, rights in self.before["rights"].items():
            role, model = name.split()
            if (role, model) not in CHANGED_RIGHTS:
                with self.subTest(role=role, model=model):
                    self.assertEqual(self.after["rights"].get(name), rights)

    def test_exposures(self):
        self.assertEqual(self.after["exposures"], self.before["exposures"])
        self.assertTrue(all(self.before["exposures"]["Holding"]))

    def test_nothing_is_inconsistent(self):
        self.assertEqual(list(self.env["sales.consistency"].get_findings()), [])

    # ------------------------------------------------------------
    # What follows from it
    # ------------------------------------------------------------

    def test_an_approval_that_was_given_counts(self):
        order = self._get_order(
            ("approval_state", "=", "approved"), ("state", "=", "draft"), ("amount_total", "=", 740)
        )
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.with_user(self._get_user("salesman")).order_line[0].price_unit = 1
        order.with_user(self._get_user("salesman")).action_confirm()
        self.assertEqual(order.state, "sale")

    def test_a_request_is_still_asked(self):
        order = self._get_order(("amount_total", "=", 1140))
        self.assertTrue(order.activity_ids.filtered(lambda each: each.user_id == self._get_user("approver")))
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.with_user(self._get_user("salesman")).action_confirm()
        order.with_user(self._get_user("approver")).action_approve()
        self.assertEqual(order.approval_state, "approved")

    def test_who_has_worked_on_it_does_not_approve_it(self):
        salesman = self._get_user("salesman")
        salesman.group_ids += self.env.ref("sales_opportunity_stages.group_quotation_approver")
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self._get_order(("amount_total", "=", 540)).with_user(salesman).action_approve()

    def test_closed_is_closed(self):
        order = self._get_order(("approval_state", "=", "closed"))
        self.assertEqual(order.close_reason, "They buy elsewhere")
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.with_user(self._get_user("manager")).action_confirm()

    def test_credit_is_strict(self):
        unit = self.env["res.partner"].search([("name", "=", "Holding")])
        unit.credit_limit = sum(self.after["exposures"]["Holding"]) + 700
        order = self._get_order(
            ("approval_state", "=", "approved"), ("state", "=", "draft"), ("amount_total", "=", 740)
        )
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.with_user(self._get_user("salesman")).action_confirm()
        unit.credit_limit += 40
        order.with_user(self._get_user("salesman")).action_confirm()

    def test_stages_are_gated(self):
        lead = self.env["crm.lead"].search([("name", "=", "Deal 8")])
        later = self.env["crm.stage"].search([("name", "=", "Solution"), ("sequence", ">=", 700)], limit=1)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            lead.with_user(lead.user_id).stage_id = later
        self.assertGreater(datetime.now() - lead.stage_visit_ids.date_start, timedelta(0))
