"""Members in, golden values with their lineage out."""

from collections.abc import Iterable, Sequence

from mdm.model.canonical import ATTRIBUTES
from mdm.model.records import StoredRecord
from mdm.model.stewardship import Override
from survivorship.candidates import Candidate, Member, Trust, elements_of, values_of
from survivorship.choice import Choice, choose
from survivorship.naming import display_name, search_terms
from survivorship.rules import RuleSet
from survivorship.union import unite
from survivorship.values import (
    MAX_RUNNERS_UP,
    AttributeLineage,
    Consolidated,
    ElementLineage,
    Overridden,
    RunnerUp,
    Value,
)


def consolidate(
    ruleset: RuleSet, members: Sequence[StoredRecord], trust: Trust, overrides: Sequence[Override] = ()
) -> Consolidated:
    """The golden record of an entity's members.

    The same members give the same result in any order. Every value is one that a member states, or one that a steward
    pinned; the attributes of a group come from one member, the elements of a union each from one. Attributes that
    nobody states are left out. Of several overrides of one attribute the newest holds.

    Raises:
        ValueError: there are no members.
    """
    if not members:
        raise ValueError("An entity has at least one member.")
    ranked = _ranked(members)
    values: dict[str, Value] = {}
    lineage: dict[str, AttributeLineage | Overridden] = {}
    for rule in ruleset.rules:
        voters = [each for each in ranked if each.meets(rule.only)] if rule.only else ranked
        if rule.union_of:
            chosen = unite(rule, elements_of(rule, voters, trust), values.get(rule.without) if rule.without else None)
            if chosen:
                values[rule.name] = [choice.winner.value for choice in chosen]
                lineage[rule.name] = _union_lineage(chosen, ruleset.fingerprint)
        elif candidates := values_of(rule, voters, trust):
            choice = choose(rule, candidates)
            if rule.shape is not None:
                values[rule.name] = choice.winner.value
                lineage[rule.name] = _lineage(choice, ruleset.fingerprint, None)
            else:
                for name, value in choice.winner.value.items():
                    values[name] = value
                    lineage[name] = _lineage(choice, ruleset.fingerprint, name)
    for override in sorted(overrides, key=lambda each: each.override_id):
        _pin(override, values, lineage, ruleset.fingerprint)
    ordered = [attribute.name for attribute in ATTRIBUTES[ruleset.domain] if attribute.name in values]
    values = {name: values[name] for name in ordered}
    return Consolidated(
        values=values,
        lineage={name: lineage[name] for name in ordered},
        name=display_name(ruleset, values, min(record.key for record in members)),
        search_terms=search_terms(ruleset, values, members),
    )


def _pin(
    override: Override,
    values: dict[str, Value],
    lineage: dict[str, AttributeLineage | Overridden],
    fingerprint: str,
) -> None:
    name = override.attribute
    losers: tuple[RunnerUp, ...] = ()
    match lineage.pop(name, None):
        case AttributeLineage() as given:
            lost_by = "same_value" if values[name] == override.value else "overruled"
            losers = (RunnerUp(given.origin.record, values[name], lost_by), *given.runners_up)[:MAX_RUNNERS_UP]
        case Overridden() as given:
            losers = given.runners_up
    values.pop(name, None)
    if override.value is not None:
        values[name] = override.value
        lineage[name] = Overridden(override, fingerprint, losers)


def _ranked(members: Iterable[StoredRecord]) -> list[Member]:
    """The members from the youngest; ties of time go to the later position, then to the smaller key."""
    by_key = sorted(members, key=lambda record: record.key)
    by_age = sorted(by_key, key=lambda record: (record.provenance.event_time, record.provenance.position), reverse=True)
    return [Member(record, age) for age, record in enumerate(by_age)]


def _lineage(choice: Choice, fingerprint: str, part: str | None) -> AttributeLineage:
    """The lineage of a chosen value, or of one attribute of a chosen group."""
    return AttributeLineage(choice.winner.member.origin, choice.rule, fingerprint, _runners_up(choice.losers, part))


def _union_lineage(chosen: Sequence[Choice], fingerprint: str) -> AttributeLineage:
    elements = tuple(
        ElementLineage(choice.winner.member.origin, choice.rule, _runners_up(choice.losers, None)) for choice in chosen
    )
    return AttributeLineage(elements[0].origin, "union", fingerprint, (), elements)


def _runners_up(losers: Sequence[tuple[Candidate, str]], part: str | None) -> tuple[RunnerUp, ...]:
    return tuple(
        [
            RunnerUp(loser.member.record.key, loser.value if part is None else loser.value.get(part), lost_by)
            for loser, lost_by in losers[:MAX_RUNNERS_UP]
        ]
    )
