"""Search before create: which golden records a record that is not in the hub would match. Nothing is stored.

The candidate is blocked, scored and decided by the released model exactly as if it had arrived in a feed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process
from sqlalchemy import Engine

from matching.blocking import BlockingKey, block_hash, block_keys, block_keys_in, dynamic_keys
from matching.clustering import Edge
from matching.decision import Decision, decide
from matching.features import derive
from matching.features.values import texts
from matching.model import MatchModel
from matching.scoring import explain_pair, score_pairs, speaking_for
from mdm.core.rules import Rules
from mdm.hub.match_joining import DIGITS, NEWCOMER, UNMET, Joining, Newcomer, joinings
from mdm.hub.match_numbered import numbered
from mdm.hub.match_references import Named, Reach, named_by
from mdm.hub.match_report import Advice, MatchReport, Ranked, namesakes, unsaid_countries
from mdm.hub.reach import reachable
from mdm.intake.candidate import candidate_record, compared_attributes
from mdm.model.ids import Domain, EntityId, RecordId
from mdm.model.records import SourceRecord
from mdm.store import neighbourhood, reach, read_match
from mdm.store.reading import snapshot
from mdm.store.scoped import scope_of, unrestricted
from mdm.store.unit_of_work import UnitOfWork
from survivorship.writing import search_words

#: A search by name compares this many records by all the evidence; more are told apart by their names alone.
_NEAREST = 100


@dataclass(frozen=True, slots=True)
class Question:
    """A candidate: its canonical attributes, in which references name an entity (`entity_id`) or a source row
    (`system`, `type`, `key`). At most `limit` answers of at least `floor` bits, or that are asked about whatever they
    weigh; `anywhere` looks under the keys of every country that the hub has records of, for a candidate that states
    none.
    """

    values: Mapping[str, Any]
    limit: int = 10
    floor: float = 0.0
    anywhere: bool = False


def find_matches(
    engine: Engine, rules: Rules, domain: Domain, values: Mapping[str, Any], limit: int = 10, floor: float = 0.0
) -> MatchReport:
    """Rank the golden records that one candidate may be."""
    return find_many(engine, rules, domain, [Question(values, limit, floor)])[0]


def find_many(engine: Engine, rules: Rules, domain: Domain, questions: Sequence[Question]) -> list[MatchReport]:
    """Rank the golden records that each of many candidates may be: one look into the store, one scoring for all."""
    model = rules.models[domain]
    asked = [_Asked(each, candidate_record(domain, each.values)) for each in questions]
    with snapshot(unrestricted(engine)) as work:
        anywhere = any(each.question.anywhere for each in asked)
        countries = read_match.countries(work, domain) if anywhere else ()
        if domain is Domain.CONTRACT:
            named = named_by(work, [each.question.values for each in asked], partial(reachable, engine))
            for each, found in zip(asked, named, strict=True):
                each.refer(found)
        for each in asked:
            each.keys = _keys(model, each.comparison, countries if each.question.anywhere else ())
        # The candidate would be one more in each of its blocks.
        mates = read_match.block_mates(work, {key for each in asked for key in each.keys}, model.block_cap, others=1)
        _find_mates(asked, mates)
        if domain is Domain.CONTRACT:
            _find_numbered(work, asked, partial(reachable, engine) if scope_of(engine).limits_rows else None)
        others = neighbourhood.load_comparisons(work, domain, {rec for each in asked for rec in each.shared})
        best = _best_of_each(model, asked, others, read_match.homes(work, others))
        reached = {EntityId(one) for one in reachable(engine, {one.entity_id for met in best for one in met})}
        outcomes = joinings(work, model, [each.newcomer for each in asked], others)
        for each, met, outcome in zip(asked, best, outcomes, strict=True):
            each.joining = outcome
            each.choose(model, met, reached)
        homes = read_match.golden_homes(work, {best.rec_id for each in asked for best in each.told})
    return [_report(model, domain, each, others, homes, mates.oversized) for each in asked]


@dataclass(slots=True)
class _Asked:
    """One candidate on its way: under which keys it is looked for, whom it meets there, who is told."""

    question: Question
    record: SourceRecord
    comparison: dict[str, Any] = field(init=False)
    keys: Mapping[int, BlockingKey] = field(default_factory=dict)
    shared: dict[RecordId, set[BlockingKey]] = field(default_factory=dict)
    #: Records of contracts whose golden record has the candidate's number, be it that of a subscription.
    numbered: set[RecordId] = field(default_factory=set)
    compared: int = 0
    told: Sequence["_Best"] = ()
    out_of_reach: int = 0
    rivalled: bool = False
    asks: bool = False
    named: Named = field(default_factory=Named)
    #: The links that it would have on arrival, and what would become of it.
    edges: Sequence[Edge] = ()
    joining: Joining = field(default_factory=Joining)

    def __post_init__(self) -> None:
        self.comparison = dict(self.record.comparison)

    def refer(self, named: Named) -> None:
        """Take in what the hub joins into a contract: the entities of its customer and its products."""
        self.named = named
        if named.customer is not None:
            self.comparison["customer"] = named.customer
        if named.products:
            self.comparison["products"] = list(named.products)

    def narrow(self, names: Mapping[RecordId, str], nearest: int) -> None:
        """Keep the records whose names resemble the candidate's most."""
        name = str(self.question.values.get("name") or self.question.values.get("number") or "")
        ranked = process.extract(name, names, scorer=fuzz.token_sort_ratio, processor=default_process, limit=nearest)
        kept = {rec for _, _, rec in ranked}
        self.shared = {rec: keys for rec, keys in self.shared.items() if rec in kept}

    def keep(self, homes: Mapping[RecordId, EntityId], reached: Collection[str]) -> None:
        """Keep the records of entities that the caller may reach."""
        self.shared = {rec: keys for rec, keys in self.shared.items() if homes.get(rec) in reached}

    @property
    def newcomer(self) -> Newcomer:
        return Newcomer(self.record.key, self.comparison, self.edges)

    def choose(self, model: MatchModel, best: Sequence["_Best"], reached: Collection[EntityId]) -> None:
        """Whom to tell: the best of those that the caller may reach, whoever would be joined before all; of the others
        only how many match or may."""
        self.compared = sum(each.compared for each in best)
        joined = self.joining.joined
        little = model.thresholds.possible
        # Who has a number of the candidate, or is asked about, is not crowded out by what resembles it a little.
        ranked = sorted(
            (one for one in best if one.entity_id in reached),
            key=lambda one: (
                one.entity_id not in joined or one.decision is not Decision.MATCH,
                one.weight < little and not (one.same_number or _is_asked(model, one)),
                one.rank,
            ),
        )
        worth = [
            one
            for one in ranked
            if one.same_number or one.entity_id in joined or one.weight >= self.question.floor or _is_asked(model, one)
        ]
        self.told = worth[: self.question.limit]
        hidden = [one for one in best if one.entity_id not in reached]
        self.out_of_reach = sum(one.same_number or one.decision is not Decision.NONE for one in hidden)
        self.asks = any(one.decision is not Decision.NONE for one in ranked)
        self.rivalled = self._rivalled(model, [one for one in best if one.decision is Decision.MATCH])

    def _rivalled(self, model: MatchModel, matching: Sequence["_Best"]) -> bool:
        """Whether two golden records match about as well, by the model's rule about rivals, which of them it is nobody
        can tell: they would become one by its arrival. Without such a rule, too, where only one would be joined.
        """
        rule, joined = model.thresholds.rival, self.joining.joined
        first = min((one for one in matching if one.entity_id in joined), key=lambda one: one.rank, default=None)
        if first is None:
            return False
        near = (one for one in matching if one is not first and first.weight - one.weight <= (rule or 0.0))
        return any(rule is None or one.entity_id in joined for one in near)


def _keys(model: MatchModel, comparison: Mapping[str, Any], countries: Sequence[str]) -> Mapping[int, BlockingKey]:
    """What to look under; a record that states no country is looked for in each of `countries`.

    Those that there are records of: all of the world's would make some 1,500 keys.
    """
    if countries and "country" not in comparison:
        keys = block_keys_in(model, comparison, "country", countries)
    else:
        keys = (*block_keys(model, comparison), *dynamic_keys(model, comparison))
    return {block_hash(model, key): key for key in keys}


#: Letters of a name that its keys begin with, and one more.
_BEGINNING = 7


def _exchanged(words: str) -> Iterator[str]:
    """The words with two neighbouring letters of their beginning exchanged.

    Most keys begin as the name does, so a slip there would leave nothing in common but how the name ends.
    """
    for at in range(min(_BEGINNING, len(words)) - 1):
        left, right = words[at], words[at + 1]
        if left.isalnum() and right.isalnum() and left.lower() != right.lower():
            yield f"{words[:at]}{right}{left}{words[at + 2 :]}"


def _find_mates(asked: Sequence[_Asked], mates: read_match.BlockMates) -> None:
    """Who shares a key with whom."""
    for rec, blocks in mates.shared.items():
        for each in asked:
            found = {each.keys[block] for block in blocks if block in each.keys}
            if found:
                each.shared[rec] = found


def _find_numbered(work: UnitOfWork, asked: Sequence[_Asked], reach_of: Reach | None) -> None:
    """Who is called by a candidate's number, also where matching does not compare it (a subscription's own)."""
    terms = ["".join(search_words(str(each.question.values.get("number") or ""))) for each in asked]
    found = numbered(work, Domain.CONTRACT, {term for term in terms if term}, reach_of)
    homes = reach.members_of(work, {entity for entities in found.values() for entity in entities})
    for each, term in zip(asked, terms, strict=True):
        each.numbered = {rec for rec, entity in homes.items() if entity in found.get(term, ())}
        for rec in each.numbered:
            each.shared.setdefault(rec, set())


def _best_of_each(
    model: MatchModel,
    asked: Sequence[_Asked],
    others: Mapping[RecordId, Mapping[str, Any]],
    homes: Mapping[RecordId, EntityId],
) -> list[Sequence["_Best"]]:
    """For every candidate the entities it meets, each through its best member: all pairs of all are scored at once.

    Also notes the links that each would have on arrival.
    """
    met = [sorted(rec for rec in each.shared if rec in others and rec in homes) for each in asked]
    left = [each.comparison for each, ids in zip(asked, met, strict=True) for _ in ids]
    right = [others[rec] for ids in met for rec in ids]
    scores = score_pairs(model, left, right) if left else None
    pairs = list(zip(scores.weight.tolist(), scores.veto, strict=True)) if scores is not None else []
    found, place = [], 0
    for each, ids in zip(asked, met, strict=True):
        mine = [
            Edge(NEWCOMER, rec, round(weight, DIGITS), decide(model, weight, veto), veto)
            for rec, (weight, veto) in zip(ids, pairs[place : place + len(ids)], strict=True)
        ]
        # Who is found by its number alone would not be compared.
        each.edges = [edge for edge in mine if edge.decision is not Decision.NONE and each.shared[RecordId(edge.b)]]
        known = set()
        if _known_by_number(model.domain, each.comparison) and (numbers := _numbers(model, each.comparison)):
            known = {rec for rec in ids if rec in each.numbered or numbers & _numbers(model, others[rec])}
        found.append(_best_of_each_entity(mine, homes, known))
        place += len(ids)
    return found


#: By domain, further columns of numbers by which one is known. A company has a D-U-N-S number for every site.
_NUMBERS: Mapping[str, Sequence[str]] = {Domain.CONTRACT: ("numbers",), Domain.CUSTOMER: ("identifiers",)}


def _numbers(model: MatchModel, comparison: Mapping[str, Any]) -> frozenset[str]:
    """The identifiers of a record, those of its sites too, and the numbers of a contract."""
    columns = derive(model.domain, comparison, model.common_tokens)
    # What parts contracts is also whose they are, and that is no number.
    parting = () if model.domain == Domain.CONTRACT else model.cannot_link.identifiers
    names = (*parting, *_NUMBERS.get(model.domain, ()))
    return frozenset(value for name in names for value in texts(columns, name))


def _known_by_number(domain: str, comparison: Mapping[str, Any]) -> bool:
    """Whether a number is enough to know a candidate by, whatever else differs.

    A renewal keeps the number of its contract, so a number alone weighs little; but somebody who does not know the
    whole term asks for whatever has the number.
    """
    return domain != Domain.CONTRACT or not {"start", "end"} <= comparison.keys()


def _report(
    model: MatchModel,
    domain: Domain,
    asked: _Asked,
    others: Mapping[RecordId, Mapping[str, Any]],
    homes: Mapping[RecordId, read_match.Home],
    oversized: frozenset[int],
) -> MatchReport:
    known = compared_attributes(domain)
    values = asked.question.values
    own = frozenset(asked.comparison.get("self", ()))  # every record is looked for under its own name, too
    report = MatchReport(
        domain=domain,
        record=asked.record,
        unused=tuple(sorted(name for name, value in values.items() if value is not None and name not in known)),
        candidates=tuple(
            _ranked(model, asked, others[each.rec_id], homes[each.rec_id], each)
            for each in asked.told
            if each.rec_id in homes
        ),
        compared=asked.compared,
        oversized=tuple(sorted(key for block, key in asked.keys.items() if block in oversized)),
        model=model.fingerprint,
        out_of_reach=asked.out_of_reach,
        rivalled=asked.rivalled,
        dangling=asked.named.rejected,
        remarks=(*asked.named.remarks, *unsaid_countries(asked.record)),
        asks=asked.asks,
        looked_under=sum(block not in oversized and key.value not in own for block, key in asked.keys.items()),
    )
    return (
        report if report.advice is Advice.USE else replace(report, remarks=(*report.remarks, *namesakes(model, report)))
    )


def find_alike(engine: Engine, rules: Rules, domain: Domain, words: str, limit: int) -> Sequence[EntityId]:
    """Entities whose name or code resembles these words, best first: a search that forgives mistakes in typing.

    It looks where the matcher looks (blocking keys) and ranks as the matcher ranks. Only what speaks for an entity
    counts: records that merely share a key are left out.
    """
    attribute = "number" if domain is Domain.CONTRACT else "name"
    values: dict[str, Any] = {attribute: words}
    if domain is Domain.PRODUCT and any(character.isdigit() for character in words):
        values["code"] = words
    model = rules.models[domain]
    question = Question(values, anywhere=domain is Domain.CUSTOMER)
    asked = _Asked(question, candidate_record(domain, values))
    with snapshot(unrestricted(engine)) as work:
        countries = read_match.countries(work, domain) if question.anywhere else ()
        meant = (words, *(_exchanged(words) if domain is not Domain.CONTRACT else ()))
        for each in meant:
            comparison = candidate_record(domain, values | {attribute: each}).comparison
            asked.keys = {**_keys(model, comparison, countries), **asked.keys}
        # Nobody is joined by it: who has a common name is looked for as far as who has a mailbox.
        _find_mates([asked], read_match.block_mates(work, asked.keys, model.block_cap, lower=False))
        if scope_of(engine).limits_rows:
            # Before the nearest are picked: records out of reach must not take the places of those within.
            at_home = read_match.homes(work, asked.shared)
            asked.keep(at_home, reachable(engine, set(at_home.values())))
        if len(asked.shared) > (nearest := max(_NEAREST, limit)):
            asked.narrow(read_match.names(work, asked.shared), nearest)
        others = neighbourhood.load_comparisons(work, domain, asked.shared)
        homes = read_match.homes(work, others)
        ids = sorted(rec for rec in others if rec in homes)
        if not ids:
            return []
        scores = score_pairs(model, [asked.comparison] * len(ids), [others[rec] for rec in ids])
        speaking = speaking_for(model, scores).tolist()
        told = [
            Edge(NEWCOMER, rec, weight, Decision.NONE)
            for rec, weight, speaks in zip(ids, scores.weight.tolist(), speaking, strict=True)
            if speaks
        ]
        best = _best_of_each_entity(told, homes)
    return [each.entity_id for each in sorted(best, key=lambda each: each.rank)[:limit]]


@dataclass(frozen=True, slots=True)
class _Best:
    """The member of an entity that matches the candidate best, or else resembles it most."""

    rec_id: RecordId
    entity_id: EntityId
    weight: float
    decision: Decision
    compared: int
    same_number: bool = False

    @property
    def rank(self) -> tuple[float, str]:
        return -self.weight, self.entity_id


#: What decides which member stands for its entity, the most telling last.
_TELLING = (Decision.NONE, Decision.POSSIBLE, Decision.MATCH)


def _is_asked(model: MatchModel, one: _Best) -> bool:
    """Whether it is a question although it weighs too little for one."""
    return one.decision is Decision.POSSIBLE and one.weight < model.thresholds.possible


def _best_of_each_entity(
    edges: Sequence[Edge], homes: Mapping[RecordId, EntityId], known: Collection[RecordId] = ()
) -> Sequence[_Best]:
    """`known` are the records that state a number of the candidate."""
    members: dict[EntityId, list[Edge]] = {}
    for edge in edges:
        members.setdefault(homes[RecordId(edge.b)], []).append(edge)
    best = []
    for entity_id, scored in members.items():
        most = max(scored, key=lambda edge: (_TELLING.index(edge.decision), edge.weight, -edge.b))
        numbered = any(edge.b in known for edge in scored)
        best.append(_Best(RecordId(most.b), entity_id, most.weight, most.decision, len(scored), numbered))
    return best


def _ranked(model: MatchModel, asked: _Asked, other: Mapping[str, Any], home: read_match.Home, best: _Best) -> Ranked:
    refused = None
    if best.decision is Decision.MATCH and best.entity_id not in asked.joining.joined:
        refused = asked.joining.refused.get(best.entity_id, UNMET)
    return Ranked(
        home,
        explain_pair(model, asked.comparison, other),
        Decision.POSSIBLE if refused is not None else best.decision,
        tuple(sorted(asked.shared[best.rec_id])),
        best.compared,
        best.same_number,
        refused,
    )
