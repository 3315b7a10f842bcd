"""When a credit unit can take more: what is expected to be paid, as pure values."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, eq=False)
class CreditEvent:
    """Something that changes what is available.

    :param date: when it is expected
    :param amount: what becomes available then, negative where a grant ends
    :param document: the record behind it
    :param due_date: when a document is due; None for a grant
    :param payable: whether it is a receivable, which could be paid today
    :param late_after: the last date on which a receivable is not late yet; None where that is not checked
    """

    date: date
    amount: float
    document: object = None
    due_date: date | None = None
    late_after: date | None = None
    payable: bool = False


@dataclass(frozen=True)
class CreditProjection:
    """What a unit has available, from today on.

    :param available: today
    :param is_limited: whether there is a limit to compare with
    :param all_events: in any order; those that should have happened already are not foreseen any more
    :param delays: ``{member: (usual delay in days, number of payments)}``

    >>> def compare(one, other): return (one > other) - (one < other)
    >>> one, two = date(2026, 3, 1), date(2026, 3, 14)
    >>> events = [CreditEvent(two, 50, "INV/1", one, payable=True), CreditEvent(date(2026, 2, 1), 9, "INV/0", one)]
    >>> projection = CreditProjection(one, 10, True, events)
    >>> projection.find_date(10, compare) == one, projection.find_date(60, compare) == two
    (True, True)
    >>> projection.find_date(61, compare)  # INV/0 is later than usual: nobody knows
    >>> [event.document for event in projection.find_documents(55, compare)]
    ['INV/1']
    >>> late = CreditProjection(one, 90, True, [CreditEvent(two, 5, "INV/2", one, date(2026, 2, 1))])
    >>> late.find_date(10, compare) == two
    True
    """

    today: date
    available: float
    is_limited: bool
    all_events: list
    delays: dict = field(default_factory=dict)

    @property
    def events(self):
        """Those that can be foreseen, by date."""
        return sorted((event for event in self.all_events if event.date >= self.today), key=lambda event: event.date)

    @property
    def receivables(self):
        """What is to be paid, the oldest first."""
        return sorted((event for event in self.all_events if event.payable), key=lambda event: event.due_date)

    def _is_late(self, day, paid=()):
        return any(
            event.late_after and event.late_after < day and event not in paid and not self._is_paid(event, day)
            for event in self.all_events
        )

    def _is_paid(self, event, day):
        return self.today <= event.date <= day and day > self.today

    def fits_now(self, amount, compare):
        """Check whether so much more fits limit and term as it is."""
        return self._fits(self.available, amount, compare) and not self._is_late(self.today)

    def find_date(self, amount, compare):
        """Return the first date on which so much more fits limit and term, or None."""
        if self.fits_now(amount, compare):
            return self.today
        available = self.available
        events = self.events
        for index, event in enumerate(events):
            available += event.amount
            is_last_of_day = index + 1 == len(events) or events[index + 1].date > event.date
            if is_last_of_day and self._fits(available, amount, compare) and not self._is_late(event.date):
                return event.date
        return None

    def find_documents(self, amount, compare, most=3):
        """Return the receivables after whose payment so much fits today: one that is enough, else late ones and the
        oldest, a few at most. An empty list where it fits already, or where these are not enough."""
        if self.fits_now(amount, compare):
            return []
        receivables = self.receivables
        for event in receivables:
            if self._is_enough([event], amount, compare):
                return [event]
        late_first = sorted(receivables, key=lambda event: not (event.late_after and event.late_after < self.today))
        for number in range(2, most + 1):
            if self._is_enough(late_first[:number], amount, compare):
                return late_first[:number]
        return []

    def _is_enough(self, events, amount, compare):
        available = self.available + sum(event.amount for event in events)
        return self._fits(available, amount, compare) and not self._is_late(self.today, events)

    def _fits(self, available, amount, compare):
        return not self.is_limited or compare(available, amount) >= 0
