from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import UserError, ValidationError

from .common import OpportunityStagesCase

MODULE = "sales_opportunity_stages"

WITHOUT_COMPANY = {
    "crm.stage.rule": "belongs to a stage, and stages have no company",
    "sale.credit.lock": "nobody reads it; a unit is the same for every company",
    "sales.ledger.amendment": "only the system's administrators read it: it covers all rows of a ledger",
    "sales.ledger.seal": "only the system's administrators read it: it covers all rows of a ledger",
}


class TestLifeCycle(OpportunityStagesCase):
    """Whatever happens to an opportunity, what hangs on it follows, or goes on purpose."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.here = cls.env.company
        cls.there = cls.env["res.company"].create({"name": "Elsewhere"})
        (cls.supervisor | cls.manager).company_ids += cls.there
        cls.pump = cls.env["product.product"].create({"name": "Pump", "list_price": 100})
        cls.buyer, cls.rival = cls.env["res.partner"].create(
            [{"name": "Buyer"}, {"name": "Rival", "is_competitor": True}]
        )
        cls.model_of_rival = cls.env["crm.competing.product"].create({"name": "R-1", "partner_id": cls.rival.id})

    def _create_full(self, **values):
        """An opportunity of this company with one of everything."""
        lead = self._create_opportunity(
            company_id=self.here.id,
            date_deadline="2026-03-10",
            opportunity_line_ids=[Command.create({"product_id": self.pump.id, "name": "In red", "price_unit": 60})],
            opportunity_contact_ids=[Command.create({"partner_id": self.buyer.id, "role": "decision"})],
            opportunity_competitor_ids=[
                Command.create({"partner_id": self.rival.id, "competing_product_id": self.model_of_rival.id})
            ],
            collaborator_ids=[Command.set((self.colleague | self.supervisor).ids)],
            **values,
        )
        self._schedule(lead, self.act_call)
        return lead

    def _get_parts(self, lead):
        """``{field: records}`` of what was put on it."""
        self.env.flush_all()
        return {name: lead.sudo()[name] for name in (*lead._get_part_fields(), "collaborator_ids")}

    # ------------------------------------------------------------
    # Duplicate, archive, delete
    # ------------------------------------------------------------

    def test_duplicate(self):
        """What the customer wants and who they are is copied; what became of this one is not."""
        with freeze_time("2026-03-12"):
            lead = self._create_full()
            lead.date_deadline = "2026-03-20"
            lead.action_set_lost(lost_to_id=self.rival.id)
            copy = lead.copy({"active": True})
        line = copy.opportunity_line_ids
        self.assertEqual((line.product_id, line.name, line.price_unit), (self.pump, "In red", 60))
        self.assertEqual(copy.opportunity_contact_ids.mapped("role"), ["decision"])
        for name in ("opportunity_competitor_ids", "collaborator_ids", "activity_ids", "lost_to_id"):
            self.assertFalse(copy[name], name)
        self.assertEqual(self._get_visits(copy), [(self.stage_contact, "open", "create")])
        self.assertEqual(copy.initial_date_deadline, copy.date_deadline)
        self.assertFalse(copy.deadline_push_count or copy.deadline_push_days or copy.deadline_missed_date)
        self.assertEqual(len(lead.opportunity_line_ids), 1, "the original keeps its own")

    def test_archive_and_restore(self):
        """The parts stay, the activities too, as Odoo has it; losing and reopening go into the history."""
        lead = self._create_full()
        parts = self._get_parts(lead)
        visit, activity = lead.stage_visit_ids, lead.activity_ids
        for change in (lead.action_archive, lead.action_unarchive, lead.action_set_lost, lead.action_restore):
            change()
            self.assertEqual(self._get_parts(lead), parts, change.__name__)
        self.assertEqual(lead.activity_ids, activity)
        self.assertEqual((visit.outcome, len(lead.stage_visit_ids)), ("lost", 2))

    def test_delete(self):
        """Nothing is left of it, and nothing else goes."""
        lead, kept = self._create_full(), self._create_full()
        gone = [*self._get_parts(lead).values(), lead.sudo().stage_visit_ids, lead.activity_ids]
        gone.remove(lead.sudo().collaborator_ids)
        lead.with_user(self.manager).unlink()
        self.env.flush_all()
        self.env.invalidate_all()
        for records in gone:
            self.assertFalse(records.exists(), records._name)
        for records in (*self._get_parts(kept).values(), kept.activity_ids, self.colleague, self.buyer, self.rival):
            self.assertEqual(records.exists(), records)

    # ------------------------------------------------------------
    # Merge
    # ------------------------------------------------------------

    def _merge(self, head, tail):
        """Merge as a manager; the head has come further."""
        self._force(head, self.stage_needs)
        merged = (head | tail).with_user(self.manager).merge_opportunity()
        self.env.flush_all()
        self.assertEqual(merged, head)
        return merged

    def test_merge_takes_everything_along(self):
        """All but the history of the others, which is theirs."""
        head, tail = self._create_opportunity(company_id=self.here.id), self._create_full()
        parts = self._get_parts(tail)
        activity, visit = tail.activity_ids, tail.sudo().stage_visit_ids
        merged = self._merge(head, tail)
        self.assertEqual(self._get_parts(merged), parts)
        self.assertEqual(merged.activity_ids, activity)
        self.assertFalse(visit.exists())
        self.assertEqual(activity.sudo().stage_visit_id.lead_id, merged)

    def test_merge_takes_over_the_company_before_what_belongs_to_it(self):
        self.pump.company_id = self.here
        head, tail = self._create_opportunity(), self._create_full()
        head.company_id = False
        merged = self._merge(head, tail)
        self.assertEqual((merged.company_id, merged.opportunity_line_ids.product_id), (self.here, self.pump))

    def test_merge_across_companies(self):
        """People of the other company drop out; a product of the other company is for somebody to decide on."""
        outsider = self.colleague
        outsider.write({"company_ids": [Command.link(self.there.id)]})
        head, tail = self._create_opportunity(company_id=self.here.id), self._create_full()
        tail.sudo().write({"user_id": self.manager.id, "team_id": False, "company_id": self.there.id})
        outsider.write({"company_id": self.there.id, "company_ids": [Command.set(self.there.ids)]})
        self.assertEqual(tail.sudo().collaborator_ids, outsider | self.supervisor)
        with self.env.cr.savepoint() as savepoint:
            merged = self._merge(head, tail)
            self.assertEqual(merged.collaborator_ids, self.supervisor)
            savepoint.rollback()
        self.env.invalidate_all()
        self.pump.company_id = self.there
        with self.assertRefused("cannot belong to .* Pump belong to another company", ValidationError):
            self._merge(head, tail)

    def test_merge_of_a_customer_and_its_competitor(self):
        head, tail = self._create_opportunity(partner_id=self.rival.id), self._create_full()
        with self.assertRefused("Rival is the customer of 'Acme line 3'", ValidationError):
            self._merge(head, tail)

    @freeze_time("2026-03-12 12:00:00")
    def test_merge_keeps_the_record_of_the_closing_that_stays(self):
        def get_record(lead):
            return lead.initial_date_deadline, lead.deadline_push_count, lead.deadline_push_days

        dated, pushed, undated = self._create_opportunities(3)
        dated.date_deadline = "2026-05-01"
        pushed.date_deadline = "2026-03-10"
        pushed.date_deadline = "2026-03-17"
        record = get_record(pushed)
        self.assertEqual(record[1:], (1, 7))
        with self.env.cr.savepoint() as savepoint:
            merged = self._merge(dated, pushed)
            self.assertEqual(get_record(merged), (merged.date_deadline, 0, 0), "the head's own")
            savepoint.rollback()
        self.env.invalidate_all()
        merged = self._merge(undated, pushed)
        self.assertEqual(str(merged.date_deadline), "2026-03-17")
        self.assertEqual(get_record(merged), record, "that of the closing taken over")
        self.assertTrue(merged.is_deadline_missed)

    # ------------------------------------------------------------
    # Convert
    # ------------------------------------------------------------

    def test_convert_and_merge_into_an_opportunity(self):
        opportunity = self._create_full()
        parts = self._get_parts(opportunity)
        lead = self.env["crm.lead"].create(
            {"name": "Raw", "type": "lead", "user_id": self.salesman.id, "company_id": self.here.id}
        )
        self.env["crm.lead2opportunity.partner"].with_user(self.manager).with_context(
            active_model="crm.lead", active_id=lead.id, active_ids=lead.ids
        ).create(
            {"name": "merge", "lead_id": lead.id, "duplicated_lead_ids": [Command.set((lead | opportunity).ids)]}
        ).action_apply()
        self.assertFalse(lead.exists())
        self.assertEqual(self._get_parts(opportunity), parts)

    def test_convert_keeps_the_closing(self):
        lead = self.env["crm.lead"].create({"name": "Raw", "type": "lead", "date_deadline": "2026-03-10"})
        lead.date_deadline = "2026-03-20"
        self.assertFalse(lead.initial_date_deadline or lead.deadline_push_count, "nothing was promised yet")
        lead.convert_opportunity(self.buyer)
        self.assertEqual((lead.initial_date_deadline, lead.deadline_push_count), (lead.date_deadline, 0))

    def test_back_to_a_lead(self):
        """Not with what only an opportunity has, be it archived."""
        lead = self._create_full()
        for name in lead._get_part_fields():
            with self.assertRefused(f"Convert lead .* before adding {lead[name]._description}", ValidationError):
                lead.type = "lead"
            lead[name].unlink()
        lead.type = "lead"
        self.assertFalse(lead.opportunity_type_id)

    # ------------------------------------------------------------
    # Change of company
    # ------------------------------------------------------------

    def _move(self, lead, **values):
        """Give it to another company, as an administrator of both."""
        lead = lead.with_user(self.manager)
        lead.write({"company_id": self.there.id, "user_id": self.manager.id, "team_id": False, **values})
        lead.env.flush_all()

    def test_what_belongs_to_no_company_follows(self):
        lead = self._create_full()
        parts = self._get_parts(lead)
        self._move(lead)
        for name in lead._get_part_fields():
            self.assertEqual(parts[name].company_id, self.there)
            self.assertEqual(parts[name].lead_id, lead)
            self.assertFalse(parts[name].with_user(self.salesman).search([("id", "in", parts[name].ids)]))
        visits = lead.sudo().stage_visit_ids
        self.assertTrue(visits.with_user(self.manager).with_company(self.there).search([("id", "in", visits.ids)]))
        self.assertFalse(visits.with_user(self.salesman).search([("id", "in", visits.ids)]))

    def test_what_belongs_to_the_old_company_has_to_be_removed_first(self):
        for record in (self.pump, self.buyer, self.rival):
            lead = self._create_full()
            record.company_id = self.here
            with (
                self.subTest(record=record.name),
                self.assertRefused(
                    "'Acme line 3' cannot belong to Elsewhere: in .*, .* belong to another company. Remove them first",
                    ValidationError,
                ),
            ):
                self._move(lead)
            self.env.invalidate_all()
            self.assertEqual((lead.company_id, lead.user_id), (self.here, self.salesman))
            record.company_id = False

    def test_many_at_once(self):
        """One that may not move holds all of them back."""
        free, bound = self._create_opportunity("Free", company_id=self.here.id), self._create_full(name="Bound")
        self.pump.company_id = self.here
        with self.assertRefused("'Bound' cannot belong to Elsewhere", ValidationError):
            self._move(free | bound)
        self.env.invalidate_all()
        self.assertEqual((free | bound).company_id, self.here)

    def test_collaborators_without_access_drop_out(self):
        lead = self._create_full()
        self._move(lead)
        self.assertEqual(lead.sudo().collaborator_ids, self.supervisor)
        with self.assertRefused("company", UserError):
            lead.sudo().collaborator_ids += self.colleague

    def test_the_company_follows_the_salesperson(self):
        """Then it was not written, and Odoo does not check what else belongs to it."""
        lead = self._create_full(team_id=False)
        self.manager.write({"company_id": self.there.id, "company_ids": [Command.set(self.there.ids)]})
        supervisor = self.supervisor.with_context(allowed_company_ids=(self.here | self.there).ids)
        give_away = {"user_id": self.manager.id, "team_id": False}
        self.team.opportunity_type_id = False
        self.type_project.company_id = self.here
        with self.assertRefused("Plant"):
            lead.with_user(supervisor).write(give_away)
            self.env.flush_all()
        self.env.invalidate_all()
        self.type_project.company_id = False
        self.pump.company_id = self.here
        with self.assertRefused("Pump belong to another company", ValidationError):
            lead.with_user(supervisor).write(give_away)
            self.env.flush_all()
        self.env.invalidate_all()
        self.pump.company_id = False
        lead.with_user(supervisor).write(give_away)
        self.assertEqual((lead.sudo().company_id, lead.sudo().collaborator_ids), (self.there, self.supervisor))

    def test_nothing_of_another_company_is_put_on_it(self):
        self.pump.company_id = self.there
        lead = self._create_opportunity(company_id=self.here.id)
        theirs = self.env["crm.competing.product"].create(
            {"name": "R-2", "partner_id": self.rival.id, "product_id": self.pump.id}
        )
        self.assertEqual(theirs.company_id, self.there)
        self.assertNotIn(theirs, theirs.with_user(self.salesman).search([]))
        for values in (
            {"opportunity_line_ids": [Command.create({"product_id": self.pump.id})]},
            {
                "opportunity_competitor_ids": [
                    Command.create({"partner_id": self.rival.id, "competing_product_id": theirs.id})
                ]
            },
        ):
            with self.assertRefused("'Acme line 3' cannot belong to .* another company", ValidationError):
                lead.sudo().write(values)

    def test_a_type_in_use_is_not_taken_away(self):
        self.team.opportunity_type_id = self.type_quick
        self._create_opportunity(company_id=self.here.id)
        for opportunity_type in (self.type_project, self.type_quick):
            with self.assertRefused(opportunity_type.name):
                opportunity_type.company_id = self.there
        self.type_project.company_id = self.here

    # ------------------------------------------------------------
    # Every model
    # ------------------------------------------------------------

    def test_every_model_has_a_company_rule(self):
        """Every stored model of the add-on, and so a new one, keeps companies apart, or is listed above."""
        Rule = self.env["ir.rule"]
        models = {
            name
            for name, cls in self.env.registry.items()
            if cls._original_module == MODULE and not cls._abstract and not cls._transient
        }
        self.assertIn("crm.opportunity.line", models)
        for name in sorted(models - WITHOUT_COMPANY.keys()):
            rules = Rule.search([("model_id.model", "=", name), ("groups", "=", False)])
            self.assertIn("company_ids", " ".join(rules.mapped("domain_force")), name)
        self.assertLessEqual(WITHOUT_COMPANY.keys(), models)
