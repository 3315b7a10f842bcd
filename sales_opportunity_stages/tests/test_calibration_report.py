import random
from datetime import datetime
from itertools import product

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command

from .funnel_common import FunnelCase

MEASURES = [
    *("forecast_count:sum", "opportunity_count:sum", "forecast:avg", "outcome:avg", "bias:avg", "brier_score:avg")
]


class CalibrationCase(FunnelCase):
    def _read_calibration(self, leads, groupby=("stage_id",), domain=(), user=None):
        """``{group: measures}``; by one field its value."""
        rows = (
            self.env["crm.calibration.report"]
            .with_user(user or self.manager)
            ._read_group([("lead_id", "in", leads.ids), *domain], list(groupby), MEASURES, order=", ".join(groupby))
        )
        size = len(groupby)
        return {row[0] if size == 1 else row[:size]: row[size:] for row in rows}

    def _get_forecasts(self, lead):
        """The stages that it entered, and what was forecast then; None for nothing."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT stage_id, probability FROM crm_stage_visit WHERE lead_id = %s ORDER BY id", (lead.id,)
        )
        return [
            (self.env["crm.stage"].browse(stage_id).name, forecast) for stage_id, forecast in self.env.cr.fetchall()
        ]

    def assertMeasures(self, found, expected):
        for name, value, figure in zip(MEASURES, found, expected, strict=True):
            self.assertAlmostEqual(value, figure, 6, msg=name)


@freeze_time("2026-04-01 12:00:00")
class TestForecast(CalibrationCase):
    """What a stay says was forecast when it began."""

    def test_from_the_stage(self):
        lead = self._live("Moved", "S1 01-01, S3 01-05, S2 01-10, W 01-15, S4 01-20, lost 01-25, S4 01-30")
        self.assertEqual(
            self._get_forecasts(lead), [("S1", 10), ("S3", 30), ("S2", 20), ("W", None), ("S4", 40), ("S4", 40)]
        )

    def test_learned(self):
        leads = self.env["crm.lead"].union(*(self._live(f"Deal {n}", "S1 01-01, S3 01-05") for n in range(20)))
        leads[:5].action_set_won()
        leads[5:].action_set_lost()
        self.type_funnel.probability_mode = "learned"
        lead = self._live("Moved", "S1 03-01, S3 03-05")
        self.assertEqual(self._get_forecasts(lead), [("S1", 25), ("S3", 25)])
        self.type_funnel.with_user(self.manager).action_learn_probabilities()
        self.assertEqual(
            self._get_forecasts(leads[0]), [("S1", 10), ("S3", 30), ("W", None)], "what was said then stays"
        )

    def test_typed_in(self):
        """Not on entering the stage: what counts is what was said then."""
        lead = self._live("Moved", "S1 01-01")
        lead.probability = 80
        lead.stage_id = self.s2
        self.assertEqual(self._get_forecasts(lead), [("S1", 10), ("S2", 20)])

    def test_stage_that_forecasts_nothing(self):
        """0 % is a forecast, where the stage makes it."""
        self.s2.probability = 0
        lead = self._live("Hopeless", "S1 01-01, S2 01-05")
        self.assertEqual(self._get_forecasts(lead), [("S1", 10), ("S2", 0)])

    def test_created_closed(self):
        values = {"type": "opportunity", "opportunity_type_id": self.type_funnel.id}
        won = self.env["crm.lead"].create({"name": "Won", "stage_id": self.won.id, "probability": 100, **values})
        lost = self.env["crm.lead"].create({"name": "Lost", "active": False, "probability": 0, **values})
        self.assertEqual(self._get_forecasts(won), [("W", None)])
        self.assertEqual(self._get_forecasts(lost), [("S1", None)])

    def _score(self, **won):
        """Let Odoo's scoring know how many of a hundred were won from each stage; it goes by the first one of all."""
        Frequency = self.env["crm.lead.scoring.frequency"]
        Frequency.search([("variable", "=", "stage_id")]).unlink()
        first = self.env["crm.stage"].search([("team_ids", "=", False)], order="sequence, id", limit=1)
        counts = {self.by_name[name]: number for name, number in won.items()} | ({first: 50} if won else {})
        Frequency.create(
            [
                {"variable": "stage_id", "value": stage.id, "won_count": number, "lost_count": 100 - number}
                for stage, number in counts.items()
            ]
        )

    def test_scoring(self):
        self.type_funnel.probability_mode = "native"
        self._score()
        lead = self._live("Unknown", "S1 01-01")
        self.assertEqual((self._get_forecasts(lead), lead.probability), ([("S1", None)], 0), "nothing to go by")
        self._score(S2=30, S3=60)
        lead = self._live("Scored", "S2 01-01")
        at_first = lead.probability
        lead.stage_id = self.s3
        self.assertEqual(self._get_forecasts(lead), [("S2", at_first), ("S3", lead.probability)])
        self.assertTrue(0 < at_first < lead.probability < 100)
        lead.probability = 12
        lead.stage_id = self.s2
        self.assertEqual(self._get_forecasts(lead)[-1], ("S2", 12), "what the salesperson says, while it holds")

    def test_scored_after_it_was_reopened(self):
        self.type_funnel.probability_mode = "native"
        self._score(S2=30, S3=60)
        restored, unarchived = (self._live("Reopened", "S2 01-01, S3 01-05, lost 01-10") for _index in range(2))
        for lead, reopen in ((restored, restored.action_restore), (unarchived, unarchived.action_unarchive)):
            scored = self._get_forecasts(lead)[-1][1]
            self.assertTrue(scored)
            reopen()
            self.assertEqual(lead.probability, scored)
            self.assertEqual(self._get_forecasts(lead)[1:], [("S3", scored), ("S3", scored)])

    def test_what_was_reconstructed_stays_blank(self):
        self.type_funnel.probability_mode = "native"
        self._score(S2=30)
        lead = self._live("Old", "S2 01-01")
        self.env.flush_all()
        self.env.cr.execute("UPDATE crm_stage_visit SET probability = NULL WHERE lead_id = %s", (lead.id,))
        self.env.invalidate_all()
        lead.action_archive()
        lead.action_unarchive()
        self.assertTrue(lead.probability)
        self.assertEqual(self._get_forecasts(lead), [("S2", None)])


@freeze_time("2026-04-01 12:00:00")
class TestCalibrationReport(CalibrationCase):
    def test_worked_example(self):
        """The stages forecast 10, 20, 30 and 40 %; A, B and G were won, C and D lost, the others are open."""
        leads = self.env["crm.lead"].union(*self._live_example().values())
        rows = self._read_calibration(leads)
        expected = {
            self.s1: (5, 5, 0.1, 3 / 5, -0.5, (3 * 0.81 + 2 * 0.01) / 5),
            self.s2: (4, 4, 0.2, 2 / 4, -0.3, (2 * 0.64 + 2 * 0.04) / 4),
            self.s3: (4, 4, 0.3, 3 / 4, -0.45, (3 * 0.49 + 1 * 0.09) / 4),
            self.s4: (2, 2, 0.4, 2 / 2, -0.6, 2 * 0.36 / 2),
        }
        self.assertEqual(rows.keys(), expected.keys())
        for stage, figures in expected.items():
            with self.subTest(stage=stage.name):
                self.assertMeasures(rows[stage], figures)
        whole = [sum(row[0] * row[i] for row in expected.values()) / 15 for i in (2, 3, 4, 5)]
        self.assertMeasures(self._read_calibration(leads, ())[()], [15, 5, *whole])

    def test_ranges(self):
        for probability, expected in ((0, "0"), (9.99, "0"), (10, "1"), (30, "3"), (70, "7"), (99.99, "9"), (100, "9")):
            self.s2.probability = probability
            lead = self._live(f"At {probability}", "S2 01-01, lost 01-05")
            self.assertEqual(list(self._read_calibration(lead, ["bucket"])), [expected], probability)
        labels = dict(self.env["crm.calibration.report"]._fields["bucket"].selection)
        self.assertEqual((labels["0"], labels["3"], labels["9"]), ("0–10 %", "30–40 %", "90–100 %"))

    def test_first_time_in_the_stage_counts(self):
        lead = self._live("Back", "S1 01-01, S2 01-05")
        self.s1.probability = 90
        lead.stage_id = self.s1
        lead.stage_id = self.won
        self.assertEqual(self._read_calibration(lead)[self.s1][:3], (1, 1, 0.1))

    def test_left_out(self):
        """What is open, what was put away, and stays of which nobody knows what was forecast."""
        for story in ("S1 01-01, S2 01-05", "S1 01-01, archived 01-05", "W 01-01", "S1 01-01, W 01-05, archived 01-10"):
            self.assertFalse(self._read_calibration(self._live("Out", story)), story)
        lead = self._live("Lost", "S1 01-01, S2 01-05, lost 01-10")
        self.assertEqual(len(self._read_calibration(lead)), 2)
        self.env.cr.execute(
            "UPDATE crm_stage_visit SET probability = NULL WHERE lead_id = %s AND stage_id = %s", (lead.id, self.s1.id)
        )
        self.assertEqual(list(self._read_calibration(lead)), [self.s2])
        leads = self.env["crm.lead"].with_context(active_test=False)
        leads.search([("stage_id", "=", self.s2.id)]).stage_id = self.s1
        self.s2.unlink()
        self.assertFalse(self._read_calibration(lead), "the stage is gone")

    def test_reopened_is_judged_by_how_it_ends(self):
        lead = self._live("Twice", "S1 01-01, lost 01-05, S1 01-10, S2 01-15")
        self.assertFalse(self._read_calibration(lead))
        lead.action_set_won()
        self.assertEqual(self._read_calibration(lead)[self.s1][3], 1)

    def test_handed_over(self):
        """Judged in the type that it has now."""
        lead = self._live("Handed over", "S1 01-01, S2 01-05")
        lead.with_user(self.manager).opportunity_type_id = self.type_project
        lead.action_set_lost()
        rows = self._read_calibration(lead, ["opportunity_type_id", "stage_id"])
        self.assertEqual(list(rows), [(self.type_project, self.stage_contact)])

    # ------------------------------------------------------------
    # In any grouping
    # ------------------------------------------------------------

    def _live_at_random(self, dice, index):
        """An opportunity, and what was forecast on first entering each of its stages, as seen while it lived."""
        start = dice.choice(["S1", "S1", "S2", "S3"])
        lead = self._live(f"Random {index}", f"{start} 01-01", user_id=dice.choice([self.salesman, self.colleague]).id)
        # a stage of 0 or 100 % gives 0.01 or 99.99: an archived opportunity of 0 % would be lost
        forecasts = {lead.stage_id: round(lead.probability)}
        steps = [dice.choice(["S1", "S2", "S3", "S4", "W", "lost"]) for _step in range(dice.randrange(6))]
        for month, step in enumerate([*steps, dice.choice(["W", "lost", "lost", "S1"])], 2):
            self.stages[:4].write({"probability": dice.randrange(101)})
            with freeze_time(datetime(2026, month, 3, 12)):
                self._step(lead, step)
            if lead.won_status == "pending":
                forecasts.setdefault(lead.stage_id, round(lead.probability))
                if dice.random() < 0.2:
                    lead.probability = dice.randrange(1, 100)  # no forecast on entering
        return lead, forecasts

    def _recount(self, facts):
        """The measures, by their definitions."""
        pairs = [(forecast / 100, lead.won_status == "won") for lead, _stage, forecast in facts]
        number = len(pairs)
        mean_forecast, mean_outcome = (sum(pair[i] for pair in pairs) / number for i in (0, 1))
        return (
            number,
            len({lead for lead, _stage, _forecast in facts}),
            mean_forecast,
            mean_outcome,
            mean_forecast - mean_outcome,
            sum((forecast - outcome) ** 2 for forecast, outcome in pairs) / number,
        )

    def test_any_grouping_of_random_histories(self):
        dice = random.Random(23)
        lived = [self._live_at_random(dice, index) for index in range(40)]
        facts = [
            (lead, stage, forecast)
            for lead, forecasts in lived
            if lead.won_status != "pending"
            for stage, forecast in forecasts.items()
        ]
        self.assertGreater(len(facts), 40)
        self.assertGreater(len({lead.won_status for lead, _stage, _forecast in facts}), 1)
        keys = {
            "stage_id": lambda fact: fact[1],
            "user_id": lambda fact: fact[0].user_id,
            "bucket": lambda fact: str(min(int(fact[2] // 10), 9)),
            "won_status": lambda fact: fact[0].won_status,
        }
        leads = self.env["crm.lead"].union(*(lead for lead, _forecasts in lived))
        for groupby in ((), *product(keys), ("bucket", "user_id"), ("stage_id", "bucket"), ("user_id", "stage_id")):
            groups = {}
            for fact in facts:
                group = tuple(keys[name](fact) for name in groupby)
                groups.setdefault(group[0] if len(group) == 1 else group, []).append(fact)
            rows = self._read_calibration(leads, groupby)
            self.assertEqual(rows.keys(), groups.keys(), groupby)
            for group, values in rows.items():
                with self.subTest(groupby=groupby, group=group):
                    self.assertMeasures(values, self._recount(groups[group]))

    def test_totals_of_the_pivot(self):
        """Asked for together with the cells, as the pivot does."""
        leads = self.env["crm.lead"].union(*self._live_example().values())
        domain, sets = [("lead_id", "in", leads.ids)], [[], ["stage_id"], ["stage_id", "user_id"]]
        report = self.env["crm.calibration.report"].with_user(self.manager)
        together = report._read_grouping_sets(domain, sets, MEASURES)
        for groupby, rows in zip(sets, together, strict=True):
            alone = {row[: len(groupby)]: row[len(groupby) :] for row in report._read_group(domain, groupby, MEASURES)}
            self.assertEqual(len(rows), len(alone))
            for row in rows:
                self.assertMeasures(row[len(groupby) :], alone[row[: len(groupby)]])

    # ------------------------------------------------------------
    # Who sees what
    # ------------------------------------------------------------

    def test_one_sees_what_one_sees_of_opportunities(self):
        mine, others, shared = (self._live(name, "S1 01-01, lost 01-05") for name in ("Mine", "Others", "Shared"))
        (others | shared).with_user(self.manager).user_id = self.colleague
        shared.with_user(self.manager).collaborator_ids = [Command.link(self.salesman.id)]
        report = self.env["crm.calibration.report"]
        domain = [("lead_id", "in", (mine | others | shared).ids)]
        for user, expected in ((self.salesman, mine | shared), (self.supervisor, mine | others | shared)):
            self.assertEqual(report.with_user(user).search(domain).lead_id.sorted("id"), expected)
        with self.assertRaises(AccessError):
            report.with_user(self.employee).search(domain)
