"""The values of an opportunity that its change ledger records."""

from typing import NamedTuple

TRACKED = (
    "expected_revenue",
    "date_deadline",
    "probability",
    "user_id",
    "team_id",
    "opportunity_type_id",
    "stage_id",
)
AMOUNTS = ("expected_revenue", "probability")
RECORDS = ("user_id", "team_id", "opportunity_type_id", "stage_id")
DIGITS = 4  # of amounts, more than any currency has


class TrackedValues(NamedTuple):
    """What an opportunity has in each of the fields: a number, a day or the id of a record; None for nothing."""

    expected_revenue: float
    date_deadline: object
    probability: float
    user_id: int | None
    team_id: int | None
    opportunity_type_id: int | None
    stage_id: int | None

    @classmethod
    def of(cls, lead):
        """Return the values that an opportunity has now."""
        return cls(
            round(lead.expected_revenue or 0.0, DIGITS),
            lead.date_deadline or None,
            round(lead.probability or 0.0, DIGITS),
            *(lead[name].id or None for name in RECORDS),
        )

    def differences(self, later):
        """Return ``[(field name, value here, value in the later ones)]`` of what differs.

        >>> early = TrackedValues(100.0, None, 20.0, 7, 1, 1, 1)
        >>> early.differences(early._replace(expected_revenue=120.0, user_id=None))
        [('expected_revenue', 100.0, 120.0), ('user_id', 7, None)]
        """
        return [(name, old, new) for name, old, new in zip(TRACKED, self, later, strict=True) if old != new]
