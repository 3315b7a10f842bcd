from odoo import fields
from odoo.modules import Manifest
from odoo.tests import TransactionCase, tagged
from odoo.tools import convert_file

from ..hooks import post_init_hook

MODULE = "sales_opportunity_stages"


@tagged("post_install", "-at_install")
class TestDemo(TransactionCase):
    """Odoo installs without demo data that fails to load, and says so only in the log."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.real_now = fields.Datetime.now()
        cls.admin = cls.env.ref("base.user_admin")
        cls.admin.group_ids |= cls.env.ref("sales_team.group_sale_manager")
        # As on installation: the hook, which gives Odoo's stages their type, comes after the demo.
        standard = cls._ref("opportunity_type_standard")
        standard.stage_ids.opportunity_type_ids = False
        for name in Manifest.for_addon(MODULE)["demo"]:
            convert_file(cls.env, MODULE, name, {}, "init", noupdate=False)
        cls.env.flush_all()
        cls.project = cls._ref("opportunity_type_project")
        cls.leads = cls.env["crm.lead"].with_context(active_test=False)
        cls.leads = cls.leads.search([("opportunity_type_id", "=", cls.project.id)])

    @classmethod
    def _ref(cls, name):
        return cls.env.ref(f"{MODULE}.{name}")

    def test_first_screen_tells_a_story(self):
        mine = self.leads.filtered(lambda lead: lead.user_id == self.admin and lead.active)
        self.assertEqual(mine.stage_id, self.project.stage_ids, "every stage has something to show")
        self.assertIn(True, mine.mapped("can_promote"))
        line = self._ref("lead_packaging_line").with_user(self.admin)
        self.assertEqual(line.stage_progress, "2/3")
        self.assertEqual(line.stage_checklist["items"][0]["user"], self.admin.name)
        self.assertGreaterEqual(len(self.leads.user_id), 3)

    def test_history_holds_together(self):
        findings = list(self.env["sales.consistency"].sudo().get_findings())
        self.assertFalse(findings)

    def test_history_lies_in_the_past_and_the_clock_goes_on(self):
        visits = self.leads.stage_visit_ids
        first = min(visits.mapped("date_start"))
        self.assertLess((self.real_now - first).days, 200)
        self.assertGreater((self.real_now - first).days, 120)
        self.assertLess(max(visits.mapped("date_start")), self.real_now)
        self.assertNotIn("reconstructed", visits.mapped("trigger"))
        self.assertEqual(self.leads[0].create_date, min(self.leads[0].stage_visit_ids.mapped("date_start")))
        self.assertGreaterEqual(fields.Datetime.now(), self.real_now)
        notes = self.leads.message_ids.filtered(lambda message: message.model == "crm.lead")
        self.assertLess(min(notes.mapped("date")), visits[0].date_start)

    def test_funnel_is_worth_reading(self):
        """Each stage is narrower than the one before, some are lost and some pending in each, and it says to whom."""
        rows = {
            stage: counts
            for stage, *counts in self.env["crm.funnel.report"]._read_group(
                [("lead_id", "in", self.leads.ids)],
                ["stage_id"],
                ["reached:sum", "lost_here:sum", "pending:sum"],
                order="stage_id",
            )
        }
        self.assertEqual(len(rows), len(self.project.stage_ids))
        reached = [counts[0] for counts in rows.values()]
        self.assertEqual(reached, sorted(set(reached), reverse=True))
        for stage, (_reached, lost, pending) in rows.items():
            if not stage.is_won:
                self.assertTrue(lost and pending, stage.name)
        lost = self.leads.filtered(lambda lead: lead.won_status == "lost")
        self.assertGreaterEqual(len(lost.lost_to_id), 3)
        self.assertGreaterEqual(len(lost.lost_reason_id), 4)

    def test_quotations_wait_are_blocked_and_are_closed(self):
        self.assertTrue(self._ref("order_packaging_line").awaits_approval)
        self.assertEqual(self._ref("order_packaging_line_first").approval_state, "closed")
        blocked = self.env["sale.credit.check"].search([("result", "=", "blocked")])
        self.assertIn(self._ref("order_huaxin_tanks"), blocked.order_ids)
        order = self._ref("order_huaxin_tanks")
        self.assertEqual((order.on_credit_hold, order.credit_request_ids.state), (True, "requested"))
        grant = self.env["sale.credit.grant"].search([("kind", "=", "temporary")])
        self.assertEqual(grant.unit_id, self._ref("partner_northwind"))
        won = self.leads.filtered(lambda lead: lead.won_status == "won")
        self.assertEqual(won.order_ids.mapped("state"), ["sale"] * len(won))
        self.assertIn("approved", won.order_ids.mapped("approval_state"))

    def test_hook_leaves_it_as_it_is(self):
        names = ["stage_id", "date_start", "date_end", "outcome", "trigger"]
        before = self.leads.stage_visit_ids.read(names)
        post_init_hook(self.env)
        self.assertEqual(self.leads.stage_visit_ids.read(names), before)

    def test_told_once(self):
        self.env["crm.opportunity.type"]._tell_demo_story()
        again = self.env["crm.lead"].with_context(active_test=False)
        self.assertEqual(again.search_count([("opportunity_type_id", "=", self.project.id)]), len(self.leads))
