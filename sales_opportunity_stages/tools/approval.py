"""What a rule of an approval flow asks, as plain values, and which change of a quotation is worse for it.

A request pins these terms, so that a rule which is edited later does not change what was asked.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace

AMOUNT = "amount"
"""The key of the total among the values that a rule looks at. Every rule looks at it."""

WORSE_BY_OPERATOR = {">": "up", ">=": "up", "<": "down", "<=": "down"}


@dataclass(frozen=True)
class ApprovalTerms:
    """The terms of one rule.

    :param rule_id: the rule; 0 where a quotation approver approves what no rule asks for
    :param domain: text of the domain on the quotation
    :param criteria: ``((path of a field, which change is worse: up, down or any), …)``
    """

    rule_id: int
    level: int
    min_amount: float
    domain: str
    criteria: tuple
    approver_type: str
    approver_ids: tuple
    group_id: int
    quorum: str
    escalate_days: int

    def to_json(self):
        """Return the terms as a dict of JSON values."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_json(cls, values):
        """Return the terms that :meth:`to_json` has made."""
        criteria = tuple(tuple(criterion) for criterion in values["criteria"])
        return cls(**{**values, "criteria": criteria, "approver_ids": tuple(values["approver_ids"])})

    def with_conditions(self, min_amount, text, domain):
        """Return the same terms for other quotations.

        :param text: the domain as it is written, ``domain`` the same as a list
        """
        return replace(self, min_amount=min_amount, domain=text, criteria=get_criteria(domain))

    def is_worse(self, before, after):
        """Return whether a change is worse for this rule: the total has grown, a discount, or something else differs.

        >>> terms = ApprovalTerms(1, 1, 0, "[]", (("discount", "up"), ("team", "any")), "users", (), 0, "any", 0)
        >>> seen = {"amount": 100, "discount": 5, "team": [1]}
        >>> terms.is_worse(seen, {"amount": 90, "discount": 5, "team": [1]})
        False
        >>> terms.is_worse(seen, {"amount": 90, "discount": 6, "team": [1]})
        True
        >>> terms.is_worse(seen, {"amount": 100, "discount": 5, "team": [2]})
        True

        :param before: ``{path: value}``, as the quotation was seen
        :param after: the same, as it is now
        """
        criteria = ((AMOUNT, "up"), *self.criteria)
        return any(_is_worse(how, before.get(path), after.get(path)) for path, how in criteria)


def _is_worse(how, before, after):
    if before == after:
        return False
    if how == "any" or not (_is_number(before) and _is_number(after)):
        return True
    rest = round(_get_extreme(how, after) - _get_extreme(how, before), 6)
    return rest > 0 if how == "up" else rest < 0


def _is_number(value):
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(isinstance(each, int | float) for each in values)


def _get_extreme(how, value):
    if not isinstance(value, list):
        return value
    return max(value) if how == "up" else min(value)


def get_criteria(domain):
    """Return the fields that a domain looks at, and which change of each is worse.

    >>> get_criteria(["&", ("discount", ">", 10), ("team_id", "=", 3)])
    (('discount', 'up'), ('team_id', 'any'))
    >>> get_criteria(["!", ("discount", ">", 10)])
    (('discount', 'any'),)
    >>> get_criteria([("order_line", "any", [("discount", ">", 10)])])
    (('order_line.discount', 'up'),)

    :param domain: a domain as a list
    """
    items = list(domain)
    found = {}
    for item in items:
        if isinstance(item, str) or item[0] in (0, 1):
            continue
        for path, how in _get_criteria_of(*item):
            how = "any" if "!" in items else how
            found[path] = how if found.get(path, how) == how else "any"
    return tuple(found.items())


def _get_criteria_of(path, operator, value):
    if operator in ("any", "not any"):
        how = None if operator == "any" else "any"
        return [(f"{path}.{inner}", how or inner_how) for inner, inner_how in get_criteria(value)]
    return [(path, WORSE_BY_OPERATOR.get(operator, "any"))]


def get_digest(content):
    """Return a digest of content that JSON can tell: equal where the content is equal."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
