"""Text: repaired and tidied for display, folded to ASCII for comparison."""

import html
import re
import unicodedata
from functools import lru_cache
from typing import Final

import ftfy
from anyascii import anyascii

from mdm.intake.standardise.hangul import romanised

#: Results kept by each standardiser: enough for the batch in hand, where the same texts come back. More of them cost
#: memory by the hundred megabytes and saved nothing that could be measured.
CACHE: Final = 8_192
#: White space, control characters, and marks that take no width.
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200d\u2060\ufeff\u00ad]+")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_HAN: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA: Final = re.compile(r"[\u3040-\u30ff]")
#: ae, oe, ue between consonants is how ä, ö, ü are written without the letter (Wuerzburg); both forms become a, o, u.
#: Elsewhere (value, blue, queen, oers) the two letters are two letters.
_UMLAUT_SPELT: Final = re.compile(r"(?<=[bcdfghjklmnprstvwxz])([aou])e(?=[bcdfghjklmnpqrstvwxz])")
_MOJIBAKE: Final = re.compile("[ÃÂâÅÄÐ][\u0080-\u00bf\u0152-\u0178\u02c6-\u2122]")


@lru_cache(CACHE)
def tidy(text: str) -> str:
    """The text as its author meant it: entities resolved, mojibake repaired, white space single; no other change."""
    if "&" in text:
        text = html.unescape(html.unescape(text))
    if not text.isascii():
        if _MOJIBAKE.search(text):
            text = ftfy.fix_encoding(text)
        text = unicodedata.normalize("NFC", text)
    return _SPACE.sub(" ", text).strip()


@lru_cache(CACHE)
def fold(text: str) -> str:
    """Lower-case ASCII words with single spaces: `Müller & Söhne` -> `muller sohne`. Empty when nothing is left."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if not text.isascii():
        text = anyascii(romanised(text)).lower()
    words = _NOT_WORD.sub(" ", text.replace("'", "")).strip()
    return _UMLAUT_SPELT.sub(r"\1", words)


@lru_cache(CACHE)
def fold_code(text: str) -> str:
    """Letters and digits only, lower case: `CT 2024/000123` -> `ct2024000123`."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if not text.isascii():
        text = anyascii(text).lower()
    return _NOT_WORD.sub("", text)


def has_han(text: str) -> bool:
    """Chinese characters, which Japanese uses too."""
    return _HAN.search(text) is not None


def has_kana(text: str) -> bool:
    """Japanese syllables."""
    return _KANA.search(text) is not None


def is_latin(text: str) -> bool:
    """No letter outside the Latin alphabet."""
    return text.isascii() or all(
        not letter.isalpha()
        or unicodedata.name(letter, "").startswith(("LATIN", "FULLWIDTH LATIN", "FEMININE", "MASC"))
        for letter in text
    )
