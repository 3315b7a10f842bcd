import os
import random
from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import freeze_time

from .credit_common import CreditCase

# More of them: SALES_LEDGERS=200 ./test sales_opportunity_stages/tests/test_credit_desk_oracle.py
LEDGERS = int(os.environ.get("SALES_LEDGERS", "3"))


class TestDeskOracle(CreditCase):
    """Random limits, grants, controls, terms and payments, and what an order gets on a random day, worked out
    independently of the query.

    Grants of every kind with dates in the past and in the future, of one company, of the tree and of another one;
    instalments; unmatched payments, which settle the oldest items first; days of grace; tolerances of the company and
    of the unit; control by limit, cash only, stopped.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.branch = cls.env["res.company"].create({"name": "Branch", "parent_id": cls.company.id})
        cls.env.user.company_ids |= cls.branch
        cls.terms = cls.env["account.payment.term"].create(
            [
                {
                    "name": name,
                    "line_ids": [
                        Command.create({"value": "percent", "value_amount": 100 / len(days), "nb_days": day})
                        for day in days
                    ],
                }
                for name, days in (("At once", (0,)), ("In a month", (30,)), ("Halves", (10, 50)))
            ]
        )
        cls.days = dict(zip(cls.terms, ((0,), (30,), (10, 50)), strict=True))

    def test_equal_on_any_day(self):
        for number in range(LEDGERS):
            with self.subTest(number=number), self.env.cr.savepoint() as savepoint:
                self._play(random.Random(20260301 + number))
                savepoint.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_cache()

    def _play(self, rng):
        self.today = fields.Date.today()
        self.items, self.credit, self.grants = [], 0.0, []
        self._choose_terms(rng)
        for step in rng.choices(["invoice", "payment", "grant"], weights=[3, 2, 3], k=12):
            getattr(self, f"_step_{step}")(rng)
        for _index in range(6):
            day = self.today + timedelta(days=rng.randint(0, 60))
            with freeze_time(day):
                self._assert_equal(day, rng.randint(1, 1500))

    def _choose_terms(self, rng):
        self.limit, self.term_days = rng.choice([0, 500, 3000]), rng.choice([0, 5, 20])
        self.control = rng.choice(["limit", "limit", "limit", "cash", "stop"])
        self.company_basis, self.unit_basis = rng.choice(["document", "due"]), rng.choice([False, "document", "due"])
        self.company_grace, self.unit_grace = rng.choice([0, 4]), rng.choice([0, 9])
        self.company_tolerance, self.unit_tolerance = rng.choice([0, 150]), rng.choice([0, 0, -1, 400])
        self.company.write(
            {
                "credit_term_basis": self.company_basis,
                "credit_grace_days": self.company_grace,
                "credit_tolerance": self.company_tolerance,
            }
        )
        self.unit.write(
            {
                "credit_limit": self.limit,
                "credit_term_days": self.term_days,
                "credit_control": self.control,
                "credit_term_basis": self.unit_basis,
                "credit_grace_days": self.unit_grace,
                "credit_tolerance": self.unit_tolerance,
            }
        )

    def _step_invoice(self, rng):
        amount, term = 2 * rng.randint(10, 400), rng.choice(self.terms)
        day = self.today - timedelta(days=rng.randint(0, 70))
        partner = rng.choice(self.customer | self.member | self.unit)
        self._invoice(amount, partner, date=day, invoice_payment_term_id=term.id)
        for days in self.days[term]:
            self.items.append((day, day + timedelta(days=days), amount / len(self.days[term])))

    def _step_payment(self, rng):
        """A credit note that nobody has matched."""
        amount = rng.randint(10, 500)
        self._invoice(amount, rng.choice(self.customer | self.member), move_type="out_refund")
        self.credit += amount

    def _step_grant(self, rng):
        start = self.today + timedelta(days=rng.randint(-20, 40))
        end = rng.choice([None, start + timedelta(days=rng.randint(0, 30))])
        company = rng.choice([self.company, self.company, self.branch, None])
        amount, kind = rng.randint(1, 900), rng.choice(["temporary", "insured"])
        self.env["sale.credit.grant"]._as_ledger().create(
            {
                "unit_id": self.unit.id,
                "company_id": company.id if company else False,
                "root_company_id": self.company.id,
                "kind": kind,
                "amount": amount,
                "date_from": start,
                "date_to": end,
            }
        )
        if company != self.branch:
            self.grants.append((start, end, amount))

    # ------------------------------------------------------------
    # Worked out
    # ------------------------------------------------------------

    def _assert_equal(self, day, amount):
        self.env.invalidate_all()
        standing = self.env["sale.credit.exposure"]._get_standings(self.customer.ids, self.company)[self.customer.id]
        decision = self.env["sale.order"]._make_credit_decision(
            self.company, standing.terms, standing.exposure, float(amount)
        )
        limit, owed = self._get_limit(day), sum(item[2] for item in self.items) - self.credit
        ceiling = 0 if self.control == "cash" else limit
        is_over = (self.control == "cash" or limit) and owed + amount > ceiling + 0.001
        late = self._get_days_late(day)
        self.assertEqual((standing.terms.limit, round(standing.exposure.total, 2)), (limit, round(owed, 2)))
        self.assertEqual((bool(decision.over_limit), decision.overdue_days), (bool(is_over), late))
        self.assertEqual(decision.refused, bool(is_over or late or self.control == "stop"))

    def _get_limit(self, day):
        if not self.limit:
            return 0
        return self.limit + sum(
            amount for start, end, amount in self.grants if start <= day and (end is None or end >= day)
        )

    def _get_days_late(self, day):
        """Go through the items from the oldest on, until more than the tolerance is open."""
        if not self.term_days:
            return 0
        basis = self.unit_basis or self.company_basis
        tolerance = max(self.unit_tolerance or self.company_tolerance, 0)
        items = sorted((item[1] if basis == "due" else item[0], item[2]) for item in self.items)
        open_amount = -self.credit
        for counted_from, amount in self._merge(items):
            open_amount += amount
            if open_amount > tolerance:
                late = (day - counted_from).days - self.term_days
                return late if late > (self.unit_grace or self.company_grace) else 0
        return 0

    def _merge(self, items):
        merged = {}
        for counted_from, amount in items:
            merged[counted_from] = merged.get(counted_from, 0) + amount
        return sorted(merged.items())
