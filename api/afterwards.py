"""Long work that begins once a request is answered."""

from collections.abc import Callable
from typing import Any

from fastapi import BackgroundTasks

from mdm.errors import Conflict


def afterwards(later: BackgroundTasks, work: Callable[..., object], *args: Any) -> None:
    """Let long work begin once the request is answered. Its own page or resource shows how far it is.

    Begun twice, in two windows, it is carried out by the first to come; that the second came too late is no failure.
    Whatever else goes wrong is raised, and so logged.
    """

    def once() -> None:
        try:
            work(*args)
        except Conflict:
            return

    later.add_task(once)
