"""Lives of topics. A topic that is deleted and made again counts its offsets from nought, and they name other messages.

The hub knows a message by its place and takes none in twice. So offsets of a later life are told apart: the second
life begins at `LIFE`, the third at twice that. What a topic's first life said keeps the places it always had.
"""

from typing import Final, NamedTuple

#: No topic has so many messages, and some hundred lives are still exact in JSON.
LIFE: Final = 10**13


class Life(NamedTuple):
    """Which life of a topic this is, from 0, and the broker's id of it (empty where the broker gives none)."""

    number: int
    topic_id: str


def lived(offset: int) -> tuple[int, int]:
    """The number of the life that an offset of the hub belongs to, and the broker's offset in it."""
    return divmod(offset, LIFE)


def in_life(number: int, offset: int) -> int:
    """The hub's offset for the broker's."""
    return number * LIFE + offset
