"""What the links and entities of a domain must be, by an engine; and which records the hub holds otherwise.

What matching reads of the records is derived once and kept in a file, for as long as nobody else writes to the hub: a
pass that comes after the units are settled needs it again, and deriving takes longer than all that follows from it.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from tempfile import gettempdir
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from matching.engines.components import components
from matching.engines.engine import Engine
from matching.engines.links import Links, Progress
from matching.engines.table import TableFrame, compared, feature_batches, named
from matching.engines.whole import TableClusters, cluster_table
from matching.model import BlockingRule, MatchModel
from mdm.errors import OperatorError
from mdm.model.delta import Link
from mdm.model.ids import Domain, EntityId, RecordId
from mdm.store import evidence, neighbourhood, whole
from mdm.store.unit_of_work import UnitOfWork

#: A column that other records fill: its blocks are looked up by token, without the limit of a rule.
_JOINED = "evidence"
_LOADED = 50_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What one domain must hold. `units` are the records to settle again, closed under links and entities."""

    domain: Domain
    records: int
    candidates: int
    wanted: Mapping[tuple[RecordId, RecordId], Link]
    units: Sequence[Sequence[RecordId]]
    added: int
    removed: int
    reweighed: int

    @property
    def empty(self) -> bool:
        return not self.units


@dataclass(frozen=True, slots=True)
class Reading:
    """What matching reads of all live records of a domain: a row of a table for each of `ids`, kept in a file, and the
    blocks of what is stated about them. `publication` is the last unit of work that it knows of."""

    ids: Sequence[RecordId]
    file: BinaryIO
    shared: pa.Table
    publication: int

    def table(self) -> pa.Table:
        self.file.seek(0)
        return pa.ipc.open_file(self.file).read_all()


def read_records(work: UnitOfWork, domain: Domain, model: MatchModel, file: BinaryIO, progress: Progress) -> Reading:
    """Read and derive all records of a domain, into this file; another reading there is replaced."""
    ids = whole.live_records(work, domain)
    comparisons, shared = _comparisons(work, domain, ids, progress), _none()
    if domain is Domain.CONTRACT:
        _keep(file, feature_batches(model, comparisons))
    else:
        stated = _Stated(evidence.too_frequent_evidence(work, model.block_cap))
        _keep(file, feature_batches(model, stated.of(comparisons)))
        shared = stated.table()
    return Reading(ids, file, shared, whole.last_publication(work))


def _keep(file: BinaryIO, batches: Iterator[pa.RecordBatch]) -> None:
    """Batch after batch, so that the whole is never in memory."""
    first = next(batches)
    try:
        file.seek(0)
        file.truncate()
        with pa.ipc.new_file(file, first.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as kept:
            for batch in chain((first,), batches):
                kept.write_batch(batch)
    except OSError as error:
        raise OperatorError(
            f"What is read of the records cannot be kept in {gettempdir()}: {error}.",
            action="Make room there, a few hundred bytes for each record, or name another folder in TMPDIR.",
        ) from error


def plan_domain(
    work: UnitOfWork,
    reading: Reading,
    domain: Domain,
    model: MatchModel,
    engine: Engine,
    unit_size: int,
    progress: Progress,
) -> Plan:
    """Compare what the hub holds of a domain with what the engine finds. Reads only."""
    ids, table = reading.ids, reading.table()
    links = engine.links(model, table, static_rules(model), reading.shared, progress)
    frame, table = TableFrame(model, compared(model, table)), named(model, table)
    row = {rec: number for number, rec in enumerate(ids)}
    same, not_same = (
        [frozenset(row[rec] for rec in pair) for pair in verdicts if all(rec in row for rec in pair)]
        for verdicts in whole.judgements(work)
    )
    progress(f"{domain}: clustering {len(links):,} links")
    clusters = cluster_table(model, table, frame, links, same, not_same, engine.workers)
    return _compare(work, domain, model, ids, row, links, clusters, same, unit_size)


def static_rules(model: MatchModel) -> list[BlockingRule]:
    """The rules whose keys come from columns; evidence is paired by token."""
    return [rule for rule in (*model.blocking, *model.dynamic) if _JOINED not in rule.columns]


def _comparisons(
    work: UnitOfWork, domain: Domain, ids: Sequence[RecordId], progress: Progress
) -> Iterator[dict[str, Any]]:
    """The comparison forms of these records; of a whole hub they are too much to hold at once."""
    for start in range(0, len(ids), _LOADED):
        part = ids[start : start + _LOADED]
        loaded = neighbourhood.load_comparisons(work, domain, part)
        yield from (loaded[rec] for rec in part)
        progress(f"{domain}: read {start + len(part):,} of {len(ids):,} records")


class _Stated:
    """Which records state which evidence: a block per token that is not stated about too many."""

    def __init__(self, without: Collection[str]) -> None:
        self._without = without
        self._blocks = array("Q")
        self._numbers = array("q")

    def of(self, comparisons: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Pass these on and note what each states."""
        for number, comparison in enumerate(comparisons):
            for token in comparison.get("tokens", ()):
                if token not in self._without:
                    self._blocks.append(xxh3_64_intdigest(token.encode()))
                    self._numbers.append(number)
            yield comparison

    def table(self) -> pa.Table:
        return pa.table({"block": pa.array(self._blocks, pa.uint64()), "number": pa.array(self._numbers, pa.int64())})


def _none() -> pa.Table:
    return pa.table({"block": pa.array([], pa.uint64()), "number": pa.array([], pa.int64())})


def _compare(
    work: UnitOfWork,
    domain: Domain,
    model: MatchModel,
    ids: Sequence[RecordId],
    row: Mapping[RecordId, int],
    links: Links,
    clusters: TableClusters,
    same: Collection[frozenset[int]],
    unit_size: int,
) -> Plan:
    wanted = _as_links(model, ids, links)
    live = whole.live_links(work, domain)
    members = whole.entities_of(work, domain)
    differing = {pair for pair in wanted.keys() | live.keys() if wanted.get(pair) != live.get(pair)}
    concerned = {row[rec] for pair in differing for rec in pair if rec in row}
    concerned |= {end for refusal in clusters.refused for end in (refusal.a, refusal.b)}
    concerned |= _in_other_company(ids, clusters.entity, members)
    edges = [(row[a], row[b]) for (a, b), link in (*wanted.items(), *live.items())
             if link.decision == "match" and a in row and b in row]  # fmt: skip
    edges += [(min(pair), max(pair)) for pair in same if len(pair) == 2]
    edges += _held_together(row, members)
    return Plan(
        domain=domain,
        records=len(ids),
        candidates=links.candidates,
        wanted=wanted,
        units=_units(ids, edges, concerned, unit_size),
        added=len(wanted.keys() - live.keys()),
        removed=len(live.keys() - wanted.keys()),
        reweighed=len(differing & wanted.keys() & live.keys()),
    )


def _as_links(model: MatchModel, ids: Sequence[RecordId], links: Links) -> dict[tuple[RecordId, RecordId], Link]:
    names = [*(veto.name for veto in model.vetoes), None]
    rows = zip(*(each.tolist() for each in (links.a, links.b, links.weight, links.match, links.veto)), strict=True)
    return {
        (ids[a], ids[b]): Link(ids[a], ids[b], "match" if match else "possible", weight, names[veto])
        for a, b, weight, match, veto in rows
    }


def _in_other_company(
    ids: Sequence[RecordId], entity: NDArray[np.int64], members: Mapping[RecordId, EntityId]
) -> set[int]:
    """Rows that belong to no entity yet, or whose entity has other members than it must have."""
    wanted: dict[int, list[int]] = {}
    held: dict[EntityId, int] = {}
    for number, (rec, cluster) in enumerate(zip(ids, entity.tolist(), strict=True)):
        wanted.setdefault(cluster, []).append(number)
        if rec in members:
            held[members[rec]] = held.get(members[rec], 0) + 1
    wrong: set[int] = set()
    for rows in wanted.values():
        homes = {members.get(ids[number]) for number in rows}
        home = next(iter(homes))
        if len(homes) > 1 or home is None or held[home] != len(rows):
            wrong.update(rows)
    return wrong


def _held_together(row: Mapping[RecordId, int], members: Mapping[RecordId, EntityId]) -> list[tuple[int, int]]:
    first: dict[EntityId, int] = {}
    return [(first.setdefault(entity, row[rec]), row[rec]) for rec, entity in members.items() if rec in row]


def _units(
    ids: Sequence[RecordId], edges: Sequence[tuple[int, int]], concerned: Collection[int], unit_size: int
) -> list[list[RecordId]]:
    """The records to settle, whole connected sets together, some `unit_size` at a time."""
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    label = components(len(ids), ends[:, 0], ends[:, 1])
    tops = np.unique(label[np.array(sorted(concerned), dtype=np.int64)]) if concerned else np.zeros(0, np.int64)
    rows = np.flatnonzero(np.isin(label, tops))
    rows = rows[np.argsort(label[rows], kind="stable")]
    units: list[list[RecordId]] = []
    last = -1
    for number, top in zip(rows.tolist(), label[rows].tolist(), strict=True):
        if not units or (top != last and len(units[-1]) >= unit_size):
            units.append([])
        units[-1].append(ids[number])
        last = top
    return units
