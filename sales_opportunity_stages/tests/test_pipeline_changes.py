import random
from datetime import date, timedelta

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import Form

from .funnel_common import FunnelCase
from .pipeline_recount import PipelineRecount

SIGNS = {
    **dict.fromkeys(["start", "new", "reopened", "moved", "bigger"], 1),
    **dict.fromkeys(["smaller", "won", "lost", "left"], -1),
}
DETAILS = ["pulled_in", "pushed_out", "moved_back", "advanced", "handed_over"]
NAMES = [*SIGNS, "end", *DETAILS]
GROUPINGS = [
    *([], ["visit_user_id"], ["user_id"], ["team_then_id"], ["opportunity_type_id"], ["stage_id"], ["result"]),
    *(["deadline_then:month"], ["visit_user_id", "stage_id"], ["lead_id"], ["company_id"], ["partner_id"]),
]


class PipelineChangesCase(FunnelCase):
    def _read_changes(self, first, last, groupby=(), leads=None, domain=(), user=None):
        """``{group: {name: (count, revenue)}}``"""
        report = self.env["crm.pipeline.change.report"].with_user(user or self.manager)
        report = report.with_context(tz="UTC", change_date_from=first, change_date_to=last)
        leads = self.leads if leads is None else leads
        measures = [f"{name}_{kind}:sum" for name in NAMES for kind in ("count", "revenue")]
        rows = report._read_group([("lead_id", "in", leads.ids), *domain], list(groupby), measures)
        found = {}
        for row in rows:
            values = row[len(groupby) :]
            found[row[: len(groupby)]] = {
                name: (values[2 * place] or 0, round(values[2 * place + 1] or 0, 2)) for place, name in enumerate(NAMES)
            }
        return found

    def _read_total(self, *args, **kwargs):
        """What is not 0."""
        (total,) = self._read_changes(*args, **kwargs).values()
        return {name: value for name, value in total.items() if value != (0, 0)}

    def assertAddsUp(self, figures, message=None):
        for place in (0, 1):
            total = sum(
                sign * figures[name][place]
                for name, sign in SIGNS.items()
                if place or name not in ("bigger", "smaller")
            )
            self.assertAlmostEqual(total, figures["end"][place], 2, message)


@freeze_time("2026-04-01 12:00:00")
class TestPipelineChanges(PipelineChangesCase):
    """What changed in the worked example."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.by_letter = cls._live_example()
        cls.leads = cls.env["crm.lead"].union(*cls.by_letter.values())

    def test_march(self):
        """D is lost, H is new, G was lost before and is won: reopened and won; E and F are there at both ends."""
        self.assertEqual(
            self._read_total("2026-03-01", "2026-03-31"),
            {
                "start": (3, 530),
                "new": (1, 60),
                "reopened": (1, 120),
                "won": (1, 120),
                "lost": (1, 80),
                "end": (3, 510),
                "moved_back": (1, 300),
            },
        )

    def test_new_and_won(self):
        self.assertEqual(
            self._read_total("2026-01-01", "2026-01-31", leads=self.by_letter["A"]), {"new": (1, 100), "won": (1, 100)}
        )

    def test_amounts_are_netted(self):
        e = self.by_letter["E"].with_user(self.manager)
        for day, amount in (("2026-03-05", 400), ("2026-03-06", 100), ("2026-03-07", 170.5)):
            with freeze_time(f"{day} 12:00:00"):
                e.expected_revenue = amount
        self.assertEqual(
            self._read_total("2026-03-05", "2026-03-08", leads=e),
            {"start": (1, 150), "bigger": (1, 20.5), "end": (1, 170.5)},
        )
        self.assertEqual(
            self._read_total("2026-03-06", "2026-03-06", leads=e),
            {"start": (1, 400), "smaller": (1, 300), "end": (1, 100)},
        )

    def test_there_and_back_is_no_change(self):
        e = self.by_letter["E"].with_user(self.manager)
        for day, amount, user in (("2026-03-05", 400, self.colleague), ("2026-03-06", 150, self.salesman)):
            with freeze_time(f"{day} 12:00:00"):
                e.write({"expected_revenue": amount, "user_id": user.id})
        self.assertEqual(self._read_total("2026-03-05", "2026-03-08", leads=e), {"start": (1, 150), "end": (1, 150)})

    def test_lost_and_lost_again_is_no_change(self):
        g = self.by_letter["C"].with_user(self.manager)
        with freeze_time("2026-03-05 12:00:00"):
            g.action_restore()
        with freeze_time("2026-03-06 12:00:00"):
            g.action_set_lost()
        self.assertFalse(
            self.env["crm.pipeline.change.report"]
            .with_context(change_date_from="2026-03-01", change_date_to="2026-03-31")
            .search([("lead_id", "=", g.id)])
        )

    def test_handed_over(self):
        """It leaves the one and comes to the other, whose figures add up each."""
        e = self.by_letter["E"].with_user(self.manager)
        with freeze_time("2026-03-05 12:00:00"):
            e.write({"user_id": self.colleague.id, "expected_revenue": 200})
        rows = self._read_changes("2026-03-01", "2026-03-31", ["visit_user_id"], e)
        self.assertEqual(rows[self.salesman,]["start"], (1, 150))
        self.assertEqual(rows[self.salesman,]["moved"], (-1, -150))
        self.assertEqual(rows[self.salesman,]["end"], (0, 0))
        self.assertEqual(rows[self.colleague,]["moved"], (1, 150))
        self.assertEqual(rows[self.colleague,]["bigger"], (1, 50))
        self.assertEqual(rows[self.colleague,]["end"], (1, 200))
        self.assertEqual(rows[self.colleague,]["handed_over"], (1, 200))
        total = self._read_total("2026-03-01", "2026-03-31", leads=e)
        self.assertEqual(total, {"start": (1, 150), "bigger": (1, 50), "end": (1, 200), "handed_over": (1, 200)})

    def test_pulled_in_and_pushed_out(self):
        e, f = (self.by_letter[letter].with_user(self.manager) for letter in "EF")
        with freeze_time("2026-02-20 12:00:00"):
            (e | f).write({"date_deadline": "2026-06-15"})
        with freeze_time("2026-03-05 12:00:00"):
            e.date_deadline = "2026-05-15"
            f.date_deadline = "2026-07-15"
        total = self._read_total("2026-03-01", "2026-03-31", leads=e | f)
        self.assertEqual((total["pulled_in"], total["pushed_out"]), ((1, 150), (1, 300)))
        june = self._read_total(
            "2026-03-01",
            "2026-03-31",
            leads=e | f,
            domain=[("deadline_then", ">=", "2026-06-01"), ("deadline_then", "<", "2026-07-01")],
        )
        self.assertEqual(june, {"start": (2, 450), "moved": (-2, -450)})

    def test_left(self):
        h = self.by_letter["H"].sudo()
        h.write({"type": "lead"})
        self.assertEqual(self._read_total("2026-04-01", "2026-04-01", leads=h), {"start": (1, 60), "left": (1, 60)})

    def test_each_figure_opens_its_opportunities(self):
        report = self.env["crm.pipeline.change.report"].with_context(
            tz="UTC", change_date_from="2026-03-01", change_date_to="2026-03-31"
        )
        for name, letters in (("start", "DEF"), ("new", "H"), ("won", "G"), ("lost", "D"), ("end", "EFH")):
            rows = report.search([("lead_id", "in", self.leads.ids), (f"{name}_count", "!=", 0)])
            self.assertEqual("".join(sorted(rows.lead_id.mapped("name"))), letters, name)
            self.assertEqual(rows[0].action_open_lead()["res_model"], "crm.lead")

    def test_rows_read_alone(self):
        report = self.env["crm.pipeline.change.report"].with_context(
            tz="UTC", change_date_from="2026-03-01", change_date_to="2026-03-31"
        )
        rows = report.search([("lead_id", "=", self.by_letter["F"].id)])
        self.assertEqual(sorted(rows.mapped("result")), ["moved", "there"])
        self.assertEqual(sum(rows.mapped("moved_count")), 0)
        self.assertEqual(rows.filtered(lambda row: row.result == "there").stage_id, self.s2)

    def test_who_sees_what(self):
        self.by_letter["E"].with_user(self.manager).user_id = self.colleague
        seen = self._read_total("2026-03-01", "2026-04-01", user=self.salesman)
        self.assertEqual(seen["start"], (2, 380))

    def test_the_last_seven_days_unless_told_otherwise(self):
        moments = self.env["crm.pipeline.change.report"].with_context(tz="UTC")._get_moments()
        self.assertEqual([str(moment.date()) for moment in moments.values()], ["2026-03-26", "2026-04-02"])
        with self.assertRefused("is not a day", UserError):
            self.env["crm.pipeline.change.report"].with_context(change_date_from="x").search([])

    def test_choose_the_days(self):
        with Form(self.env["crm.pipeline.history"].with_user(self.salesman)) as form:
            form.kind = "changes"
            form.date_from = date(2026, 3, 1)
            form.date_to = date(2026, 3, 31)
        action = form.record.action_show()
        self.assertEqual(action["res_model"], "crm.pipeline.change.report")
        self.assertEqual(action["name"], "Changes from 03/01/2026 to 03/31/2026")
        self.assertEqual(action["context"]["change_date_from"], "2026-03-01")


class TestPipelineProperties(PipelineChangesCase):
    """Random histories: figures of past days are those that were seen on these days, and they add up."""

    DAYS = 11
    COUNT = 14

    def _live_at_random(self, seed):
        chance = random.Random(seed)
        first = date(2026, 1, 5)
        team = self.env["crm.team"].create({"name": "Key Accounts"})
        currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", "CNY")])
        currency.active = True
        abroad = self.env["res.company"].create({"name": f"Abroad {seed}", "currency_id": currency.id})
        self.manager.company_ids |= abroad
        recount = PipelineRecount()
        leads = self.env["crm.lead"]
        for number in range(self.DAYS):
            day = first + timedelta(days=number)
            for hour in (9, 15):
                with freeze_time(f"{day} {hour:02}:00:00"):
                    if len(leads) < self.COUNT:
                        for _each in range(2):
                            leads |= self._make_at_random(chance, abroad)
                    for lead in leads.exists():
                        if chance.random() < 0.5 and lead.exists():
                            self._change_at_random(chance, lead, leads.exists(), team)
                    self.env.flush_all()
                    leads = leads.exists()
            recount.look(day, leads)
        return leads, recount, sorted(recount.days)

    def _make_at_random(self, chance, abroad):
        values = {"expected_revenue": chance.randrange(100000) / 100, "date_deadline": "2026-03-01"}
        if chance.random() < 0.25:
            values |= {"company_id": abroad.id, "user_id": False, "team_id": False}
        return self._create_opportunity(
            f"R{chance.random()}", self.manager, opportunity_type_id=self.type_funnel.id, stage_id=self.s1.id, **values
        )

    def _change_at_random(self, chance, lead, leads, team):
        lead = lead.with_user(self.manager).with_context(allowed_company_ids=self.manager.company_ids.ids)
        is_abroad = lead.company_id and lead.company_id != self.env.company
        kind = chance.choice(
            ["revenue", "closing", "user", "stage", "stage", "both", "type", "lose", "archive", "merge", "team"]
        )
        if lead.won_status == "lost":
            return lead.action_restore() if chance.random() < 0.5 else None
        if kind == "revenue":
            lead.expected_revenue = chance.randrange(100000) / 100
        elif kind == "closing":
            lead.date_deadline = date(2026, chance.randrange(2, 8), 1)
        elif kind == "user" and not is_abroad:
            lead.user_id = chance.choice([self.salesman, self.colleague])
        elif kind == "team" and not is_abroad:
            lead.team_id = chance.choice([self.team, team])
        elif kind in ("stage", "both") and lead.opportunity_type_id == self.type_funnel:
            values = {"expected_revenue": chance.randrange(100000) / 100} if kind == "both" else {}
            stage = chance.choice(self.stages)
            lead.write({"stage_id": stage.id, **values})
        elif kind == "type" and lead.won_status == "pending":
            lead.opportunity_type_id = chance.choice([self.type_funnel, self.type_quick])
        elif kind == "lose" and lead.won_status == "pending":
            lead.action_set_lost()
        elif kind == "archive" and chance.random() < 0.1:
            lead.active = False
        elif kind == "merge" and chance.random() < 0.2:
            other = chance.choice(
                leads.filtered(lambda one: one != lead and one.company_id == lead.company_id) or [None]
            )
            if other:
                (lead | other).merge_opportunity(auto_unlink=True)

    def test_random_histories(self):
        for seed in (1, 2):
            leads, recount, days = self._live_at_random(seed)
            self.leads = leads
            reported = {lead.id for lead in leads if lead.active or lead.won_status == "lost"}
            self.assertGreater(len(reported), 5)
            with freeze_time(f"{days[-1]} 23:00:00"):
                self._check_snapshots(recount, days, reported, seed)
                self._check_changes(recount, days, reported, seed)
                self._check_flows(days, seed)

    def _check_snapshots(self, recount, days, reported, seed):
        for day in days:
            report = self.env["crm.snapshot.report"].with_context(tz="UTC", snapshot_date=str(day))
            rows = report.search([("lead_id", "in", self.leads.ids)])
            found = {
                row.lead_id.id: (
                    *(row.visit_user_id.id, row.team_then_id.id, row.opportunity_type_id.id, row.stage_id.id),
                    *(row.deadline_then or None, round(row.probability_then, 2), round(row.expected_revenue, 2)),
                )
                for row in rows
            }
            expected = {
                id_: (*sight.groups, sight.probability, sight.revenue)
                for id_, sight in recount.get_snapshot(day, reported).items()
            }
            for id_ in found.keys() | expected.keys():
                self.assertEqual(found.get(id_), expected.get(id_), (seed, day, id_))

    def _check_changes(self, recount, days, reported, seed):
        for before, after in ((0, 1), (0, 4), (2, 7), (5, len(days) - 1), (0, len(days) - 1)):
            first, last = str(days[before] + timedelta(days=1)), str(days[after])
            total = self._read_total(first, last)
            expected = recount.get_changes(days[before], days[after], reported)
            for name in ("start", "end", "pulled_in", "pushed_out", "handed_over"):
                self.assertEqual(total.get(name, (0, 0)), tuple(expected.get(name, (0, 0))), (seed, first, last, name))
            self._check_of_those_there(recount, days[before], days[after], reported, (first, last))
            for groupby in GROUPINGS:
                for group, figures in self._read_changes(first, last, groupby).items():
                    self.assertAddsUp(figures, (seed, first, last, groupby, group))

    def _check_of_those_there(self, recount, before, after, reported, period):
        """Won, lost, left, bigger and smaller, of what was there at the start: what came and went was not seen."""
        there = {id_ for id_ in reported if id_ in recount.get_snapshot(before, reported)}
        total = self._read_total(*period, leads=self.leads.browse(there)) if there else {}
        expected = recount.get_changes(before, after, there)
        for name in ("won", "lost", "left", "bigger", "smaller"):
            self.assertEqual(total.get(name, (0, 0)), tuple(expected.get(name, (0, 0))), (period, name))

    def _check_flows(self, days, seed):
        names = ["start_revenue", "in_revenue", "changed_revenue", "out_revenue", "end_revenue", "end_count"]
        for first, last in ((days[1], days[4]), (days[3], days[-1])):
            report = self.env["crm.flow.report"].with_context(
                tz="UTC", flow_date_from=str(first), flow_date_to=str(last)
            )
            rows = report._read_group(
                [("lead_id", "in", self.leads.ids)], ["visit_user_id", "stage_id"], [f"{name}:sum" for name in names]
            )
            for _user, _stage, start, came, changed, went, end, _count in rows:
                self.assertAlmostEqual(start + came + changed - went, end, 2, (seed, first, last))
            snapshot = self.env["crm.snapshot.report"].with_context(tz="UTC", snapshot_date=str(last))
            there = snapshot._read_group(
                [("lead_id", "in", self.leads.ids)],
                ["visit_user_id", "stage_id"],
                ["expected_revenue:sum", "opportunity_count:sum"],
            )
            self.assertEqual(
                {(user, stage): (round(row[-2], 2), row[-1]) for user, stage, *row in rows if row[-1]},
                {(user, stage): (round(revenue, 2), count) for user, stage, revenue, count in there},
                (seed, first, last),
            )
