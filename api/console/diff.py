"""Where two texts differ, character by character."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

#: Texts less alike than this are simply different; marking single letters in them would only flicker.
_ALIKE = 0.5
#: A common stretch shorter than this between two differences is noise.
_STRETCH = 2
_LONGEST = 300


class Segment(NamedTuple):
    """A part of a text; `differs` when the other text does not have it there."""

    text: str
    differs: bool


def segments(text: str, others: Sequence[str]) -> list[Segment]:
    """A text cut into what the most similar of the other texts has, and what it does not."""
    if not text or not others or text in others:
        return [Segment(text, False)]
    if len(text) > _LONGEST:
        return [Segment(text, True)]
    nearest = max(others, key=lambda other: SequenceMatcher(None, text, other, autojunk=False).ratio())
    matcher = SequenceMatcher(None, text, nearest, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return [Segment(text, True)]
    found: list[Segment] = []
    position = 0
    for start, _, size in matcher.get_matching_blocks():
        at_an_end = start == 0 or start + size == len(text)
        if size and size < _STRETCH and not at_an_end:
            continue
        if start > position:
            found.append(Segment(text[position:start], True))
        if size:
            found.append(Segment(text[start : start + size], False))
        position = max(position, start + size)
    return found
