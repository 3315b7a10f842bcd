from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import mute_logger

from .common import OpportunityStagesCase


class TestCompetition(OpportunityStagesCase):
    """Contacts and their roles, competitors and their products, and whom an opportunity was lost to."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer, cls.engineer, cls.rival, cls.other_rival = cls.env["res.partner"].create(
            [
                {"name": "Buyer"},
                {"name": "Engineer"},
                {"name": "Rival", "is_competitor": True, "is_company": True},
                {"name": "Other Rival", "is_competitor": True, "is_company": True},
            ]
        )
        cls.reason = cls.env["crm.lost.reason"].create({"name": "Price"})

    def _name_people(self, lead):
        lead.write(
            {
                "opportunity_contact_ids": [
                    Command.create({"partner_id": self.buyer.id, "role": "decision"}),
                    Command.create({"partner_id": self.engineer.id, "role": "technical"}),
                ],
                "opportunity_competitor_ids": [
                    Command.create({"partner_id": self.rival.id, "price": 90, "threat": "3"})
                ],
            }
        )

    def _lose(self, leads, **values):
        wizard = self.env["crm.lead.lost"].with_user(self.salesman)
        wizard.create({"lead_ids": [Command.set(leads.ids)], **values}).action_lost_reason_apply()

    def test_contacts_and_competitors(self):
        lead = self._create_opportunity()
        product = (
            self.env["crm.competing.product"]
            .with_user(self.salesman)
            .create({"name": "R-1", "partner_id": self.rival.id, "price": 95})
        )
        self._name_people(lead)
        lead.opportunity_competitor_ids.competing_product_id = product
        self.assertEqual(self.rival.competing_product_ids, product)
        self.assertEqual(lead.opportunity_contact_ids.mapped("role"), ["decision", "technical"])
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            lead.write({"opportunity_contact_ids": [Command.create({"partner_id": self.buyer.id})]})

    def test_the_customer_is_no_competitor(self):
        lead = self._create_opportunity(partner_id=self.rival.id)
        with self.assertRefused("Rival is the customer of 'Acme line 3'", ValidationError):
            self._name_people(lead)
        lead.partner_id = self.buyer
        self._name_people(lead)
        with self.assertRefused("Rival is the customer", ValidationError):
            lead.partner_id = self.env["res.partner"].create({"name": "Rival's Man", "parent_id": self.rival.id})

    def test_negative_prices(self):
        lead = self._create_opportunity()
        self._name_people(lead)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            lead.opportunity_competitor_ids.price = -1
            self.env.flush_all()

    def test_leads_have_none(self):
        lead = self.env["crm.lead"].create({"name": "Raw", "type": "lead"})
        with self.assertRefused("Convert lead 'Raw'", ValidationError):
            self._name_people(lead)

    def test_losing_may_say_to_whom(self):
        single, *others = leads = self._create_opportunities(3)
        self._lose(single, lost_reason_id=self.reason.id, lost_to_id=self.rival.id)
        self.assertEqual(
            (single.lost_reason_id, single.lost_to_id, single.won_status), (self.reason, self.rival, "lost")
        )
        self._lose(leads - single, lost_to_id=self.other_rival.id)
        self.assertEqual((leads - single).lost_to_id, self.other_rival)
        last = self._create_opportunity()
        self._lose(last)
        self.assertEqual(last.won_status, "lost")
        self.assertFalse(last.lost_to_id)
        self.assertEqual(len(others), 2)

    def test_reopening_clears_both(self):
        leads = self._create_opportunities(4)
        self._lose(leads, lost_reason_id=self.reason.id, lost_to_id=self.rival.id)
        leads[0].action_restore()
        leads[1].action_unarchive()
        leads[2].write({"active": True, "probability": 10})
        for lead in leads[:3]:
            self.assertFalse(lead.lost_to_id or lead.lost_reason_id)
        self.assertEqual(leads[3].lost_to_id, self.rival)

    def test_a_contact_may_be_what_promotion_waits_for(self):
        self.rule_revenue.write(
            {"name": "Decision maker known", "domain": "[('opportunity_contact_ids.role', '=', 'decision')]"}
        )
        lead = self._create_opportunity()
        self._force(lead, self.stage_needs)
        self._complete(lead, self.act_visit, self.act_sign)
        self.assertEqual(lead.stage_id, self.stage_needs)
        self._name_people(lead)
        self.assertEqual(lead.stage_id, self.stage_solution)

    def test_merge(self):
        head, tail = self._create_opportunities(2)
        self._force(head, self.stage_needs)
        self._name_people(head)
        self._name_people(tail)
        tail.write({"opportunity_contact_ids": [Command.create({"partner_id": self.rival.id})]})
        (head | tail).merge_opportunity()
        self.assertEqual(head.opportunity_contact_ids.partner_id, self.buyer | self.engineer | self.rival)
        self.assertEqual(len(head.opportunity_contact_ids), 3)
        self.assertEqual(len(head.opportunity_competitor_ids), 2)

    def test_who_works_on_them(self):
        mine, other = self._create_opportunities(2)
        self._name_people(mine)
        self._name_people(other)
        other.with_user(self.supervisor).user_id = self.supervisor
        for name in ("opportunity_contact_ids", "opportunity_competitor_ids"):
            parts = self.env[mine[name]._name].with_user(self.salesman)
            self.assertEqual(parts.search([("lead_id", "in", (mine | other).ids)]).lead_id, mine)
            with self.assertRaises(AccessError):
                mine[name].write({"lead_id": other.id})
            with self.assertRaises(AccessError):
                parts.with_user(self.employee).search([])
