"""The pipeline of past days, told by who has looked at it every day: in plain Python, without visits and ledger."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Sight:
    """What an opportunity was when a day ended."""

    status: str
    """open, won, lost or out (a lead, or in no stage)"""
    type_id: int
    stage_id: int
    user_id: int
    team_id: int
    deadline: date | None
    probability: float
    revenue: float

    @classmethod
    def of(cls, lead):
        """Look at an opportunity now."""
        if lead.type != "opportunity" or not lead.stage_id:
            status = "out"
        else:
            status = {"pending": "open"}.get(lead.won_status, lead.won_status)
        return cls(
            status,
            *(lead[name].id for name in ("opportunity_type_id", "stage_id", "user_id", "team_id")),
            lead.date_deadline or None,
            round(lead.probability, 2),
            round(lead.expected_revenue, 2),
        )

    @property
    def groups(self):
        """What figures may be grouped by."""
        return (self.user_id, self.team_id, self.type_id, self.stage_id, self.deadline)


class PipelineRecount:
    """Days of sights, and what they come to."""

    def __init__(self):
        self.days = {}

    def look(self, day, leads):
        """Remember all opportunities as they are when the day ends."""
        self.days[day] = {lead.id: Sight.of(lead) for lead in leads}

    def get_snapshot(self, day, lead_ids):
        """``{lead id: sight}`` of what was open, among opportunities that are still reported."""
        return {id_: sight for id_, sight in self.days[day].items() if id_ in lead_ids and sight.status == "open"}

    def get_changes(self, before, after, lead_ids):
        """What changed from the end of one day to the end of another: ``{name: [count, revenue]}``.

        What came and went in between is seen only where it was looked at meanwhile.
        """
        found = {}

        def add(name, revenue, count=1):
            entry = found.setdefault(name, [0, 0.0])
            entry[0] += count
            entry[1] = round(entry[1] + revenue, 2)

        for id_ in lead_ids:
            old, new = self.days[before].get(id_), self.days[after].get(id_)
            was, is_ = bool(old) and old.status == "open", bool(new) and new.status == "open"
            if was:
                add("start", old.revenue)
            if is_:
                add("end", new.revenue)
            if was and not is_ and new:
                add({"won": "won", "lost": "lost"}.get(new.status, "left"), new.revenue)
            if was and new and new.revenue > old.revenue:
                add("bigger", round(new.revenue - old.revenue, 2))
            if was and new and new.revenue < old.revenue:
                add("smaller", round(old.revenue - new.revenue, 2))
            if not was and is_:
                add("new" if self.is_first(id_, before) else "reopened", new.revenue)
            if was and is_:
                self.add_details(old, new, add)
        return found

    def add_details(self, old, new, add):
        """Count what else has changed of what is there at both ends."""
        if old.deadline and new.deadline and old.deadline != new.deadline:
            add("pulled_in" if new.deadline < old.deadline else "pushed_out", new.revenue)
        if old.user_id != new.user_id:
            add("handed_over", new.revenue)

    def is_first(self, id_, day):
        """Whether it had never been in the pipeline up to the end of a day."""
        return not any(
            sights[id_].status != "out" for known, sights in self.days.items() if known <= day and id_ in sights
        )
