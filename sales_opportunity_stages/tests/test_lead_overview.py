from odoo.exceptions import AccessError
from odoo.fields import Command

from .quotation_common import QuotationCase


class TestActions(QuotationCase):
    """Actions done and planned, by stage, with the archived ones."""

    def test_by_stage(self):
        lead = self._create_opportunity(expected_revenue=10)
        self._complete(lead, self.act_email, self.act_call)
        self.assertEqual(lead.stage_id, self.stage_needs)
        self._complete(lead, self.act_visit)
        self._schedule(lead, self.act_sign)
        self.assertEqual(
            lead.action_ids.mapped(lambda action: (action.stage_id, action.activity_type_id, action.state == "done")),
            [
                (self.stage_contact, self.act_email, True),
                (self.stage_contact, self.act_call, True),
                (self.stage_needs, self.act_visit, True),
                (self.stage_needs, self.act_sign, False),
            ],
        )
        self.assertEqual(lead.action_count, "3 done, 1 planned")
        action = lead.action_view_actions()
        listed = self.env["mail.activity"].with_user(self.salesman).with_context(**action["context"])
        self.assertEqual(listed.search_count(action["domain"]), 4)
        self.assertEqual(
            dict(listed._read_group(action["domain"], ["stage_visit_id"], ["__count"])),
            dict(zip(lead.stage_visit_ids.sorted("id"), (2, 2), strict=True)),
        )

    def test_forged_by_default(self):
        lead = self._create_opportunity()
        forging = lead.with_context(default_done_visit_id=lead.sudo().stage_visit_ids.id, default_active=False)
        self._schedule(forging, self.act_email)
        planned = lead.with_context(default_done_visit_id=lead.sudo().stage_visit_ids.id)
        self.assertFalse(self._schedule(planned, self.act_email).done_visit_id)

    def test_days_in_stage(self):
        lead = self._create_opportunity()
        self.env.cr.execute(
            "UPDATE crm_stage_visit SET date_start = NOW() AT TIME ZONE 'UTC' - INTERVAL '36 hours' WHERE lead_id = %s",
            [lead.id],
        )
        lead.invalidate_recordset()
        lead.stage_visit_ids.invalidate_recordset()
        self.assertAlmostEqual(lead.stage_visit_days, 1.5, 1)

    def test_one_query_for_the_actions_of_many(self):
        leads = self._create_opportunities(20)
        for lead in leads:
            self._schedule(lead, self.act_email)
        self.env.flush_all()
        leads.invalidate_recordset()
        list(leads.mapped("action_count"))  # warm the cache of what every computation needs
        self.env.flush_all()
        counts = []
        for some in (leads[:2], leads):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some.mapped("action_count")
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])


class TestDocuments(QuotationCase):
    """Attachments of the opportunity, its messages, activities and quotations in one list."""

    def _attach(self, name, record=None):
        values = {"name": name, "raw": name.encode()}
        if record:
            values |= {"res_model": record._name, "res_id": record.id}
        return self.env["ir.attachment"].with_user(self.salesman).create(values)

    def test_all_in_one_list(self):
        lead = self._create_quotable()
        order = self._generate(lead)
        direct, on_order = self._attach("direct", lead), self._attach("on_order", order)
        lead.message_post(body="x", attachments=[("message", b"1")])
        order.message_post(body="x", attachments=[("order_message", b"2")])
        loose = self._attach("activity")
        activity = self._schedule(lead, self.act_email)
        activity.attachment_ids = loose
        activity.action_feedback()
        elsewhere = self._attach("elsewhere", self._create_opportunity(name="Other"))
        lead.invalidate_recordset()
        self.assertEqual(
            set(lead.document_ids.mapped("name")), {"direct", "on_order", "message", "order_message", "activity"}
        )
        self.assertEqual(lead.document_count, 5)
        self.assertLessEqual(direct | on_order, lead.document_ids)
        self.assertNotIn(elsewhere, lead.document_ids)

    def test_of_a_cancelled_and_a_closed_quotation_too(self):
        lead = self._create_quotable()
        cancelled, closed = self._generate(lead), self._generate(lead)
        self._attach("cancelled", cancelled)
        self._attach("closed", closed)
        cancelled.action_cancel()
        closed.action_close_quotation("x")
        self.assertEqual(set(lead.document_ids.mapped("name")), {"cancelled", "closed"})

    def test_what_is_uploaded_there_belongs_to_the_opportunity(self):
        lead = self._create_opportunity()
        action = lead.action_view_documents()
        self.env["ir.attachment"].with_user(self.salesman).with_context(**action["context"]).create(
            {"name": "new", "raw": b"1"}
        )
        lead.invalidate_recordset()
        self.assertEqual(lead.document_ids.mapped("name"), ["new"])

    def test_nobody_sees_more_than_they_may(self):
        lead = self._create_opportunity(collaborator_ids=[Command.link(self.colleague.id)])
        order = self._create_quotation(opportunity_id=lead.id)
        self._attach("on_order", order)
        self._attach("direct", lead)
        self.assertEqual(lead.with_user(self.colleague).document_ids.mapped("name"), ["direct"])
        theirs = self._create_opportunity()
        self._attach("secret", theirs)
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            theirs.with_user(self.colleague).read(["document_ids"])

    def test_closed_quotations_do_not_count(self):
        lead = self._create_quotable()
        self._generate(lead)
        self._generate(lead).action_close_quotation("x")
        self.assertEqual(lead.quotation_count, 1)
