"""Drain a feed into the hub, batch by batch, retrying what may pass and never skipping what did not."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from mdm.faults import fault_point
from mdm.hub.apart import process_apart, unforeseen
from mdm.hub.feeds import LOOK_SECONDS
from mdm.hub.letting_go import let_go
from mdm.hub.mappings import note_mappings
from mdm.hub.process import BatchReport, Pipeline, process_prepared
from mdm.model.events import Message, TopicPartition
from mdm.store.feeds import is_paused
from mdm.store.positions import stored_positions
from mdm.store.refused_lately import refused_lately
from mdm.streams.protocol import Consumer
from mdm.workers.ahead import reading_ahead
from mdm.workers.collection import rare_collection
from mdm.workers.dead_letter_limit import DeadLetterLimit
from mdm.workers.patience import Patience, Stopped
from mdm.workers.preparing import Where, in_thread

#: Six attempts span about half a minute: a database restart.
_ATTEMPTS = 6

_POLL_SECONDS = 1.0


@dataclass(slots=True)
class Watch:
    """What a worker tells those who look at it. Does nothing by itself."""

    #: Every turn of the loop, also when there is nothing to do, with the messages of each partition that were read
    #: ahead and are not worked on yet.
    on_turn: Callable[[Mapping[TopicPartition, int]], None] = lambda _: None
    on_pause: Callable[[bool], None] = lambda _: None
    #: A committed unit of work, with the messages that led to it.
    on_commit: Callable[[Sequence[Message], BatchReport], None] = lambda _messages, _report: None


@rare_collection()
def drain(
    pipeline: Pipeline,
    feed: Consumer,
    *,
    batch_size: int,
    dead_letter_limit: int,
    on_batch: Callable[[BatchReport], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    watch: Watch | None = None,
    patience: Patience | None = None,
    prepared: Where = in_thread,
) -> BatchReport:
    """Consume a feed until it ends or `stop` says so; returns what all batches did together.

    Between two units of work it looks whether an operator holds the feed, and then waits, keeping its partitions.

    Args:
        dead_letter_limit: dead letters of one partition, beyond a tenth of its messages, above which the worker stops
            (see `DeadLetterLimit`).
        prepared: where batches are decoded and standardised (`mdm.workers.preparing`).

    Raises:
        TooManyDeadLetters: the limit was passed, now or before; what is committed stays, later messages are untouched.
        TransientError: the database or the broker stayed away through all attempts.
    """
    total = BatchReport()
    watch, patience = watch or Watch(), patience or Patience(_ATTEMPTS, stop)
    control = _Control(pipeline, feed, watch)
    limit = DeadLetterLimit(dead_letter_limit, partial(refused_lately, pipeline.engine))
    patience.run(lambda: note_mappings(pipeline.engine, pipeline.clock, pipeline.catalogue))
    feed.seek(patience.run(lambda: stored_positions(pipeline.engine, feed.name)))
    with suppress(Stopped), reading_ahead(pipeline, feed, batch_size, prepared) as ahead:
        # Stopped: a batch in hand was not written; whoever starts next reads it again.
        while not stop():
            patience.run(control.look)
            watch.on_turn(ahead.waiting())
            messages = patience.run(lambda: ahead.poll(_POLL_SECONDS, held=control.held))
            if not messages:
                if ahead.at_end():
                    break
                if control.held:
                    time.sleep(_POLL_SECONDS / 10)
                continue
            patience.run(partial(limit.admit, messages))
            fault_point("ingest.polled")
            try:
                report = patience.run(partial(process_prepared, pipeline, feed.name, ahead.take(patience)))
            except Exception as failure:
                if not unforeseen(failure):
                    raise
                report = process_apart(pipeline, feed.name, messages, failure, patience.run)
            fault_point("ingest.committed")
            total.add(report)
            on_batch(report)
            watch.on_commit(messages, report)
            feed.commit(_next_offsets(messages))
            fault_point("ingest.acknowledged")
            limit.count(messages, report.refused)
    return total


class _Control:
    """Holds the feed and lets it go as the operator says; messages that waited for a refused one go on."""

    def __init__(self, pipeline: Pipeline, feed: Consumer, watch: Watch) -> None:
        self._pipeline, self._feed, self._watch = pipeline, feed, watch
        self._next_look = 0.0
        self.held = False

    def look(self) -> None:
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_SECONDS
        let_go(self._pipeline)
        held = is_paused(self._pipeline.engine, self._feed.name)
        if held != self.held:
            self.held = held
            self._watch.on_pause(held)
            if held:
                self._feed.pause()
            else:
                self._feed.resume()


def _next_offsets(messages: Sequence[Message]) -> dict[TopicPartition, int]:
    return {TopicPartition(m.place.topic, m.place.partition): m.place.offset + 1 for m in messages}
