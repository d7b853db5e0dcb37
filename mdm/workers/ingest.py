"""Drain a feed into the hub, batch by batch, retrying what may pass and never skipping what did not."""

import random
import time
from collections.abc import Callable
from functools import partial

from mdm.errors import OperatorError, TransientError
from mdm.hub.process import BatchReport, Pipeline, process
from mdm.model.events import Outcome, TopicPartition
from mdm.store.positions import stored_positions
from mdm.streams.protocol import Consumer
from mdm.workers.collection import rare_collection

#: Waits between attempts double from the first to the last of these, in seconds, each with up to half of it at random,
#: so that several workers do not return in step. Six attempts span about half a minute: a database restart.
_FIRST_WAIT, _ATTEMPTS = 0.5, 6

_POLL_SECONDS = 1.0


class TooManyDeadLetters(OperatorError):
    """A platform sends only messages that cannot be read: a bad release, not bad data. Nothing more is taken."""

    code = "DEAD_LETTER_LIMIT"


@rare_collection()
def drain(
    pipeline: Pipeline,
    feed: Consumer,
    *,
    batch_size: int,
    dead_letter_limit: int,
    on_batch: Callable[[BatchReport], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> BatchReport:
    """Consume a feed until it ends or `stop` says so; returns what all batches did together.

    Args:
        dead_letter_limit: new dead letters of one platform in one run above which the worker stops, so that a bad
            release cannot empty a topic into the dead letters.

    Raises:
        TooManyDeadLetters: the limit was passed; the offending batch is committed, later ones are untouched.
        TransientError: the database stayed away through all attempts.
    """
    total = BatchReport()
    feed.seek(stored_positions(pipeline.engine, feed.name))
    while not stop():
        messages = feed.poll(batch_size, _POLL_SECONDS)
        if not messages:
            if feed.at_end():
                break
            continue
        report = _with_patience(partial(process, pipeline, feed.name, messages))
        total.add(report)
        on_batch(report)
        feed.commit({TopicPartition(m.place.topic, m.place.partition): m.place.offset + 1 for m in messages})
        for (system, outcome), number in total.outcomes.items():
            if outcome is Outcome.QUARANTINED and number > dead_letter_limit:
                raise TooManyDeadLetters(
                    f"{number} messages of {system} could not be read in this run (limit {dead_letter_limit}).",
                    action="Look at `mdm exceptions list`, mend the contract or the source, and start again; raise "
                    "MDM_DEAD_LETTER_LIMIT only when the messages are known to be worthless.",
                )
    return total


def _with_patience(attempt: Callable[[], BatchReport]) -> BatchReport:
    """Try again after transient failures; a unit of work that failed has written nothing."""
    wait = _FIRST_WAIT
    for _ in range(_ATTEMPTS - 1):
        try:
            return attempt()
        except TransientError:
            time.sleep(wait * (1 + random.random() / 2))  # noqa: S311  # jitter, not a secret
            wait *= 2
    return attempt()
