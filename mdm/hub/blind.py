"""Blind samples: pairs of records of all strata, judged twice by people who see neither weight nor decision.

What they say measures the matching and changes nothing. Precision and recall follow from it, per domain and platform,
and how far people agree with each other.
"""

import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from matching.model import MatchModel
from matching.scoring import score_pairs
from mdm.core import blind as pure
from mdm.errors import Conflict, Invalid, NotFound
from mdm.hub.in_force import in_force
from mdm.hub.reach import must_reach_all
from mdm.hub.steward.workplace import Workplace
from mdm.model.blind import SHARES, BlindVerdict, DrawnStratum, SampleHead, Stratum
from mdm.model.candidates import Pair
from mdm.model.ids import Domain, RecordId
from mdm.store import blind as store
from mdm.store.ledger import write_audit
from mdm.store.neighbourhood import load_comparisons
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

LEAST, USUAL, MOST = 20, 200, 5_000
#: Samples listed.
LISTED = 50
#: Bits below `possible` within which a pair is near, and within which one is drawn at all.
_NEAR, _DRAWN = 6.0, 16.0
#: Records whose candidates are looked up for the strata that are not stored, for each pair that these should have.
_SEEDS_PER_PAIR = 4
#: Strata whose sizes are told by what is found around some records.
_ESTIMATED = (Stratum.NEAR, Stratum.UNMET, Stratum.FAR)
_MOST_SEEDS = 2_000
_WHAT = "Blind samples"


@dataclass(frozen=True, slots=True)
class Told:
    """A sample with what it tells. `wrong` are complete pairs that people see otherwise than the hub did."""

    head: SampleHead
    strata: Mapping[Stratum, Mapping[str, Any]]
    report: pure.Report
    wrong: Sequence["Wrong"]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A pair that people judged otherwise than the hub, by the names of its rows."""

    stratum: Stratum
    weight: float | None
    a: str
    b: str


def draw(hub: Workplace, domain: Domain, size: int, actor: str, seed: str | None = None) -> SampleHead:
    """Draw a sample of about `size` pairs.

    Raises:
        Invalid: the size is too small to tell anything, or too large.
        Conflict: one of the domain is open.
        Refused: whoever asks reaches part of the hub.
    """
    must_reach_all(hub.engine, _WHAT)
    if not LEAST <= size <= MOST:
        raise Invalid(f"A sample of {size} pairs is not drawn.", action=f"Ask for {LEAST} to {MOST:,}.")
    seed = seed or secrets.token_hex(4)
    with unit_of_work(hub.engine, hub.clock, "sample") as work:
        if (there := store.open_sample(work, domain)) is not None:
            raise Conflict(
                f"Sample {there} of {domain.plural} is open.", action="Close it first: one is judged at a time."
            )
        model = in_force(work.query, hub.rules).models[domain]
        strata = _draw(work, domain, model, size, seed)
        sample_id = store.write_sample(work, domain, seed, model.fingerprint, strata, actor)
        detail = {"domain": domain.value, "pairs": sum(len(each.pairs) for each in strata), "seed": seed}
        write_audit(work, actor, "blind_sample.draw", f"blind sample {sample_id}", detail)
    return find(hub, sample_id)


def close(hub: Workplace, sample_id: int, actor: str) -> SampleHead:
    """Take no more answers; what is there is told.

    Raises:
        NotFound: there is no such sample.
        Conflict: it is closed.
    """
    told = orjson.dumps(pure.figures(tell(hub, sample_id).report)).decode()
    with unit_of_work(hub.engine, hub.clock, "sample") as work:
        done = work.query(
            """update blind_sample set closed_at = %s, closed_by = %s, figures = %s::jsonb
               where sample_id = %s and closed_at is null returning 1""",
            work.now, actor, told, sample_id,
        )  # fmt: skip
        if not done:
            raise Conflict(f"Sample {sample_id} is closed already.", action="Draw another one.")
        write_audit(work, actor, "blind_sample.close", f"blind sample {sample_id}", {})
    return find(hub, sample_id)


def samples(hub: Workplace) -> list[SampleHead]:
    """The samples, the newest first. Raises Refused: whoever asks reaches part of the hub."""
    must_reach_all(hub.engine, _WHAT)
    with hub.engine.connect() as connection:
        return store.heads(connection, LISTED)


def find(hub: Workplace, sample_id: int) -> SampleHead:
    """A sample by its number. Raises NotFound."""
    with hub.engine.connect() as connection:
        found = store.heads(connection, 1, sample_id)
    if not found:
        raise NotFound(f"There is no blind sample {sample_id}.", action="`mdm quality list` has them.")
    return found[0]


def tell(hub: Workplace, sample_id: int) -> Told:
    """What a sample tells so far; nothing of pairs that somebody is still to look at."""
    must_reach_all(hub.engine, _WHAT)
    head = find(hub, sample_id)
    with hub.engine.connect() as connection:
        strata, pairs = store.sizes(connection, sample_id), store.judged(connection, sample_id)
    wrong = [
        Wrong(each.stratum, weight, a, b)
        for _, each, weight, a, b in pairs
        if (same := pure.outcome(each.answers)) is not None and same is not (each.stratum is Stratum.JOINED)
    ]
    report = pure.report({each: float(known["size"]) for each, known in strata.items()}, [each[1] for each in pairs])
    return Told(head, strata, report, wrong)


def next_for(hub: Workplace, sample_id: int, person: str) -> tuple[int, RecordId, RecordId, Domain] | None:
    """The next pair for somebody: one that they have not judged, and that needs another answer."""
    must_reach_all(hub.engine, _WHAT)
    find(hub, sample_id)
    with hub.engine.connect() as connection:
        return store.next_pair(connection, sample_id, person)


def say(hub: Workplace, sample_id: int, pair_id: int, verdict: BlindVerdict, person: str) -> None:
    """Keep what somebody says of a pair. It changes no golden record.

    Raises:
        NotFound: the sample has no such pair.
        Conflict: it is closed, the person said something of the pair before, or enough others did.
    """
    must_reach_all(hub.engine, _WHAT)
    with unit_of_work(hub.engine, hub.clock, "sample") as work:
        rows = work.query(
            """select s.closed_at from blind_pair p join blind_sample s using (sample_id)
               where p.pair_id = %s and s.sample_id = %s for update of p""",
            pair_id, sample_id,
        )  # fmt: skip
        if not rows:
            raise NotFound(f"Blind sample {sample_id} has no pair {pair_id}.", action="Take the next one.")
        if rows[0][0] is not None:
            raise Conflict(f"Sample {sample_id} is closed.", action="Work on an open one.")
        said = work.query("select person, verdict from blind_answer where pair_id = %s order by at", pair_id)
        if person in {row[0] for row in said}:
            raise Conflict("You have judged this pair.", action="Take the next one; an answer is given once.")
        if not pure.wanted([(row[0], BlindVerdict(row[1])) for row in said]):
            raise Conflict("Others have judged this pair meanwhile.", action="Take the next one.")
        store.answer(work, pair_id, person, verdict)


def as_json(told: Told) -> dict[str, Any]:
    """For programs."""
    report = told.report
    return {
        **asdict(told.head),
        "strata": [
            {"stratum": each, "size": round(known["size"]), "counted": known["counted"], "drawn": known["drawn"]}
            for each, known in told.strata.items()
        ],
        "waiting": report.waiting,
        "undecided": report.undecided,
        "agreement": asdict(report.agreement),
        "by_people": [{"people": list(people), **asdict(each)} for people, each in report.by_pair_of_people.items()],
        "whole": asdict(report.whole),
        "by_source": [{"source": source, **asdict(each)} for source, each in report.by_source.items()],
        "wrong": [asdict(each) for each in told.wrong],
    }


def _draw(work: UnitOfWork, domain: Domain, model: MatchModel, size: int, seed: str) -> list[DrawnStratum]:
    chance = random.Random(f"{seed}/{domain}")  # noqa: S311 - a sample, not a secret
    number = {stratum: max(2, round(size * share)) for stratum, share in SHARES.items()}
    total, together = store.joined(work, domain, number[Stratum.JOINED], chance)
    links, across = store.asked(work, domain, number[Stratum.ASKED], seed)
    others = sum(number[each] for each in _ESTIMATED)
    records, chosen = store.seeds(work, domain, min(_MOST_SEEDS, _SEEDS_PER_PAIR * others), seed)
    compared = store.compared(work, domain, chosen, model.block_cap)
    unmet = store.sharing_a_word(work, domain, chosen) - compared
    below = sorted((compared | unmet) - store.linked(work, compared | unmet))
    weights = _weights(work, domain, model, below)
    pools: dict[Stratum, list[Pair]] = {each: [] for each in (*_ESTIMATED, Stratum.BEYOND)}
    for pair in below:
        pools[_stratum(model.thresholds.possible - weights[pair], pair in unmet)].append(pair)
    weights |= dict(across)
    drawn = {Stratum.JOINED: together, Stratum.ASKED: [pair for pair, _ in across], Stratum.BEYOND: []}
    drawn |= {each: chance.sample(pools[each], min(len(pools[each]), number[each])) for each in _ESTIMATED}
    there = set(chosen)
    sizes = {Stratum.JOINED: float(total), Stratum.ASKED: float(links)}
    sizes |= {each: _scaled(some, there, records) for each, some in pools.items()}
    systems = store.systems_of(work, {end for pairs in drawn.values() for pair in pairs for end in pair})
    counted = len(chosen) == records
    return [
        DrawnStratum(
            stratum,
            sizes[stratum],
            counted or stratum in (Stratum.JOINED, Stratum.ASKED),
            store.drawn(drawn[stratum], systems, weights),
        )
        for stratum in Stratum
    ]


def _stratum(bits_below: float, unmet: bool) -> Stratum:
    """Where a pair belongs that is neither joined nor asked about."""
    if bits_below > _DRAWN:
        return Stratum.BEYOND
    if bits_below > _NEAR:
        return Stratum.FAR
    return Stratum.UNMET if unmet else Stratum.NEAR


def _scaled(pairs: Sequence[Pair], seeds: set[RecordId], records: int) -> float:
    """How many such pairs the domain has: each was found by one or both of its ends being among the seeds."""
    halves = sum((a in seeds) + (b in seeds) for a, b in pairs)
    return halves / 2 * records / len(seeds) if seeds else 0.0


def _weights(work: UnitOfWork, domain: Domain, model: MatchModel, pairs: Sequence[Pair]) -> dict[Pair, float]:
    if not pairs:
        return {}
    forms = load_comparisons(work, domain, {end for pair in pairs for end in pair})
    known = [pair for pair in pairs if pair[0] in forms and pair[1] in forms]
    scores = score_pairs(model, [forms[a] for a, _ in known], [forms[b] for _, b in known])
    found = dict(zip(known, scores.weight.tolist(), strict=True))
    return {pair: round(found.get(pair, 0.0), 6) for pair in pairs}
