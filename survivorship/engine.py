"""Members in, golden values with their lineage out."""

from collections.abc import Iterable, Mapping, Sequence

from mdm.model.canonical import ATTRIBUTES, EXTENSION
from mdm.model.records import StoredRecord
from mdm.model.stewardship import Override
from survivorship.candidates import Candidate, Member, Trust, elements_of, is_echo, satisfies, values_of
from survivorship.choice import Choice, choose
from survivorship.extension import Extended, extend
from survivorship.naming import display_name, search_terms
from survivorship.rules import Rule, RuleSet
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
    stated = {name for member in members for name, value in member.attributes.items() if value or value == 0}
    for rule in _rules_in_force(ruleset, ranked, trust):
        if stated.isdisjoint(rule.reads):
            continue
        fingerprint = f"{ruleset.fingerprint}/{rule.variant}" if rule.variant else ruleset.fingerprint
        voters = [each for each in ranked if each.meets(rule.only)] if rule.only else ranked
        if rule.union_of:
            chosen = unite(rule, elements_of(rule, voters, trust), values.get(rule.without) if rule.without else None)
            if chosen:
                values[rule.name] = [choice.winner.value for choice in chosen]
                lineage[rule.name] = _union_lineage(chosen, fingerprint)
        elif candidates := values_of(rule, voters, trust):
            echoes = [each for each in candidates if is_echo(rule, each)]
            fresh = [each for each in candidates if each not in echoes] if echoes else candidates
            choice = _follow(rule, fresh, lineage) or choose(rule, fresh or candidates)
            if echoes and fresh:
                repeated = tuple((each, "echo") for each in sorted(echoes, key=lambda each: each.order))
                choice = choice._replace(losers=repeated + choice.losers)
            if rule.shape is not None:
                values[rule.name] = choice.winner.value
                lineage[rule.name] = _lineage(choice, fingerprint, None)
            else:
                for name, value in choice.winner.value.items():
                    values[name] = value
                    lineage[name] = _lineage(choice, fingerprint, name)
    for override in sorted(overrides, key=lambda each: each.override_id):
        _pin(override, values, lineage, ruleset.fingerprint)
    extended = extend(ruleset.extension, ranked, trust) if ruleset.extension and EXTENSION.name in stated else None
    if extended is not None and extended.chosen:
        values[EXTENSION.name] = extended.value
        lineage[EXTENSION.name] = _extension_lineage(extended, ruleset.fingerprint)
    ordered = [each.name for each in (*ATTRIBUTES[ruleset.domain], EXTENSION) if each.name in values]
    values = {name: values[name] for name in ordered}
    return Consolidated(
        values=values,
        lineage={name: lineage[name] for name in ordered},
        name=display_name(ruleset, values, min(record.key for record in members)),
        search_terms=search_terms(ruleset, values, members),
    )


def _rules_in_force(ruleset: RuleSet, ranked: Sequence[Member], trust: Trust) -> Sequence[Rule]:
    """The rules of the domain, replaced where the first fitting variant has its own."""
    if not ruleset.variants:
        return ruleset.rules
    asked = {condition.attribute for variant in ruleset.variants for condition in variant.when}
    deciding: dict[str, Value] = {}
    for rule in ruleset.rules:
        if asked & set(rule.attributes) and not rule.union_of:
            voters = [each for each in ranked if each.meets(rule.only)]
            if candidates := values_of(rule, voters, trust):
                winner = choose(rule, candidates).winner.value
                deciding |= winner if rule.shape is None else {rule.name: winner}
    for variant in ruleset.variants:
        if satisfies(deciding, variant.when):
            return [variant.rules.get(rule.name, rule) for rule in ruleset.rules]
    return ruleset.rules


def _follow(
    rule: Rule, candidates: Sequence[Candidate], lineage: Mapping[str, AttributeLineage | Overridden]
) -> Choice | None:
    """The value of the record that won the attribute which this one follows; None when that record states none."""
    followed = lineage.get(rule.same_record_as) if rule.same_record_as is not None else None
    if not isinstance(followed, AttributeLineage):
        return None
    winner = next((each for each in candidates if each.member.record.key == followed.origin.record), None)
    if winner is None:
        return None
    others = sorted((each for each in candidates if each is not winner), key=lambda each: each.order)
    told = [(each, "same_value" if each.value == winner.value else "same_record") for each in others]
    rules = {lost_by for _, lost_by in told}
    return Choice(winner, "only_value" if not rules else "same_record" if "same_record" in rules else "same_value",
                  tuple(told))  # fmt: skip


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
    youngest = by_age[0].provenance.event_time
    return [
        Member(record, age, (youngest - record.provenance.event_time).total_seconds() / 86_400)
        for age, record in enumerate(by_age)
    ]


def _lineage(choice: Choice, fingerprint: str, part: str | None) -> AttributeLineage:
    """The lineage of a chosen value, or of one attribute of a chosen group."""
    return AttributeLineage(choice.winner.member.origin, choice.rule, fingerprint, _runners_up(choice.losers, part))


def _union_lineage(chosen: Sequence[Choice], fingerprint: str) -> AttributeLineage:
    elements = tuple(
        ElementLineage(choice.winner.member.origin, choice.rule, _runners_up(choice.losers, None)) for choice in chosen
    )
    return AttributeLineage(elements[0].origin, "union", fingerprint, (), elements)


def _extension_lineage(extended: Extended, fingerprint: str) -> AttributeLineage:
    elements = tuple(
        ElementLineage(choice.winner.member.origin, choice.rule, _runners_up(choice.losers, None), name)
        for name, choice in extended.chosen
    )
    return AttributeLineage(elements[0].origin, "union", fingerprint, (), elements)


def _runners_up(losers: Sequence[tuple[Candidate, str]], part: str | None) -> tuple[RunnerUp, ...]:
    return tuple(
        [
            RunnerUp(loser.member.record.key, loser.value if part is None else loser.value.get(part), lost_by)
            for loser, lost_by in losers[:MAX_RUNNERS_UP]
        ]
    )
