from datetime import datetime

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form

from .quotation_common import QuotationCase


class TestGenerateFromOpportunity(QuotationCase):
    """New Quotation and New Order on the opportunity."""

    def test_dialog_offers_all_lines_in_full(self):
        lead = self._create_quotable()
        action = lead.action_sale_quotations_new()
        self.assertEqual(action["res_model"], "crm.opportunity.generate")
        wizard = Form(self.env["crm.opportunity.generate"].with_user(self.salesman).with_context(**action["context"]))
        offered = [(line["product_id"], line["product_uom_qty"]) for line in wizard.line_ids._records]
        self.assertEqual(offered, [(self.product.id, 5), (self.other_product.id, 10)])

    def _get_offer(self, lead, document="order"):
        """The quantities of a newly opened dialog, and what it says about them."""
        wizard = Form(
            self.env["crm.opportunity.generate"]
            .with_user(self.salesman)
            .with_context(default_lead_id=lead.id, default_document=document)
        )
        return [line["product_uom_qty"] for line in wizard.line_ids._records], wizard

    def test_dialog_offers_what_is_not_ordered(self):
        """A partial order leaves the rest, in the unit of the line; quotations alone leave everything."""
        lead = self._create_quotable()
        self._generate(lead, line_0=2, line_1=0)
        self.assertEqual(self._get_offer(lead)[0], [5, 10])
        self._generate(lead, "order", line_0=2, line_1=0)
        for document in ("order", "quotation"):
            offer, wizard = self._get_offer(lead, document)
            self.assertEqual(offer, [3, 10])
            self.assertFalse(wizard.quantity_warning)
        dozen = self.env.ref("uom.product_uom_dozen")
        self.product.uom_ids = dozen
        lead.opportunity_line_ids[0].write({"product_uom_id": dozen.id, "product_uom_qty": 1})
        self.assertAlmostEqual(self._get_offer(lead)[0][0], 1 - 2 / 12, places=2)

    def test_second_order_takes_the_rest_only(self):
        lead = self._create_quotable()
        self._generate(lead, "order", line_0=2, line_1=0)
        rest = self._generate(lead, "order")
        self.assertEqual(rest.order_line.mapped("product_uom_qty"), [3, 10])
        self.assertEqual(lead.opportunity_line_ids.mapped("remaining_qty"), [0, 0])
        offer, wizard = self._get_offer(lead)
        self.assertEqual((offer, wizard.is_nothing_left), ([0, 0], True))
        with self.assertRefused("at least one product"):
            self._generate(lead, "order")

    def test_more_than_is_left_is_warned_of_and_allowed(self):
        lead = self._create_quotable()
        self._generate(lead, "order", line_0=4, line_1=0)
        _offer, wizard = self._get_offer(lead)
        with wizard.line_ids.edit(0) as line:
            line.product_uom_qty = 3
        self.assertIn("Pump: 3.00 exceeds the 1.00 left", wizard.quantity_warning)
        self.assertNotIn("Valve", wizard.quantity_warning)
        order = wizard.save().action_generate()
        self.assertEqual(self.env["sale.order"].browse(order["res_id"]).state, "sale")
        self.assertEqual(lead.opportunity_line_ids.mapped("ordered_qty"), [7, 10])

    def test_cancelled_order_is_offered_again(self):
        lead = self._create_quotable()
        order = self._generate(lead, "order")
        order.action_cancel()
        self.assertEqual(self._get_offer(lead)[0], [5, 10])

    def test_without_lines_odoos_own_form_opens(self):
        lead = self._create_opportunity(partner_id=self.customer.id)
        for action in (lead.action_sale_quotations_new(), lead.action_new_order()):
            self.assertEqual(action["res_model"], "sale.order")
            self.assertEqual(action["context"]["default_opportunity_id"], lead.id)

    def test_customer_is_asked_for_first(self):
        lead = self._create_quotable(partner_id=False)
        action = lead.action_new_order()
        self.assertEqual(action["res_model"], "crm.quotation.partner")
        asked = self.env["crm.quotation.partner"].with_user(self.salesman).with_context(**action["context"])
        following = asked.create({"action": "exist", "partner_id": self.customer.id}).action_apply()
        self.assertEqual(following["res_model"], "crm.opportunity.generate")
        self.assertEqual(following["context"], {"default_lead_id": lead.id, "default_document": "order"})
        self.assertEqual(lead.partner_id, self.customer)

    def test_quotation(self):
        source = self.env["utm.source"].create({"name": "Fair"})
        lead = self._create_quotable(source_id=source.id, collaborator_ids=[Command.link(self.colleague.id)])
        order = self._generate(lead)
        self.assertEqual(order.state, "draft")
        self.assertEqual(order.opportunity_id, lead)
        self.assertEqual(order.partner_id, self.customer)
        self.assertEqual(order.user_id, self.salesman)
        self.assertEqual(order.team_id, self.team)
        self.assertEqual(order.source_id, source)
        self.assertEqual(order.origin, lead.name)
        self.assertEqual(order.collaborator_ids, self.colleague)
        self.assertEqual(
            order.order_line.mapped(lambda line: (line.product_id, line.product_uom_qty, line.price_unit)),
            [(self.product, 5, 80), (self.other_product, 10, 40)],
        )
        self.assertEqual(order.order_line.opportunity_line_id, lead.opportunity_line_ids)

    def test_by_a_collaborator(self):
        """It is the collaborator's own, and the salesperson works on it too."""
        lead = self._create_quotable(collaborator_ids=[Command.link(self.colleague.id)])
        order = self._generate(lead, user=self.colleague)
        self.assertEqual((order.user_id, order.collaborator_ids), (self.colleague, self.salesman))
        self.assertEqual(order.with_user(self.salesman).amount_total, 800)
        by_manager = self._generate(lead, user=self.supervisor)
        self.assertEqual((by_manager.user_id, by_manager.collaborator_ids), (self.salesman, self.colleague))

    def test_as_often_as_wanted_and_more_than_asked_for(self):
        lead = self._create_quotable()
        self._generate(lead, line_0=8, line_1=0)
        self._generate(lead)
        self.assertEqual(lead.opportunity_line_ids.mapped("quoted_qty"), [13, 10])
        self.assertEqual(sorted(lead.order_ids.order_line.mapped("product_uom_qty")), [5, 8, 10])

    def test_quoted_price_stays_when_the_quantity_changes(self):
        lead = self._create_quotable()
        order = self._generate(lead)
        quoted, priced = order.order_line
        (quoted | priced).write({"product_uom_qty": 50})
        self.assertEqual(quoted.price_unit, 80)
        with Form(order) as form, form.order_line.edit(0) as line:
            line.product_uom_qty = 7
        self.assertEqual(quoted.price_unit, 80)

    def test_quoted_at_what_the_pricelist_says_stays_too(self):
        """A quantity break of the pricelist does not change a price that was given to the customer."""
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Breaks",
                "item_ids": [
                    Command.create({"min_quantity": 1, "compute_price": "fixed", "fixed_price": 80}),
                    Command.create({"min_quantity": 20, "compute_price": "fixed", "fixed_price": 60}),
                ],
            }
        )
        self.customer.property_product_pricelist = pricelist
        order = self._generate(self._create_quotable())
        quoted, priced = order.order_line
        self.assertEqual((quoted.price_unit, priced.price_unit), (80, 80))
        order.order_line.write({"product_uom_qty": 20})
        self.assertEqual((quoted.price_unit, priced.price_unit), (80, 60))

    def test_quoted_price_in_the_currency_and_at_the_date_of_the_document(self):
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
        self.customer.property_product_pricelist = pricelist
        lead = self._create_quotable()
        order = self._generate(lead)
        self.assertEqual(order.currency_id, currency)
        self.assertEqual(order.order_line.mapped("price_unit"), [320, 160])
        early = self._create_quotation(date_order=datetime(2026, 2, 1), order_line=[])
        early._add_opportunity_lines({lead.opportunity_line_ids[0]: 1})
        self.assertEqual(early.order_line.price_unit, 160)

    def test_unit_of_the_line(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        self.product.uom_ids = dozen
        lead = self._create_quotable()
        line = lead.opportunity_line_ids[0]
        line.write({"product_uom_id": dozen.id, "product_uom_qty": 2, "price_unit": 900})
        order = self._generate(lead)
        sale_line = order.order_line[0]
        self.assertEqual((sale_line.product_uom_id, sale_line.product_uom_qty, sale_line.price_unit), (dozen, 2, 900))
        sale_line.write({"product_uom_id": self.product.uom_id.id, "product_uom_qty": 6})
        self.assertEqual(line.quoted_qty, 0.5)

    def test_new_order_is_confirmed(self):
        lead = self._create_quotable()
        order = self._generate(lead, "order")
        self.assertEqual(order.state, "sale")
        self.assertEqual(lead.opportunity_line_ids.mapped("ordered_qty"), [5, 10])

    def test_new_order_that_is_refused_leaves_nothing(self):
        self.company.quotation_approval = "required"
        lead = self._create_quotable()
        with self.assertRefused("cannot be confirmed.*has to be approved"):
            self._generate(lead, "order")
        self.assertFalse(lead.order_ids)

    def test_nothing_chosen(self):
        lead = self._create_quotable()
        with self.assertRefused("at least one product"):
            self._generate(lead, line_0=0, line_1=0)

    def test_lines_of_another_opportunity_do_not_slip_in(self):
        lead, other = self._create_quotable(), self._create_quotable(name="Other")
        wizard = self.env["crm.opportunity.generate"].with_user(self.salesman).create({"lead_id": lead.id})
        wizard.line_ids[0].opportunity_line_id = other.opportunity_line_ids[0]
        with self.assertRefused("that are offered"):
            wizard.action_generate()

    def test_nobody_takes_what_they_cannot_read(self):
        lead = self._create_quotable()
        wizard = self.env["crm.opportunity.generate"].with_user(self.colleague).create({})
        with self.assertRaises(AccessError):
            wizard.write({"lead_id": lead.id})
            wizard.action_generate()


class TestAddFromOpportunity(QuotationCase):
    """By reference from Sales."""

    def _open(self, order, leads=None):
        action = order.action_add_from_opportunity()
        wizard = (
            self.env["crm.opportunity.generate"]
            .with_user(self.salesman)
            .create({"order_id": action["context"]["default_order_id"]})
        )
        if leads is not None:
            wizard.lead_ids = leads
        return wizard

    def test_offers_the_open_opportunities_of_the_customer(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        lead, of_contact, lost, of_stranger, of_colleague = (
            self._create_quotable(),
            self._create_quotable(name="By Ann", partner_id=contact.id),
            self._create_quotable(name="Lost"),
            self._create_quotable(name="Theirs", partner_id=self.stranger.id),
            self._create_quotable(name="Colleague's", user=self.manager, user_id=self.colleague.id),
        )
        self._lose(lost)
        wizard = self._open(self._create_quotation())
        self.assertEqual(wizard.available_lead_ids, lead | of_contact)
        self.assertFalse(wizard.lead_ids, "with several there is nothing to guess")
        for intruder in (lost, of_stranger, of_colleague):
            with self.subTest(intruder=intruder.name), self.assertRaises(UserError):
                wizard.lead_ids = intruder
                wizard.action_generate()

    def test_several_at_once(self):
        first, second = self._create_quotable(), self._create_quotable(name="Second")
        order = self._create_quotation()
        self._open(order, first | second).action_generate()
        self.assertEqual(order.opportunity_id, first)
        self.assertEqual(len(order.order_line), 5)
        self.assertEqual(order.order_line.opportunity_line_id, (first | second).opportunity_line_ids)
        self.assertEqual(second.opportunity_line_ids.mapped("quoted_qty"), [5, 10])
        self.assertEqual(order.order_line.mapped("sequence"), sorted(order.order_line.mapped("sequence")))

    def test_what_the_quotation_has_is_not_offered_again(self):
        lead = self._create_quotable()
        order = self._create_quotation(order_line=[], opportunity_id=lead.id)
        wizard = self._open(order)
        wizard.line_ids[0].product_uom_qty = 2
        wizard.action_generate()
        again = self._open(order)
        self.assertEqual(again.line_ids.mapped("product_uom_qty"), [3, 0])
        again.action_generate()
        self.assertTrue(self._open(order).is_nothing_left)
        self.assertEqual(lead.opportunity_line_ids.mapped("quoted_qty"), [5, 10])

    def test_keeps_the_opportunity_it_has(self):
        first, second = self._create_quotable(), self._create_quotable(name="Second")
        order = self._create_quotation(opportunity_id=first.id)
        self.assertEqual(self._open(order).lead_ids, first)
        self._open(order, second).action_generate()
        self.assertEqual(order.opportunity_id, first)

    def test_not_on_an_order(self):
        self._create_quotable()
        order = self._create_quotation()
        wizard = self._open(order)
        order.action_confirm()
        with self.assertRefused("already confirmed or cancelled"):
            order.action_add_from_opportunity()
        with self.assertRefused("already confirmed or cancelled"):
            wizard.action_generate()


class TestQuotedQuantities(QuotationCase):
    """They follow whatever happens to the documents."""

    def test_they_follow(self):
        lead = self._create_quotable()
        line = lead.opportunity_line_ids[0]

        def quantities():
            return line.quoted_qty, line.ordered_qty

        order = self._generate(lead)
        self.assertEqual(quantities(), (5, 0))
        order.order_line[0].product_uom_qty = 7
        self.assertEqual(quantities(), (7, 0))
        order.action_confirm()
        self.assertEqual(quantities(), (0, 7))
        order.order_line[0].product_uom_qty = 9
        self.assertEqual(quantities(), (0, 9))
        order.action_cancel()
        self.assertEqual(quantities(), (0, 0))
        order.action_draft()
        self.assertEqual(quantities(), (9, 0))
        order.action_close_quotation("too late")
        self.assertEqual(quantities(), (0, 0))
        order.with_user(self.manager).action_reopen_quotation()
        order.order_line[0].product_id = self.other_product
        self.assertEqual(quantities(), (0, 0), "another product is not what was asked for")
        order.order_line[0].product_id = self.product
        order.order_line[0].unlink()
        self.assertEqual(quantities(), (0, 0))
        another = self._generate(lead)
        self.assertEqual(quantities(), (5, 0))
        another.with_user(self.manager).unlink()
        self.assertEqual(quantities(), (0, 0))

    def test_a_copy_is_another_quotation(self):
        lead = self._create_quotable()
        order = self._generate(lead)
        copy = order.copy()
        self.assertEqual(copy.opportunity_id, lead)
        self.assertEqual(lead.opportunity_line_ids.mapped("quoted_qty"), [10, 20])

    def test_a_deleted_line_of_the_opportunity_leaves_the_quotation(self):
        lead = self._create_quotable()
        order = self._generate(lead)
        lead.opportunity_line_ids.unlink()
        self.assertEqual(len(order.order_line), 2)
        self.assertFalse(order.order_line.opportunity_line_id)

    def test_nobody_counts_on_what_they_cannot_read(self):
        theirs = self._create_quotable(user=self.manager, user_id=self.manager.id)
        order = self._create_quotation()
        with self.assertRaises(AccessError):
            order.order_line.write({"opportunity_line_id": theirs.opportunity_line_ids[0].id})
        with self.assertRaises(AccessError):
            order.write({"opportunity_id": theirs.id})
        with self.assertRaises(AccessError):
            self._create_quotation(opportunity_id=theirs.id)
        with self.assertRaises(AccessError):
            order.write(
                {
                    "order_line": [
                        Command.create(
                            {"product_id": self.product.id, "opportunity_line_id": theirs.opportunity_line_ids[0].id}
                        )
                    ]
                }
            )

    def test_line_of_another_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.manager.company_ids |= company
        lead = self._create_quotable(
            user=self.manager, user_id=self.manager.id, company_id=company.id, team_id=False, partner_id=False
        )
        order = self._create_quotation()
        with self.assertRaises(UserError):
            order.sudo().order_line.write({"opportunity_line_id": lead.opportunity_line_ids[0].id})

    def test_stage_condition_sees_the_quotation(self):
        """A condition on ordered quantities is met by the order, and the waiting promotion follows."""
        self.env["crm.stage.rule"].create(
            {
                "stage_id": self.stage_contact.id,
                "kind": "condition",
                "name": "Something ordered",
                "domain": "[('opportunity_line_ids.ordered_qty', '>', 0)]",
                "required": True,
            }
        )
        lead = self._create_quotable()
        self._complete(lead, self.act_call)
        self.assertEqual(lead.stage_id, self.stage_contact)
        self._generate(lead, "order")
        self.assertEqual(lead.stage_id, self.stage_needs)

    def test_queries_do_not_grow_with_the_lines(self):
        def generate(count):
            lead = self._create_opportunity(partner_id=self.customer.id)
            self.env["crm.opportunity.line"].with_user(self.salesman).create(
                [{"lead_id": lead.id, "product_id": self.product.id, "price_unit": 80}] * count
            )
            order = self._create_quotation(order_line=[])
            order.order_line.create(
                [
                    line._prepare_order_line_values(order, 1) | {"order_id": order.id}
                    for line in lead.opportunity_line_ids
                ]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            return lead, order

        counts = []
        for count in (5, 50):
            lead, order = generate(count)
            before = self.env.cr.sql_log_count
            order.order_line.write({"product_uom_qty": 3})
            self.env.flush_all()
            self.assertEqual(set(lead.opportunity_line_ids.mapped("quoted_qty")), {3})
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 1)


class TestClosedOpportunity(QuotationCase):
    """Nothing new for a won or lost opportunity, by any way."""

    def _assert_nothing_new(self, lead, status):
        order = self._create_quotation()
        wizard = self.env["crm.opportunity.generate"].with_user(self.salesman).create({"lead_id": lead.id})
        line = lead.with_context(active_test=False).opportunity_line_ids[0]
        attempts = {
            "new quotation": lambda: lead.action_new_quotation(),
            "new order": lambda: lead.action_new_order(),
            "dialog": lambda: wizard.action_generate(),
            "create": lambda: self._create_quotation(opportunity_id=lead.id),
            "default": lambda: self._create_quotation_by_default(lead),
            "link": lambda: order.write({"opportunity_id": lead.id}),
            "from the other side": lambda: lead.write({"order_ids": [Command.link(order.id)]}),
            "confirmed": lambda: self._create_quotation(opportunity_id=lead.id, state="sale"),
            "line": lambda: order.order_line.write({"opportunity_line_id": line.id}),
            "superuser": lambda: order.sudo().write({"opportunity_id": lead.id}),
        }
        for name, attempt in attempts.items():
            with self.subTest(name), self.assertRefused(f"'Acme line 3' is {status}.*reopen the opportunity first"):
                attempt()

    def _create_quotation_by_default(self, lead):
        orders = self.env["sale.order"].with_user(self.salesman).with_context(default_opportunity_id=lead.id)
        return orders.create({"partner_id": self.customer.id})

    def test_lost(self):
        lead = self._create_quotable()
        self._lose(lead)
        self._assert_nothing_new(lead, "Lost")

    def test_won(self):
        lead = self._create_quotable()
        self._win(lead)
        self._assert_nothing_new(lead, "Won")

    def test_import_says_which(self):
        lead = self._create_quotable()
        self._win(lead)
        result = (
            self.env["sale.order"]
            .with_user(self.salesman)
            .load(["partner_id/.id", "opportunity_id/.id"], [[str(self.customer.id), str(lead.id)]])
        )
        self.assertFalse(result["ids"])
        self.assertIn("'Acme line 3' is Won", result["messages"][0]["message"])

    def test_lost_stops_what_exists(self):
        lead = self._create_quotable()
        order = self._generate(lead)
        self._lose(lead)
        for attempt in (
            order.action_confirm,
            order.action_quotation_send,
            order.action_quotation_sent,
            order.with_user(self.approver).action_approve,
            lambda: order.write({"state": "sale"}),
            lambda: order.write({"state": "sent"}),
            lambda: order.with_context(mark_so_as_sent=True).message_post(body="x"),
        ):
            with self.assertRefused("Its opportunity 'Acme line 3' is Lost"):
                attempt()
        order.action_cancel()
        self.assertEqual(order.state, "cancel")

    def test_a_batch_is_all_or_nothing(self):
        lead = self._create_quotable()
        lost, fine = self._generate(lead), self._create_quotation()
        self._lose(lead)
        with self.assertRefused(lost.name):
            (fine | lost).action_confirm()
        self.assertEqual(fine.state, "draft")

    def test_won_lets_what_existed_be_confirmed(self):
        lead = self._create_quotable()
        order = self._generate(lead)
        self._win(lead)
        order.action_quotation_sent()
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_what_existed_may_be_worked_on(self):
        lead = self._create_quotable()
        order = self._generate(lead)
        self._win(lead)
        order.order_line[0].product_uom_qty = 6
        order.write({"client_order_ref": "PO 7", "opportunity_id": lead.id})
        self.assertEqual(order.amount_total, 880)

    def test_reopening_lifts_it(self):
        lead = self._create_quotable()
        order = self._generate(lead)
        self._lose(lead)
        lead.with_user(self.manager).action_restore()
        order.action_confirm()
        self.assertEqual(self._generate(lead, line_0=1).state, "draft")

    def test_a_copy_is_for_no_opportunity(self):
        lead = self._create_quotable()
        order = self._generate(lead)
        self._win(lead)
        copy = order.copy()
        self.assertFalse(copy.opportunity_id)
        self.assertFalse(copy.order_line.opportunity_line_id)

    def test_merging_keeps_the_orders(self):
        lead, other = self._create_quotable(), self._create_quotable(name="Other")
        order = self._generate(other)
        merged = (lead | other).with_user(self.manager).merge_opportunity()
        self.assertEqual(order.opportunity_id, merged)
        self.assertEqual(order.order_line.opportunity_line_id.lead_id, merged)
