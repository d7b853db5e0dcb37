"""What the resolve path could not be faster than, part by part, for batches of a thousand, of a hundred, and for one.

For each size: what a unit of work would take if it did nothing but the one thing. `decoded and standardised`; `keys`:
columns derived and blocking keys made; `candidates read`: blocks looked up, and what matching reads of everybody in
them; `derived`: the columns of candidates; `scored`: encoded and weighed; `taken in`: everything but matching - rows,
history, ledger, audit - with a durable commit. `without clusters and golden records` is all of these one after another.

`two sessions`: the writes of two units of work of 250 sent at once, each by a session of its own, and those of one for
comparison; as workers do, they take turns from where they publish to the commit.

Two parts are no part of this code. `writes alone` sends the rows that the whole unit of work writes, recorded before,
to the same tables, and commits (`bench.journal`). `derived, if kept` is what it would take to read the columns of
candidates as they were kept, instead of deriving them, from the fastest form that Python has (`marshal`), the reading
from the database not included.
"""

import marshal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy import text

from bench.journal import recorded, replayed, replayed_together
from bench.processor import processor
from matching.model import MatchModel
from matching.scoring import derived_pairs, score_features
from mdm.hub.process import Pipeline, prepare, process
from mdm.hub.resolve import block_hashes
from mdm.model.candidates import in_parts, pairs_within
from mdm.model.events import Message
from mdm.model.ids import Domain, RecordId
from mdm.store import neighbourhood, pairs
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import unit_of_work

#: Sizes of units of work, and how many of each are read for, and as many of others taken in.
_SIZES = ((1000, 1), (100, 5), (1, 100))
#: Size of units of work that are written beside each other, and how often two of them are.
_BESIDE, _TURNS = 250, 4
_TOGETHER = 4 * _BESIDE * _TURNS
#: Records that all of this needs.
NEEDED = 2 * sum(size * times for size, times in _SIZES) + _TOGETHER
#: Statements and units of work that do nothing.
_TRIPS = 200
#: Records that are compared at a time, as in the hub.
_CANDIDATES = 5000


def bounds(pipeline: Pipeline, coming: Sequence[Message]) -> dict[str, object]:
    """Measure with `NEEDED` records that are not in the hub. Those that are taken in stay without golden records."""
    statement, unit = round_trips(pipeline)
    found: dict[str, object] = {
        "one statement": f"{statement * 1000:.2f} ms",
        "empty unit of work": f"{unit * 1000:.2f} ms",
    }
    found |= together(pipeline, coming[:_TOGETHER])
    coming, half = coming[_TOGETHER:NEEDED], (NEEDED - _TOGETHER) // 2
    # What is taken in without matching comes last: nobody finds it.
    taken = []
    for read, batches in zip(_SIZES, _cut(coming[:half]), strict=True):
        taken.append((f"by {read[0]}", read[0], _read(pipeline, batches)))
    for (name, size, parts), batches in zip(taken, _cut(coming[half:]), strict=True):
        for batch in batches:
            start = time.perf_counter()
            process(replace(pipeline, bulk=True), "arrive", batch)
            parts.taken_in += time.perf_counter() - start
        found[name] = parts.told(size, len(batches))
    return found


def together(pipeline: Pipeline, coming: Sequence[Message]) -> dict[str, object]:
    """The same writes by one session, by one right after a checkpoint, and by two sessions at once; `coming` are four
    units of work for each turn.

    Pages that change for the first time after a checkpoint go to the log as a whole. Those of the others have gone:
    they changed when the unit was recorded. Two units that turn out to write to one golden record would wait for each
    other in the hub: such are left out.
    """
    units = [coming[start : start + _BESIDE] for start in range(0, len(coming), _BESIDE)]
    one = after = two = 0.0
    turns = 0
    for first, fourth, second, third in zip(*(units[place::4] for place in range(4)), strict=True):
        with recorded(pipeline.engine) as alone:
            process(pipeline, "arrive 0", first)
        seconds = replayed(pipeline.engine, alone)
        with recorded(pipeline.engine) as alone:
            process(pipeline, "arrive 0", fourth)
        with pipeline.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("checkpoint"))
        whole = replayed(pipeline.engine, alone)
        journals = []
        for place, unit in enumerate((second, third)):
            with recorded(pipeline.engine, place) as journal:
                process(pipeline, f"arrive {place}", unit)
            journals.append(journal)
        try:
            two += replayed_together(pipeline.engine, journals)
        except UniqueViolation:
            continue
        one, after = one + seconds, after + whole
        turns += 1
    if not turns:
        return {}
    return {
        f"writes alone by {_BESIDE}": f"{turns * _BESIDE / one:,.0f} records/s",
        f"writes alone by {_BESIDE}, after a checkpoint": f"{turns * _BESIDE / after:,.0f} records/s",
        f"writes alone by {_BESIDE}, two sessions": f"{2 * turns * _BESIDE / two:,.0f} records/s",
    }


def _cut(messages: Sequence[Message]) -> list[list[Sequence[Message]]]:
    cut, at = [], 0
    for size, times in _SIZES:
        cut.append([messages[at + number * size :][:size] for number in range(times)])
        at += size * times
    return cut


@dataclass(slots=True)
class _Parts:
    """Seconds of all units of one size together."""

    prepared: float = 0.0
    keys: float = 0.0
    read: float = 0.0
    derived: float = 0.0
    kept: float = 0.0
    scored: float = 0.0
    taken_in: float = 0.0
    pairs: int = 0
    #: Bytes of what would be kept, and of how many records.
    bytes: int = 0
    candidates: int = 0
    statements: int = 0
    writes: int = 0
    copied: int = 0
    written: float = 0.0
    #: Processor of the database session while the writes were sent again.
    writing: float = 0.0

    def told(self, size: int, units: int) -> dict[str, object]:
        records = size * units

        def part(seconds: float) -> str:
            return f"{seconds / units * 1000:,.1f} ms a unit, {records / seconds:,.0f} records/s"

        matching = self.keys + self.read + self.derived + self.scored
        together = self.prepared + matching + self.taken_in
        unkept = together - self.derived + self.kept
        return {
            "decoded and standardised": part(self.prepared),
            "keys": part(self.keys),
            "candidates read": part(self.read),
            "derived": part(self.derived),
            "derived, if kept": f"{part(self.kept)}; {self.bytes / max(1, self.candidates):,.0f} bytes a record",
            "scored": part(self.scored),
            "taken in": part(self.taken_in),
            "without clusters and golden records": part(together),
            "the same, with columns kept": part(unkept),
            "writes alone": part(self.written),
            "writes alone, processor of the database": part(self.writing) if self.writing else "under 10 ms in all",
            "bytes copied a record": round(self.copied / records),
            "statements a unit": round(self.statements / units, 1),
            "statements that write": round(self.writes / units, 1),
            "pairs a record": round(self.pairs / records, 1),
        }


def _read(pipeline: Pipeline, batches: Sequence[Sequence[Message]]) -> _Parts:
    parts = _Parts()
    for batch in batches:
        _match(pipeline, batch, parts)
    for batch in batches:
        with recorded(pipeline.engine) as journal:
            process(pipeline, "arrive", batch)
        with processor(pipeline.engine) as used:
            parts.written += replayed(pipeline.engine, journal)
        parts.writing += used["database"]
        parts.statements += journal.statements
        parts.writes += len(journal.writes)
        parts.copied += journal.size
    return parts


def _match(pipeline: Pipeline, batch: Sequence[Message], parts: _Parts) -> None:
    """Find, read, derive and score the candidates of a batch that is not in the hub."""
    model = pipeline.rules.models[Domain.CUSTOMER]
    clock = _Clock()
    forms = [record.comparison for _, record in prepare(pipeline, batch).standard.values()]
    parts.prepared += clock.lap()
    # Numbers of their own: the records are not in the hub.
    arriving = {RecordId(-number): form for number, form in enumerate(forms, start=1)}
    blocks = {rec: block_hashes(model, form) for rec, form in arriving.items()}
    parts.keys += clock.lap()
    with snapshot(pipeline.engine) as work:
        members = pairs.members_of(work, set().union(*blocks.values()), model.block_cap)
        for rec, own in blocks.items():
            for block in own:
                members.setdefault(block, []).append(rec)
        found = pairs_within(pairs.Blocks(blocks, members).usable(model.block_cap), blocks.keys())
        parts.pairs += len(found)
        for part in in_parts(found, frozenset(arriving), _CANDIDATES):
            ends = {end for pair in part for end in pair} - arriving.keys()
            others = neighbourhood.load_comparisons(work, Domain.CUSTOMER, ends)
            parts.read += clock.lap()
            _score(model, sorted(part), {**others, **arriving}, parts)
            clock.lap()
    parts.read += clock.lap()


def _score(
    model: MatchModel,
    ordered: Sequence[tuple[RecordId, RecordId]],
    forms: Mapping[RecordId, Mapping[str, Any]],
    parts: _Parts,
) -> None:
    clock = _Clock()
    ordered = [pair for pair in ordered if pair[0] in forms and pair[1] in forms]
    records, left, right = derived_pairs(model, [forms[a] for a, _ in ordered], [forms[b] for _, b in ordered])
    parts.derived += clock.lap()
    score_features(model, records, left, right)
    parts.scored += clock.lap()
    kept = [marshal.dumps(dict(columns)) for columns in records]
    clock.lap()
    for each in kept:
        marshal.loads(each)  # noqa: S302 - written above
    parts.kept += clock.lap()
    parts.bytes += sum(map(len, kept))
    parts.candidates += len(kept)


class _Clock:
    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Seconds since this was asked last."""
        last, self._last = self._last, time.perf_counter()
        return self._last - last


def round_trips(pipeline: Pipeline) -> tuple[float, float]:
    """Median seconds of a statement that does nothing, and of a unit of work that does nothing but commit durably."""
    statements, units = [], []
    for _ in range(_TRIPS):
        start = time.perf_counter()
        with unit_of_work(pipeline.engine, pipeline.clock, "bench", alone=False) as work:
            asked = time.perf_counter()
            work.query("select 1")
            statements.append(time.perf_counter() - asked)
        units.append(time.perf_counter() - start - statements[-1])
    return sorted(statements)[_TRIPS // 2], sorted(units)[_TRIPS // 2]
