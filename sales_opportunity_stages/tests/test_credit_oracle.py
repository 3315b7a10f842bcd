import random
from datetime import datetime, timedelta

from odoo import fields
from odoo.fields import Command

from .credit_common import CreditCase

RATES = {"2000-01-01": 2.0, "2025-07-01": 4.0, "2026-01-01": 5.0}
TAX = 0.1
STEPS = [
    *("order", "order", "order", "raise", "another_date", "cancel", "deliver"),
    *("invoice", "invoice", "advance", "credit_note"),
    *("other_invoice", "draft", "refund", "pay", "pay"),
]


class TestOracle(CreditCase):
    """A random ledger, and what is owed worked out independently of the query and of the stored amounts.

    Three companies, one of them a branch; two currencies with changing rates; taxes; goods invoiced as ordered and as
    delivered; down payments, partial payments, credit notes, cancellations, other payers, customers who change unit.
    What an order comes to is what this test put into it, never what Odoo says.
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
        cls.delivered = cls.env["product.product"].create(
            {"name": "Delivered", "invoice_policy": "delivery", "type": "service", "taxes_id": [Command.clear()]}
        )
        cls.partners = cls.unit | cls.customer | cls.member | cls.free

    def test_equal_to_the_cent(self):
        for seed in (20260105, 7):
            with self.subTest(seed=seed), self.env.cr.savepoint() as savepoint:
                self._play(random.Random(seed))
                savepoint.rollback()
                self.env.invalidate_all()

    def _play(self, rng):
        self.books, self.drafts = [], []
        for step in rng.sample(STEPS * 6, len(STEPS) * 6):
            getattr(self, f"_step_{step}")(rng)
        self._assert_equal()
        self.member.credit_unit_id = False
        self.free.credit_unit_id = self.unit
        self._assert_equal()
        self.customer.credit_unit_id = self.free.credit_unit_id = False
        self._assert_equal()
        self.assertGreater(len(self.books), 10)
        self.assertTrue(any(entry["invoiced"] for entry in self.books))
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
        self.books.append(
            {
                "order": order,
                "customer": customer,
                "payer": payer,
                "company": company,
                "currency": currency,
                "lines": lines,
                "date": fields.Date.today(),
                "invoiced": 0.0,
                "cancelled": False,
            }
        )

    def _pick(self, rng, condition=lambda entry: True):
        entries = [entry for entry in self.books if not entry["cancelled"] and condition(entry)]
        return rng.choice(entries) if entries else None

    def _step_deliver(self, rng):
        if entry := self._pick(rng):
            for line in entry["order"].order_line.filtered(lambda line: line.product_id == self.delivered):
                line.qty_delivered = rng.randint(0, int(line.product_uom_qty))

    def _step_invoice(self, rng):
        entry = self._pick(rng, lambda entry: entry["order"].invoice_status == "to invoice")
        if entry:
            move = entry["order"]._create_invoices()
            if rng.random() < 0.8:
                self._post(entry, move)

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
            sign = -1 if move.move_type == "out_refund" else 1
            entry["invoiced"] += sign * move.amount_total

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
            total = round(amount * (1 + TAX), 2)
            self.drafts.append((company, partner, round(total / self._get_rate(currency, day), 2)))

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
        """More of the first product, after confirmation."""
        if entry := self._pick(rng, lambda entry: not entry["order"].invoice_ids):
            entry["lines"][0]["quantity"] += 2
            entry["order"].order_line[0].product_uom_qty += 2

    # ------------------------------------------------------------
    # What it should come to
    # ------------------------------------------------------------

    def _assert_equal(self):
        self.env.flush_all()
        self.env.invalidate_all()
        for unit in self.partners.filtered(lambda partner: not partner.credit_unit_id):
            members = {partner for partner in self.partners if (partner.credit_unit_id or partner) == unit}
            for company, tree in (
                (self.company, {self.company, self.branch}),
                (self.branch, {self.company, self.branch}),
                (self.elsewhere, {self.elsewhere}),
            ):
                with self.subTest(unit=unit.name, company=company.name):
                    exposure = self._get_exposure(unit, company)
                    self.assertAlmostEqual(exposure.receivable, self._sum_receivable(members, tree), 2)
                    self.assertAlmostEqual(exposure.uninvoiced, self._sum_uninvoiced(members, tree), 2)
                    self.assertAlmostEqual(exposure.draft_invoiced, self._sum_drafts(members, tree), 2)

    def _sum_receivable(self, members, tree):
        """All posted receivable entries, reconciled or not, debit less credit."""
        lines = self.env["account.move.line"].search(
            [
                ("partner_id", "in", [member.id for member in members]),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("company_id", "in", [company.id for company in tree]),
            ]
        )
        return sum(line.debit - line.credit for line in lines)

    def _sum_uninvoiced(self, members, tree):
        """Of each order that a member ordered or is billed for, once: ordered less invoiced, at the order's date."""
        total = 0.0
        for entry in self.books:
            concerned = {entry["customer"], entry["payer"]} & members and entry["company"] in tree
            if concerned and not entry["cancelled"]:
                ordered = sum(
                    round(line["quantity"] * line["price"], 2) + round(line["quantity"] * line["price"] * TAX, 2)
                    for line in entry["lines"]
                )
                rate = self._get_rate(entry["currency"], entry["date"])
                total += round(max(ordered - entry["invoiced"], 0.0) / rate + 1e-9, 2)
        return total

    def _sum_drafts(self, members, tree):
        return sum(amount for company, partner, amount in self.drafts if partner in members and company in tree)

    def _get_rate(self, currency, day):
        if currency != self.foreign:
            return 1.0
        return RATES[max(start for start in RATES if start <= str(day))]
