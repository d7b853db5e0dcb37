"""Search before create: which golden records a record that is not in the hub would match. Nothing is stored.

The candidate is blocked, scored and decided by the released model exactly as if it had arrived in a feed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process
from sqlalchemy import Engine

from matching.blocking import BlockingKey, block_hash, block_keys, block_keys_in, dynamic_keys
from matching.decision import Decision, decide
from matching.features import derive
from matching.features.values import texts
from matching.model import MatchModel
from matching.scoring import explain_pair, score_pairs, speaking_for
from mdm.core.rules import Rules
from mdm.hub.match_joining import Matched, refusals
from mdm.hub.match_references import Named, named_by
from mdm.hub.match_report import MatchReport, Ranked, unsaid_countries
from mdm.hub.reach import reachable
from mdm.intake.candidate import candidate_record, compared_attributes
from mdm.model.ids import Domain, EntityId, RecordId
from mdm.model.records import SourceRecord
from mdm.store import neighbourhood, pairs, reach, read_match
from mdm.store.reading import snapshot
from mdm.store.scoped import scope_of, unrestricted
from mdm.store.unit_of_work import UnitOfWork
from survivorship.writing import search_words

#: A search by name compares this many records by all the evidence; more are told apart by their names alone.
_NEAREST = 100


@dataclass(frozen=True, slots=True)
class Question:
    """A candidate: its canonical attributes, in which references name an entity (`entity_id`) or a source row
    (`system`, `type`, `key`). At most `limit` answers of at least `floor` bits; `anywhere` looks under the keys of
    every country that the hub has records of, for a candidate that states none.
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
        oversized = _find_mates(work, model, asked)
        if domain is Domain.CONTRACT:
            _find_numbered(work, asked)
            for each in asked:
                for rec, keys in _siblings(work, model, each.comparison).items():
                    each.shared.setdefault(rec, set()).update(keys)
        others = neighbourhood.load_comparisons(work, domain, {rec for each in asked for rec in each.shared})
        best = _best_of_each(model, asked, others, read_match.homes(work, others))
        reached = {EntityId(one) for one in reachable(engine, {one.entity_id for met in best for one in met})}
        for each, met in zip(asked, best, strict=True):
            each.choose(model, met, reached, others)
        matched = [each.matched(model, met, others) for each, met in zip(asked, best, strict=True)]
        for each, refused in zip(asked, refusals(work, model, matched, others), strict=True):
            each.refused = refused
        homes = read_match.golden_homes(work, {best.rec_id for each in asked for best in each.told})
    return [_report(model, domain, each, others, homes, oversized) for each in asked]


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
    named: Named = field(default_factory=Named)
    #: Entities of which a record matches and that the candidate would not join all the same, and why.
    refused: Mapping[EntityId, str] = field(default_factory=dict)

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

    def matched(
        self, model: MatchModel, best: Sequence["_Best"], others: Mapping[RecordId, Mapping[str, Any]]
    ) -> Matched:
        """The entities of which a record matches, by the pair alone."""
        worth = (one for one in best if one.weight >= model.thresholds.match)
        found = (one for one in worth if _decision(model, self.comparison, others[one.rec_id]) is Decision.MATCH)
        return Matched(self.comparison, [one.entity_id for one in found])

    def choose(
        self,
        model: MatchModel,
        best: Sequence["_Best"],
        reached: Collection[EntityId],
        others: Mapping[RecordId, Mapping[str, Any]],
    ) -> None:
        """Whom to tell: the best of those that the caller may reach; of the others only how many match or may."""
        self.compared = sum(rec in others for rec in self.shared)
        ranked = sorted((one for one in best if one.entity_id in reached), key=lambda one: one.rank)
        worth = [one for one in ranked if one.same_number or one.weight >= self.question.floor]
        # Who has a number of the candidate is not crowded out by names that resemble its own a little.
        first = sorted(worth, key=lambda one: one.weight < model.thresholds.possible and not one.same_number)
        self.told = sorted(first[: self.question.limit], key=lambda one: one.rank)
        hidden = [one for one in best if one.entity_id not in reached]
        self.out_of_reach = sum(
            one.same_number or _decision(model, self.comparison, others[one.rec_id]) is not Decision.NONE
            for one in hidden
        )
        # Without a rule about rivals only those that fit exactly as well: which of them it is, nobody can tell.
        rival = model.thresholds.rival or 0.0
        near = [one for one in ranked[1:] if ranked[0].weight - one.weight <= rival]
        self.rivalled = any(_decision(model, self.comparison, others[one.rec_id]) is Decision.MATCH for one in near)


def _keys(model: MatchModel, comparison: Mapping[str, Any], countries: Sequence[str]) -> Mapping[int, BlockingKey]:
    """What to look under; a record that states no country is looked for in each of `countries`.

    Those that there are records of: all of the world's would make some 1,500 keys.
    """
    if countries and "country" not in comparison:
        keys = block_keys_in(model, comparison, "country", countries)
    else:
        keys = block_keys(model, comparison)
    return {block_hash(model.domain, key): key for key in keys}


#: Letters of a name that its keys begin with, and one more.
_BEGINNING = 6


def _exchanged(words: str) -> Iterator[str]:
    """The words with two neighbouring letters of their beginning exchanged.

    Most keys begin as the name does, so a slip there would leave nothing in common but how the name ends.
    """
    for at in range(min(_BEGINNING, len(words)) - 1):
        left, right = words[at], words[at + 1]
        if left.isalnum() and right.isalnum() and left.lower() != right.lower():
            yield f"{words[:at]}{right}{left}{words[at + 2 :]}"


def _find_mates(work: UnitOfWork, model: MatchModel, asked: Sequence[_Asked]) -> frozenset[int]:
    """Who shares a key with whom, in one question for all candidates; answers the keys that too many records carry."""
    mates = read_match.block_mates(work, {block for each in asked for block in each.keys}, model.block_cap)
    for rec, blocks in mates.shared.items():
        for each in asked:
            found = {each.keys[block] for block in blocks if block in each.keys}
            if found:
                each.shared[rec] = found
    return mates.oversized


def _find_numbered(work: UnitOfWork, asked: Sequence[_Asked]) -> None:
    """Who is called by a candidate's number, also where matching does not compare it (a subscription's own)."""
    terms = ["".join(search_words(str(each.question.values.get("number") or ""))) for each in asked]
    found = read_match.entities_of_term(work, Domain.CONTRACT, {term for term in terms if term})
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
    """For every candidate the entities it meets, each through its best member: all pairs of all are scored at once."""
    met = [sorted(rec for rec in each.shared if rec in others and rec in homes) for each in asked]
    left = [each.comparison for each, ids in zip(asked, met, strict=True) for _ in ids]
    right = [others[rec] for ids in met for rec in ids]
    weights = score_pairs(model, left, right).weight.tolist() if left else []
    found, place = [], 0
    for each, ids in zip(asked, met, strict=True):
        known = set()
        if _known_by_number(model.domain, each.comparison) and (numbers := _numbers(model, each.comparison)):
            known = {rec for rec in ids if rec in each.numbered or numbers & _numbers(model, others[rec])}
        found.append(_best_of_each_entity(ids, weights[place : place + len(ids)], homes, known))
        place += len(ids)
    return found


#: By domain, further columns of numbers by which one is known. A company has a D-U-N-S number for every site.
_NUMBERS: Mapping[str, Sequence[str]] = {Domain.CONTRACT: ("numbers",), Domain.CUSTOMER: ("identifiers",)}


def _numbers(model: MatchModel, comparison: Mapping[str, Any]) -> frozenset[str]:
    """The identifiers of a record, those of its sites too, and the numbers of a contract."""
    columns = derive(model.domain, comparison, model.common_tokens)
    names = (*model.cannot_link.identifiers, *_NUMBERS.get(model.domain, ()))
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
    siblings = len(dynamic_keys(model, asked.comparison)) if "customer" in asked.comparison else 0
    own = frozenset(asked.comparison.get("self", ()))  # every record is looked for under its own name, too
    return MatchReport(
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
        looked_under=siblings
        + sum(block not in oversized and key.value not in own for block, key in asked.keys.items()),
    )


def _decision(model: MatchModel, comparison: Mapping[str, Any], other: Mapping[str, Any]) -> Decision:
    """Whether a record matches the candidate, or may."""
    score = explain_pair(model, comparison, other)
    return decide(model, score.weight, score.veto)


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
        _find_mates(work, model, [asked])
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
            (rec, weight) for rec, weight, speaks in zip(ids, scores.weight.tolist(), speaking, strict=True) if speaks
        ]
        best = _best_of_each_entity([rec for rec, _ in told], [weight for _, weight in told], homes)
    return [each.entity_id for each in sorted(best, key=lambda each: each.rank)[:limit]]


@dataclass(frozen=True, slots=True)
class _Best:
    """The member of an entity that resembles the candidate most."""

    rec_id: RecordId
    entity_id: EntityId
    weight: float
    compared: int
    same_number: bool = False

    @property
    def rank(self) -> tuple[float, str]:
        return -self.weight, self.entity_id


def _best_of_each_entity(
    ids: Sequence[RecordId],
    weights: Sequence[float],
    homes: Mapping[RecordId, EntityId],
    known: Collection[RecordId] = (),
) -> Sequence[_Best]:
    """`known` are the records that state a number of the candidate."""
    members: dict[EntityId, list[tuple[float, RecordId]]] = {}
    for rec, weight in zip(ids, weights, strict=True):
        members.setdefault(homes[rec], []).append((weight, rec))
    best = []
    for entity_id, scored in members.items():
        weight, rec = max(scored, key=lambda each: (each[0], -each[1]))
        best.append(_Best(rec, entity_id, weight, len(scored), any(each in known for _, each in scored)))
    return best


def _ranked(model: MatchModel, asked: _Asked, other: Mapping[str, Any], home: read_match.Home, best: _Best) -> Ranked:
    score = explain_pair(model, asked.comparison, other)
    decision = decide(model, score.weight, score.veto)
    refused = asked.refused.get(best.entity_id) if decision is Decision.MATCH else None
    return Ranked(
        home,
        score,
        Decision.POSSIBLE if refused is not None else decision,
        tuple(sorted(asked.shared[best.rec_id])),
        best.compared,
        best.same_number,
        refused,
    )


def _siblings(work: UnitOfWork, model: MatchModel, comparison: Mapping[str, Any]) -> dict[RecordId, set[BlockingKey]]:
    """Contracts of the candidate's customer that share a key which only the customer makes possible."""
    if "customer" not in comparison:
        return {}
    customer = EntityId(comparison["customer"])
    records = pairs.contracts_of_customers(work, [customer]).get(customer, [])
    others = neighbourhood.load_comparisons(work, Domain.CONTRACT, records)
    own = {*dynamic_keys(model, comparison)}
    found = {rec: own & {*dynamic_keys(model, other)} for rec, other in others.items()}
    return {rec: keys for rec, keys in found.items() if keys}
