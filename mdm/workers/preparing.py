"""Where batches are prepared: in a thread of the worker, or in a process of its own on another core.

Decoding and standardising are pure and take a fifth of a worker's time. In a thread they share one interpreter with
whoever writes the batch before; in a process of its own they do not, at the price of a second interpreter in memory
and of carrying batches there and back. That pays for captures of many thousands of messages.
"""

import os
import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Final, Protocol, TypeAlias

from mdm.errors import MdmError
from mdm.hub.process import Pipeline, Prepared, Standard, prepare, prepare_by
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.intake.debezium import Decoded, Plain
from mdm.model.events import Message
from mdm.streams.file import FileFeed
from mdm.streams.protocol import Consumer
from mdm.workers.collection import rare_collection

#: Waits for a batch that was begun.
Awaited: TypeAlias = Callable[[], Prepared]


class Preparing(Protocol):
    """Prepares batches while the caller does something else."""

    def start(self, messages: Sequence[Message]) -> Awaited:
        """Begin; what comes back waits for the end, and raises what `prepare` raises."""
        ...


#: Opens what prepares the batches of a pipeline.
Where: TypeAlias = "Callable[[Pipeline], AbstractContextManager[Preparing]]"


class InThread:
    """Prepares in another thread of this process."""

    def __init__(self, pipeline: Pipeline, executor: Executor) -> None:
        self._pipeline, self._executor = pipeline, executor

    def start(self, messages: Sequence[Message]) -> Awaited:
        return self._executor.submit(prepare, self._pipeline, messages).result


class InProcess:
    """Prepares in a process of its own; in this one where that cannot be, or has died."""

    def __init__(self, pipeline: Pipeline, executor: Executor) -> None:
        self._pipeline, self._executor = pipeline, executor

    def start(self, messages: Sequence[Message]) -> Awaited:
        here = partial(prepare, self._pipeline, messages)
        try:
            future = self._executor.submit(_prepare_there, list(messages))
        except BrokenExecutor:
            return here
        return partial(_fetched, messages, future, here)


@contextmanager
def in_thread(pipeline: Pipeline) -> Iterator[Preparing]:
    """Preparing in another thread within the block."""
    with ThreadPoolExecutor(1, "prepare") as executor:
        yield InThread(pipeline, executor)


@contextmanager
def in_process(pipeline: Pipeline) -> Iterator[Preparing]:
    """Preparing in a process of its own within the block; in a thread where the pipeline cannot be carried there."""
    folder = pipeline.catalogue.folder
    if folder is None or not _carried(pipeline.plain):
        with in_thread(pipeline) as preparing:
            yield preparing
        return
    # Spawned, not forked: a copy of this process would share its connections to the database.
    with ProcessPoolExecutor(1, get_context("spawn"), _begin, (folder, pipeline.plain)) as executor:
        yield InProcess(pipeline, executor)


#: Bytes of a capture, as it lies on disk, from which a second process pays: some thirty thousand events, compressed.
_LARGE: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Pace:
    """How a capture is taken in: messages per unit of work, where they are prepared, and in whose company."""

    batch_size: int
    prepared: Where
    #: Units of work have the hub for themselves where nobody else is at work.
    alone_if_free: bool = False

    def of(self, pipeline: Pipeline) -> Pipeline:
        """The pipeline that takes the capture in at this pace."""
        return replace(pipeline, alone_if_free=self.alone_if_free)


def pace_of(feed: Consumer, usual: int, wanted: int = 0) -> Pace:
    """The pace of a feed: captures that are large and lie there whole go through quicker in larger units of work.

    Args:
        usual: messages per unit of work otherwise.
        wanted: what the caller asks for; 0 for no wish.
    """
    if isinstance(feed, FileFeed) and feed.bytes_total >= _LARGE and (os.cpu_count() or 1) > 1:
        return Pace(wanted or 2 * usual, in_process, alone_if_free=True)
    return Pace(wanted or usual, in_thread)


def _carried(plain: Plain) -> bool:
    try:
        pickle.dumps(plain)
    except (pickle.PicklingError, TypeError, AttributeError):
        return False
    return True


def _fetched(messages: Sequence[Message], future: "Future[tuple[Decoded, Standard] | None]", here: Awaited) -> Prepared:
    try:
        found = future.result()
    except BrokenExecutor:
        found = None
    return here() if found is None else Prepared(messages, *found)


# In the other process:

_there: list[tuple[Catalogue, Plain]] = []


def _begin(folder: Path, plain: Plain) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it decides when it ends
    _there.append((load_catalogue(folder), plain))
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker that is killed takes its helper with it."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def _prepare_there(messages: Sequence[Message]) -> tuple[Decoded, Standard] | None:
    """What `prepare` makes of the messages; None where it fails: the worker tries itself and meets the failure."""
    ((catalogue, plain),) = _there
    try:
        with rare_collection():
            found = prepare_by(catalogue, plain, messages)
    except MdmError:
        return None
    return found.decoded, dict(found.standard)
