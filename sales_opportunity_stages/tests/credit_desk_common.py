from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user

from .credit_common import CreditCase


class CreditDeskCase(CreditCase):
    """A unit that owes 900 of 1,000, an order of 300 that does not fit, and a second credit manager."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_manager = new_test_user(
            cls.env,
            "sos_credit_two",
            groups="sales_opportunity_stages.group_credit_manager",
            context={"no_reset_password": True},
        )
        cls.debt = cls._invoice(900)
        cls.today = fields.Date.today()
        cls.tomorrow = cls.today + timedelta(days=1)

    def _request(self, orders, reason="Paid next week"):
        return orders.with_user(self.salesman).action_request_credit(reason).sudo(False)

    def _release(self, orders, user=None, **kwargs):
        requests = self._request(orders)
        requests.with_user(user or self.credit_manager).action_release("Known customer", **kwargs)
        return requests

    def _grant(self, amount=500, date_to=None, **values):
        return self.env["sale.credit.grant"]._grant(
            self.unit,
            amount,
            **{
                "company_id": self.company.id,
                "date_to": date_to or self.tomorrow,
                "root_company_id": self.company.root_id.id,
                **values,
            },
        )

    def _get_results(self, order):
        return order.sudo().credit_check_ids.sorted("id").mapped("result")
