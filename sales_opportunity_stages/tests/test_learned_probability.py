import doctest
import json
import random
from math import sqrt
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command, Datetime
from odoo.tests import BaseCase, Form, HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.sales_opportunity_stages.models.stage import crm_opportunity_type_learning
from odoo.addons.sales_opportunity_stages.tools import learned_probability

from .common import OpportunityStagesSetup
from .funnel_common import FunnelCase
from .query_counting import QueryCounting


@tagged("post_install", "-at_install")
class TestFormulas(BaseCase):
    def test_documentation(self):
        results = doctest.testmod(learned_probability)
        self.assertGreater(results.attempted, 6)
        self.assertEqual(results.failed, 0)

    def test_bounds_are_as_far_away_as_their_own_spread(self):
        """What defines Wilson's interval: each bound is a rate that what was observed is 1.96 spreads away from."""
        for sample_size in (1, 2, 7, 40, 1000):
            for won in {0, 1, sample_size // 2, sample_size}:
                rate = won / sample_size
                for bound in learned_probability.wilson_interval(won, sample_size):
                    self.assertTrue(0 <= bound <= 1)
                    spread = sqrt(bound * (1 - bound) / sample_size)
                    self.assertAlmostEqual(abs(rate - bound), 1.959964 * spread, 6)

    def test_between_what_was_seen_and_the_prior_rate(self):
        dice = random.Random(5)
        for _round in range(200):
            won, lost, prior = dice.randrange(30), dice.randrange(1, 30), dice.random()
            estimate = learned_probability.estimate(won, lost, prior)
            low, high = sorted([won / (won + lost), prior])
            self.assertTrue(low <= estimate <= high)


class LearningCase(FunnelCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Learned = cls.env["crm.stage.learned.probability"]

    def _set_smallest_sample(self, number):
        self.startPatcher(
            patch.object(crm_opportunity_type_learning.CrmOpportunityType, "_get_smallest_sample", lambda _self: number)
        )
        self.env.registry.clear_cache()

    def _learn(self, mode="learned", smallest_sample=0):
        """Let the funnel's type learn, and count whatever it has learned."""
        self._set_smallest_sample(smallest_sample)
        self.type_funnel.with_user(self.manager).probability_mode = mode
        self.type_funnel.with_user(self.manager).action_learn_probabilities()

    def _run_cron(self):
        cron = self.env.ref("sales_opportunity_stages.ir_cron_learn_probabilities")
        cron.ir_actions_server_id.with_user(cron.user_id).run()

    def _get_learned(self, opportunity_type=None):
        """``{stage: what was learned of it}``"""
        rows = self.Learned.search([("opportunity_type_id", "=", (opportunity_type or self.type_funnel).id)])
        self.assertEqual(len(rows), len(rows.stage_id))
        return {row.stage_id: row for row in rows}

    def _close(self, won=0, lost=0, stage=None, **values):
        """Close opportunities, each in the stage or the first one."""
        values = {"opportunity_type_id": self.type_funnel.id, "stage_id": (stage or self.s1).id, **values}
        leads = self.env["crm.lead"].with_user(self.manager)
        leads = leads.create(
            [
                {"name": "Closed", "type": "opportunity", "team_id": False, "user_id": False, **values}
                for _index in range(won + lost)
            ]
        )
        leads[:lost].action_set_lost()
        leads[lost:].action_set_won()
        return leads

    def _start(self, stage=None, **values):
        return self._create_opportunity(
            user=self.manager,
            **{"opportunity_type_id": self.type_funnel.id, "stage_id": (stage or self.s1).id, **values},
        )


@freeze_time("2026-04-01 12:00:00")
class TestLearning(LearningCase):
    """What is learned, and from whom."""

    def test_worked_example(self):
        self._live_example()
        self._learn()
        learned = self._get_learned()
        expected = {
            self.s1: (60, 23.07, 88.24, 3, 5),
            self.s2: (60, 23.07, 88.24, 3, 5),
            self.s3: (67.5, 30.06, 95.44, 3, 4),
            self.s4: (77.14, 43.85, 100, 3, 3),
        }
        self.assertEqual(learned.keys(), expected.keys(), "a won stage has nothing to learn")
        for stage, figures in expected.items():
            row = learned[stage]
            found = (row.probability, row.probability_low, row.probability_high, row.won_count, row.sample_size)
            for value, figure in zip(found, figures, strict=True):
                self.assertAlmostEqual(value, figure, 2, msg=stage.name)
            self.assertEqual(row.date_learned, Datetime.now())
        self.assertEqual(learned[self.s3].interval, "30 – 95 %")
        self.assertEqual((self.type_funnel.learned_sample_size, self.type_funnel.learned_date), (5, Datetime.now()))

    def test_agrees_with_the_funnel_and_with_a_recount(self):
        """Histories at random: the sample and the win rate are the funnel's, and those that the visits tell."""
        dice = random.Random(17)
        for index in range(40):
            steps = [dice.choice(["S1", "S1", "S2"])]
            steps += [dice.choice(["S1", "S2", "S3", "S4", "W", "lost", "lost"]) for _step in range(dice.randrange(6))]
            steps.append(dice.choice(["W", "lost", "lost", "S2", "archived"]))
            self._live(
                f"Random {index}",
                ", ".join(f"{what} 0{1 + i // 2}-{1 + 14 * (i % 2):02d}" for i, what in enumerate(steps)),
            )
        self.leads = leads = (
            self.env["crm.lead"]
            .with_context(active_test=False)
            .search([("opportunity_type_id", "=", self.type_funnel.id)])
        )
        self._learn()
        learned, funnel = self._get_learned(), self._read()
        order = list(self.stages)
        closed = {
            lead: max(order.index(visit.stage_id) for visit in lead.stage_visit_ids)
            for lead in leads
            if lead.won_status == "lost" or (lead.won_status == "won" and lead.active)
        }
        won = sum(lead.won_status == "won" for lead in closed)
        self.assertGreater(won, 3)
        rates = set()
        for rank, stage in enumerate(order[:-1]):
            lost = sum(lead.won_status == "lost" and furthest >= rank for lead, furthest in closed.items())
            row = learned[stage]
            with self.subTest(stage=stage.name):
                self.assertEqual((row.won_count, row.sample_size), (won, won + lost))
                self.assertAlmostEqual(row.won_count / row.sample_size, funnel[stage]["win_rate"])
                self.assertEqual(row.won_count, funnel[stage]["won"])
                p0 = won / len(closed)
                self.assertAlmostEqual(row.probability, 100 * (won + 4 * p0) / (won + lost + 4), 2)
            rates.add(row.probability)
        self.assertEqual(len(rates), 4, "the histories tell the stages apart")

    def test_learning_again_forgets_what_was(self):
        lead = self._close(won=1, lost=1)[0]
        self._learn()
        before = self._get_learned()
        self.assertEqual(before[self.s1].sample_size, 2)
        lead.action_restore()
        self.s3.unlink()
        self.assertNotIn(self.s3, self._get_learned(), "a deleted stage takes it along")
        added = self.s1.copy(
            {"name": "New", "sequence": 2, "opportunity_type_ids": [Command.set(self.type_funnel.ids)]}
        )
        self._learn()
        self.assertEqual(
            {stage.name: row.sample_size for stage, row in self._get_learned().items()},
            {"S1": 1, "S2": 1, "New": 1, "S4": 1},
        )
        self.assertTrue(self._get_learned()[added].probability)

    def test_nothing_to_learn_from(self):
        self._start()
        self._learn()
        self.assertFalse(self._get_learned())
        self.assertEqual((self.type_funnel.learned_sample_size, self.type_funnel.learned_date), (0, False))
        self.assertEqual(self._start(self.s3).probability, 30)

    def test_never_sure_of_what_is_open(self):
        """At 0 % an opportunity that is put away would count as lost, and 100 % is for won."""
        self._close(lost=30)
        self._learn()
        lead = self._start()
        self.assertEqual(lead.probability, 0.01)
        lead.action_archive()
        self.assertEqual(lead.won_status, "pending")

    def test_always_won(self):
        self._close(won=30)
        self._learn()
        self.assertEqual(self._start(self.s2).probability, 99.99)

    def test_a_stage_that_nobody_closed_came_to(self):
        """With nothing won, what lies behind the last loss is as likely as all of the type: the interval says how much
        that is worth."""
        self._close(lost=2)
        self._learn()
        row = self._get_learned()[self.s4]
        self.assertEqual((row.sample_size, row.interval), (0, "0 – 100 %"))

    def test_shared_stage_is_learned_for_each_type(self):
        self.s2.opportunity_type_ids |= self.type_quick
        self.type_quick.probability_mode = "learned"
        self._close(won=3, lost=1, stage=self.s2)
        self._close(won=1, lost=3, stage=self.s2, opportunity_type_id=self.type_quick.id)
        self._set_smallest_sample(4)
        self.env["crm.opportunity.type"]._cron_learn_probabilities()
        self.type_funnel.probability_mode = "learned"
        self.assertEqual(self._start(self.s2).probability, 75)
        quick = self._start(self.s2, opportunity_type_id=self.type_quick.id)
        self.assertEqual(quick.probability, 25)
        self.assertEqual(set(self.s2.learned_probability_ids.opportunity_type_id), {self.type_funnel, self.type_quick})

    def test_stage_open_to_every_type(self):
        self.s2.opportunity_type_ids = False
        self._close(won=3, lost=1, stage=self.s2)
        self._learn()
        self.assertEqual(self._get_learned()[self.s2].sample_size, 4)
        self.assertEqual(self._start(self.s2).probability, 75)

    def test_of_all_companies_that_use_the_type(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self._close(won=1, lost=1)
        there = self._close(won=2)
        there.sudo().company_id = company
        self._learn()
        self.assertEqual(self._get_learned()[self.s1].sample_size, 4)

    def test_type_of_another_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        there = self.env["crm.opportunity.type"].create({"name": "There", "company_id": company.id})
        shared = self._create_stage("Shared", 1, 10, opportunity_type_ids=False)
        lead = self._start(shared, user_id=False, team_id=False).sudo()
        lead.write({"company_id": company.id, "opportunity_type_id": there.id, "stage_id": shared.id})
        lead.action_set_lost()
        self.env["crm.opportunity.type"]._cron_learn_probabilities()
        self.assertTrue(self._get_learned(there))
        for user in (self.salesman, self.manager):
            self.env.invalidate_all()
            self.assertFalse(self.Learned.with_user(user).search([("opportunity_type_id", "=", there.id)]))
            self.assertNotIn(there.id, shared.with_user(user).learned_probability_ids.opportunity_type_id.ids)
        with self.assertRaises(AccessError):
            there.with_user(self.manager).action_learn_probabilities()
        self.manager.company_ids += company
        there.with_user(self.manager).with_context(allowed_company_ids=company.ids).action_learn_probabilities()

    def test_deleted_with_its_type(self):
        opportunity_type = self.env["crm.opportunity.type"].create({"name": "Unused"})
        values = {"opportunity_type_id": opportunity_type.id, "stage_id": self.s1.id, "date_learned": Datetime.now()}
        learned = self.Learned._as_ledger().create(values)
        opportunity_type.with_user(self.manager).unlink()
        self.assertFalse(learned.exists())

    def test_nobody_writes_it(self):
        self._close(won=1)
        self._learn()
        row = self._get_learned()[self.s1]
        values = {"opportunity_type_id": self.type_quick.id, "stage_id": self.s1.id, "date_learned": Datetime.now()}
        for user in (self.manager, self.env.ref("base.user_admin"), self.env.ref("base.user_root")):
            rows = row.with_user(user)
            for records in (rows, rows.sudo(), rows.sudo().with_context(sales_server_tokens=True)):
                with self.assertRaises(AccessError):
                    records.write({"probability": 99})
                with self.assertRaises(AccessError):
                    records.create(values)
                with self.assertRaises(AccessError):
                    records.unlink()
            with self.assertRaises(AccessError):
                self.type_funnel.with_user(user).write({"learned_probability_ids": [Command.create(values)]})


@freeze_time("2026-04-01 12:00:00")
class TestLearnedEntry(LearningCase):
    """Entering a stage gives what was learned of it, forward and back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._live_example()

    def test_forward_and_back_over_a_value_typed_in(self):
        self._learn()
        lead = self._start()
        self.assertEqual(lead.probability, 60)
        lead.stage_id = self.s4
        self.assertEqual(lead.probability, 77.14)
        lead.probability = 42
        lead.write({"name": "Renamed", "country_id": self.env.ref("base.cn").id})
        self.env.flush_all()
        self.assertEqual(lead.probability, 42, "a value typed in holds until the next move")
        lead.stage_id = self.s3
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(lead.probability, 67.5)

    def test_won_lost_and_reopened(self):
        self._learn()
        lead = self._start(self.s3)
        lead.action_set_lost()
        self.assertEqual(lead.probability, 0)
        lead.action_restore()
        self.assertEqual(lead.probability, 67.5)
        lead.stage_id = self.won
        self.assertEqual((lead.probability, lead.won_status), (100, "won"))
        lead.stage_id = self.s4
        self.assertEqual((lead.probability, lead.won_status), (77.14, "pending"))

    def test_handed_over(self):
        self._learn()
        lead = self._start(self.s3)
        lead.with_user(self.manager).opportunity_type_id = self.type_project
        self.assertEqual((lead.stage_id, lead.probability), (self.stage_contact, 10))
        lead.with_user(self.manager).write({"opportunity_type_id": self.type_funnel.id, "stage_id": self.s3.id})
        self.assertEqual(lead.probability, 67.5)

    def test_overridden_and_in_batch(self):
        self._learn()
        leads = self._start() | self._start(self.s2)
        self._force(leads, self.s4)
        self.assertEqual(leads.mapped("probability"), [77.14, 77.14])

    def test_other_modes_do_not_listen(self):
        self._learn(mode="stage")
        self.assertEqual(self._start(self.s3).probability, 30)
        self.type_funnel.probability_mode = "native"
        lead = self._start(self.s3)
        self.assertEqual(lead.probability, lead.automated_probability)

    def test_predictive_scoring_is_kept_off(self):
        self._learn()
        lead = self._start(self.s3)
        self.env.flush_all()
        self.env.cr.execute("UPDATE crm_lead SET automated_probability = probability WHERE id = %s", [lead.id])
        self.env.invalidate_all()
        self.env["ir.config_parameter"].set_param("crm.pls_start_date", "2000-01-01")
        self.env["crm.lead"]._cron_update_automated_probabilities()
        self.env.invalidate_all()
        self.assertEqual(lead.probability, 67.5)

    def test_too_few_closed(self):
        """Below twenty closed opportunities of the type the stage's own figure counts, and is shown beside."""
        self._close(lost=14)
        self.type_funnel.with_user(self.manager).probability_mode = "learned"
        self.assertEqual((self.type_funnel.learned_sample_size, self.type_funnel.smallest_sample), (19, 20))
        self.assertEqual(self._start(self.s3).probability, 30)
        self.assertTrue(self._get_learned()[self.s3].probability)
        self._close(lost=1)
        self.assertEqual(self._start(self.s3).probability, 30, "learned at night")
        self._run_cron()
        self.assertEqual(self.type_funnel.learned_sample_size, 20)
        lead = self._start(self.s3)
        self.assertAlmostEqual(lead.probability, 100 * (3 + 4 * 3 / 20) / (3 + 1 + 4), 2)

    def test_nightly(self):
        """What is open keeps its probability until it moves; also types that are archived learn, in every mode."""
        self._learn()
        lead = self._start(self.s3)
        self._close(lost=3, stage=self.s3)
        self.type_project.active = False
        self.env["crm.opportunity.type"].search([]).learned_probability_ids._as_ledger().unlink()
        self._run_cron()
        self.assertEqual(lead.probability, 67.5)
        lead.stage_id = self.s2
        lead.stage_id = self.s3
        self.assertAlmostEqual(lead.probability, 100 * (3 + 4 * 3 / 8) / (3 + 4 + 4), 2)

    def test_a_type_learns_when_it_is_told_to(self):
        self._set_smallest_sample(5)
        self.assertFalse(self._get_learned())
        with Form(self.type_funnel.with_user(self.manager)) as form:
            form.probability_mode = "learned"
        self.assertEqual(self._start(self.s4).probability, 77.14)

    def test_stage_without_anything_learned_gives_its_own(self):
        self._learn()
        self.s1.copy({"name": "New", "sequence": 3, "opportunity_type_ids": [Command.set(self.type_funnel.ids)]})
        new = self.type_funnel.stage_ids.filtered(lambda stage: stage.name == "New")
        new.probability = 33
        self.assertEqual(self._start(new).probability, 33)

    # ------------------------------------------------------------
    # Shown
    # ------------------------------------------------------------

    def test_shown_beside_the_stages_of_the_type(self):
        self._learn(smallest_sample=20)
        self.s3.opportunity_type_ids |= self.type_quick
        self.env["crm.opportunity.type"]._cron_learn_probabilities()
        names = ["name", "probability", "learned_probability", "learned_interval", "learned_sample_size"]
        specification = {"stage_ids": {"fields": {name: {} for name in names}, "context": {"lang": "en_US"}}}
        for user in (self.salesman, self.manager):
            self.env.invalidate_all()
            (values,) = self.type_funnel.with_user(user).web_read(specification)
            rows = {row.pop("name"): [row[name] for name in names[1:]] for row in values["stage_ids"]}
            self.assertEqual(rows["S3"], [30, 67.5, "30 – 95 %", 4])
            self.assertEqual(rows["W"], [100, 0, False, 0])
            (values,) = self.type_quick.with_user(user).web_read(specification)
            shared = next(row for row in values["stage_ids"] if row["name"] == "S3")
            self.assertEqual(shared["learned_sample_size"], 0, "nothing closed in the other type")

    def test_forms(self):
        """Whoever may open the forms of types and stages can; figures from sales are for salespeople."""
        self._learn()
        for record in (self.type_funnel, self.s3):
            Form(record.with_user(self.manager))
            for user in (self.salesman, self.employee):
                views = record.with_user(user).get_views([(False, "form")])
                self.assertEqual("learned" in views["views"]["form"]["arch"], user == self.salesman)
                self.assertNotIn("action_learn_probabilities", views["views"]["form"]["arch"])
        with self.assertRaises(AccessError):
            self.s3.with_user(self.employee).read(["learned_probability"])
        with self.assertRaises(AccessError):
            self.type_funnel.with_user(self.employee).read(["learned_sample_size"])


class TestLearningPerformance(QueryCounting, LearningCase):
    def test_queries_do_not_grow(self):
        counts = {}
        for number in (10, 100):
            self._close(won=number // 2, lost=number // 2)
            counts[number] = self._count(self.env["crm.opportunity.type"]._cron_learn_probabilities)
        self.assertEqual(counts[10], counts[100])

    def test_a_move_costs_no_query_more(self):
        """Than where the probability is the stage's own."""
        self._close(won=10, lost=10)
        counts = {}
        for mode in ("stage", "learned"):
            self.type_funnel.probability_mode = mode
            leads = self.env["crm.lead"].union(*(self._start() for _index in range(3)))
            counts[mode] = self._count(lambda leads=leads: leads.write({"stage_id": self.s3.id}))
        self.assertEqual(counts["learned"], counts["stage"])


@tagged("post_install", "-at_install")
class TestLearningOverJsonRpc(OpportunityStagesSetup, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_pipeline()
        leads = cls._create_opportunities(3)
        leads[0].action_set_lost()
        cls._force(leads[1:], cls.stage_won)

    def _call(self, user, method, *args):
        self.authenticate(user.login, user.login)
        with mute_logger("odoo.http"):
            response = self.url_open(
                f"/web/dataset/call_kw/crm.opportunity.type/{method}",
                data=json.dumps(
                    {"params": {"model": "crm.opportunity.type", "method": method, "args": args, "kwargs": {}}}
                ),
                headers={"Content-Type": "application/json"},
            )
        return response.json()

    def test_who_lets_a_type_learn(self):
        for user in (self.employee, self.salesman, self.supervisor):
            for args in (self.type_project.ids, []):
                answer = self._call(user, "action_learn_probabilities", args)
                self.assertEqual(answer["error"]["data"]["name"], "odoo.exceptions.AccessError", user.login)
            self.assertIn("error", self._call(user, "_learn_probabilities", self.type_project.ids))
            self.assertIn("error", self._call(user, "_cron_learn_probabilities"))
        self.assertFalse(self.type_project.learned_probability_ids)
        self.assertNotIn("error", self._call(self.manager, "action_learn_probabilities", self.type_project.ids))
        self.env.invalidate_all()
        learned = self.type_project.learned_probability_ids
        self.assertEqual(
            learned.stage_id, self.stage_contact | self.stage_needs | self.stage_solution | self.stage_closing
        )
        self.assertEqual(set(learned.mapped("sample_size")), {2, 3})
