import random
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.tests import new_test_user
from odoo.tools import SQL

from odoo.addons.sales_opportunity_stages import history
from odoo.addons.sales_opportunity_stages.hooks import STANDARD_TYPE, post_init_hook

from .funnel_common import STORIES
from .history_common import HistoryCase

BEGIN = datetime(2025, 1, 6, 8)
HISTORY_LOG = "odoo.addons.sales_opportunity_stages.history"


class TestHistory(HistoryCase):
    """What the chatter says of opportunities, told as visits."""

    def assertRebuilt(self, leads, *stories):
        """The visits are as they were logged, or as told."""
        logged = self._read_visits(leads)
        self._rebuild(leads)
        self.assertSound(leads)
        if stories:
            self.assertEqual([self._get_story(lead) for lead in leads], list(stories))
        else:
            self.assertEqual(self._read_visits(leads), logged)

    # ------------------------------------------------------------
    # As it was logged
    # ------------------------------------------------------------

    def test_worked_example(self):
        leads = self.Lead.union(*self._live_example().values())
        self.assertEqual(len(leads), len(STORIES))
        furthest = {lead: lead.furthest_stage_id for lead in leads}
        self.assertRebuilt(leads)
        self.assertEqual({lead: lead.furthest_stage_id for lead in leads}, furthest)
        story = "S2 02-05 advanced 02-10, S2 02-10 lost 02-20, S2 03-02 advanced 03-12, S3 03-12 advanced 03-22, "
        self.assertEqual(
            self._get_story(leads[6]), f"S1{story.removeprefix('S2')}S4 03-22 won 03-27, W 03-27 won 03-27"
        )

    def test_reopened_from_won(self):
        self.assertRebuilt(self._live("Deal", "S1 01-01, W 01-10, S3 01-12, W 01-15, S4 01-16, lost 01-20"))

    def test_moved_while_lost(self):
        """Time while lost belongs to no stage, whatever is written then."""
        lead = self._live("Deal", "S1 01-06, S2 01-08, lost 01-10")
        with self._at("2026-01-12 12:00:00"):
            lead.stage_id = self.s4
        with self._at("2026-01-14 12:00:00"):
            lead.action_restore()
        self.assertRebuilt(lead)
        self.assertEqual(self._get_story(lead), "S1 01-06 advanced 01-08, S2 01-08 lost 01-10, S4 01-14 open")

    def test_archived_is_not_lost(self):
        lead = self._live("Deal", "S1 01-06, S2 01-08, archived 01-10, S3 01-12, archived 01-13")
        self.assertRebuilt(lead)
        self.assertEqual(lead.stage_visit_ids.sorted("id")[-1].outcome, "open")

    def test_who_and_how_much_at_that_time(self):
        lead = self._live("Deal", "S1 01-06", expected_revenue=100)
        for day, values in enumerate(
            (
                {"user_id": self.colleague.id},
                {"stage_id": self.s2.id, "expected_revenue": 250.5},
                {"user_id": False, "expected_revenue": 0},
                {"stage_id": self.s3.id},
                {"expected_revenue": 300, "user_id": self.supervisor.id},
            ),
            7,
        ):
            with self._at(f"2026-01-{day:02d} 12:00:00"):
                lead.with_user(self.supervisor if day == 8 else self.manager).write(values)
        self.assertRebuilt(lead)
        visits = lead.sudo().stage_visit_ids.sorted("id")
        self.assertEqual(visits.mapped("expected_revenue"), [100, 250.5, 0])
        self.assertEqual([visit.user_id for visit in visits], [self.salesman, self.colleague, self.env["res.users"]])
        self.assertEqual([visit.moved_by_id for visit in visits], [self.manager, self.supervisor, self.manager])

    def test_moved_with_its_team(self):
        """Nobody has written the stage, and Odoo's date of the last move does not tell of it."""
        other = self.env["crm.team"].create({"name": "Inside Sales"})
        self.s2.team_ids = self.team
        lead = self._live("Deal", "S1 01-06, S2 01-08")
        moved = lead.date_last_stage_update
        with self._at("2026-01-10 12:00:00"):
            lead.team_id = other
        self.assertEqual((lead.stage_id, lead.date_last_stage_update), (self.s1, moved))
        self.assertRebuilt(lead)
        self.assertEqual(self._get_story(lead), "S1 01-06 advanced 01-08, S2 01-08 regressed 01-10, S1 01-10 open")

    def test_same_second(self):
        lead = self._live("Deal", "S1 01-06")
        with self._at("2026-01-08 12:00:00"):
            for stage in (self.s2, self.s4, self.s3):
                lead.stage_id = stage
                self._end_transaction()
        self.assertRebuilt(lead)

    def test_salesperson_who_was_deleted(self):
        user = new_test_user(
            self.env, "sos_gone", "sales_team.group_sale_salesman", context={"no_reset_password": True}
        )
        lead = self._live("Deal", "S1 01-06", user_id=user.id)
        with self._at("2026-01-07 12:00:00"):
            lead.user_id = self.salesman
        user.unlink()
        self.assertRebuilt(lead)
        self.assertFalse(lead.stage_visit_ids.user_id)

    # ------------------------------------------------------------
    # Leads
    # ------------------------------------------------------------

    def _convert(self, lead, moment):
        with self._at(moment):
            lead.with_context(convert_opportunity_type_id=self.type_funnel.id).convert_opportunity(False)

    def test_was_a_lead(self):
        """No visit before the conversion, be it that the lead moved or was lost."""
        lead = self._create("2026-01-05 12:00:00", type="lead")
        with self._at("2026-01-06 12:00:00"):
            lead.action_set_lost()
        with self._at("2026-01-07 12:00:00"):
            lead.action_restore()
        self._convert(lead, "2026-01-08 12:00:00")
        with self._at("2026-01-10 12:00:00"):
            lead.stage_id = self.s3
        self.assertRebuilt(lead)
        self.assertEqual(self._get_story(lead), "S1 01-08 advanced 01-10, S3 01-10 open")

    def test_lead_again(self):
        lead = self._live("Deal", "S1 01-06, S2 01-08")
        for day, type_ in ((10, "lead"), (12, "opportunity")):
            with self._at(f"2026-01-{day} 12:00:00"):
                lead.sudo().write({"type": type_, "opportunity_type_id": type_ != "lead" and self.type_funnel.id})
        self.assertRebuilt(lead)
        self.assertEqual(self._get_story(lead)[:46], "S1 01-06 advanced 01-08, S2 01-08 handoff 01-1")

    def test_lead_that_was_an_opportunity(self):
        lead = self._live("Deal", "S1 01-06, S2 01-08")
        with self._at("2026-01-10 12:00:00"):
            lead.sudo().write({"type": "lead", "opportunity_type_id": False})
        self.assertRebuilt(lead, "S1 01-06 advanced 01-08, S2 01-08 handoff 01-10")
        self.assertEqual(lead.stage_visit_ids.opportunity_type_id, self.env.ref(STANDARD_TYPE))
        self.assertFalse(lead.furthest_stage_id)

    def test_conversion_that_was_not_tracked(self):
        """Then there is Odoo's date of it."""
        lead = self._create("2026-01-05 12:00:00", type="lead")
        self._convert(lead, "2026-01-08 12:00:00")
        self._forget_tracking(lead)
        self.assertRebuilt(lead, "S1 01-08 open")

    # ------------------------------------------------------------
    # Merged
    # ------------------------------------------------------------

    def test_merged(self):
        """Odoo hands over the messages of what is merged: the head's visits are its own."""
        head = self._live("Head", "S1 01-06, S3 01-08", expected_revenue=30)
        tail = self._live("Tail", "S1 01-02, S2 01-04, S3 01-05, S2 01-07", expected_revenue=20)
        raw = self._create("2026-01-03 12:00:00", "Raw", type="lead")
        for lead in (tail, raw):
            with self._at("2026-01-09 12:00:00"):
                lead.user_id = self.colleague
        with self._at("2026-01-10 12:00:00"):
            merged = (head + tail + raw).merge_opportunity()
        self.assertEqual(merged, head)
        with self._at("2026-01-12 12:00:00"):
            head.stage_id = self.s4
        self.assertEqual(
            len(head.sudo().message_ids.tracking_value_ids.filtered(lambda v: v.field_id.name == "stage_id")), 5
        )
        self.assertRebuilt(head)

    # ------------------------------------------------------------
    # Less than was logged
    # ------------------------------------------------------------

    def test_only_what_a_transaction_comes_to_is_tracked(self):
        lead = self._live("Deal", "S1 01-06")
        with self._at("2026-01-08 12:00:00"):
            lead.stage_id = self.s2
            lead.stage_id = self.s4
        with self._at("2026-01-10 12:00:00"):
            lead.stage_id = self.s3
            lead.action_set_lost()
        self.assertRebuilt(lead, "S1 01-06 advanced 01-08, S4 01-08 regressed 01-10, S3 01-10 lost 01-10")

    def test_nothing_is_tracked_in_the_transaction_that_creates(self):
        with self._at("2026-01-06 12:00:00"):
            lead = self.Lead.create({"name": "Deal", "type": "opportunity", "opportunity_type_id": self.type_funnel.id})
            lead.stage_id = self.s3
        self.assertRebuilt(lead, "S3 01-06 open")

    def test_won_from_lost(self):
        """Odoo restores and moves it in one transaction."""
        lead = self._live("Deal", "S1 01-06, lost 01-08")
        with self._at("2026-01-10 12:00:00"):
            lead.action_set_won()
        self.assertEqual(len(lead.stage_visit_ids), 3)
        self.assertRebuilt(lead, "S1 01-06 lost 01-08, W 01-10 won 01-10")

    def test_handed_to_another_type(self):
        """What it has today counts: on installation there are no types yet."""
        lead = self._live("Deal", "S1 01-06, S2 01-08")
        with self._at("2026-01-10 12:00:00"):
            lead.sudo().opportunity_type_id = self.type_quick
        self.assertRebuilt(lead, "S1 01-06 advanced 01-08, S2 01-08 advanced 01-10, Asked 01-10 open")
        self.assertEqual(lead.stage_visit_ids.opportunity_type_id, self.type_quick)
        self.assertEqual(lead.furthest_stage_id, self.stage_quick)

    # ------------------------------------------------------------
    # Deleted stages
    # ------------------------------------------------------------

    def test_deleted_stage(self):
        ahead = self._live("Ahead", "S1 01-06, S2 01-08, S3 01-10")
        back = self._live("Back", "S3 01-06, S2 01-08, S1 01-10")
        lost = self._live("Lost", "S1 01-06, S2 01-08, lost 01-10, S1 01-12")
        two = self._live("Two", "S1 01-06, S2 01-07, S4 01-08, S3 01-10")
        (self.s2 + self.s4).unlink()
        self.assertRebuilt(
            ahead + back + lost + two,
            "S1 01-06 advanced 01-08, ? 01-08 advanced 01-10, S3 01-10 open",
            "S3 01-06 regressed 01-08, ? 01-08 advanced 01-10, S1 01-10 open",
            "S1 01-06 advanced 01-08, ? 01-08 lost 01-10, S1 01-12 open",
            "S1 01-06 advanced 01-07, ? 01-07 advanced 01-08, ? 01-08 advanced 01-10, S3 01-10 open",
        )

    def test_lost_where_the_stage_is_gone(self):
        lead = self._live("Deal", "S1 01-06, S2 01-08, lost 01-10")
        with self._at("2026-01-12 12:00:00"):
            lead.stage_id = self.s3
        self.s2.unlink()
        self.assertRebuilt(lead, "S1 01-06 advanced 01-08, ? 01-08 lost 01-10")
        self.assertEqual(lead.furthest_stage_id, self.s1)

    # ------------------------------------------------------------
    # What was not tracked, or not as it should be
    # ------------------------------------------------------------

    def test_without_tracking(self):
        """All that is known is where it stands, since when, and when it was closed."""
        leads = self.Lead.union(
            self._live("Open", "S1 01-06, S2 01-08"),
            self._live("Lost", "S1 01-06, S2 01-08, lost 01-10"),
            self._live("Won", "S1 01-06, W 01-08"),
        )
        self._forget_tracking(leads)
        query = "UPDATE crm_lead SET date_last_stage_update = '2026-01-08 12:00:00.5' WHERE id = ANY(%s)"
        self._execute(query, leads.ids)
        self.assertRebuilt(leads, "S2 01-08 open", "S2 01-08 lost 01-10", "W 01-08 won 01-08")

    def test_one_move_is_missing(self):
        """It came to light with the next one, or by where the opportunity stands."""
        between = self._live("Between", "S1 01-06, S2 01-08, S3 01-10, S4 01-12")
        last = self._live("Last", "S1 01-06, S2 01-08, S3 01-10, S4 01-12")
        self._get_trackings(between, "stage_id")[1].unlink()
        self._get_trackings(last, "stage_id")[2].unlink()
        query = "UPDATE crm_lead SET date_last_stage_update = '2026-01-12 12:00:00' WHERE id = ANY(%s)"
        self._execute(query, (between + last).ids)
        self.assertRebuilt(
            between + last,
            "S1 01-06 advanced 01-08, S2 01-08 advanced 01-12, S3 01-12 advanced 01-12, S4 01-12 open",
            "S1 01-06 advanced 01-08, S2 01-08 advanced 01-10, S3 01-10 advanced 01-12, S4 01-12 open",
        )

    def test_moved_by_a_statement(self):
        """Odoo knows of no date: it is that of the last move."""
        lead = self._live("Deal", "S1 01-06, S2 01-08")
        self._execute(
            "UPDATE crm_lead SET stage_id = %s, date_last_stage_update = NULL WHERE id = %s", self.s4.id, lead.id
        )
        self.assertRebuilt(lead, "S1 01-06 advanced 01-08, S2 01-08 advanced 01-08, S4 01-08 open")

    def test_loss_that_is_missing(self):
        lost = self._live("Lost", "S1 01-06, S2 01-08, lost 01-10")
        restored = self._live("Restored", "S1 01-06, S2 01-08, lost 01-10, S3 01-12")
        for lead in (lost, restored):
            loss = self._get_trackings(lead, "won_status")[0]
            loss.mail_message_id.tracking_value_ids.unlink()
        self.assertRebuilt(
            lost + restored,
            "S1 01-06 advanced 01-08, S2 01-08 lost 01-10",
            "S1 01-06 advanced 01-08, S2 01-08 lost 01-12, S3 01-12 open",
        )

    def test_stage_that_was_taken_away(self):
        lead = self._live("Deal", "S1 01-06, S2 01-08")
        self._get_trackings(lead, "stage_id")[0].write({"new_value_integer": 0})
        self._execute("UPDATE crm_lead SET date_last_stage_update = '2026-01-10 12:00:00' WHERE id = %s", lead.id)
        self.assertRebuilt(lead, "S1 01-06 regressed 01-08, S2 01-10 open")
        self._execute("UPDATE crm_lead SET stage_id = NULL WHERE id = %s", lead.id)
        self._rebuild(lead)
        self.assertEqual(self._get_story(lead), "S1 01-06 regressed 01-08")

    def test_values_that_are_missing(self):
        lead = self._live("Deal", "S1 01-06, S2 01-08, S3 01-10, lost 01-12")
        self._execute(
            "UPDATE mail_tracking_value SET old_value_integer = NULL, old_value_char = NULL, old_value_float = NULL"
            " WHERE id = ANY(%s)",
            self._get_trackings(lead).ids,
        )
        self.assertRebuilt(lead, "S2 01-08 advanced 01-10, S3 01-10 lost 01-12")

    def test_out_of_order(self):
        """The date counts, be it that the messages were written in another order."""
        lead = self._live("Deal", "S1 01-06, S2 01-08, S3 01-10, S4 01-12, S2 01-14")
        messages = self._get_trackings(lead, "stage_id").mail_message_id.sorted("id")
        dates = messages.mapped("date")
        told = [(message.subtype_id.id, message.tracking_value_ids) for message in messages]
        for message, date, (subtype_id, trackings) in zip(messages, reversed(dates), reversed(told), strict=True):
            message.write({"date": date, "subtype_id": subtype_id})
            trackings.mail_message_id = message
        self.assertEqual(messages.sorted("date").ids, messages[::-1].ids)
        self.assertRebuilt(lead)

    def test_message_without_a_date(self):
        """There is still the time at which the value was written."""
        lead = self._live("Deal", "S1 01-06, S2 01-08")
        tracking = self._get_trackings(lead, "stage_id")
        self._execute("UPDATE mail_tracking_value SET create_date = '2026-01-09 12:00:00' WHERE id = %s", tracking.id)
        self._execute("UPDATE mail_message SET date = NULL WHERE id = %s", tracking.mail_message_id.id)
        self.assertRebuilt(lead, "S1 01-06 advanced 01-09, S2 01-09 open")

    def test_older_than_the_record(self):
        """Messages that were imported with their dates tell more than the date of the import."""
        lead = self._live("Deal", "S1 01-06, S2 01-08, S3 01-10")
        self._execute("UPDATE crm_lead SET create_date = '2026-01-20 12:00:00' WHERE id = %s", lead.id)
        self.assertRebuilt(lead, "S1 01-08 advanced 01-08, S2 01-08 advanced 01-10, S3 01-10 open")

    def test_won_and_lost_before_that_was_tracked(self):
        """Older versions of Odoo tell it by the kind of message."""
        leads = self.Lead.union(
            self._live("Won", "S1 01-06, W 01-08, S3 01-10, W 01-12"),
            self._live("Lost", "S1 01-06, S2 01-08, lost 01-10"),
            self._live("Restored", "S1 01-06, lost 01-08, S1 01-10, S2 01-11, lost 01-12, S2 01-14"),
        )
        self._forget_tracking(leads, "won_status")
        self.assertRebuilt(leads)

    def test_another_language(self):
        """Odoo keeps the labels of selections in the language of who wrote them."""
        lead = self._live("Deal", "S1 01-06, lost 01-08, S1 01-10, W 01-12")
        raw = self._create("2026-01-05 12:00:00", "Raw", type="lead")
        self._convert(raw, "2026-01-08 12:00:00")
        words = {"lost": "输单", "won": "赢单", "pending": "进行中", "lead": "线索", "opportunity": "商机"}
        selections = self.env["ir.model.fields.selection"].search(
            [("field_id.model", "=", "crm.lead"), ("field_id.name", "in", ("won_status", "type"))]
        )
        self.assertEqual(set(selections.mapped("value")), set(words))
        for selection in selections:
            word = words[selection.value]
            query = "UPDATE ir_model_fields_selection SET name = name || JSONB_BUILD_OBJECT('zh_CN', %s) WHERE id = %s"
            self._execute(query, word, selection.id)
            for side in ("old", "new"):
                column = SQL.identifier(f"{side}_value_char")
                self._execute(
                    "UPDATE mail_tracking_value SET %s = %s WHERE %s = %s AND id = ANY(%s)",
                    *(column, word, column, selection.name, self._get_trackings(lead + raw).ids),
                )
        self._execute("UPDATE crm_lead SET date_conversion = NULL WHERE id = %s", raw.id)
        self.assertRebuilt(lead + raw)

    def test_labels_that_nobody_knows(self):
        lead = self._live("Deal", "S1 01-06, lost 01-08, S1 01-10, W 01-12")
        trackings = self._get_trackings(lead, "won_status")
        self._execute(
            "UPDATE mail_tracking_value SET old_value_char = 'Foo', new_value_char = 'Bar' WHERE id = ANY(%s)",
            trackings.ids,
        )
        self.assertRebuilt(lead)

    # ------------------------------------------------------------
    # As good as logged
    # ------------------------------------------------------------

    def test_life_goes_on(self):
        lead = self._live("Deal", "S1 01-06, S3 01-08, S2 01-10")
        self._rebuild(lead)
        with self._at("2026-01-12 12:00:00"):
            lead.stage_id = self.s3
        self.assertEqual(
            self._get_story(lead),
            "S1 01-06 advanced 01-08, S3 01-08 regressed 01-10, S2 01-10 advanced 01-12, S3 01-12 open",
        )
        self.assertEqual(lead.stage_visit_ids.sorted("id")[-1].trigger, "manual")

    def test_again_nothing_changes(self):
        leads = self.Lead.union(self._live("Moved", "S1 01-06, S2 01-08"), self._live("Still", "S1 01-06"))
        visits = self._rebuild(leads)
        with self.assertLogs(HISTORY_LOG) as logs:
            post_init_hook(self.env)
        self.env.invalidate_all()
        self.assertEqual(leads.sudo().stage_visit_ids.sorted("id"), visits)
        self.assertEqual(len(logs.output), 1, "no batch")

    def test_what_has_visits_keeps_them(self):
        kept, rebuilt = leads = self.Lead.union(
            self._live("Kept", "S1 01-06, S2 01-08"), self._live("Rebuilt", "S1 01-06, S2 01-08")
        )
        visits = kept.sudo().stage_visit_ids
        self._rebuild(rebuilt)
        self.assertEqual(kept.sudo().stage_visit_ids, visits)
        self.assertEqual(self._get_story(leads[0]), self._get_story(leads[1]))

    def test_progress_is_reported(self):
        leads = self.Lead.union(*(self._live(f"Deal {index}", "S1 01-06, S2 01-08") for index in range(5)))
        with patch.object(history, "BATCH_SIZE", 2), self.assertLogs(HISTORY_LOG) as logs:
            self._rebuild(leads)
        self.assertEqual(
            [record.getMessage().partition(": ")[2] for record in logs.records[1:]],
            [
                "2 of 5 opportunities have their history, 4 visits",
                "4 of 5 opportunities have their history, 8 visits",
                "5 of 5 opportunities have their history, 10 visits",
            ],
        )
        self.assertSound(leads)

    def test_statements_do_not_grow(self):
        history.StageHistory(self.env, self.env.ref(STANDARD_TYPE)).rebuild()  # what it looks up once is known then
        counts = []
        for number in (2, 30):
            leads = self.Lead.union(*(self._live(f"Deal {number}", "S1 01-06, S2 01-08") for _index in range(number)))
            self._forget_visits(leads)
            before = self.env.cr.sql_log_count
            history.StageHistory(self.env, self.env.ref(STANDARD_TYPE)).rebuild()
            counts.append(self.env.cr.sql_log_count - before)
            self.env.invalidate_all()
            self.assertEqual(len(leads.sudo().stage_visit_ids), 2 * number)
        self.assertEqual(*counts)


class TestRandomHistory(HistoryCase):
    """Any history that the API allows comes out as it was logged, and any damage to the chatter as something sound."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_team = cls.env["crm.team"].create({"name": "Inside Sales"})
        cls.s2.team_ids = cls.team
        cls.s4.team_ids = cls.other_team

    def _live_at_random(self, dice, name):
        """An opportunity through which a step is taken each day, about half of them a change of stage."""
        moment = BEGIN + timedelta(days=dice.randrange(30))
        is_lead = dice.random() < 0.3
        with self._at(moment):
            lead = self._create(moment, name, type="lead" if is_lead else "opportunity", expected_revenue=100)
        for _step in range(dice.randrange(9)):
            moment += timedelta(days=1, seconds=dice.randrange(3600))
            with self._at(moment):
                dice.choice(self._get_possible_steps(lead))(dice, lead)
        return lead

    def _get_possible_steps(self, lead):
        common = [self._change_salesperson, self._change_revenue]
        if not lead.active:
            return [*common, self._restore, self._restore, self._move]
        if lead.type == "lead":
            return [*common, self._convert, self._convert, self._lose]
        steps = [*common, self._move, self._move, self._move, self._change_team]
        return [*steps, *([] if lead.stage_id.is_won else [self._win, self._lose, self._archive, self._back_to_lead])]

    def _move(self, dice, lead):
        suitable = [s for s in self.stages if not s.team_ids or lead.team_id in s.team_ids]
        lead.stage_id = dice.choice([s for s in suitable if lead.active or not s.is_won])

    def _win(self, dice, lead):
        lead.action_set_won()

    def _lose(self, dice, lead):
        lead.action_set_lost(lost_reason_id=dice.choice([False, self.env["crm.lost.reason"].search([], limit=1).id]))

    def _archive(self, dice, lead):
        lead.active = False

    def _restore(self, dice, lead):
        dice.choice([lead.action_restore, lead.action_unarchive])()

    def _change_salesperson(self, dice, lead):
        lead.user_id = dice.choice([self.salesman, self.colleague, self.env["res.users"]])

    def _change_revenue(self, dice, lead):
        lead.expected_revenue = dice.randrange(1000) / 10

    def _change_team(self, dice, lead):
        lead.team_id = dice.choice([self.team, self.other_team])

    def _convert(self, dice, lead):
        lead.with_context(convert_opportunity_type_id=self.type_funnel.id).convert_opportunity(False)

    def _back_to_lead(self, dice, lead):
        lead.sudo().write({"type": "lead", "opportunity_type_id": False})

    def _make_random_histories(self, seed, number):
        dice = random.Random(seed)
        leads = self.Lead.union(*(self._live_at_random(dice, f"{seed}/{index}") for index in range(number)))
        for pair in [leads[start : start + 2] for start in range(0, number - 1, 10)]:  # of ten, two are merged
            with self._at(BEGIN + timedelta(days=60)):
                leads -= pair - pair.merge_opportunity()
        return leads

    def test_as_logged(self):
        leads = self._make_random_histories(seed=19, number=30)
        logged = self._read_visits(leads)
        self.assertGreater(len({visit["outcome"] for visits in logged.values() for visit in visits}), 5)
        opportunities = leads.filtered(lambda lead: lead.type == "opportunity")
        furthest = {lead: lead.furthest_stage_id for lead in opportunities}
        self._rebuild(leads)
        self.assertSound(leads)
        for name, visits in self._read_visits(leads).items():
            with self.subTest(lead=name):
                self.assertEqual(visits, logged[name])
        self.assertEqual({lead: lead.furthest_stage_id for lead in opportunities}, furthest)

    def test_damaged(self):
        leads = self._make_random_histories(seed=6, number=12)
        for seed in range(8):
            with self.subTest(seed=seed), self.env.cr.savepoint() as savepoint:
                self._forget_visits(leads)
                self._damage(random.Random(seed), leads)
                self._rebuild(leads)
                self.assertSound(leads)
                savepoint.rollback()
                self.env.invalidate_all()

    def _damage(self, dice, leads):
        """Lose, misdate, misplace and overwrite some of what is in the chatter and on the opportunities."""
        moments = [BEGIN + timedelta(days=dice.randrange(-30, 90)) for _index in range(5)] + [None]
        stage_ids = [*self.stages.ids, 0, 999_999, None]
        trackings = self._get_trackings(leads)
        moves, results, owners = (self._get_trackings(leads, name) for name in ("stage_id", "won_status", "user_id"))
        for records, choices in (
            (trackings.mail_message_id, {"date": moments, "message_id": [None, "<1-openerp-7-crm.lead@x>"]}),
            (trackings.mail_message_id, {"subject": ["From afar"], "res_id": leads.ids}),
            (trackings.mail_message_id, {"subtype_id": [None, self.env.ref("crm.mt_lead_lost").id]}),
            (moves, {"new_value_integer": stage_ids, "old_value_integer": stage_ids}),
            (results, {"new_value_char": ["Won", "Lost", "Bar", None]}),
            (trackings, {"old_value_char": ["Pending", "Lead", "Foo", None]}),
            (owners, {"new_value_integer": [999_999, None]}),
            (leads, {"create_date": moments, "date_last_stage_update": moments, "date_closed": moments}),
            (leads, {"stage_id": [*self.stages.ids, None], "won_status": ["won", "lost", "pending"]}),
            (leads, {"date_conversion": moments, "user_id": [None], "expected_revenue": [None]}),
        ):
            for name, values in choices.items():
                for record in dice.sample(records, len(records) // 4):
                    table, column = SQL.identifier(records._table), SQL.identifier(name)
                    self._execute("UPDATE %s SET %s = %s WHERE id = %s", table, column, dice.choice(values), record.id)
        trackings.browse(dice.sample(trackings.ids, len(trackings) // 5)).unlink()
