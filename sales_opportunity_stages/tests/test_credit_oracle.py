import os
import random
from collections import defaultdict
from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.account_payment.tests.common import AccountPaymentCommon

from .credit_common import CreditCase

RATES = {"2000-01-01": 2.0, "2025-07-01": 4.0, "2026-01-01": 5.0}
TAX = 0.1
STEPS = [
    *("order", "order", "order", "raise", "another_date", "cancel", "deliver", "cut_short"),
    *("invoice", "invoice", "advance", "credit_note", "misprice", "charge", "reset"),
    *("other_invoice", "draft", "refund", "pay", "pay", "unmatched"),
    *("authorize", "capture", "void", "give_back"),
]
# More of them: SALES_LEDGERS=200 ./test sales_opportunity_stages/tests/test_credit_oracle.py
LEDGERS = int(os.environ.get("SALES_LEDGERS", "3"))


@tagged("post_install", "-at_install")
class TestOracle(CreditCase, AccountPaymentCommon):
    """A random ledger, and what is owed worked out independently of the query and of the stored amounts.

    Three companies, one of them a branch and one that rounds taxes globally; two currencies with changing rates;
    taxes; goods invoiced as ordered and as delivered, more than ordered, cut short, at another price; negative lines;
    down payments; partial, unmatched and online payments, captured in part, voided and refunded; credit notes;
    cancellations; charges on drafts; invoices reset to draft; other payers; archived customers; customers who change
    unit. What a line of an order comes to is what this test put into it, and what is invoiced of it is what the
    invoices say; nothing is taken from what the add-on stores.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.account_use_credit_limit = False  # the ledger goes over every limit
        cls.branch = cls.env["res.company"].create({"name": "Branch", "parent_id": cls.company.id})
        cls.product_category = cls.product_category.with_env(cls.env)
        cls.elsewhere = cls.setup_other_company(name="Elsewhere", currency_id=cls.company.currency_id.id)["company"]
        cls.companies = cls.company | cls.branch | cls.elsewhere
        cls.env.user.company_ids |= cls.companies
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=cls.companies.ids))
        cls.foreign = cls.env["res.currency"].create({"name": "XQQ", "symbol": "q"})
        cls.env["res.currency.rate"].create(
            [
                {"currency_id": cls.foreign.id, "company_id": company.id, "name": day, "rate": rate}
                for company in (cls.company, cls.elsewhere)
                for day, rate in RATES.items()
            ]
        )
        cls.pricelists = {
            currency: cls.env["product.pricelist"].create(
                {"name": currency.name, "currency_id": currency.id, "company_id": False}
            )
            for currency in (cls.company.currency_id, cls.foreign)
        }
        cls.taxes = {
            company: cls.env["account.tax"]
            .with_company(company)
            .create({"name": "10 %", "amount": 100 * TAX, "type_tax_use": "sale", "company_id": company.id})
            for company in (cls.company, cls.elsewhere)
        }
        cls.taxes[cls.branch] = cls.taxes[cls.company]
        cls.elsewhere.tax_calculation_rounding_method = "round_globally"
        cls.receivable_journal = cls.company_data["default_journal_bank"]
        cls.delivered = cls.env["product.product"].create(
            {"name": "Delivered", "invoice_policy": "delivery", "type": "service", "taxes_id": [Command.clear()]}
        )
        cls.partners = cls.unit | cls.customer | cls.member | cls.free

    def test_equal_to_the_cent(self):
        self._allow_authorization()
        for number in range(LEDGERS):
            with self.subTest(number=number), self.env.cr.savepoint() as savepoint:
                self._play(random.Random(20260105 + number), rounds=1 if number else 3)
                savepoint.rollback()
                self.env.invalidate_all()

    def _play(self, rng, rounds):
        self.books, self.drafts, self.steps = [], {}, []
        steps = rng.sample(STEPS * rounds, len(STEPS) * rounds)
        for step in ["order", "order", *steps]:
            self.steps.append(step)
            getattr(self, f"_step_{step}")(rng)
        self._assert_equal(rng)
        self.member.active = False
        self.member.credit_unit_id = False
        self.free.credit_unit_id = self.unit
        self._assert_equal(rng)
        self.customer.credit_unit_id = self.free.credit_unit_id = False
        self._assert_equal(rng)
        self.assertFalse(
            [
                finding
                for finding in self.env["sales.consistency"].get_findings()
                if "credit" in finding[0] or "exposure" in finding[0]
            ]
        )
        (self.member | self.customer).active = True
        if rounds > 1:
            self.assertGreater(len(self.books), 10)
            self.assertTrue(any(line["invoiced"] for entry in self.books for line in entry["lines"]))
            self.assertTrue(self.drafts)

    # ------------------------------------------------------------
    # Playing
    # ------------------------------------------------------------

    def _step_order(self, rng):
        company, customer = rng.choice(self.companies), rng.choice(self.partners)
        payer = rng.choice(self.partners) if rng.random() < 0.25 else customer
        currency = rng.choice(list(self.pricelists))
        lines = [
            {"product": rng.choice([self.product, self.delivered]), "quantity": rng.randint(1, 9), "price": price / 10}
            for price in rng.sample(range(10, 99999), rng.randint(1, 3))
        ]
        if rng.random() < 0.2:
            lines.append({"product": self.product, "quantity": 1, "price": -round(lines[0]["price"] / 3, 2)})
        for line in lines:
            line |= {"delivered": 0, "invoiced": 0, "amount": 0.0, "cut": False}
        order = (
            self.env["sale.order"]
            .with_company(company)
            .create(
                {
                    "company_id": company.id,
                    "partner_id": customer.id,
                    "partner_invoice_id": payer.id,
                    "pricelist_id": self.pricelists[currency].id,
                    "order_line": [
                        Command.create(
                            {
                                "product_id": line["product"].id,
                                "product_uom_qty": line["quantity"],
                                "price_unit": line["price"],
                                "technical_price_unit": 0.0,
                                "tax_ids": [Command.set(self.taxes[company].ids)],
                            }
                        )
                        for line in lines
                    ],
                }
            )
        )
        order.action_confirm()
        for line, order_line in zip(lines, order.order_line, strict=True):
            line["line"] = order_line
        self.books.append(
            {
                "order": order,
                "customer": customer,
                "payer": payer,
                "company": company,
                "currency": currency,
                "lines": lines,
                "date": fields.Date.today(),
                "advance": 0.0,
                "payments": [],
                "cancelled": False,
            }
        )

    def _pick(self, rng, condition=lambda entry: True):
        entries = [entry for entry in self.books if not entry["cancelled"] and condition(entry)]
        return rng.choice(entries) if entries else None

    def _step_deliver(self, rng):
        if entry := self._pick(rng):
            for line in entry["lines"]:
                if line["product"] == self.delivered and not line["cut"]:
                    line["delivered"] = rng.randint(0, 2 * line["quantity"])
                    line["line"].qty_delivered = line["delivered"]

    def _step_cut_short(self, rng):
        if entry := self._pick(rng):
            line = rng.choice(entry["lines"])
            line["cut"] = True
            line["line"]._close_rest()

    def _step_invoice(self, rng, change=None):
        entry = self._pick(rng, lambda entry: entry["order"].invoice_status == "to invoice")
        if entry:
            try:
                move = entry["order"]._create_invoices()
            except UserError:  # there is something to take back
                return
            if change:
                change(rng.choice(move.invoice_line_ids))
            if move.move_type != "out_invoice" or move.amount_total < 0:
                move.unlink()
                return
            if change or rng.random() < 0.7:
                self._post(entry, move)
            else:
                self.drafts[move] = entry

    def _step_misprice(self, rng):
        """More or less than ordered, or at another price."""

        def change(item):
            if rng.random() < 0.5:
                item.quantity = rng.randint(1, 20)
            else:
                item.price_unit = round(item.price_unit * (0.5 + rng.random()), 2)

        self._step_invoice(rng, change)

    def _step_charge(self, rng):
        """Something that is on the draft of an order, and not on the order."""
        drafts = [move for move, entry in self.drafts.items() if entry]
        if drafts:
            move = rng.choice(drafts)
            move.invoice_line_ids = [
                Command.create(
                    {
                        "product_id": self.product.id,
                        "quantity": 1,
                        "price_unit": rng.randint(10, 9999) / 10,
                        "tax_ids": [Command.set(self.taxes[move.company_id].ids)],
                    }
                )
            ]

    def _step_reset(self, rng):
        """A posted invoice of an order becomes a draft again, and the order may have been cancelled."""

        def get_invoices(entry):
            return entry["order"].invoice_ids.filtered(
                lambda move: (
                    move.state == "posted"
                    and move.move_type == "out_invoice"
                    and move.payment_state == "not_paid"
                    and not move.reversal_move_ids
                    and not move.invoice_line_ids.sale_line_ids.filtered("is_downpayment")
                )
            )

        if entry := self._pick(rng, get_invoices):
            move = get_invoices(entry)[0]
            if rng.random() < 0.5 and not entry["payments"]:
                entry["order"]._action_cancel()  # with the drafts that it has
                entry["cancelled"] = True
                self.drafts = {draft: of for draft, of in self.drafts.items() if of != entry}
            self._count_invoice(entry, move, -1)
            move.button_draft()
            self.drafts[move] = entry

    def _step_advance(self, rng):
        entry = self._pick(rng, lambda entry: entry["order"].invoice_status == "to invoice")
        if entry:
            order = entry["order"]
            wizard = self.env["sale.advance.payment.inv"].with_company(order.company_id)
            wizard = wizard.with_context(active_model="sale.order", active_ids=order.ids)
            known = order.invoice_ids
            wizard.create({"advance_payment_method": "percentage", "amount": rng.randint(5, 60)}).create_invoices()
            self._post(entry, order.invoice_ids - known)

    def _step_credit_note(self, rng):
        def has_invoice(entry):
            return entry["order"].invoice_ids.filtered(
                lambda move: move.state == "posted" and move.move_type == "out_invoice" and not move.reversal_move_ids
            )

        if entry := self._pick(rng, has_invoice):
            self._post(entry, has_invoice(entry)[0]._reverse_moves([{"date": fields.Date.today()}]))

    def _post(self, entry, moves):
        """Post invoices or credit notes of an order, and keep what they say that they come to."""
        moves.action_post()
        for move in moves:
            self.assertEqual(move.currency_id, entry["currency"])
            self._count_invoice(entry, move, -1 if move.move_type == "out_refund" else 1)

    def _count_invoice(self, entry, move, sign):
        for item in move.invoice_line_ids:
            line = next((line for line in entry["lines"] if line["line"] in item.sale_line_ids), None)
            if line:
                line["invoiced"] += sign * item.quantity
                line["amount"] += sign * item.price_total
            elif item.sale_line_ids:
                entry["advance"] += sign * item.price_total

    def _step_other_invoice(self, rng, post=True, move_type="out_invoice"):
        company, currency = rng.choice(self.companies), rng.choice(list(self.pricelists))
        partner, amount = rng.choice(self.partners), rng.randint(10, 99999) / 10
        day = fields.Date.today() - timedelta(days=rng.randint(0, 300))
        move = self.env["account.move"].with_company(company)
        move = move.create(
            {
                "company_id": company.id,
                "move_type": move_type,
                "partner_id": partner.id,
                "currency_id": currency.id,
                "invoice_date": day,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": self.product.id,
                            "quantity": 1,
                            "price_unit": amount,
                            "tax_ids": [Command.set(self.taxes[company].ids)],
                        }
                    )
                ],
            }
        )
        if post:
            move.action_post()
        elif move_type == "out_invoice":
            self.drafts[move] = None

    def _step_draft(self, rng):
        self._step_other_invoice(rng, post=False)

    def _step_refund(self, rng):
        self._step_other_invoice(rng, post=rng.random() < 0.7, move_type="out_refund")

    def _step_pay(self, rng):
        moves = self.env["account.move"].search(
            [
                ("partner_id", "in", self.partners.ids),
                ("company_id", "in", self.companies.ids),
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
                ("amount_residual", ">", 0),
            ]
        )
        if moves:
            move = rng.choice(moves)
            whole = rng.random() < 0.4
            self._pay(
                move.with_company(move.company_id),
                move.amount_residual if whole else round(move.amount_residual * rng.random() + 0.01, 2),
            )

    def _step_unmatched(self, rng):
        """A bank transfer that nobody has matched."""
        payment = self.env["account.payment"].create(
            {
                "partner_id": rng.choice(self.partners).id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "journal_id": self.receivable_journal.id,
                "amount": rng.randint(10, 99999) / 10,
                "company_id": self.company.id,
            }
        )
        payment.action_post()

    # Online, for orders of the company that has the provider. Each payment: the transaction, what of it is authorized
    # and open, and what is received and not in the books.

    def _step_authorize(self, rng):
        entry = self._pick(rng, lambda entry: entry["company"] == self.company)
        if entry:
            amount = rng.randint(100, 99999) / 100
            transaction = self._create_transaction(
                "direct",
                reference=f"{entry['order'].name}-{len(entry['payments'])}",
                amount=amount,
                currency_id=entry["currency"].id,
                partner_id=entry["customer"].id,
                sale_order_ids=[Command.set(entry["order"].ids)],
                state="authorized",
            ).sudo()
            entry["payments"].append(
                {"transaction": transaction, "authorized": amount, "unbooked": 0.0, "captured": []}
            )

    def _pick_payment(self, rng, key):
        payments = [payment for entry in self.books for payment in entry["payments"] if payment[key]]
        return rng.choice(payments) if payments else None

    def _step_capture(self, rng):
        if payment := self._pick_payment(rng, "authorized"):
            amount = payment["authorized"]
            if rng.random() < 0.6:
                amount = min(amount, round(amount * rng.random() + 0.01, 2))
            child = payment["transaction"]._create_child_transaction(amount)
            child._set_done()
            payment["authorized"] = round(payment["authorized"] - amount, 2)
            payment["captured"].append(child)
            self._book(rng, payment, child, amount)

    def _step_void(self, rng):
        if payment := self._pick_payment(rng, "authorized"):
            payment["transaction"]._create_child_transaction(payment["authorized"])._set_canceled()
            payment["authorized"] = 0.0

    def _step_give_back(self, rng):
        if payment := self._pick_payment(rng, "captured"):
            capture = rng.choice(payment["captured"])
            child = capture._create_child_transaction(round(capture.amount / 2, 2), is_refund=True)
            child._set_done()
            self._book(rng, payment, child, child.amount)
            payment["captured"].remove(capture)

    def _book(self, rng, payment, transaction, amount):
        if rng.random() < 0.7:
            transaction._create_payment()
            for move, entry in list(self.drafts.items()):
                if move.state == "posted":  # Odoo posts the drafts that a captured payment is for
                    self._count_invoice(entry, move, 1)
                    del self.drafts[move]
        else:
            payment["unbooked"] = round(payment["unbooked"] + amount, 2)

    def _step_cancel(self, rng):
        entry = self._pick(rng, lambda entry: not entry["order"].invoice_ids)
        if entry and rng.random() < 0.5:
            entry["order"].action_cancel()
            entry["cancelled"] = True

    def _step_another_date(self, rng):
        if entry := self._pick(rng):
            day = fields.Date.to_date(rng.choice(["2025-03-01", "2025-08-01", "2026-01-02"]))
            entry["order"].date_order = datetime.combine(day, datetime.min.time()) + timedelta(hours=12)
            entry["date"] = day

    def _step_raise(self, rng):
        """More of the first product, after confirmation. More than before is expected again where it was cut short."""
        if entry := self._pick(rng, lambda entry: not entry["order"].invoice_ids):
            line = entry["lines"][0]
            line["cut"] &= abs(line["quantity"] + 2) <= abs(line["quantity"])
            line["quantity"] += 2
            entry["order"].order_line[0].product_uom_qty += 2

    # ------------------------------------------------------------
    # What it should come to
    # ------------------------------------------------------------

    def _assert_equal(self, rng):
        self.env.flush_all()
        self.env.invalidate_all()
        self.company.credit_tolerance = rng.choice([0, 0, 1500])
        for unit in self.partners.filtered(lambda partner: not partner.credit_unit_id):
            members = {partner for partner in self.partners if (partner.credit_unit_id or partner) == unit}
            for company, tree in (
                (self.company, {self.company, self.branch}),
                (self.branch, {self.company, self.branch}),
                (self.elsewhere, {self.elsewhere}),
            ):
                with self.subTest(unit=unit.name, company=company.name):
                    exposure = self._get_exposure(unit, company)
                    expected = (
                        self._sum_receivable(members, tree),
                        self._sum_uninvoiced(members, tree),
                        self._sum_drafts(members, tree),
                    )
                    found = (exposure.receivable, exposure.uninvoiced, exposure.draft_invoiced)
                    rounded = [[round(amount, 2) for amount in amounts] for amounts in (found, expected)]
                    self.assertEqual(*rounded, None if rounded[0] == rounded[1] else self._explain())
                    self.assertEqual(exposure.oldest_date, self._find_oldest(members, tree, company.credit_tolerance))
                    self._assert_documents(unit.with_company(company), found)

    def _explain(self):
        """Name the orders and drafts that are not as worked out here, if there are any."""
        differing = [
            (entry["order"].name, entry["order"].credit_uninvoiced, expected, entry)
            for entry in self.books
            if not entry["cancelled"]
            and round(entry["order"].credit_uninvoiced, 2) != round(expected := self._get_uninvoiced(entry), 2)
        ]
        taken = defaultdict(float)
        differing += [
            (move.id, move.credit_draft_invoiced, expected, entry)
            for move, entry in sorted(self.drafts.items(), key=lambda item: item[0].id)
            if round(move.credit_draft_invoiced, 2) != round(expected := self._get_draft(move, entry, taken), 2)
        ]
        return "\n".join(map(str, differing))

    def _assert_documents(self, unit, figures):
        """What is behind each term is listed, and adds up to it."""
        for (model, field), figure in zip(
            (
                ("account.move.line", "amount_residual"),
                ("sale.order", "credit_uninvoiced"),
                ("account.move", "credit_draft_invoiced"),
            ),
            figures,
            strict=True,
        ):
            documents = unit.env[model].search(unit._get_credit_document_domain(model))
            self.assertAlmostEqual(sum(documents.mapped(field)), figure, 2)

    def _get_receivables(self, members, tree):
        return self.env["account.move.line"].search(
            [
                ("partner_id", "in", [member.id for member in members]),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("company_id", "in", [company.id for company in tree]),
            ]
        )

    def _sum_receivable(self, members, tree):
        """All posted receivable entries, debit less credit, less what each is matched with, whoever paid it."""
        return sum(self._get_open_amount(line) for line in self._get_receivables(members, tree))

    def _get_open_amount(self, line):
        paid = sum(line.matched_credit_ids.mapped("amount")) - sum(line.matched_debit_ids.mapped("amount"))
        return round(line.debit - line.credit - paid, 2)

    def _find_oldest(self, members, tree, tolerance):
        """Payments and credit notes that are not matched pay the oldest items; then the tolerance is left out."""
        items = self._get_receivables(members, tree)
        amounts = sorted((item.invoice_date or item.date, self._get_open_amount(item)) for item in items)
        paid = round(tolerance - sum(amount for _day, amount in amounts if amount < 0), 2)
        for day, amount in amounts:
            paid = round(paid - max(amount, 0.0), 2)
            if paid < 0:
                return day
        return None

    def _sum_uninvoiced(self, members, tree):
        """Of each order that a member ordered or is billed for, once, at the order's date."""
        return sum(
            self._get_uninvoiced(entry)
            for entry in self.books
            if {entry["customer"], entry["payer"]} & members and entry["company"] in tree and not entry["cancelled"]
        )

    def _get_uninvoiced(self, entry):
        """What its lines have left, and what its total differs from them by, less what was paid in advance."""
        left = [self._get_left(line) for line in entry["lines"]]
        if not any(left):
            return 0.0
        rounding = self._get_total(entry) - sum(line["line"].price_total for line in entry["lines"])
        paid = sum(payment["authorized"] + payment["unbooked"] for payment in entry["payments"])
        total = max(sum(left) + rounding - max(entry["advance"], 0.0) - paid, 0.0)
        return round(total / self._get_rate(entry["currency"], entry["date"]) + 1e-9, 2)

    def _get_total(self, entry):
        subtotals = [round(line["quantity"] * line["price"], 2) for line in entry["lines"]]
        if entry["company"] == self.elsewhere:
            return sum(subtotals) + round(sum(subtotals) * TAX + 1e-9, 2)
        return sum(subtotals) + sum(self._round(subtotal * TAX) for subtotal in subtotals)

    def _round(self, amount):
        return round(amount + (1e-9 if amount > 0 else -1e-9), 2)

    def _get_left(self, line):
        """What may yet be invoiced of a line: the quantity that is left, at the price of the order."""
        expected = line["quantity"]
        if line["cut"]:
            expected = max(line["delivered"], line["invoiced"], key=abs)
        elif line["product"] == self.delivered:
            expected = max(line["quantity"], line["delivered"])
        if line["invoiced"] >= expected:
            return 0.0
        price = line["line"].price_total / line["quantity"]
        amount = self._round(price * expected)
        left = self._round(price * (expected - line["invoiced"]))
        return round(min(max(left, 0.0), amount) if amount > 0 else max(min(left, 0.0), amount), 2)

    def _sum_drafts(self, members, tree):
        taken = defaultdict(float)
        return sum(
            self._get_draft(move, entry, taken)
            for move, entry in sorted(self.drafts.items(), key=lambda item: item[0].id)
            if move.partner_id in members and move.company_id in tree
        )

    def _get_draft(self, move, entry, taken):
        """The lines of a draft that are on no order, or go beyond what their order has left for them."""
        items = move.invoice_line_ids.filtered(lambda item: item.display_type == "product")
        if not entry or entry["cancelled"]:
            return round(sum(items.mapped("balance")) * -1 + self._get_draft_tax(move), 2)
        counted, carried = 0.0, 0.0
        any_left = any(self._get_left(line) for line in entry["lines"])
        for item in items:
            line = next((line for line in entry["lines"] if line["line"] in item.sale_line_ids), None)
            amount = item.price_total
            if not item.sale_line_ids:
                counted += amount
            elif not line:
                carried += amount if any_left else 0.0
                counted += 0.0 if any_left else amount
            else:
                sign = 1 if amount > 0 else -1
                left = max(sign * self._get_left(line) - taken[line["line"]], 0.0)
                taken[line["line"]] += sign * amount
                over = sign * amount - left
                counted += sign * over if over > 0.0101 else 0.0
                carried += amount - (sign * over if over > 0.0101 else 0.0)
        if not carried:
            return round(sum(items.mapped("balance")) * -1 + self._get_draft_tax(move), 2)
        rate = self._get_rate(entry["currency"], move.invoice_date or fields.Date.today())
        return self._round(max(counted, 0.0) / rate) if counted > 0.009 else 0.0

    def _get_draft_tax(self, move):
        return -sum(move.line_ids.filtered(lambda item: item.display_type == "tax").mapped("balance"))

    def _get_rate(self, currency, day):
        if currency != self.foreign:
            return 1.0
        return RATES[max(start for start in RATES if start <= str(day))]
