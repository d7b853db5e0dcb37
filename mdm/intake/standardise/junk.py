"""Placeholders: what people type when a field must not be empty. Junk is recognised, named, and never evidence."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from mdm.intake.standardise.lists import lines_of
from mdm.intake.standardise.text import CACHE, fold

PLACEHOLDER: Final = "PLACEHOLDER"
#: Symbols, punctuation or a legal form in the place of a name: somebody meant something, but it names nobody.
SAYS_NOTHING: Final = "SAYS_NOTHING"

_PHRASES: Final = frozenset(lines_of("placeholders"))
_REPEATED: Final = re.compile(r"([a-z0-9])\1*")
_ERASED: Final = re.compile(r"(erased|deleted|anonymi[sz]ed|redacted|removed|test|dummy) ?\w*\d+")
#: A country or scheme before a number, and what schemes put behind it: DE, ATU, CHE; the B01 of Dutch VAT numbers.
_AROUND: Final = re.compile(r"[a-z]{0,3}?(?P<number>x{4,}|[0-9]{5,})(?:[a-z][0-9]{0,2})?")
_COUNTING: Final = ("0123456789", "1234567890", "9876543210", "123456789123456789")


@lru_cache(CACHE)
def is_placeholder(text: str) -> bool:
    """Words such as N/A, TBD and unknown, one repeated character, the tombstone of an erased row, or only symbols."""
    folded = fold(text)
    if folded in _PHRASES or not folded or _only_symbols(text):
        return True
    return _REPEATED.fullmatch(folded.replace(" ", "")) is not None or _ERASED.fullmatch(folded) is not None


def why_no_name(text: str) -> str:
    """The code for a text that was taken for no name."""
    return PLACEHOLDER if is_placeholder(text) and not _only_symbols(text) else SAYS_NOTHING


def _only_symbols(text: str) -> bool:
    """Pictograms and punctuation: they can be read aloud, and name nothing."""
    return not text.isascii() and not any(map(str.isalnum, unicodedata.normalize("NFKC", text)))


@lru_cache(CACHE)
def is_placeholder_number(text: str) -> bool:
    """A number that nobody was given: words as above, 0000000, 123456789, 999-99-9999, also as DE000000000."""
    if is_placeholder(text):
        return True
    digits = "".join(character for character in text if character.isdigit())
    if len(digits) >= 5 and any(digits in counting for counting in _COUNTING):
        return True
    around = _AROUND.fullmatch("".join(character for character in fold(text) if character.isalnum()))
    if around is None:
        return False
    number = around["number"]
    return len(set(number)) == 1 or any(number in counting for counting in _COUNTING)
