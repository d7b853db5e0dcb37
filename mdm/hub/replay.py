"""Taking stored events in again: their rows are folded anew from the whole history, standardised and resolved.

Profiles and rules are those of now. What was consumed once stays consumed once: a replay adds no events and counts
none. It changes golden records where profiles or rules have changed since, or where what was derived had been damaged.
Open dead letters of the same range are fed again as well.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from mdm.core.mirror import mirror
from mdm.errors import NotFound
from mdm.hub.exceptions import Replayed, replay_dead_letters, try_replay
from mdm.hub.mappings import note_all_taken
from mdm.hub.process import BatchReport, Pipeline, apply_rows, by_rules_in_force
from mdm.hub.rehearsal import perform, rehearse
from mdm.model.effects import GoldenEffect
from mdm.model.ids import CrosswalkKey
from mdm.store.effects import golden_effects
from mdm.store.ledger import write_audit
from mdm.store.read_exceptions import Selection
from mdm.store.reading import snapshot
from mdm.store.refold import EventRange, in_batches, load_for_refold, rows_of_events
from mdm.store.unit_of_work import UnitOfWork

#: Rows taken in one unit of work.
_BATCH = 1000

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Replay:
    """What was taken in again, and what that did, or would do, to golden records.

    `dead_letters` is None when the range holds no open one.
    """

    rows: int
    dead_letters: Replayed | None
    effects: tuple[GoldenEffect, ...]
    seconds: float


def replay(
    pipeline: Pipeline,
    meant: EventRange,
    actor: str,
    progress: Progress = lambda _share: None,
    batch_size: int = _BATCH,
) -> Replay:
    """Take stored events in again, in units of work of up to a thousand rows. Safe to interrupt and to repeat.

    Raises:
        NotFound: there are neither events nor open dead letters in the range.
    """
    began = time.monotonic()
    keys = _keys(pipeline, meant)
    effects: list[GoldenEffect] = []
    for number, batch in enumerate(in_batches(keys, batch_size)):
        effects += perform(pipeline.engine, pipeline.clock, "replay", _retaking(pipeline, batch, meant, actor))
        progress(min((number + 1) * batch_size / len(keys), 1.0))
    if keys and meant == EventRange(system=meant.system, type=meant.type):
        note_all_taken(pipeline.engine, pipeline.clock, pipeline.catalogue, meant.system, meant.type)
    letters = _letters(meant, lambda selection: replay_dead_letters(pipeline, selection, actor))
    return _told(keys, letters, effects, began)


def try_to_replay(pipeline: Pipeline, meant: EventRange, actor: str) -> Replay:
    """What `replay` would do, in one unit of work of which nothing stays. Raises as `replay`."""
    began = time.monotonic()
    keys = _keys(pipeline, meant)
    effects: Sequence[GoldenEffect] = ()
    if keys:
        effects = rehearse(pipeline.engine, pipeline.clock, "replay", _retaking(pipeline, keys, meant, actor))
    letters = _letters(meant, lambda selection: try_replay(pipeline, selection, actor))
    return _told(keys, letters, effects, began)


def _told(
    keys: Sequence[CrosswalkKey], letters: Replayed | None, effects: Sequence[GoldenEffect], began: float
) -> Replay:
    if not keys and letters is None:
        raise NotFound(
            "There are no stored events and no open dead letters in this range.",
            action="Widen it; `mdm status` shows which topics were consumed.",
        )
    return Replay(
        rows=len(keys),
        dead_letters=letters,
        effects=(*effects, *(letters.effects if letters else ())),
        seconds=time.monotonic() - began,
    )


def rows_meant(pipeline: Pipeline, meant: EventRange) -> int:
    """How many rows a range is about."""
    return len(_keys(pipeline, meant))


def _keys(pipeline: Pipeline, meant: EventRange) -> list[CrosswalkKey]:
    with snapshot(pipeline.engine) as work:
        return rows_of_events(work, meant)


def _retaking(
    pipeline: Pipeline, keys: Sequence[CrosswalkKey], meant: EventRange, actor: str
) -> Callable[[UnitOfWork], tuple[GoldenEffect, ...]]:
    def act(work: UnitOfWork) -> tuple[GoldenEffect, ...]:
        began = time.monotonic()
        through = by_rules_in_force(pipeline, work)
        apply_rows(through, work, mirror((), load_for_refold(work, keys)), BatchReport())
        effects = golden_effects(work)
        conditions = {name: str(value) for name, value in asdict(meant).items() if value is not None}
        detail = {
            "range": conditions,
            "rows": len(keys),
            "effects": len(effects),
            "rules": through.rules.fingerprint,
            "seconds": round(time.monotonic() - began, 3),
        }
        write_audit(work, actor, "replay", "stored events", detail)
        return effects

    return act


def _letters(meant: EventRange, act: Callable[[Selection], Replayed]) -> Replayed | None:
    """Feed the open dead letters of the range; source times do not select them, for they may be unreadable."""
    if meant.since is not None or meant.until is not None:
        return None
    selection = Selection(
        topic=meant.topic,
        partition=meant.partition,
        first_offset=meant.first_offset,
        last_offset=meant.last_offset,
        system=meant.system,
        type=meant.type,
        row_key=meant.key,
    )
    try:
        return act(selection)
    except NotFound:
        return None
