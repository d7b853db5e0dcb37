"""Rate limits: a bucket of tokens per caller, in the process. 429 with `Retry-After` when it is empty."""

import time
from collections import OrderedDict
from dataclasses import dataclass

#: Callers remembered at once; the one that was silent longest is forgotten, and begins with a full bucket.
_CAPACITY = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests a caller may send: `burst` at once, and `per_second` in the long run."""

    per_second: float
    burst: int


class Limiter:
    """Counts requests by caller. All of it happens in the event loop, so nothing is locked."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str, now: float | None = None) -> float:
        """Take a token: 0, or the seconds until there is one."""
        at = time.monotonic() if now is None else now
        tokens, since = self._buckets.pop(caller, (float(self._rate.burst), at))
        tokens = min(tokens + (at - since) * self._rate.per_second, float(self._rate.burst))
        allowed = tokens >= 1.0
        self._buckets[caller] = (tokens - 1.0 if allowed else tokens, at)
        while len(self._buckets) > _CAPACITY:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - tokens) / self._rate.per_second
