"""How people name what could not be processed: D12 is dead letter 12, E12 is exception 12.

Both are numbered from 1, so a number alone says too little wherever either may be meant.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


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
