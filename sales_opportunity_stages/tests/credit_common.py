from odoo import fields
from odoo.api import SUPERUSER_ID
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .quotation_common import QuotationSetup


class CreditSetup(QuotationSetup):
    """A company that checks credit, a unit with two members, and who decides on it.

    The unit may owe 1,000. Products have no taxes and are invoiced as ordered.
    """

    @classmethod
    def _set_up_credit(cls):
        cls._set_up_quotations()
        cls.company.account_use_credit_limit = True
        kwargs = {"context": {"no_reset_password": True}}
        cls.accountant = new_test_user(cls.env, "sos_accountant", groups="account.group_account_invoice", **kwargs)
        cls.credit_manager = new_test_user(
            cls.env,
            "sos_credit",
            groups="sales_opportunity_stages.group_credit_manager",
            **kwargs,
        )
        cls.unit, cls.member, cls.free = cls.env["res.partner"].create(
            [{"name": name, "is_company": True} for name in ("Holding", "Subsidiary", "Unlimited")]
        )
        cls.unit.credit_limit = 1000
        cls.customer.write({"is_company": True, "credit_unit_id": cls.unit.id})
        cls.member.credit_unit_id = cls.unit
        (cls.product | cls.other_product).invoice_policy = "order"

    @classmethod
    def _order(cls, amount, partner=None, user=None, **values):
        """A quotation of this total, not confirmed."""
        return cls._create_quotation(
            user=user, quantity=1, price=amount, partner_id=(partner or cls.customer).id, **values
        )

    @classmethod
    def _confirm(cls, *args, **kwargs):
        order = cls._order(*args, **kwargs)
        order.action_confirm()
        return order

    @classmethod
    def _invoice(cls, amount, partner=None, post=True, move_type="out_invoice", date=None, **values):
        """An invoice that comes from no order."""
        move = cls.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": (partner or cls.customer).id,
                "invoice_date": date or fields.Date.today(),
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": cls.product.id,
                            "quantity": 1,
                            "price_unit": amount,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
                **values,
            }
        )
        if post:
            move.action_post()
        return move

    @classmethod
    def _pay(cls, move, amount):
        return (
            cls.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"amount": amount, "payment_date": fields.Date.today()})
            ._create_payments()
        )

    def _get_exposure(self, unit=None, company=None):
        self.env.flush_all()
        unit = unit or self.unit
        return (
            self.env["sale.credit.exposure"].sudo()._get_standings(unit.ids, company or self.company)[unit.id].exposure
        )

    def _get_checks(self, unit=None):
        return self.env["sale.credit.check"].search([("unit_id", "=", (unit or self.unit).id)], order="id")


@tagged("post_install", "-at_install")
class CreditCase(CreditSetup, AccountTestInvoicingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.company_data["company"]
        cls.env = cls.env(user=SUPERUSER_ID, context=dict(cls.env.context, allowed_company_ids=company.ids))
        cls.env.user.company_ids |= company
        cls._set_up_credit()


class CreditTours(CreditSetup, AccountTestInvoicingCommon, HttpCase):
    """Tours with an accountant who is a credit manager."""

    browser_size = "1280x720"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.company_data["company"]
        cls.env = cls.env(user=SUPERUSER_ID, context=dict(cls.env.context, allowed_company_ids=company.ids))
        cls.env.user.company_ids |= company
        cls._set_up_credit()
        groups = "account.group_account_invoice,sales_opportunity_stages.group_credit_manager"
        cls.keeper = new_test_user(cls.env, "sos_keeper", groups=groups)

    def _tour(self, name, path, user):
        self.start_tour(path, f"sales_opportunity_stages_{name}", login=user.login, timeout=300)
