"""Messages that waited for a refused one of their row go on as soon as that one is mended, replayed or discarded."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from mdm.hub.apart import CODE, described, place_of, unforeseen
from mdm.hub.process import BatchReport, Pipeline, replay_in
from mdm.hub.rehearsal import perform
from mdm.intake.debezium import refused
from mdm.intake.refusal import FALLBACK_OWNER, Refused
from mdm.model.effects import GoldenEffect
from mdm.store import letters
from mdm.store.effects import golden_effects
from mdm.store.held import free_to_go
from mdm.store.ledger import write_dead_letters
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork

#: Messages that go on in one unit of work.
_BATCH = 1000
#: Who lets them go, where nobody is at hand.
HUB = "hub"


def let_go(pipeline: Pipeline, actor: str = HUB) -> tuple[BatchReport, tuple[GoldenEffect, ...]]:
    """Take in everything that waits for nothing any more. Cheap where nothing does; safe to repeat and to interrupt.

    Raises:
        TransientError: the database failed; what was committed stays, the rest waits.
    """
    total, effects = BatchReport(), list[GoldenEffect]()
    while ids := _free(pipeline):
        try:
            report, found = perform(pipeline.engine, pipeline.clock, "replay", partial(_go, pipeline, actor, ids))
        except Exception as failure:
            if not unforeseen(failure):
                raise
            report, found = _one_by_one(pipeline, ids, actor)
        total.add(report)
        effects += found
    return total, tuple(effects)


def go_on(pipeline: Pipeline, work: UnitOfWork, actor: str) -> BatchReport:
    """The same in the caller's unit of work, for a rehearsal: all of it, or it fails."""
    total = BatchReport()
    while ids := free_to_go(work, _BATCH):
        total.add(replay_in(pipeline, work, letters.messages_of(work, ids), actor))
    return total


def _free(pipeline: Pipeline) -> list[int]:
    with snapshot(pipeline.engine) as work:
        return free_to_go(work, _BATCH)


def _go(
    pipeline: Pipeline, actor: str, meant: Sequence[int], work: UnitOfWork
) -> tuple[BatchReport, tuple[GoldenEffect, ...]]:
    # Read inside the unit of work: somebody else may have closed some of them meanwhile.
    messages = letters.messages_of(work, meant)
    report = replay_in(pipeline, work, messages, actor) if messages else BatchReport()
    return report, golden_effects(work)


def _one_by_one(pipeline: Pipeline, ids: Sequence[int], actor: str) -> tuple[BatchReport, tuple[GoldenEffect, ...]]:
    """A defect that one message meets must not keep the others: that one is refused for what it is."""
    total, effects = BatchReport(), list[GoldenEffect]()
    for each in ids:
        try:
            report, found = perform(pipeline.engine, pipeline.clock, "replay", partial(_go, pipeline, actor, [each]))
        except Exception as failure:
            if not unforeseen(failure):
                raise
            reason = f"{described(failure)} at {place_of(failure)}."
            perform(pipeline.engine, pipeline.clock, "replay", partial(_blame, pipeline, each, reason))
            continue
        total.add(report)
        effects += found
    return total, tuple(effects)


def _blame(pipeline: Pipeline, letter_id: int, reason: str, work: UnitOfWork) -> None:
    for message in letters.messages_of(work, [letter_id]):
        letter = refused(message, pipeline.catalogue.by_topic(message.place.topic), Refused(CODE, reason))
        write_dead_letters(work, [replace(letter, owner=FALLBACK_OWNER)])
