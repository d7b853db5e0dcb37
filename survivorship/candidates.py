"""Who competes: the members of an entity and the values that they state."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from mdm.model.records import StoredRecord
from survivorship.rules import Condition, Rule
from survivorship.values import Origin, Value

#: Trust in a source for an attribute: (system, type, attribute) to 0..1.
Trust: TypeAlias = Callable[[str, str, str], float]


class Member:
    """A member of the entity. `age` counts from the youngest: event time, position, key; no two members share one.

    `days` says how much older its present form is than the youngest member's.
    """

    __slots__ = ("_met", "age", "attributes", "days", "origin", "record")

    def __init__(self, record: StoredRecord, age: int, days: float = 0.0) -> None:
        self.record = record
        self.attributes = record.attributes
        self.origin = Origin(record.key, record.provenance)
        self.age = age
        self.days = days
        self._met: dict[int, bool] = {}

    def meets(self, conditions: tuple[Condition, ...]) -> bool:
        """Whether the record meets all of the conditions, which must live as long as the member."""
        # Most rules share the default's conditions, so the answer is kept; a rule set never loses them meanwhile.
        met = self._met.get(id(conditions))
        if met is None:
            met = self._met[id(conditions)] = satisfies(self.attributes, conditions)
        return met


class Candidate(NamedTuple):
    """A value that a member states. `order` ends every tie, smallest first: minus trust, age, place in a list."""

    member: Member
    value: Value
    order: tuple[float, int, int]


def is_echo(rule: Rule, candidate: Candidate) -> bool:
    """Whether a candidate only repeats what the hub had published: for a group, in everything that it states."""
    echoes = candidate.member.record.echoes
    if not echoes:
        return False
    return set(candidate.value) <= echoes if rule.shape is None else rule.name in echoes


def satisfies(attributes: Mapping[str, Any], conditions: Sequence[Condition]) -> bool:
    """Whether a record with these attributes meets all of the conditions."""
    return all((_scalar(attributes.get(each.attribute)) in each.values) != each.negated for each in conditions)


def _scalar(value: object) -> object:
    return value if isinstance(value, str | int | float | bool) else None


def values_of(rule: Rule, members: Sequence[Member], trust: Trust) -> list[Candidate]:
    """The values of an attribute, of a group as one object each, or first elements of the rule's `otherwise`."""
    if rule.shape is None:
        return [
            Candidate(member, stated, (-trust_in(rule, member, rule.attributes[0], stated, trust), member.age, 0))
            for member in members
            if (stated := _group(rule, member))
        ]
    found = _single(rule, rule.name, members, trust)
    if rule.otherwise is None:
        return found
    if own := [candidate for candidate in found if -candidate.order[0] >= rule.reserve_below]:
        return own
    listed = _single(rule, rule.otherwise, members, trust)
    return [Candidate(candidate.member, candidate.value[0], candidate.order) for candidate in listed] or found


def elements_of(rule: Rule, members: Sequence[Member], trust: Trust) -> list[Candidate]:
    """The elements of a union, from every attribute that goes into it."""
    found = []
    # What only repeats the golden list would keep elements alive that nobody states any more.
    own = [(member, name) for member in members for name in rule.union_of if member.attributes.get(name)]
    fresh = {(id(member), name) for member, name in own if name not in member.record.echoes}
    for member in members:
        place = 0
        for attribute in rule.union_of:
            stated = member.attributes.get(attribute)
            if not stated or (fresh and (id(member), attribute) not in fresh):
                continue
            for element in stated if isinstance(stated, list | tuple) else (stated,):
                weight = trust_in(rule, member, attribute, element, trust)
                found.append(Candidate(member, element, (-weight, member.age, place)))
                place += 1
    return found


def _single(rule: Rule, attribute: str, members: Sequence[Member], trust: Trust) -> list[Candidate]:
    # 0 and False are values; None, an empty text and an empty list say that the record does not know.
    return [
        Candidate(member, value, (-trust_in(rule, member, attribute, value, trust), member.age, 0))
        for member in members
        if (value := member.attributes.get(attribute)) or value == 0
    ]


def _group(rule: Rule, member: Member) -> dict[str, Value]:
    attributes = member.attributes
    return {name: value for name in rule.attributes if (value := attributes.get(name)) or value == 0}


def validity(member: Member, value: Value) -> int:
    """2 for what was checked and is right, 1 for what cannot be checked, 0 for what was checked and is wrong."""
    if isinstance(value, Mapping):
        if "state" in value:
            return {"valid": 2, "invalid": 0}.get(str(value["state"]), 1)
        if "valid" in value:
            return 2 if value["valid"] else 0
        if "shared" in value:  # an e-mail address that several people read is worth less than a person's own
            return 1 if value["shared"] else 2
    return 2 if member.attributes.get("validated") is True else 1


def trust_in(rule: Rule, member: Member, attribute: str, value: Value, trust: Trust) -> float:
    """How far a rule believes this member about an attribute, with age and validity where the rule minds them."""
    stated = _source_trust(rule, member, attribute, trust)
    if rule.decay is None and rule.invalid == 1.0:
        return stated
    if rule.decay is not None:
        stated = max(stated * 0.5 ** (member.days / rule.decay.half_life), min(stated, rule.decay.floor))
    if rule.invalid != 1.0 and validity(member, value) == 0:
        stated *= rule.invalid
    # Rounded, because the last bit of a power is not the same on every machine.
    return round(stated, 6)


def _source_trust(rule: Rule, member: Member, attribute: str, trust: Trust) -> float:
    key = member.record.key
    if rule.trust is not None:
        for name in (f"{key.system}.{key.type}", key.system):
            if name in rule.trust:
                return rule.trust[name]
    return trust(key.system, key.type, attribute)
