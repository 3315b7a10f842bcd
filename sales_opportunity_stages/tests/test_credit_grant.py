from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time

from .credit_desk_common import CreditDeskCase

OVER = "is exceeded by"


class TestGrant(CreditDeskCase):
    """A temporary or insured amount on top of the limit, read by date where credit is checked."""

    def test_on_its_days_only(self):
        self._grant(200, date_from=self.tomorrow, date_to=self.tomorrow)
        orders = [self._order(300) for _index in range(3)]
        with self.assertRefused(OVER):
            orders[0].action_confirm()
        with freeze_time(self.tomorrow + timedelta(days=1)), self.assertRefused(OVER):
            orders[0].action_confirm()
        with freeze_time(self.tomorrow):
            orders[0].action_confirm()
            with self.assertRefused(OVER):
                orders[1].action_confirm()

    def test_expiry_unconfirms_nothing(self):
        self._grant(200, date_to=self.today)
        order = self._confirm(300)
        with freeze_time(self.tomorrow):
            self.env.invalidate_all()
            self.env["sale.order"]._cron_recheck_credit()
            self.assertEqual(order.state, "sale")
            self.assertEqual(self.unit.credit_available, -200)
            grants = self.env["sale.credit.grant"].search([("is_over_since_expiry", "=", True)])
            self.assertEqual(grants.unit_id, self.unit)

    def test_several_add_up_and_are_linked(self):
        grants = self._grant(100) | self._grant(100, kind="insured", policy_number="P-1")
        order = self._confirm(300)
        check = order.sudo().credit_check_ids
        self.assertEqual((check.grant_ids, check.credit_limit), (grants.sudo(), 1200))
        self.unit.invalidate_recordset()
        self.assertEqual((self.unit.credit_effective_limit, self.unit.credit_available), (1200, 0))

    def test_of_one_company_or_the_tree(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.env.user.company_ids |= branch | elsewhere
        for company in (branch, elsewhere):
            self.unit.with_company(company).credit_limit = 10
        self._grant(100)
        self._grant(30, company_id=False)

        def read(company):
            self.env.invalidate_all()
            return self.unit.with_company(company).credit_effective_limit

        self.assertEqual((read(self.company), read(branch), read(elsewhere)), (1130, 40, 10))

    def test_without_a_limit_it_adds_none(self):
        self.unit.credit_limit = 0
        self._grant(100)
        self._confirm(10**6)

    def test_what_makes_no_sense(self):
        for values in ({"amount": 0}, {"date_to": self.today - timedelta(days=1)}, {"kind": "insured"}):
            with self.subTest(values), self.assertRaises(UserError):
                self._grant(**values)

    def test_nobody_writes_it(self):
        grant = self._grant(100)
        for user in (self.salesman, self.manager, self.accountant, self.credit_manager, self.env.user):
            own = grant.with_user(user)
            for attempt in (
                lambda own=own: own.write({"amount": 10**6}),
                lambda own=own: own.sudo().write({"date_to": False}),
                lambda own=own: own.unlink(),
                lambda own=own: own.create({"unit_id": self.unit.id, "amount": 10**6}),
            ):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    attempt()

    def test_by_the_dialog(self):
        values = {"unit_id": self.unit.id, "amount": 200, "date_to": self.tomorrow, "reason": "Trade fair"}
        for user in (self.salesman, self.manager):
            with self.assertRaises(AccessError):
                self.env["sale.credit.grant.create"].with_user(user).create(values).action_grant()
        wizard = self.env["sale.credit.grant.create"].with_user(self.credit_manager).create(values)
        wizard.action_grant()
        grant = self.env["sale.credit.grant"].search([("kind", "=", "temporary")])
        self.assertEqual((grant.granted_by_id, grant.reason), (self.credit_manager, "Trade fair"))
        self._confirm(300)

    def test_by_a_request(self):
        order = self._order(300)
        request = self._request(order)
        request.with_user(self.credit_manager).action_grant(200, self.tomorrow, "Known")
        self.assertEqual((request.state, request.decision), ("granted", "grant"))
        grant = request.grant_id
        self.assertEqual(
            (grant.amount, grant.date_to, grant.granted_by_id, grant.requested_by_id, grant.reason),
            (200, self.tomorrow, self.credit_manager, self.salesman, "Known"),
        )
        order.action_confirm()
        self.assertEqual(order.sudo().credit_check_ids.sorted("id")[-1].grant_ids, grant.sudo())

    def test_expiring(self):
        soon, _later = self._grant(1), self._grant(1, date_to=self.today + timedelta(days=60))
        domain = [("is_in_force", "=", True), ("date_to", "<=", self.today + timedelta(days=14))]
        self.assertEqual(self.env["sale.credit.grant"].search(domain), soon)


class TestPermanent(CreditDeskCase):
    """Every change of the limit or the term is logged."""

    def _get_changes(self):
        grants = self.env["sale.credit.grant"].search([("unit_id", "=", self.unit.id), ("kind", "=", "permanent")])
        return grants.sorted("id")

    def test_by_hand(self):
        first = self._get_changes()
        self.assertEqual(first.mapped("amount"), [1000])
        unit = self.unit.with_user(self.credit_manager)
        unit.write({"credit_limit": 1500, "credit_term_days": 30, "credit_change_reason": "Good payer"})
        change = self._get_changes() - first
        self.assertEqual(
            (change.old_amount, change.amount, change.old_term_days, change.term_days, change.reason),
            (1000, 1500, 0, 30, "Good payer"),
        )
        self.assertEqual((change.granted_by_id, change.company_id), (self.credit_manager, self.company))
        unit.write({"credit_limit": 1500, "name": "Holding plc"})
        self.assertEqual(len(self._get_changes()), 2)

    def test_by_an_import(self):
        known = self._get_changes()
        partner = self.unit.with_context(tracking_disable=True, import_file=True)
        result = partner.load([".id", "credit_limit"], [[str(self.unit.id), "700"]])
        self.assertFalse([m for m in result["messages"] if m["type"] == "error"])
        self.assertEqual((self._get_changes() - known).amount, 700)

    def test_of_each_company(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        known = self._get_changes()
        self.unit.with_company(branch).credit_limit = 5
        self.assertEqual((self._get_changes() - known).company_id, branch)

    def test_limit_as_of_a_day(self):
        Grant = self.env["sale.credit.grant"]
        self._grant(50, date_to=self.tomorrow)
        later = self.today + timedelta(days=10)
        with freeze_time(later):
            self.unit.credit_limit = 2000

        def read(day):
            return Grant._get_limit_on(self.unit, self.company, day)

        self.assertEqual(read(self.tomorrow), 1050)
        self.assertEqual(read(self.tomorrow + timedelta(days=1)), 1000)
        self.assertEqual(read(later), 2000)
        self.assertEqual(read(self.today - timedelta(days=1)), 0, "there was none")

    def test_to_review(self):
        self.unit.with_user(self.credit_manager).credit_review_date = self.today
        units = self.env["res.partner"].search([("credit_review_date", "<=", self.today)])
        self.assertIn(self.unit, units)
        with self.assertRaises(AccessError):
            self.unit.with_user(self.salesman).credit_review_date = self.tomorrow


class TestControl(CreditDeskCase):
    """By limit, cash only, stopped."""

    def setUp(self):
        super().setUp()
        self._pay(self.debt, 900)

    def test_by_limit_is_what_everybody_has(self):
        self.assertEqual(self.unit.credit_control, "limit")

    def test_cash_only(self):
        self.unit.credit_control = "cash"
        order = self._order(100)
        with self.assertRefused("pays before an order is confirmed"):
            order.action_confirm()
        payment = self.env["account.payment"].create(
            {"partner_id": self.customer.id, "amount": 100, "payment_type": "inbound", "partner_type": "customer"}
        )
        payment.action_post()
        if not payment.move_id:  # without an outstanding account the money is in the books with its statement
            entry = self._invoice(100, move_type="out_refund")
            self.assertTrue(entry)
        order.action_confirm()
        with self.assertRefused("pays before"):
            self._confirm(1)

    def test_cash_only_counts_no_grant(self):
        self.unit.credit_control = "cash"
        self._grant(500)
        with self.assertRefused("pays before"):
            self._confirm(100)

    def test_stopped(self):
        self.unit.credit_control = "stop"
        for amount in (1, 0):
            with self.assertRefused("are stopped"):
                self._order(amount).action_confirm()
        self.company.credit_policy = "warn"
        with self.assertRefused("are stopped"):
            self._confirm(1)
        self.unit.credit_control = "limit"
        self._confirm(0)

    def test_stopped_in_one_company(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self.unit.with_company(branch).credit_control = "stop"
        self._confirm(1)

    def test_who_sets_it(self):
        for user in (self.salesman, self.manager):
            with self.assertRaises(AccessError):
                self.unit.with_user(user).credit_control = "stop"
        self.unit.with_user(self.credit_manager).credit_control = "cash"

    def test_the_limit_of_the_parent_company(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        branch.account_use_credit_limit = True
        self.env.user.company_ids |= branch
        unit = self.unit.with_company(branch)
        self.assertEqual(unit.credit_effective_limit, 0)
        branch.credit_use_parent_limit = True
        self.env.invalidate_all()
        self.assertEqual(unit.credit_effective_limit, 1000)
        values = {"company_id": branch.id, "partner_id": self.customer.id}
        line = {"product_id": self.product.id, "price_unit": 1001, "tax_ids": False}
        order = self.env["sale.order"].with_company(branch).create({**values, "order_line": [Command.create(line)]})
        with self.assertRefused(OVER):
            order.action_confirm()
        unit.credit_limit = 1001
        order.action_confirm()


class TestTermPolicy(CreditDeskCase):
    """What the term is counted from, days of grace and tolerance: the company's, or the unit's."""

    def setUp(self):
        super().setUp()
        self._pay(self.debt, 900)
        self.unit.write({"credit_limit": 0, "credit_term_days": 10})
        # half at once, half after 60 days
        term = self.env["account.payment.term"].create(
            {
                "name": "Halves",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": days}) for days in (0, 60)
                ],
            }
        )
        self.bill = self._invoice(400, date=self.today - timedelta(days=30), invoice_payment_term_id=term.id)

    def test_from_the_document(self):
        with self.assertRefused("is 20 days late"):
            self._confirm(1)

    def test_from_the_due_date_of_each_instalment(self):
        self.company.credit_term_basis = "due"
        with self.assertRefused("is 20 days late. The oldest open document was due on"):
            self._confirm(1)
        self._pay(self.bill, 200)
        self._confirm(1)
        with freeze_time(self.today + timedelta(days=41)), self.assertRefused("is 1 days late"):
            self._confirm(1)

    def test_the_unit_may_say_otherwise(self):
        self._pay(self.bill, 200)
        self.unit.credit_term_basis = "due"
        self._confirm(1)
        self.company.credit_term_basis = "due"
        self.unit.credit_term_basis = "document"
        with self.assertRefused("is 20 days late"):
            self._confirm(1)

    def test_grace(self):
        self.company.credit_grace_days = 20
        self._confirm(1)
        self.company.credit_grace_days = 19
        with self.assertRefused("is 20 days late"):
            self._confirm(1)
        self.unit.credit_grace_days = 20
        self._confirm(1)

    def test_tolerance(self):
        self.company.credit_tolerance = 400
        self._confirm(1)
        self.unit.credit_tolerance = 399
        with self.assertRefused("is 20 days late"):
            self._confirm(1)
        self.unit.credit_tolerance = -1
        self.company.credit_tolerance = 10**6
        with self.assertRefused("is 20 days late"):
            self._confirm(1)

    def test_documents_are_named_by_due_date(self):
        self.company.credit_term_basis = "due"
        order = self._order(1)
        order = order.with_user(self.env.ref("base.user_root"))
        self.assertIn(self.bill.name, order.partner_credit_warning)


class TestRest(CreditDeskCase):
    """Closing the rest of a confirmed order."""

    def setUp(self):
        super().setUp()
        self._pay(self.debt, 900)

    def test_frees_what_is_not_invoiced(self):
        order = self._create_quotation(quantity=10, price=80.0)
        order.action_confirm()
        move = order.sudo()._create_invoices()
        move.invoice_line_ids.quantity = 4
        move.action_post()
        self.assertEqual(order.invoice_status, "to invoice")
        with self.assertRefused(OVER):
            self._confirm(300)
        order.with_user(self.salesman).action_close_rest("Discontinued")
        self.assertEqual((order.credit_uninvoiced, order.invoice_status), (0, "invoiced"))
        self.assertEqual((order.order_line.qty_to_invoice, order.amount_to_invoice), (0, 0))
        self.assertEqual((order.rest_close_reason, order.is_rest_closed), ("Discontinued", True))
        self.assertFalse(list(self.env["sales.consistency"].get_findings()))
        self._confirm(680)
        with self.assertRefused(OVER):
            order.action_reopen_rest()
        self.assertTrue(order.is_rest_closed)

    def test_delivered_and_not_invoiced_stays(self):
        self.product.invoice_policy = "delivery"
        order = self._create_quotation(quantity=10, price=80.0)
        order.action_confirm()
        order.sudo().order_line.qty_delivered = 3
        order.action_close_rest("x")
        self.assertEqual((order.credit_uninvoiced, order.order_line.qty_to_invoice), (240, 3))
        self.assertEqual(order.invoice_status, "to invoice")
        order.sudo()._create_invoices().action_post()
        self.assertEqual((order.credit_uninvoiced, order.invoice_status), (0, "invoiced"))

    def test_reopened(self):
        order = self._confirm(300)
        order.action_close_rest("x")
        self.assertEqual(order.credit_uninvoiced, 0)
        order.action_reopen_rest()
        self.assertEqual((order.credit_uninvoiced, order.invoice_status), (300, "to invoice"))
        self.assertFalse(order.rest_close_reason)

    def test_raising_the_quantity_reopens(self):
        order = self._confirm(300)
        order.action_close_rest("x")
        self._confirm(900)
        with self.assertRefused(OVER):
            order.order_line.product_uom_qty = 2
        self.assertTrue(order.is_rest_closed)

    def test_what_is_refused(self):
        with self.assertRefused("is not confirmed"):
            self._order(10).action_close_rest("x")
        order = self._confirm(10)
        order.sudo()._create_invoices().action_post()
        with self.assertRefused("Nothing of"):
            order.action_close_rest("x")
        self.assertEqual(order.action_close_rest()["res_model"], "sale.order.rest")

    def test_who_may(self):
        order = self._confirm(10)
        for user in (self.colleague, self.employee):
            with self.assertRaises(AccessError):
                order.with_user(user).action_close_rest("x")
        with self.assertRefused("kept by the system", AccessError):
            order.write({"rest_close_reason": "x"})
