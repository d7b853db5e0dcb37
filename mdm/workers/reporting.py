"""A worker writes into the hub now and then what its metrics show, so that pages say the same as /metrics."""

import time
from collections.abc import Callable

from sqlalchemy import Engine

from mdm.errors import TransientError
from mdm.observability.logs import logger
from mdm.store.feed_numbers import write_numbers
from mdm.workers.feed_metrics import FeedMetrics

_log = logger(__name__)

#: Seconds between two reports: as often as Prometheus usually scrapes, and nothing beside a unit of work.
_EVERY = 10.0


class Reporting:
    """Told of every turn of the worker's loop. What could not be written is in the next report."""

    def __init__(self, engine: Engine, shown: FeedMetrics, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._shown, self._monotonic = engine, shown, monotonic
        self._next = 0.0

    def turned(self) -> None:
        if self._monotonic() >= self._next:
            self._next = self._monotonic() + _EVERY
            self.write()

    def write(self) -> None:
        numbers = self._shown.numbers()
        try:
            write_numbers(self._engine, numbers)
        except TransientError as failure:
            _log.warning("numbers_not_written", message=failure.message)
            return
        self._shown.written(numbers)
