"""Changes that are under way in a transaction: several writes that are checked once, when they are complete.

They are held by the cursor's identity, outside the context and outside ``cr.cache``: no client can put anything there,
and rolling a savepoint back inside a change does not forget it.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

_UNDER_WAY = WeakKeyDictionary()


@dataclass(eq=False)
class Change:
    """What some records of one model were before several writes, and what these writes have said of themselves.

    :param model: name of the model
    :param before: ``{record id: snapshot}``; a record of the change that is not in it is new
    :param takes_all: every record of the model that is written inside joins, as while records are created
    :param is_incurred: stock, accounting or another application records what has happened already
    :param ids: the records that are checked when this change is complete
    :param created_ids: those that this change has created
    :param checked: ``{record id: snapshot}`` of what has been checked before the end
    :param marks: ``{word: record ids}``, what a write said about some of the records
    :param tokens: server tokens that the writes carried
    :param writers: ``{record id: user ids}``
    :param data: what one rule has read for another
    """

    model: str
    before: dict
    takes_all: bool = False
    is_incurred: bool = False
    ids: set = field(default_factory=set)
    created_ids: set = field(default_factory=set)
    checked: dict = field(default_factory=dict)
    marks: dict = field(default_factory=lambda: defaultdict(set))
    tokens: list = field(default_factory=list)
    writers: dict = field(default_factory=lambda: defaultdict(set))
    data: dict = field(default_factory=dict)

    def __post_init__(self):
        self.ids.update(self.before)

    def was(self, record):
        """Return the snapshot of a record from before the change, empty for a new one."""
        return self.before.get(record.id, {})

    def since_check(self):
        """Return this change as the next check has to see it: compared with what was checked last."""
        return replace(self, before={**self.before, **self.checked}) if self.checked else self

    def add_created(self, ids):
        """Count records as new: what was read of them while they were half made does not count."""
        self.created_ids.update(ids)
        self.ids.update(ids)
        for id_ in ids:
            self.before.pop(id_, None)

    def forget(self, ids):
        """Leave deleted records out."""
        self.ids.difference_update(ids)
        for id_ in ids:
            self.before.pop(id_, None)


class ChangeStack:
    """The changes that are under way in a transaction, the outermost first."""

    def __init__(self, cr):
        self.cr = cr
        self.changes = _UNDER_WAY.get(cr, ())

    def push(self, change):
        """Begin a change."""
        _UNDER_WAY.setdefault(self.cr, []).append(change)

    def remove(self, change):
        """End a change, whatever was left under way inside it."""
        changes = _UNDER_WAY.get(self.cr, [])
        del changes[changes.index(change) :]
        if not changes:
            _UNDER_WAY.pop(self.cr, None)

    def find(self, model, id_):
        """Return the change that a record is checked with, or None.

        The innermost one that has the record, else the innermost one that takes all. One that records what has
        happened already is complete in itself, so that what is outside it waits.
        """
        found = None
        for change in reversed(self.changes):
            if change.model != model:
                continue
            if id_ in change.ids:
                return change
            if change.takes_all:
                found = found or change
            if change.is_incurred:
                return found
        return found

    def is_incurred(self, model):
        """Return whether the innermost change of a model records what has happened already."""
        return next((change.is_incurred for change in reversed(self.changes) if change.model == model), False)

    def owners(self, model, id_):
        """Return every change that has the record."""
        return [change for change in self.changes if change.model == model and id_ in change.ids]
