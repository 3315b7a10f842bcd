from ast import literal_eval

from freezegun import freeze_time
from lxml import etree

from odoo.exceptions import AccessError
from odoo.fields import Command

from .funnel_common import FunnelCase

REPORTS = [
    *("crm.pipeline.report", "crm.stage.visit.report", "crm.competition.report", "crm.funnel.report"),
    *("crm.snapshot.report", "crm.flow.report", "crm.calibration.report"),
]


@freeze_time("2026-04-01 12:00:00")
class TestReports(FunnelCase):
    """The figures of the worked example, as the reports beside the funnel show them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.by_letter = cls._live_example()
        cls.leads = cls.env["crm.lead"].union(*cls.by_letter.values())

    def _group(self, model, groupby, measures, domain=(), user=None):
        """``{group: values}``, where one value is asked for the value; by one field its record."""
        report = self.env[model].with_user(user or self.manager)
        domain = [("lead_id", "in", self.leads.ids), *domain]
        found = {}
        for row in report._read_group(domain, groupby, measures, order=", ".join(groupby) or None):
            group, values = row[: len(groupby)], row[len(groupby) :]
            found[group[0] if len(group) == 1 else group] = values[0] if len(values) == 1 else values
        return found

    # ------------------------------------------------------------
    # Pipeline
    # ------------------------------------------------------------

    def test_pipeline(self):
        counts = [f"{name}:sum" for name in ("opportunity_count", "open_count", "won_count", "lost_count")]
        amounts = [f"{name}:sum" for name in ("expected_revenue", "won_revenue", "lost_revenue")]
        values = self._group("crm.pipeline.report", [], [*counts, *amounts])[()]
        self.assertEqual(values, (8, 3, 3, 2, 1060, 420, 130))

    def test_velocity(self):
        """Open opportunities × win rate × average won amount / average won cycle."""
        measures = [f"{name}:avg" for name in ("win_rate", "won_amount", "cycle_days", "velocity")]
        win_rate, amount, cycle, velocity = self._group("crm.pipeline.report", [], measures)[()]
        self.assertAlmostEqual(win_rate, 3 / 5)
        self.assertAlmostEqual(amount, 140)
        self.assertAlmostEqual(cycle, (30 + 30 + 50) / 3, msg="G is won 50 days after it was created")
        self.assertAlmostEqual(velocity, 3 * 0.6 * 140 / (110 / 3))

    def test_velocity_is_that_of_the_group(self):
        """Not the average of its parts; empty where nothing has been won."""
        (self.by_letter["H"] | self.by_letter["C"]).with_user(self.manager).user_id = self.colleague
        rows = self._group("crm.pipeline.report", ["user_id"], ["velocity:avg"])
        self.assertAlmostEqual(rows[self.salesman], 2 * 3 / 4 * 140 / (110 / 3))
        self.assertFalse(rows[self.colleague])

    def test_velocity_of_what_is_won_at_once(self):
        """What is entered when it is won already had a cycle of no length: the pipeline is no faster for it."""
        self.leads = self._live("Open", "S1 01-01") | self._live("Won at once", "W 01-01", expected_revenue=100)
        self.assertEqual(self._group("crm.pipeline.report", [], ["velocity:avg"])[()], 1 * 1 * 100)

    def test_last_won_counts(self):
        lead = self._live("Won twice", "S1 01-01, W 01-11, S2 02-01, W 03-02")
        self.leads = lead
        self.assertAlmostEqual(self._group("crm.pipeline.report", [], ["cycle_days:avg"])[()], 60)

    def test_several_currencies(self):
        """Amounts are converted; an average is not made up of a sum."""
        eur = self.env["res.currency"].with_context(active_test=False).search([("name", "=", "EUR")])
        eur.active = True
        self.env["res.currency.rate"].create({"currency_id": eur.id, "name": "2026-01-01", "rate": 0.5})
        company = self.env["res.company"].create({"name": "Elsewhere", "currency_id": eur.id})
        self.by_letter["A"].sudo().write({"company_id": company.id, "user_id": False, "team_id": False})
        self.manager.company_ids += company
        report = self.env["crm.pipeline.report"].with_user(self.manager)
        report = report.with_context(allowed_company_ids=[self.env.company.id, company.id])
        measures = ["won_revenue:sum_currency", "won_amount:sum_currency", "currency_id:array_agg_distinct"]
        ((revenue, average, currencies),) = report._read_group([("lead_id", "in", self.leads.ids)], [], measures)
        self.assertEqual(len(currencies), 2)
        self.assertAlmostEqual(revenue, 320 + 100 / 0.5)
        self.assertFalse(average)

    def test_snapshot_by_stage(self):
        """What is open, where it stands now: F went back to S2."""
        rows = self._group(
            "crm.pipeline.report",
            ["stage_id"],
            ["open_count:sum", "expected_revenue:sum", "prorated_revenue:sum"],
            [("won_status", "=", "pending")],
        )
        self.assertEqual(rows, {self.s1: (1, 60, 6), self.s2: (1, 300, 60), self.s3: (1, 150, 45)})

    def test_archived_without_being_lost(self):
        self.by_letter["H"].active = False
        for model in ("crm.pipeline.report", "crm.stage.visit.report"):
            self.assertNotIn(self.by_letter["H"].id, self.env[model].search([]).lead_id.ids)

    # ------------------------------------------------------------
    # Stays
    # ------------------------------------------------------------

    def test_time_in_stage(self):
        rows = self._group(
            "crm.stage.visit.report",
            ["stage_id"],
            ["visit_count:sum", "ended_count:sum", "duration_days:avg", "median_days:avg", "total_days:sum"],
        )
        expected = {
            self.s1: (7, 6, 7.5, 7.5, 45),
            self.s2: (9, 8, 12.5, 10, 100),
            self.s3: (7, 6, 70 / 6, 10, 70),
            self.s4: (3, 3, 20 / 3, 5, 20),
            self.won: (3, 3, 0, 0, 0),
        }
        self.assertEqual(rows.keys(), expected.keys())
        for stage, figures in expected.items():
            for value, figure in zip(rows[stage], figures, strict=True):
                self.assertAlmostEqual(value, figure, msg=stage.name)

    def test_open_ages_apart(self):
        rows = self._group("crm.stage.visit.report", ["stage_id"], ["open_count:sum", "open_days:avg"])
        self.assertEqual(
            {stage.name: values for stage, values in rows.items() if values[0]},
            {"S1": (1, 12), "S2": (1, 15), "S3": (1, 39)},
        )

    def test_total_by_opportunity(self):
        rows = self._group("crm.stage.visit.report", ["lead_id"], ["total_days:sum"])
        self.assertEqual(rows[self.by_letter["D"]], 10 + 10 + 10 + 10 + 10)

    def test_moves(self):
        """From each stage to each; a loss is no move, nor is being reopened after one."""
        rows = self._group("crm.stage.visit.report", ["stage_id", "to_stage_id"], ["move_count:sum"])
        moves = {(start.name, to.name): count for (start, to), count in rows.items() if to}
        self.assertEqual(
            moves,
            {
                ("S1", "S2"): 5,
                ("S1", "S3"): 1,
                ("S2", "S3"): 6,
                ("S3", "S2"): 1,
                ("S3", "S4"): 3,
                ("S3", "W"): 1,
                ("S4", "S2"): 1,
                ("S4", "W"): 2,
            },
        )
        self.assertFalse(any(count for (_start, to), count in rows.items() if not to))

    # ------------------------------------------------------------
    # Competition
    # ------------------------------------------------------------

    @classmethod
    def _set_up_competition(cls):
        """A (won) against both with a pump and two services; C (lost to Rival, who was not listed), H (open)."""
        cls.rival, cls.other = cls.env["res.partner"].create(
            [{"name": name, "is_competitor": True} for name in ("Rival", "Other")]
        )
        cls.pumps, cls.service = cls.env["product.category"].create([{"name": "Pumps"}, {"name": "Service"}])
        pump, advice, repair = cls.env["product.product"].create(
            [
                {"name": "Pump", "categ_id": cls.pumps.id},
                {"name": "Advice", "categ_id": cls.service.id},
                {"name": "Repair", "categ_id": cls.service.id},
            ]
        )
        won, lost, pending = (cls.by_letter[letter].with_user(cls.manager) for letter in "ACH")
        won.opportunity_competitor_ids = [Command.create({"partner_id": r.id}) for r in cls.rival | cls.other]
        won.opportunity_line_ids = [
            Command.create({"product_id": product.id, "price_unit": price})
            for product, price in ((pump, 70), (advice, 10), (repair, 20))
        ]
        lost.sudo().lost_to_id = cls.rival
        pending.opportunity_competitor_ids = [Command.create({"partner_id": cls.rival.id})]
        pending.opportunity_line_ids = [Command.create({"product_id": pump.id, "price_unit": 60})]

    def test_competition(self):
        self._set_up_competition()
        counts = ["opportunity_count", "open_count", "won_count", "lost_count", "lost_to_count"]
        measures = [*(f"{name}:sum" for name in counts), "win_rate:avg"]
        rows = self._group("crm.competition.report", ["competitor_id"], measures)
        self.assertEqual(rows, {self.other: (1, 0, 1, 0, 0, 1), self.rival: (3, 1, 1, 1, 1, 1 / 2)})
        rows = self._group("crm.competition.report", [], measures)
        self.assertEqual(rows, {(): (3, 1, 1, 1, 1, 1 / 2)}, "each once, whatever the competitors and products")

    def test_competition_by_category(self):
        self._set_up_competition()
        rows = self._group(
            "crm.competition.report",
            ["competitor_id", "category_id"],
            ["won_count:sum", "lost_count:sum", "revenue:sum"],
        )
        none = self.env["product.category"]
        self.assertEqual(
            rows,
            {
                (self.other, self.pumps): (1, 0, 70),
                (self.other, self.service): (1, 0, 30),
                (self.rival, self.pumps): (1, 0, 70 + 60),
                (self.rival, self.service): (1, 0, 30),
                (self.rival, none): (0, 1, 50),
            },
        )

    # ------------------------------------------------------------
    # All of them
    # ------------------------------------------------------------

    def test_one_sees_what_one_sees_of_opportunities(self):
        self._set_up_competition()
        a, b = self.by_letter["A"], self.by_letter["B"]
        (a | b).with_user(self.manager).user_id = self.supervisor
        a.with_user(self.manager).collaborator_ids = [Command.link(self.colleague.id)]
        for model in REPORTS:
            everything = self.env[model].search([("lead_id", "in", self.leads.ids)]).lead_id
            for user in (self.salesman, self.colleague, self.supervisor, self.manager):
                Lead = self.env["crm.lead"].with_user(user).with_context(active_test=False)
                visible = Lead.search([("id", "in", everything.ids)])
                with self.subTest(model=model, user=user.login):
                    seen = self.env[model].with_user(user).search([("lead_id", "in", self.leads.ids)]).lead_id
                    self.assertEqual(seen.sorted("id").ids, visible.sorted("id").ids)
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.employee).search([])

    def test_actions_open_ready(self):
        """What an action asks for is there: its filters in the search view, its groups and measures in the model."""
        self._set_up_competition()
        self.leads.sudo().date_deadline = "2026-05-05"
        actions = self.env["ir.actions.act_window"].search([("res_model", "in", REPORTS)])
        self.assertGreaterEqual(len(actions), 10)
        for action in actions:
            context = literal_eval(action.context.strip())
            report = self.env[action.res_model].with_user(self.salesman)
            views = report.get_views([(False, "search"), *((False, mode) for mode in action.view_mode.split(","))])
            search = etree.fromstring(views["views"]["search"]["arch"])
            pivot = etree.fromstring(views["views"]["pivot"]["arch"])
            default = {kind: pivot.xpath(f"//field[@type='{kind}']/@name") for kind in ("row", "measure")}
            groupby = context.get("pivot_row_groupby", default["row"]) + context.get("pivot_column_groupby", [])
            measures = context.get("pivot_measures", default["measure"])
            with self.subTest(action=action.name):
                for name in context:
                    if name.startswith("search_default_"):
                        self.assertTrue(search.xpath(f"//filter[@name='{name[15:]}']"), name)
                specs = [f"{name}:{report._fields[name].aggregator}" for name in measures]
                rows = report.formatted_read_group([("lead_id", "in", self.leads.ids)], groupby, specs)
                self.assertTrue(rows, "the example has something to show in every report")
                self.assertTrue(action.help)
                self.assertTrue(pivot.get("sample"))

    def test_one_default_period(self):
        """Every report that opens with a period opens with the same one, so that their counts agree."""
        filters, undated = set(), set()
        for model in (set(REPORTS) | {"crm.deadline.report"}) - {"crm.snapshot.report", "crm.flow.report"}:
            search = etree.fromstring(self.env[model].get_view(view_type="search")["arch"])
            (period,) = search.xpath("//filter[@name='date_deadline']")
            filters.add(etree.tostring(period, method="c14n", with_tail=False).replace(b" ", b""))
            undated.add(period.getnext().get("name"))
        self.assertEqual(len(filters), 1)
        self.assertEqual(undated, {"undated"}, "in the same group: both together find more, not less")
        for action in self.env["ir.actions.act_window"].search(
            [("res_model", "in", [*REPORTS, "crm.deadline.report"])]
        ):
            defaults = {
                name[15:] for name in literal_eval(action.context.strip()) if name.startswith("search_default_")
            }
            with self.subTest(action=action.name):
                self.assertLessEqual(defaults & {"date_deadline", "create_date", "date_start"}, {"date_deadline"})

    def test_menu_fits_on_a_small_screen(self):
        """Odoo shows 70 % of the height of the window: 504 pixels of 720. An entry takes 27, a heading 36."""
        menu = self.env.ref("crm.crm_menu_report")
        headings = menu.child_id.filtered("child_id")
        entries = (menu.child_id - headings) | headings.child_id
        self.assertLessEqual(27 * len(entries) + 36 * len(headings) + 16, 504)
        for entry in entries.filtered(lambda entry: entry.get_external_id()[entry.id].startswith("sales_opp")):
            with self.subTest(entry=entry.name):
                self.assertEqual(entry.name, entry.action.name, "one name for the entry and what it opens")

    def test_stages_of_one_name_are_told_apart(self):
        """In reports, "Won" of two types is not "Won" and "Won (2)"."""
        first, second, other = self.env["crm.stage"].create(
            [{"name": name, "opportunity_type_ids": self.type_funnel.ids} for name in ("Alike", "Alike", "Unlike")]
        )
        second.opportunity_type_ids = self.type_project
        stages = (first | second | other).with_user(self.salesman)
        self.assertEqual(stages.mapped("display_name"), ["Alike", "Alike", "Unlike"])
        names = stages.with_context(stage_with_type=1).mapped("display_name")
        self.assertEqual(names, [f"Alike ({self.type_funnel.name})", f"Alike ({self.type_project.name})", "Unlike"])

    def test_usual_filters(self):
        """In the search bar of every report, and they find what they say."""
        self._set_up_competition()
        lead, other = self.by_letter["H"].sudo(), self.by_letter["E"]
        group = self.env["res.partner"].create({"name": "Group", "is_company": True})
        office = group.create({"name": "Office", "parent_id": group.id})
        above = self.env["product.category"].create({"name": "Above"})
        self.pumps.parent_id = above
        utm = {name: self.env[f"utm.{name}"].create({"name": name}) for name in ("source", "campaign", "medium")}
        lead.write({"partner_id": office.id, **{f"{name}_id": record.id for name, record in utm.items()}})
        (lead | other).opportunity_competitor_ids = [Command.create({"partner_id": self.rival.id})]
        leaves = [
            ("partner_id", "child_of", group.id),
            ("product_category_id", "child_of", above.id),
            *((f"{name}_id", "=", record.id) for name, record in utm.items()),
        ]
        shared = [("opportunity_type_id", "=", self.type_funnel.id), ("user_id", "=", self.salesman.id)]
        shared += [("team_id", "=", self.team.id), ("won_status", "=", "pending")]
        for model in (set(REPORTS) | {"crm.deadline.report"}) - {"crm.calibration.report"}:
            search = etree.fromstring(self.env[model].get_view(view_type="search")["arch"])
            domain = [("lead_id", "in", (lead | other).ids)]
            for leaf in leaves + shared[:-1]:
                with self.subTest(model=model, leaf=leaf):
                    name = "category_id" if model == "crm.competition.report" and "product" in leaf[0] else leaf[0]
                    (field,) = search.xpath(f"//field[@name='{name}']")
                    self.assertEqual(field.get("operator", "="), leaf[1])
                    found = self.env[model].search([*domain, leaf]).lead_id
                    self.assertEqual(found, lead | other if leaf in shared else lead)
            self.assertEqual(self.env[model].search([*domain, *shared]).lead_id, lead | other)
            filters = {"open", "won", "lost", "date_deadline", "create_date"}
            self.assertFalse(filters - set(search.xpath("//filter/@name")), model)

    def test_rows_open_their_opportunity(self):
        self._set_up_competition()
        won_and_open = self.by_letter["A"] | self.by_letter["H"]
        for model in REPORTS:
            rows = self.env[model].with_user(self.salesman).search([("lead_id", "in", won_and_open.ids)])
            self.assertTrue(rows, model)
            for row in rows:
                self.assertEqual(row.action_open_lead()["res_id"], row.lead_id.id, model)

    def test_calls_of_the_views_may_run_on_a_replica(self):
        """As Odoo's controller decides it, by what the first class in order says. See ``benchmarks/replica.py``."""
        methods = ["formatted_read_grouping_sets", "formatted_read_group", "web_read_group", "web_search_read"]
        for model in REPORTS:
            for name in (*methods, "get_views", "action_open_lead"):
                classes = self.env.registry[model].mro()
                said = (getattr(getattr(cls, name, None), "_readonly", None) for cls in classes)
                self.assertTrue(next(flag for flag in said if flag is not None), f"{model}.{name}")

    def test_measures_with_a_formula_say_so(self):
        for model in REPORTS:
            fields = self.env[model].fields_get()
            silent = [name for name in self.env[model]._get_aggregates() if not fields[name].get("help")]
            self.assertFalse(silent, model)

    def test_queries_do_not_grow(self):
        for model in REPORTS:
            counts = {}
            for number in (10, 100):
                leads = self._create_opportunities(number)
                for _warm in range(2):
                    self.env.flush_all()
                    self.env.invalidate_all()
                    before = self.env.cr.sql_log_count
                    report = self.env[model].with_user(self.supervisor)
                    report.formatted_read_group([("lead_id", "in", leads.ids)], ["user_id"], ["lead_id:count_distinct"])
                    counts[number] = self.env.cr.sql_log_count - before
            self.assertEqual(counts[10], counts[100], model)
