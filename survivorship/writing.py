"""How well a text is written, and texts folded for comparison and search."""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

#: Traces of what went wrong on the way: entities, replacement characters, doubly decoded UTF-8, shouted notes.
_FAULT = re.compile(
    r"&[a-z]+;|&#\d+;|\ufffd|[ÃÂ][\u0080-\u00bf]|\*{2,}|_{2,}|\s{2,}|\?{2,}|^\s|\s$|\bdo not use\b", re.I
)
_NOT_WORD = re.compile(r"[^0-9a-z]+")
#: Shorter words may be acronyms, which are written in capitals.
_LONGEST_ACRONYM = 4


@lru_cache(maxsize=16_384)
def written(text: str) -> int:
    """A grade for the writing of a name: higher is better.

    People and registers write names in upper and lower case. A name in capitals or in lower case only has lost that on
    its way through a system, and one with entities or mojibake has lost more. Between two good ones, letters beyond
    ASCII are what a transliteration would have lost. Scripts without case are as good as mixed case.
    """
    grade = 4 * _case(text) - 6 * len(_FAULT.findall(text))
    return grade + (1 if not text.isascii() and not _FAULT.search(text) else 0)


def _case(text: str) -> int:
    words = [word for word in re.findall(r"[^\W\d_]+", text) if word.upper() != word.lower()]
    telling = [word for word in words if len(word) > _LONGEST_ACRONYM] or words
    if not telling:
        return 3  # a script without case, or no letters at all
    if all(word.islower() for word in telling):
        return 0 if text.islower() else 2
    if all(word.isupper() for word in telling) and max(map(len, telling)) > _LONGEST_ACRONYM:
        return 1
    return 3


@lru_cache(maxsize=16_384)
def folded(text: str) -> str:
    """The text without case, accents' encoding, punctuation and spaces: equal for spellings that say the same."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in plain if character.isalnum()) or plain


@lru_cache(maxsize=16_384)
def search_words(text: str) -> tuple[str, ...]:
    """The words of a text in ASCII lower case, letters and digits only."""
    plain = text if text.isascii() else anyascii(text)
    return tuple(word for word in _NOT_WORD.split(plain.lower()) if word)
