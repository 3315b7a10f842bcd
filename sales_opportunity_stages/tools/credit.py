"""Credit as pure values: what a unit owes, and what that means for a document, in the company's currency."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta


@dataclass(frozen=True)
class Exposure:
    """What a credit unit owes and will owe, per term, over all of its members.

    :param receivable: posted and still open, payments and credit notes counted
    :param uninvoiced: ordered and confirmed, not yet invoiced
    :param draft_invoiced: draft invoices, as far as no order carries the amount
    :param oldest_date: date of the oldest document that is still to be paid, once unmatched payments have settled
        the oldest ones and more than the tolerance is open
    :param first_date: date of the oldest open document, whatever settles it
    :param members: ``{partner id: {term: amount}}`` of those that owe something, where they were asked for
    """

    receivable: float = 0.0
    uninvoiced: float = 0.0
    draft_invoiced: float = 0.0
    oldest_date: date | None = None
    first_date: date | None = None
    members: dict = field(default_factory=dict, hash=False)

    @property
    def total(self):
        return self.receivable + self.uninvoiced + self.draft_invoiced

    def without(self, ordered):
        """What it was before orders of this amount were confirmed."""
        return replace(self, uninvoiced=self.uninvoiced - ordered)


@dataclass(frozen=True)
class CreditTerms:
    """What a unit is granted on a day.

    :param limit: the effective limit, grants counted; 0 = no limit, as in Odoo
    :param term_days: 0 = not checked
    :param control: ``limit``, ``cash`` (nothing without payment received) or ``stop`` (no order at all)
    :param grace_days: days after the term within which a document is not late yet
    :param basis: what the term is counted from: ``document`` or ``due``
    :param granted: the part of the limit that grants of that day add
    :param grant_ids: ids of these grants
    """

    limit: float = 0.0
    term_days: int = 0
    control: str = "limit"
    grace_days: int = 0
    basis: str = "document"
    granted: float = 0.0
    grant_ids: tuple = ()

    def __bool__(self):
        return bool(self.limit or self.term_days or self.control != "limit")

    @property
    def is_limited(self):
        return bool(self.limit) or self.control == "cash"

    @property
    def ceiling(self):
        """The exposure up to which an order passes, where the unit is limited."""
        return 0.0 if self.control == "cash" else self.limit


@dataclass(frozen=True)
class CreditStanding:
    """Where a credit unit stands."""

    unit_id: int
    terms: CreditTerms
    exposure: Exposure


@dataclass(frozen=True)
class CreditDecision:
    """Whether a unit can take documents on top of what it owes.

    :param compare: compares two amounts at the currency's precision, as ``res.currency.compare_amounts``

    >>> def compare(one, other): return (one > other) - (one < other)
    >>> terms = CreditTerms(limit=100)
    >>> CreditDecision(terms, Exposure(receivable=60), 40, compare=compare).over_limit  # equality passes
    False
    >>> CreditDecision(terms, Exposure(receivable=60), 41, compare=compare).excess
    1.0
    >>> late = CreditTerms(term_days=30)
    >>> owing = Exposure(receivable=5, oldest_date=date(2026, 1, 1))
    >>> CreditDecision(late, owing, 1, today=date(2026, 1, 31), compare=compare).overdue_days
    0
    >>> CreditDecision(late, owing, 1, today=date(2026, 2, 2), compare=compare).overdue_days
    2
    >>> lenient = CreditTerms(term_days=30, grace_days=2)
    >>> CreditDecision(lenient, owing, 1, today=date(2026, 2, 2), compare=compare).refused
    False
    >>> CreditDecision(lenient, owing, 1, today=date(2026, 2, 3), compare=compare).overdue_days
    3
    >>> cash = CreditTerms(limit=100, control="cash")
    >>> CreditDecision(cash, Exposure(receivable=-40), 40, compare=compare).refused  # paid in advance
    False
    >>> CreditDecision(cash, Exposure(), 40, compare=compare).excess
    40.0
    >>> CreditDecision(CreditTerms(control="stop"), Exposure(), 0, compare=compare).refused
    True
    """

    terms: CreditTerms
    exposure_before: Exposure
    documents: float
    today: date | None = None
    compare: object = field(default=None, hash=False)

    @property
    def exposure(self):
        return self.exposure_before.total + self.documents

    @property
    def is_stopped(self):
        return self.terms.control == "stop"

    @property
    def over_limit(self):
        return self.terms.is_limited and self.compare(self.exposure, self.terms.ceiling) > 0

    @property
    def excess(self):
        return float(self.exposure - self.terms.ceiling) if self.over_limit else 0.0

    @property
    def late_before(self):
        """Documents from before this date should have been paid, days of grace counted."""
        return self.today - timedelta(days=self.terms.term_days + self.terms.grace_days)

    @property
    def overdue_days(self):
        """Days since the oldest open document should have been paid; 0 within the days of grace."""
        oldest = self.exposure_before.oldest_date
        if not self.terms.term_days or not oldest or oldest >= self.late_before:
            return 0
        return (self.today - oldest).days - self.terms.term_days

    @property
    def settled_before(self):
        """The date before which overdue documents count as settled by unmatched payments, or are within the
        tolerance. None where that makes no difference to the decision.

        >>> owing = Exposure(first_date=date(2026, 1, 1), oldest_date=date(2026, 3, 1))
        >>> CreditDecision(CreditTerms(term_days=30), owing, 1, today=date(2026, 2, 20)).settled_before
        datetime.date(2026, 1, 21)
        >>> CreditDecision(CreditTerms(term_days=30), owing, 1, today=date(2026, 5, 1)).settled_before
        datetime.date(2026, 3, 1)
        """
        first, oldest = self.exposure_before.first_date, self.exposure_before.oldest_date
        if not self.terms.term_days or not first or first >= self.late_before or first == oldest:
            return None
        return min(filter(None, (oldest, self.late_before)))

    @property
    def refused(self):
        return self.is_stopped or self.over_limit or self.overdue_days > 0
