import ast
import gc
from contextlib import contextmanager
from pathlib import Path

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user

from odoo.addons.sales_opportunity_stages.tools import ChangeStack, LedgerWrite, OrderOperation, ServerToken, change

from .quotation_common import QuotationCase

ORDER_RULES = [
    "_compute_changed_lines",
    "_check_approved_content",
    "_check_linked_opportunities",
    "_check_operations",
    "_check_credit_of_change",
    "_record_authors",
    "_restart_approval",
    "_follow_approval_request",
    "_set_order_source",
    "_lock_for_approval",
    "_follow_credit_requests",
    "_recheck_after_change",
    "_report_changed_to_opportunities",
]
LEAD_RULES = [
    "_read_visits_of_change",
    "_place_in_first_stage",
    "_check_stage_gate",
    "_check_outcomes_of_change",
    "_check_snooze_of_change",
    "_note_reasons_of_change",
    "_log_visits_of_change",
    "_record_snooze_of_change",
    "_withdraw_signoffs_of_change",
    "_record_deadline_change",
    "_clear_loss_of_reopened",
    "_clear_won_reason_of_reopened",
    "_log_values_of_change",
    "_promote_changed",
]
RULES_OF_BRIDGES = {"_check_contract_content"}


class TestChangeRules(QuotationCase):
    def test_order_of_the_rules(self):
        """The order in which a change is checked and recorded is this list, whatever is imported first."""
        for model, names in (("sale.order", ORDER_RULES), ("crm.lead", LEAD_RULES)):
            with self.subTest(model):
                rules = sorted(self.env[model]._get_change_rules())
                self.assertEqual([name for _position, name in rules if name not in RULES_OF_BRIDGES], names)
                self.assertEqual(len({position for position, _name in rules}), len(rules), "one rule a position")

    def test_rules_are_listed_in_one_file(self):
        """No other file of the add-on extends the list; a bridge adds rows."""
        models = Path(change.__file__).parents[1] / "models"
        extending = [
            path.name
            for path in models.glob("*/*.py")
            if any(
                isinstance(node, ast.FunctionDef) and node.name == "_get_change_rules"
                for node in ast.walk(ast.parse(path.read_text(encoding="utf8")))
            )
        ]
        self.assertCountEqual(extending, ["change_mixin.py", "crm_lead.py", "sale_order.py"])

    def test_unknown_operation(self):
        order = self._create_quotation()
        for method in (order._get_refusals, order._check_allowed):
            with self.assertRaises(ValueError):
                method("aprove")
        for operation in OrderOperation:
            self.assertIn(operation.value, order._get_operation_titles())
            order._get_refusals(operation.value)


class TestChange(QuotationCase):
    """Several writes to the same records are checked once, when the outermost block is complete."""

    def _count_checks(self):
        checked = []
        Order = self.registry["sale.order"]
        check = Order._check_operations

        def count(orders, change):
            checked.append(orders.ids)
            return check(orders, change)

        self.patch(Order, "_check_operations", count)
        return checked

    @contextmanager
    def _undone(self):
        """Roll back to a savepoint, as code does that catches an error."""
        with self.env.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()

    def test_nested_writes_are_checked_once(self):
        order = self._create_quotation()
        checked = self._count_checks()
        with order._change():
            order.write({"note": "a"})
            order.order_line.write({"price_unit": 5})
            order.order_line.copy({"order_id": order.id})
            self.assertEqual(checked, [])
        self.assertEqual(checked, [order.ids])

    def test_another_order_is_checked_at_its_own_end(self):
        order, other = self._create_quotation(), self._create_quotation()
        checked = self._count_checks()
        with order._change():
            other.write({"note": "a"})
            self.assertEqual(checked, [other.ids])
        self.assertEqual(checked, [other.ids, order.ids])

    def test_a_rolled_back_savepoint_inside_forgets_nothing(self):
        order = self._create_quotation()
        lead = self._create_opportunity()
        with self.assertRefused("Cannot promote"), lead._change():
            with self._undone():
                lead.write({"stage_id": self.stage_solution.id})
            self.assertTrue(lead._get_changes())
            lead.write({"stage_id": self.stage_needs.id})
        checked = self._count_checks()
        with order._change():
            with self._undone():
                order.write({"note": "a"})
            order.write({"note": "b"})
            self.assertEqual(checked, [])
        self.assertEqual(checked, [order.ids])

    def test_an_order_created_in_a_rolled_back_savepoint(self):
        """What does not exist any more is not checked."""
        order = self._create_quotation()

        with self.env["sale.order"]._change(creating=True) as under_way:
            with self._undone():
                order.copy().note = "a"
            order.note = "b"
        self.assertIn(order.id, under_way.ids)
        self.assertFalse(self.env["sale.order"].browse(under_way.ids - set(order.ids)).exists())

    def test_an_error_leaves_nothing_under_way(self):
        order = self._create_quotation()
        with self.assertRaises(ZeroDivisionError), order._change():
            raise ZeroDivisionError
        self.assertFalse(ChangeStack(self.env.cr).changes)

    def test_deleted_inside(self):
        order = self._create_quotation()
        with order._change():
            order.note = "a"
            order.sudo().unlink()
        self.assertFalse(order.exists())

    def test_changes_go_with_their_cursor(self):
        """A cursor that is closed in the middle of a change leaves nothing behind."""
        with self.registry.cursor() as cr:
            ChangeStack(cr).push(change.Change("sale.order", {}))
            self.assertTrue(ChangeStack(cr).changes)
        count = len(change._UNDER_WAY)
        del cr
        gc.collect()
        self.assertLess(len(change._UNDER_WAY), count)

    def test_a_client_cannot_begin_or_end_a_change(self):
        order = self._create_quotation(user=self.salesman)
        for name in ("_change", "_settle_change", "_note_in_change"):
            self.assertTrue(name.startswith("_"), "private: not callable by RPC")
        self.assertFalse(order._get_changes())


class TestServerTokens(QuotationCase):
    def test_only_objects_count(self):
        order = self._create_quotation()
        for value in (True, 1, "LedgerWrite", {"model": "crm.stage.visit"}, ["crm.stage.visit"], [["x"]], None):
            self.assertIsNone(LedgerWrite.of(order.with_context(sales_server_tokens=value)))
        self.assertIsNone(LedgerWrite.of(order.with_context(sales_server_tokens=("crm.stage.visit",))))

    def test_tokens_of_several_classes_stay_beside_each_other(self):
        class Other(ServerToken):
            pass

        order, ledger, other = self._create_quotation(), LedgerWrite("a"), Other()
        both = other.on(ledger.on(order))
        self.assertEqual((LedgerWrite.of(both), Other.of(both)), (ledger, other))
        self.assertEqual(LedgerWrite.of(LedgerWrite("b").on(both)), LedgerWrite("b"))
        self.assertIsNone(Other.of(order))

    def test_a_ledger_token_is_for_one_ledger(self):
        visits = self._create_opportunity().stage_visit_ids
        with self.assertRaises(AccessError):
            LedgerWrite("sale.credit.check").on(visits.sudo()).write({"reason": "x"})
        with self.assertRaises(AccessError):
            LedgerWrite("crm.stage.visit").on(visits).write({"reason": "x"})
        visits._as_ledger().write({"reason": "x"})
        self.assertEqual(visits.reason, "x")


class TestAuthors(QuotationCase):
    """Who worked on a quotation is recorded, not guessed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 400})
        cls.company.quotation_approval_four_eyes = True
        groups = "sales_opportunity_stages.group_quotation_approver,sales_team.group_sale_salesman_all_leads"
        cls.seller, cls.second = (new_test_user(cls.env, f"sos_approver_{n}", groups=groups) for n in "ab")

    def assertNotApprovable(self, order, user):
        self.env.flush_all()
        with self.assertRefused("You have worked on this quotation", AccessError):
            order.with_user(user).action_approve()

    def test_header(self):
        """An approver changes the payment term: content like any other."""
        order = self._create_quotation()
        order.with_user(self.seller).payment_term_id = self.env.ref("account.account_payment_term_30days")
        self.assertEqual(order.author_ids, self.seller)
        self.assertNotApprovable(order, self.seller)
        order.with_user(self.second).action_approve()

    def test_price_then_somebody_else_renames_the_line(self):
        order = self._create_quotation()
        order.order_line.with_user(self.seller).price_unit = 90
        order.order_line.with_user(self.salesman).name = "Pump, blue"
        self.assertNotApprovable(order, self.seller)

    def test_recomputation_makes_nobody_an_author(self):
        """A manager hands the quotation over: Odoo writes its lines in his name, but their content is the same."""
        order = self._create_quotation()
        order.with_user(self.seller).user_id = self.manager
        self.env.flush_all()
        self.assertNotIn(self.seller, order.sudo().author_ids)
        order.with_user(self.seller).action_approve()

    def test_handing_over_frees_nobody(self):
        order = self._create_quotation()
        order.with_user(self.manager).user_id = self.seller
        order.with_user(self.manager).user_id = self.second
        self.assertIn(self.seller, order.author_ids)
        self.assertNotApprovable(order, self.seller)

    def test_what_is_no_content(self):
        order = self._create_quotation()
        order.with_user(self.seller).write({"client_order_ref": "PO 1", "tag_ids": [Command.clear()]})
        order.order_line.with_user(self.seller).sequence = 3
        self.assertFalse(order.author_ids)
        order.with_user(self.seller).action_approve()

    def test_written_by_a_client(self):
        order = self._create_quotation()
        for name in ("author_ids", "amender_ids"):
            with self.assertRaises(AccessError):
                order.write({name: [Command.set(self.salesman.ids)]})

    def test_a_line_added_and_removed(self):
        order = self._create_quotation()
        added = order.order_line.with_user(self.seller).copy({"order_id": order.id})
        added.unlink()
        self.assertNotApprovable(order, self.seller)

    def test_confirmed_order(self):
        """An approver changes it, again and again; its salesperson and authors do not."""
        order = self._create_quotation()
        order.order_line.with_user(self.second).price_unit = 90
        order.with_user(self.seller).action_approve()
        order.action_confirm()
        for price in (95, 96):
            order.order_line.with_user(self.seller).price_unit = price
        self.assertEqual(order.order_line.price_unit, 96)
        self.assertIn("Changed after approval", order.sudo().message_ids[0].body)
        for user in (self.salesman, self.second):
            with self.subTest(user.login), self.assertRefused("only an approver can change this"):
                order.order_line.with_user(user).price_unit = 1

    def test_a_quotation_again(self):
        """Who changed the order is an author when it is offered anew."""
        order = self._create_quotation()
        order.with_user(self.seller).action_approve()
        order.action_confirm()
        order.order_line.with_user(self.seller).price_unit = 95
        order._action_cancel()
        order.action_draft()
        self.assertEqual(order.approval_state, "open")
        self.assertNotApprovable(order, self.seller)
        order.with_user(self.second).action_approve()

    def test_grown_over_the_threshold(self):
        order = self._create_quotation(quantity=1)
        order.action_confirm()
        with self.assertRefused("requires approval"):
            order.order_line.product_uom_qty = 10
        order.order_line.with_user(self.seller).product_uom_qty = 10
        self.assertEqual((order.approval_state, order.approved_by_id), ("approved", self.seller))

    def test_a_cancelled_quotation_is_changed(self):
        """It cannot be confirmed with the approval of another content."""
        order = self._create_quotation()
        order.with_user(self.second).action_approve()
        order._action_cancel()
        order.order_line.price_unit = 1000
        self.assertEqual(order.approval_state, "open")
        with self.assertRefused("has to be approved"):
            order.write({"state": "sale"})


class TestRequests(QuotationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 400})
        cls.company.quotation_approval_four_eyes = True
        # everybody else who could approve, such as the administrator, belongs to another company
        group = cls.env.ref("sales_opportunity_stages.group_quotation_approver")
        elsewhere = cls.env["res.company"].create({"name": "Elsewhere"})
        for user in group.all_user_ids - cls.approver:
            user.write({"company_ids": [Command.set(elsewhere.ids)], "company_id": elsewhere.id})
        cls.approver.group_ids += cls.env.ref("sales_team.group_sale_salesman_all_leads")
        cls.order = cls._create_quotation()

    def _get_requests(self):
        return self.order.sudo().activity_ids

    def test_nobody_to_ask(self):
        self.order.sudo().user_id = self.approver
        with self.assertRefused("Nobody can approve"):
            self.order.sudo().action_request_approval()
        self.assertFalse(self.order.sudo().approval_requested_by_id)
        self.assertFalse(self._get_requests())

    def test_it_follows_the_quotation(self):
        self.order.action_request_approval()
        self.assertIn("1,000", self._get_requests().summary)
        self.order.order_line.price_unit = 300
        self.assertIn("3,000", self._get_requests().summary)
        self.assertEqual(self._get_requests().user_id, self.approver)

    def test_it_ends_where_no_approval_is_needed_any_more(self):
        self.order.action_request_approval()
        self.order.order_line.price_unit = 1
        self.assertFalse(self._get_requests())
        self.assertFalse(self.order.approval_requested_by_id)

    def test_an_approver_who_becomes_an_author_is_not_asked_any_more(self):
        second = self.approver.copy({"login": "sos_second", "active": True})
        self.order.action_request_approval()
        self.assertEqual(self._get_requests().user_id, self.approver | second)
        self.order.sudo().collaborator_ids = [Command.link(second.id)]
        second.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        self.order.order_line.with_user(second).price_unit = 200
        self.assertEqual(self._get_requests().user_id, self.approver)

    def test_only_a_decision_completes_it(self):
        self.order.action_request_approval()
        activity = self._get_requests()
        for user in (self.salesman, self.manager, self.approver):
            for what in (
                lambda activity: activity.action_feedback("done"),
                lambda activity: activity.action_done(),
                lambda activity: activity.unlink(),
                lambda activity: activity.write({"user_id": self.salesman.id}),
                lambda activity: activity.write({"active": False}),
                lambda activity: activity.write({"activity_type_id": self.env.ref("mail.mail_activity_data_todo").id}),
            ):
                with self.assertRaises(UserError), self.env.cr.savepoint():
                    what(activity.with_user(user))
        self.assertEqual((activity.user_id, activity.active), (self.approver, True))
        self.order.with_user(self.approver).action_approve()
        self.assertFalse(self._get_requests())

    def test_an_approver_hands_it_to_another(self):
        self.order.action_request_approval()
        second = self.approver.copy({"login": "sos_second", "active": True})
        self._get_requests().with_user(self.approver).write({"user_id": second.id})
        self.assertEqual(self._get_requests().user_id, second)

    def test_closing_deleting_and_cancelling_take_it_along(self):
        for what in ("action_close_quotation", "_action_cancel", "unlink"):
            order = self._create_quotation()
            order.action_request_approval()
            activities = order.sudo().activity_ids
            self.assertTrue(activities)
            getattr(order.sudo(), what)(*(["No budget"] if "close" in what else []))
            self.assertFalse(activities.exists())


class TestDetaching(QuotationCase):
    """What had an opportunity stays under the rules of CRM."""

    def test_a_salesperson_cannot(self):
        lead = self._create_quotable()
        order = self._generate(lead)
        for vals in ({"opportunity_id": False}, {"opportunity_id": False, "state": "sale"}):
            with self.assertRefused("cannot be removed from it"):
                order.write(vals)
        other = self._create_opportunity(partner_id=self.customer.id)
        order.opportunity_id = other
        with self.assertRefused("cannot be removed from it"):
            order.opportunity_id = False

    def test_a_lost_opportunity_cannot_be_dropped(self):
        lead = self._create_quotable()
        order = self._generate(lead)
        self._lose(lead)
        with self.assertRefused("cannot be removed from it"):
            order.write({"opportunity_id": False})
        with self.assertRefused("reopen that first"):
            order.action_confirm()

    def test_a_sales_administrator_can_and_it_is_logged(self):
        order = self._generate(self._create_quotable())
        order.with_user(self.manager).opportunity_id = False
        self.assertIn("Removed from opportunity", order.sudo().message_ids[0].body)

    def test_deleting_the_opportunity(self):
        lead = self._create_quotable()
        order = self._generate(lead)
        lead.sudo().unlink()
        order.invalidate_recordset()
        order.note = "on"
        self.assertFalse(order.opportunity_id)


class TestIncurred(QuotationCase):
    """What an application adds to a confirmed order by itself is logged and counted, never refused."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 400})
        cls.order = cls._create_quotation(quantity=5)
        cls.order.with_user(cls.approver).action_approve()
        cls.order.action_confirm()

    def _add_line(self, order, **values):
        values = {"order_id": order.id, "product_id": self.other_product.id, "product_uom_qty": 2, **values}
        return order.env["sale.order.line"].create(values)

    def test_by_a_salesperson(self):
        with self.assertRefused("only an approver can change this"):
            self._add_line(self.order.with_user(self.salesman))

    def test_by_an_application(self):
        with self.order.with_user(self.salesman)._change(incurred=True):
            self._add_line(self.order)
        self.assertEqual(len(self.order.order_line), 2)
        self.assertIn("Added by another application", self.order.sudo().message_ids[0].body)
        self.assertFalse(self.order.amender_ids)

    def test_inside_a_larger_change(self):
        """The larger change is compared with what the application has made of the order."""
        order = self.order.with_user(self.salesman)
        with order._change():
            order.client_order_ref = "PO 7"
            with order._change(incurred=True):
                self._add_line(order)
        self.assertEqual(len(order.order_line), 2)
        with self.assertRefused("only an approver can change this"), order._change():
            with order._change(incurred=True):
                self._add_line(order)
            order.order_line[0].price_unit = 1

    def test_while_an_order_is_confirmed(self):
        """What applications add after the checks at the confirmation, such as a pickup address, is not refused at its
        end."""
        order = self._create_quotation(quantity=5)
        order.with_user(self.approver).action_approve()
        with order._change():
            order.write({"state": "sale"})
            with order._change(incurred=True):
                self._add_line(order)
        self.assertEqual((order.state, len(order.order_line)), ("sale", 2))
        self.assertIn("Added by another application", " ".join(order.sudo().message_ids.mapped("body")))

    def test_a_new_order_meanwhile_is_a_new_order(self):
        """An order that is made inside is checked like any other."""
        self.company.quotation_approval_min_amount = 0
        with self.assertRefused("has to be approved"), self.order._change(incurred=True):
            self._create_quotation(state="sale")

    def test_a_quotation_is_still_frozen(self):
        quotation = self._create_quotation(quantity=5)
        quotation.with_user(self.approver).action_approve()
        with self.assertRefused("is approved, so this cannot be changed"), quotation._change(incurred=True):
            self._add_line(quotation)

    def test_a_reinvoiced_expense(self):
        """An accountant posts a vendor bill that is charged to the customer: the order takes it."""
        self.company.account_use_credit_limit = True
        self.customer.credit_limit = 500
        cost = self.env["product.product"].create(
            {
                "name": "Travel",
                "type": "service",
                "expense_policy": "cost",
                "invoice_policy": "delivery",
                "standard_price": 100,
                "taxes_id": False,
                "supplier_taxes_id": False,
            }
        )
        plan = self.env["account.analytic.plan"].create({"name": "Orders"})
        account = self.env["account.analytic.account"].create({"name": self.order.name, "plan_id": plan.id})
        AccountMoveLine = self.registry["account.move.line"]
        self.patch(
            AccountMoveLine,
            "_sale_determine_order",
            lambda lines: {line.id: self.order for line in lines if line.product_id == cost},
        )
        bill = self.env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": self.stranger.id,
                "invoice_date": "2026-01-01",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": cost.id,
                            "quantity": 1,
                            "price_unit": 100,
                            "tax_ids": False,
                            "analytic_distribution": {str(account.id): 100},
                        }
                    )
                ],
            }
        )
        bill.action_post()
        self.assertEqual(self.order.order_line.product_id, self.product | cost)
        notes = " ".join(self.order.sudo().message_ids.mapped("body"))
        self.assertIn("Added by another application", notes)
        self.assertIn("the credit limit of Acme is exceeded", notes)
        self.assertEqual(self.order.sudo().credit_check_ids.result, "warned")


class TestRefusalsAreForReaders(QuotationCase):
    """Reasons and amounts reach only users who may read the order, whatever mode the server runs in."""

    def test_in_superuser_mode(self):
        self.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 1})
        order = self._create_quotation()
        portal = new_test_user(self.env, "sos_portal", groups="base.group_portal")
        employee = new_test_user(self.env, "sos_storekeeper", groups="base.group_user")
        for user, text in ((portal, "Please contact us"), (employee, "Ask the salesperson: sos_salesman")):
            with self.subTest(user.login), self.assertRaises(AccessError) as refused, self.env.cr.savepoint():
                order.with_user(user).sudo().write({"state": "sale"})
            self.assertIn(text, str(refused.exception))
            self.assertNotIn("1,000", str(refused.exception))

    def test_a_customers_confirmation_is_kept(self):
        """By whatever page: the order stays a quotation, and the salesperson hears why."""
        self.company.write({"quotation_approval": "required", "quotation_approval_min_amount": 1})
        order = self._create_quotation()
        public = self.env.ref("base.public_user")
        order.with_user(public).sudo().action_confirm()
        self.assertEqual(order.state, "draft")
        activity = order.sudo().activity_ids
        self.assertEqual(activity.user_id, self.salesman)
        self.assertIn("has to be approved first", activity.note)


class TestWriteGuards(QuotationCase):
    """Another application that refuses writes, such as base_tier_validation of OCA, lets the add-on's own pass."""

    def setUp(self):
        super().setUp()
        SaleOrder = self.registry["sale.order"]
        write = SaleOrder.write

        def guarded(orders, vals):
            is_under_review = any(order.client_order_ref == "in review" for order in orders)
            if (
                is_under_review
                and vals.keys() - {"access_token"}
                and not orders.env.context.get("skip_validation_check")
            ):
                message = "Under validation"
                raise ValidationError(message)
            return write(orders, vals)

        self.patch(SaleOrder, "write", guarded)
        self.company.quotation_approval = "required"

    def test_deciding_on_a_quotation_under_review(self):
        order = self._create_quotation(client_order_ref="in review")
        order.action_request_approval()
        order.with_user(self.approver).action_approve()
        self.assertEqual(order.approval_state, "approved")
        order.with_user(self.approver).action_unapprove()
        order.action_close_quotation("No budget")
        self.assertEqual(order.approval_state, "closed")

    def test_what_somebody_writes_is_left_to_the_other_application(self):
        order = self._create_quotation(client_order_ref="in review")
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            order.note = "changed"
