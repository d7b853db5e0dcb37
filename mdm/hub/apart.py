"""When a batch cannot be processed and nobody foresaw why: find the messages that are to blame, and go on without them.

A defect that one message meets must not stop the others, and must not lose that message. The batch is halved until the
failure stands alone; that message becomes a dead letter, to be replayed when the defect is mended. If it is not one
message but all of them, the limit of dead letters stops the worker as it does after any other bad release.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import psycopg

from mdm.errors import OperatorError, TransientError
from mdm.hub.process import BatchReport, Pipeline, consume, positions_after, process
from mdm.intake.debezium import Decoded, refused
from mdm.intake.refusal import FALLBACK_OWNER, Refused
from mdm.model.events import Message
from mdm.observability.logs import logger

_log = logger(__name__)

CODE = "UNFORESEEN_FAILURE"


def unforeseen(failure: Exception) -> bool:
    """Whether a failure may be due to what the messages say: not what may pass, and not how the hub was set up."""
    return not isinstance(failure, TransientError | OperatorError)


def process_apart(
    pipeline: Pipeline,
    feed: str,
    messages: Sequence[Message],
    failure: Exception,
    run: Callable[[Callable[[], BatchReport]], BatchReport] = lambda attempt: attempt(),
) -> BatchReport:
    """Consume a batch that has failed, in smaller units of work, in order; what fails alone becomes a dead letter.

    Args:
        failure: what the batch failed with.
        run: carries out each unit of work, trying again what may pass.

    Raises:
        TransientError: the surroundings failed. What was committed until then stays; the rest can be tried again.
    """
    if len(messages) == 1:
        where = place_of(failure)
        _log.error("unforeseen_failure", place=str(messages[0].place), error=type(failure).__name__, where=where)
        return run(lambda: _set_aside(pipeline, feed, messages[0], f"{described(failure)} at {where}."))
    total = BatchReport()
    middle = len(messages) // 2
    for half in (messages[:middle], messages[middle:]):
        total.join(_process(pipeline, feed, half, run))
    return total


def _process(
    pipeline: Pipeline,
    feed: str,
    messages: Sequence[Message],
    run: Callable[[Callable[[], BatchReport]], BatchReport],
) -> BatchReport:
    try:
        return run(lambda: process(pipeline, feed, messages))
    except Exception as failure:
        if not unforeseen(failure):
            raise
        return process_apart(pipeline, feed, messages, failure, run)


def _set_aside(pipeline: Pipeline, feed: str, message: Message, reason: str) -> BatchReport:
    """The message as a dead letter, counted like any other; the feed goes on behind it."""
    letter = refused(message, pipeline.catalogue.by_topic(message.place.topic), Refused(CODE, reason))
    # Nothing that the owner of the table could do: the defect is the hub's.
    decoded = Decoded((), (), (replace(letter, owner=FALLBACK_OWNER),), ())
    return consume(pipeline, feed, [message], decoded, positions_after([message]))


def described(failure: Exception) -> str:
    """The kind of a failure. Its text is left out: it may quote values."""
    state = failure.sqlstate if isinstance(failure, psycopg.Error) else None
    return type(failure).__name__ + (f" (SQLSTATE {state})" if state else "")


def place_of(failure: Exception) -> str:
    """Module and line of our own code in which it came up, innermost first."""
    found = "an unknown place"
    trace = failure.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        if module.partition(".")[0] in ("mdm", "matching", "survivorship"):
            found = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found
