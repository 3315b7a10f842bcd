from contextlib import contextmanager

from odoo import api, models

from ...tools import Change, ChangeStack

FIRST_EFFECT = 100
"""Rules below this position check and may refuse; from here on they record what follows."""


class SalesChangeMixin(models.AbstractModel):
    """A model whose changes are checked by comparing the records before and after, whatever was written.

    ``write`` and ``create`` run inside :meth:`_change`. So does an operation that consists of several writes: they are
    checked together when it is complete. What is compared is :meth:`_get_snapshot`; what is checked and what follows,
    in which order, is the list :meth:`_get_change_rules`.
    """

    _name = "sales.change.mixin"
    _description = "Record Whose Changes Are Checked"

    # ------------------------------------------------------------
    # For the model
    # ------------------------------------------------------------

    @api.model
    def _get_change_rules(self):
        """Return the rules of a change, as ``(position, name of a method)``.

        Each method is called on all records of a complete change, in superuser mode, with the :class:`Change`.
        ``env.user`` is who asked. Rules below position 100 check, and raise to refuse the whole change; the others
        record what follows. To add a rule, add a row.
        """
        return []

    def _get_snapshot(self):
        """Return what a change of this record is judged by, as a dict of plain values.

        Extend it with what another rule compares.
        """
        self.ensure_one()
        return {}

    def _read_snapshots(self):
        """Return ``{id: snapshot}`` of these records as they are now."""
        return {record.id: record._get_snapshot() for record in self}

    # ------------------------------------------------------------
    # A change
    # ------------------------------------------------------------

    @contextmanager
    def _change(self, creating=False, incurred=False):
        """Check what happens to these records inside the block when it is complete.

        A record that an outer block has already is checked with that one. When the block raises, nothing is checked.

        :param bool creating: records are created inside, and every record of the model that is written meanwhile joins
        :param bool incurred: as ``creating``, where an application records what has happened already
        :returns: the :class:`Change` of this block
        """
        stack = ChangeStack(self.env.cr)
        # sudo: rules hold for everybody alike; Odoo checks the user's rights in the write itself
        records = self.sudo()
        joining = records.browse() if incurred else records.browse(records._get_ids_to_join(stack))
        change = Change(self._name, joining._read_snapshots(), takes_all=creating or incurred, is_incurred=incurred)
        stack.push(change)
        try:
            yield change
        finally:
            ChangeStack(self.env.cr).remove(change)
        if change.ids:
            records._settle_change(change)
            if incurred:
                records._rebase_outer_changes(change)

    def _join_change(self, change):
        """Compare these records in a change under way, beginning now, whether they are written or not."""
        # sudo: as _change
        change.before.update(self.sudo()._read_snapshots())
        change.ids.update(self.ids)

    def _get_ids_to_join(self, stack):
        """Return the ids that no change under way has; where one takes all, they join that one."""
        alone, joining = [], {}
        for id_ in self._ids:
            if not isinstance(id_, int):
                continue
            change = stack.find(self._name, id_)
            if not change:
                alone.append(id_)
            elif id_ not in change.ids:
                joining.setdefault(change, []).append(id_)
        for change, ids in joining.items():
            change.before.update(self.browse(ids)._read_snapshots())
            change.ids.update(ids)
        return alone

    def _get_changes(self):
        """Return ``{change under way: those of these records that it has}``."""
        stack, found = ChangeStack(self.env.cr), {}
        for id_ in self._ids if stack.changes else ():
            change = stack.find(self._name, id_)
            if change and id_ in change.ids:
                found.setdefault(change, []).append(id_)
        return {change: self.browse(ids) for change, ids in found.items()}

    def _get_unchanging(self):
        """Return those of these records that no change under way has."""
        waiting = self.browse().concat(*self._get_changes().values())
        return self - waiting

    def _note_in_change(self, *marks, token=None):
        """Say something about these records to the changes that have them.

        :param marks: words that rules ask for in ``change.marks``
        :param token: a server token that the write carried
        """
        for change, records in self._get_changes().items():
            for mark in marks:
                change.marks[mark].update(records.ids)
            if token:
                change.tokens.append(token)
            for id_ in records.ids:
                change.writers[id_].add(self.env.uid)

    def _forget_in_changes(self, ids):
        """Leave records that have been deleted out of the changes under way."""
        for change in ChangeStack(self.env.cr).changes:
            if change.model == self._name:
                change.forget(ids)

    # ------------------------------------------------------------
    # Its rules
    # ------------------------------------------------------------

    def _settle_change(self, change):
        """Check a complete change, then record what follows from it."""
        records = self._get_changed(change)
        records._run_change_rules(change.since_check(), range(FIRST_EFFECT))
        records._run_change_rules(change, range(FIRST_EFFECT, 10 * FIRST_EFFECT))

    def _get_changed(self, change):
        """Return the records of a change that there still are."""
        known = change.created_ids if change.takes_all else change.ids
        others = self.browse(sorted(change.ids - known)).exists()
        return self.browse(sorted(change.ids & known)) | others

    def _run_change_rules(self, change, positions):
        if not self:
            return
        for position, name in sorted(self._get_change_rules()):
            if position in positions:
                getattr(self, name)(change)

    def _check_change_now(self):
        """Check these records before the end of the changes that have them, where something irreversible follows.

        At the end only what has changed since is checked again.
        """
        # sudo: as _change
        for change, records in self.sudo()._get_changes().items():
            records._run_change_rules(change.since_check(), range(FIRST_EFFECT))
            change.checked.update(records._read_snapshots())

    def _rebase_outer_changes(self, change):
        """Let the changes outside compare with what an incurred change has made of the records."""
        for record in self._get_changed(change):
            for outer in ChangeStack(self.env.cr).owners(self._name, record.id):
                for snapshots in (outer.before, outer.checked):
                    if record.id in snapshots:
                        snapshots[record.id] = record._rebase_snapshot(snapshots[record.id])

    def _rebase_snapshot(self, known):
        """Return the snapshot of this record as it is now, with the states that an earlier one has."""
        kept = {name: known[name] for name in self._get_states_of_snapshot() & known.keys()}
        return self._get_snapshot() | kept

    @api.model
    def _get_states_of_snapshot(self):
        """Return the names in a snapshot that an incurred change leaves as the outer change has found them."""
        return set()
