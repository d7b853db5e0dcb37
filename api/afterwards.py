"""Long work that begins once a request is answered."""

from collections.abc import Callable
from typing import Any

from fastapi import BackgroundTasks

from mdm.errors import MdmError


def afterwards(later: BackgroundTasks, work: Callable[..., object], *args: Any) -> None:
    """Let long work begin once the request is answered. Its own page or resource shows how far it is, and why it came
    no further."""

    def told_where_it_is_shown() -> None:
        try:
            work(*args)
        except MdmError:
            # The request is answered already, so nobody could be told here: work that fails notes why before it raises.
            # Where it was begun twice, in two windows, the first to come carries it out, and what it shows tells both.
            return

    later.add_task(told_where_it_is_shown)
