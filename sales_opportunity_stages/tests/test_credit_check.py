from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time

from .credit_common import CreditCase

OVER = "the credit limit of Holding is exceeded by"


class TestLimit(CreditCase):
    """No order over the limit, ever."""

    def test_equality_passes_a_cent_more_does_not(self):
        self._confirm(999.99)
        order = self._order(0.02)
        with self.assertRefused(f"{order.name}: {OVER}.*0.01"):
            order.action_confirm()
        self.assertEqual(order.state, "draft")
        self._confirm(0.01)

    def test_every_member_shares_it(self):
        self._invoice(400, self.member)
        self._confirm(500)
        with self.assertRefused(OVER):
            self._confirm(101, self.unit)
        self._confirm(100, self.unit)

    def test_message_says_everything(self):
        self._invoice(100)
        self._confirm(200)
        self._invoice(50, post=False)
        order = self._order(700)
        with self.assertRefused(OVER) as caught:
            order.action_confirm()
        message = str(caught.exception)
        for part in (
            "50.00",
            "Credit limit: ",
            "1,000.00",
            "Open receivables: ",
            "100.00",
            "Confirmed, not invoiced: ",
        ):
            self.assertIn(part, message)
        for part in ("200.00", "Draft invoices: ", "This document: ", "700.00", self.credit_manager.name):
            self.assertIn(part, message)

    def test_nought_means_no_limit(self):
        self.unit.credit_limit = 0
        self._confirm(10**6)
        self._confirm(10**6, self.free)

    def test_the_companys_default_limit(self):
        self.env["ir.default"].set("res.partner", "credit_limit", 100, company_id=self.company.id)
        with self.assertRefused("the credit limit of Unlimited"):
            self._confirm(101, self.free)

    def test_the_limit_is_the_one_the_orders_company_sees(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        branch.account_use_credit_limit = True
        self.env.user.company_ids |= branch
        self.unit.with_company(branch).credit_limit = 50
        order = (
            self.env["sale.order"]
            .with_company(branch)
            .create(
                {
                    "partner_id": self.customer.id,
                    "company_id": branch.id,
                    "order_line": [Command.create({"product_id": self.product.id, "price_unit": 60, "tax_ids": False})],
                }
            )
        )
        with self.assertRefused(OVER):
            order.action_confirm()
        self._confirm(60)

    def test_a_batch_counts_together_all_or_nothing(self):
        orders = self._order(600) | self._order(500, self.member)
        with self.assertRefused(OVER):
            orders.action_confirm()
        self.assertEqual(orders.mapped("state"), ["draft", "draft"])
        orders[0].action_confirm()

    def test_an_order_that_adds_nothing_passes(self):
        self._invoice(5000)
        self._confirm(0)
        self._confirm(10, self.free)

    def test_both_units_must_pass(self):
        self.free.credit_limit = 50
        with self.assertRefused("the credit limit of Unlimited"):
            self._confirm(60, partner_invoice_id=self.free.id)
        with self.assertRefused(OVER):
            self._confirm(1001, self.free, partner_invoice_id=self.customer.id)
        self._confirm(50, partner_invoice_id=self.free.id)

    def test_contacts_follow(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        self.assertEqual(contact.credit_unit_id, self.unit)
        with self.assertRefused(OVER):
            self._confirm(1001, contact)

    def test_master_switch(self):
        self.company.account_use_credit_limit = False
        self._confirm(5000)
        self.assertFalse(self._get_checks())


class TestWays(CreditCase):
    """However an order becomes or grows."""

    def test_becoming(self):
        order = self._order(1001)
        for name, attempt in {
            "button": order.action_confirm,
            "write": lambda: order.write({"state": "sale"}),
            "create": lambda: self._order(1001, state="sale"),
            "superuser": lambda: order.sudo().action_confirm(),
            "manager": lambda: order.with_user(self.manager).action_confirm(),
            "accountant": lambda: order.sudo().with_user(self.accountant).write({"state": "sale"}),
            "cancel, draft, confirm": lambda: (order.action_cancel(), order.action_draft(), order.action_confirm()),
        }.items():
            with self.subTest(name), self.assertRefused(OVER):
                attempt()
        for context in ({"bypass_credit": True, "sale_order_acceptance": "portal", "credit": False},):
            with self.assertRefused(OVER):
                order.with_context(**context).action_confirm()

    def test_growing(self):
        order = self._confirm(900)
        line = order.order_line
        other = self._confirm(500, self.free)
        tax = self.env["account.tax"].create({"name": "25", "amount": 25, "type_tax_use": "sale"})
        discounted = self._order(1000)
        discounted.order_line.discount = 90
        discounted.action_confirm()
        for name, attempt in {
            "quantity": lambda: line.write({"product_uom_qty": 2}),
            "price": lambda: line.write({"price_unit": 901}),
            "tax": lambda: line.write({"tax_ids": [Command.set(tax.ids)]}),
            "discount": lambda: discounted.order_line.write({"discount": 80}),
            "line": lambda: line.create({"order_id": order.id, "product_id": self.product.id, "price_unit": 1}),
            "by the order": lambda: order.write({"order_line": [Command.update(line.id, {"price_unit": 901})]}),
            "customer": lambda: other.write({"partner_id": self.customer.id}),
            "payer": lambda: other.write({"partner_invoice_id": self.member.id}),
            "superuser": lambda: line.sudo().write({"price_unit": 901}),
            "unlink and add again": lambda: (
                line.write({"product_uom_qty": 0}),
                line.create({"order_id": order.id, "product_id": self.product.id, "price_unit": 901}),
            ),
        }.items():
            with self.subTest(name), self.assertRefused(OVER):
                attempt()
        self.assertEqual(self._get_exposure().total, 1000)

    def test_another_date_is_another_rate(self):
        currency = self.env["res.currency"].create(
            {
                "name": "XQQ",
                "symbol": "q",
                "rate_ids": [
                    Command.create({"name": "2000-01-01", "rate": 2.0, "company_id": self.company.id}),
                    Command.create({"name": "2026-01-01", "rate": 4.0, "company_id": self.company.id}),
                ],
            }
        )
        pricelist = self.env["product.pricelist"].create({"name": "Abroad", "currency_id": currency.id})
        order = self._confirm(4000, pricelist_id=pricelist.id)
        with self.assertRefused(OVER):
            order.write({"date_order": "2025-06-01"})

    def test_shrinking_always_passes(self):
        order = self._confirm(900)
        self._invoice(5000)
        order.order_line.write({"price_unit": 800})
        order.write({"client_order_ref": "PO 7"})
        order.order_line.write({"name": "Another description"})
        with self.assertRefused(OVER):
            order.order_line.write({"price_unit": 801})

    def test_what_one_order_gives_back_serves_another_once(self):
        """Billed within the unit, an order counts there once: what it loses does not hide what two others gain."""
        orders = self._confirm(200, partner_invoice_id=self.member.id)
        orders |= self._confirm(20) | self._confirm(20, self.member)
        self.unit.credit_limit = 299
        with self.assertRefused(OVER):
            orders.order_line.write({"price_unit": 100})
        self.unit.credit_limit = 300
        orders.order_line.write({"price_unit": 100})
        self.assertEqual(self._get_exposure().total, 300)
        self.assertEqual(self._get_checks()[-1].documents, 60)

    def test_growing_elsewhere_in_one_write(self):
        """What grows in one line and shrinks in another adds what is left of it."""
        order = self._confirm(900)
        order.order_line.create({"order_id": order.id, "product_id": self.other_product.id, "price_unit": 100})
        first, second = order.order_line
        order.write(
            {
                "order_line": [
                    Command.update(first.id, {"price_unit": 500}),
                    Command.update(second.id, {"price_unit": 500}),
                ]
            }
        )
        self.assertEqual(order.amount_total, 1000)

    def test_generated_order(self):
        lead = self._create_quotable()
        lead.opportunity_line_ids[0].price_unit = 500
        with self.assertRefused(OVER):
            self._generate(lead, "order")
        self.assertFalse(lead.order_ids)

    def test_amounts_are_not_claimed(self):
        """Odoo lets a client write what is computed: a total of 1 would pass any limit."""
        order = self._order(1001)
        for record, names in (
            (order, ("amount_total", "amount_untaxed", "amount_tax", "currency_rate")),
            (order.order_line, ("price_subtotal", "price_total", "untaxed_amount_invoiced", "qty_invoiced")),
        ):
            for name in names:
                with self.subTest(name), self.assertRefused("kept by the system", AccessError):
                    record.write({name: 1})
        with self.assertRefused("kept by the system", AccessError):
            self._order(1001, amount_total=1)
        with self.assertRefused("kept by the system", AccessError):
            order.write({"order_line": [Command.update(order.order_line.id, {"price_total": 1})]})


class TestTerm(CreditCase):
    """One late customer stops all customers of the unit."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.unit.write({"credit_limit": 0, "credit_term_days": 30})
        cls.today = fields.Date.today()

    def test_older_than_the_term(self):
        invoice = self._invoice(1, self.member, date=self.today - timedelta(days=30))
        self._confirm(1)
        late = self._invoice(1, self.member, date=self.today - timedelta(days=31))
        with self.assertRefused("Holding is 1 days late.*credit term is 30 days"):
            self._confirm(1)
        self._pay(late, 1)
        self._confirm(1)
        self.assertEqual(invoice.payment_state, "not_paid")

    def test_nought_is_not_checked(self):
        self.unit.credit_term_days = 0
        self._invoice(1, date=self.today - timedelta(days=3000))
        self._confirm(1)

    def test_a_credit_note_is_not_late(self):
        self._invoice(1, move_type="out_refund", date=self.today - timedelta(days=300))
        self._confirm(1)

    def test_the_term_is_that_of_the_unit(self):
        self.member.credit_unit_id = False
        self.member.credit_term_days = 5
        self.member.credit_unit_id = self.unit
        self._invoice(1, self.member, date=self.today - timedelta(days=20))
        self._confirm(1, self.member)

    def test_what_adds_nothing_passes(self):
        self._invoice(1, date=self.today - timedelta(days=300))
        self._confirm(0)

    def test_today_is_the_users(self):
        with freeze_time("2026-03-31 20:00:00"):
            self._invoice(1, date=fields.Date.to_date("2026-03-01"))
            self._order(1).with_context(tz="America/New_York").action_confirm()
            with self.assertRefused("1 days late"):
                self._order(1).with_context(tz="Asia/Shanghai").action_confirm()

    def test_documents_are_named_to_those_who_may_read_them(self):
        invoice = self._invoice(1, self.member, date=self.today - timedelta(days=100))
        in_time = self._invoice(1, self.member, date=self.today - timedelta(days=30))
        order = self._order(1)
        with self.assertRefused("70 days late") as caught:
            order.action_confirm()
        self.assertNotIn(invoice.name, str(caught.exception))
        self.accountant.group_ids |= self.env.ref("sales_team.group_sale_salesman_all_leads")
        with self.assertRefused(invoice.name) as caught:
            order.with_user(self.accountant).action_confirm()
        self.assertNotIn(in_time.name, str(caught.exception))


class TestPolicy(CreditCase):
    def test_none_passes_and_keeps_it(self):
        self.company.credit_policy = "none"
        self._confirm(1001)
        self.assertEqual(self._get_checks().mapped("result"), ["passed"])

    def test_warn_is_shown_and_kept(self):
        self.company.credit_policy = "warn"
        order = self._confirm(1001)
        self.assertEqual(self._get_checks().result, "warned")
        self.assertIn("is exceeded by", order.sudo().message_ids.filtered("body")[0].body)

    def test_an_opportunity_is_always_strict(self):
        for policy in ("none", "warn"):
            self.company.credit_policy = policy
            with self.subTest(policy), self.assertRefused(OVER):
                self._confirm(1001, opportunity_id=self._create_opportunity().id)

    def test_one_strict_order_makes_the_batch_strict(self):
        self.company.credit_policy = "none"
        orders = self._order(600) | self._order(600, opportunity_id=self._create_opportunity().id)
        with self.assertRefused(OVER):
            orders.action_confirm()

    def test_block_is_the_default(self):
        self.assertEqual(self.env["res.company"].create({"name": "New"}).credit_policy, "block")


class TestDecisions(CreditCase):
    """What was decided, and why, can be read and not be changed."""

    def test_passed(self):
        self._invoice(100, self.member)
        order = self._confirm(300)
        check = self._get_checks()
        self.assertEqual(check.order_ids, order)
        self.assertEqual(order.credit_check_ids, check)
        self.assertEqual((check.result, check.origin, check.user_id), ("passed", "confirm", self.salesman))
        self.assertEqual(
            (check.credit_limit, check.receivable, check.uninvoiced, check.documents, check.exposure, check.excess),
            (1000, 100, 0, 300, 400, 0),
        )
        self.assertEqual(check.detail[str(self.member.id)]["receivable"], 100)

    def test_increase(self):
        order = self._confirm(300)
        order.order_line.price_unit = 500
        check = self._get_checks()[-1]
        self.assertEqual((check.origin, check.uninvoiced, check.documents, check.exposure), ("increase", 300, 200, 500))

    def test_without_a_limit_there_is_nothing_to_decide(self):
        self._confirm(300, self.free)
        self.assertFalse(self._get_checks(self.free))

    def test_nobody_writes_them(self):
        order = self._confirm(300)
        check = self._get_checks()
        for user in (self.salesman, self.manager, self.accountant, self.credit_manager, self.env.user):
            own = check.with_user(user)
            for attempt in (
                lambda own=own: own.write({"result": "passed"}),
                lambda own=own: own.unlink(),
                lambda own=own: own.create({"unit_id": self.unit.id, "company_id": self.company.id}),
                lambda own=own: own.sudo().write({"result": "passed"}),
                lambda own=own: own.with_context(sales_server_tokens=True).sudo().unlink(),
            ):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    attempt()
        for values in ({"credit_check_ids": [Command.clear()]}, {"credit_uninvoiced": 0.01}):
            with self.assertRefused("kept by the system", AccessError):
                order.sudo().write(values)

    def test_old_passes_are_forgotten_the_rest_is_kept(self):
        self.company.credit_policy = "warn"
        self._confirm(300)
        self._confirm(900)
        self.company.credit_check_keep_days = 30
        self.env.cr.execute("UPDATE sale_credit_check SET check_date = NOW() - INTERVAL '40 days'")
        self.env.invalidate_all()
        self.env["sale.credit.check"]._gc_passed()
        self.assertEqual(self._get_checks().mapped("result"), ["warned"])

    def test_banner_says_it_before_anyone_tries(self):
        order = self._order(1001)
        self.assertIn("is exceeded by", order.with_user(self.salesman).partner_credit_warning)
        self.assertFalse(self._order(1000).partner_credit_warning)
        self.assertFalse(self._get_checks())

    def test_banner_says_it_while_it_is_typed(self):
        form = Form(self.env["sale.order"].with_user(self.salesman))
        form.partner_id = self.customer
        with form.order_line.new() as line:
            line.product_id = self.product
            line.price_unit = 1001
            line.tax_ids.clear()
        self.assertIn("is exceeded by", form.partner_credit_warning)
        with form.order_line.edit(0) as line:
            line.price_unit = 1000
        self.assertFalse(form.partner_credit_warning)
        order = form.save()
        with Form(order) as form:
            with form.order_line.edit(0) as line:
                line.product_uom_qty = 2
            self.assertIn("is exceeded by", form.partner_credit_warning)
            form.partner_id = self.free
            self.assertFalse(form.partner_credit_warning)

    def test_a_closed_quotation_is_not_warned_of(self):
        order = self._order(1001)
        self.assertTrue(order.partner_credit_warning)
        order.action_close_quotation("No budget")
        self.assertFalse(order.partner_credit_warning)

    def test_on_demand(self):
        order = self._order(1001)
        action = order.action_credit_check()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertRegex(action["params"]["message"], r"is exceeded by .+\.$", "a notification has no lines")
        check = self._get_checks()
        self.assertEqual((check.result, check.origin, check.excess), ("blocked", "manual", 1))
        self.assertEqual(order.state, "draft")
        self.assertEqual(self._order(10).action_credit_check()["params"]["type"], "success")

    def test_salespeople_read_their_own(self):
        self._confirm(300)
        self._confirm(100, user=self.colleague)
        checks = self.env["sale.credit.check"]
        self.assertEqual(len(checks.with_user(self.salesman).search([("unit_id", "=", self.unit.id)])), 1)
        for user in (self.supervisor, self.accountant, self.credit_manager):
            self.assertEqual(len(checks.with_user(user).search([("unit_id", "=", self.unit.id)])), 2)


class TestCreditUnit(CreditCase):
    """One level, and not by a salesperson's hand."""

    def test_one_level(self):
        with self.assertRefused("cannot be the credit unit of 'Unlimited'", ValidationError):
            self.free.credit_unit_id = self.customer
        with self.assertRefused("'Holding' is the credit unit of", ValidationError):
            self.unit.credit_unit_id = self.free
        with self.assertRefused("cannot be the credit unit", ValidationError):
            self.free.credit_unit_id = self.free
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        with self.assertRefused("set its unit there", ValidationError):
            contact.credit_unit_id = self.free
        with self.assertRefused("cannot be the credit unit", ValidationError):
            self.free.credit_unit_id = contact

    def test_contacts_follow_a_change(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        self.customer.credit_unit_id = self.free
        self.assertEqual(contact.credit_unit_id, self.free)
        self.assertEqual(contact._get_credit_unit(), self.free)

    def test_who_writes(self):
        values = {"credit_unit_id": self.free.id, "credit_limit": 5000, "credit_term_days": 90}
        seller = self.salesman
        seller.group_ids |= self.env.ref("base.group_partner_manager")
        for name, value in values.items():
            with self.subTest(name), self.assertRefused("accountant or a credit manager", AccessError):
                self.customer.with_user(seller).write({name: value})
            with self.subTest(name), self.assertRefused("accountant or a credit manager", AccessError):
                self.env["res.partner"].with_user(seller).create({"name": "x", "is_company": True, name: value})
            with self.subTest(name), self.assertRefused("accountant or a credit manager", AccessError):
                self.env["res.partner"].with_user(seller).with_context(**{f"default_{name}": value}).create(
                    {"name": "x", "is_company": True}
                )
        self.member.with_user(self.credit_manager).write({"credit_term_days": 9, "credit_unit_id": self.free.id})
        self.assertEqual(self.member.with_user(seller).credit_unit_id, self.free)
        with self.assertRaises(AccessError):
            self.customer.with_user(self.employee).read(["credit_unit_id"])

    def test_a_salesperson_goes_on_with_partners(self):
        seller = self.salesman
        seller.group_ids |= self.env.ref("base.group_partner_manager")
        partners = self.env["res.partner"].with_user(seller)
        contact = partners.create({"name": "Ann", "parent_id": self.customer.id})
        self.assertEqual(contact.sudo().credit_unit_id, self.unit)
        company = partners.create({"name": "New", "is_company": True})
        contact.parent_id = company
        self.assertFalse(contact.sudo().credit_unit_id)
        with Form(self.customer.with_user(seller)) as form:
            form.phone = "+1 555 0100"
        self.customer.with_user(seller).write({"credit_unit_id": self.unit.id, "name": "Acme Ltd."})

    def test_what_owes_is_not_moved_away(self):
        seller = self.salesman
        seller.group_ids |= self.env.ref("base.group_partner_manager")
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        self._confirm(900, contact)
        for partner, values in (
            (contact, {"parent_id": self.free.id}),
            (self.customer, {"parent_id": self.free.id, "is_company": False}),
        ):
            with self.assertRefused("only an accountant or a credit", AccessError):
                partner.with_user(seller).write(values)
        with self.assertRefused("only an accountant or a credit", AccessError):
            contact.with_user(seller).write({"is_company": True})
        contact.parent_id = self.free
        self.assertEqual(self._get_exposure().total, 0)

    def test_a_unit_with_members_is_not_deleted(self):
        with self.assertRefused("'Holding' is the credit unit of Acme, Subsidiary"):
            self.unit.unlink()
