import random
import statistics
from datetime import date
from itertools import pairwise
from unittest.mock import patch

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time
from lxml import etree

from odoo.api import Environment
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval

from .funnel_common import AMOUNTS, COUNTS, MEASURES, RATES, FunnelCase

# stage: (reached, amount, touched, inferred, advanced, lost here, pending, step, resolved, win rate, days in stage)
EXPECTED = {
    "S1": (8, 1060, 7, 1, 7, 0, 1, 7 / 8, 7 / 7, 3 / 5, 7.5),
    "S2": (7, 1000, 6, 1, 6, 1, 0, 6 / 7, 6 / 7, 3 / 5, 12.5),
    "S3": (6, 950, 6, 0, 4, 1, 1, 4 / 6, 4 / 5, 3 / 4, 70 / 6),
    "S4": (4, 720, 3, 1, 3, 0, 1, 3 / 4, 3 / 3, 3 / 3, 20 / 3),
    "W": (3, 420, 3, 0, 0, 0, 0, None, None, 3 / 3, 0),
}
# stage: (median days, revenue lost here, pending, weighted pending)
PARTS = {
    "S1": (7.5, 0, 60, 6),
    "S2": (10, 50, 0, 0),
    "S3": (10, 80, 150, 45),
    "S4": (5, 0, 300, 60),
    "W": (0, 0, 0, 0),
}
COLUMNS = [
    *("reached", "expected_revenue", "touched", "inferred", "advanced", "lost_here", "pending", "step_rate"),
    *("resolved_rate", "win_rate", "days_in_stage"),
]


@freeze_time("2026-04-01 12:00:00")
class TestFunnelWorkedExample(FunnelCase):
    """Eight opportunities whose figures were worked out by hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.by_letter = cls._live_example()
        cls.leads = cls.env["crm.lead"].union(*cls.by_letter.values())

    def assertFigures(self, values, expected, columns=COLUMNS):
        for name, figure in zip(columns, expected, strict=True):
            with self.subTest(measure=name):
                if figure is None:
                    self.assertIn(values[name], (None, False))
                else:
                    self.assertAlmostEqual(values[name], figure)

    def test_by_stage(self):
        rows = self._read()
        self.assertEqual([stage.name for stage in rows], list(EXPECTED))
        for stage, values in rows.items():
            with self.subTest(stage=stage.name):
                self.assertFigures(values, EXPECTED[stage.name])

    def test_medians_and_what_came_no_further(self):
        """F is pending at S4 and weighs what it does in S2, where it stands."""
        for stage, values in self._read().items():
            with self.subTest(stage=stage.name):
                self.assertFigures(values, PARTS[stage.name], ["median_days", *AMOUNTS[2:]])

    def test_median_of_one_row(self):
        rows = self.env["crm.funnel.report"].search([("lead_id", "=", self.by_letter["D"].id)])
        medians = {row.stage_id.name: row.median_days for row in rows}
        self.assertEqual(medians, {"S1": 10, "S2": 10, "S3": 10})

    def test_who_skipped(self):
        rows = self.env["crm.funnel.report"].search([("lead_id", "in", self.leads.ids), ("inferred", "=", 1)])
        self.assertEqual(
            sorted((row.stage_id.name, row.lead_id.name) for row in rows), [("S1", "E"), ("S2", "B"), ("S4", "B")]
        )

    def test_all_stages_together(self):
        """Rates are ratios of sums; what counts opportunities counts each once."""
        values = self._read(())[()]
        self.assertFigures(values, [28, 25, 3, 20, 2, 3], [*COUNTS[:3], *COUNTS[3:6]])
        self.assertEqual((values["won"], values["opportunity_count"]), (3, 8))
        self.assertAlmostEqual(values["step_rate"], (7 + 6 + 4 + 3) / (8 + 7 + 6 + 4))
        self.assertAlmostEqual(values["resolved_rate"], 20 / 22)
        self.assertAlmostEqual(values["win_rate"], 3 / 5, msg="not weighed by how far each came: 15 / 20")
        self.assertAlmostEqual(values["days_in_stage"], (45 + 100 + 70 + 20) / (6 + 8 + 6 + 3 + 3))

    def test_some_stages_together(self):
        values = self._read((), domain=[("stage_id", "in", (self.s3 | self.s4).ids)])[()]
        self.assertEqual((values["reached"], values["opportunity_count"], values["won"]), (10, 6, 3))
        self.assertAlmostEqual(values["win_rate"], 3 / 4)

    def test_by_result(self):
        rows = self._read(["won_status"])
        self.assertEqual(
            {status: values["opportunity_count"] for status, values in rows.items()},
            {"won": 3, "lost": 2, "pending": 3},
        )
        self.assertFigures(rows["pending"], [None], ["win_rate"])
        self.assertEqual((rows["won"]["win_rate"], rows["lost"]["win_rate"]), (1, 0))

    def test_by_what_is_not_of_the_opportunity(self):
        """Its stages come apart, and each is counted once where it is."""
        rows = self._read(["pending"])
        self.assertEqual({pending: values["opportunity_count"] for pending, values in rows.items()}, {0: 7, 1: 3})

    def test_grouping_sets_agree_with_groupings(self):
        """The pivot asks for its totals together with its cells: both have to be the same as asked for alone."""
        sets = [[], ["stage_id"], ["user_id"], ["user_id", "stage_id"]]
        report = self.env["crm.funnel.report"]
        domain = [("lead_id", "in", self.leads.ids)]
        self.by_letter["A"].with_user(self.manager).user_id = self.colleague
        together = report._read_grouping_sets(domain, sets, MEASURES)
        alone = [report._read_group(domain, groupby, MEASURES) for groupby in sets]
        for rows, expected in zip(together, alone, strict=True):
            self.assertEqual(sorted(rows, key=str), sorted(expected, key=str))
        together = report._read_grouping_sets([*domain, ("touched", "=", 1)], sets[:2], MEASURES)
        self.assertEqual(together[0][0][6:8], (3, 8), "won, and opportunities")
        self.assertEqual([row[8] for row in together[1]], [7, 6, 6, 3, 3])
        spoofed = report.with_context(funnel_grain=("all", True))
        self.assertEqual(spoofed._read_group(domain, [], MEASURES), alone[0], "a client's context changes nothing")

    def test_win_rate_never_falls_along_the_stages(self):
        rates = [values["win_rate"] for values in self._read().values()]
        self.assertEqual(rates, sorted(rates))

    def test_reached_and_furthest_follow_the_order_of_stages(self):
        """Ranks are today's: with S4 before S2, who was in S2 and no further passes S4 too."""
        self.s4.sequence, self.s2.sequence, self.s3.sequence = 2, 3, 4
        rows = self._read()
        self.assertEqual([stage.name for stage in rows], ["S1", "S4", "S2", "S3", "W"])
        self.assertEqual([values["reached"] for values in rows.values()], [8, 7, 7, 6, 3])
        self.assertEqual(rows[self.s3]["pending"], 2, "E, and F, which was in S3")

    def test_deleted_stage(self):
        """S4 is gone, and who was there has come to S3."""
        self.s4.unlink()
        rows = self._read()
        self.assertEqual([values["reached"] for values in rows.values()], [8, 7, 6, 3])
        self.assertFigures(rows[self.s3], [6, 6, 0, 3, 1, 2, 3 / 6, 3 / 4], COLUMNS[:1] + COLUMNS[2:9])

    def test_added_stage(self):
        added = self.s1.copy(
            {"name": "S2b", "sequence": 2, "opportunity_type_ids": [Command.set(self.type_funnel.ids)]}
        )
        rows = self._read()
        self.assertEqual((rows[added]["reached"], rows[added]["touched"], rows[added]["inferred"]), (6, 0, 6))
        self.assertFigures(rows[added], [None], ["days_in_stage"])

    def test_stage_open_to_every_type(self):
        self.s2.opportunity_type_ids = False
        self.assertEqual([values["reached"] for values in self._read().values()], [8, 7, 6, 4, 3])

    def test_reports_on_the_stage_of_a_team(self):
        """The funnel of a type is one, whatever team somebody is in: a stage of another team is skipped."""
        self.s2.team_ids = self.env["crm.team"].create({"name": "Another", "member_ids": False})
        self.assertEqual([values["reached"] for values in self._read().values()], [8, 7, 6, 4, 3])

    def test_snapshot_is_not_the_funnel(self):
        """F fell back to S2: it stands there, and is pending where it had come to."""
        f = self.by_letter["F"]
        self.assertEqual(f.stage_id, self.s2)
        pending = self.env["crm.funnel.report"].search([("lead_id", "=", f.id), ("pending", "=", 1)])
        self.assertEqual(pending.stage_id, self.s4)


@freeze_time("2026-04-01 12:00:00")
class TestFunnelReport(FunnelCase):
    def _get_furthest(self, lead):
        """Stages reached, touched, and what is said of each opportunity at its furthest stage."""
        self.env["crm.funnel.report"].invalidate_model()
        rows = (
            self.env["crm.funnel.report"].search([("lead_id", "=", lead.id)]).sorted(lambda row: row.stage_id.sequence)
        )
        ends = {name: rows.filtered(name).stage_id.mapped("name") for name in ("lost_here", "pending")}
        return (
            "".join(rows.stage_id.mapped("name")),
            "".join(rows.filtered("touched").stage_id.mapped("name")),
            {name: stages for name, stages in ends.items() if stages},
        )

    def test_regress_and_advance_again(self):
        lead = self._live("Back and forth", "S1 01-01, S3 01-05, S1 01-10, S2 01-20, S1 01-30")
        self.assertEqual(self._get_furthest(lead), ("S1S2S3", "S1S2S3", {"pending": ["S3"]}))
        values = self._read(leads=lead)
        self.assertAlmostEqual(values[self.s1]["days_in_stage"], (4 + 10) / 2, msg="the stay that goes on is left out")

    def test_lost_after_going_back(self):
        lead = self._live("Lost", "S1 01-01, S3 01-05, S1 01-10, lost 01-20")
        self.assertEqual(self._get_furthest(lead), ("S1S2S3", "S1S3", {"lost_here": ["S3"]}))

    def test_lost_and_reopened(self):
        lead = self._live("Reopened", "S1 01-01, S2 01-05, lost 01-10, S2 02-01")
        self.assertEqual(self._get_furthest(lead), ("S1S2", "S1S2", {"pending": ["S2"]}))

    def test_won_directly(self):
        lead = self._live("Straight", "W 01-01")
        self.assertEqual(self._get_furthest(lead), ("S1S2S3S4W", "W", {}))
        self.assertEqual([values["win_rate"] for values in self._read(leads=lead).values()], [1] * 5)

    def test_reopened_from_won(self):
        """Pending at Won, and no win; lost after that, lost at Won."""
        lead = self._live("Not quite", "S1 01-01, W 01-05, S2 01-10")
        self.assertEqual(self._get_furthest(lead), ("S1S2S3S4W", "S1S2W", {"pending": ["W"]}))
        self.assertEqual(self._read((), leads=lead)[()]["won"], 0)
        self._step(lead, "lost")
        self.assertEqual(self._get_furthest(lead)[2], {"lost_here": ["W"]})
        self.assertEqual(self._read(leads=lead)[self.won]["resolved_rate"], 0)

    def test_two_won_stages(self):
        """Won reaches all, be there another way of having won behind it."""
        second = self.won.copy(
            {"name": "X", "sequence": 9, "opportunity_type_ids": [Command.set(self.type_funnel.ids)]}
        )
        lead = self._live("Won", "S1 01-01, W 01-05")
        self.assertEqual(self._get_furthest(lead), ("S1S2S3S4WX", "S1W", {}))
        rows = self._read(leads=lead)
        self.assertEqual((rows[self.won]["advanced"], rows[second]["advanced"]), (1, 0))

    def test_archived_without_being_lost(self):
        lead = self._live("Put away", "S1 01-01, S2 01-05, archived 01-10")
        self.assertEqual(lead.won_status, "pending")
        self.assertEqual(self._read(leads=lead), {})
        lead.active = True
        self.assertEqual(self._get_furthest(lead), ("S1S2", "S1S2", {"pending": ["S2"]}))

    def test_leads_have_no_funnel(self):
        lead = self.env["crm.lead"].create({"name": "Raw", "type": "lead"})
        self.assertEqual(self._read(leads=lead), {})
        lead.with_user(self.manager).convert_opportunity(False)
        self.assertEqual(self._read((), leads=lead)[()]["opportunity_count"], 1)

    def test_without_visits(self):
        lead = self._live("Unheard of", "S1 01-01, S2 01-05")
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM crm_stage_visit WHERE lead_id = %s", (lead.id,))
        self.env.invalidate_all()
        lead.sudo()._store_furthest_stages()
        self.assertEqual(self._read(leads=lead), {})

    def test_handed_over(self):
        """Once, in the type that it has now; coming back keeps the furthest of before."""
        lead = self._live("Handed over", "S1 01-01, S4 01-05, S1 01-10")
        lead.with_user(self.manager).opportunity_type_id = self.type_quick
        rows = self._read(["opportunity_type_id", "stage_id"], leads=lead)
        self.assertEqual(list(rows), [(self.type_quick, self.stage_quick)])
        self.assertEqual(rows[self.type_quick, self.stage_quick]["pending"], 1)
        lead.with_user(self.manager).opportunity_type_id = self.type_funnel
        self.assertEqual(self._get_furthest(lead), ("S1S2S3S4", "S1S4", {"pending": ["S4"]}))

    def test_a_shared_stage_was_not_touched_in_another_type(self):
        self.s2.opportunity_type_ids |= self.type_quick
        lead = self._live("Shared", "S1 01-01, S2 01-05")
        lead.with_user(self.manager).write({"opportunity_type_id": self.type_quick.id, "stage_id": self.stage_quick.id})
        self.assertEqual(lead.stage_id, self.stage_quick)
        rows = self._read(leads=lead)
        self.assertEqual({stage.name: values["touched"] for stage, values in rows.items()}, {"S2": 0, "Asked": 1})

    def test_probability_weighs_the_revenue(self):
        lead = self._live("Weighed", "S1 01-01, S3 01-05", expected_revenue=1000)
        self.assertEqual({row["prorated_revenue"] for row in self._read(leads=lead).values()}, {300})

    def test_amounts_are_in_the_currency_of_the_company(self):
        currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", "JPY")])
        company = self.env["res.company"].create({"name": "Elsewhere", "currency_id": currency.id})
        lead = self._live("There", "S1 01-01", user_id=False, team_id=False)
        row = self.env["crm.funnel.report"].search([("lead_id", "=", lead.id)])
        self.assertEqual(row.currency_id, self.env.company.currency_id)
        lead.sudo().write({"company_id": company.id, "user_id": False})
        self.env["crm.funnel.report"].invalidate_model()
        self.assertEqual(row.with_context(allowed_company_ids=company.ids).currency_id, currency)

    # ------------------------------------------------------------
    # Against the definitions, in any grouping
    # ------------------------------------------------------------

    def _make_histories(self, number, seed):
        dice = random.Random(seed)
        sources = self.env["utm.source"].create([{"name": f"Source {i}"} for i in range(3)])
        leads = self.env["crm.lead"]
        for index in range(number):
            steps = [dice.choice(["S1", "S1", "S2", "S3"])]
            for _step in range(dice.randrange(6)):
                steps.append(dice.choice(["S1", "S2", "S3", "S4", "W", "lost", "lost"]))
            story = ", ".join(f"{what} 0{1 + i // 2}-{1 + 14 * (i % 2):02d}" for i, what in enumerate(steps))
            leads += self._live(
                f"Random {index}",
                story,
                expected_revenue=dice.randrange(1000),
                user_id=dice.choice([self.salesman.id, self.colleague.id]),
                source_id=dice.choice([*sources.ids, False]),
                date_deadline=dice.choice(["2026-05-05", "2026-06-06", False]),
            )
        return leads.sudo()

    def _get_facts(self, lead):
        """What the definitions say of one opportunity: for each stage reached, as the visits tell."""
        order = list(self.stages)
        visits = lead.stage_visit_ids.filtered(lambda visit: visit.stage_id in order)
        top = len(order) - 1 if lead.won_status == "won" else max(order.index(visit.stage_id) for visit in visits)
        for rank, stage in enumerate(order[: top + 1]):
            ended = visits.filtered(lambda visit, stage=stage: visit.stage_id == stage and visit.date_end)
            yield {
                "lead": lead,
                "stage_id": stage,
                "is_last": rank == len(order) - 1,
                "touched": stage in visits.stage_id,
                "advanced": rank < top,
                "lost_here": lead.won_status == "lost" and rank == top,
                "pending": lead.won_status == "pending" and rank == top,
                "days": [(visit.date_end - visit.date_start).total_seconds() / 86400 for visit in ended],
            }

    def _summarize(self, facts):
        """The measures over the facts of a group, by their definitions."""

        def ratio(part, whole):
            return part / whole if whole else None

        def count(name):
            return sum(fact[name] for fact in facts)

        leads = self.env["crm.lead"].union(*(fact["lead"] for fact in facts))
        by_status = {status: leads.filtered(lambda lead, s=status: lead.won_status == s) for status in ("won", "lost")}
        won, lost = len(by_status["won"]), len(by_status["lost"])
        days = [day for fact in facts for day in fact["days"]]

        def amount(count, name):
            return sum(fact["lead"][name] for fact in facts if fact[count])

        return {
            "reached": len(facts),
            "touched": count("touched"),
            "inferred": len(facts) - count("touched"),
            "advanced": count("advanced"),
            "lost_here": count("lost_here"),
            "pending": count("pending"),
            "won": won,
            "opportunity_count": len(leads),
            "expected_revenue": sum(fact["lead"].expected_revenue for fact in facts),
            "prorated_revenue": sum(fact["lead"].prorated_revenue for fact in facts),
            "lost_revenue": amount("lost_here", "expected_revenue"),
            "pending_revenue": amount("pending", "expected_revenue"),
            "pending_prorated_revenue": amount("pending", "prorated_revenue"),
            "step_rate": ratio(count("advanced"), sum(not fact["is_last"] for fact in facts)),
            "resolved_rate": ratio(count("advanced"), count("advanced") + count("lost_here")),
            "win_rate": ratio(won, won + lost),
            "days_in_stage": ratio(sum(days), len(days)),
            "median_days": statistics.median(days) if days else None,
        }

    def test_any_grouping_of_random_histories(self):
        leads = self._make_histories(40, seed=7)
        facts = [fact for lead in leads for fact in self._get_facts(lead)]

        def key(fact, name):
            if name == "stage_id":
                return fact["stage_id"]
            value = fact["lead"][name.partition(":")[0]]
            return value.replace(day=1) if isinstance(value, date) else value

        for groupby in (
            [],
            ["stage_id"],
            ["user_id"],
            ["date_deadline:month"],
            ["source_id", "won_status"],
            ["user_id", "stage_id"],
            ["stage_id", "date_deadline:month"],
        ):
            groups = {}
            for fact in facts:
                group = tuple(key(fact, name) for name in groupby)
                groups.setdefault(group[0] if len(group) == 1 else group, []).append(fact)
            rows = self._read(groupby, leads=leads)
            self.assertEqual(rows.keys(), groups.keys())
            for group, values in rows.items():
                with self.subTest(groupby=groupby, group=group):
                    for name, figure in self._summarize(groups[group]).items():
                        if figure is None:
                            self.assertIn(values[name], (None, False), name)
                        else:
                            self.assertAlmostEqual(values[name], figure, 5, msg=name)

    def test_identities(self):
        leads = self._make_histories(30, seed=11)
        rows = list(self._read(leads=leads).values())
        for row in rows:
            ended = row["won"] if row is rows[-1] else 0
            self.assertEqual(row["reached"], row["advanced"] + row["lost_here"] + row["pending"] + ended)
            self.assertEqual(row["reached"], row["touched"] + row["inferred"])
        for row, following in pairwise(rows):
            self.assertEqual(row["advanced"], following["reached"])

    # ------------------------------------------------------------
    # Who sees what, and how it is searched
    # ------------------------------------------------------------

    def test_one_sees_what_one_sees_of_opportunities(self):
        leads = self._make_histories(8, seed=3)
        leads[0].user_id = leads[1].user_id = self.supervisor
        leads[1].collaborator_ids = [Command.link(self.colleague.id)]
        leads[2].user_id = False
        for user in (self.salesman, self.colleague, self.supervisor, self.manager):
            Lead = self.env["crm.lead"].with_user(user).with_context(active_test=False)
            visible = Lead.search([("id", "in", leads.ids)])
            with self.subTest(user=user.login):
                values = self._read((), leads=leads, user=user)[()]
                self.assertEqual(values["opportunity_count"], len(visible))
                report = self.env["crm.funnel.report"].with_user(user)
                self.assertEqual(report.search([("lead_id", "in", leads.ids)]).lead_id, visible)
        with self.assertRaises(AccessError):
            self._read(leads=leads, user=self.employee)

    def test_one_sees_the_companies_one_works_in(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        lead = self._live("There", "S1 01-01", user_id=False, team_id=False)
        lead.sudo().company_id = company
        self.assertEqual(self._read(leads=lead), {})
        self.manager.company_ids += company
        self.assertTrue(self._read(leads=lead, allowed_company_ids=company.ids))

    def test_by_product_category(self):
        """Through the lines, with the categories below."""
        machines, pumps, service = self.env["product.category"].create(
            [{"name": name} for name in ("Machines", "Pumps", "Service")]
        )
        pumps.parent_id = machines
        pump, advice = self.env["product.product"].create(
            [{"name": "Pump", "categ_id": pumps.id}, {"name": "Advice", "categ_id": service.id}]
        )
        both, one, _none = leads = self.env["crm.lead"].union(
            *(self._live(name, "S1 01-01, S2 01-05") for name in ("Both", "One", "None"))
        )
        both.opportunity_line_ids = [Command.create({"product_id": product.id}) for product in pump | advice]
        one.opportunity_line_ids = [Command.create({"product_id": advice.id})]
        for category, expected in ((machines, both), (service, both | one), (pumps, both)):
            domain = [("product_category_id", "child_of", category.id)]
            values = self._read((), leads=leads, domain=domain, user=self.salesman)[()]
            self.assertEqual(values["opportunity_count"], len(expected), category.name)
            self.assertEqual(values["reached"], 2 * len(expected), "an opportunity with two products is one")

    def test_every_measure_says_what_it_is(self):
        fields = self.env["crm.funnel.report"].fields_get([*COUNTS, *AMOUNTS, *RATES])
        self.assertFalse([name for name, field in fields.items() if not field.get("help")])

    def test_a_row_opens_its_opportunity(self):
        lead = self._live("Mine", "S1 01-01, S2 01-05")
        rows = self.env["crm.funnel.report"].with_user(self.salesman).search([("lead_id", "=", lead.id)])
        self.assertEqual(len(rows), 2)
        for row in rows:
            action = row.action_open_lead()
            self.assertEqual((action["res_model"], action["res_id"]), ("crm.lead", lead.id))

    def test_a_move_shows_at_once(self):
        lead = self._live("Moved", "S1 01-01")
        with Form(lead) as form:
            form.expected_revenue = 70
            form.stage_id = self.s2
        self.assertEqual(self._read(leads=lead)[self.s2]["expected_revenue"], 70)

    def test_stays_are_read_only_where_they_are_asked_for(self):
        """The database leaves out what no measure needs."""
        report = self.env["crm.funnel.report"]
        for measure, is_read, is_median in (
            *(
                ("reached:sum", False, False),
                ("expected_revenue:sum", False, False),
                ("lost_revenue:sum", False, False),
            ),
            *(("touched:sum", True, False), ("days_in_stage:avg", True, False), ("median_days:avg", True, True)),
        ):
            query = report._search([])
            query.groupby = report._column("stage_id")
            select = query.select(report._column("stage_id"), report._read_group_select(measure, query))
            plan = str(self.env.execute_query(SQL("EXPLAIN (VERBOSE) %s", select)))
            self.assertEqual("crm_stage_visit" in plan, is_read, measure)
            self.assertEqual("string_agg" in plan, is_median, measure)

    def _get_shapes(self):
        """Return a domain for each filter of the search view, and what each of its groups groups by."""
        report = self.env["crm.funnel.report"]
        arch = etree.fromstring(report.get_view(view_type="search")["arch"])
        context = {"uid": self.salesman.id, "context_today": date.today, "relativedelta": relativedelta}
        domains = [[(node.get("name"), node.get("operator") or "=", 1)] for node in arch.iter("field")]
        domains += [safe_eval(node.get("domain"), context) for node in arch.iter("filter") if node.get("domain")]
        domains += [[(node.get("date"), ">=", "2026-01-01")] for node in arch.iter("filter") if node.get("date")]
        groups = [safe_eval(node.get("context"))["group_by"] for node in arch.iter("filter") if node.get("context")]
        return [domain for domain in domains if not self._is_about_rows(domain)], groups

    def _is_about_rows(self, domain):
        return any(name in ("lead_id", "stage_id") for name, _operator, _value in domain)

    def _get_statements(self, *args):
        """Return the statements over opportunities that a reading of groups makes."""
        statements = []
        execute_query = Environment.execute_query

        def note(env, query):
            statements.append(query.code)
            return execute_query(env, query)

        with patch.object(Environment, "execute_query", note):
            self.env["crm.funnel.report"]._read_group(*args)
        return [statement for statement in statements if "reached_ids" in statement]

    def test_no_shape_of_a_sum_reads_the_visits(self):
        """Each opportunity is read once, and taken together with those that are alike, whatever is searched for."""
        domains, groups = self._get_shapes()
        self.assertGreater(len(domains), 12)
        self.assertGreater(len(groups), 10)
        measures = ["reached:sum", "won:sum", "win_rate:avg", "step_rate:avg", "expected_revenue:sum", "__count"]
        shapes = [(domain, ["stage_id"]) for domain in [[], *domains]]
        shapes += [([], [group, *more]) for group in groups for more in ([], ["stage_id"]) if group not in more]
        for domain, groupby in shapes:
            with self.subTest(domain=domain, groupby=groupby):
                statements = self._get_statements(domain, groupby, measures)
                self.assertEqual(len(statements), 1)
                self.assertNotIn("crm_stage_visit", statements[0])
                self.assertIn("AS weight", statements[0])

    def test_single_opportunities_are_not_taken_together(self):
        """What tells opportunities apart is counted by opportunity."""
        for domain, groupby, measures in (
            ([("lead_id", "=", 1)], ["lead_id"], ["reached:sum"]),
            ([], ["stage_id"], ["expected_revenue:avg"]),
            ([], ["stage_id"], ["lead_id:count_distinct"]),
            ([("stage_id", "=", self.s2.id)], [], ["opportunity_count:sum"]),
        ):
            with self.subTest(domain=domain, groupby=groupby, measures=measures):
                self.assertNotIn("AS weight FROM", self._get_statements(domain, groupby, measures)[0])

    def test_added_measure_brings_its_join(self):
        """Another module adds a measure with a join of its own: it is made where the measure is asked for alone."""
        self._live("Somewhere", "S1 01-01, S2 01-05")
        Report = self.env.registry["crm.funnel.report"]
        select_columns, get_joins = Report._select_columns, Report._get_joins

        def with_column(report):
            return {**select_columns(report), "touched": SQL("tag.sequence")}

        def with_join(report):
            return {**get_joins(report), "tag": SQL("LEFT JOIN crm_team tag ON tag.id = lead.team_id")}

        with patch.object(Report, "_select_columns", with_column), patch.object(Report, "_get_joins", with_join):
            report = self.env["crm.funnel.report"]
            for measure, is_joined in (("touched:max", True), ("reached:sum", False)):
                [statement] = self._get_statements([], ["stage_id"], [measure])
                self.assertEqual("crm_team tag" in statement, is_joined, measure)
            self.assertTrue(report._read_group([], ["stage_id"], ["touched:max"]))

    def test_queries_do_not_grow(self):
        counts = {}
        for number in (10, 200):
            self.leads = self._create_opportunities(number)
            self.env.flush_all()
            self.env.invalidate_all()
            self._read(["user_id", "stage_id"])
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._read(["user_id", "stage_id"])
            counts[number] = self.env.cr.sql_log_count - before
        self.assertEqual(counts[10], counts[200])
