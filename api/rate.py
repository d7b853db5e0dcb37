"""Rate limits: a bucket of tokens per caller, in the process. 429 with `Retry-After` when it is empty.

Every answer says how the bucket stands, in the headers of the IETF draft (draft-ietf-httpapi-ratelimit-headers).
"""

import math
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

    @property
    def policy(self) -> str:
        """`RateLimit-Policy`: so many requests in the seconds in which an empty bucket fills."""
        return f'"default";q={self.burst};w={max(1, math.ceil(self.burst / self.per_second))}'


@dataclass(frozen=True, slots=True)
class Standing:
    """A bucket after a request: `wait` is 0, or the seconds until there is a token for it.

    Attributes:
        remaining: requests that may follow at once.
        full_in: seconds until all of the burst may be sent again.
    """

    wait: float
    remaining: int
    full_in: float

    @property
    def limit(self) -> str:
        """`RateLimit`."""
        return f'"default";r={self.remaining};t={math.ceil(self.full_in)}'


class Limiter:
    """Counts requests by caller. All of it happens in the event loop, so nothing is locked."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self.policy = rate.policy

    def take(self, caller: str, now: float | None = None) -> Standing:
        """Take a token, if there is one, and say how the bucket stands."""
        at = time.monotonic() if now is None else now
        tokens, since = self._buckets.pop(caller, (float(self._rate.burst), at))
        tokens = min(tokens + (at - since) * self._rate.per_second, float(self._rate.burst))
        allowed = tokens >= 1.0
        left = tokens - 1.0 if allowed else tokens
        self._buckets[caller] = (left, at)
        while len(self._buckets) > _CAPACITY:
            self._buckets.popitem(last=False)
        wait = 0.0 if allowed else (1.0 - tokens) / self._rate.per_second
        return Standing(wait, int(left), (self._rate.burst - left) / self._rate.per_second)
