"""What stewardship needs from its surroundings: where to write, the time, and the released rules."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.core.rules import Rules


class Workplace(Protocol):
    """Anything that has these three; `mdm.hub.process.Pipeline` does."""

    @property
    def engine(self) -> Engine: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def rules(self) -> Rules: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """A workplace that reads no feeds."""

    engine: Engine
    clock: Clock
    rules: Rules
