"""Waiting out what may pass: the database restarts, the broker is away."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mdm.errors import TransientError
from mdm.observability.logs import logger

_log = logger(__name__)
T = TypeVar("T")

#: Waits between attempts double from the first to the longest, in seconds, each with up to half of it at random, so
#: that several workers do not return in step.
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 15.0
#: How often a wait looks up to see whether it should end.
_STEP = 0.1


class Stopped(BaseException):  # no failure: what takes failures apart must let it pass
    """The worker was asked to stop while it waited. What it was about to do has not happened."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try again after transient failures; `attempts` None is for ever, for workers that nobody restarts.

    `on_failure` hears of every failure that is followed by another attempt.
    """

    attempts: int | None
    stop: Callable[[], bool] = lambda: False
    on_failure: Callable[[TransientError], None] = lambda _: None

    def run(self, attempt: Callable[[], T]) -> T:
        """The result of the first attempt that succeeds; an attempt that failed has had no effect.

        Raises:
            TransientError: all attempts failed.
            Stopped: the worker was asked to stop between two attempts.
        """
        wait, number = _FIRST_WAIT, 1
        while True:
            try:
                return attempt()
            except TransientError as failure:
                if self.attempts is not None and number >= self.attempts:
                    raise
                self.on_failure(failure)
                _log.warning("transient_failure", attempt=number, code=failure.code, message=failure.message)
                self._wait(wait * (1 + random.random() / 2))  # noqa: S311  # jitter, not a secret
                wait, number = min(wait * 2, _LONGEST_WAIT), number + 1

    def _wait(self, seconds: float) -> None:
        pause(seconds, self.stop)
        if self.stop():
            raise Stopped


def pause(seconds: float, stop: Callable[[], bool]) -> None:
    """Sleep, but look up often enough to end soon after `stop` says so."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not stop():
        time.sleep(min(_STEP, left))
