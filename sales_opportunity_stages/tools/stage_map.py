"""The configuration of all pipelines as plain values: types, stages in order, rules.

Everything that has to know which stage comes after which asks here, so that the gate, the
buttons, the kanban columns and the reports can never disagree about the order of stages.
"""

from typing import NamedTuple


class Type(NamedTuple):
    id: int
    active: bool
    company_id: int | None
    probability_mode: str
    options: frozenset = frozenset()


class Stage(NamedTuple):
    id: int
    sequence: int
    is_won: bool
    fold: bool
    probability: float
    type_ids: frozenset
    team_ids: frozenset
    key_fields: tuple = ()


class Rule(NamedTuple):
    id: int
    stage_id: int
    kind: str
    activity_type_id: int | None
    domain: str | None
    required: bool
    promotes: bool
    target_stage_id: int | None
    evidence: str = "none"
    field_name: str | None = None
    field_type: str | None = None
    document_name: str | None = None
    document_tag: str | None = None
    signoff_group_id: int | None = None
    has_kept: bool = False

    @property
    def is_plain_action(self):
        """Whether a done activity meets the rule, without evidence or another way to meet it.

        >>> Rule(1, 11, "action", 4, None, True, True, None).is_plain_action
        True
        >>> Rule(1, 11, "action", 4, None, True, True, None, evidence="feedback").is_plain_action
        False
        """
        return self.kind == "action" and self.evidence == "none" and not self.has_kept


class StageMap:
    """Answers questions about stages without touching the database.

    >>> stages = [Stage(i, i, i == 9, False, 0, frozenset(), frozenset()) for i in (3, 1, 2, 9)]
    >>> stage_map = StageMap([Type(7, True, None, "native")], stages, [])
    >>> stage_map.path(7, None)
    (1, 2, 3, 9)
    >>> stage_map.stages_to_leave(7, None, 1, 9)
    (1, 2, 3)
    >>> stage_map.stages_to_leave(7, None, 3, 2)
    ()
    >>> stage_map.next_stage(7, None, 3), stage_map.next_stage(7, None, 9)
    (9, None)
    """

    def __init__(self, types, stages, rules, learned=None):
        """:param dict learned: ``{(type id, stage id): percent}``: for a type that learns, not the stage's own"""
        self.types = {type_.id: type_ for type_ in types}
        self.stages = {stage.id: stage for stage in sorted(stages, key=self._sort_key)}
        self.rules = {}
        for rule in rules:
            self.rules.setdefault(rule.stage_id, []).append(rule)
        self.rules_by_id = {rule.id: rule for rule in rules}
        self.rule_kinds = frozenset(rule.kind for rule in rules)
        self.evidence_type_ids = frozenset(rule.activity_type_id for rule in rules if rule.evidence != "none")
        self.promoting_stage_ids = frozenset(rule.stage_id for rule in rules if rule.promotes)
        self.learned = learned or {}
        self._paths = {}

    @staticmethod
    def _sort_key(stage):
        return stage.is_won, stage.sequence, stage.id

    def rank(self, stage_id):
        """Sortable place of a stage: a won stage stands after all others, a missing one before."""
        stage = self.stages.get(stage_id)
        return self._sort_key(stage) if stage else (False, float("-inf"), 0)

    # ------------------------------------------------------------
    # Types
    # ------------------------------------------------------------

    def usable_types(self, company_id):
        """Ids, in order, of the types that a new opportunity of the company may have."""
        return [t.id for t in self.types.values() if t.active and t.company_id in (None, company_id or None)]

    def default_type(self, company_id, preferred_id=None):
        """The type of a new opportunity: the preferred one if it may be used, else the company's first."""
        usable = self.usable_types(company_id)
        return preferred_id if preferred_id in usable else next(iter(usable), None)

    def follows_stage(self, type_id):
        """Whether the probability of this type's opportunities comes from their stage, and not from Odoo's scoring."""
        return type_id in self.types and self.types[type_id].probability_mode in ("stage", "learned")

    def probability(self, type_id, stage_id):
        """What entering the stage gives an opportunity of the type, in percent; None where Odoo's scoring does.

        >>> stages = [Stage(i, i, i == 9, False, 10 * i, frozenset(), frozenset()) for i in (1, 2, 9)]
        >>> types = [Type(7, True, None, "learned"), Type(8, True, None, "stage"), Type(6, True, None, "native")]
        >>> stage_map = StageMap(types, stages, [], {(7, 1): 33.3, (8, 1): 44.4, (7, 9): 55.5})
        >>> [stage_map.probability(7, stage_id) for stage_id in (1, 2, 9)]
        [33.3, 20, 90]
        >>> stage_map.probability(8, 1), stage_map.probability(6, 1), stage_map.probability(None, 1)
        (10, None, None)
        """
        if not self.follows_stage(type_id):
            return None
        stage = self.stages[stage_id]
        learns = self.types[type_id].probability_mode == "learned" and not stage.is_won
        return self.learned.get((type_id, stage_id), stage.probability) if learns else stage.probability

    # ------------------------------------------------------------
    # Order of stages
    # ------------------------------------------------------------

    def is_open_to(self, stage_id, type_id):
        """Whether the stage belongs to the type, or to every type."""
        stage = self.stages[stage_id]
        return not stage.type_ids or type_id in stage.type_ids

    def suits(self, stage_id, type_id, team_id):
        """Whether an opportunity may stand in the stage. One without a team may stand in any team's, as in Odoo."""
        if stage_id not in self.stages or not self.is_open_to(stage_id, type_id):
            return False
        stage = self.stages[stage_id]
        return not team_id or not stage.team_ids or team_id in stage.team_ids

    def path(self, type_id, team_id):
        """Ids of the stages that an opportunity of this type and team goes through, in order."""
        key = type_id or None, team_id or None
        if key not in self._paths:
            self._paths[key] = tuple(
                stage.id
                for stage in self.stages.values()
                if (not type_id or self.is_open_to(stage.id, type_id))
                and (not stage.team_ids or team_id in stage.team_ids)
            )
        return self._paths[key]

    def entry_stage(self, type_id, team_id):
        """Where an opportunity starts: the first unfolded stage of its path, as in Odoo."""
        path = self.path(type_id, team_id)
        return next((stage_id for stage_id in path if not self.stages[stage_id].fold), path[0] if path else None)

    def is_past_entry(self, type_id, team_id, stage_id):
        """Whether the stage comes after the one where opportunities of the type and team start."""
        return self.rank(stage_id) > self.rank(self.entry_stage(type_id, team_id))

    def next_stage(self, type_id, team_id, stage_id):
        """The stage after this one on the path, or None at its end."""
        rank = self.rank(stage_id)
        return next((other for other in self.path(type_id, team_id) if self.rank(other) > rank), None)

    def won_stage(self, type_id, team_id):
        """The last won stage of the path, or None."""
        return next((s for s in reversed(self.path(type_id, team_id)) if self.stages[s].is_won), None)

    def stages_to_leave(self, type_id, team_id, origin_id, target_id):
        """Stages whose required rules a move from ``origin`` to ``target`` needs: the origin and all between.

        Empty for a move backward. Two won stages are both the end: moving between them needs nothing.
        Without an origin the opportunity enters its pipeline, and what counts is what lies before the target.
        """
        origin_id = origin_id or self.entry_stage(type_id, team_id)
        low, high = self.rank(origin_id), self.rank(target_id)
        if low >= high or (origin_id in self.stages and self.stages[origin_id].is_won):
            return ()
        between = [s for s in self.path(type_id, team_id) if low <= self.rank(s) < high]
        if origin_id in self.stages and origin_id not in between:
            between.insert(0, origin_id)
        return tuple(s for s in between if not self.stages[s].is_won)

    def furthest(self, stage_ids, type_id):
        """The stage of highest rank among those that the type has today, or None."""
        return max(
            (s for s in stage_ids if s in self.stages and self.is_open_to(s, type_id)), key=self.rank, default=None
        )

    def funnels(self):
        """The stages of each type in order, whatever the team: ``{type id: (stage id, …)}``.

        >>> stages = [Stage(i, i, i == 1, False, 0, frozenset({7} if i < 3 else ()), frozenset()) for i in (1, 2, 3)]
        >>> StageMap([Type(7, True, None, "native"), Type(8, True, None, "native")], stages, []).funnels()
        {7: (2, 3, 1), 8: (3,)}
        """
        return {
            type_id: tuple(stage_id for stage_id in self.stages if self.is_open_to(stage_id, type_id))
            for type_id in self.types
        }

    # ------------------------------------------------------------
    # Rules
    # ------------------------------------------------------------

    def rules_of(self, stage_id, required=False):
        """The rules of a stage in order, or only the required ones."""
        return [rule for rule in self.rules.get(stage_id, ()) if rule.required or not required]

    def has_option(self, type_id, option):
        """Whether an opportunity type has one of its options switched on.

        >>> StageMap([Type(7, True, None, "native", frozenset({"won_order"}))], [], []).has_option(7, "won_order")
        True
        """
        return option in self.get_options(type_id)

    def get_options(self, type_id):
        """Return the names of the options of an opportunity type that are switched on."""
        return self.types[type_id].options if type_id in self.types else frozenset()

    def allowed_activity_types(self, stage_id):
        """Ids of the only activity types that may be scheduled in the stage; empty when any may."""
        return {rule.activity_type_id for rule in self.rules.get(stage_id, ()) if rule.kind == "action"}
