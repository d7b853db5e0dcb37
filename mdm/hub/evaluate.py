"""How good identity is on a world with known truth: precision and recall of entities, per domain.

The world's change events run through the very functions of the live path, in memory, without a database; only then is
the truth read.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from matching.assessment import Bin, reliability
from matching.capping import Capped, capped, never_compared
from matching.decision import Decision
from matching.evaluation import Quality, Report, candidate_recall, evaluate
from matching.model import MatchModel
from matching.scoring import score_pairs
from mdm.core.former import bears_witness, since_birth, with_former
from mdm.core.mirror import mirror
from mdm.core.rules import Rules
from mdm.core.whole import WholeDomain, WholeRecord, resolve_all
from mdm.errors import OperatorError
from mdm.intake.catalogue import Catalogue
from mdm.intake.debezium import translate
from mdm.intake.mapping import standardise
from mdm.model.events import Message
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.model.mirror import KnownMirror, Version
from mdm.model.records import Provenance
from mdm.streams.file import FileFeed

#: The truth file of each domain and its entity column.
_TRUTH: Mapping[Domain, tuple[str, str]] = {
    Domain.CUSTOMER: ("customers.csv", "entity_id"),
    Domain.CONTRACT: ("contracts.csv", "contract_id"),
    Domain.PRODUCT: ("products.csv", "product_id"),
}

_POLL = 10_000


@dataclass(frozen=True, slots=True)
class DomainQuality:
    """Entities compared with the truth.

    `automatic` is how right the matches are that were followed, as pairs; `queued` is the number of record pairs that
    wait for a steward and `hopeless` those of them with a negative weight; `queue_recall` is the share of true pairs
    that are joined or wait. `calibration` holds what weights of compared pairs promise beside what is so, `capped` the
    blocks that pair nobody because too many records share them.
    """

    report: Report
    candidate_recall: float
    automatic: Quality
    automatic_pairs: int
    queued: int
    hopeless: int
    queue_recall: float
    calibration: tuple[Bin, ...]
    capped: Capped


def world_records(catalogue: Catalogue, events: Path) -> list[WholeRecord]:
    """The live records of a capture, folded and standardised in memory."""
    feed = FileFeed(events)
    messages: list[Message] = []
    while batch := feed.poll(_POLL, 0):
        messages.extend(batch)
    changes = translate(messages, catalogue).events
    keys = sorted({event.key for event in changes if event.key is not None})
    known = KnownMirror(rec_ids={key: RecordId(number) for number, key in enumerate(keys)}, heads={})
    delta = mirror(changes, known)
    histories: dict[CrosswalkKey, list[Version]] = {key: [] for key in keys}
    for rec, version in delta.versions:
        histories[keys[rec]].append(version)
    records = []
    for head in delta.heads:
        if head.deleted:
            continue
        row = head.row or {}
        record = standardise(catalogue, head.key, row)
        if bears_witness(catalogue, head.key):
            record = with_former(catalogue, head.key, row, record, since_birth(histories[head.key]))
        provenance = Provenance(head.place, head.position, head.event_time, head.lsn, head.transaction)
        records.append(WholeRecord(head.rec_id, record, provenance))
    return records


def evaluate_world(catalogue: Catalogue, rules: Rules, world: Path) -> dict[Domain, DomainQuality]:
    """Resolve a world from its events and compare with its truth.

    Raises:
        OperatorError: the folder is no world.
    """
    check_world(world)
    records = world_records(catalogue, world / "events")
    state = resolve_all(records, frozenset(), frozenset(), rules)
    names = {each.rec_id: each.record.key for each in records}
    return {domain: _quality(rules.models[domain], found, names, world) for domain, found in state.items()}


def check_world(world: Path) -> None:
    """Raises OperatorError when the folder is no world."""
    if not (world / "events").is_dir() or not (world / "truth").is_dir():
        raise OperatorError(
            f"{world} is not a world: it needs the folders events and truth.",
            action="Give a folder with events/PLATFORM.jsonl.gz and truth/customers.csv, contracts.csv, products.csv.",
        )


def _quality(
    model: MatchModel, found: WholeDomain, names: Mapping[RecordId, CrosswalkKey], world: Path
) -> DomainQuality:
    domain = Domain(model.domain)
    clusters = {key: first for first, entity in found.entities.items() for key in entity.members}
    truth = {key: entity for key, entity in true_entities(domain, world).items() if key in clusters}
    waiting = {
        (names[a], names[b]): link
        for (a, b), link in found.links.items()
        if names[a] in truth and names[b] in truth and clusters[names[a]] != clusters[names[b]]
    }
    followed = [
        (names[a], names[b])
        for (a, b), link in found.links.items()
        if link.decision == Decision.MATCH.value and names[a] in truth and names[b] in truth
        if clusters[names[a]] == clusters[names[b]]
    ]
    right = sum(truth[a] == truth[b] for a, b in followed)
    return DomainQuality(
        report=evaluate({key: clusters[key] for key in truth}, truth),
        candidate_recall=candidate_recall(((names[a], names[b]) for a, b in found.candidates), truth),
        automatic=Quality(right / len(followed) if followed else 1.0, candidate_recall(followed, truth)),
        automatic_pairs=len(followed),
        queued=len(waiting),
        hopeless=sum(link.weight < 0 for link in waiting.values()),
        queue_recall=candidate_recall(_answered(clusters, truth, waiting), truth),
        calibration=_calibration(model, found, names, truth),
        capped=capped(model, found.large, never_compared(_entities(found, names, truth), found.candidates)),
    )


def _entities(
    found: WholeDomain, names: Mapping[RecordId, CrosswalkKey], truth: Mapping[CrosswalkKey, str]
) -> dict[int, str]:
    return {rec: truth[names[rec]] for rec in found.comparisons if names[rec] in truth}


def _calibration(
    model: MatchModel,
    found: WholeDomain,
    names: Mapping[RecordId, CrosswalkKey],
    truth: Mapping[CrosswalkKey, str],
) -> tuple[Bin, ...]:
    pairs = sorted((a, b) for a, b in found.candidates if names[a] in truth and names[b] in truth)
    if not pairs:
        return ()
    left, right = zip(*pairs, strict=True)
    scores = score_pairs(model, [found.comparisons[a] for a in left], [found.comparisons[b] for b in right])
    matches = np.array([truth[names[a]] == truth[names[b]] for a, b in pairs], dtype=np.int8)
    return reliability(scores.weight, matches)


def _answered(
    clusters: Mapping[CrosswalkKey, CrosswalkKey],
    truth: Mapping[CrosswalkKey, str],
    waiting: Iterable[tuple[CrosswalkKey, CrosswalkKey]],
) -> Iterator[tuple[CrosswalkKey, CrosswalkKey]]:
    """Pairs that are joined, and all pairs between two entities that a steward is asked about."""
    members: dict[CrosswalkKey, list[CrosswalkKey]] = {}
    for key, first in clusters.items():
        if key in truth:
            members.setdefault(first, []).append(key)
    for keys in members.values():
        yield from ((a, b) for i, a in enumerate(keys) for b in keys[i + 1 :])
    for one, other in {tuple(sorted((clusters[a], clusters[b]))) for a, b in waiting}:
        yield from ((a, b) for a in members[one] for b in members[other])


def true_entities(domain: Domain, world: Path) -> dict[CrosswalkKey, str]:
    """The entity of every record that is live at the end. Prices are offers, not products.

    Raises:
        OperatorError: the truth is missing or has other columns.
    """
    name, column = _TRUTH[domain]
    path = world / "truth" / name
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return {
                CrosswalkKey(row["platform"], row["table"], row["source_key"]): row[column]
                for row in csv.DictReader(lines)
                if not row["valid_to"] and row["table"] != "price"
            }
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise OperatorError(
            f"The truth {path} cannot be read: {error}.",
            action=f"Give a CSV file in UTF-8 with the columns platform, table, source_key, valid_to and {column}.",
        ) from error
