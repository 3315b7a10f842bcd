from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form

from ..models.opportunity.crm_lead_change import START
from .funnel_common import FunnelCase

FLOW = [
    *("start_count", "created_count", "reopened_count", "moved_in_count", "handed_in_count", "in_count"),
    *("advanced_count", "regressed_count", "won_count", "lost_count", "handed_out_count", "out_count", "end_count"),
]
REVENUES = ["start_revenue", "in_revenue", "out_revenue", "end_revenue"]
GROUPINGS = [
    *([], ["stage_id"], ["opportunity_type_id"], ["opportunity_type_id", "stage_id"], ["visit_user_id"], ["user_id"]),
    *(["lead_id"], ["won_status"], ["entry", "exit"], ["date_start:month"]),
]


class PipelineHistoryCase(FunnelCase):
    def _read_snapshot(self, day=None, groupby=("stage_id",), leads=None, user=None, **context):
        """``{group: (opportunities, revenue)}`` as of the day."""
        report = self.env["crm.snapshot.report"].with_user(user or self.manager)
        report = report.with_context(tz="UTC", **({"snapshot_date": day} if day else {}), **context)
        rows = report._read_group(
            [("lead_id", "in", (self.leads if leads is None else leads).ids)],
            list(groupby),
            ["opportunity_count:sum", "expected_revenue:sum"],
        )
        return {row[:-2] if len(groupby) > 1 else row[0]: row[-2:] for row in rows}

    def _read_flow(self, first, last, groupby=(), leads=None, names=FLOW, **context):
        """``{group: {measure: sum}}`` between the days."""
        report = self.env["crm.flow.report"].with_user(self.manager)
        report = report.with_context(**{"tz": "UTC", "flow_date_from": first, "flow_date_to": last, **context})
        domain = [("lead_id", "in", (self.leads if leads is None else leads).ids)]
        rows = report._read_group(domain, list(groupby), [f"{name}:sum" for name in names])
        return {row[: len(groupby)]: dict(zip(names, row[len(groupby) :], strict=True)) for row in rows}

    def assertFlow(self, flow, **expected):
        """What is named, and nothing else of what came in or went out."""
        self.assertEqual({name: value for name, value in flow.items() if value}, expected)

    def assertIdentity(self, flow):
        self.assertEqual(flow["start_count"] + flow["in_count"] - flow["out_count"], flow["end_count"])
        self.assertEqual(sum(flow[name] for name in FLOW[1:5]), flow["in_count"])
        self.assertEqual(sum(flow[name] for name in FLOW[6:11]), flow["out_count"])


@freeze_time("2026-04-01 12:00:00")
class TestPipelineHistory(PipelineHistoryCase):
    """The worked example, as it stood on days of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.by_letter = cls._live_example()
        cls.leads = cls.env["crm.lead"].union(*cls.by_letter.values())

    # ------------------------------------------------------------
    # Snapshot
    # ------------------------------------------------------------

    def test_today(self):
        """The column of the worked example; F stands in S2, from where it went back."""
        self.assertEqual(self._read_snapshot(), {self.s1: (1, 60), self.s2: (1, 300), self.s3: (1, 150)})

    def test_days_of_the_past(self):
        expected = {
            "2025-12-31": {},
            "2026-01-01": {self.s1: (1, 100)},
            "2026-01-31": {self.s2: (2, 130), self.s3: (1, 200)},
            "2026-02-09": {self.s1: (1, 120), self.s2: (1, 150), self.s3: (1, 80)},
            "2026-02-20": {self.s2: (3, 530)},
            "2026-03-02": {self.s2: (1, 120), self.s3: (3, 530)},
            "2026-03-31": {self.s1: (1, 60), self.s2: (1, 300), self.s3: (1, 150)},
        }
        for day, figures in expected.items():
            with self.subTest(day=day):
                self.assertEqual(self._read_snapshot(day), figures)

    def test_the_day_counts_as_a_whole(self):
        """What happened at noon has happened as of that day: A is won on 31 January, H is new on 20 March."""
        names = {
            day: self.env["crm.snapshot.report"]
            .with_context(snapshot_date=day)
            .search([("lead_id", "in", self.leads.ids)])
            .lead_id.mapped("name")
            for day in ("2026-01-30", "2026-01-31", "2026-03-19", "2026-03-20")
        }
        self.assertEqual([("A" in names["2026-01-30"]), ("A" in names["2026-01-31"])], [True, False])
        self.assertEqual([("H" in names["2026-03-19"]), ("H" in names["2026-03-20"])], [False, True])

    def test_the_day_is_that_of_the_user(self):
        """20 March, noon in UTC, is the 21st in Kiritimati (UTC+14)."""
        for tz, day, expected in (
            ("Pacific/Kiritimati", "2026-03-20", False),
            ("Pacific/Kiritimati", "2026-03-21", True),
            ("Pacific/Pago_Pago", "2026-03-20", True),
        ):
            report = self.env["crm.snapshot.report"].with_context(tz=tz, snapshot_date=day)
            self.assertEqual(bool(report.search([("lead_id", "=", self.by_letter["H"].id)])), expected, (tz, day))

    def test_midnight_belongs_to_the_next_day(self):
        """Half-open on both sides: at no moment does it stand in two stages, or in none."""
        with freeze_time("2026-02-01 00:00:00"):
            lead = self._create_opportunity(
                "Midnight", self.manager, opportunity_type_id=self.type_funnel.id, stage_id=self.s1.id
            )
        with freeze_time("2026-02-02 00:00:00"):
            lead.stage_id = self.s2
        days = ("2026-01-31", "2026-02-01", "2026-02-02", "2026-02-03")
        stages = [list(self._read_snapshot(day, leads=lead)) for day in days]
        self.assertEqual(stages, [[], [self.s1], [self.s2], [self.s2]])

    def test_salesperson_and_revenue_are_those_of_then(self):
        e = self.by_letter["E"]
        with freeze_time("2026-03-01 12:00:00"):
            e.with_user(self.manager).write({"user_id": self.colleague.id, "expected_revenue": 500})
        with freeze_time("2026-03-05 12:00:00"):
            self._step(e, "S4")
        groups = ["stage_id", "visit_user_id", "user_id"]
        self.assertEqual(
            self._read_snapshot("2026-02-28", groups, e), {(self.s3, self.salesman, self.colleague): (1, 150)}
        )
        self.assertEqual(
            self._read_snapshot("2026-03-01", groups, e), {(self.s3, self.colleague, self.colleague): (1, 500)}
        )
        self.assertEqual(
            self._read_snapshot("2026-03-05", groups, e), {(self.s4, self.colleague, self.colleague): (1, 500)}
        )
        row = self.env["crm.snapshot.report"].with_context(snapshot_date="2026-02-28").search([("lead_id", "=", e.id)])
        self.assertEqual((row.expected_revenue, row.current_revenue), (150, 500))

    def test_closing_probability_and_team_are_those_of_then(self):
        e = self.by_letter["E"].with_user(self.manager)
        team = self.env["crm.team"].create({"name": "Key Accounts"})
        with freeze_time("2026-03-01 12:00:00"):
            e.write({"date_deadline": "2026-06-01", "probability": 44})
        with freeze_time("2026-03-04 12:00:00"):
            e.write({"date_deadline": "2026-07-01", "team_id": team.id, "expected_revenue": 150.55})
        found = {}
        for day in ("2026-02-28", "2026-03-01", "2026-03-04"):
            report = self.env["crm.snapshot.report"].with_context(snapshot_date=day, tz="UTC")
            row = report.search([("lead_id", "=", e.id)])
            found[day] = (row.deadline_then, row.probability_then, row.team_then_id, row.prorated_revenue)
        self.assertEqual(
            found,
            {
                "2026-02-28": (False, 30, self.team, 45),
                "2026-03-01": (date(2026, 6, 1), 44, self.team, 66),
                "2026-03-04": (date(2026, 7, 1), 44, team, 66.24),
            },
        )

    def test_revenue_that_changes_while_it_stands_there(self):
        e = self.by_letter["E"].with_user(self.manager)
        for day, amount in (("2026-02-10", 160), ("2026-02-25", 170), ("2026-03-05", 180)):
            with freeze_time(f"{day} 12:00:00"):
                e.expected_revenue = amount
        names = ["start_revenue", "in_revenue", "changed_revenue", "out_revenue", "end_revenue"]
        rows = self._read_flow("2026-02-05", "2026-02-28", ["stage_id"], leads=e, names=names)
        self.assertEqual(list(rows[self.s2,].values()), [150, 0, 10, 160, 0])
        self.assertEqual(list(rows[self.s3,].values()), [0, 160, 10, 0, 170])

    def test_exact_from(self):
        """The screen says from when figures are exact, and each row whether it is."""
        self.env["ir.config_parameter"].sudo().set_param(START, "2026-03-10 00:00:00")
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = CASE WHEN id = %s THEN '2026-03-20'::timestamp ELSE '2026-01-01' END"
            " WHERE id = ANY(%s)",
            (self.by_letter["H"].id, self.leads.ids),
        )
        for model, key in (("crm.snapshot.report", "snapshot_date"), ("crm.flow.report", "flow_date_from")):
            report = self.env[model].with_user(self.salesman)
            notice = report.with_context(**{key: "2026-03-01"}).get_history_notice()
            self.assertRegex(notice, r"^Figures are exact from 3/10/26")
            self.assertFalse(report.with_context(**{key: "2026-03-12"}).get_history_notice())
        report = self.env["crm.flow.report"].with_context(flow_date_from="2026-03-01", flow_date_to="2026-03-31")
        self.assertEqual(
            set(report.search([("lead_id", "in", self.leads.ids), ("is_exact", "=", True)]).lead_id),
            {self.by_letter["H"]},
        )

    def test_days_there(self):
        """Until the end of the day: H came on 20 March at noon."""
        report = self.env["crm.snapshot.report"].with_context(tz="UTC")
        for day, expected in (("2026-03-20", 0.5), ("2026-03-31", 11.5)):
            row = report.with_context(snapshot_date=day).search([("lead_id", "=", self.by_letter["H"].id)])
            self.assertAlmostEqual(row.days_in_stage, expected)

    def test_the_type_is_that_of_then(self):
        f = self.by_letter["F"]
        f.with_user(self.manager).opportunity_type_id = self.type_quick
        groups = ["opportunity_type_id", "stage_id"]
        self.assertEqual(list(self._read_snapshot("2026-03-31", groups, f)), [(self.type_funnel, self.s2)])
        self.assertEqual(list(self._read_snapshot("2026-04-01", groups, f)), [(self.type_quick, self.stage_quick)])

    def test_deleted_stage(self):
        self.s4.unlink()
        self.assertEqual(self._read_snapshot("2026-03-10")[self.env["crm.stage"]], (1, 300))

    def test_archived_without_being_lost(self):
        self.by_letter["H"].active = False
        self.assertNotIn(self.s1, self._read_snapshot("2026-03-31"))
        self.assertFalse(self._read_flow("2026-03-20", "2026-03-20", leads=self.by_letter["H"])[()]["in_count"])

    def test_what_is_a_lead_again_was_an_opportunity_then(self):
        h = self.by_letter["H"].sudo()
        h.write({"type": "lead"})
        self.assertEqual(self._read_snapshot("2026-03-31", leads=h), {self.s1: (1, 60)})
        self.assertEqual(self._read_snapshot("2026-04-01", leads=h), {})
        flow = self._read_flow("2026-04-01", "2026-04-01", leads=h)[()]
        self.assertFlow(flow, start_count=1, handed_out_count=1, out_count=1)
        h.with_context(convert_opportunity_type_id=self.type_funnel.id).convert_opportunity(False)
        flow = self._read_flow("2026-04-01", "2026-04-01", leads=h)[()]
        self.assertFlow(flow, start_count=1, handed_out_count=1, out_count=1, reopened_count=1, in_count=1, end_count=1)

    def test_filters(self):
        a = self.by_letter["E"].sudo()
        category = self.env["product.category"].create({"name": "Pumps"})
        child = category.create({"name": "Big Pumps", "parent_id": category.id})
        product = self.env["product.product"].create({"name": "Pump", "categ_id": child.id})
        source, campaign, medium = (
            self.env[f"utm.{name}"].create({"name": f"Some {name}"}) for name in ("source", "campaign", "medium")
        )
        customer = self.env["res.partner"].create({"name": "Group", "is_company": True})
        office = customer.create({"name": "Office", "parent_id": customer.id})
        a.opportunity_line_ids = [Command.create({"product_id": product.id, "price_unit": 1})]
        a.write({"source_id": source.id, "campaign_id": campaign.id, "medium_id": medium.id, "partner_id": office.id})
        for model in ("crm.snapshot.report", "crm.flow.report"):
            report = (
                self.env[model]
                .with_user(self.salesman)
                .with_context(snapshot_date="2026-03-01", flow_date_from="2026-02-01", flow_date_to="2026-03-31")
            )
            for leaf in (
                *(("source_id", "=", source.id), ("campaign_id", "=", campaign.id), ("medium_id", "=", medium.id)),
                *(("partner_id", "child_of", customer.id), ("product_category_id", "child_of", category.id)),
            ):
                with self.subTest(model=model, leaf=leaf):
                    self.assertEqual(report.search([leaf]).lead_id, a)
            for leaf in (
                *(("team_id", "=", self.team.id), ("user_id", "=", self.salesman.id)),
                *(("visit_user_id", "=", self.salesman.id), ("opportunity_type_id", "=", self.type_funnel.id)),
            ):
                with self.subTest(model=model, leaf=leaf):
                    self.assertIn(a, report.search([leaf]).lead_id)
                    self.assertFalse(report.search([(leaf[0], "=", False)]).lead_id & self.leads)

    # ------------------------------------------------------------
    # Flow
    # ------------------------------------------------------------

    def test_flow_of_february(self):
        """At the end of January: B in S3, C and D in S2. In February all of E, F and G happens but what is of March."""
        flow = self._read_flow("2026-02-01", "2026-02-28")[()]
        self.assertFlow(
            flow,
            start_count=3,
            created_count=3,  # E, F, G
            moved_in_count=7,  # D three times, E to S3, F twice, G to S2
            in_count=10,
            advanced_count=6,
            regressed_count=1,  # D
            won_count=1,  # B
            lost_count=2,  # C and, for a while, G
            out_count=10,
            end_count=3,  # D, E, F in S3
        )

    def test_flow_of_march_by_stage(self):
        rows = self._read_flow("2026-03-01", "2026-03-31", ["stage_id"])
        self.assertEqual({stage.name for (stage,) in rows}, {"S1", "S2", "S3", "S4"}, "what is won is won from S4")
        self.assertFlow(rows[self.s1,], created_count=1, in_count=1, end_count=1)
        self.assertFlow(
            rows[self.s2,],
            reopened_count=1,  # G
            moved_in_count=1,  # F
            in_count=2,
            advanced_count=1,
            out_count=1,
            end_count=1,
        )
        self.assertFlow(
            rows[self.s3,],
            start_count=3,
            moved_in_count=1,
            in_count=1,
            advanced_count=2,
            lost_count=1,
            out_count=3,
            end_count=1,
        )
        self.assertFlow(rows[self.s4,], moved_in_count=2, in_count=2, regressed_count=1, won_count=1, out_count=2)

    def test_identity_in_any_grouping(self):
        """Also by what is of the opportunity, of the stay or of the move; and both ends are snapshots."""
        self.by_letter["D"].with_user(self.manager).opportunity_type_id = self.type_quick
        self.by_letter["F"].with_user(self.manager).user_id = self.colleague
        for first, last in (("2026-01-01", "2026-04-01"), ("2026-02-10", "2026-02-10"), ("2026-02-15", "2026-03-20")):
            for groupby in GROUPINGS:
                with self.subTest(first=first, last=last, groupby=groupby):
                    rows = self._read_flow(first, last, groupby, names=FLOW + REVENUES)
                    for flow in rows.values():
                        self.assertIdentity(flow)
                        revenue = flow["start_revenue"] + flow["in_revenue"] - flow["out_revenue"]
                        self.assertAlmostEqual(revenue, flow["end_revenue"])
            end = {group: tuple(flow.values()) for (group,), flow in self._read_ends(first, last).items()}
            self.assertEqual({group: values for group, values in end.items() if values[0]}, self._read_snapshot(last))

    def _read_ends(self, first, last):
        return self._read_flow(first, last, ["stage_id"], names=["end_count", "end_revenue"])

    def test_one_flow_goes_on_from_the_other(self):
        january = self._read_ends("2026-01-01", "2026-01-31")
        february = self._read_flow("2026-02-01", "2026-02-28", ["stage_id"], names=["start_count", "start_revenue"])
        for group, values in january.items():
            if any(values.values()):
                self.assertEqual(list(february[group].values()), list(values.values()))

    def test_flow_by_type_counts_a_hand_over(self):
        h = self.by_letter["H"].with_user(self.manager)
        h.opportunity_type_id = self.type_quick
        rows = self._read_flow("2026-04-01", "2026-04-01", ["opportunity_type_id"], leads=h)
        self.assertFlow(rows[self.type_funnel,], start_count=1, handed_out_count=1, out_count=1)
        self.assertFlow(rows[self.type_quick,], handed_in_count=1, in_count=1, end_count=1)

    def test_won_without_a_stay_before(self):
        """Created as won, and won while it was lost: it came and went. Won once more elsewhere is no second win."""
        created = self._live("Straight", "W 02-10")
        lost = self._live("Recovered", "S1 01-01, lost 01-20")
        with freeze_time("2026-02-10 12:00:00"):
            lost.action_set_won()
        again = self.won.copy({"name": "X", "sequence": 9})
        with freeze_time("2026-02-12 12:00:00"):
            created.stage_id = again
        leads = created | lost
        rows = self._read_flow("2026-02-01", "2026-02-28", ["lead_id"], leads=leads)
        self.assertFlow(rows[created,], created_count=1, in_count=1, won_count=1, out_count=1)
        self.assertFlow(rows[lost,], reopened_count=1, in_count=1, won_count=1, out_count=1)
        self.assertEqual(self._read_snapshot("2026-02-10", leads=leads), {})

    def test_reopened_from_won(self):
        lead = self._live("Back", "S1 02-01, W 02-05, S2 02-10")
        flow = self._read_flow("2026-02-01", "2026-02-28", leads=lead)[()]
        self.assertFlow(flow, created_count=1, reopened_count=1, in_count=2, won_count=1, out_count=1, end_count=1)

    def test_reopened_from_won_and_won_again_at_once(self):
        """A second win: it was back in S2, be it for a moment."""
        lead = self._live("Twice", "S1 02-01, W 02-05, S2 02-10, W 02-10")
        flow = self._read_flow("2026-02-01", "2026-02-28", leads=lead)[()]
        self.assertFlow(flow, created_count=1, reopened_count=1, in_count=2, won_count=2, out_count=2)

    def test_several_moves_at_the_same_moment(self):
        with freeze_time("2026-02-10 12:00:00"):
            lead = self._create_opportunity(
                "Fast", self.manager, opportunity_type_id=self.type_funnel.id, stage_id=self.s1.id
            )
            for stage in (self.s2, self.s3, self.s1):
                lead.stage_id = stage
        flow = self._read_flow("2026-02-10", "2026-02-10", leads=lead)[()]
        self.assertIdentity(flow)
        self.assertEqual((flow["created_count"], flow["moved_in_count"], flow["end_count"]), (1, 3, 1))

    def test_a_row_is_read_for_the_period_asked_for(self):
        """Also in one go: what was read for one period is not kept for another."""
        domain = [("lead_id", "=", self.by_letter["H"].id)]
        report = self.env["crm.flow.report"].with_context(tz="UTC")
        in_march = report.with_context(flow_date_from="2026-03-01", flow_date_to="2026-03-31").search(domain)
        in_april = report.with_context(flow_date_from="2026-04-01", flow_date_to="2026-04-01").search(domain)
        self.assertEqual((in_march.entry, in_march.start_count, in_march.in_count), ("created", 0, 1))
        self.assertEqual((in_april.entry, in_april.start_count, in_april.in_count), ("stock", 1, 0))

    def test_flow_is_of_this_month_unless_told_otherwise(self):
        flow = self._read_flow(False, False)[()]
        self.assertFlow(flow, start_count=3, end_count=3)

    # ------------------------------------------------------------
    # Choosing the days
    # ------------------------------------------------------------

    def test_no_day(self):
        """What is no day is refused, and never gets into the query."""
        for value in ("yesterday", "2026-13-01", "'; DROP TABLE crm_lead; --", 17, ["2026-01-01"], {"a": 1}):
            with self.subTest(value=value), self.assertRefused("is not a day. Write it like 2026-04-01"):
                self.env["crm.snapshot.report"].with_context(snapshot_date=value).search([])
        for key in ("flow_date_from", "flow_date_to"):
            with self.assertRefused("is not a day"):
                self.env["crm.flow.report"].with_context(**{key: "x"}).search([])

    def test_far_away_days(self):
        self.assertFalse(self._read_snapshot("0001-01-01"))
        self.assertEqual(self._read_snapshot("9999-12-31"), self._read_snapshot())
        self.assertEqual(self._read_flow("0001-01-01", "9999-12-31")[()]["end_count"], 3)
        self.assertIdentity(self._read_flow("2026-03-01", "2026-01-01")[()])

    def _choose(self, **values):
        with Form(self.env["crm.pipeline.history"].with_user(self.salesman)) as form:
            for name, value in values.items():
                form[name] = value
        return form.record.action_show()

    def test_choose_a_day(self):
        action = self._choose(date="2026-03-01")
        self.assertEqual((action["res_model"], action["name"]), ("crm.snapshot.report", "Pipeline on 03/01/2026"))
        report = self.env["crm.snapshot.report"].with_user(self.salesman).with_context(**action["context"])
        rows = report.search([("lead_id", "in", self.leads.ids)])
        self.assertEqual(sorted(rows.lead_id.mapped("name")), ["D", "E", "F"])
        self.assertEqual(rows[0].action_open_lead()["res_id"], rows[0].lead_id.id)

    def test_choose_two_days(self):
        action = self._choose(kind="flow", date_from="2026-02-01", date_to="2026-02-28")
        self.assertEqual(action["res_model"], "crm.flow.report")
        self.assertEqual(action["name"], "Flow from 02/01/2026 to 02/28/2026")
        context = action["context"]
        self.assertEqual((context["flow_date_from"], context["flow_date_to"]), ("2026-02-01", "2026-02-28"))

    def test_days_offered(self):
        """Those of the user: it is the 2nd already in Kiritimati at noon."""
        wizard = self.env["crm.pipeline.history"].with_context(tz="Pacific/Kiritimati").new({})
        self.assertEqual(wizard.date, date(2026, 4, 2))
        self.assertEqual((wizard.date_from, wizard.date_to), (date(2026, 4, 1), date(2026, 4, 2)))
        self.assertEqual(wizard.kind, "snapshot")

    def test_days_that_cannot_be_shown(self):
        with self.assertRefused("not known yet. Choose today or an earlier day", ValidationError):
            self._choose(date="2026-04-02")
        with self.assertRefused("ends on 01/01/2026, before it starts on 02/01/2026", ValidationError):
            self._choose(kind="flow", date_from="2026-02-01", date_to="2026-01-01")
        Wizard = self.env["crm.pipeline.history"].with_user(self.salesman)
        with self.assertRefused("Choose the day", UserError):
            Wizard.create({"date": False})
        with self.assertRefused("Choose the first and the last day", UserError):
            Wizard.create({"kind": "flow", "date_from": False})
