"""How fresh each source is, on every answer: asked of the database at most once a second."""

import asyncio
import time

from starlette.concurrency import run_in_threadpool

from api.deps import Reads
from mdm.store.progress import source_states

_KEPT_SECONDS = 1.0


class Freshness:
    """Remembers one text for a moment, so that telling it costs a request nothing."""

    def __init__(self) -> None:
        self._text = ""
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def text(self, reads: Reads) -> str:
        """`crm=2026-01-31T12:00:00Z, erp=...`: by platform the time of its newest change that the hub has read."""
        if time.monotonic() < self._until or self._asking.locked():
            return self._text
        async with self._asking:
            self._text = await run_in_threadpool(_ask, reads)
            self._until = time.monotonic() + _KEPT_SECONDS
        return self._text


def _ask(reads: Reads) -> str:
    with reads.snapshot() as connection:
        states = source_states(connection)
    return ", ".join(
        f"{state.system}={state.event_time.strftime('%Y-%m-%dT%H:%M:%SZ')}"
        for state in states
        if state.event_time is not None
    )
