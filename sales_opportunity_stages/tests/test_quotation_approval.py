from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user
from odoo.tools import mute_logger

from .quotation_common import QuotationCase

NEEDS = "has to be approved first"


class ApprovalCase(QuotationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 1000})

    def _approve(self, order):
        order.with_user(self.approver).action_approve()
        return order

    def _get_notes(self, order):
        return " ".join(order.sudo().message_ids.mapped(lambda message: message.body or ""))


class TestWhatNeedsApproval(ApprovalCase):
    def test_off_by_default(self):
        company = self.env["res.company"].create({"name": "New"})
        self.assertEqual(company.quotation_approval, "off")
        self.company.quotation_approval = "off"
        order = self._create_quotation()
        order.action_quotation_sent()
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_threshold_counts_itself(self):
        self.assertTrue(self._create_quotation(price=100).approval_required)
        self.assertFalse(self._create_quotation(price=99.99).approval_required)

    def test_taxes_count(self):
        tax = self.env["account.tax"].create({"name": "25", "amount": 25, "type_tax_use": "sale"})
        order = self._create_quotation(price=80)
        self.assertFalse(order.approval_required)
        order.order_line.tax_ids = tax
        self.assertTrue(order.approval_required)

    def test_threshold_is_in_the_companys_currency_at_the_date(self):
        currency = self.env["res.currency"].create(
            {
                "name": "XQQ",
                "symbol": "q",
                "rate_ids": [
                    Command.create({"name": "2026-01-01", "rate": 2.0, "company_id": self.company.id}),
                    Command.create({"name": "2026-06-01", "rate": 4.0, "company_id": self.company.id}),
                ],
            }
        )
        pricelist = self.env["product.pricelist"].create({"name": "Abroad", "currency_id": currency.id})
        order = self._create_quotation(quantity=1, price=2000, pricelist_id=pricelist.id, date_order="2026-02-01")
        self.assertTrue(order.approval_required)
        order.date_order = "2026-07-01"
        self.assertFalse(order.approval_required)

    def test_zero_means_all(self):
        self.company.quotation_approval_min_amount = 0
        self.assertTrue(self._create_quotation(price=0).approval_required)

    def test_negative_threshold(self):
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.company.quotation_approval_min_amount = -1
            self.env.flush_all()

    def test_below_it_confirmation_needs_none(self):
        order = self._create_quotation(price=99)
        order.action_confirm()
        self.assertEqual((order.state, order.approval_state), ("sale", "open"))

    def test_not_before_it_is_approved(self):
        order = self._create_quotation()
        attempts = {
            "send": order.action_quotation_send,
            "sent": order.action_quotation_sent,
            "write sent": lambda: order.write({"state": "sent"}),
            "mail": lambda: order.with_context(mark_so_as_sent=True).message_post(body="x"),
            "share": order.action_share,
            "confirm": order.action_confirm,
            "write": lambda: order.write({"state": "sale"}),
            "superuser": lambda: order.sudo().action_confirm(),
            "approver": lambda: order.with_user(self.manager).action_confirm(),
            "create": lambda: self._create_quotation(state="sale"),
            "create sent": lambda: self._create_quotation(state="sent"),
            "private": lambda: order._check_allowed("contract"),
        }
        for name, attempt in attempts.items():
            with self.subTest(name), self.assertRefused(NEEDS):
                attempt()
        self.assertFalse(order._has_to_be_signed())
        self.assertFalse(order._has_to_be_paid())

    def test_what_else_a_creation_changes_is_judged(self):
        """Another module that changes an order while it makes one is no way round."""
        frozen = self._create_quotation()
        frozen.with_user(self.approver).action_approve()

        def change_another(line):
            if line.product_id == self.other_product:
                frozen.sudo().order_line.price_unit = 1

        Line = self.registry["sale.order.line"]
        create = Line.create

        def create_and_change(lines, vals_list):
            created = create(lines, vals_list)
            for line in created:
                change_another(line)
            return created

        self.patch(Line, "create", create_and_change)
        with self.assertRefused(f"{frozen.name} is approved"):
            self._create_quotation(order_line=[Command.create({"product_id": self.other_product.id, "price_unit": 1})])

    def test_composing_with_the_template(self):
        order = self._create_quotation()
        composer = (
            self.env["mail.compose.message"]
            .with_user(self.salesman)
            .create(
                {
                    "model": "sale.order",
                    "res_ids": order.ids,
                    "template_id": self.env.ref("sale.email_template_edi_sale").id,
                }
            )
        )
        with self.assertRefused(NEEDS):
            composer.action_send_mail()
        composer.write({"template_id": False, "body": "Are you still interested?", "subject": "Hello"})
        composer.action_send_mail()
        self.assertIn("still interested", self._get_notes(order))

    def test_sharing_the_page(self):
        order = self._create_quotation()
        share = self.env["portal.share"].create(
            {"res_model": "sale.order", "res_id": order.id, "partner_ids": [Command.link(self.customer.id)]}
        )
        with self.assertRefused(NEEDS):
            share.action_send_mail()

    def test_a_batch_is_all_or_nothing_with_every_reason(self):
        small, one, two = self._create_quotation(price=1), self._create_quotation(), self._create_quotation()
        with self.assertRefused(f"(?s){one.name} cannot be confirmed.*{two.name} cannot be confirmed"):
            (small | one | two).action_confirm()
        self.assertEqual(small.state, "draft")


class TestApproving(ApprovalCase):
    def test_who(self):
        order = self._create_quotation()
        for user in (self.salesman, self.supervisor):
            with self.subTest(user=user.login), self.assertRefused("Only a quotation approver", AccessError):
                order.with_user(user).action_approve()
        with self.assertRefused("Only a quotation approver", AccessError):
            order.sudo().action_approve()
        with self.assertRaises(AccessError):
            order.with_user(self.employee).action_approve()
        order.with_user(self.manager).action_approve()
        self.assertEqual(order.approval_state, "approved")

    @freeze_time("2026-05-04 10:00:00")
    def test_what_is_kept(self):
        order = self._approve(self._create_quotation())
        self.assertEqual(
            (order.approved_by_id, order.approved_date, order.approved_amount),
            (self.approver, fields.Datetime.now(), 1000),
        )
        self.assertIn("Approved: ", self._get_notes(order))
        self.assertIn("1,000.00", self._get_notes(order))
        self.assertEqual(order.sudo().message_ids[0].author_id, self.approver.partner_id)

    def test_steps_are_logged_without_tracking(self):
        order = self._create_quotation()
        order.with_user(self.approver).with_context(tracking_disable=True, mail_notrack=True).action_approve()
        self.assertIn("Approved", self._get_notes(order))

    def test_then_it_is_effective(self):
        order = self._approve(self._create_quotation(require_signature=True))
        self.assertTrue(order._has_to_be_signed())
        order.action_quotation_sent()
        order.action_confirm()
        self.assertEqual((order.state, order.approval_state), ("sale", "approved"))

    def test_four_eyes(self):
        self.company.quotation_approval_four_eyes = True
        pair = new_test_user(self.env, "sos_pair", groups="sales_opportunity_stages.group_quotation_approver")
        own = self._create_quotation(user=self.approver)
        given = self._create_quotation()
        given.with_user(self.manager).user_id = self.approver
        requested = self._create_quotation()
        requested.write({"collaborator_ids": [Command.link(self.approver.id)]})
        requested.with_user(self.approver).action_request_approval()
        edited = self._create_quotation()
        edited.write({"collaborator_ids": [Command.link(self.approver.id)]})
        edited.order_line.with_user(self.approver).price_unit = 150
        self.env.flush_all()
        for name, order in {"own": own, "given": given, "requested": requested, "edited": edited}.items():
            with self.subTest(name):
                with self.assertRefused("You have worked on this quotation", AccessError):
                    self._approve(order)
                order.with_user(pair).action_approve()
                self.assertEqual(order.approval_state, "approved")

    def test_without_four_eyes_ones_own(self):
        self.company.quotation_approval_four_eyes = False  # on at first
        order = self._create_quotation(user=self.approver)
        self._approve(order)
        self.assertEqual(order.approved_by_id, self.approver)

    def test_a_batch_is_all_or_nothing(self):
        fine, done = self._create_quotation(), self._create_quotation()
        self._approve(done)
        with self.assertRefused(f"{done.name} cannot be approved. It is approved already"):
            (fine | done).with_user(self.approver).action_approve()
        self.assertEqual(fine.approval_state, "open")

    def test_only_a_quotation(self):
        order = self._create_quotation(price=1)
        order.action_confirm()
        with self.assertRefused("already confirmed or cancelled"):
            self._approve(order)

    def test_a_copy_is_open(self):
        copy = self._approve(self._create_quotation()).copy()
        self.assertEqual((copy.approval_state, copy.approved_by_id.id, copy.approved_amount), ("open", False, 0))

    def test_an_approver_reads_all_and_writes_none(self):
        order = self._create_quotation().with_user(self.approver)
        self.assertEqual(order.amount_total, 1000)
        self.assertTrue(order.order_line.read(["price_unit"]))
        with self.assertRaises(AccessError):
            order.write({"client_order_ref": "x"})


class TestRequestingApproval(ApprovalCase):
    def _get_requests(self, order):
        return order.sudo().activity_ids.filtered(
            lambda activity: (
                activity.activity_type_id == self.env.ref("sales_opportunity_stages.mail_activity_type_approval")
            )
        )

    def test_notifies_each_approver_once(self):
        order = self._create_quotation()
        order.action_request_approval()
        order.action_request_approval()
        asked = self._get_requests(order).user_id
        self.assertIn(self.approver, asked)
        self.assertIn(self.manager, asked)
        self.assertNotIn(self.salesman, asked)
        self.assertEqual(len(self._get_requests(order)), len(asked))
        self.assertEqual(order.approval_requested_by_id, self.salesman)

    def test_not_whom_four_eyes_exclude(self):
        self.company.quotation_approval_four_eyes = True
        order = self._create_quotation(user=self.approver)
        order.action_request_approval()
        asked = self._get_requests(order).user_id
        self.assertNotIn(self.approver, asked)
        self.assertIn(self.manager, asked)

    def test_not_the_approvers_of_another_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        elsewhere = new_test_user(
            self.env,
            "sos_elsewhere",
            groups="sales_opportunity_stages.group_quotation_approver",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        order = self._create_quotation()
        order.action_request_approval()
        self.assertNotIn(elsewhere, self._get_requests(order).user_id)

    def test_approval_closes_them(self):
        order = self._create_quotation()
        order.action_request_approval()
        self._approve(order)
        self.assertFalse(self._get_requests(order))
        done = (
            self.env["mail.activity"]
            .sudo()
            .with_context(active_test=False)
            .search([("res_model", "=", "sale.order"), ("res_id", "=", order.id), ("active", "=", False)])
        )
        self.assertEqual(done.user_id, self.approver)

    def test_closing_and_cancelling_end_them(self):
        for end in (lambda order: order.action_close_quotation("no"), lambda order: order.action_cancel()):
            order = self._create_quotation()
            order.action_request_approval()
            end(order)
            self.assertFalse(self._get_requests(order))

    def test_only_what_is_open(self):
        order = self._approve(self._create_quotation())
        with self.assertRefused("approved already"):
            order.action_request_approval()
        with self.assertRaises(AccessError):
            self._create_quotation().with_user(self.colleague).action_request_approval()


class TestFrozen(ApprovalCase):
    """Approved content does not change, by whatever way."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation()
        cls.line = cls.order.order_line
        cls.order.with_user(cls.approver).action_approve()

    def _get_attempts(self):
        order, line = self.order, self.line
        tax = self.env["account.tax"].create({"name": "25", "amount": 25, "type_tax_use": "sale"})
        term = self.env.ref("account.account_payment_term_30days")
        pricelist = self.env["product.pricelist"].create({"name": "Other"})
        position = self.env["account.fiscal.position"].create({"name": "Export"})
        other = self._create_quotation(price=1)
        return {
            "customer": lambda: order.write({"partner_id": self.stranger.id}),
            "invoice address": lambda: order.write({"partner_invoice_id": self.stranger.id}),
            "delivery address": lambda: order.write({"partner_shipping_id": self.stranger.id}),
            "pricelist": lambda: order.write({"pricelist_id": pricelist.id}),
            "payment term": lambda: order.write({"payment_term_id": term.id}),
            "fiscal position": lambda: order.write({"fiscal_position_id": position.id}),
            "terms and conditions": lambda: order.write({"note": "<p>Pay whenever you like</p>"}),
            "price": lambda: line.write({"price_unit": 1}),
            "price by the order": lambda: order.write({"order_line": [Command.update(line.id, {"price_unit": 1})]}),
            "quantity": lambda: line.write({"product_uom_qty": 11}),
            "discount": lambda: line.write({"discount": 50}),
            "tax": lambda: line.write({"tax_ids": [Command.set(tax.ids)]}),
            "product": lambda: line.write({"product_id": self.other_product.id}),
            "description": lambda: line.write({"name": "Something else"}),
            "new line": lambda: line.create({"order_id": order.id, "product_id": self.product.id}),
            "note line": lambda: line.create({"order_id": order.id, "display_type": "line_note", "name": "Free beer"}),
            "line of another order": lambda: other.order_line.write({"order_id": order.id}),
            "line to another order": lambda: line.write({"order_id": other.id}),
            "deleted line": lambda: line.unlink(),
            "cleared lines": lambda: order.write({"order_line": [Command.clear()]}),
            "update prices": lambda: self._update_prices(),
            "superuser": lambda: order.sudo().order_line.write({"price_unit": 1}),
            "approver": lambda: order.sudo().with_user(self.manager).order_line.write({"price_unit": 1}),
            "discount wizard": lambda: (
                self.env["sale.order.discount"]
                .with_user(self.salesman)
                .create({"sale_order_id": order.id, "discount_type": "sol_discount", "discount_percentage": 0.5})
                .action_apply_discount()
            ),
            "batch": lambda: (other | order).write({"payment_term_id": term.id}),
            "import": lambda: self._import(order),
            "deletion": lambda: order.with_user(self.manager).unlink(),
        }

    def _update_prices(self):
        self.product.list_price = 120
        self.order.action_update_prices()

    def _import(self, order):
        result = (
            self.env["sale.order"]
            .with_user(self.salesman)
            .load([".id", "order_line/.id", "order_line/price_unit"], [[str(order.id), str(self.line.id), "1"]])
        )
        if not result["ids"]:
            raise UserError(result["messages"][0]["message"])

    def test_nothing_changes(self):
        self.line.write({"price_unit": 100})  # the same is no change
        before = self.order.sudo()._get_content()
        for name, attempt in self._get_attempts().items():
            with self.subTest(name):
                with self.assertRefused(f"{self.order.name} is approved|{self.order.name} cannot be deleted"):
                    attempt()
                    self.env.flush_all()
                self.assertEqual(self.order.sudo()._get_content(), before)
        self.assertEqual(self.order.amount_total, 1000)

    def test_message_names_what(self):
        with self.assertRefused("cannot be changed: Pump: Discount.*Unit Price. Withdraw the approval"):
            self.line.write({"price_unit": 1, "discount": 3})

    def test_what_stays_free(self):
        tag = self.env["crm.tag"].create({"name": "Urgent"})
        self.order.write({"tag_ids": [Command.link(tag.id)], "client_order_ref": "PO 7", "user_id": self.salesman.id})
        self.order.message_post(body="They called")
        self.order.message_subscribe(self.stranger.ids)
        self.order.activity_schedule("mail.mail_activity_data_todo", user_id=self.salesman.id).action_feedback()
        self.line.sequence = 99
        self.assertEqual(self.order.approval_state, "approved")

    def test_options_on_the_portal(self):
        self.assertFalse(self.order._can_be_edited_on_portal())

    def test_unapproved_it_changes(self):
        self.order.with_user(self.approver).action_unapprove()
        self.line.price_unit = 200
        self.assertEqual(self.order.amount_total, 2000)

    def test_confirmed_only_an_approver_changes_it(self):
        self.order.action_confirm()
        with self.assertRefused("confirmed with an approval, so only an approver can change this: Pump: Quantity"):
            self.line.write({"product_uom_qty": 11})
        with self.assertRefused("confirmed with an approval"):
            self.order.write({"payment_term_id": self.env.ref("account.account_payment_term_30days").id})
        self.line.with_user(self.manager).write({"product_uom_qty": 11})
        self.assertIn("Changed after approval: Pump: Quantity", self._get_notes(self.order))
        self.assertIn("1,100.00", self._get_notes(self.order))

    def test_down_payments_go_on(self):
        self.order.action_confirm()
        self.env["sale.advance.payment.inv"].with_user(self.salesman).sudo().create(
            {"sale_order_ids": self.order.ids, "advance_payment_method": "percentage", "amount": 30}
        ).create_invoices()
        self.assertEqual(self.order.invoice_count, 1)

    def test_delivery_goes_on(self):
        self.order.action_confirm()
        self.line.qty_delivered = 4
        self.assertEqual(self.line.qty_delivered, 4)


class TestGrowing(ApprovalCase):
    """An order confirmed without an approval cannot be raised to where it would have needed one."""

    def setUp(self):
        super().setUp()
        self.order = self._create_quotation(price=90)
        self.order.action_confirm()

    def test_refused(self):
        line = self.order.order_line
        for name, attempt in {
            "price": lambda: line.write({"price_unit": 100}),
            "quantity": lambda: line.write({"product_uom_qty": 12}),
            "line": lambda: line.create({"order_id": self.order.id, "product_id": self.product.id}),
            "superuser": lambda: line.sudo().write({"price_unit": 100}),
            "supervisor": lambda: line.with_user(self.supervisor).write({"price_unit": 100}),
        }.items():
            with self.subTest(name), self.assertRefused("The new total of .*1,.* requires approval"):
                attempt()
        self.assertEqual(self.order.amount_total, 900)

    def test_below_it(self):
        self.order.order_line.write({"price_unit": 99})
        self.assertEqual(self.order.amount_total, 990)

    def test_by_an_approver(self):
        self.order.order_line.with_user(self.manager).write({"price_unit": 150})
        self.assertEqual((self.order.approval_state, self.order.approved_by_id), ("approved", self.manager))
        self.assertIn("1,500.00", self._get_notes(self.order))

    def test_shrinking_always_passes(self):
        self.company.quotation_approval_min_amount = 500
        self.order.order_line.write({"price_unit": 80})
        with self.assertRefused("requires approval"):
            self.order.order_line.write({"price_unit": 81})


class TestWithdrawing(ApprovalCase):
    def test_who(self):
        order = self._approve(self._create_quotation())
        with self.assertRefused("Only a quotation approver", AccessError):
            order.action_unapprove()
        order.with_user(self.approver).action_unapprove()
        self.assertEqual((order.approval_state, order.approved_by_id.id, order.approved_date), ("open", False, False))
        self.assertIn("Approval withdrawn", self._get_notes(order))
        with self.assertRefused(NEEDS):
            order.action_confirm()

    def test_not_of_an_order_and_says_which(self):
        fine, order = self._approve(self._create_quotation()), self._approve(self._create_quotation())
        order.action_confirm()
        with self.assertRefused(f"The approval of {order.name} cannot be withdrawn. It is a confirmed order"):
            (fine | order).with_user(self.approver).action_unapprove()
        self.assertEqual(fine.approval_state, "approved")

    def test_what_is_not_approved(self):
        with self.assertRefused("It is not approved"):
            self._create_quotation().with_user(self.approver).action_unapprove()

    def test_cancelled_and_taken_up_again_it_is_open(self):
        order = self._approve(self._create_quotation())
        order.action_confirm()
        order.action_cancel()
        order.action_draft()
        self.assertEqual(order.approval_state, "open")
        with self.assertRefused(NEEDS):
            order.action_confirm()
        self.assertIn("Open again", self._get_notes(order))


class TestForgery(ApprovalCase):
    FORGED = {
        "approval_state": "approved",
        "approved_by_id": 1,
        "approved_date": "2026-01-01",
        "approved_amount": 5,
        "approval_requested_by_id": 1,
        "order_source": "quotation",
        "close_reason": "x",
    }

    def test_nobody_writes_them(self):
        order = self._create_quotation()
        for name, value in self.FORGED.items():
            for user in (self.salesman, self.approver, self.manager):
                target = order.with_user(user)
                with self.subTest(name, user=user.login):
                    with self.assertRefused("kept by the system", AccessError):
                        target.sudo().write({name: value})
                    with self.assertRefused("kept by the system", AccessError):
                        self._create_quotation(user=user, **{name: value})

    def test_no_context_opens(self):
        order = self._create_quotation()
        for value in (True, "approved", {"model": "sale.order", "record_ids": order.ids}):
            context = {
                "sales_server_tokens": value,
                "sale_order_acceptance": value,
                "sales_opportunity_stages.watched_orders": value,
                "default_approval_state": "approved",
                "force_confirm": value,
            }
            with self.assertRefused("kept by the system", AccessError):
                order.with_context(**context).write({"approval_state": "approved"})
            with self.assertRefused(NEEDS):
                order.with_context(**context).action_confirm()
            born = order.with_context(**context).create({"partner_id": self.customer.id})
            self.assertEqual(born.approval_state, "open")

    def test_the_form_saves(self):
        with Form(self.env["sale.order"].with_user(self.salesman)) as form:
            form.partner_id = self.customer
            with form.order_line.new() as line:
                line.product_id = self.product
        self.assertEqual(form.record.approval_state, "open")
