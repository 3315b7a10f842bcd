import csv
import doctest
import io
import tempfile
from datetime import datetime
from pathlib import Path

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tests.common import TransactionCase

from ..tools import imported_history
from .common import OpportunityStagesSetup

MODULE = Path(__file__).parents[1]
SAMPLES = MODULE.parent / "docs/samples"
OPTIONS = {
    "has_headers": True,
    "separator": ",",
    "quoting": '"',
    "encoding": "utf-8",
    "date_format": "%Y-%m-%d",
    "datetime_format": "%Y-%m-%d %H:%M:%S",
}


class ImportCase(OpportunityStagesSetup, TransactionCase):
    """Files go through Odoo's import, as an administrator of sales uploads them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_pipeline()

    def _upload(self, model, file, user=None):
        kind = (
            "text/csv" if file.suffix == ".csv" else "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        )
        values = {"res_model": model, "file": file.read_bytes(), "file_name": file.name, "file_type": kind}
        return self.env["base_import.import"].with_user(user or self.manager).create(values)

    def _import(self, model, file, columns=None, user=None, **options):
        """Import a file; what its headers do not say by themselves is in ``columns``: ``{header: field path}``.

        :returns: the result of Odoo's import
        """
        wizard = self._upload(model, file, user)
        preview = wizard.parse_preview({**OPTIONS, **options})
        self.assertNotIn("error", preview)
        matches = {int(index): "/".join(path) for index, path in (preview["matches"] or {}).items()}
        names = [(columns or {}).get(header, matches.get(i, False)) for i, header in enumerate(preview["headers"])]
        self.assertTrue(
            all(
                name is not False or (columns and header in columns)
                for name, header in zip(names, preview["headers"], strict=True)
            ),
            dict(zip(preview["headers"], names, strict=True)),
        )
        return wizard.execute_import([name or False for name in names], preview["headers"], {**OPTIONS, **options})

    def _load(self, *rows, user=None):
        """Import rows of the history: (opportunity, stage, entered, left, result)."""
        names = ["lead_id/.id", "stage_id/.id", "date_start", "date_end", "outcome"]
        cells = [
            [str(lead.id), str(stage.id) if stage else "", *("" if value is None else str(value) for value in more)]
            for lead, stage, *more in (row + (None,) * (5 - len(row)) for row in rows)
        ]
        return self.env["crm.stage.visit.import"].with_user(user or self.manager).load(names, cells)

    def _visits(self, lead):
        visits = lead.sudo().stage_visit_ids.sorted("id")
        return [(visit.stage_id, visit.date_start, visit.date_end, visit.outcome, visit.trigger) for visit in visits]

    def _errors(self, result):
        return [(message["rows"]["from"], message["message"]) for message in result["messages"]]


@tagged("post_install", "-at_install")
class TestTemplates(ImportCase):
    """The templates that the import offers can be imported as they are. A second time changes nothing."""

    MODELS = ["crm.opportunity.type", "crm.stage", "res.partner", "crm.lead"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["product.product"].create([{"name": "Maintenance hour"}, {"name": "Spare part"}])
        cls.env["crm.lost.reason"].search([("name", "=", "Too expensive")]) or cls.env["crm.lost.reason"].create(
            {"name": "Too expensive"}
        )
        for name in ("Call", "Meeting"):
            cls.env["mail.activity.type"].search([("name", "=", name)]) or cls.env["mail.activity.type"].create(
                {"name": name}
            )
        groups = ["base.group_allow_export", "account.group_account_invoice", "base.group_partner_manager"]
        cls.manager.group_ids = [Command.link(cls.env.ref(group).id) for group in groups]

    def _template(self, model):
        paths = [template["template"] for template in self.env[model].get_import_templates()]
        ours = next(path for path in paths if path.startswith("/sales_opportunity_stages/"))
        return MODULE.parent / ours[1:]

    def _import_all(self):
        for model in [*self.MODELS, "crm.stage.visit.import"]:
            result = self._import(model, self._template(model))
            self.assertEqual([m for m in result["messages"] if m["type"] == "error"], [], model)

    def _get_record(self, name):
        return self.env.ref(f"__import__.template_{name}").sudo()

    def test_import(self):
        self._import_all()
        service = self._get_record("type_service")
        survey, offer = self._get_record("stage_survey"), self._get_record("stage_offer")
        self.assertEqual((service.probability_mode, service.stage_ids), ("stage", survey + offer))
        self.assertEqual(survey.rule_ids.mapped("kind"), ["action", "action"])
        self.assertEqual(survey.rule_ids.mapped("required"), [True, False])
        self.assertEqual(offer.rule_ids.domain, "[('expected_revenue', '>', 0)]")
        lift, gate = self._get_record("lead_lift"), self._get_record("lead_gate")
        self.assertEqual((lift.opportunity_type_id, lift.stage_id), (service, offer))
        self.assertEqual(lift.expected_revenue, 12 * 80 + 250)
        self.assertEqual((gate.won_status, gate.stage_id, gate.lost_reason_id.name), ("lost", survey, "Too expensive"))
        self.assertEqual(
            [(stage, outcome) for stage, _start, _end, outcome, _trigger in self._visits(lift)],
            [(survey, "advanced"), (offer, "open")],
        )
        self.assertEqual(self._visits(gate)[0][3:], ("lost", "imported"))
        north = self._get_record("unit_north")
        self.assertEqual(north.credit_unit_id, self._get_record("unit_group"))
        self.assertEqual((north.credit_unit_id.credit_limit, north.credit_unit_id.credit_term_days), (50000, 30))

    def test_second_import_changes_nothing(self):
        models = [*self.MODELS, "crm.stage.rule", "crm.opportunity.line", "crm.stage.visit"]
        self._import_all()
        self.env.flush_all()
        before = {model: self.env[model].sudo().with_context(active_test=False).search([]).ids for model in models}
        visits = self.env["crm.stage.visit"].sudo().search([]).read(["date_start", "date_end", "outcome", "stage_id"])
        self._import_all()
        after = {model: self.env[model].sudo().with_context(active_test=False).search([]).ids for model in models}
        self.assertEqual(before, after)
        read = ["date_start", "date_end", "outcome", "stage_id"]
        self.assertEqual(visits, self.env["crm.stage.visit"].sudo().search([]).read(read))

    def test_every_report_can_be_exported(self):
        """What is exported as a list has the label of every column."""
        mixin = self.env.registry["crm.lead.report.mixin"]
        lead = self._create_opportunity()
        for name, model in self.env.registry.items():
            if issubclass(model, mixin) and not model._abstract:
                with self.subTest(name):
                    report = self.env[name].with_user(self.manager)
                    stored = [
                        field
                        for field, info in report.fields_get().items()
                        if info.get("exportable", True) and field != "id"
                    ]
                    rows = report.search([("lead_id", "=", lead.id)], limit=1)
                    self.assertEqual(len(rows.export_data(stored)["datas"]), len(rows))


@tagged("post_install", "-at_install")
class TestSamples(ImportCase):
    """The samples of the guide, with the columns that it names."""

    def _make_type(self, name, *stages):
        """Create a type with these stages, of which the last is won."""
        won = stages[-1]
        self.env["crm.opportunity.type"].create(
            {
                "name": name,
                "stage_ids": [
                    Command.create({"name": stage, "sequence": 3000 + i, "is_won": stage == won})
                    for i, stage in enumerate(stages)
                ],
            }
        )

    def _make_records(self, *companies):
        self.env["res.partner"].create([{"name": name, "is_company": True} for name in companies])
        self.env["crm.lost.reason"].search([("name", "=", "Too expensive")]) or self.env["crm.lost.reason"].create(
            {"name": "Too expensive"}
        )

    def _get_histories(self, *names):
        leads = self.env["crm.lead"].sudo().browse(self.env.ref(f"__import__.{name}").id for name in names)
        return [
            (
                lead.won_status,
                lead.lost_reason_id.name,
                [
                    (visit.stage_id.name, str(visit.date_start.date()), visit.outcome)
                    for visit in lead.stage_visit_ids.sorted("id")
                ],
            )
            for lead in leads
        ]

    def _import_all(self, *files):
        for model, name, columns in files:
            result = self._import(model, SAMPLES / name, columns)
            self.assertEqual([m for m in result["messages"] if m["type"] == "error"], [], name)

    def test_salesforce(self):
        self._make_type("Salesforce Deals", "Prospecting", "Proposal", "Closed Won")
        self._make_records("Blue Water Ltd", "Green Farm")
        opportunities = {
            "Opportunity ID": "id",
            "Opportunity Name": "name",
            "Type": "opportunity_type_id",
            "Account Name": "partner_id",
            "Amount": "expected_revenue",
            "Close Date": "date_deadline",
        }
        history = {
            "Opportunity ID": "lead_id/id",
            "Stage": "stage_id",
            "Result": "outcome",
            "Loss Reason": "lost_reason_id",
            "Last Modified": "date_start",
            "Last Modified By": "moved_by_id",
            "Amount": "expected_revenue",
        }
        self._import_all(
            ("crm.lead", "salesforce_opportunities.csv", opportunities),
            ("crm.stage.visit.import", "salesforce_history.csv", history),
        )
        self.assertEqual(
            self._get_histories("0065e00001AAAAA", "0065e00001BBBBB", "0065e00001CCCCC"),
            [
                ("pending", False, [("Prospecting", "2025-01-08", "advanced"), ("Proposal", "2025-03-20", "open")]),
                (
                    "won",
                    False,
                    [
                        ("Prospecting", "2024-12-02", "advanced"),
                        ("Proposal", "2025-01-15", "won"),
                        ("Closed Won", "2025-02-12", "won"),
                    ],
                ),
                ("lost", "Too expensive", [("Prospecting", "2025-01-20", "lost")]),
            ],
        )

    def test_hubspot(self):
        """The wide file and the long one that is made of it say the same."""
        with open(SAMPLES / "hubspot_deals.csv") as file:
            deals = list(csv.DictReader(file))
        with open(SAMPLES / "hubspot_history.csv") as file:
            history = list(csv.DictReader(file))
        columns = [column for column in deals[0] if column.startswith("Date entered ")]
        expected = [
            {
                "Record ID": deal["Record ID"],
                "Stage": "" if column.endswith("Lost") else column.removeprefix("Date entered "),
                "Entered": deal[column],
                "Result": "Lost" if column.endswith("Lost") else "",
                "Lost Reason": deal["Closed Lost Reason"] if column.endswith("Lost") else "",
            }
            for column in columns
            for deal in deals
            if deal[column]
        ]
        self.assertEqual(history, expected)
        self._make_type("HubSpot Deals", "Appointment Scheduled", "Contract Sent", "Closed Deal")
        self._make_records()
        file = self._write_deals(deals)
        columns = {
            "Record ID": "id",
            "Deal Name": "name",
            "Pipeline": "opportunity_type_id",
            "Amount": "expected_revenue",
            "Close Date": "date_deadline",
        }
        history = {
            "Record ID": "lead_id/id",
            "Stage": "stage_id",
            "Entered": "date_start",
            "Result": "outcome",
            "Lost Reason": "lost_reason_id",
        }
        self._import("crm.lead", file, columns)
        self._import_all(("crm.stage.visit.import", "hubspot_history.csv", history))
        self.assertEqual(
            [
                (status, [stage for stage, _date, _outcome in visits])
                for status, _reason, visits in self._get_histories("9001", "9002", "9003")
            ],
            [
                ("pending", ["Appointment Scheduled", "Contract Sent"]),
                ("won", ["Appointment Scheduled", "Contract Sent", "Closed Deal"]),
                ("lost", ["Appointment Scheduled"]),
            ],
        )

    def _write_deals(self, deals):
        """Leave out what the history says."""
        names = [name for name in deals[0] if not name.startswith(("Date entered ", "Closed Lost"))]
        text = io.StringIO()
        writer = csv.DictWriter(text, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(deals)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        file = Path(folder.name, "deals.csv")
        file.write_text(text.getvalue())
        return file

    def test_u8(self):
        self._make_type("U8销售机会", "初步接洽", "方案报价", "成交")
        self._make_records("青岛饮料厂", "济南食品")
        opportunities = {
            "销售机会编号": "id",
            "销售机会名称": "name",
            "销售机会类型": "opportunity_type_id",
            "客户": "partner_id",
            "预计截至日期": "date_deadline",
            "预期收入": "expected_revenue",
        }
        history = {
            "销售机会编号": "lead_id/id",
            "阶段": "stage_id",
            "升迁日期": "date_start",
            "结果": "outcome",
            "丢单原因": "lost_reason_id",
            "备注": "reason",
        }
        self._import_all(
            ("crm.lead", "u8_opportunities.csv", opportunities),
            ("crm.stage.visit.import", "u8_promotions.csv", history),
        )
        self.assertEqual(
            [
                (status, len(visits))
                for status, _reason, visits in self._get_histories("XS-2025-0101", "XS-2025-0102", "XS-2025-0103")
            ],
            [("pending", 2), ("won", 3), ("lost", 2)],
        )


class TestImportedHistory(TransactionCase):
    def test_doctests(self):
        self.assertEqual(doctest.testmod(imported_history).failed, 0)


@tagged("post_install", "-at_install")
class TestHistoryImport(ImportCase):
    def test_open_opportunity(self):
        lead = self._create_opportunity(expected_revenue=700)
        result = self._load(
            (lead, self.stage_contact, "2025-01-10 08:00:00"), (lead, self.stage_needs, "2025-02-01 09:30:00")
        )
        self.assertEqual(result["messages"], [])
        self.assertEqual(
            self._visits(lead),
            [
                (self.stage_contact, datetime(2025, 1, 10, 8), datetime(2025, 2, 1, 9, 30), "advanced", "imported"),
                (self.stage_needs, datetime(2025, 2, 1, 9, 30), False, "open", "imported"),
            ],
        )
        self.assertEqual(result["ids"], lead.sudo().stage_visit_ids.sorted("id").ids)
        self.assertEqual(lead.create_date, datetime(2025, 1, 10, 8))
        self.assertEqual(lead.date_last_stage_update, datetime(2025, 2, 1, 9, 30))
        self.assertEqual(lead.sudo().stage_visit_ids.mapped("expected_revenue"), [700, 700])
        self.assertEqual(lead.furthest_stage_id, self.stage_needs)

    def test_goes_on_from_there(self):
        """The next move ends the imported visit."""
        lead = self._create_opportunity()
        self._load((lead, self.stage_solution, "2025-01-10 08:00:00"))
        self.assertEqual(lead.stage_id, self.stage_solution)
        lead.stage_id = self.stage_contact
        self.assertEqual([visit[3:] for visit in self._visits(lead)], [("regressed", "imported"), ("open", "manual")])

    def test_won(self):
        lead = self._create_opportunity()
        self._load((lead, self.stage_closing, "2025-01-10 08:00:00"), (lead, self.stage_won, "2025-01-20 08:00:00"))
        at = datetime(2025, 1, 20, 8)
        self.assertEqual(
            self._visits(lead),
            [
                (self.stage_closing, datetime(2025, 1, 10, 8), at, "won", "imported"),
                (self.stage_won, at, at, "won", "imported"),
            ],
        )
        self.assertEqual((lead.date_closed, lead.day_close), (at, 10))

    def test_lost(self):
        for rows in (
            [("2025-01-10 08:00:00", "2025-03-01 12:00:00", "lost")],
            [("2025-01-10 08:00:00",), (None, "2025-03-01 12:00:00", None, "lost")],
        ):
            with self.subTest(rows=len(rows)):
                lead = self._create_opportunity()
                lead.action_set_lost()
                first, *others = rows
                result = self._load((lead, self.stage_needs, *first), *((lead, *other) for other in others))
                self.assertEqual(result["messages"], [])
                self.assertEqual(
                    self._visits(lead),
                    [(self.stage_needs, datetime(2025, 1, 10, 8), datetime(2025, 3, 1, 12), "lost", "imported")],
                )
                self.assertEqual(lead.date_closed, datetime(2025, 3, 1, 12))

    def test_lost_and_reopened(self):
        lead = self._create_opportunity()
        result = self._load(
            (lead, self.stage_needs, "2025-01-10 08:00:00", "2025-02-01 08:00:00", "lost"),
            (lead, self.stage_needs, "2025-04-01 08:00:00"),
        )
        self.assertEqual(result["messages"], [])
        self.assertEqual([visit[3] for visit in self._visits(lead)], ["lost", "open"])

    def test_funnel_counts_it(self):
        lead = self._create_opportunity(user_id=self.salesman.id)
        self._load((lead, self.stage_contact, "2025-01-10 08:00:00"), (lead, self.stage_won, "2025-01-20 08:00:00"))
        self.env.flush_all()
        rows = self.env["crm.funnel.report"].with_user(self.manager).search([("lead_id", "=", lead.id)])
        figures = {row.stage_id: (row.reached, row.touched, row.won) for row in rows}
        self.assertEqual(figures[self.stage_contact][:2], (1, 1))
        self.assertEqual(figures[self.stage_needs][:2], (1, 0), "passed over")
        self.assertEqual(figures[self.stage_won], (1, 1, 1))

    def test_same_file_again_writes_nothing(self):
        lead = self._create_opportunity()
        rows = [(lead, self.stage_contact, "2025-01-10 08:00:00"), (lead, self.stage_needs, "2025-02-01 09:30:00")]
        first = self._load(*rows)["ids"]
        self.assertEqual(self._load(*rows)["ids"], first)

    def test_corrected_file_replaces(self):
        lead = self._create_opportunity()
        self._load((lead, self.stage_needs, "2025-01-10 08:00:00"))
        self._load((lead, self.stage_needs, "2025-01-11 08:00:00"))
        self.assertEqual([visit[1] for visit in self._visits(lead)], [datetime(2025, 1, 11, 8)])

    def test_activities_stay_with_their_stage(self):
        """What was planned or done in a stage counts there still."""
        lead = self._create_opportunity(opportunity_type_id=self.type_project.id)
        planned = lead.activity_schedule(activity_type_id=self.act_email.id, user_id=self.salesman.id)
        self._load((lead, self.stage_contact, "2025-01-10 08:00:00"), (lead, self.stage_needs, "2025-02-10 08:00:00"))
        self.assertEqual(planned.sudo().stage_visit_id.stage_id, self.stage_contact)
        self.assertTrue(planned.exists())

    # ------------------------------------------------------------
    # Refused as a whole
    # ------------------------------------------------------------

    def test_all_faulty_rows_are_reported(self):
        """Nothing is imported, and each faulty row is named with its opportunity."""
        good = self._create_opportunity("Good")
        wrong = self._create_opportunity("Wrong")
        lost = self._create_opportunity("Lost")
        lost.action_set_lost()
        before = {lead: self._visits(lead) for lead in (good, wrong, lost)}
        result = self._load(
            (good, self.stage_needs, "2025-01-10 08:00:00"),
            (wrong, self.stage_contact, "2025-01-10 08:00:00", "2025-03-01 00:00:00"),
            (wrong, self.stage_quick, "2025-02-01 08:00:00"),
            (wrong, self.stage_needs, "2999-01-01 08:00:00"),
            (lost, self.stage_needs, "2025-01-10 08:00:00", "2025-01-09 08:00:00", "lost"),
        )
        self.assertFalse(result["ids"])
        rows = self._errors(result)
        self.assertEqual(sorted({row for row, _text in rows}), [1, 2, 3, 4])
        texts = " ".join(text for _row, text in rows)
        self.assertIn("Contact is left after the next stage is entered in row 3", texts)
        self.assertIn("Asked is not a stage of Plant, the opportunity type of Wrong", texts)
        self.assertIn("Wrong: the date is in the future", texts)
        self.assertIn("Lost: Left is before Entered", texts)
        self.assertEqual(before, {lead: self._visits(lead) for lead in (good, wrong, lost)})

    def test_unknown_and_missing_values(self):
        names = ["lead_id", "stage_id", "date_start"]
        lead = self._create_opportunity("Known one")
        rows = [
            ["Known one", "No such stage", "2025-01-10 08:00:00"],
            ["No such opportunity", "Needs", "2025-01-10 08:00:00"],
            ["Known one", "Needs", ""],
            ["Known one", "Needs", "yesterday"],
        ]
        result = self.env["crm.stage.visit.import"].with_user(self.manager).load(names, rows)
        self.assertFalse(result["ids"])
        self.assertEqual(sorted({row for row, _text in self._errors(result)}), [0, 1, 2, 3])
        self.assertEqual([visit[4] for visit in self._visits(lead)], ["create"])

    def test_moves_to_the_last_stage_past_the_rules(self):
        lead = self._create_opportunity(stage_id=self.stage_contact.id)
        self.assertTrue(lead._get_missing_rules(self.stage_closing))
        self._load((lead, self.stage_contact, "2025-01-10 08:00:00"), (lead, self.stage_closing, "2025-01-20 08:00:00"))
        self.assertEqual((lead.stage_id, lead.probability), (self.stage_closing, 75))

    def test_history_is_past_what_the_type_requires(self):
        """A deal won long ago has no order in Odoo, and nobody knows why it was moved back."""
        self.type_project.write({"require_won_order": True, "require_won_reason": True, "require_back_reason": True})
        won, back = self._create_opportunity("Won"), self._create_opportunity("Back")
        self._force(back, self.stage_needs)
        back.sudo().stage_visit_ids._as_ledger().write({"trigger": "imported"})
        result = self._load(
            (won, self.stage_contact, "2025-01-10 08:00:00"),
            (won, self.stage_won, "2025-01-20 08:00:00"),
            (back, self.stage_contact, "2025-01-10 08:00:00"),
        )
        self.assertEqual(result["messages"], [])
        self.assertEqual((won.won_status, back.stage_id), ("won", self.stage_contact))

    def test_loss_is_taken_from_the_file(self):
        lead = self._create_opportunity()
        reason = self.env["crm.lost.reason"].create({"name": "Price of the rival"})
        names = ["lead_id/.id", "stage_id", "date_start", "date_end", "outcome", "lost_reason_id"]
        row = [str(lead.id), "Needs", "2025-01-10 08:00:00", "2025-01-20 08:00:00", "Lost", "Price of the rival"]
        result = self.env["crm.stage.visit.import"].with_user(self.manager).load(names, [row])
        self.assertEqual(result["messages"], [])
        self.assertEqual((lead.won_status, lead.stage_id, lead.lost_reason_id), ("lost", self.stage_needs, reason))
        self.assertEqual(lead.date_closed, datetime(2025, 1, 20, 8))
        self.assertEqual(self._visits(lead)[0][3], "lost")

    def test_lost_in_odoo_and_not_in_the_file(self):
        lead = self._create_opportunity()
        lead.action_set_lost()
        ((_row, text),) = self._errors(self._load((lead, self.stage_needs, "2025-01-10 08:00:00")))
        self.assertIn("is lost in Odoo, but not in the file", text)

    def test_what_was_moved_in_odoo_is_not_replaced(self):
        lead = self._create_opportunity()
        lead.activity_schedule(activity_type_id=self.act_call.id, user_id=self.salesman.id).action_feedback()
        self.assertEqual(lead.stage_id, self.stage_needs)
        ((_row, text),) = self._errors(self._load((lead, self.stage_contact, "2025-01-10 08:00:00")))
        self.assertIn("has already been moved in Odoo", text)

    def test_lead_has_no_history(self):
        lead = self.env["crm.lead"].create({"name": "A lead", "type": "lead"})
        ((_row, text),) = self._errors(self._load((lead, self.stage_contact, "2025-01-10 08:00:00")))
        self.assertIn("A lead is a lead", text)

    def test_loss_of_nothing(self):
        lead = self._create_opportunity()
        ((_row, text),) = self._errors(self._load((lead, None, "2025-01-10 08:00:00", None, "lost")))
        self.assertIn("There is none", text)

    def test_rows_of_one_opportunity_may_be_apart(self):
        """Odoo reads long files in parts; the rows of an opportunity are checked together all the same."""
        leads = [self._create_opportunity(f"Deal {i}") for i in range(3)]
        rows = [(lead, self.stage_contact, "2025-01-10 08:00:00") for lead in leads]
        rows += [(lead, self.stage_needs, "2025-02-10 08:00:00") for lead in leads]
        importer = self.env["crm.stage.visit.import"].with_context(_import_limit=2)
        with_limit = importer.with_user(self.manager)
        names = ["lead_id/.id", "stage_id/.id", "date_start"]
        result = with_limit.load(names, [[str(lead.id), str(stage.id), date] for lead, stage, date in rows])
        self.assertEqual((result["messages"], result["nextrow"], len(result["ids"])), ([], 0, 6))

    # ------------------------------------------------------------
    # Who may
    # ------------------------------------------------------------

    def test_only_sales_administrators(self):
        lead = self._create_opportunity()
        for user in (self.salesman, self.supervisor, self.employee):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._load((lead, self.stage_needs, "2025-01-10 08:00:00"), user=user)

    def test_imported_visits_are_a_ledger(self):
        lead = self._create_opportunity()
        self._load((lead, self.stage_needs, "2025-01-10 08:00:00"))
        for user in (self.manager, self.env.user):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                lead.stage_visit_ids.with_user(user).sudo().write({"date_start": datetime(2020, 1, 1)})
