from odoo.tests import HttpCase, tagged

from .quotation_common import QuotationSetup


class CustomerTours(QuotationSetup, HttpCase):
    """What a customer does and reads in the portal."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()
        cls.company.quotation_approval = "required"
        cls.customer.email = "ann@example.com"
        cls.ann = cls.env["res.users"].create(
            {
                "name": "Ann",
                "login": "tour_ann",
                "password": "tour_ann",
                "partner_id": cls.customer.id,
                "group_ids": cls.env.ref("base.group_portal"),
            }
        )

    def _create_sent(self, name):
        order = self._create_quotation(name=name, require_signature=True, require_payment=False)
        order.with_user(self.approver).action_approve()
        order.action_quotation_sent()
        return order

    def _check_portal(self):
        signed, closed, unapproved = (self._create_sent(f"Tour {name}") for name in ("Signed", "Closed", "Waiting"))
        closed.action_close_quotation("No budget")
        unapproved.with_user(self.approver).action_unapprove()
        for name in ("is_told", "signs"):
            self.start_tour(
                "/my/quotes", f"sales_opportunity_stages_customer_{name}", login=self.ann.login, timeout=180
            )
        self.assertEqual((signed.state, signed.signed_by), ("sale", "Ann Acme"))
        self.assertEqual((closed.approval_state, unapproved.approval_state), ("closed", "open"))


@tagged("post_install", "-at_install")
class TestCustomerTours(CustomerTours):
    browser_size = "1280x720"

    def test_portal(self):
        self._check_portal()


@tagged("post_install", "-at_install")
class TestCustomerPhoneTours(CustomerTours):
    browser_size = "390x844"
    touch_enabled = True

    def test_portal(self):
        self._check_portal()
