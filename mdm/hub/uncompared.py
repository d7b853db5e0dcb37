"""A look at pairs that nothing compares because what they have in common is shared by too many.

Blocks of coarse rules above their caps, and of rules that another refines, are no questions one by one: there are
thousands, and most say nothing (`mdm.core.oversize.reported`). So once a day, and on demand, some of their pairs are
scored with the released model, and where it would link any there is one question for the rule. It takes place outside
of arrival, on a snapshot, a bounded number of records at a time; no link, entity or golden record depends on it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from matching.features import derive
from matching.model import MatchModel
from matching.validity import NOTHING_KNOWN, Facts, contradiction, facts_of
from mdm.core.linking import decide_links
from mdm.core.oversize import Finding
from mdm.core.uncompared import (
    DRAWN,
    UNCOMPARED,
    Missed,
    Sampled,
    drawn_places,
    halvings_of,
    strongest,
    uncompared_finding,
    uncompared_question,
)
from mdm.hub.above_cap import AboveCap, above_cap_of, rules_of_large
from mdm.hub.oversized import row_of
from mdm.hub.process import Pipeline
from mdm.model.candidates import Pair, in_parts
from mdm.model.delta import Link
from mdm.model.ids import RESOLUTION_ORDER, CrosswalkKey, Domain, EntityId, RecordId
from mdm.store import evidence, neighbourhood, pairs, reach
from mdm.store.large_blocks import large_of, look_for_large, members_at
from mdm.store.oversize import named_questions, write_oversize
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

#: Records whose comparison forms are in memory at a time.
_AT_A_TIME = 2_000


@dataclass(frozen=True, slots=True)
class Looked:
    """What of a rule is above its cap, and what a sample of its pairs tells; None where stewards are asked about each
    block, or no rule in force makes the keys."""

    above: AboveCap
    sampled: Sampled | None

    @property
    def finding(self) -> Finding | None:
        """The question that this gives rise to."""
        if self.sampled is None or not self.sampled.found:
            return None
        crowd = self.above.crowd
        return uncompared_finding(self.above.domain, self.above.rule, crowd.blocks, crowd.records, self.sampled)


def look(pipeline: Pipeline, go_on: Callable[[], None] = lambda: None, *, most: int = DRAWN) -> list[Looked]:
    """Look at a sample of these pairs of every domain, and raise, change and close the questions about them.

    Args:
        go_on: called every now and then; what it raises ends the look, and nothing is written.
        most: pairs of each rule that are drawn, about; all of a rule that has no more.
    """
    found: list[Looked] = []
    with snapshot(pipeline.engine) as work:
        look_for_large(work, {domain: model.block_cap for domain, model in pipeline.rules.models.items()})
        for domain in RESOLUTION_ORDER:
            go_on()
            found += _look_at(work, domain, pipeline.rules.models[domain], most, go_on)
        asked = named_questions(work, UNCOMPARED)
    raised = [each.finding for each in found if each.finding is not None]
    if raised or asked:
        with unit_of_work(pipeline.engine, pipeline.clock, "look", alone=False) as work:
            over = named_questions(work, UNCOMPARED).keys() - {each.question for each in raised}
            write_oversize(work, [row_of(each) for each in raised], over, {})
    return found


def questions_of_rules(pipeline: Pipeline) -> dict[tuple[Domain, str], tuple[int, str]]:
    """The questions that the last look left, by domain and rule: the number of the exception, and its status."""
    with snapshot(pipeline.engine) as work:
        known = named_questions(work, UNCOMPARED)
    return {
        (domain, rule.name): known[question]
        for domain, model in pipeline.rules.models.items()
        for rule in (*model.blocking, *model.dynamic)
        if (question := uncompared_question(domain, rule.name)) in known
    }


@dataclass(frozen=True, slots=True)
class _Crowded:
    """The blocks of a domain that are above their caps: the size of each, and the place of its rule among those that
    are looked at; `order` is that of the rules."""

    sizes: Mapping[int, int]
    rule_of: Mapping[int, str]
    order: Mapping[str, int]

    def of_rule(self, rule: str) -> Iterator[tuple[int, int]]:
        """The blocks of a rule with their sizes, ascending."""
        return ((block, size) for block, size in sorted(self.sizes.items()) if self.rule_of.get(block) == rule)

    def counted_in(self, shared: Collection[int]) -> int | None:
        """In which of the blocks that two records share they are counted: one of the first rule that is looked at.

        None where one of these is not crowded, for then it compares them; and where stewards are asked about one as it
        is, for then its value may say nothing, and whoever answers that answers for its pairs.
        """
        if not self.sizes.keys() >= set(shared):
            return None
        rules = [(rule, block) for block in shared if (rule := self.rule_of.get(block))]
        if not all(rule in self.order for rule, _ in rules):
            return None
        return min(((self.order[rule], block) for rule, block in rules), default=(0, None))[1]


def _look_at(work: UnitOfWork, domain: Domain, model: MatchModel, most: int, go_on: Callable[[], None]) -> list[Looked]:
    rule_of = rules_of_large(work, domain, model)
    above = above_cap_of(work, domain, model, rule_of)
    order = {each.rule: place for place, each in enumerate(above) if each.rule and not each.asked}
    crowded = _Crowded({each.block: each.size for each in large_of(work, domain)}, rule_of, order)
    found = []
    for each in above:
        if each.rule not in order:
            found.append(Looked(each, None))
            continue
        halvings = halvings_of(each.crowd.pairs, most)
        drawn = [
            _Drawn(block, *places)
            for block, size in crowded.of_rule(each.rule)
            for places in drawn_places(block, size, halvings)
        ]
        found.append(Looked(each, _sampled(work, domain, model, crowded, each.crowd.pairs, drawn, go_on)))
    return found


class _Drawn(NamedTuple):
    """A pair of a block, as places in it."""

    block: int
    one: int
    other: int


def _sampled(
    work: UnitOfWork,
    domain: Domain,
    model: MatchModel,
    crowded: _Crowded,
    of: int,
    drawn: Collection[_Drawn],
    go_on: Callable[[], None],
) -> Sampled:
    """What the model says of the pairs that were drawn from so many."""
    members = members_at(work, ((each.block, place) for each in drawn for place in (each.one, each.other)))
    met = [(block, _ordered(members[block, one], members[block, other])) for block, one, other in drawn]
    keys: dict[RecordId, set[int]] = {}
    for block, rec in pairs.keys_of(work, {end for _, pair in met for end in pair}):
        keys.setdefault(rec, set()).add(block)
    alone = {pair for block, pair in met if crowded.counted_in(keys[pair[0]] & keys[pair[1]]) == block}
    links: list[Link] = []
    for part in in_parts(alone, {a for a, _ in alone}, _AT_A_TIME):
        go_on()
        ends = {end for pair in part for end in pair}
        links += decide_links(model, part, neighbourhood.load_comparisons(work, domain, ends))
    links = _askable(work, domain, model, links)
    names = pairs.record_names(work, {end for link in links for end in (link.a, link.b)})
    missed = [Missed(*_by_name(names[each.a], names[each.b]), each.decision, each.weight) for each in links]
    matches = sum(each.decision == "match" for each in missed)
    return Sampled(of, len(drawn), len(alone), matches, len(missed) - matches, strongest(missed))


def _askable(work: UnitOfWork, domain: Domain, model: MatchModel, links: Collection[Link]) -> list[Link]:
    """Those of these pairs that evidence does not compare, and whose entities could be one: no link and no judgement is
    between any of their members yet, and nothing that these state keeps the two apart."""
    ends = {end for link in links for end in (link.a, link.b)}
    made = evidence.evidence_pairs(work, domain, ends, model.block_cap) if domain is not Domain.CONTRACT else set()
    homes = reach.homes_of(work, ends)
    connected = reach.connected(work, sorted(set(homes.values())))
    between = {
        link: frozenset((homes[link.a], homes[link.b]))
        for link in links
        if (link.a, link.b) not in made and link.a in homes and link.b in homes
    }
    left = {link: pair for link, pair in between.items() if len(pair) == 2 and pair not in connected}
    facts = _facts(work, domain, model, {home for pair in left.values() for home in pair})
    return [link for link, (one, other) in left.items() if contradiction(facts[one], facts[other]) is None]


def _facts(
    work: UnitOfWork, domain: Domain, model: MatchModel, entities: Collection[EntityId]
) -> dict[EntityId, Facts]:
    """What the members of each of these entities state about its identity."""
    found = dict.fromkeys(entities, NOTHING_KNOWN)
    home_of = reach.members_of(work, entities)
    ids = sorted(home_of)
    for start in range(0, len(ids), _AT_A_TIME):
        some = neighbourhood.load_comparisons(work, domain, ids[start : start + _AT_A_TIME])
        for rec, comparison in some.items():
            stated = facts_of(model.cannot_link, derive(model.domain, comparison, model.common_tokens))
            found[home_of[rec]] = found[home_of[rec]].union(stated)
    return found


def _ordered(one: RecordId, other: RecordId) -> Pair:
    return (one, other) if one < other else (other, one)


def _by_name(one: CrosswalkKey, other: CrosswalkKey) -> tuple[CrosswalkKey, CrosswalkKey]:
    return (one, other) if one < other else (other, one)
