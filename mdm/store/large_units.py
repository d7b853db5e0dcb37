"""What a process remembers of units of work that needed the hub for themselves: the next as large asks for it at once.

In a dense hub a large batch touches more than one unit of work may claim. It finds out after half of its work, which
is lost; without memory that would happen to every batch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy import Engine

_OPTION = "mdm_large_units"

#: So many units of work go alone before one of their size tries to share the hub again.
REMEMBERED = 20


@dataclass(slots=True)
class LargeUnits:
    """Shared by all threads of the process that use an engine. Sizes are numbers of messages; 0 says nothing."""

    _from: int = 0
    _left: int = 0
    _lock: Lock = field(default_factory=Lock)

    def outgrown(self, size: int) -> None:
        """A unit of work of this size shared the hub and needed it for itself."""
        with self._lock:
            self._from = min(size, self._from) if self._left else size
            self._left = REMEMBERED if size else 0

    def expected(self, size: int) -> bool:
        """Whether a unit of work of this size will need the hub for itself, as far as can be told."""
        with self._lock:
            if not self._left or size < self._from:
                return False
            self._left -= 1
            return True


def remembering_large_units() -> Mapping[str, object]:
    """Execution options of an engine whose large units of work are remembered; its copies share them."""
    return {_OPTION: LargeUnits()}


def large_units(engine: Engine) -> LargeUnits:
    """What is remembered for this engine; an engine that does not remember begins anew each time."""
    known = engine.get_execution_options().get(_OPTION)
    return known if isinstance(known, LargeUnits) else LargeUnits()
