"""Waiting for announcements without a thread each: one watcher asks the database for all who wait."""

import asyncio

from starlette.concurrency import run_in_threadpool

from api.deps import Reads
from mdm.store.read_models import newest_change

#: How often the database is asked while somebody waits, in seconds.
_PAUSE = 0.2
#: Requests that may wait at once; the next ones ask the database themselves.
MOST_WAITING = 1_000


class Watcher:
    """Knows the newest announcement while somebody waits for one; sleeps otherwise."""

    def __init__(self) -> None:
        self._newest = 0
        self._waiting = 0
        self._asking = asyncio.Lock()
        self._asked_at = 0.0

    async def wait_beyond(self, seq: int, seconds: float, reads: Reads) -> int:
        """The newest announcement, as soon as it is newer than `seq` or the time is over."""
        if self._waiting >= MOST_WAITING:
            await asyncio.sleep(_PAUSE)
            return self._newest
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        self._waiting += 1
        try:
            while True:
                async with self._asking:
                    if clock() - self._asked_at >= _PAUSE:
                        self._newest = await run_in_threadpool(_newest, reads.own())
                        self._asked_at = clock()
                if self._newest > seq or clock() >= deadline:
                    return self._newest
                await asyncio.sleep(min(_PAUSE, max(deadline - clock(), 0.0)))
        finally:
            self._waiting -= 1


def _newest(reads: Reads) -> int:
    with reads.snapshot() as connection:
        return newest_change(connection)
