"""What could not be processed: how people name it (D12 is dead letter 12, E12 is exception 12), and in what order.

Both are numbered from 1, so a number alone says too little wherever either may be meant.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from mdm.model.events import Place
from mdm.model.ids import CrosswalkKey
from mdm.model.worklist import Affected, Impact, Part


class Matter(StrEnum):
    """What a name is about; the value is the letter that its names begin with."""

    DEAD_LETTER = "D"
    EXCEPTION = "E"


@dataclass(frozen=True, slots=True)
class MatterName:
    """A name as somebody wrote it; `matter` is None for a number alone."""

    matter: Matter | None
    number: int


_WRITTEN = re.compile(r"([DEde]?)([0-9]{1,18})", re.ASCII)


def named(matter: Matter, number: int) -> str:
    """As lists and pages show it."""
    return f"{matter.value}{number}"


def read_name(text: str) -> MatterName | None:
    """What a written name means; None when it is no name."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        return None
    letter, number = found.groups()
    return MatterName(Matter(letter.upper()) if letter else None, int(number))


@dataclass(frozen=True, slots=True)
class InTheWay:
    """A refused message of a row whose order is kept. `root` is the one that somebody must deal with: itself, or what
    it waits for."""

    key: CrosswalkKey
    place: Place
    root: Place


@dataclass(frozen=True, slots=True)
class AtStake:
    """What hangs on rows whose messages were refused, as far as linked facts and current golden contracts tell.

    Attributes:
        amounts: open invoices and running contracts behind the rows, each once, by currency.
        rows: how many rows the messages are about; those whose key could not be read are not among them.
        known: of how many of them the hub holds the row itself, or something that refers to it. Of the others nobody
            here can say what hangs on them: no amount is not the same as no money.
    """

    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    rows: int = 0
    known: int = 0


@dataclass(frozen=True, slots=True)
class RefusedGroup:
    """Open dead letters of one kind, as the order of exceptions sees them. `likeness` names the kind.

    `tier` is that of their table; those that only wait for others (`waits`) are no reason to look by themselves.
    """

    likeness: str
    letters: int
    newest_id: int
    first_seen: datetime
    stake: AtStake = field(default_factory=AtStake)
    affected: Affected = field(default_factory=Affected)
    tier: int = 2
    waits: bool = False

    @property
    def amounts(self) -> Mapping[str, Decimal]:
        return self.stake.amounts

    @property
    def rows(self) -> int:
        return self.stake.rows


@dataclass(frozen=True, slots=True)
class RankedGroup:
    """A group with its place in the order: the higher `rank`, the sooner. `parts` do not hold the waiting time.

    `times_much` is how many times as much money hangs on it as is much in its currency (`MuchMoney`).
    """

    group: RefusedGroup
    rank: float
    parts: tuple[Part, ...]
    impact: Impact
    times_much: float
