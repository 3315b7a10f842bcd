from datetime import datetime

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import AccessError

from .common import OpportunityStagesCase


class TestStageVisit(OpportunityStagesCase):
    """Every stay is recorded, and by nobody but the system."""

    def test_created_moved_won(self):
        with freeze_time("2026-01-01 10:00:00"):
            lead = self._create_opportunity(expected_revenue=80)
        visit = lead.stage_visit_ids
        self.assertEqual(
            (visit.trigger, visit.outcome, visit.user_id, visit.moved_by_id, visit.expected_revenue, visit.date_start),
            ("create", "open", self.salesman, self.salesman, 80, datetime(2026, 1, 1, 10)),
        )
        self.rule_call.promotes = False
        with freeze_time("2026-01-03 22:00:00"):
            self._complete(lead, self.act_call)
            lead.with_user(self.supervisor).action_promote()
        self.assertEqual(
            (visit.outcome, visit.date_end, visit.duration_days), ("advanced", datetime(2026, 1, 3, 22), 2.5)
        )
        self.assertEqual(lead.stage_visit_ids.sorted("id")[-1].moved_by_id, self.supervisor)
        with freeze_time("2026-01-04 00:00:00"):
            self._force(lead, self.stage_won)
        self.assertEqual(
            self._get_visits(lead),
            [
                (self.stage_contact, "advanced", "create"),
                (self.stage_needs, "won", "manual"),
                (self.stage_won, "won", "forced"),
            ],
        )
        last = lead.stage_visit_ids.sorted("id")[-1]
        self.assertEqual(last.date_start, last.date_end)
        self.assertEqual(last.duration_days, 0)
        self.assertEqual(lead.furthest_stage_id, self.stage_won)

    def test_back_keeps_the_furthest(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_solution)
        lead.write({"stage_id": self.stage_contact.id})
        self.assertEqual(
            [v[:2] for v in self._get_visits(lead)[1:]],
            [(self.stage_solution, "regressed"), (self.stage_contact, "open")],
        )
        self.assertEqual(lead.furthest_stage_id, self.stage_solution)

    def test_lost_and_reopened(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_needs)
        lead.action_set_lost()
        self.assertEqual(self._get_visits(lead)[-1][:2], (self.stage_needs, "lost"))
        self.assertFalse(lead.stage_visit_ids.filtered(lambda visit: not visit.date_end))
        lead.action_restore()
        self.assertEqual(self._get_visits(lead)[-1], (self.stage_needs, "open", "manual"))
        self.assertEqual(len(lead.stage_visit_ids), 3)

    def test_a_batch_of_all_kinds(self):
        common = {"type": "opportunity", "team_id": self.team.id, "opportunity_type_id": self.type_project.id}
        leads = self.env["crm.lead"].create(
            [
                {"name": "Open", **common},
                {"name": "Lost", "active": False, "probability": 0, **common},
                {"name": "Won", "stage_id": self.stage_won.id, "probability": 100, **common},
            ]
        )
        self.assertEqual([self._get_visits(lead)[0][1] for lead in leads], ["open", "lost", "won"])
        quick = self._create_opportunity(opportunity_type_id=self.type_quick.id)
        (leads[0] | quick).write({"active": False, "probability": 0})
        (leads[:2] | quick).write({"active": True, "probability": 30})
        self.assertEqual([self._get_visits(lead)[-1][1] for lead in (leads[0], quick)], ["open", "open"])
        leads = self.env["crm.lead"].create(
            [
                {"name": "Open", **common, "opportunity_type_id": self.type_quick.id},
                {
                    "name": "Lost",
                    **common,
                    "opportunity_type_id": self.type_quick.id,
                    "active": False,
                    "probability": 0,
                },
            ]
        )
        self.assertEqual([self._get_visits(lead)[0][1] for lead in leads], ["open", "lost"])

    def test_lost_by_wizard_and_by_plain_write(self):
        leads = self._create_opportunities(2)
        self.env["crm.lead.lost"].with_user(self.salesman).create(
            {"lead_ids": [Command.set(leads[0].ids)]}
        ).action_lost_reason_apply()
        leads[1].write({"active": False, "probability": 0})
        self.assertEqual([self._get_visits(lead)[-1][1] for lead in leads], ["lost", "lost"])

    def test_moved_back_while_lost(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_needs)
        lead.action_set_lost()
        lead.write({"stage_id": self.stage_contact.id})
        self.assertEqual(len(lead.stage_visit_ids), 2, "time while lost belongs to no stage")
        lead.action_unarchive()
        self.assertEqual(self._get_visits(lead)[-1][:2], (self.stage_contact, "open"))

    def test_archived_without_losing(self):
        lead = self._create_opportunity()
        lead.action_archive()
        self.assertEqual(lead.won_status, "pending")
        self.assertEqual(self._get_visits(lead), [(self.stage_contact, "open", "create")])
        lead.action_unarchive()
        self.assertEqual(len(lead.stage_visit_ids), 1)

    def test_reopened_from_won(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_won)
        lead.write({"stage_id": self.stage_closing.id})
        self.assertEqual(self._get_visits(lead)[-1], (self.stage_closing, "open", "manual"))
        self.assertEqual((lead.won_status, lead.furthest_stage_id), ("pending", self.stage_won))

    def test_no_visit_before_conversion(self):
        lead = (
            self.env["crm.lead"]
            .with_user(self.salesman)
            .create({"name": "Raw", "type": "lead", "team_id": self.team.id})
        )
        self.assertFalse(lead.stage_visit_ids)
        lead.convert_opportunity(self.env["res.partner"])
        self.assertEqual(self._get_visits(lead), [(self.stage_contact, "open", "create")])
        lead.write({"type": "lead"})
        self.assertEqual(self._get_visits(lead), [(self.stage_contact, "handoff", "create")])

    def test_nothing_is_logged_where_nothing_moves(self):
        lead = self._create_opportunity()
        lead.write({"stage_id": self.stage_contact.id})
        lead.write({"user_id": self.salesman.id, "team_id": self.team.id, "probability": 33})
        self.assertEqual(len(lead.stage_visit_ids), 1)

    def test_a_stage_becomes_won(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_closing)
        self.stage_closing.is_won = True
        self.assertEqual(self._get_visits(lead)[-1][:2], (self.stage_closing, "won"))
        self.stage_closing.is_won = False
        self.assertEqual(lead.won_status, "won" if lead.probability == 100 and lead.stage_id.is_won else "pending")
        self.assertEqual(self._get_visits(lead)[-1][:2], (self.stage_closing, "open"))

    def test_furthest_follows_the_order_of_the_stages(self):
        lead, other = self._create_opportunities(2)
        self._force(lead, self.stage_needs)
        self._force(lead, self.stage_solution)
        self.assertEqual(lead.furthest_stage_id, self.stage_solution)
        self.stage_needs.sequence = 1025
        self.assertEqual(lead.furthest_stage_id, self.stage_needs)
        self.assertEqual(other.furthest_stage_id, self.stage_contact)

    def test_furthest_follows_stages_moved_between_types(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_closing)
        lead.write({"stage_id": self.stage_contact.id})
        self.stage_closing.opportunity_type_ids = self.type_quick
        self.assertEqual(lead.furthest_stage_id, self.stage_contact)
        self.type_project.write({"stage_ids": [Command.link(self.stage_closing.id)]})
        self.assertEqual(lead.furthest_stage_id, self.stage_closing)

    def test_a_deleted_stage_leaves_the_log_standing(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_closing)
        lead.write({"stage_id": self.stage_contact.id})
        self.stage_closing.with_user(self.manager).unlink()
        self.env.invalidate_all()
        self.assertEqual(len(lead.stage_visit_ids), 3)
        self.assertEqual(lead.furthest_stage_id, self.stage_contact)

    def test_merge_keeps_the_head(self):
        head, tail = self._create_opportunities(2, partner_id=self.env["res.partner"].create({"name": "Acme"}).id)
        self._force(head, self.stage_needs)
        self._force(tail, self.stage_contact)
        activity = self._schedule(tail, self.act_email)
        visits = self._get_visits(head)
        merged = (head | tail).merge_opportunity()
        self.assertEqual(merged, head)
        self.assertEqual((head.stage_id, head.opportunity_type_id), (self.stage_needs, self.type_project))
        self.assertEqual(self._get_visits(head), visits)
        self.assertEqual((activity.res_id, activity.stage_visit_id.stage_id), (head.id, self.stage_needs))

    def test_merge_across_types_and_teams(self):
        team = self.env["crm.team"].create({"name": "Export"})
        self.stage_needs.team_ids = self.team
        head = self._create_opportunity("Head")
        tail = self._create_opportunity("Tail", opportunity_type_id=self.type_quick.id)
        self._force(head, self.stage_needs)
        merged = (tail | head).with_user(self.manager).merge_opportunity(team_id=team.id)
        self.assertEqual((merged, merged.opportunity_type_id), (head, self.type_project))
        self.assertEqual(merged.stage_id, self.stage_contact)

    # ------------------------------------------------------------
    # Nobody writes it
    # ------------------------------------------------------------

    def test_nobody_writes_it(self):
        lead = self._create_opportunity()
        visit = lead.stage_visit_ids
        values = {"lead_id": lead.id, "stage_id": self.stage_won.id, "date_start": "2020-01-01 00:00:00"}
        root = self.env.ref("base.user_root")
        for user in (self.salesman, self.manager, self.env.ref("base.user_admin"), root):
            visits = self.env["crm.stage.visit"].with_user(user)
            for records in (visits, visits.with_context(sales_server_tokens=True), visits.sudo()):
                with self.subTest(user=user.login):
                    with self.assertRaises(AccessError):
                        records.create(values)
                    with self.assertRaises(AccessError):
                        records.browse(visit.id).write({"reason": "forged"})
                    with self.assertRaises(AccessError):
                        records.browse(visit.id).unlink()
            with self.assertRaises(AccessError):
                lead.with_user(user).write({"stage_visit_ids": [Command.create(values)]})

    def test_defaults_in_a_context_are_not_written_into_it(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_needs)
        context = {"default_outcome": "won", "default_date_end": "2020-01-01 00:00:00", "default_trigger": "forced"}
        lead.with_context(**context).write({"stage_id": self.stage_contact.id})
        self.assertEqual(self._get_visits(lead)[-1], (self.stage_contact, "open", "manual"))
        self.assertFalse(lead.stage_visit_ids.sorted("id")[-1].date_end)

    def test_who_reads_it(self):
        mine = self._create_opportunity()
        other = self._create_opportunity(user=self.supervisor, user_id=self.supervisor.id)
        Visit = self.env["crm.stage.visit"]
        domain = [("lead_id", "in", (mine | other).ids)]
        self.assertEqual(Visit.with_user(self.salesman).search(domain).lead_id, mine)
        self.assertEqual(len(Visit.with_user(self.supervisor).search(domain)), 2)
        with self.assertRaises(AccessError):
            Visit.with_user(self.employee).search(domain)

    def test_other_companies(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        lead = self.env["crm.lead"].create(
            {"name": "There", "type": "opportunity", "company_id": company.id, "user_id": False, "team_id": False}
        )
        self.assertTrue(lead.stage_visit_ids)
        self.assertFalse(self.env["crm.stage.visit"].with_user(self.supervisor).search([("lead_id", "=", lead.id)]))


class TestStageProbability(OpportunityStagesCase):
    """Entering a stage gives its probability where the type says so; native scoring is left alone elsewhere."""

    def test_forward_and_back_over_a_manual_value(self):
        lead = self._create_opportunity()
        self.assertEqual(lead.probability, 10)
        lead.probability = 42
        self.assertEqual(lead.probability, 42)
        lead.write({"name": "Renamed", "country_id": self.env.ref("base.cn").id})
        self.env.flush_all()
        self.assertEqual(lead.probability, 42, "a manual value holds until the next move")
        self._force(lead, self.stage_solution)
        self.assertEqual(lead.probability, 50)
        lead.write({"stage_id": self.stage_contact.id})
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(lead.probability, 10)

    def test_won_lost_and_restored(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_won)
        self.assertEqual(lead.probability, 100)
        lead.write({"stage_id": self.stage_closing.id})
        self.assertEqual(lead.probability, 75)
        lead.action_set_lost()
        self.assertEqual(lead.probability, 0)
        lead.action_restore()
        self.env.flush_all()
        self.assertEqual(lead.probability, 75)

    def test_silent_move(self):
        self.stage_contact.team_ids = self.team
        self.rule_call.required = False
        lead = self._create_opportunity()
        lead.write({"team_id": self.env["crm.team"].create({"name": "Export"}).id})
        self.assertEqual((lead.stage_id, lead.probability), (self.stage_needs, 25))

    def test_in_a_batch_of_both_modes(self):
        shared = self._create_stage("Shared", 900, 7)
        shared.opportunity_type_ids = self.type_project | self.type_quick
        project = self._create_opportunity()
        quick = self._create_opportunity(opportunity_type_id=self.type_quick.id)
        native = quick.probability
        self.assertEqual(project.probability, 7)
        self.assertEqual(native, quick.automated_probability)

    def test_nightly_scoring_leaves_it_alone(self):
        lead = self._create_opportunity()
        self.env.flush_all()
        self.env.cr.execute("UPDATE crm_lead SET automated_probability = probability WHERE id = %s", [lead.id])
        self.env.invalidate_all()
        self.env["ir.config_parameter"].set_param("crm.pls_start_date", "2000-01-01")
        self.env["crm.lead"]._cron_update_automated_probabilities()
        self.env.invalidate_all()
        self.assertEqual(lead.probability, 10)
