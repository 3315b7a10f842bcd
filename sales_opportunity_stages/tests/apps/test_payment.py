import json

from odoo.fields import Command
from odoo.http import root
from odoo.tests import HttpCase, tagged

from odoo.addons.payment.controllers.post_processing import PaymentPostProcessing

from .common import AppsCase


@tagged("post_install", "-at_install")
class TestPayment(AppsCase, HttpCase):
    """Needs ``delivery`` and ``website_sale_collect``. Payments on delivery and on site confirm while pending."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.quotation_approval = "off"
        module = cls.env.ref("base.module_payment_custom")
        cls.providers = cls.env["payment.provider"].create(
            [
                {
                    "name": mode,
                    "code": "custom",
                    "custom_mode": mode,
                    "company_id": cls.company.id,
                    "module_id": module.id,
                }
                for mode in ("cash_on_delivery", "on_site", "wire_transfer")
            ]
        )
        cls.provider = cls.providers[0]
        cls.method = cls.env["payment.method"].search([], limit=1)
        cls.portal_user = cls.env["res.users"].create(
            {
                "name": "Ann",
                "login": "ann_payment",
                "password": "ann_payment",
                "partner_id": cls.customer.id,
                "company_id": cls.company.id,
                "company_ids": [Command.set(cls.company.ids)],
                "group_ids": [Command.set(cls.env.ref("base.group_portal").ids)],
            }
        )

    def _pay(self, order, provider=None, state="pending"):
        provider = provider or self.provider
        return self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": self.method.id,
                "reference": f"{order.name}-{provider.id}-{state}",
                "amount": order.amount_total,
                "currency_id": order.currency_id.id,
                "partner_id": order.partner_id.id,
                "sale_order_ids": [Command.set(order.ids)],
                "operation": "online_direct",
                "state": state,
            }
        )

    def _assert_told(self, order, pattern):
        self.assertIn(order.state, ("draft", "sent"))
        activity = order.sudo().activity_ids.filtered(lambda each: each.user_id == self.salesman)
        self.assertEqual(activity.summary, "Accepted by the customer, not confirmed")
        self.assertRegex(activity.note, pattern)

    def test_credit_allows_it(self):
        for provider in self.providers[:2]:
            order = self._order(100)
            self._pay(order, provider)._post_process()
            self.assertEqual(order.state, "sale", provider.name)

    def test_refused_by_credit(self):
        """The payment is processed to its end, and no later run of the cron meets it again."""
        self.unit.credit_limit = 50
        for provider in self.providers[:2]:
            order = self._order(100)
            transaction = self._pay(order, provider)
            transaction._post_process()
            self._assert_told(order, "credit limit of Holding is exceeded")
            self.assertTrue(transaction.is_post_processed)
            self.assertFalse(self.env["stock.picking"].search([("sale_id", "=", order.id)]))

    def test_refused_by_approval(self):
        self.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 0})
        for provider in self.providers[:2]:
            order = self._order(100)
            self._pay(order, provider)._post_process()
            self._assert_told(order, "has to be approved first")

    def test_closed_meanwhile(self):
        for provider in self.providers:
            order = self._order(100)
            order.action_close_quotation("No budget")
            self._pay(order, provider)._post_process()
            self._assert_closed(order)

    def _assert_closed(self, order):
        self.assertEqual((order.state, order.approval_state), ("draft", "closed"))

    def test_in_a_batch_of_the_cron(self):
        """One customer over the limit does not stop the others."""
        self.unit.credit_limit = 50
        fine, refused = self._order(100, partner=self.free), self._order(100)
        transactions = self._pay(refused) | self._pay(fine)
        transactions._post_process()
        self.assertEqual(fine.state, "sale")
        self._assert_told(refused, "credit limit of Holding is exceeded")
        self.assertFalse(fine.activity_ids)

    def _poll(self, transaction):
        session = self.authenticate("ann_payment", "ann_payment")
        session[PaymentPostProcessing.MONITORED_TX_ID_KEY] = transaction.id
        root.session_store.save(session)
        response = self.url_open(
            "/payment/status/poll", data=json.dumps({"params": {}}), headers={"Content-Type": "application/json"}
        )
        return response.text

    def test_the_customer_hears_nothing_of_credit(self):
        """Whatever the policy of the company, and whoever's mode the request runs in."""
        self._invoice(4711)
        for policy, limit in (("block", 50), ("warn", 50)):
            with self.subTest(policy):
                self.company.credit_policy = policy
                self.unit.credit_limit = limit
                order = self._order(100)
                sent = []
                self.patch(
                    self.registry["res.users"], "_bus_send", lambda *args, sent=sent, **kwargs: sent.append(args)
                )
                answer = self._poll(self._pay(order))
                for secret in ("4,711", "4711", "credit", "Holding", "limit"):
                    self.assertNotIn(secret, answer)
                    self.assertNotIn(secret, str(sent))
                self.assertEqual(order.state == "sale", policy == "warn")

    def test_what_a_customer_calls_is_refused_without_reasons(self):
        order = self._order(100)
        self.unit.credit_limit = 50
        for records in (order.with_user(self.portal_user), order.with_user(self.portal_user).sudo()):
            records = records.with_context(sale_order_acceptance=True)
            try:
                with self.env.cr.savepoint():
                    records.write({"state": "sale"})
                message = ""
            except Exception as error:  # whatever it is, it is read
                message = str(error)
            self.assertNotIn("limit", message)
            self.assertNotIn("Holding", message)
            self.assertEqual(order.state, "draft")
