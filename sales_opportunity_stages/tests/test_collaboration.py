from odoo import Command
from odoo.exceptions import AccessError, ValidationError

from .common import OpportunityStagesCase


class TestCollaboration(OpportunityStagesCase):
    """A salesperson limited to own documents works on what they collaborate on, and cannot give it away."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls.env["product.product"].create({"name": "Pump", "list_price": 100})
        cls.lead = cls._create_opportunity(
            opportunity_line_ids=[Command.create({"product_id": cls.product.id, "price_unit": 5})]
        )

    def _collaborate(self):
        self.lead.write({"collaborator_ids": [Command.link(self.colleague.id)]})
        return self.lead.with_user(self.colleague)

    def test_without_it_nothing_is_seen(self):
        lead = self.lead.with_user(self.colleague)
        self.assertFalse(lead.search([("id", "=", lead.id)]))
        with self.assertRaises(AccessError):
            lead.write({"name": "Mine"})
        with self.assertRaises(AccessError):
            lead.write({"collaborator_ids": [Command.link(self.colleague.id)]})
        with self.assertRaises(AccessError):
            lead.opportunity_line_ids.read(["price_unit"])

    def test_only_who_has_access_to_sales_can_collaborate(self):
        with self.assertRefused("cannot collaborate on 'Acme line 3'", ValidationError):
            self.lead.write({"collaborator_ids": [Command.link(self.employee.id)]})
        result = (
            self.env["crm.lead"]
            .with_user(self.salesman)
            .load(["name", "type", "collaborator_ids/.id"], [["By import", "opportunity", str(self.employee.id)]])
        )
        self.assertFalse(result["ids"])
        self.assertIn("cannot collaborate", str(result["messages"]))

    def test_a_collaborator_works_on_it(self):
        lead = self._collaborate()
        self.assertEqual(lead.search([("collaborator_ids", "in", self.colleague.ids)]), lead)
        lead.write({"name": "Better name", "expected_revenue": 7})
        lead.opportunity_line_ids.price_unit = 9
        lead.write({"opportunity_line_ids": [Command.create({"product_id": self.product.id})]})
        lead.opportunity_line_ids[1].unlink()
        self.assertEqual(lead.expected_revenue, 9)
        self.assertTrue(lead.stage_visit_ids.read(["date_start"]))
        self._complete(lead, self.act_call)
        self.assertEqual(lead.stage_id, self.stage_needs)
        self.assertEqual(lead.stage_visit_ids.sorted("id")[-1].moved_by_id, self.colleague)
        lead.message_post(body="Called them")

    def test_a_collaborator_cannot_give_it_away_or_delete_it(self):
        lead = self._collaborate()
        for values in (
            {"user_id": self.colleague.id},
            {"user_id": self.supervisor.id},
            {"user_id": False},
            {"collaborator_ids": [Command.link(self.supervisor.id)]},
            {"collaborator_ids": [Command.clear()]},
        ):
            with self.subTest(values=values), self.assertRefused("only .* who is responsible", AccessError):
                lead.write(values)
        with self.assertRaises(AccessError):
            lead.unlink()
        lead.write({"user_id": self.salesman.id, "name": "The same salesperson is no change"})

    def test_the_responsible_and_managers_may(self):
        self._collaborate()
        self.lead.write({"collaborator_ids": [Command.unlink(self.colleague.id)]})
        self.assertFalse(self.lead.with_user(self.colleague).search([("id", "=", self.lead.id)]))
        self.lead.with_user(self.supervisor).write(
            {"user_id": self.colleague.id, "collaborator_ids": [Command.link(self.salesman.id)]}
        )
        self.assertEqual(self.lead.user_id, self.colleague)
        self.lead.with_user(self.salesman).write({"name": "Now I collaborate"})

    def test_an_unassigned_one_may_be_taken(self):
        self.lead.with_user(self.supervisor).write(
            {"user_id": False, "collaborator_ids": [Command.link(self.salesman.id)]}
        )
        self.lead.write({"user_id": self.salesman.id})
        self.assertEqual(self.lead.user_id, self.salesman)

    def test_new_collaborators_follow_and_are_told(self):
        self._collaborate()
        self.assertIn(self.colleague.partner_id, self.lead.message_partner_ids)
        notified = self.env["mail.message"].search(
            [
                ("model", "=", "crm.lead"),
                ("res_id", "=", self.lead.id),
                ("partner_ids", "in", self.colleague.partner_id.ids),
            ]
        )
        self.assertIn("You have been assigned", notified.subject or "")
        self.assertEqual(len(notified), 1)

    def test_merge_and_copy(self):
        self._collaborate()
        other = self._create_opportunity("Other")
        other.write({"collaborator_ids": [Command.link(self.supervisor.id)]})
        merged = (self.lead | other).merge_opportunity()
        self.assertEqual(merged.collaborator_ids, self.colleague | self.supervisor)
        self.assertFalse(merged.copy().collaborator_ids)

    def test_collaborators_do_not_merge_it_away(self):
        """Merging deletes what is merged, and Odoo does that for whoever may read it."""
        self._collaborate()
        own = self._create_opportunity("Mine", user=self.colleague, user_id=self.colleague.id)
        leads = self.lead | own
        for asked in (leads, own | self.lead):
            with self.assertRefused("who is responsible, or a sales manager can merge", AccessError):
                asked.with_user(self.colleague).merge_opportunity()
        self.assertEqual(leads.exists(), leads)
        self.assertEqual(len(leads.with_user(self.supervisor).merge_opportunity()), 1)
