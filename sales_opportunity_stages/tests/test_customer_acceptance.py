import base64
import json

from odoo import http
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.payment.tests.http_common import PaymentHttpCommon

from .quotation_common import QuotationSetup

SIGNATURE = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()


@tagged("post_install", "-at_install")
class TestCustomerAcceptance(QuotationSetup, PaymentHttpCommon):
    """What a customer signs or pays is never lost, and never confirms what may not be."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()
        cls.company.quotation_approval = "required"

    def _create_accepted(self, **values):
        """An approved quotation, sent to the customer, whose page is open."""
        order = self._create_quotation(require_signature=True, require_payment=False, **values)
        order.with_user(self.approver).action_approve()
        order.action_quotation_sent()
        order._portal_ensure_token()
        return order

    def _post(self, path, **params):
        response = self.url_open(
            path, data=json.dumps({"params": params}), headers={"Content-Type": "application/json"}
        )
        return response.json()

    def _sign(self, order):
        return self._post(
            f"/my/orders/{order.id}/accept", access_token=order.access_token, name="Ann Acme", signature=SIGNATURE
        )

    def _get_page(self, order):
        response = self.url_open(f"/my/orders/{order.id}?access_token={order.access_token}")
        self.assertEqual(response.status_code, 200)
        return response.text

    def _assert_kept(self, order, reason):
        self.assertIn(order.state, ("draft", "sent"))
        task = order.sudo().activity_ids.filtered(lambda activity: activity.user_id == self.salesman)
        self.assertEqual(task.summary, "Accepted by the customer, not confirmed")
        self.assertIn(reason, task.note)

    def test_effective_it_is_confirmed(self):
        order = self._create_accepted()
        self.assertIn('data-bs-target="#modalaccept"', self._get_page(order))
        self.assertIn("redirect_url", self._sign(order)["result"])
        self.assertEqual((order.state, order.signed_by), ("sale", "Ann Acme"))
        self.assertFalse(order.activity_ids)

    def test_approval_withdrawn_while_the_page_was_open(self):
        order = self._create_accepted()
        order.with_user(self.approver).action_unapprove()
        self.assertNotIn('data-bs-target="#modalaccept"', self._get_page(order))
        answer = self._sign(order)["result"]
        self.assertEqual((order.signed_by, bool(order.signature)), ("Ann Acme", True))
        self._assert_kept(order, "has to be approved first")
        page = self.url_open(answer["redirect_url"])
        self.assertEqual(page.status_code, 200)
        self.assertIn("Your order has been signed.", page.text)

    def test_closed_while_the_page_was_open(self):
        order = self._create_accepted()
        order.action_close_quotation("No budget")
        self.assertIn("redirect_url", self._sign(order)["result"])
        self.assertEqual(order.signed_by, "Ann Acme")
        self._assert_kept(order, "It is closed (No budget)")
        self._get_page(order)

    def test_opportunity_lost_while_the_page_was_open(self):
        lead = self._create_opportunity(partner_id=self.customer.id)
        order = self._create_accepted(opportunity_id=lead.id)
        self._lose(lead)
        self.assertIn("redirect_url", self._sign(order)["result"])
        self._assert_kept(order, "is Lost")

    def test_the_page_says_why_nothing_can_be_signed(self):
        """In words for customers: the reasons are not theirs to read."""
        order = self._create_accepted()
        self.assertNotIn("o_sale_portal_notice", self._get_page(order))
        order.with_user(self.approver).action_unapprove()
        page = self._get_page(order)
        self.assertIn("still being checked on our side and cannot be accepted yet", page)
        order.action_close_quotation("No budget, and they never pay")
        page = self._get_page(order)
        self.assertIn("is closed and can no longer be accepted", page)
        for secret in ("No budget", "approv", "Sales Administrator"):
            self.assertNotIn(secret, page.partition("portal_sale_content")[0].partition("o_sale_portal_notice")[2])

    def test_the_page_of_a_lost_opportunity(self):
        lead = self._create_opportunity("Secret name", partner_id=self.customer.id)
        order = self._create_accepted(opportunity_id=lead.id)
        self._lose(lead)
        page = self._get_page(order)
        self.assertIn("cannot be accepted at the moment", page)
        self.assertNotIn("Secret name", page.partition("o_sale_portal_notice")[2].partition("portal_sale_content")[0])

    def test_the_page_of_what_was_signed_and_not_confirmed(self):
        order = self._create_accepted()
        order.with_user(self.approver).action_unapprove()
        self._sign(order)
        self.assertIn("We have received your signature", self._get_page(order))

    def test_the_page_of_an_order_says_nothing(self):
        order = self._create_accepted()
        self._sign(order)
        self.assertNotIn("o_sale_portal_notice", self._get_page(order))

    def test_the_list_says_what_is_closed(self):
        closed, fine = self._create_accepted(), self._create_accepted()
        closed.action_close_quotation("No budget")
        group = self.env.ref("base.group_portal")
        user = self.env["res.users"].create(
            {
                "name": "Ann",
                "login": "ann_acme",
                "password": "ann_acme",
                "partner_id": self.customer.id,
                "group_ids": group,
            }
        )
        self.authenticate(user.login, user.login)
        page = self.url_open("/my/quotes").text
        row = page.partition(f">{closed.name}<")[2].partition("</tr>")[0]
        self.assertIn("Closed", row)
        self.assertNotIn("Closed", page.partition(f">{fine.name}<")[2].partition("</tr>")[0])

    def test_rejecting_a_closed_one_is_an_ordinary_page(self):
        order = self._create_accepted()
        order.action_close_quotation("No budget")
        self.authenticate(None, None)
        page = self.url_open(
            f"/my/orders/{order.id}/decline?access_token={order.access_token}",
            data={"decline_message": "no", "csrf_token": http.Request.csrf_token(self)},
        )
        self.assertEqual(page.status_code, 200)
        self.assertEqual(order.state, "sent")

    def test_no_payment_is_started(self):
        order = self._create_accepted()
        order.with_user(self.approver).action_unapprove()
        answer = self._post(
            f"/my/orders/{order.id}/transaction",
            access_token=order.access_token,
            provider_id=self.provider.id,
            payment_method_id=self.payment_method_id,
            token_id=None,
            amount=order.amount_total,
            flow="direct",
            tokenization_requested=False,
            landing_route="/my",
        )
        self.assertEqual(
            answer["error"]["data"]["message"], f"{order.name} cannot be paid at the moment: please contact us."
        )
        self.assertFalse(order.sudo().transaction_ids)

    def _pay(self, order, state="done"):
        transaction = self._create_transaction(
            "direct",
            reference=f"{order.name}-{state}",
            amount=order.amount_total,
            currency_id=order.currency_id.id,
            partner_id=self.customer.id,
            sale_order_ids=[Command.set(order.ids)],
            state=state,
        )
        transaction._post_process()
        return transaction

    def test_payment_of_an_effective_one(self):
        order = self._create_accepted()
        self._pay(order)
        self.assertEqual(order.state, "sale")

    def test_payment_is_processed_all_the_same(self):
        self._allow_authorization()
        for hinder, reason in (
            (lambda order: order.with_user(self.approver).action_unapprove(), "has to be approved first"),
            (lambda order: order.action_close_quotation("No budget"), "It is closed (No budget)"),
        ):
            for state in ("done", "authorized"):
                with self.subTest(reason, state=state):
                    order = self._create_accepted()
                    hinder(order)
                    transaction = self._pay(order, state)
                    self.assertEqual(transaction.state, state)
                    self._assert_kept(order, reason)

    def test_pending_payment_of_a_draft(self):
        order = self._create_quotation(require_payment=True)
        self._pay(order, "pending")
        self.assertEqual(order.state, "draft", "it may not be sent")

    def test_the_same_from_a_client_is_refused(self):
        """What keeps an acceptance cannot be claimed."""
        order = self._create_quotation(require_signature=True)
        claimed = order.with_context(sale_order_acceptance=True)
        self.assertFalse(claimed._has_to_be_signed())
        with self.assertRaises(UserError):
            claimed.action_quotation_sent()

    def test_a_batch_of_one_customer_does_not_stop_the_others(self):
        fine, hindered = self._create_accepted(), self._create_accepted()
        hindered.with_user(self.approver).action_unapprove()
        transactions = self.env["payment.transaction"]
        for order in (fine, hindered):
            transactions |= self._create_transaction(
                "direct",
                reference=order.name,
                amount=order.amount_total,
                currency_id=order.currency_id.id,
                partner_id=self.customer.id,
                sale_order_ids=[Command.set(order.ids)],
                state="done",
            )
        transactions._post_process()
        self.assertEqual((fine.state, hindered.state), ("sale", "sent"))
