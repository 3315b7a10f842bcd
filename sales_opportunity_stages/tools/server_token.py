"""What only code of the server may say about a write.

A token is an object in the context of the records that are written. Clients send text, numbers, lists and dicts, so
none of their values is ever a token: every other value of the key counts as nothing. A token is believed for the
records and values that it names and for nothing else, because automations and other modules run with the same context.
"""

from dataclasses import dataclass, field

CONTEXT_KEY = "sales_server_tokens"


class ServerToken:
    """Base of all tokens. A set of records carries one token of each class at most."""

    @classmethod
    def of(cls, records):
        """Return the token of this class that the records carry, or None."""
        tokens = records.env.context.get(CONTEXT_KEY)
        if type(tokens) is not tuple:
            return None
        return next((token for token in tokens if type(token) is cls), None)

    def on(self, records):
        """Return the same records, carrying this token beside those of other classes."""
        return records.with_context(**self.as_context(records.env.context))

    def as_context(self, context=None):
        """Return the context values that carry this token, added to the tokens in ``context``."""
        tokens = (context or {}).get(CONTEXT_KEY)
        others = tuple(token for token in tokens if type(token) is not type(self)) if type(tokens) is tuple else ()
        return {CONTEXT_KEY: (*others, self)}


@dataclass(frozen=True)
class StageMove(ServerToken):
    """Announce a move of opportunities to a stage, and how it came about.

    :param trigger: ``trigger`` of the visits that the move opens; ``forced`` and ``imported`` pass the gate
    :param reason: stored on those visits
    :param lead_ids: the opportunities that are moved
    :param stage_id: the stage that they are moved to
    """

    trigger: str = "manual"
    reason: str | None = None
    lead_ids: frozenset = frozenset()
    stage_id: int | None = None

    @property
    def passes_rules(self):
        """Whether stage rules and what the type requires do not hold for this move."""
        return self.trigger in ("forced", "imported")

    def covers(self, lead):
        """Return whether the opportunity is where this move was to bring it."""
        return lead.id in self.lead_ids and lead.stage_id.id == self.stage_id


@dataclass(frozen=True)
class DerivedValues(ServerToken):
    """Announce a write of values that the add-on's own code has decided: it is neither checked nor logged again."""

    model: str
    record_ids: frozenset
    values: dict = field(hash=False)

    def matches(self, records, vals, watched):
        """Return whether a write is the announced one: those records, those values, no other watched field."""
        return (
            self.model == records._name
            and self.record_ids.issuperset(records.ids)
            and all(name in vals and vals[name] == value for name, value in self.values.items())
            and not (vals.keys() - self.values.keys()) & watched
        )


@dataclass(frozen=True)
class LeadMerge(ServerToken):
    """Say that orders change to the opportunity that theirs is merged into.

    :param lead_ids: the opportunities that are merged
    """

    lead_ids: frozenset


@dataclass(frozen=True)
class LeadImport(ServerToken):
    """Say that opportunities are written by an import."""


@dataclass(frozen=True)
class LedgerWrite(ServerToken):
    """Allow the rows of one ledger to be written, in superuser mode only."""

    model: str


@dataclass(frozen=True)
class Acceptance(ServerToken):
    """Say that the customer has signed or paid already: that stays, even if the confirmation is refused.

    :param origin: ``portal`` or ``payment``
    :param is_kept: a caller keeps it, so a refusal may be raised
    """

    origin: str
    is_kept: bool = False


@dataclass(frozen=True)
class OpenCarts(ServerToken):
    """Say that an application looks for carts: quotations of a website that are closed or approved are none."""


@dataclass(frozen=True)
class UnruledActivity(ServerToken):
    """Allow the server to schedule an activity that the stage does not list.

    :param counts: whether it belongs to the stage visit and may meet a rule; a reminder does not
    :param activity_type_id: the one type that is meant; None for every type
    """

    counts: bool = True
    activity_type_id: int | None = None

    def covers(self, activity_type_id):
        """Return whether an activity of this type is meant: automations may schedule others meanwhile."""
        return self.activity_type_id in (None, activity_type_id)


@dataclass(frozen=True, eq=False)
class ActivityChain(ServerToken):
    """Collect the chained activities that the stage did not allow when their predecessor was completed."""

    vals_list: list = field(default_factory=list)
