from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form

from .common import OpportunityStagesCase


class TestOpportunityType(OpportunityStagesCase):
    """Which type an opportunity gets, which stages follow from it, and who may change it."""

    # ------------------------------------------------------------
    # Getting a type
    # ------------------------------------------------------------

    def test_type_comes_from_the_team(self):
        lead = (
            self.env["crm.lead"]
            .with_user(self.salesman)
            .create({"name": "x", "type": "opportunity", "team_id": self.team.id})
        )
        self.assertEqual(lead.opportunity_type_id, self.type_project)
        self.assertEqual(lead.stage_id, self.stage_contact)

    def test_else_the_first_of_the_company(self):
        other_company = self.env["res.company"].create({"name": "Elsewhere"})
        self.type_quick.write({"sequence": -5, "company_id": other_company.id})
        first = self.env["crm.opportunity.type"].search([("company_id", "!=", other_company.id)], limit=1)
        team = self.env["crm.team"].create({"name": "Untyped"})
        lead = self.env["crm.lead"].create({"name": "x", "type": "opportunity", "team_id": team.id})
        self.assertEqual(lead.opportunity_type_id, first)
        lead = self.env["crm.lead"].create(
            {"name": "x", "type": "opportunity", "team_id": False, "user_id": False, "company_id": other_company.id}
        )
        self.assertEqual(lead.opportunity_type_id, self.type_quick)

    def test_an_archived_default_is_passed_over(self):
        self.type_project.active = False
        lead = self.env["crm.lead"].create({"name": "x", "type": "opportunity", "team_id": self.team.id})
        self.assertTrue(lead.opportunity_type_id.active)

    def test_a_given_stage_decides_where_the_team_does_not(self):
        lead = self._create_opportunity(opportunity_type_id=None, stage_id=self.stage_quick.id)
        self.assertEqual(lead.opportunity_type_id, self.type_quick)
        lead = (
            self.env["crm.lead"]
            .with_user(self.salesman)
            .with_context(default_stage_id=self.stage_quick.id)
            .create({"name": "In a column", "type": "opportunity", "team_id": self.team.id})
        )
        self.assertEqual((lead.opportunity_type_id, lead.stage_id), (self.type_quick, self.stage_quick))

    def test_the_pipeline_filtered_to_a_type_decides(self):
        Lead = self.env["crm.lead"].with_user(self.salesman)
        values = {"name": "In a filtered pipeline", "type": "opportunity", "team_id": self.team.id}
        lead = Lead.with_context(search_opportunity_type=[self.type_quick.id]).create(values)
        self.assertEqual((lead.opportunity_type_id, lead.stage_id), (self.type_quick, self.stage_quick))
        for value in ([self.type_quick.id, self.type_project.id], ["Spare"], "Spare", [10**9], True):
            with self.subTest(value=value):
                lead = Lead.with_context(search_opportunity_type=value).create(values)
                self.assertNotEqual(lead.opportunity_type_id, self.type_quick)

    def test_leads_have_none(self):
        lead = self.env["crm.lead"].create({"name": "Raw", "type": "lead", "team_id": self.team.id})
        self.assertFalse(lead.opportunity_type_id)
        with self.assertRefused("gets an opportunity type when it is converted"):
            lead.opportunity_type_id = self.type_quick

    def test_an_opportunity_cannot_lose_its_type(self):
        lead = self._create_opportunity()
        with self.assertRefused("needs an opportunity type"):
            lead.opportunity_type_id = False

    def test_of_another_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        lead = self._create_opportunity(company_id=self.env.company.id)
        self.type_quick.company_id = company
        with self.assertRaises(UserError):
            lead.write({"opportunity_type_id": self.type_quick.id})

    # ------------------------------------------------------------
    # Conversion
    # ------------------------------------------------------------

    def _create_leads(self, count):
        return self.env["crm.lead"].create(
            [
                {
                    "name": f"Raw {i}",
                    "type": "lead",
                    "team_id": self.team.id,
                    "user_id": self.salesman.id,
                    "email_from": f"{i}@x.example",
                }
                for i in range(count)
            ]
        )

    def test_conversion_dialog_offers_the_type(self):
        lead = self._create_leads(1)
        Wizard = self.env["crm.lead2opportunity.partner"].with_user(self.salesman)
        context = {"active_model": "crm.lead", "active_id": lead.id, "active_ids": lead.ids}
        wizard = Wizard.with_context(**context).create({})
        self.assertEqual(wizard.opportunity_type_id, self.type_project)
        wizard.opportunity_type_id = self.type_quick
        wizard.action_apply()
        self.assertEqual(
            (lead.type, lead.opportunity_type_id, lead.stage_id), ("opportunity", self.type_quick, self.stage_quick)
        )

    def test_mass_conversion_offers_the_type(self):
        leads = self._create_leads(3)
        Wizard = self.env["crm.lead2opportunity.partner.mass"].with_user(self.salesman)
        context = {"active_model": "crm.lead", "active_ids": leads.ids}
        wizard = Wizard.with_context(**context).create(
            {"user_ids": [Command.set(self.salesman.ids)], "deduplicate": False}
        )
        self.assertTrue(wizard.opportunity_type_id)
        wizard.opportunity_type_id = self.type_quick
        wizard.with_context(**context).action_mass_convert()
        self.assertEqual(leads.opportunity_type_id, self.type_quick)
        self.assertEqual(leads.stage_id, self.stage_quick)
        self.assertEqual(leads.mapped("type"), ["opportunity"] * 3)
        self.assertEqual(len(leads.stage_visit_ids), 3)

    # ------------------------------------------------------------
    # Changing the type
    # ------------------------------------------------------------

    def test_hand_off_starts_in_the_first_stage(self):
        lead = self._create_opportunity()
        lead.write({"opportunity_type_id": self.type_quick.id})
        self.assertEqual(lead.stage_id, self.stage_quick)
        self.assertEqual(lead.furthest_stage_id, self.stage_quick)
        self.assertEqual(
            self._get_visits(lead), [(self.stage_contact, "handoff", "create"), (self.stage_quick, "open", "manual")]
        )

    def test_salesperson_may_hand_off_from_the_first_stage_only(self):
        lead = self._create_opportunity()
        self._complete(lead, self.act_call)
        for values in ({"opportunity_type_id": self.type_quick.id}, {"type": "lead"}):
            with self.subTest(values=values), self.assertRefused("only a Sales Administrator"):
                lead.write(values)
        lead.with_user(self.manager).write({"opportunity_type_id": self.type_quick.id})
        self.assertEqual(lead.stage_id, self.stage_quick)

    def test_losing_it_first_is_no_way_round(self):
        lead = self._create_opportunity()
        self._complete(lead, self.act_call)
        lead.action_set_lost()
        with self.assertRefused("only a Sales Administrator"):
            lead.write({"opportunity_type_id": self.type_quick.id})

    def test_coming_back_keeps_the_furthest_of_before(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_solution)
        lead.with_user(self.manager).write({"opportunity_type_id": self.type_quick.id})
        self.assertEqual(lead.furthest_stage_id, self.stage_quick)
        lead.write({"opportunity_type_id": self.type_project.id})
        self.assertEqual((lead.stage_id, lead.furthest_stage_id), (self.stage_contact, self.stage_solution))

    def test_shared_stage_stays_where_it_is_earned(self):
        shared = self._create_stage("Shared", 900, 5)
        shared.opportunity_type_ids = self.type_project | self.type_quick
        lead = self._create_opportunity()
        self.assertEqual(lead.stage_id, shared)
        lead.write({"opportunity_type_id": self.type_quick.id})
        self.assertEqual(lead.stage_id, shared)
        self.assertEqual(self._get_visits(lead), [(shared, "handoff", "create"), (shared, "open", "manual")])

    def test_hand_off_is_no_way_forward(self):
        """A stage that is early in one type and late in another does not let anybody skip what lies before."""
        self.stage_closing.opportunity_type_ids = self.type_project | self.type_quick
        self.stage_quick.sequence = 1035
        self.stage_quick_won.sequence = 1050
        lead = self._create_opportunity(opportunity_type_id=self.type_quick.id)
        self.assertEqual(lead.stage_id, self.stage_closing)
        lead.write({"opportunity_type_id": self.type_project.id})
        self.assertEqual(lead.stage_id, self.stage_contact)
        lead.write({"opportunity_type_id": self.type_quick.id})
        with self.assertRefused("Cannot start 'Acme line 3' in Closing"):
            lead.with_user(self.manager).write(
                {"opportunity_type_id": self.type_project.id, "stage_id": self.stage_closing.id}
            )

    def test_changing_the_team_keeps_the_type(self):
        team = self.env["crm.team"].create({"name": "Parts", "opportunity_type_id": self.type_quick.id})
        lead = self._create_opportunity()
        lead.write({"team_id": team.id})
        self.assertEqual((lead.opportunity_type_id, lead.stage_id), (self.type_project, self.stage_contact))

    # ------------------------------------------------------------
    # Stages
    # ------------------------------------------------------------

    def test_a_stage_of_another_type_is_refused_everywhere(self):
        lead = self._create_opportunity()
        for user in (self.salesman, self.manager, self.env.ref("base.user_root")):
            with (
                self.subTest(user=user.login),
                self.assertRefused("cannot stand in stage Asked. Its stages are: Contact, Needs", ValidationError),
            ):
                lead.with_user(user).write({"stage_id": self.stage_quick.id})
        with self.assertRaises(ValidationError):
            self._create_opportunity(stage_id=self.stage_quick.id)
        result = (
            self.env["crm.lead"].with_user(self.manager).load([".id", "stage_id/.id"], [[lead.id, self.stage_quick.id]])
        )
        self.assertFalse(result["ids"])

    def test_stage_choices_follow_the_type(self):
        lead = self._create_opportunity(opportunity_type_id=self.type_quick.id)
        self.assertEqual(lead._stage_find(), self.stage_quick)
        self.assertEqual(lead._stage_find(domain=[("is_won", "=", True)], limit=None), self.stage_quick_won)
        raw = self.env["crm.lead"].create({"name": "Raw", "type": "lead", "team_id": self.team.id})
        self.assertEqual(
            raw.stage_id, self.stage_contact, "a lead waits in the first stage of the type that it would get"
        )
        field_domain = self.env["crm.lead"].fields_get(["stage_id"])["stage_id"]["domain"]
        self.assertIn("opportunity_type_ids", field_domain)

    def test_form_follows_the_type(self):
        with Form(self.env["crm.lead"].with_user(self.salesman).with_context(default_type="opportunity")) as form:
            form.name = "By form"
            form.opportunity_type_id = self.type_quick
            self.assertEqual(form.stage_id, self.stage_quick)
            form.opportunity_type_id = self.type_project
            self.assertEqual(form.stage_id, self.stage_contact)
        self.assertEqual(form.record.stage_id, self.stage_contact)

    def _get_columns(self, domain, **context):
        groups = (
            self.env["crm.lead"]
            .with_user(self.salesman)
            .with_context(read_group_expand=True, default_team_id=self.team.id, **context)
            .web_read_group(domain, ["stage_id"], ["__count"])["groups"]
        )
        return [group["stage_id"][0] for group in groups]

    def test_columns_follow_the_type(self):
        self._create_opportunity()
        project = (
            self.stage_contact | self.stage_needs | self.stage_solution | self.stage_closing | self.stage_won
        ).ids
        shared = self._create_stage("For all", 1100, 5, opportunity_type_ids=False)
        base = [("type", "=", "opportunity"), ("team_id", "=", self.team.id)]
        for condition in (
            ("opportunity_type_id", "=", self.type_project.id),
            ("opportunity_type_id", "ilike", "Plant"),
        ):
            with self.subTest(condition=condition):
                self.assertEqual(self._get_columns([*base, condition]), [*project, shared.id])
        quick = [self.stage_quick.id, self.stage_quick_won.id, shared.id]
        self.assertEqual(self._get_columns([*base, ("opportunity_type_id", "in", self.type_quick.ids)]), quick)
        both = self._get_columns(
            [
                *base,
                "|",
                ("opportunity_type_id", "=", self.type_quick.id),
                ("opportunity_type_id", "=", self.type_project.id),
            ]
        )
        self.assertEqual(set(both), {*project, *quick})

    def test_stages_of_an_archived_type_are_not_open_to_all(self):
        self.type_quick.active = False
        columns = self._get_columns([("opportunity_type_id", "=", self.type_project.id)])
        self.assertNotIn(self.stage_quick.id, columns)
        self.assertNotIn(self.stage_quick, self.env["crm.stage"].search([("opportunity_type_ids", "=", False)]))
        self.assertNotIn(self.stage_quick, self.type_project.shared_stage_ids)

    def test_a_column_added_in_the_kanban_belongs_to_the_type_shown(self):
        Stage = self.env["crm.stage"].with_user(self.manager)
        for context in (
            {"search_opportunity_type": [self.type_quick.id]},
            {"default_opportunity_type_id": self.type_quick.id},
        ):
            stage_id, _name = Stage.with_context(**context).name_create("Added")
            self.assertEqual(Stage.browse(stage_id).opportunity_type_ids, self.type_quick)
        first = self.env["crm.opportunity.type"].search([("company_id", "in", [False, self.env.company.id])], limit=1)
        stage_id, _name = Stage.name_create("Added")
        self.assertEqual(Stage.browse(stage_id).opportunity_type_ids, first)

    def test_unfiltered_columns_are_those_of_the_type_found(self):
        """No empty columns of types that the opportunities found do not have."""
        mine = [("type", "=", "opportunity"), ("user_id", "=", self.salesman.id)]
        self._create_opportunity()
        project = (
            self.stage_contact | self.stage_needs | self.stage_solution | self.stage_closing | self.stage_won
        ).ids
        self.assertEqual(self._get_columns(mine), project)

    def test_unfiltered_columns_of_several_types(self):
        """What is in use, and where something new is entered."""
        mine = [("type", "=", "opportunity"), ("user_id", "=", self.salesman.id)]
        project = self._create_opportunity()
        quick = self._create_opportunity(opportunity_type_id=self.type_quick.id)
        self._force(project, self.stage_needs)
        self._force(quick, self.stage_quick_won)
        expected = self.stage_contact | self.stage_needs | self.stage_quick | self.stage_quick_won
        self.assertEqual(set(self._get_columns(mine)), set(expected.ids))

    def test_columns_without_opportunities_are_those_of_the_own_team(self):
        columns = self._get_columns([("type", "=", "opportunity"), ("user_id", "=", self.salesman.id)])
        self.assertIn(self.stage_closing.id, columns)
        self.assertNotIn(self.stage_quick.id, columns)

    def test_stages_of_one_name_are_told_apart(self):
        self.stage_quick_won.name = self.stage_won.name
        leads = self._create_opportunity() + self._create_opportunity(opportunity_type_id=self.type_quick.id)
        for lead, stage in zip(leads, self.stage_won | self.stage_quick_won, strict=True):
            self._force(lead, stage)
        names = {
            group["stage_id"][1]
            for group in self.env["crm.lead"].formatted_read_group([("id", "in", leads.ids)], ["stage_id"])
        }
        self.assertEqual(names, {"Done Deal (Plant)", "Done Deal (Spare Parts)"})
        groups = self.env["crm.lead"].formatted_read_group([("id", "in", leads[0].ids)], ["stage_id"])
        self.assertEqual(groups[0]["stage_id"][1], "Done Deal")
        self.assertEqual(self.env["crm.lead"].formatted_read_group([("id", "=", 0)], ["stage_id"]), [])

    # ------------------------------------------------------------
    # Configuration
    # ------------------------------------------------------------

    def test_administrator_configures_a_type_in_its_form(self):
        with Form(self.env["crm.opportunity.type"].with_user(self.manager)) as form:
            form.name = "Service"
        service = form.record
        service.write(
            {"stage_ids": [Command.create({"name": "Ticket", "sequence": 2}), Command.link(self.stage_won.id)]}
        )
        ticket = service.stage_ids.filtered(lambda stage: stage.name == "Ticket")
        self.assertEqual(ticket.opportunity_type_ids, service)
        service.write({"stage_ids": [Command.update(ticket.id, {"sequence": 5, "probability": 30})]})
        lead = self._create_opportunity(opportunity_type_id=service.id)
        self.assertEqual((lead.stage_id, lead.probability), (ticket, 30))

    def test_only_administrators_configure(self):
        for user in (self.salesman, self.supervisor):
            with self.assertRaises(AccessError):
                self.type_project.with_user(user).name = "Mine"
            with self.assertRaises(AccessError):
                self.rule_call.with_user(user).required = False
            with self.assertRaises(AccessError):
                self.stage_needs.with_user(user).sequence = 1
        self.assertEqual(self.type_project.with_user(self.employee).name, "Plant")

    def test_a_type_in_use_is_archived_not_deleted(self):
        self._create_opportunity()
        with self.assertRefused("Archive it instead"):
            self.type_project.with_user(self.manager).unlink()
        self.type_project.active = False
        unused = self.type_quick
        own = self.stage_quick | self.stage_quick_won
        unused.with_user(self.manager).unlink()
        self.assertFalse(own.exists(), "stages of its own would be open to every type")

    def test_a_stage_is_not_set_free_by_accident(self):
        with self.assertRefused("open to every type"):
            self.type_quick.write({"stage_ids": [Command.unlink(self.stage_quick.id)]})
        self.type_project.write({"stage_ids": [Command.link(self.stage_quick.id)]})
        self.type_quick.write({"stage_ids": [Command.unlink(self.stage_quick.id)]})
        self.assertEqual(self.stage_quick.opportunity_type_ids, self.type_project)

    def test_stages_cannot_leave_opportunities_behind(self):
        self._create_opportunity()
        with self.assertRefused("stands in stage Contact"):
            self.stage_contact.opportunity_type_ids = self.type_quick
        self.stage_contact.opportunity_type_ids = self.type_quick | self.type_project
        with self.assertRefused("stands in stage Contact"):
            self.type_project.write({"stage_ids": [Command.unlink(self.stage_contact.id)]})

    def test_open_pipeline_of_a_type(self):
        self._create_opportunity()
        action = self.type_project.with_user(self.salesman).action_open_pipeline()
        self.assertEqual(action["context"]["search_default_opportunity_type_id"], self.type_project.id)
        self.assertEqual(self.type_project.with_user(self.salesman).opportunity_count, 1)

    def test_shipped_types(self):
        standard = self.env.ref("sales_opportunity_stages.opportunity_type_standard")
        project = self.env.ref("sales_opportunity_stages.opportunity_type_project")
        self.assertEqual(standard.probability_mode, "native")
        self.assertFalse(standard.stage_ids.rule_ids)
        stages = project.stage_ids.sorted("sequence")
        self.assertEqual(stages.mapped("probability"), [10, 25, 50, 75, 100])
        self.assertEqual(stages.opportunity_type_ids, project)
        self.assertTrue(stages[-1].is_won)
        self.assertFalse(self.env["crm.stage"].search([("opportunity_type_ids", "=", False)]))
