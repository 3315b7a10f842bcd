"""The stage history of one opportunity as a file tells it: what is wrong with it, and the visits that it makes."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest


@dataclass
class ImportedStage:
    """One row of the file.

    :param row: its number, for messages
    :param stage_id: None where the opportunity was lost
    :param rank: sortable place of the stage among all stages
    :param outcome: ``won``, ``lost`` or None, what the file says of the end of the visit
    :param values: what else is stored on the visit
    """

    row: int
    stage_id: int | None
    stage_name: str
    rank: tuple
    is_won: bool
    start: datetime
    end: datetime | None = None
    outcome: str | None = None
    lost_reason_id: int | None = None
    values: dict = field(default_factory=dict)


class ImportedHistory:
    """All rows of one opportunity.

    >>> def at(day, **more):
    ...     stage = more.pop("stage", day)
    ...     rank, start = (stage == 9, stage or 0), datetime(2020, 1, day)
    ...     return ImportedStage(day, stage, f"S{stage}", rank, stage == 9, start, **more)
    >>> history = ImportedHistory([at(3), at(1), at(9)])
    >>> [(stage.start.day, end.day, outcome) for stage, end, outcome in history.visits()]
    [(1, 3, 'advanced'), (3, 9, 'won'), (9, 9, 'won')]
    >>> history = ImportedHistory([at(3), at(5, stage=1, outcome="lost", end=datetime(2020, 1, 7))])
    >>> [(stage.start.day, end.day, outcome) for stage, end, outcome in history.visits()]
    [(3, 5, 'regressed'), (5, 7, 'lost')]
    >>> history.status, ImportedHistory([at(3)]).status, ImportedHistory([at(3), at(9)]).status
    ('lost', 'pending', 'won')
    >>> history = ImportedHistory([at(3), at(6, stage=None, outcome="lost")])
    >>> [(stage.start.day, end.day, outcome) for stage, end, outcome in history.visits()]
    [(3, 6, 'lost')]
    """

    def __init__(self, stages):
        """:param stages: :class:`ImportedStage` rows in any order. Without a stage: the stage before was lost."""
        self.stages, self.lost_without_stage = [], []
        for stage in sorted(stages, key=lambda stage: (stage.start, stage.row)):
            self._add(stage)

    def _add(self, stage):
        if stage.stage_id:
            self.stages.append(stage)
        elif self.stages and not self.stages[-1].outcome:
            self.stages[-1].end, self.stages[-1].outcome = stage.start, "lost"
            self.stages[-1].lost_reason_id = stage.lost_reason_id
        else:
            self.lost_without_stage.append(stage)

    @property
    def last(self):
        """The stage that the file ends in."""
        return self.stages[-1]

    @property
    def lost_reason_id(self):
        """Why it was lost, if it was."""
        return self.last.lost_reason_id

    @property
    def status(self):
        """``won_status`` of an opportunity with this history."""
        return "won" if self.last.is_won else "lost" if self.last.outcome == "lost" else "pending"

    def visits(self):
        """Yield (stage, end or None, outcome) in order of time."""
        for stage, after in self._pairs():
            yield stage, self._get_end(stage, after), self._get_outcome(stage, after)

    def _pairs(self):
        """Yield (stage, the stage after it or None)."""
        yield from zip_longest(self.stages, self.stages[1:])

    def _get_end(self, stage, after):
        """A visit of a won stage starts and ends at once, as when it is logged."""
        return stage.start if stage.is_won else stage.end or (after and after.start)

    def _get_outcome(self, stage, after):
        if stage.is_won:
            return "won"
        if stage.outcome == "lost" or not after:
            return stage.outcome or "open"
        if after.is_won:
            return "won"
        return "advanced" if after.rank > stage.rank else "regressed"

    def faults(self, now):
        """Yield (stage, key, values of the message) for each fault. The keys are those of the importer's messages."""
        for stage in self.lost_without_stage:
            yield stage, "nothing_to_lose", {}
        for stage, after in self._pairs():
            if max(stage.start, stage.end or stage.start) > now:
                yield stage, "future", {}
            if stage.end and stage.end < stage.start:
                yield stage, "backwards", {}
            if after and after.start == stage.start:
                yield after, "same_time", {"row": stage.row}
            elif after and stage.end and stage.end > after.start:
                yield stage, "overlap", {"row": after.row}
            if stage.outcome == "won" and not stage.is_won:
                yield stage, "not_won_stage", {}
            if stage.outcome == "lost" and stage.is_won:
                yield stage, "lost_in_won_stage", {}
            if stage.outcome == "lost" and not stage.end and not after:
                yield stage, "no_closing", {}
            if stage.end and not after and not stage.outcome and not stage.is_won:
                yield stage, "ended_open", {}
