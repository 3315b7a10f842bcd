from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

from .quotation_common import QuotationCase


class TestClosing(QuotationCase):
    def test_from_open_and_from_approved(self):
        self.company.quotation_approval = "required"
        first, second = self._create_quotation(), self._create_quotation()
        second.with_user(self.approver).action_approve()
        (first | second).action_close_quotation("The customer went bankrupt")
        for order in first | second:
            self.assertEqual((order.approval_state, order.close_reason), ("closed", "The customer went bankrupt"))
            self.assertIn("Closed: The customer went bankrupt", order.sudo().message_ids[0].body)

    def test_a_reason_is_asked_for(self):
        orders = self._create_quotation() | self._create_quotation()
        for blank in (None, "", "  "):
            action = orders.action_close_quotation(blank)
            self.assertEqual(action["res_model"], "sale.order.close")
        wizard = self.env["sale.order.close"].with_user(self.salesman).with_context(**action["context"])
        wizard.create({"reason": "No budget"}).action_close()
        self.assertEqual(orders.mapped("approval_state"), ["closed"] * 2)

    def test_not_an_order_all_or_nothing(self):
        fine, order = self._create_quotation(), self._create_quotation()
        order.action_confirm()
        with self.assertRefused(f"{order.name} cannot be closed. It is a confirmed order"):
            (fine | order).action_close_quotation("x")
        self.assertEqual(fine.approval_state, "open")

    def test_nobody_closes_what_is_not_theirs(self):
        order = self._create_quotation()
        with self.assertRaises(AccessError):
            order.with_user(self.colleague).action_close_quotation("x")

    def test_out_of_the_default_lists(self):
        order = self._create_quotation()
        order.action_close_quotation("x")
        for xmlid in ("sale.action_quotations", "sale.action_quotations_with_onboarding"):
            self.assertIn("search_default_not_closed", self.env.ref(xmlid).context)
        lead = self._create_quotable()
        self.assertIn("search_default_not_closed", lead.action_view_sale_quotation()["context"])


class TestClosed(QuotationCase):
    """Nothing at all can be done with it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation(require_signature=True, require_payment=True)
        cls.line = cls.order.order_line
        cls.order.action_close_quotation("No budget")

    def test_closed_without_a_reason(self):
        """As by a migration: it is refused as any other, and the reason stays blank."""
        self.env.flush_all()
        self.env.cr.execute("UPDATE sale_order SET close_reason = NULL WHERE id = %s", [self.order.id])
        self.env.invalidate_all()
        with self.assertRefused("It is closed"):
            self.order.action_confirm()

    def test_nothing_can_be_done(self):
        order, line = self.order, self.line
        manager = order.with_user(self.manager)
        free = self._create_quotation()
        attempts = {
            "header": lambda: order.write({"client_order_ref": "x"}),
            "salesperson": lambda: manager.write({"user_id": self.colleague.id}),
            "tags": lambda: order.write({"tag_ids": [Command.clear()]}),
            "line": lambda: line.write({"price_unit": 1}),
            "line sequence": lambda: line.write({"sequence": 1}),
            "new line": lambda: line.create({"order_id": order.id, "product_id": self.product.id}),
            "line from elsewhere": lambda: free.order_line.write({"order_id": order.id}),
            "deleted line": lambda: line.unlink(),
            "send": order.action_quotation_send,
            "sent": order.action_quotation_sent,
            "confirm": order.action_confirm,
            "state": lambda: order.write({"state": "sale"}),
            "approve": lambda: order.with_user(self.approver).action_approve(),
            "cancel": order.action_cancel,
            "private cancel": order._action_cancel,
            "mass cancel": lambda: (
                self.env["sale.mass.cancel.orders"]
                .with_user(self.salesman)
                .create({"sale_order_ids": [Command.set(order.ids)]})
                .action_mass_cancel()
            ),
            "lock": lambda: manager.action_lock(),
            "close": lambda: order.action_close_quotation("again"),
            "contract": lambda: order._check_allowed("contract"),
            "delete": lambda: manager.unlink(),
            "superuser": lambda: order.sudo().write({"client_order_ref": "x"}),
            "signature": lambda: order.write({"signed_by": "Forger"}),
            "batch": lambda: (free | order).action_confirm(),
            "opportunity": lambda: order.write({"opportunity_id": self._create_opportunity().id}),
        }
        for name, attempt in attempts.items():
            with self.subTest(name), self.assertRefused(r"It is closed \(No budget\)"):
                attempt()
        self.assertEqual((order.state, order.approval_state, order.amount_total), ("draft", "closed", 1000))
        self.assertFalse(order._has_to_be_signed() or order._has_to_be_paid() or order._can_be_edited_on_portal())

    def test_conversation_goes_on(self):
        self.order.message_post(body="They called again", attachments=[("notes.txt", b"x")])
        self.order.activity_schedule("mail.mail_activity_data_todo", user_id=self.salesman.id).action_feedback()
        self.assertTrue(self.order._portal_ensure_token())

    def test_a_copy_is_a_new_quotation(self):
        copy = self.order.copy()
        copy.action_confirm()
        self.assertEqual((copy.approval_state, copy.close_reason), ("open", False))


class TestReopening(QuotationCase):
    def test_who(self):
        order = self._create_quotation()
        order.action_close_quotation("No budget")
        for user in (self.salesman, self.supervisor, self.approver):
            with self.subTest(user.login), self.assertRefused("Only a Sales Administrator", AccessError):
                order.with_user(user).action_reopen_quotation()
        with self.assertRefused("Only a Sales Administrator", AccessError):
            order.sudo().action_reopen_quotation()
        order.with_user(self.manager).action_reopen_quotation()
        self.assertEqual((order.approval_state, order.close_reason), ("open", False))
        self.assertIn("Reopened", order.sudo().message_ids[0].body)
        order.action_confirm()

    def test_an_approval_has_to_be_given_again(self):
        self.company.quotation_approval = "required"
        order = self._create_quotation()
        order.with_user(self.approver).action_approve()
        order.action_close_quotation("x")
        order.with_user(self.manager).action_reopen_quotation()
        with self.assertRefused("has to be approved first"):
            order.action_confirm()

    def test_what_is_not_closed(self):
        with self.assertRefused("It is not closed"):
            self._create_quotation().with_user(self.manager).action_reopen_quotation()


class TestOrderOrContract(QuotationCase):
    """The core knows no contracts; whoever does says which are live, and the rest follows."""

    def setUp(self):
        super().setUp()
        self.order = self._create_quotation()
        contract = self.env["res.partner"].create({"name": "Contract 7"})
        contracts = {self.order.id: [contract]}
        self.contracts = contracts
        self.patch(self.registry["sale.order"], "_get_followup_contracts", lambda order: contracts.get(order.id, []))

    def test_none_in_the_core(self):
        self.contracts.clear()
        self.order.action_confirm()
        self.assertEqual(self.order.state, "sale")

    def test_no_order_beside_a_contract(self):
        for attempt in (
            self.order.action_confirm,
            lambda: self.order.write({"state": "sale"}),
            lambda: self.order.action_close_quotation("x"),
            lambda: self.order._check_allowed("contract"),
        ):
            with self.assertRefused("A contract was made from it, cancel that first: Contract 7"):
                attempt()

    def test_no_withdrawal_beside_a_contract(self):
        self.contracts.clear()
        self.order.with_user(self.approver).action_approve()
        self.contracts[self.order.id] = [self.customer]
        with self.assertRefused("cannot be withdrawn. A contract was made from it, cancel that first: Acme"):
            self.order.with_user(self.approver).action_unapprove()

    def test_no_contract_beside_an_order(self):
        self.contracts.clear()
        self.order.action_confirm()
        with self.assertRefused("No contract can be made from .* The order is already confirmed or cancelled"):
            self.order._check_allowed("contract")

    def test_cancelling_the_contract_frees_the_quotation(self):
        self.contracts.clear()
        self.order.action_confirm()
        self.assertEqual(self.order.state, "sale")


class TestOrderSource(QuotationCase):
    def test_typed_in(self):
        order = self._create_quotation()
        self.assertEqual(order.order_source, "manual")
        order.action_confirm()
        self.assertEqual(order.order_source, "manual")

    def test_from_an_opportunity(self):
        order = self._generate(self._create_quotable(), "order")
        self.assertEqual(order.order_source, "opportunity")
        lead = self._create_opportunity()
        self.assertEqual(self._create_quotation(opportunity_id=lead.id).order_source, "opportunity")
        by_default = self.env["sale.order"].with_user(self.salesman).with_context(default_opportunity_id=lead.id)
        self.assertEqual(by_default.create({"partner_id": self.customer.id}).order_source, "opportunity")

    def test_born_is_born(self):
        order = self._create_quotation()
        order.opportunity_id = self._create_opportunity()
        self.assertEqual(order.order_source, "manual")

    def test_from_a_quotation(self):
        sent, approved, generated = self._create_quotation(), self._create_quotation(), None
        sent.action_quotation_sent()
        approved.with_user(self.approver).action_approve()
        generated = self._generate(self._create_quotable())
        generated.action_quotation_sent()
        self.assertEqual((sent | approved | generated).mapped("order_source"), ["manual", "manual", "opportunity"])
        (sent | approved | generated).action_confirm()
        self.assertEqual(set((sent | approved | generated).mapped("order_source")), {"quotation"})

    def test_from_another_application(self):
        order = self.env["sale.order"].create({"partner_id": self.customer.id})
        self.assertEqual(order._get_initial_order_source({"website_id": 1}), "other")
        self.assertEqual(order._get_initial_order_source({"website_id": False}), "manual")

    def test_nobody_sets_it(self):
        with self.assertRefused("kept by the system", AccessError):
            self._create_quotation(order_source="opportunity")
        with self.assertRefused("kept by the system", AccessError):
            self._create_quotation().write({"order_source": "opportunity"})
        orders = self.env["sale.order"].with_user(self.salesman).with_context(default_order_source="quotation")
        self.assertEqual(orders.create({"partner_id": self.customer.id}).order_source, "manual")

    def test_searched_and_grouped(self):
        self._create_quotation()
        groups = self.env["sale.order"].with_user(self.salesman)._read_group([], ["order_source"], ["__count"])
        self.assertIn("manual", dict(groups))
        self.assertTrue(self.env["sale.order"].search_count([("order_source", "=", "manual")]))


class TestQuotationPeople(QuotationCase):
    def _share(self, order):
        order.write({"collaborator_ids": [Command.link(self.colleague.id)]})
        return order.with_user(self.colleague)

    def test_collaborators_work_on_it(self):
        order = self._create_quotation()
        with self.assertRaises(AccessError):
            order.with_user(self.colleague).read(["name"])
        shared = self._share(order)
        shared.order_line.price_unit = 90
        shared.order_line.create({"order_id": order.id, "product_id": self.other_product.id})
        shared.write({"client_order_ref": "PO 7"})
        self._schedule(shared, self.env.ref("mail.mail_activity_data_todo")).action_feedback()
        shared.action_confirm()
        self.assertEqual((order.state, order.amount_total), ("sale", 940))
        self.assertIn(self.colleague.partner_id, order.message_partner_ids)

    def test_collaborators_do_not_give_it_away(self):
        shared = self._share(self._create_quotation())
        for attempt in (
            lambda: shared.write({"user_id": self.colleague.id}),
            lambda: shared.write({"collaborator_ids": [Command.link(self.manager.id)]}),
            lambda: (
                self.env["crm.lead.assign"]
                .with_user(self.colleague)
                .create({"order_ids": shared.ids, "user_id": self.colleague.id})
                .action_assign()
            ),
        ):
            with self.assertRefused("You collaborate on|You are not responsible for", AccessError):
                attempt()
        with self.assertRaises(AccessError):
            shared.unlink()

    def test_whoever_cannot_sell_cannot_collaborate(self):
        with self.assertRefused("without access to sales"):
            self._create_quotation(collaborator_ids=[Command.link(self.employee.id)])

    def test_batch_assign(self):
        orders = self._create_quotation() | self._create_quotation() | self._create_quotation()
        action = (
            self.env["crm.lead.assign"]
            .with_user(self.manager)
            .with_context(active_model="sale.order", active_ids=orders.ids)
            .create({"user_id": self.colleague.id, "add_collaborator_ids": [Command.link(self.salesman.id)]})
            .action_assign()
        )
        self.assertEqual(orders.user_id, self.colleague)
        self.assertEqual(orders.collaborator_ids, self.salesman)
        self.assertEqual(action["params"]["title"], "3 quotations assigned")

    def test_distribute_by_open_quotations(self):
        for _index in range(2):
            self._create_quotation(user=self.colleague)
        closed = self._create_quotation()
        closed.action_close_quotation("does not count")
        orders = self._create_quotation(user=self.manager)
        for _index in range(3):
            orders |= self._create_quotation(user=self.manager)
        self.env["crm.lead.assign"].with_user(self.manager).create(
            {"order_ids": orders.ids, "mode": "distribute", "user_ids": (self.salesman | self.colleague).ids}
        ).action_assign()
        self.assertEqual(len(orders.filtered(lambda order: order.user_id == self.salesman)), 3)
        self.assertEqual(len(orders.filtered(lambda order: order.user_id == self.colleague)), 1)

    def test_a_closed_one_is_not_assigned(self):
        order = self._create_quotation()
        order.action_close_quotation("x")
        wizard = (
            self.env["crm.lead.assign"]
            .with_user(self.manager)
            .create({"order_ids": order.ids, "user_id": self.colleague.id})
        )
        with self.assertRaises(UserError):
            wizard.action_assign()
