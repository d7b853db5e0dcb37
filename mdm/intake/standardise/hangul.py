"""Hangul in Latin letters: the official romanisation (2000), and in names the spellings that their owners prefer.

A syllable is one code point, put together of an initial, a vowel and a final; sound changes between syllables are left
out, as in most company names.
"""

from typing import Final

from mdm.intake.standardise.lists import lines_of, words_in_order

_FIRST, _LAST = 0xAC00, 0xD7A3
_INITIALS: Final = words_in_order("g kk n d tt r m b pp s ss _ j jj ch k t p h")
_VOWELS: Final = words_in_order("a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i")
_FINALS: Final = words_in_order("_ k k k n n n t l k m l l l p l m p p t t ng t t k t p t")


def romanised(text: str) -> str:
    """The text with its Hangul in Latin letters: `테헤란로` -> `teheranro`. Other letters stay as they are."""
    return text if text.isascii() else "".join(map(_syllable, text))


def spelt_by_owners(text: str) -> str:
    """A brand in Hangul as companies write theirs: `신영` -> `shinyoung`, not `sinyeong`."""
    return "".join(_PREFERRED.get(letter) or _syllable(letter) for letter in text)


def is_hangul(text: str) -> bool:
    """Whether it is written in Hangul throughout."""
    return bool(text) and all(_FIRST <= ord(letter) <= _LAST for letter in text)


def _syllable(letter: str) -> str:
    code = ord(letter)
    if not _FIRST <= code <= _LAST:
        return letter
    initial, rest = divmod(code - _FIRST, 588)
    vowel, final = divmod(rest, 28)
    return f"{_INITIALS[initial]}{_VOWELS[vowel]}{_FINALS[final]}"


_PREFERRED: Final = {
    written: latin for latin, *forms in map(str.split, lines_of("korean_syllables")) for written in forms
}
