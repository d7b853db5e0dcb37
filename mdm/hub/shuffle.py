"""The retained change log in another order, with duplicates: laid out in a scratch schema, consumed, compared.

These are the steps; killing the consumer in between is the affair of `mdm.workers.convergence`.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from mdm.core.comparison import Content, Difference, differences
from mdm.core.mirror import mirror
from mdm.hub.content import read_content
from mdm.hub.process import BatchReport, Pipeline, apply_rows, consume
from mdm.hub.steward.carrying import settle_anew
from mdm.intake.debezium import Decoded
from mdm.model.events import ChangeEvent, Message, TopicPartition
from mdm.model.ids import RESOLUTION_ORDER
from mdm.store import carry, change_log, invariants
from mdm.store.positions import stored_positions
from mdm.store.reading import snapshot
from mdm.store.refold import load_for_refold
from mdm.store.scratch import consistent
from mdm.store.unit_of_work import unit_of_work

#: Name of the feed, and its only partition.
FEED = "shuffle"
_PARTITION = TopicPartition(FEED, 0)
#: Events per unit of work: small and large ones take turns, because what meets in one batch must not matter.
_SIZES = (20, 150, 600, 1500)


@dataclass(frozen=True, slots=True)
class LaidOut:
    """The shuffled log, and what the live hub held when it was read."""

    events: int
    deliveries: int
    live: Content


def lay_out(pipeline: Pipeline, scratch: str, *, seed: int, duplicate: float) -> LaidOut:
    """Write the change log, shuffled, and what stewards decided into a scratch schema; all as of one instant."""
    with consistent(pipeline.engine) as work:
        events, deliveries = change_log.shuffle_log(work, scratch, seed=seed, duplicate=duplicate)
        carry.pack_judgements(work, scratch)
        carry.pack_overrides(work, scratch)
        carry.pack_echoes(work, scratch)
        carry.pack_kept(work, scratch)
        return LaidOut(events, deliveries, read_content(work))


def reached(pipeline: Pipeline) -> int:
    """How many deliveries the scratch hub has consumed, by what it has committed."""
    return stored_positions(pipeline.engine, FEED).get(_PARTITION, 0)


def consume_from(pipeline: Pipeline, start: int, seed: int, largest: int = max(_SIZES)) -> int | None:
    """Consume the next batch of the shuffled log from its n-th delivery on; returns where to go on, None at the end.

    The size of a batch, up to `largest`, follows from the seed and from where it starts.
    """
    sizes = [min(size, largest) for size in _SIZES]
    size = random.Random(f"{seed}/{start}").choice(sizes)  # noqa: S311 - an order, not a secret
    with snapshot(pipeline.engine) as work:
        events = change_log.read_shuffled(work, start, size)
    if not events:
        return None
    following = start + len(events)
    consume(pipeline, FEED, _places(events), Decoded(tuple(events), (), (), ()), {_PARTITION: following})
    return following


def settle_decisions(pipeline: Pipeline) -> None:
    """Give the replayed records what stewards decided in the live hub, and settle everything that reaches."""
    with unit_of_work(pipeline.engine, pipeline.clock, "steward") as work:
        apply_rows(pipeline, work, mirror((), load_for_refold(work, carry.unpack_echoes(work))), BatchReport())
        concerned = carry.unpack_judgements(work)
        for domain, records in carry.unpack_overrides(work).items():
            concerned.setdefault(domain, set()).update(records)
    for domain in RESOLUTION_ORDER:
        if concerned.get(domain):
            with unit_of_work(pipeline.engine, pipeline.clock, "steward") as work:
                settle_anew(work, pipeline.rules, domain, concerned[domain], "steward")


def compare(pipeline: Pipeline, live: Content) -> tuple[Content, tuple[Difference, ...]]:
    """What the scratch hub holds, and every difference from the live one; broken invariants count as differences."""
    with snapshot(pipeline.engine) as work:
        found = read_content(work)
        broken = [Difference("invariant", name, detail) for name, detail in invariants.violations(work)]
    return found, (*differences(live, found, "replayed"), *broken)


def _places(events: Sequence[ChangeEvent]) -> list[Message]:
    """The account of messages needs their places only."""
    return [Message(event.place, 0, (), None, None) for event in events]
