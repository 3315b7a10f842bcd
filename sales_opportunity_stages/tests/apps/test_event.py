from datetime import timedelta

from odoo import fields, http
from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from ..quotation_common import QuotationSetup
from .common import AppsCase


class EventSetup:
    @classmethod
    def _set_up_event(cls):
        cls.ticket_product = cls.env["product.product"].create(
            {"name": "Ticket", "type": "service", "service_tracking": "event", "taxes_id": [Command.clear()]}
        )
        cls.event = cls.env["event.event"].create(
            {
                "name": "Fair",
                "date_begin": fields.Datetime.now() + timedelta(days=10),
                "date_end": fields.Datetime.now() + timedelta(days=11),
                "company_id": cls.company.id,
                "event_ticket_ids": [Command.create({"name": "Free", "product_id": cls.ticket_product.id, "price": 0})],
            }
        )
        cls.ticket = cls.event.event_ticket_ids

    def _prepare_ticket_line(self, quantity=2, price=0.0):
        return {
            "product_id": self.ticket_product.id,
            "event_id": self.event.id,
            "event_ticket_id": self.ticket.id,
            "product_uom_qty": quantity,
            "price_unit": price,
            "technical_price_unit": 0.0,
        }

    def _get_registrations(self, order):
        return self.env["event.registration"].search([("sale_order_id", "=", order.id)])


class TestEvent(EventSetup, AppsCase):
    """Needs ``event_sale``."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_event()

    def _sell(self, price):
        return self._create_quotation(order_line=[Command.create(self._prepare_ticket_line(price=price))])

    def test_refused_by_credit_registers_nobody(self):
        order = self._sell(150)
        self.unit.credit_limit = 299
        with self.assertRefused("credit limit of Holding is exceeded"), self.env.cr.savepoint():
            order.action_confirm()
        self.assertFalse(self._get_registrations(order))

    def test_approved_and_at_full_credit(self):
        order = self._sell(250)
        order.with_user(self.approver).action_approve()
        self.unit.credit_limit = 500
        order.action_confirm()
        self.assertEqual((order.state, len(self._get_registrations(order))), ("sale", 2))
        self.assertEqual(order.approval_state, "approved")

    def test_the_customer_of_an_approved_order(self):
        """Registrations follow the order, which nobody changes."""
        order = self._sell(250)
        order.with_user(self.approver).action_approve()
        order.action_confirm()
        self._get_registrations(order).action_cancel()
        self.assertEqual(order.amount_total, 500)


@tagged("post_install", "-at_install")
class TestFreeTicket(EventSetup, QuotationSetup, HttpCase):
    """Needs ``website_event_sale``. Free tickets are confirmed by the page, without a checkout."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()
        cls._set_up_event()
        cls.event.is_published = True
        cls.website = cls.env["website"].search([("company_id", "=", cls.company.id)], limit=1)
        cls.website.salesperson_id = cls.salesman
        cls.user = cls.env["res.users"].create(
            {
                "name": "Ann",
                "login": "ann_ticket",
                "password": "ann_ticket",
                "partner_id": cls.customer.id,
                "group_ids": [Command.set(cls.env.ref("base.group_portal").ids)],
            }
        )

    def _register(self):
        """Register for the free ticket, with a cart under way: without one, Odoo makes no order."""
        order = self._create_quotation(website_id=self.website.id, order_line=[])
        self.authenticate("ann_ticket", "ann_ticket")
        path = f"/event/{self.event.id}/registration/confirm"
        question = self.event.question_ids
        values = {"csrf_token": http.Request.csrf_token(self)}
        values["1-event_ticket_id"] = self.ticket.id
        for each in question:
            if each.question_type in ("name", "email"):
                values[f"1-{each.question_type}-{each.id}"] = "ann@acme.example"
        page = self.url_open(path, data=values)
        self.assertEqual(page.status_code, 200, page.text[-1500:])
        self.assertEqual(order.order_line.product_id, self.ticket_product)
        return page, order

    def test_a_free_ticket(self):
        page, order = self._register()
        self.assertEqual(order.state, "sale")
        self.assertTrue(page.url.endswith("/shop/confirmation"), page.url)

    def test_where_everything_has_to_be_approved(self):
        """The customer sees an ordinary page; the salesperson is told."""
        self.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 0})
        page, order = self._register()
        self.assertEqual(order.state, "draft")
        self.assertTrue(page.url.endswith("/shop/confirmation"), page.url)
        self.assertNotIn("approved first", page.text)
        activity = order.activity_ids.filtered(lambda each: each.summary == "Accepted by the customer, not confirmed")
        self.assertIn("has to be approved first", activity.note)
