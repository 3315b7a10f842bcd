from unittest.mock import patch

from freezegun import freeze_time

from odoo.api import SUPERUSER_ID
from odoo.fields import Command

from odoo.addons.sales_opportunity_stages.models.opportunity import crm_lead_deadline

from .common import OpportunityStagesCase
from .query_counting import MOST_EXTRA_QUERIES, QueryCounting
from .quotation_common import QuotationCase


class TestPerformance(QueryCounting, OpportunityStagesCase):
    """What the add-on adds is a few queries, and no more for many opportunities than for one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule_sign.promotes = False

    # ------------------------------------------------------------
    # Tools
    # ------------------------------------------------------------

    def _prepare_in_needs(self, count):
        """Opportunities in a stage with two required actions and a condition, all of it met."""
        leads = self._create_opportunities(count, expected_revenue=5)
        self._force(leads, self.stage_needs)
        (self._schedule_on_all(leads, self.act_visit) + self._schedule_on_all(leads, self.act_sign)).write(
            {"active": False}
        )
        return leads

    def _prepare_in_closing(self, count):
        leads = self._create_opportunities(count)
        self._force(leads, self.stage_closing)
        return leads

    def _schedule_on_all(self, leads, activity_type):
        model_id = self.env["ir.model"]._get_id("crm.lead")
        values = {"activity_type_id": activity_type.id, "res_model_id": model_id, "user_id": self.salesman.id}
        return (
            self.env["mail.activity"]
            .with_user(self.salesman)
            .with_context(mail_activity_quick_update=True)
            .create([{**values, "res_id": lead.id} for lead in leads])
            .with_context(mail_activity_quick_update=False)
        )

    # ------------------------------------------------------------
    # One opportunity
    # ------------------------------------------------------------

    def test_one_moved_forward(self):
        lead = self._prepare_in_needs(1)
        self.assertExtraQueries(6, lead, lambda lead: lead.write({"stage_id": self.stage_solution.id}))

    def test_one_moved_forward_in_the_form(self):
        """Saved together with what a condition asks for, which therefore has to be written first."""
        lead = self._prepare_in_needs(1)
        values = {"stage_id": self.stage_solution.id, "expected_revenue": 7}
        self.assertExtraQueries(7, lead, lambda lead: lead.write(values))

    def test_one_promoted_by_the_button(self):
        lead = self._prepare_in_needs(1)
        move = {"stage_id": self.stage_solution.id}
        self.assertLessEqual(
            self._count_extra(lead.action_promote, native=lambda: lead.write(move)), MOST_EXTRA_QUERIES
        )

    def test_one_moved_forward_into_a_promoting_stage(self):
        lead = self._prepare_in_needs(1)
        lead.write({"stage_id": self.stage_contact.id})
        self.rule_call.required = False
        self.rule_sign.promotes = True
        self.assertExtraQueries(5, lead, lambda lead: lead.write({"stage_id": self.stage_needs.id}))

    def test_one_moved_through_all_stages(self):
        """More conditions are not more queries."""
        lead = self._prepare_in_needs(1)
        lead.referred = "quoted"
        for stage in (self.stage_needs, self.stage_solution, self.stage_closing):
            self.env["crm.stage.rule"].create(
                [
                    {"stage_id": stage.id, "kind": "condition", "name": name, "domain": domain, "required": True}
                    for name, domain in (
                        ("Named", "[('name', '!=', False)]"),
                        ("In a team", "[('team_id.name', '=', 'Field Sales')]"),
                        ("No order", "[('order_ids', '=', False)]"),
                    )
                ]
            )
        self.assertExtraQueries(7, lead, lambda lead: lead.write({"stage_id": self.stage_won.id}))

    def test_one_moved_back(self):
        lead = self._prepare_in_needs(1)
        self.rule_call.promotes = False
        self.assertExtraQueries(4, lead, lambda lead: lead.write({"stage_id": self.stage_contact.id}))

    def test_one_won(self):
        lead = self._prepare_in_closing(1)
        self.assertExtraQueries(5, lead, lambda lead: lead.action_set_won())

    def test_one_lost(self):
        lead = self._prepare_in_needs(1)
        self.assertExtraQueries(4, lead, lambda lead: lead.action_set_lost())

    def test_one_created(self):
        values = {"name": "Acme", "team_id": self.team.id, "opportunity_type_id": self.type_project.id}
        leads = self.env["crm.lead"].with_user(self.salesman).with_context(default_type="opportunity")
        self.assertExtraQueries(2, leads, lambda leads: leads.create(values))

    def test_an_ordinary_write_is_free(self):
        lead = self._prepare_in_closing(1)
        self.assertExtraQueries(0, lead, lambda lead: lead.write({"name": "Renamed"}))
        self.assertExtraQueries(0, lead, lambda lead: lead.write({"description": "A note"}))

    # ------------------------------------------------------------
    # Leads
    # ------------------------------------------------------------

    def _create_leads(self, count):
        values = {"type": "lead", "team_id": self.team.id, "user_id": self.salesman.id, "company_id": False}
        Lead = self.env["crm.lead"].with_user(self.salesman).with_context(tracking_disable=True)
        return Lead.create([{**values, "name": f"Raw {index}"} for index in range(count)])

    def test_leads_are_free(self):
        """They are in no pipeline: created, handed out and written for nothing."""
        leads = self._create_leads(1)
        self.assertExtraQueries(0, leads, lambda leads: self._create_leads(1))
        self.assertExtraQueries(0, leads, lambda leads: leads.write({"team_id": False}))
        self.assertExtraQueries(0, leads, lambda leads: leads.write({"user_id": self.colleague.id}))

    def test_one_converted_and_assigned(self):
        users = self.colleague.ids
        self.assertExtraQueries(
            6, self._create_leads(1), lambda lead: lead.convert_opportunity(False, user_ids=users, team_id=self.team.id)
        )

    def test_many_converted_and_assigned(self):
        """Odoo converts one by one; the stays are begun together, by two statements and the score at that moment."""

        def convert(leads):
            leads = leads.with_context(active_model="crm.lead", active_ids=leads.ids)
            values = {"user_ids": [Command.set(self.colleague.ids)], "deduplicate": False, "force_assignment": True}
            leads.env["crm.lead2opportunity.partner.mass"].create(values).action_mass_convert()

        extra = {}
        for count in (5, 20, 60):
            leads = self._create_leads(count)
            extra[count] = self._count_extra(lambda leads=leads: convert(leads))
        self.assertLessEqual(max(extra.values()), MOST_EXTRA_QUERIES, extra)

    # ------------------------------------------------------------
    # Many
    # ------------------------------------------------------------

    def test_many_moved_forward(self):
        self.assertExtraDoesNotGrow(
            self._prepare_in_needs, lambda leads: leads.write({"stage_id": self.stage_solution.id})
        )

    def test_many_moved_back(self):
        self.assertExtraDoesNotGrow(
            self._prepare_in_needs, lambda leads: leads.write({"stage_id": self.stage_contact.id})
        )

    def test_many_won(self):
        self.assertExtraDoesNotGrow(self._prepare_in_closing, lambda leads: leads.action_set_won(), (10, 250))

    def test_many_lost(self):
        self.assertExtraDoesNotGrow(self._prepare_in_needs, lambda leads: leads.action_set_lost(), (10, 250))

    def test_many_created(self):
        extra = {n: self._count_extra(lambda n=n: self._create_opportunities(n)) for n in (10, 250)}
        self.assertEqual(extra[10], extra[250])

    def test_many_read_for_the_kanban(self):
        leads = self._prepare_in_needs(80)
        fields = {"name": {}, "stage_progress": {}, "can_promote": {}}
        few = self._count(lambda: leads[:8].web_read(fields))
        with self._undone(), self.assertQueryCount(few):
            progress = {values["stage_progress"] for values in leads.web_read(fields)}
        self.assertEqual(progress, {"3/3"})

    # ------------------------------------------------------------
    # Product lines
    # ------------------------------------------------------------

    def _prepare_line_values(self, count):
        product = self.env["product.product"].create({"name": "Pump", "list_price": 100})
        return [
            {"lead_id": lead.id, "product_id": product.id, "price_unit": 60}
            for lead in self._create_opportunities(count)
        ]

    def _get_lines(self):
        """Untracked: a changed revenue is tracked by Odoo, at two queries for each opportunity."""
        return self.env["crm.opportunity.line"].with_user(self.salesman).with_context(tracking_disable=True)

    def _count_and_total(self, operation):
        """Queries up to the totals of the opportunities being stored."""
        return self._count(lambda: (operation(), self._get_lines().env.flush_all()))

    def assertGrowsByStatements(self, counts, most, statements):
        """The same for ten and for a hundred; Odoo makes some statements anew for each further hundred records.

        :param dict counts: queries by number of records: 10, 100, 500
        :param most: what a hundred may take
        :param statements: how many of the statements are made anew
        """
        self.assertEqual(counts[10], counts[100], counts)
        self.assertLessEqual(counts[100], most, counts)
        self.assertLessEqual(counts[500] - counts[100], 4 * statements, counts)

    def test_many_lines_created(self):
        """One on each of as many opportunities."""
        counts = {}
        for number in (10, 100, 500):
            vals_list = self._prepare_line_values(number)
            counts[number] = self._count_and_total(lambda v=vals_list: self._get_lines().create(v))
        self.assertGrowsByStatements(counts, 15, statements=3)

    def test_many_lines_written_and_deleted(self):
        written, deleted = {}, {}
        for number in (10, 100, 500):
            lines = self._get_lines().create(self._prepare_line_values(number))
            written[number] = self._count_and_total(lambda lines=lines: lines.write({"price_unit": 70}))
            deleted[number] = self._count_and_total(lines.unlink)
        self.assertGrowsByStatements(written, 11, statements=2)
        self.assertGrowsByStatements(deleted, 14, statements=0)

    def test_many_read_with_their_lines(self):
        fields = {
            "expected_revenue": {},
            "opportunity_line_ids": {"fields": {"price_subtotal": {}, "reference_price": {}, "name": {}}},
        }
        counts = {}
        for number in (10, 100, 500):
            leads = self._get_lines().create(self._prepare_line_values(number)).lead_id.with_prefetch()
            counts[number] = self._count(lambda leads=leads: leads.web_read(fields))
        self.assertGrowsByStatements(counts, 10, statements=0)

    # ------------------------------------------------------------
    # Expected closings
    # ------------------------------------------------------------

    @freeze_time("2001-03-01 12:00:00")
    def test_many_reminded(self):
        """The daily job takes a few queries for a batch, beside the activities that it schedules.

        What scheduling takes is counted by letting Odoo alone create the same activities; the mails that it sends to
        whoever is to do them are left out of both. What else there is in the database is due later.
        """
        self.startPatcher(patch.object(self.registry["mail.activity"], "action_notify"))
        extra = {}
        for number in (10, 100, 500):
            leads = self._create_opportunities(number, date_deadline="2001-03-02").with_user(SUPERUSER_ID)
            vals_list = [lead._prepare_deadline_activity(lead.user_id, "Near") for lead in leads]
            extra[number] = self._count_extra(
                self._remind, native=lambda leads=leads, v=vals_list: self._schedule_reminders(leads, v)
            )
            leads.active = False
        self.assertEqual(extra[10], extra[100], extra)
        self.assertLessEqual(extra[10], MOST_EXTRA_QUERIES)
        self.assertLessEqual(extra[500], 3 * extra[10], f"three batches: {extra}")

    def _remind(self):
        with patch.object(self.registry["ir.cron"], "_commit_progress", return_value=1):
            self.env["crm.lead"].with_user(SUPERUSER_ID)._cron_remind_deadlines()

    def _schedule_reminders(self, leads, vals_list):
        leads.mapped("name")  # all of them read at once, as by what schedules it
        size = crm_lead_deadline.BATCH_SIZE
        for start in range(0, len(vals_list), size):
            self.env["mail.activity"].with_user(SUPERUSER_ID).create(vals_list[start : start + size])

    # ------------------------------------------------------------
    # Activities
    # ------------------------------------------------------------

    def _prepare_activities(self, count):
        leads = self._create_opportunities(count)
        return self._schedule_on_all(leads, self.act_email)

    def test_many_activities_completed(self):
        self.assertExtraDoesNotGrow(self._prepare_activities, lambda activities: activities.action_feedback(), (1, 100))

    def test_many_activities_completed_that_promote(self):
        """Beside the move there are a note and a notification, which are written for all at once."""
        self.rule_call.promotes = True
        extra = {}
        for count in (1, 50):
            activities = self._schedule_on_all(self._create_opportunities(count), self.act_call)
            leads = self.env["crm.lead"].with_user(self.salesman).browse(activities.mapped("res_id"))

            def complete_and_move(activities=activities, leads=leads):
                activities.action_feedback()
                leads.write({"stage_id": self.stage_needs.id})

            extra[count] = self._count_extra(activities.action_feedback, native=complete_and_move)
        self.assertEqual(extra[1], extra[50])


class TestQuotationPerformance(QueryCounting, QuotationCase):
    """Orders that have nothing to do with opportunities or approval cost next to nothing more, and where lines change
    less: Odoo alone writes them twice."""

    def _prepare_quotations(self, count):
        return (
            self.env["sale.order"]
            .with_user(self.salesman)
            .browse([self._create_quotation().id for _index in range(count)])
        )

    def test_one(self):
        order = self._prepare_quotations(1)
        for name, extra, operation in (
            ("header", 3, lambda order: order.write({"client_order_ref": "x"})),
            ("line", -1, lambda order: order.order_line.write({"product_uom_qty": 3})),
            ("confirm", -1, lambda order: order.action_confirm()),
            ("create", 0, lambda order: self._create_quotation()),
        ):
            with self.subTest(name):
                self.assertExtraQueries(extra, order, operation)

    def test_many(self):
        for operation in (
            lambda orders: orders.write({"client_order_ref": "x"}),
            lambda orders: orders.order_line.write({"product_uom_qty": 3}),
            lambda orders: orders.write({"state": "sale"}),
        ):
            self.assertExtraDoesNotGrow(self._prepare_quotations, operation, counts=(5, 40))

    def test_with_credit(self):
        """Two queries for a confirmation, where the unit stands and the decision; one is saved as without credit."""
        self.company.account_use_credit_limit = True
        self.customer.write({"credit_limit": 10**9, "credit_term_days": 900})
        for unit in (self.env["res.partner"], self.customer.create({"name": "Group", "credit_limit": 10**9})):
            with self.subTest(member=bool(unit)):
                self.customer.credit_unit_id = unit
                order = self._prepare_quotations(1)
                self.assertExtraQueries(1, order, lambda order: order.action_confirm())

    def test_with_credit_grants(self):
        """Grants are read by the same query, and logged with the decision."""
        self.company.account_use_credit_limit = True
        self.customer.write({"credit_limit": 10**9, "credit_term_days": 900, "credit_term_basis": "due"})
        for kind in ("temporary", "insured"):
            self.env["sale.credit.grant"]._as_ledger().create(
                {"unit_id": self.customer.id, "company_id": self.company.id, "kind": kind, "amount": 5}
            )
        self.assertExtraQueries(1, self._prepare_quotations(1), lambda order: order.action_confirm())

    def test_many_with_approval(self):
        """Judging needs the content of each order: read in batch."""
        self.company.quotation_approval = "required"

        def prepare(count):
            orders = self._prepare_quotations(count)
            orders.with_user(self.approver).action_approve()
            return orders

        self.assertExtraDoesNotGrow(prepare, lambda orders: orders.write({"client_order_ref": "x"}), counts=(5, 40))
        self.assertExtraDoesNotGrow(prepare, lambda orders: orders.write({"state": "sale"}), counts=(5, 40))
