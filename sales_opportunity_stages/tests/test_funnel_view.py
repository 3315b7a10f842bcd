import re

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import HttpCase, no_retry, tagged

from odoo.addons.web.tests import test_js

from .funnel_common import FunnelCase
from .test_funnel_report import EXPECTED, PARTS

PASSED = re.compile(r"\[HOOT\] Passed (\d+) tests")


@freeze_time("2026-04-01 12:00:00")
class TestFunnelView(FunnelCase):
    """What the server hands to the funnel view, on the worked example."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.by_letter = cls._live_example()
        cls.leads = cls.env["crm.lead"].union(*cls.by_letter.values())
        cls.domain = [("lead_id", "in", cls.leads.ids)]

    def _get_funnels(self, domain=(), groupby=(), user=None, **context):
        report = self.env["crm.funnel.report"].with_user(user or self.salesman).with_context(**context)
        return report.get_funnels([*self.domain, *domain], list(groupby))

    def _get_stages(self, answer):
        return [stage["name"] for type_values in answer["types"] for stage in type_values["stages"]]

    def _get_first(self, answer):
        return next(row for row in answer["rows"] if row["stage_id"][0] == self.s1.id)

    def test_figures(self):
        answer = self._get_funnels()
        self.assertEqual([(t["id"], t["name"]) for t in answer["types"]], [(self.type_funnel.id, "Funnel")])
        self.assertEqual(self._get_stages(answer), list(EXPECTED))
        self.assertEqual((answer["is_complete"], answer["currency_id"]), (True, self.env.company.currency_id.id))
        for row in answer["rows"]:
            reached, amount, _touched, _inferred, *counts, step, resolved, win, days = EXPECTED[row["stage_id"][1]]
            found = [row[f"{name}:sum"] for name in ("reached", "expected_revenue", "advanced", "lost_here", "pending")]
            self.assertEqual(found, [reached, amount, *counts])
            parts = [row[f"{name}:sum"] for name in ("lost_revenue", "pending_revenue", "pending_prorated_revenue")]
            self.assertEqual([row["median_days:avg"], *parts], [*PARTS[row["stage_id"][1]]])
            rates = [row[f"{name}:avg"] for name in ("step_rate", "resolved_rate", "win_rate", "days_in_stage")]
            for rate, expected in zip(rates, (step, resolved, win, days), strict=True):
                if expected is None:
                    self.assertIn(rate, (None, False))
                else:
                    self.assertAlmostEqual(rate, expected)

    def test_stages_are_in_the_order_of_the_pipeline(self):
        """The won one last whatever its sequence; of equal ones the older first, and not by name."""
        self.won.sequence = 0
        self.s2.write({"sequence": 3, "name": "Z2"})
        self.assertEqual(self._get_stages(self._get_funnels()), ["S1", "Z2", "S3", "S4", "W"])

    def test_stages_that_nobody_reached(self):
        domain = [("lead_id", "=", self.by_letter["C"].id)]
        answer = self._get_funnels(domain)
        self.assertEqual((len(answer["rows"]), len(self._get_stages(answer))), (2, 5))

    def test_a_search_for_stages_is_told(self):
        """A stage without a row may have been reached there."""
        self.assertFalse(self._get_funnels([("stage_id", "=", self.s3.id)])["is_complete"])
        self.assertFalse(self._get_funnels([("lost_here", "=", 1)])["is_complete"])
        self.assertTrue(self._get_funnels([("user_id", "=", self.salesman.id)])["is_complete"])

    def test_nothing_found(self):
        answer = self._get_funnels([("lead_id", "=", 0)])
        self.assertEqual((answer["rows"], answer["types"]), ([], []))

    def test_groups(self):
        """Type and stage are always among the groupings, once."""
        self.by_letter["A"].with_user(self.manager).user_id = self.colleague
        answer = self._get_funnels(groupby=["user_id", "stage_id", "opportunity_type_id"], user=self.manager)
        reached = {}
        for row in answer["rows"]:
            reached.setdefault(row["user_id"][0], {})[row["stage_id"][1]] = row["reached:sum"]
        self.assertEqual(reached[self.salesman.id], dict(zip(EXPECTED, [7, 6, 5, 3, 2], strict=True)))
        self.assertEqual(reached[self.colleague.id], dict.fromkeys(EXPECTED, 1))
        names = [row["user_id"][1] for row in answer["rows"]]
        self.assertEqual(names, sorted(names), "in the order of the groups")

    def test_types_are_told_apart(self):
        self.s2.opportunity_type_ids |= self.type_quick
        moved = self.by_letter["H"]
        moved.with_user(self.manager).opportunity_type_id = self.type_quick
        answer = self._get_funnels()
        self.assertEqual([t["name"] for t in answer["types"]], ["Funnel", "Spare Parts"])
        reached = {(row["opportunity_type_id"][1], row["stage_id"][1]): row["reached:sum"] for row in answer["rows"]}
        in_funnel = {("Funnel", stage): count for stage, count in zip(EXPECTED, [7, 7, 6, 4, 3], strict=True)}
        self.assertEqual(reached, {**in_funnel, ("Spare Parts", "S2"): 1})

    def test_amounts_of_several_currencies_are_converted(self):
        """Into the currency of the company that one works in."""
        currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", "JPY")])
        currency.active = True
        company = self.env["res.company"].create({"name": "Elsewhere", "currency_id": currency.id})
        currency.rate_ids = [Command.clear(), Command.create({"name": "2020-01-01", "rate": 100})]
        self.manager.company_ids += company
        lead = self.by_letter["H"].sudo()
        lead.write({"company_id": company.id, "user_id": False, "team_id": False, "expected_revenue": 6000})
        both = {"user": self.manager, "allowed_company_ids": (self.env.company | company).ids}
        answer = self._get_funnels(**both)
        self.assertEqual(answer["currency_id"], self.env.company.currency_id.id)
        self.assertAlmostEqual(self._get_first(answer)["expected_revenue:sum"], 1060)
        alone = self._get_funnels(user=self.manager, allowed_company_ids=company.ids)
        self.assertEqual((alone["currency_id"], self._get_first(alone)["expected_revenue:sum"]), (currency.id, 6000))

    def test_who_sees_what(self):
        self.by_letter["A"].with_user(self.manager).user_id = self.supervisor
        self.assertEqual(self._get_first(self._get_funnels(user=self.salesman))["reached:sum"], 7)
        self.assertEqual(self._get_funnels(user=self.colleague)["rows"], [])
        with self.assertRaises(AccessError):
            self._get_funnels(user=self.employee)

    def test_runs_on_a_replica(self):
        """Called from the browser in a read-only transaction, both what is shown and what it opens."""
        report = self.env["crm.funnel.report"].with_user(self.salesman)
        for method in (report.get_funnels, report.get_opportunities_action):
            self.assertTrue(method._readonly)
        self.env.flush_all()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint(flush=False):
            self.env.cr.execute("SET LOCAL transaction_read_only = on")
            self.env.invalidate_all()
            self.assertTrue(self._get_funnels()["rows"])
            report.get_opportunities_action([])
            raise ZeroDivisionError  # nothing else brings the transaction back

    def test_queries_do_not_grow(self):
        counts = {}
        for number in (1, 10, 200):  # the first fills the caches
            self.leads |= self._create_opportunities(number)
            self.domain = [("lead_id", "in", self.leads.ids)]
            self._get_funnels(groupby=["user_id"])
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._get_funnels(groupby=["user_id"])
            counts[number] = self.env.cr.sql_log_count - before
        self.assertEqual(counts[10], counts[200])

    # ------------------------------------------------------------
    # What is behind a figure
    # ------------------------------------------------------------

    def _get_behind(self, domain, user=None):
        """The letters of the opportunities that the action opens."""
        report = self.env["crm.funnel.report"].with_user(user or self.salesman)
        action = report.get_opportunities_action([*self.domain, *domain])
        leads = self.env[action["res_model"]].with_user(user or self.salesman).with_context(**action["context"])
        return "".join(sorted(leads.search(action["domain"]).mapped("name")))

    def test_opportunities_behind_each_figure(self):
        behind = {
            ("S1", "reached"): "ABCDEFGH",
            ("S1", "pending"): "H",
            ("S2", "lost_here"): "C",
            ("S3", "reached"): "ABDEFG",
            ("S3", "advanced"): "ABFG",
            ("S3", "lost_here"): "D",
            ("S3", "pending"): "E",
            ("W", "won"): "ABG",
        }
        for (stage, count), letters in behind.items():
            with self.subTest(stage=stage, count=count):
                domain = [("stage_id", "=", self.by_name[stage].id), (count, "=", 1)]
                self.assertEqual(self._get_behind(domain), letters)

    def test_only_ones_own_opportunities_are_behind_it(self):
        self.by_letter["A"].with_user(self.manager).user_id = self.supervisor
        self.assertEqual(self._get_behind([("stage_id", "=", self.won.id)]), "BG")
        self.assertEqual(self._get_behind([], user=self.colleague), "")

    def test_the_action_opens(self):
        action = self.env["crm.funnel.report"].with_user(self.salesman).get_opportunities_action(self.domain)
        views = self.env["crm.lead"].with_user(self.salesman).get_views(action["views"])["views"]
        self.assertEqual(set(views), {"list", "kanban", "form"})


@tagged("post_install", "-at_install")
class TestFunnelViewInBrowser(HttpCase):
    @no_retry
    def test_hoot(self):
        """All unit tests of the add-on's JavaScript, in Chromium; that none ran is a failure too."""
        suite = test_js.HOOTCommon._generate_hash(self, "@sales_opportunity_stages")
        with self.assertLogs(self._logger.name, "INFO") as logs:
            self.browser_js(
                f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={suite}",
                *("", ""),
                login="admin",
                timeout=1200,
                success_signal="[HOOT] Test suite succeeded",
                error_checker=test_js.unit_test_error_checker,
            )
        passed = PASSED.findall("\n".join(logs.output))
        self.assertEqual(len(passed), 1)
        self.assertGreater(int(passed[0]), 0)
