from contextlib import contextmanager
from datetime import datetime

from odoo.tests import new_test_user, tagged
from odoo.tests.common import TransactionCase
from odoo.tools import SQL, convert_file
from odoo.tools.sql import column_exists, table_exists

from odoo.addons.sales_opportunity_stages.hooks import (
    STANDARD_TYPE,
    post_init_hook,
    pre_init_hook,
)

ENTERED = datetime(2025, 3, 1, 8)
CLOSED = datetime(2025, 3, 11, 20)
PLANNED_BEFORE = datetime(2025, 2, 1)
PLANNED_SINCE = datetime(2025, 3, 2)


@tagged("post_install", "-at_install")
class TestInstall(TransactionCase):
    """Installing into a database that is in use: everything becomes Standard Sale and goes on as before.

    The records of the test are taken back to what they are without the add-on, then the hooks run.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.standard = cls.env.ref(STANDARD_TYPE)
        cls.salesman = new_test_user(
            cls.env,
            "sos_installer",
            groups="sales_team.group_sale_salesman",
            context={"no_reset_password": True},
        )
        cls.stages = cls.env["crm.stage"].create(
            [{"name": name, "sequence": 2000 + index} for index, name in enumerate(("Asked", "Offered", "Agreed"))]
        )
        cls.stage_won = cls.env["crm.stage"].create({"name": "Signed", "sequence": 2010, "is_won": True})
        cls.raw = cls.env["crm.lead"].create({"name": "Raw", "type": "lead"})
        cls.pending, cls.won, cls.lost, cls.archived = cls._create_opportunities(4)
        cls.won.write({"stage_id": cls.stage_won.id})
        cls.lost.action_set_lost()
        cls.archived.action_archive()
        cls.opportunities = cls.pending + cls.won + cls.lost + cls.archived

    @classmethod
    def _create_opportunities(cls, count):
        return cls.env["crm.lead"].create(
            [
                {
                    "name": f"Old {index}",
                    "type": "opportunity",
                    "stage_id": cls.stages[1].id,
                    "user_id": cls.salesman.id,
                    "expected_revenue": 70,
                }
                for index in range(count)
            ]
        )

    def _forget_the_addon(self, leads):
        """What a database has in which the add-on was never installed."""
        self.env.flush_all()
        ids, stage_ids = leads.ids, (self.stages + self.stage_won).ids
        for query in (
            SQL("DELETE FROM crm_stage_visit WHERE lead_id = ANY(%s)", ids),
            SQL("DELETE FROM crm_opportunity_type_stage_rel WHERE stage_id = ANY(%s)", stage_ids),
            SQL("UPDATE crm_stage SET probability = NULL WHERE id = ANY(%s)", stage_ids),
            SQL(
                "UPDATE crm_lead SET opportunity_type_id = NULL, furthest_stage_id = NULL, date_last_stage_update = %s,"
                " date_closed = CASE WHEN won_status = 'pending' THEN NULL ELSE %s END WHERE id = ANY(%s)",
                ENTERED,
                CLOSED,
                ids,
            ),
        ):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.env.registry.clear_cache()

    def _install(self, leads):
        self._forget_the_addon(leads)
        post_init_hook(self.env)

    def _get_visit(self, lead):
        """The only visit, as a tuple."""
        visit = lead.stage_visit_ids.ensure_one()
        self.assertEqual((visit.trigger, visit.user_id, visit.expected_revenue), ("reconstructed", self.salesman, 70))
        self.assertEqual((visit.opportunity_type_id, visit.stage_id), (self.standard, lead.stage_id))
        return visit.outcome, visit.date_start, visit.date_end, visit.duration_days

    # ------------------------------------------------------------
    # After the tables are there
    # ------------------------------------------------------------

    def test_stages_get_the_type_and_spread_probabilities(self):
        self._install(self.opportunities)
        stages = self.stages + self.stage_won
        self.assertEqual(stages.mapped("opportunity_type_ids"), self.standard)
        self.assertFalse(self.env["crm.stage"].search([("opportunity_type_ids", "=", False)]))
        probabilities = self.stages.mapped("probability")
        self.assertEqual(probabilities, sorted(set(probabilities)), "each step is a better chance than the one before")
        self.assertTrue(probabilities[0] > 0 and probabilities[-1] < 100)
        self.assertEqual(self.stage_won.probability, 100)

    def test_a_stage_that_has_a_probability_keeps_it(self):
        self._forget_the_addon(self.opportunities)
        self.env.cr.execute(SQL("UPDATE crm_stage SET probability = 42 WHERE id = %s", self.stages[0].id))
        post_init_hook(self.env)
        self.assertEqual(self.stages[0].probability, 42)

    def test_opportunities_get_the_type_and_leads_none(self):
        self._install(self.opportunities + self.raw)
        self.assertEqual(self.opportunities.opportunity_type_id, self.standard)
        for lead in self.opportunities:
            self.assertEqual(lead.furthest_stage_id, lead.stage_id)
        self.assertFalse(self.raw.opportunity_type_id)
        self.assertFalse(self.raw.furthest_stage_id)
        self.assertFalse(self.raw.stage_visit_ids)

    def test_an_open_opportunity_has_an_open_visit(self):
        self._install(self.opportunities)
        self.assertEqual(self._get_visit(self.pending), ("open", ENTERED, False, 0))
        self.assertEqual(self._get_visit(self.archived), ("open", ENTERED, False, 0), "archived is not lost")

    def test_a_won_opportunity_has_come_to_its_end(self):
        self._install(self.opportunities)
        self.assertEqual(self._get_visit(self.won), ("won", ENTERED, ENTERED, 0))

    def test_a_lost_opportunity_was_lost_when_it_was_closed(self):
        self._install(self.opportunities)
        self.assertEqual(self._get_visit(self.lost), ("lost", ENTERED, CLOSED, 10.5))

    def test_a_loss_without_a_date_ends_at_once(self):
        self._forget_the_addon(self.opportunities)
        self.env.cr.execute(SQL("UPDATE crm_lead SET date_closed = NULL WHERE id = %s", self.lost.id))
        post_init_hook(self.env)
        self.assertEqual(self._get_visit(self.lost), ("lost", ENTERED, ENTERED, 0))

    def test_without_a_date_of_the_stage_the_opportunity_stands_there_since_it_was_made(self):
        self._forget_the_addon(self.opportunities)
        query = """
            UPDATE crm_lead
               SET date_last_stage_update = NULL, date_conversion = NULL, create_date = %s
             WHERE id = %s
        """
        self.env.cr.execute(SQL(query, PLANNED_BEFORE, self.pending.id))
        post_init_hook(self.env)
        self.assertEqual(self._get_visit(self.pending), ("open", PLANNED_BEFORE, False, 0))

    def test_planned_activities_belong_to_the_stay_that_they_were_planned_in(self):
        before, since = [
            self.pending.activity_schedule("mail.mail_activity_data_todo", user_id=self.salesman.id) for _ in range(2)
        ]
        for activity, date in ((before, PLANNED_BEFORE), (since, PLANNED_SINCE)):
            activity.flush_recordset()
            self.env.cr.execute(SQL("UPDATE mail_activity SET create_date = %s WHERE id = %s", date, activity.id))
        self._install(self.opportunities)
        self.assertFalse(before.stage_visit_id)
        self.assertEqual(since.stage_visit_id, self.pending.stage_visit_ids)

    def test_life_goes_on(self):
        """What was reconstructed is as good as what is logged."""
        self._install(self.opportunities)
        self.pending.with_user(self.salesman).action_promote()
        self.assertEqual(self.pending.stage_id, self.stages[2])
        self.assertEqual(self.pending.stage_visit_ids.sorted("id").mapped("outcome"), ["advanced", "open"])
        self.lost.action_restore()
        self.assertEqual(self.lost.stage_visit_ids.sorted("id").mapped("outcome"), ["lost", "open"])

    # ------------------------------------------------------------
    # Again, and on a large scale
    # ------------------------------------------------------------

    def _read_row_versions(self):
        """Where each row lies: it changes when the row is written, whatever is written."""
        self.env.flush_all()
        tables = ("crm_lead", "crm_stage", "crm_stage_visit", "mail_activity", "crm_opportunity_type_stage_rel")
        return {
            table: self.env.execute_query(SQL("SELECT ctid FROM %s ORDER BY ctid", SQL.identifier(table)))
            for table in tables
        }

    def test_again_nothing_changes(self):
        self.pending.activity_schedule("mail.mail_activity_data_todo", user_id=self.salesman.id)
        self._install(self.opportunities)
        before = self._read_row_versions()
        post_init_hook(self.env)
        self.assertEqual(self._read_row_versions(), before)

    def test_as_many_statements_for_many_opportunities_as_for_few(self):
        self._install(self.opportunities)
        many = self._create_opportunities(200)
        self._forget_the_addon(self.opportunities)
        few = self._count_statements()
        self._forget_the_addon(self.opportunities + many)
        with self.assertQueryCount(few):
            post_init_hook(self.env)
        self.assertEqual(many.opportunity_type_id, self.standard)
        self.assertEqual(set(many.stage_visit_ids.mapped("outcome")), {"open"})

    def _count_statements(self):
        before = self.env.cr.sql_log_count
        post_init_hook(self.env)
        return self.env.cr.sql_log_count - before

    # ------------------------------------------------------------
    # Before the tables are there
    # ------------------------------------------------------------

    @contextmanager
    def _without_columns(self, *names):
        self.env.flush_all()
        with self.env.cr.savepoint() as savepoint:
            for name in names:
                self.env.cr.execute(SQL("ALTER TABLE crm_lead DROP COLUMN %s", SQL.identifier(name)))
            yield
            savepoint.rollback()
        self.env.invalidate_all()

    def test_the_columns_are_made_empty(self):
        """Odoo would otherwise compute the type of each opportunity."""
        names = ("opportunity_type_id", "furthest_stage_id")
        with self._without_columns(*names):
            self.env.cr.execute("DROP TABLE crm_lead_collaborator_rel")
            for _ in range(2):
                pre_init_hook(self.env)
                for name in names:
                    self.assertTrue(column_exists(self.env.cr, "crm_lead", name))
                self.assertTrue(table_exists(self.env.cr, "crm_lead_collaborator_rel"))
            self.env.cr.execute("SELECT COUNT(opportunity_type_id) + COUNT(furthest_stage_id) FROM crm_lead")
            self.assertEqual(self.env.cr.fetchone(), (0,))


@tagged("post_install", "-at_install")
class TestOrderSourceOnInstall(TransactionCase):
    """Orders that were there before get the source that can be told from what is known of them."""

    def test_sources(self):
        customer = self.env["res.partner"].create({"name": "Acme"})
        lead = self.env["crm.lead"].create({"name": "Deal", "type": "opportunity"})
        typed, linked, sent, kept = self.env["sale.order"].create(
            [
                {"partner_id": customer.id},
                {"partner_id": customer.id, "opportunity_id": lead.id},
                {"partner_id": customer.id, "opportunity_id": lead.id},
                {"partner_id": customer.id},
            ]
        )
        sent.message_post(body="Sent", subtype_xmlid="sale.mt_order_sent")
        (typed | linked | sent | kept).action_confirm()
        self.env.flush_all()
        self.env.cr.execute(
            SQL("UPDATE sale_order SET order_source = NULL WHERE id = ANY(%s)", (typed | linked | sent).ids)
        )
        self.env.cr.execute(SQL("UPDATE sale_order SET order_source = 'other' WHERE id = %s", kept.id))
        self.env.invalidate_all()
        post_init_hook(self.env)
        self.assertEqual(
            [order.order_source for order in (typed, linked, sent, kept)],
            ["manual", "opportunity", "quotation", "other"],
        )


@tagged("post_install", "-at_install")
class TestUpgrade(TransactionCase):
    """What was shipped belongs to the users from the day of the installation."""

    def _ref(self, name):
        return self.env.ref(f"sales_opportunity_stages.{name}", raise_if_not_found=False)

    def _upgrade(self):
        for name in ("mail_activity_type", "crm_opportunity_type", "crm_stage", "crm_stage_rule", "ir_cron"):
            convert_file(self.env, "sales_opportunity_stages", f"data/{name}_data.xml", {}, "update", noupdate=True)

    def test_what_was_changed_stays(self):
        stage, rule, project = (
            self._ref(name) for name in ("stage_negotiation", "rule_needs_call", "opportunity_type_project")
        )
        stage.write({"name": "Haggling", "probability": 77})
        rule.required = True
        project.write({"name": "Plants", "probability_mode": "native"})
        self._ref("ir_cron_learn_probabilities").active = False
        self._upgrade()
        self.env.invalidate_all()
        self.assertEqual((stage.name, stage.probability, rule.required), ("Haggling", 77, True))
        self.assertEqual((project.name, project.probability_mode), ("Plants", "native"))
        self.assertFalse(self._ref("ir_cron_learn_probabilities").active)

    def test_what_was_deleted_stays_deleted(self):
        """A rule that came back would hold up everybody's opportunities."""
        self._ref("rule_needs_call").unlink()
        self._ref("stage_negotiation").unlink()
        self._upgrade()
        for name in ("rule_needs_call", "stage_negotiation", "rule_negotiation_round"):
            self.assertFalse(self._ref(name), name)

    def test_what_the_code_needs_comes_back(self):
        self._ref("mail_activity_type_approval").unlink()
        self._upgrade()
        self.assertTrue(self._ref("mail_activity_type_approval"))
