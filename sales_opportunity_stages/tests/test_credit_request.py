from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time, new_test_user

from odoo.addons.sales_opportunity_stages.tools.credit_refusal import CreditRefusal

from .credit_desk_common import CreditDeskCase

OVER = "is exceeded by"


class TestHold(CreditDeskCase):
    """A quotation whose last decision blocked is on hold."""

    def test_blocked_and_passing_again(self):
        order = self._order(300)
        self.assertFalse(order.on_credit_hold)
        order.action_credit_check()
        self.assertTrue(order.on_credit_hold)
        self.assertEqual(self.env["sale.order"].search([("on_credit_hold", "=", True)]), order.sudo())
        self._pay(self.debt, 900)
        order.action_credit_check()
        self.assertFalse(order.on_credit_hold)

    def test_confirmed_it_is_not_on_hold(self):
        order = self._order(300)
        order.action_credit_check()
        self._release(order)
        self.assertTrue(order.on_credit_hold)
        order.action_confirm()
        self.assertEqual((order.state, order.on_credit_hold), ("sale", False))

    def test_cancelled_and_closed(self):
        orders = self._order(300) | self._order(300)
        for order in orders:
            order.action_credit_check()
        orders[0]._action_cancel()
        orders[1].action_close_quotation("No budget")
        self.assertEqual(orders.mapped("on_credit_hold"), [False, False])

    def test_on_the_opportunity(self):
        lead = self._create_opportunity(partner_id=self.customer.id)
        order = self._order(300, opportunity_id=lead.id)
        order.action_credit_check()
        self.assertTrue(lead.on_credit_hold)
        self.assertIn(lead, self.env["crm.lead"].search([("on_credit_hold", "=", True)]))

    def test_it_is_kept_by_the_system(self):
        order = self._order(300)
        for values in ({"on_credit_hold": True}, {"has_credit_request": True}):
            with self.assertRefused("kept by the system", AccessError):
                order.write(values)

    def test_the_refusal_offers_to_request(self):
        order = self._order(300)
        with self.assertRaises(UserError) as caught:
            order.action_confirm()
        self.assertIsInstance(caught.exception, CreditRefusal)
        _message, action, button, context = caught.exception.args
        self.assertEqual((button, context), ("Request Credit", {"default_order_ids": order.ids}))
        self.assertEqual(self.env.ref(action).res_model, "sale.credit.request.create")

    def test_growth_offers_nothing(self):
        """Credit is requested for quotations; an order that is refused to grow stays as it is."""
        order = self._confirm(50)
        with self.assertRaises(UserError) as caught:
            order.order_line.price_unit = 300
        self.assertNotIsInstance(caught.exception, CreditRefusal)


class TestRequest(CreditDeskCase):
    """Somebody asks for credit."""

    def test_what_it_holds(self):
        order = self._order(300)
        request = self._request(order)
        self.assertEqual(order.credit_request_ids, request)
        self.assertEqual(
            (request.state, request.unit_id, request.company_id, request.amount, request.excess, request.overdue_days),
            ("requested", self.unit, self.company, 300, 200, 0),
        )
        self.assertEqual((request.requested_by_id, request.user_id), (self.salesman, self.salesman))
        self.assertEqual(request.reason, "Paid next week")
        self.assertEqual((request.check_id.result, request.check_id.excess), ("blocked", 200))
        self.assertTrue(order.on_credit_hold)

    def test_without_a_reason_a_dialog_asks(self):
        order = self._order(300)
        action = order.action_request_credit()
        self.assertEqual(action["res_model"], "sale.credit.request.create")
        wizard = self.env[action["res_model"]].with_user(self.salesman).with_context(**action["context"])
        wizard.create({"reason": "x"}).action_request()
        self.assertEqual(order.credit_request_ids.reason, "x")

    def test_credit_managers_are_told(self):
        request = self._request(self._order(300))
        self.assertEqual(request.sudo().activity_ids.user_id, self.credit_manager | self.other_manager)
        self.assertIn("Paid next week", request.sudo().activity_ids[0].note)

    def test_the_salesperson_hears_of_each_step(self):
        order = self._order(300)
        request = self._request(order)
        request.with_user(self.credit_manager).action_release("Known customer")
        messages = order.sudo().message_ids.filtered(lambda m: "Known customer" in m.body)
        self.assertIn(self.salesman.partner_id, messages.notified_partner_ids)
        self.assertFalse(request.sudo().activity_ids)

    def test_for_a_batch_one_request(self):
        self.unit.credit_limit = 1350
        orders = self._order(300) | self._order(300, self.member)
        request = self._request(orders)
        self.assertEqual((request.order_ids, request.amount, request.excess), (orders.sudo(), 600, 150))

    def test_for_two_units_two_requests(self):
        self.free.credit_limit = 10
        order = self._order(300, partner_invoice_id=self.free.id)
        requests = self._request(order)
        self.assertEqual(requests.unit_id, self.unit | self.free)

    def test_what_fits_needs_none(self):
        with self.assertRefused("Credit allows"):
            self._request(self._order(100))

    def test_confirmed_and_closed(self):
        order, closed = self._confirm(50), self._order(300)
        closed.action_close_quotation("x")
        for each in (order, closed):
            with self.assertRefused("no open quotation"):
                self._request(each)

    def test_twice(self):
        order = self._order(300)
        self._request(order)
        with self.assertRefused("requested already"):
            self._request(order)

    def test_who_may(self):
        order = self._order(300)
        for user in (self.colleague, self.employee, self.credit_manager):
            with self.subTest(user.login), self.assertRaises(AccessError):
                order.with_user(user).action_request_credit("x")

    def test_who_reads_it(self):
        request = self._request(self._order(300))
        for user in (self.salesman, self.supervisor, self.accountant, self.credit_manager):
            self.assertEqual(request.with_user(user).amount, 300)
        for user in (self.colleague, self.employee):
            with self.assertRaises(AccessError):
                request.with_user(user).read(["amount"])

    def test_nobody_writes_it(self):
        request = self._request(self._order(300))
        for user in (self.salesman, self.manager, self.credit_manager, self.env.user):
            own = request.with_user(user)
            for attempt in (
                lambda own=own: own.write({"state": "granted"}),
                lambda own=own: own.sudo().write({"state": "granted"}),
                lambda own=own: own.unlink(),
                lambda own=own: own.create({"unit_id": self.unit.id, "company_id": self.company.id}),
                lambda own=own: own.with_context(sales_server_tokens=("x",)).sudo().write({"amount": 1}),
            ):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    attempt()

    def test_by_itself_when_the_customer_has_signed(self):
        order = self._order(300, require_signature=True)
        order.sudo()._keep_acceptance(lambda orders: orders.action_confirm())
        request = order.sudo().credit_request_ids
        self.assertEqual((request.state, request.amount, order.state), ("requested", 300, "draft"))
        order.sudo()._keep_acceptance(lambda orders: orders.action_confirm())
        self.assertEqual(order.sudo().credit_request_ids, request)


class TestDecision(CreditDeskCase):
    """Who decides, and what follows."""

    def test_four_eyes(self):
        seller = new_test_user(
            self.env,
            "sos_both",
            groups="sales_team.group_sale_salesman,sales_opportunity_stages.group_credit_manager",
            context={"no_reset_password": True},
        )
        own = self._order(300, user=seller)
        request = own.with_user(seller).action_request_credit("x")
        for attempt in (
            lambda: request.action_release("y"),
            lambda: request.action_grant(200, self.tomorrow, "y"),
            lambda: request.action_refuse("y"),
        ):
            with self.assertRefused("requested this or are responsible", AccessError):
                attempt()
        others = self._request(self._order(300))
        others.with_user(seller).action_release("y")

    def test_who_may(self):
        request = self._request(self._order(300))
        for user in (self.salesman, self.supervisor, self.accountant, self.manager):
            for attempt in (
                lambda own: own.action_release("y"),
                lambda own: own.action_grant(200, self.tomorrow, "y"),
                lambda own: own.action_refuse("y"),
                lambda own: own.action_forward(self.credit_manager.id, "y"),
            ):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    attempt(request.with_user(user))

    def test_a_reason_is_needed(self):
        request = self._request(self._order(300)).with_user(self.credit_manager)
        for attempt in (
            lambda: request.action_release(" "),
            lambda: request.action_grant(200, self.tomorrow, ""),
            lambda: request.action_refuse(False),
        ):
            with self.assertRefused("Enter a reason"):
                attempt()

    def test_refused(self):
        order = self._order(300)
        request = self._request(order)
        request.with_user(self.credit_manager).action_refuse("Too late")
        self.assertEqual((request.state, request.decided_by_id), ("refused", self.credit_manager))
        with self.assertRefused(OVER):
            order.action_confirm()
        with self.assertRefused("closed already"):
            request.with_user(self.other_manager).action_release("y")
        self._request(order)

    def test_forward(self):
        request = self._request(self._order(300))
        request.with_user(self.credit_manager).action_forward(self.other_manager.id, "Yours")
        self.assertEqual(request.sudo().activity_ids.user_id, self.other_manager)
        self.assertEqual((request.state, request.assigned_id), ("requested", self.other_manager))
        with self.assertRefused("cannot decide"):
            request.with_user(self.credit_manager).action_forward(self.salesman.id, "Yours")

    def test_authority(self):
        Authority = self.env["sale.credit.authority"]
        request = self._request(self._order(300))
        row = Authority.create({"user_id": self.credit_manager.id, "max_excess": 199})
        with self.assertRefused("more than you may decide", AccessError):
            request.with_user(self.credit_manager).action_release("y")
        with self.assertRefused("may not decide", AccessError):
            request.with_user(self.other_manager).action_release("y")
        row.max_excess = 200
        with self.assertRefused("more than you may decide", AccessError):
            request.with_user(self.credit_manager).action_grant(201, self.tomorrow, "y")
        row.max_excess_percent = 19
        with self.assertRefused("more than you may decide", AccessError):
            request.with_user(self.credit_manager).action_release("y")
        row.max_excess_percent = 20
        request.with_user(self.credit_manager).action_release("y")

    def test_authority_by_days_overdue(self):
        self.unit.credit_term_days = 10
        self.debt.button_draft()
        self.debt.invoice_date = self.today - timedelta(days=25)
        self.debt.action_post()
        request = self._request(self._order(50))
        self.assertEqual(request.overdue_days, 15)
        row = self.env["sale.credit.authority"].create({"max_overdue_days": 14})
        with self.assertRaises(AccessError):
            request.with_user(self.credit_manager).action_release("y")
        row.max_overdue_days = 15
        request.with_user(self.credit_manager).action_release("y")

    def test_who_sets_the_authority(self):
        for user in (self.salesman, self.credit_manager, self.accountant):
            with self.assertRaises(AccessError):
                self.env["sale.credit.authority"].with_user(user).create({"user_id": user.id})

    def test_of_another_company(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.other_manager.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        request = self._request(self._order(300))
        self.assertEqual(request.sudo().activity_ids.user_id, self.credit_manager)
        with self.assertRaises(AccessError):
            request.with_user(self.other_manager).action_release("y")

    def test_dialog(self):
        request = self._request(self._order(300))
        action = request.with_user(self.credit_manager).action_decide()
        Wizard = self.env[action["res_model"]].with_user(self.credit_manager).with_context(**action["context"])
        wizard = Wizard.create({"reason": "y"})
        self.assertEqual((wizard.decision, wizard.amount), ("release", 200))
        wizard.action_decide()
        self.assertEqual((request.state, request.decision), ("granted", "release"))

    def test_the_worklist_takes_few_queries(self):
        orders = [self._order(300) for _index in range(20)]
        for order in orders:
            self._request(order)
        names = ["unit_id", "partner_id", "document_names", "amount", "excess", "credit_limit", "receivable"]
        names += ["uninvoiced", "draft_invoiced", "exposure", "overdue_days", "age_days", "user_id", "state"]
        specification = {name: {} for name in names}
        for name in ("unit_id", "partner_id", "user_id"):
            specification[name] = {"fields": {"display_name": {}}}
        self.env.flush_all()
        Request = self.env["sale.credit.request"].with_user(self.credit_manager)
        Request.web_search_read([("state", "=", "requested")], specification, limit=2)
        counts = []
        for limit in (2, 20):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            Request.web_search_read([("state", "=", "requested")], specification, limit=limit)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[1], 10)

    def test_the_form_says_how_the_unit_pays(self):
        old = self._invoice(70, date=self.today - timedelta(days=40))
        self._pay(old, 70)
        request = self._request(self._order(300)).with_user(self.credit_manager)
        self.assertIn("Average delay", request.payment_record)
        self.assertIn(old.name, request.payment_record)
        self.assertTrue(request.projection)
        with self.assertRaises(AccessError):
            request.with_user(self.salesman).read(["payment_record"])


class TestRelease(CreditDeskCase):
    """A release lets exactly these orders pass, up to the amount, until a date, once."""

    def test_once(self):
        order = self._order(300)
        request = self._release(order)
        order.with_user(self.salesman).action_confirm()
        self.assertEqual((order.state, request.state), ("sale", "used"))
        check = order.sudo().credit_check_ids.sorted("id")[-1]
        self.assertEqual((check.result, check.request_id), ("released", request.sudo()))
        order.sudo()._action_cancel()
        order.sudo().action_draft()
        with self.assertRefused(OVER):
            order.action_confirm()

    def test_not_for_another_order(self):
        self._release(self._order(300))
        with self.assertRefused(OVER):
            self._order(300).action_confirm()

    def test_growth(self):
        order = self._order(300)
        request = self._release(order)
        order.order_line.price_unit = 250
        self.assertEqual(request.state, "granted")
        order.order_line.price_unit = 300.01
        self.assertEqual((request.state, order.has_credit_request), ("lapsed", False))
        order.order_line.price_unit = 300
        with self.assertRefused(OVER):
            order.action_confirm()

    def test_growth_in_the_same_write(self):
        order = self._order(300)
        self._release(order)
        with self.assertRefused(OVER):
            order.write({"order_line": [Command.update(order.order_line.id, {"price_unit": 400})], "state": "sale"})

    def test_another_customer_or_payer(self):
        for values in ({"partner_id": self.member.id}, {"partner_invoice_id": self.member.id}):
            with self.subTest(values):
                order = self._order(300)
                request = self._release(order)
                order.write(values)
                self.assertEqual(request.state, "lapsed")
                with self.assertRefused(OVER):
                    order.action_confirm()

    def test_another_customer_in_the_same_write(self):
        order = self._order(300)
        self._release(order)
        with self.assertRefused(OVER):
            order.write({"partner_id": self.member.id, "partner_invoice_id": self.member.id, "state": "sale"})

    def test_a_growing_order_after_it(self):
        order = self._order(300)
        self._release(order)
        order.action_confirm()
        with self.assertRefused(OVER):
            order.order_line.price_unit = 301

    def test_the_last_day(self):
        order, late = self._order(300), self._order(300)
        self._release(order, valid_until=self.tomorrow)
        self._release(late, valid_until=self.today)
        with freeze_time(self.tomorrow):
            with self.assertRefused(OVER):
                late.action_confirm()
            order.action_confirm()
        with self.assertRefused("cannot be in the past"):
            self._release(self._order(200), valid_until=self.today - timedelta(days=1))

    def test_expired_ones_lapse(self):
        request = self._release(self._order(300), valid_until=self.today)
        with freeze_time(self.today + timedelta(days=3)):
            self.env["sale.order"]._cron_recheck_credit()
        self.assertEqual(request.state, "lapsed")

    def test_batches_add_up(self):
        orders = self._order(300) | self._order(200, self.member)
        first = self._release(orders[0])
        with self.assertRefused(OVER):
            orders.action_confirm()
        self.assertEqual(first.state, "granted")
        second = self._release(orders[1])
        orders.action_confirm()
        self.assertEqual((first | second).mapped("state"), ["used", "used"])

    def test_one_release_for_a_batch(self):
        orders = self._order(300) | self._order(200, self.member)
        request = self._release(orders)
        orders.action_confirm()
        self.assertEqual((request.state, orders.mapped("state")), ("used", ["sale", "sale"]))

    def test_used_by_the_first_of_two(self):
        orders = self._order(300) | self._order(200, self.member)
        self._release(orders)
        orders[0].action_confirm()
        with self.assertRefused(OVER):
            orders[1].action_confirm()

    def test_two_units_need_both(self):
        self.free.credit_limit = 10
        order = self._order(300, partner_invoice_id=self.free.id)
        requests = self._request(order).with_user(self.credit_manager)
        requests[0].action_release("y")
        with self.assertRefused(OVER):
            order.action_confirm()
        requests[1].action_release("y")
        order.action_confirm()
        self.assertEqual(set(requests.mapped("state")), {"used"})

    def test_never_for_an_opportunity(self):
        lead = self._create_opportunity(partner_id=self.customer.id)
        order = self._order(300, opportunity_id=lead.id)
        request = self._request(order).with_user(self.credit_manager)
        with self.assertRefused("Grant the credit unit a temporary limit"):
            request.action_release("y")
        request.action_grant(200, self.tomorrow, "y")
        order.action_confirm()

    def test_an_opportunity_where_the_company_allows_it(self):
        self.company.credit_release_crm = True
        lead = self._create_opportunity(partner_id=self.customer.id)
        order, other = self._order(300, opportunity_id=lead.id), self._order(300, opportunity_id=lead.id)
        self._release(order)
        self._release(other)
        order.action_confirm()
        self.company.credit_release_crm = False
        with self.assertRefused(OVER):
            other.action_confirm()

    def test_linked_to_an_opportunity_afterwards(self):
        lead = self._create_opportunity(partner_id=self.customer.id)
        order = self._order(300)
        self._release(order)
        order.opportunity_id = lead
        with self.assertRefused(OVER):
            order.action_confirm()

    def test_cancelled_deleted_and_confirmed_without_it(self):
        cancelled, deleted, confirmed = (self._order(300) for _index in range(3))
        requests = [self._request(order) for order in (cancelled, deleted, confirmed)]
        cancelled._action_cancel()
        deleted.sudo().unlink()
        self.unit.credit_limit = 0
        confirmed.action_confirm()
        self.assertEqual([request.state for request in requests], ["lapsed"] * 3)

    def test_a_stopped_unit(self):
        order = self._order(300)
        request = self._request(order)
        self.unit.credit_control = "stop"
        with self.assertRefused("are stopped"):
            request.with_user(self.credit_manager).action_release("y")

    def test_late_as_well(self):
        """A release is for limit and term."""
        self.unit.write({"credit_limit": 0, "credit_term_days": 5})
        self._invoice(10, date=self.today - timedelta(days=30))
        order = self._order(20)
        self._release(order)
        order.action_confirm()
        self.assertEqual(order.state, "sale")
