"""A worker looks now and then whether a platform has fallen silent."""

import time
from collections.abc import Callable
from datetime import timedelta

from mdm.errors import TransientError
from mdm.hub.process import Pipeline
from mdm.hub.silence import look_for_silence
from mdm.observability.logs import logger

_log = logger(__name__)

#: Seconds between two looks.
_EVERY = 60.0


class Listening:
    """Told of every turn of the worker's loop; does nothing without a limit."""

    def __init__(
        self, pipeline: Pipeline, limit: timedelta | None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._pipeline, self._limit, self._monotonic = pipeline, limit, monotonic
        # Not at once: a worker that starts after a pause has yet to hear what waits for it.
        self._next = monotonic() + _EVERY

    def turned(self) -> None:
        if self._limit is None or self._monotonic() < self._next:
            return
        self._next = self._monotonic() + _EVERY
        try:
            silent = look_for_silence(self._pipeline, self._limit)
        except TransientError as failure:
            _log.warning("silence_unknown", message=failure.message)
            return
        if silent:
            _log.warning("sources_silent", systems=list(silent))
