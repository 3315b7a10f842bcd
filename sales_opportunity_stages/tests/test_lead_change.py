from datetime import date, datetime
from unittest.mock import patch

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tools import SQL

from ..change_history import ChangeHistory
from ..models.opportunity.crm_lead_change import KEEP_YEARS, START
from .common import OpportunityStagesCase


class LeadChangeCase(OpportunityStagesCase):
    def _read(self, lead, *names):
        """The changes of a lead in order: (field, old, new, trigger), of some fields if named."""
        self.env.flush_all()
        rows = []
        for change in lead.sudo().lead_change_ids.sorted("id"):
            kind = {"expected_revenue": "amount", "probability": "amount", "date_deadline": "date"}
            suffix = kind.get(change.field_name, "record_id")
            rows.append((change.field_name, change[f"old_{suffix}"], change[f"new_{suffix}"], change.trigger))
        return [row for row in rows if not names or row[0] in names]


@freeze_time("2026-03-02 10:00:00")
class TestLeadChange(LeadChangeCase):
    """What is logged of a change, whatever way it comes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls._create_opportunity(expected_revenue=100, date_deadline="2026-04-01")

    def test_creation_is_no_change(self):
        self.assertEqual(self._read(self.lead), [])

    def test_a_write(self):
        self.lead.write({"expected_revenue": 120.55, "date_deadline": "2026-05-01"})
        self.assertEqual(
            self._read(self.lead),
            [
                ("expected_revenue", 100, 120.55, "manual"),
                ("date_deadline", date(2026, 4, 1), date(2026, 5, 1), "manual"),
            ],
        )
        revenue, deadline = self.lead.lead_change_ids.sorted("id")
        self.assertEqual((revenue.user_id, revenue.change_date), (self.salesman, datetime(2026, 3, 2, 10)))
        self.assertEqual((revenue.old_value, revenue.new_value), ("100.00", "120.55"))
        self.assertEqual((deadline.old_value, deadline.new_value), ("2026-04-01", "2026-05-01"))

    def test_what_stays_the_same_is_not_logged(self):
        self.lead.write({"expected_revenue": 100, "name": "Renamed", "priority": "2"})
        self.lead.write({"expected_revenue": 100.001})
        self.assertEqual(self._read(self.lead), [])

    def test_salesperson_team_and_type(self):
        team = self.env["crm.team"].create({"name": "Key Accounts"})
        self.lead.with_user(self.manager).write({"user_id": self.colleague.id, "team_id": team.id})
        self.lead.with_user(self.manager).opportunity_type_id = self.type_quick
        rows = self._read(self.lead, "user_id", "team_id", "opportunity_type_id")
        self.assertEqual(
            rows,
            [
                ("user_id", self.salesman.id, self.colleague.id, "manual"),
                ("team_id", self.team.id, team.id, "manual"),
                ("opportunity_type_id", self.type_project.id, self.type_quick.id, "manual"),
            ],
        )
        change = self.lead.lead_change_ids.filtered(lambda change: change.field_name == "user_id")
        self.assertEqual((change.old_user_id, change.new_user_id), (self.salesman, self.colleague))
        self.assertEqual((change.old_value, change.new_value), (self.salesman.name, self.colleague.name))
        self.assertEqual(change.user_id, self.manager)

    def test_a_stage_and_the_probability_that_follows_it(self):
        self._force(self.lead, self.stage_needs)
        self.assertEqual(
            self._read(self.lead),
            [
                ("probability", 10, 25, "forced"),
                ("stage_id", self.stage_contact.id, self.stage_needs.id, "forced"),
            ],
        )

    def test_an_automatic_promotion(self):
        self._complete(self.lead, self.act_call)
        self.assertEqual(
            self._read(self.lead, "stage_id"),
            [("stage_id", self.stage_contact.id, self.stage_needs.id, "automatic")],
        )

    def test_what_follows_from_a_written_value(self):
        """The stage follows the type: it was not written."""
        self.lead.with_user(self.manager).opportunity_type_id = self.type_quick
        self.assertEqual(
            self._read(self.lead, "stage_id"),
            [("stage_id", self.stage_contact.id, self.stage_quick.id, "automatic")],
        )

    def test_won_lost_and_restored(self):
        self.lead.action_set_lost()
        self.lead.action_restore()
        rows = self._read(self.lead, "probability")
        self.assertEqual((rows[0][1:3], rows[-1][2]), ((10, 0), 10))

    def test_lines_sum_up(self):
        """The revenue is computed from them, past any write of the opportunity."""
        product = self.env["product.product"].create({"name": "Pump"})
        self.lead.opportunity_line_ids = [Command.create({"product_id": product.id, "price_unit": 70})]
        self.env.flush_all()
        line = self.lead.opportunity_line_ids
        line.price_unit = 90
        self.env.flush_all()
        line.sudo().product_uom_qty = 2
        self.assertEqual(
            self._read(self.lead),
            [
                ("expected_revenue", 100, 70, "automatic"),
                ("expected_revenue", 70, 90, "automatic"),
                ("expected_revenue", 90, 180, "automatic"),
            ],
        )

    def test_a_chain(self):
        """Each row begins with what the one before it has left, whatever ways the changes come."""
        product = self.env["product.product"].create({"name": "Pump"})
        self.lead.expected_revenue = 5
        self.lead.write(
            {
                "expected_revenue": 7,
                "opportunity_line_ids": [Command.create({"product_id": product.id, "price_unit": 9})],
            }
        )
        self.lead.opportunity_line_ids.price_unit = 11
        self.lead.opportunity_line_ids.unlink()
        self.lead.expected_revenue = 13
        self._force(self.lead, self.stage_closing)
        self.lead.action_set_won()
        for name, first, last in (
            ("expected_revenue", 100, self.lead.expected_revenue),
            ("probability", 10, self.lead.probability),
            ("stage_id", self.stage_contact.id, self.lead.stage_id.id),
        ):
            with self.subTest(name=name):
                rows = self._read(self.lead, name)
                self.assertEqual(rows[0][1], first)
                self.assertEqual(rows[-1][2], last)
                self.assertEqual([row[2] for row in rows[:-1]], [row[1] for row in rows[1:]])

    def test_an_import(self):
        self.env["ir.model.data"].create(
            {"module": "__test__", "name": "lead", "model": "crm.lead", "res_id": self.lead.id}
        )
        Lead = self.env["crm.lead"].with_user(self.manager)
        result = Lead.load(["id", "expected_revenue"], [["__test__.lead", "333"]])
        self.assertTrue(result["ids"], result["messages"])
        self.assertEqual(self._read(self.lead), [("expected_revenue", 100, 333, "imported")])

    def test_a_merge(self):
        other = self._create_opportunity("Other", expected_revenue=40, date_deadline="2026-06-01")
        head = self.lead
        (head | other).with_user(self.manager).merge_opportunity()
        head = (head | other).exists()
        self.assertEqual(len(head), 1)
        self.assertFalse([row for row in self._read(head) if row[3] != "merge"])

    def test_a_scheduled_action(self):
        self.lead.with_user(1).expected_revenue = 9
        self.assertEqual(self._read(self.lead), [("expected_revenue", 100, 9, "automatic")])

    def test_the_nightly_scoring(self):
        lead = self._create_opportunity("Scored", opportunity_type_id=self.type_quick.id)
        self.env.flush_all()
        old, score = lead.probability, 77.77
        self.assertNotEqual(old, score)
        with (
            patch.object(
                self.registry["crm.lead"],
                "_pls_get_naive_bayes_probabilities",
                lambda leads, batch_mode=False, is_tooltip=False: (dict.fromkeys(leads.ids, score), {}),
            ),
            patch.object(self.registry["crm.lead"], "_pls_get_safe_start_date", lambda leads: date(2000, 1, 1)),
        ):
            self.env["crm.lead"]._update_automated_probabilities()
        self.assertEqual(lead.probability, score)
        self.assertEqual(self._read(lead), [("probability", old, score, "scoring")])

    def test_a_probability_that_is_computed(self):
        """Past any write: here because a tag is weighed."""
        lead = self._create_opportunity("Scored", opportunity_type_id=self.type_quick.id)
        self.env.flush_all()
        old = lead.probability
        with patch.object(
            self.registry["crm.lead"],
            "_pls_get_naive_bayes_probabilities",
            lambda leads, batch_mode=False, is_tooltip=False: (dict.fromkeys(leads.ids, 66.0), {}),
        ):
            self.env.add_to_compute(lead._fields["probability"], lead.sudo())
            self.env.flush_all()
        self.assertEqual(self._read(lead), [("probability", old, 66, "scoring")])

    def test_a_type_that_gives_probabilities(self):
        lead = self._create_opportunity("Scored", opportunity_type_id=self.type_quick.id)
        self.stage_quick.sudo().probability = 33
        self.env.flush_all()
        before = lead.probability
        self.type_quick.sudo().probability_mode = "stage"
        self.env.flush_all()
        if lead.probability != before:
            self.assertEqual(self._read(lead, "probability"), [("probability", before, lead.probability, "automatic")])

    def test_leads(self):
        """They are in no pipeline, until they are opportunities; what was one is logged on."""
        raw = self.env["crm.lead"].create({"name": "Raw", "type": "lead"})
        raw.write({"expected_revenue": 5, "user_id": self.salesman.id})
        raw.convert_opportunity(False)
        self.assertEqual(self._read(raw), [])
        raw.expected_revenue = 6
        raw.type = "lead"
        raw.expected_revenue = 7
        self.assertEqual([row[1:3] for row in self._read(raw, "expected_revenue")], [(5, 6), (6, 7)])

    def test_many(self):
        """One statement for any number."""
        counts = {}
        for count in (5, 60):
            leads = self._create_opportunities(count, expected_revenue=1).with_user(self.manager)
            leads.with_context(tracking_disable=True).write({"expected_revenue": 9, "date_deadline": "2026-06-01"})
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            with patch.object(type(self.env["crm.lead.change"]), "_log", lambda ledger, rows: None):
                leads.with_context(tracking_disable=True).write({"expected_revenue": 2, "date_deadline": "2026-07-01"})
                self.env.flush_all()
            without = self.env.cr.sql_log_count - before
            before = self.env.cr.sql_log_count
            leads.with_context(tracking_disable=True).write({"expected_revenue": 3, "date_deadline": "2026-08-01"})
            self.env.flush_all()
            counts[count] = self.env.cr.sql_log_count - before - without
        self.assertEqual(counts, {5: 1, 60: 1})

    # ------------------------------------------------------------
    # Nobody writes it by hand
    # ------------------------------------------------------------

    def test_nobody_writes_it(self):
        self.lead.expected_revenue = 5
        change = self.lead.lead_change_ids
        for user in (self.salesman, self.manager, self.env.ref("base.user_root"), self.env.ref("base.user_admin")):
            own = change.with_user(user)
            for operation in (
                lambda own=own: own.write({"new_amount": 1}),
                lambda own=own: own.sudo().write({"new_amount": 1}),
                lambda own=own: own.sudo().unlink(),
                lambda own=own: own.sudo().create({"lead_id": self.lead.id, "field_name": "stage_id"}),
            ):
                with self.assertRaises(AccessError):
                    operation()
        with self.assertRaises(AccessError):
            self.lead.with_user(self.manager).write({"lead_change_ids": [Command.clear()]})
        with self.assertRaises(AccessError):
            self.lead.with_user(self.manager).write({"lead_change_ids": [Command.delete(change.id)]})

    def test_it_goes_with_the_opportunity(self):
        self.lead.expected_revenue = 5
        change = self.lead.lead_change_ids
        self.lead.with_user(self.manager).unlink()
        self.assertFalse(change.exists())

    # ------------------------------------------------------------
    # Shown
    # ------------------------------------------------------------

    def test_texts(self):
        self.lead.write({"expected_revenue": 1234.5, "date_deadline": False, "probability": 33.3})
        texts = {change.field_name: (change.old_text, change.new_text) for change in self.lead.lead_change_ids}
        self.assertEqual(texts["date_deadline"], ("04/01/2026", ""))
        self.assertEqual(texts["probability"], ("10.00 %", "33.30 %"))
        self.assertIn("1,234.50", texts["expected_revenue"][1])

    def test_consistency(self):
        """What is written past Odoo is found."""
        self.lead.expected_revenue = 5
        self.lead.expected_revenue = 6
        self.env.flush_all()
        Consistency = self.env["sales.consistency"]

        def find():
            return [
                text for text, model, id_ in Consistency.get_findings() if (model, id_) == ("crm.lead", self.lead.id)
            ]

        self.assertFalse(find())
        self.env.cr.execute("UPDATE crm_lead SET expected_revenue = 7 WHERE id = %s", [self.lead.id])
        self.assertEqual(find(), ["has another amount, expected closing or stage than its last change has left"])
        self.env.cr.execute("UPDATE crm_lead SET expected_revenue = 6 WHERE id = %s", [self.lead.id])
        self.env.cr.execute("UPDATE crm_lead_change SET old_amount = 3 WHERE lead_id = %s", [self.lead.id])
        self.assertEqual(find(), ["has a change that begins with another value than the one before it has left"])

    # ------------------------------------------------------------
    # Cleaning
    # ------------------------------------------------------------

    def _set(self, key, value):
        self.env["ir.config_parameter"].sudo().set_param(key, value)

    def test_cleaning(self):
        for day, amount in (("2020-01-01", 1), ("2024-05-01", 2), ("2025-09-01", 3)):
            with freeze_time(day):
                self.lead.expected_revenue = amount
        self._set(START, "2019-01-01 00:00:00")
        Change = self.env["crm.lead.change"]
        self._set(KEEP_YEARS, "0")
        self.assertEqual(Change._gc_old_changes(), (0, 0))
        self._set(KEEP_YEARS, "1")
        self.assertGreaterEqual(Change._gc_old_changes()[0], 2)
        self.assertEqual([row[1:3] for row in self._read(self.lead)], [(2, 3)])
        self.assertEqual(Change._get_start(), datetime(2026, 3, 2, 10) - relativedelta(years=1))

    def test_the_ledger_began(self):
        self._set(START, "2026-02-03 04:05:06")
        self.env["crm.lead.change"].init()
        self.assertEqual(self.env["crm.lead.change"]._get_start(), datetime(2026, 2, 3, 4, 5, 6))


class TestChangeHistory(LeadChangeCase):
    """The ledger, filled from the chatter."""

    def _forget(self, leads):
        self.env.flush_all()
        self.env.cr.execute(SQL("DELETE FROM crm_lead_change WHERE lead_id = ANY(%s)", leads.ids))
        self.env.invalidate_all()

    def _track(self):
        """Odoo posts tracked values when the transaction ends."""
        self.env.flush_all()
        self.cr.precommit.run()

    def _rebuild(self):
        return ChangeHistory(self.env).rebuild()

    def test_the_same_as_logged(self):
        lead = self._create_opportunity(expected_revenue=100)
        self._track()
        for values in (
            {"expected_revenue": 120},
            {"user_id": self.colleague.id},
            {"expected_revenue": 90, "team_id": False},
        ):
            lead.with_user(self.manager).write(values)
            self._track()
        names = ("expected_revenue", "user_id", "team_id")
        logged = self._read(lead, *names)
        self.assertEqual(len(logged), 4)
        self._forget(lead)
        self._rebuild()
        self.assertEqual(sorted(map(str, self._read(lead))), sorted(str((*row[:3], "reconstructed")) for row in logged))
        change = lead.sudo().lead_change_ids.filtered(lambda change: change.field_name == "user_id")
        self.assertEqual((change.old_user_id, change.new_user_id), (self.salesman, self.colleague))
        self.assertEqual(change.user_id, self.manager)
        self.assertEqual(change.new_value, self.colleague.name)

    def test_again_nothing_changes(self):
        lead = self._create_opportunity(expected_revenue=100)
        self._track()
        lead.expected_revenue = 120
        self._track()
        self._forget(lead)
        self._rebuild()
        before = self._read(lead)
        self._rebuild()
        self.assertEqual(self._read(lead), before)
        self.assertEqual(len(before), 1)

    def test_gaps(self):
        """What was not tracked is dated when it came to light; the chain ends in the present."""
        lead = self._create_opportunity(expected_revenue=100)
        self._track()
        lead.expected_revenue = 120
        self._track()
        lead.with_context(tracking_disable=True).expected_revenue = 130
        self._track()
        lead.expected_revenue = 140
        self._track()
        lead.with_context(tracking_disable=True).expected_revenue = 150
        self._forget(lead)
        self._rebuild()
        self.assertEqual([row[1:3] for row in self._read(lead)], [(100, 120), (120, 130), (130, 140), (140, 150)])
