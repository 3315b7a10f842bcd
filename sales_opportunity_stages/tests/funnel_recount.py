"""The figures of the reports counted once more, in plain Python, from what was seen to happen.

Whoever lives through a history notes after each step where every opportunity is (:class:`Sight`). From that follow the
stays in stages, and from them everything that ``funnel.md`` defines. Nothing here asks a report or ``crm.stage.visit``.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from statistics import mean, median
from typing import NamedTuple


class Sight(NamedTuple):
    """What an opportunity looks like at a moment; ``type_id`` is empty for a lead."""

    type_id: int | None
    stage_id: int | None
    status: str  # pending, won or lost
    is_active: bool
    user_id: int | None
    revenue: float


@dataclass
class Stay:
    type_id: int
    stage_id: int | None
    start: datetime
    user_id: int | None
    revenue: float
    entry: str  # created, reopened, moved or handed
    before: str | None  # how the stay before ended
    end: datetime | None = None
    outcome: str = "open"

    @property
    def days(self):
        return (self.end - self.start).total_seconds() / 86400

    def covers(self, moment):
        """Whether it stood there just before the moment."""
        return self.start < moment and (self.end is None or self.end >= moment)


@dataclass
class Life:
    """What one opportunity went through. ``facts`` are what reports group by and add up as it is at the end."""

    created: datetime
    stays: list[Stay] = field(default_factory=list)
    sight: Sight | None = None
    facts: dict = field(default_factory=dict)

    @property
    def last(self):
        return self.stays[-1] if self.stays else None

    def see(self, sight, now, rank):
        """Note how it looks now.

        :param rank: gives the place of a stage in the order of stages
        """
        before, self.sight = self.sight, sight
        is_open = bool(self.last and self.last.end is None)
        if not sight.type_id:
            if is_open:
                self._end("handoff", now)
        elif sight.status == "lost":
            if is_open:
                self._end("lost", now)
        elif sight.status == "won":
            self._win(before, is_open, now)
        elif not is_open:
            self._begin(self._get_entry(now), now)
        elif (self.last.type_id, self.last.stage_id) != (sight.type_id, sight.stage_id):
            handed = self.last.type_id != sight.type_id
            forward = rank(sight.stage_id) > rank(self.last.stage_id)
            self._end("handoff" if handed else "advanced" if forward else "regressed", now)
            self._begin("handed" if handed else "moved", now)

    def _win(self, before, is_open, now):
        """A win ends the stay that it was won from, and begins and ends one in the won stage."""
        here = self.sight.type_id, self.sight.stage_id
        if before and before.status == "won" and (before.type_id, before.stage_id) == here:
            return
        entry = self._get_entry(now)
        if is_open:
            handed = self.last.type_id != self.sight.type_id
            self._end("handoff" if handed else "won", now)
            entry = "handed" if handed else "moved"
        self._begin(entry, now)
        self._end("won", now)

    def _get_entry(self, now):
        """How it comes into the pipeline, out of no stage."""
        if not self.stays:
            return "created"
        is_another = self.last.outcome == "handoff" and self.last.type_id != self.sight.type_id
        return "handed" if is_another and self.last.end == now else "reopened"

    def _begin(self, entry, now):
        sight = self.sight
        before = self.last and self.last.outcome
        self.stays.append(Stay(sight.type_id, sight.stage_id, now, sight.user_id, sight.revenue, entry, before))

    def _end(self, outcome, now):
        self.last.end, self.last.outcome = now, outcome

    def forget_stage(self, stage_id):
        """The stage was deleted."""
        for stay in self.stays:
            if stay.stage_id == stage_id:
                stay.stage_id = None

    @property
    def is_put_away(self):
        """Archived without being lost."""
        return not self.sight.is_active and self.sight.status != "lost"


class Recount:
    """What the reports should say of these lives.

    :param dict lives: by id of the opportunity
    :param dict funnels: ``{type id: ids of its stages in order}``, as it is now
    :param set won_ids: ids of the won stages
    :param datetime now: when they are read
    """

    def __init__(self, lives, funnels, won_ids, now):
        self.lives, self.funnels, self.won_ids, self.now = lives, funnels, won_ids, now

    # ------------------------------------------------------------
    # Funnel
    # ------------------------------------------------------------

    def funnel_rows(self):
        """One for each opportunity and stage that it has reached."""
        for lead_id, life in self.lives.items():
            if life.sight.type_id and not life.is_put_away:
                yield from self._reach(lead_id, life)

    def _reach(self, lead_id, life):
        type_id, status = life.sight.type_id, life.sight.status
        stages = self.funnels[type_id]
        mine = [stay for stay in life.stays if stay.type_id == type_id and stay.stage_id in stages]
        if not mine:
            return
        height = len(stages) if status == "won" else 1 + max(stages.index(stay.stage_id) for stay in mine)
        for rank, stage_id in enumerate(stages[:height], 1):
            ended = [stay.days for stay in mine if stay.stage_id == stage_id and stay.end]
            yield {
                **life.facts,
                "lead_id": lead_id,
                "stage_id": stage_id,
                "opportunity_type_id": type_id,
                "user_id": life.sight.user_id,
                "won_status": status,
                "revenue": life.sight.revenue,
                "touched": any(stay.stage_id == stage_id for stay in mine),
                "is_furthest": rank == height,
                "is_last": rank == len(stages),
                "ended": ended,
            }

    @staticmethod
    def funnel_figures(rows):
        """The measures of ``crm.funnel.report`` over these rows."""
        furthest = [row for row in rows if row["is_furthest"]]
        advanced = len(rows) - len(furthest)
        lost = [row for row in furthest if row["won_status"] == "lost"]
        pending = [row for row in furthest if row["won_status"] == "pending"]
        lost_here = len(lost)
        days = [length for row in rows for length in row["ended"]]
        touched = sum(row["touched"] for row in rows)
        by_lead = {row["lead_id"]: row["won_status"] for row in rows}
        status = Counter(by_lead.values())
        leaving = [row for row in rows if not row["is_last"]]
        return {
            "reached": len(rows),
            "touched": touched,
            "inferred": len(rows) - touched,
            "advanced": advanced,
            "lost_here": lost_here,
            "pending": len(pending),
            "won": status["won"],
            "opportunity_count": len(by_lead),
            "expected_revenue": sum(row["revenue"] for row in rows),
            "prorated_revenue": sum(row["prorated_revenue"] for row in rows),
            "lost_revenue": sum(row["revenue"] for row in lost),
            "pending_revenue": sum(row["revenue"] for row in pending),
            "pending_prorated_revenue": sum(row["prorated_revenue"] for row in pending),
            "ordered_revenue": 0,  # nobody orders in these lives: test_won_orders counts it
            "step_rate": _ratio(sum(not row["is_furthest"] for row in leaving), len(leaving)),
            "resolved_rate": _ratio(advanced, advanced + lost_here),
            "win_rate": _ratio(status["won"], status["won"] + status["lost"]),
            "days_in_stage": _mean(days),
            "median_days": median(days) if days else None,
        }

    # ------------------------------------------------------------
    # Stays
    # ------------------------------------------------------------

    def stays(self, also_leads=False):
        """``(opportunity id, its life, stay, the next one)`` of what is in the reports."""
        for lead_id, life in self.lives.items():
            if life.is_put_away or not (life.sight.type_id or also_leads):
                continue
            for place, stay in enumerate(life.stays, 1):
                yield lead_id, life, stay, next(iter(life.stays[place:]), None)

    def visit_rows(self):
        """One for each stay."""
        for lead_id, life, stay, following in self.stays():
            moved = stay.outcome not in ("open", "lost") and following
            yield {
                "lead_id": lead_id,
                "user_id": life.sight.user_id,
                "visit_user_id": stay.user_id,
                "opportunity_type_id": stay.type_id,
                "stage_id": stay.stage_id,
                "outcome": stay.outcome,
                "to_stage_id": moved.stage_id if moved else None,
                "stay": stay,
            }

    def visit_figures(self, rows):
        """The measures of ``crm.stage.visit.report`` over these rows."""
        stays = [row["stay"] for row in rows]
        ended = [stay.days for stay in stays if stay.end]
        ages = [(self.now - stay.start).total_seconds() / 86400 for stay in stays if not stay.end]
        return {
            "visit_count": len(stays),
            "move_count": sum(row["to_stage_id"] is not None for row in rows),
            "ended_count": len(ended),
            "open_count": len(ages),
            "total_days": sum(ended),
            "duration_days": _mean(ended),
            "median_days": median(ended) if ended else None,
            "open_days": _mean(ages),
        }

    # ------------------------------------------------------------
    # Days
    # ------------------------------------------------------------

    def snapshot_rows(self, moment):
        """What stood where just before the moment."""
        for lead_id, life, stay, _following in self.stays(also_leads=True):
            if stay.covers(moment):
                yield self._stay_row(lead_id, life, stay)

    @staticmethod
    def snapshot_figures(rows):
        return {"opportunity_count": len(rows), "expected_revenue": sum(row["stay"].revenue for row in rows)}

    def flow_rows(self, start, end):
        """What happened from ``start`` up to but without ``end``. The stay that a win leads to is not a place."""
        for lead_id, life, stay, _following in self.stays(also_leads=True):
            is_win = stay.stage_id in self.won_ids and stay.start == stay.end and stay.outcome == stay.before == "won"
            if stay.start < end and (stay.end is None or stay.end >= start) and not is_win:
                comes, goes = start <= stay.start, stay.end is not None and stay.end < end
                yield {**self._stay_row(lead_id, life, stay), "comes": comes, "goes": goes}

    @classmethod
    def flow_counts(cls, rows):
        """The measures of ``crm.flow.report`` that count, over these rows."""
        return {name: value for name, value in cls.flow_figures(rows).items() if name.endswith("_count")}

    @staticmethod
    def flow_figures(rows):
        """The measures of ``crm.flow.report`` over these rows."""
        entries = Counter(row["stay"].entry for row in rows if row["comes"])
        exits = Counter(row["stay"].outcome for row in rows if row["goes"])
        return {
            "start_count": sum(not row["comes"] for row in rows),
            "created_count": entries["created"],
            "reopened_count": entries["reopened"],
            "moved_in_count": entries["moved"],
            "handed_in_count": entries["handed"],
            "in_count": entries.total(),
            "advanced_count": exits["advanced"],
            "regressed_count": exits["regressed"],
            "won_count": exits["won"],
            "lost_count": exits["lost"],
            "handed_out_count": exits["handoff"],
            "out_count": exits.total(),
            "end_count": sum(not row["goes"] for row in rows),
            "start_revenue": sum(row["stay"].revenue for row in rows if not row["comes"]),
            "in_revenue": sum(row["stay"].revenue for row in rows if row["comes"]),
            "out_revenue": sum(row["stay"].revenue for row in rows if row["goes"]),
            "end_revenue": sum(row["stay"].revenue for row in rows if not row["goes"]),
        }

    @staticmethod
    def _stay_row(lead_id, life, stay):
        return {
            "lead_id": lead_id,
            "user_id": life.sight.user_id,
            "visit_user_id": stay.user_id,
            "opportunity_type_id": stay.type_id,
            "stage_id": stay.stage_id,
            "won_status": life.sight.status,
            "stay": stay,
        }

    # ------------------------------------------------------------
    # Opportunities
    # ------------------------------------------------------------

    def pipeline_rows(self):
        """One for each opportunity."""
        for lead_id, life in self.lives.items():
            if not life.sight.type_id or life.is_put_away:
                continue
            wins = [stay.end for stay in life.stays if stay.outcome == "won"]
            won = life.sight.status == "won"
            yield {
                **life.facts,
                "lead_id": lead_id,
                "stage_id": life.sight.stage_id,
                "opportunity_type_id": life.sight.type_id,
                "user_id": life.sight.user_id,
                "won_status": life.sight.status,
                "revenue": life.sight.revenue,
                "cycle": (max(wins) - life.created).total_seconds() / 86400 if won else None,
            }

    @staticmethod
    def pipeline_figures(rows):
        """The measures of ``crm.pipeline.report`` over these rows."""
        by_status = defaultdict(list)
        for row in rows:
            by_status[row["won_status"]].append(row["revenue"])
        won, lost, pending = (by_status[status] for status in ("won", "lost", "pending"))
        win_rate, amount = _ratio(len(won), len(won) + len(lost)), _mean(won)
        cycle = _mean([row["cycle"] for row in rows if row["cycle"] is not None])
        return {
            "opportunity_count": len(rows),
            "open_count": len(pending),
            "won_count": len(won),
            "lost_count": len(lost),
            "expected_revenue": sum(row["revenue"] for row in rows),
            "prorated_revenue": sum(row["prorated_revenue"] for row in rows),
            "won_revenue": sum(won),
            "lost_revenue": sum(lost),
            "win_rate": win_rate,
            "won_amount": amount,
            "cycle_days": cycle,
            "velocity": len(pending) * win_rate * amount / max(cycle, 1) if won else None,
        }


def group(rows, names):
    """``{values of these names: rows}``; without names, all in one group, be it empty."""
    groups = defaultdict(list)
    if not names:
        groups[()]
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return groups


def _ratio(part, whole):
    return part / whole if whole else None


def _mean(values):
    return mean(values) if values else None
