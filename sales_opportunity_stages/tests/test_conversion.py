from contextlib import contextmanager
from unittest.mock import patch

from odoo.fields import Command

from odoo.addons.sales_opportunity_stages.tools import CONTEXT_KEY, ChangeStack

from .common import OpportunityStagesCase


class TestConversion(OpportunityStagesCase):
    """Converting leads and assigning them is one change: judged and logged once, when it is complete."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.leads = cls.env["crm.lead"].create(
            [
                {"name": f"Raw {number}", "type": "lead", "team_id": cls.team.id, "user_id": False, "partner_name": "A"}
                for number in range(4)
            ]
        )

    def _convert(self, leads, users, **values):
        """By the dialog of many."""
        context = {"active_model": "crm.lead", "active_ids": leads.ids}
        Wizard = self.env["crm.lead2opportunity.partner.mass"].with_user(self.supervisor).with_context(**context)
        Wizard.create({"user_ids": [Command.set(users.ids)], "deduplicate": False, **values}).action_mass_convert()

    @contextmanager
    def _in_the_middle(self, do):
        """Odoo converts first and assigns then: between the two somebody else's code does something."""
        Lead = self.registry["crm.lead"]
        assign = Lead._handle_salesmen_assignment

        def interrupted(leads, *args, **kwargs):
            do(leads)
            return assign(leads, *args, **kwargs)

        with patch.object(Lead, "_handle_salesmen_assignment", interrupted):
            yield

    # ------------------------------------------------------------
    # Logged once
    # ------------------------------------------------------------

    def test_the_first_stay_is_of_the_one_who_gets_it(self):
        self._convert(self.leads, self.salesman | self.colleague)
        self.assertEqual(self.leads.mapped("user_id"), self.salesman | self.colleague)
        for lead in self.leads:
            self.assertEqual(self._get_visits(lead), [(self.stage_contact, "open", "create")])
            self.assertEqual(lead.stage_visit_ids.user_id, lead.user_id)
            self.assertEqual(lead.stage_visit_ids.moved_by_id, self.supervisor)

    def test_converted_for_somebody_by_code(self):
        """As Odoo's assignment of leads does."""
        self.leads.convert_opportunity(False, user_ids=self.colleague.ids)
        self.assertEqual(self.leads.stage_visit_ids.user_id, self.colleague)
        self.assertEqual(len(self.leads.stage_visit_ids), 4)

    def test_forecast_is_that_of_the_assigned(self):
        """Odoo's scoring looks at the team, too: what counts is the score at the end."""
        other_team = self.env["crm.team"].create(
            {"name": "Elsewhere", "opportunity_type_id": self.type_quick.id, "member_ids": [self.manager.id]}
        )
        lead = self.leads[0].with_context(convert_opportunity_type_id=self.type_quick.id)
        lead.convert_opportunity(False, user_ids=self.manager.ids, team_id=other_team.id)
        self.assertEqual((lead.team_id, lead.stage_id), (other_team, self.stage_quick))
        self.assertEqual(lead.stage_visit_ids.probability, lead.probability)

    def test_among_opportunities(self):
        """What is no lead any more is only assigned."""
        running = self._create_opportunity()
        self._force(running, self.stage_needs)
        before = self._get_visits(running)
        self._convert(self.leads | running, self.colleague, force_assignment=True)
        self.assertEqual(self._get_visits(running), before)
        self.assertEqual((running.user_id, running.stage_id), (self.colleague, self.stage_needs))

    # ------------------------------------------------------------
    # In the middle of it
    # ------------------------------------------------------------

    def test_what_an_automation_schedules_belongs_to_the_stay(self):
        with self._in_the_middle(lambda leads: [self._schedule(lead, self.act_call) for lead in leads]):
            self._convert(self.leads, self.salesman)
        for lead in self.leads:
            self.assertEqual(self._get_visits(lead), [(self.stage_contact, "open", "create")])
            self.assertEqual(lead.activity_ids.sudo().stage_visit_id, lead.stage_visit_ids)
            self.assertEqual(lead.activity_ids.activity_type_id, self.act_call)

    def test_what_an_automation_completes_promotes(self):
        with self._in_the_middle(lambda leads: self._complete(leads, self.act_call)):
            self._convert(self.leads[0], self.salesman)
        self.assertEqual(
            self._get_visits(self.leads[0]),
            [(self.stage_contact, "advanced", "create"), (self.stage_needs, "open", "automatic")],
        )

    def test_the_gate_holds_for_it(self):
        """What is moved on in the middle has to be earned at the end."""
        with (
            self._in_the_middle(lambda leads: leads.write({"stage_id": self.stage_solution.id})),
            self.assertRefused("Cannot start 'Raw 0' in Solution"),
        ):
            self._convert(self.leads[0], self.salesman)

    def test_another_opportunity_is_judged_at_once(self):
        other = self._create_opportunity()

        def move_other(leads):
            with self.assertRefused("Cannot promote 'Acme line 3'"):
                leads.browse(other.id).write({"stage_id": self.stage_needs.id})

        with self._in_the_middle(move_other):
            self._convert(self.leads[0], self.salesman)
        self.assertEqual(self.leads[0].stage_visit_ids.user_id, self.salesman)

    def test_a_client_cannot_announce_it(self):
        lead = self._create_opportunity()
        for value in (True, [lead.id], {"lead_ids": lead.ids, "before": {}}):
            forged = lead.with_context(**{CONTEXT_KEY: value})
            self.assertFalse(ChangeStack(forged.env.cr).changes)
            with self.assertRefused("Cannot promote"):
                forged.write({"stage_id": self.stage_needs.id})
