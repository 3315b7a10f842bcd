"""What a caller inside the server says about a change that a client may not say."""

from dataclasses import dataclass, field

CONTEXT_KEY = "opportunity_stage_move"


class Announcement:
    """Travels in the context of the records that the add-on's own code writes.

    Only an instance is believed, and an object cannot arrive by RPC: a client that sends the key sends text or
    numbers, which count as nothing. And it is believed only for the very records and values that it names: what an
    automation or another module does in the same call, with the same context, is an ordinary write.
    """

    @classmethod
    def of(cls, records):
        """The announcement of this kind in the context of the records, or None."""
        announced = records.env.context.get(CONTEXT_KEY)
        return announced if isinstance(announced, cls) else None

    def on(self, records):
        """The same records, carrying this announcement."""
        return records.with_context(**{CONTEXT_KEY: self})


@dataclass(frozen=True)
class StageMove(Announcement):
    """Announces a move to a stage, and how it came about.

    :param trigger: ``trigger`` of the visits that the move opens; ``forced`` passes the gate.
    :param reason: kept on those visits.
    :param lead_ids: the opportunities that are moved.
    :param stage_id: the stage that they are moved to.
    """

    trigger: str = "manual"
    reason: str | None = None
    lead_ids: frozenset = frozenset()
    stage_id: int | None = None

    def covers(self, lead):
        """Whether the opportunity stands where this move was to bring it."""
        return lead.id in self.lead_ids and lead.stage_id.id == self.stage_id


@dataclass(frozen=True)
class DerivedValues(Announcement):
    """Announces a write that stores what the add-on's own code has decided: nothing of it is judged or logged again."""

    model: str
    record_ids: frozenset
    values: dict = field(hash=False)

    def matches(self, records, vals, watched):
        """Whether a write is the announced one: those records, those values, and no other watched field."""
        return (
            self.model == records._name
            and self.record_ids.issuperset(records.ids)
            and all(name in vals and vals[name] == value for name, value in self.values.items())
            and not (vals.keys() - self.values.keys()) & watched
        )


@dataclass(frozen=True, eq=False)
class StageChange(Announcement):
    """Announces that several writes are one change, to be judged and logged by what they come to.

    :param before: what ``_read_stage_states()`` said of the opportunities before the first of the writes
    :param lead_ids: the opportunities that it is about
    :param placed_ids: those of them that a write has given a stage by name
    """

    before: dict
    lead_ids: frozenset
    placed_ids: set = field(default_factory=set)

    @classmethod
    def of(cls, records):
        """The change that a write to these records is a part of, or None."""
        change = super().of(records)
        return change if change and change.lead_ids.issuperset(records.ids) else None
