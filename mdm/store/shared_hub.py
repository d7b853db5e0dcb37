"""What a process remembers of a hub that it shares: whether others are at work, and which blocks are above their cap.

A block above its cap pairs nobody, and more members do not change that: whoever adds to it relies on no more than that
nobody takes members away meanwhile. So the claim on it is shared. In a large hub nearly all keys that two batches of
unrelated companies have in common are of this kind. Which they are is guessed before claims are taken, from what is
remembered and, where others are at work, by looking; once a claim is held it is looked at again (`mdm.store.pairs`).
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock

from sqlalchemy import Engine

_OPTION = "mdm_shared_hub"

#: Blocks that are remembered, some 100 bytes each. The most common are met in every batch, and so are kept.
REMEMBERED = 1 << 16
#: So many units of work after somebody else's, this process takes itself to be the only one at work.
_ACCOMPANIED = 50


@dataclass(slots=True)
class SharedHub:
    """Shared by all threads of the process that use an engine. What it says is a guess, good for saving time only."""

    most: int = REMEMBERED
    _crowded: dict[int, None] = field(default_factory=dict)
    _open: int = 0
    _last: int = 0
    _left: int = 0
    _lock: Lock = field(default_factory=Lock)

    def crowded(self, blocks: Collection[int]) -> set[int]:
        """Those of these blocks that were above their cap when they were last looked at."""
        with self._lock:
            return {block for block in blocks if block in self._crowded}

    def seen(self, above: Collection[int], below: Collection[int]) -> None:
        """These blocks are above their cap, and these are not. What was not seen for long is forgotten first."""
        with self._lock:
            for block in (*above, *below):
                self._crowded.pop(block, None)
            self._crowded |= dict.fromkeys(above)
            for block in list(islice(self._crowded, max(0, len(self._crowded) - self.most))):
                del self._crowded[block]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While a unit of work of this process runs."""
        with self._lock:
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1

    def saw(self, last: int) -> None:
        """A unit of work that begins saw this as the number of the last that had published."""
        with self._lock:
            others = self._open > 1 or last > self._last
            self._left = _ACCOMPANIED if others else max(0, self._left - 1)
            self._last = max(self._last, last)

    def published(self, number: int) -> None:
        """A unit of work of this process has published under this number."""
        with self._lock:
            self._last = max(self._last, number)

    @property
    def accompanied(self) -> bool:
        """Whether others were at work lately."""
        return self._left > 0


def remembering_shared_hub() -> Mapping[str, object]:
    """Execution options of an engine for which this is remembered; its copies share it."""
    return {_OPTION: SharedHub()}


def shared_hub(engine: Engine) -> SharedHub:
    """What is remembered for this engine; one that does not remember begins anew each time."""
    known = engine.get_execution_options().get(_OPTION)
    return known if isinstance(known, SharedHub) else SharedHub()
