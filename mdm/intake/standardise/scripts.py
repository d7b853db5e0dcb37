"""Names in other scripts: written in Latin letters the way their owners do it.

Chinese company names are city, brand, trade and form, Korean ones brand and trade in one word; the trade is translated
and the brand spelt. Japanese characters have readings that no letter table knows: common words are looked up, and a
name that is not covered whole has no Latin form at all: pinyin would contradict it. Ukrainian follows its official
table, the rest is anyascii.
"""

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Final

from anyascii import anyascii

from mdm.intake.standardise.hangul import is_hangul, spelt_by_owners
from mdm.intake.standardise.lists import lines_of
from mdm.intake.standardise.text import CACHE, has_han, has_kana

_KANA_OR_HAN: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_UKRAINIAN_ONLY: Final = re.compile("[іїєґ]", re.IGNORECASE)
_UKRAINIAN: Final = {
    "а": "a", "б": "b", "в": "v", "г": "h", "ґ": "g", "д": "d", "е": "e", "є": "ie", "ж": "zh", "з": "z", "и": "y",
    "і": "i", "ї": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s",
    "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ь": "", "ю": "iu",
    "я": "ia", "'": "", "’": "",
}  # fmt: skip
_UKRAINIAN_FIRST: Final = {"є": "ye", "ї": "yi", "й": "y", "ю": "yu", "я": "ya"}


def _vocabulary(name: str) -> dict[str, str]:
    entries = (line.split() for line in lines_of(name))
    return {written: latin for latin, *forms in entries for written in forms}


_CHINESE: Final = _vocabulary("chinese_words")
_KOREAN: Final = _vocabulary("korean_words")
_JAPANESE: Final = _vocabulary("japanese_words")
_CITIES: Final = {
    written: line.partition(",")[0].lower()
    for line in lines_of("cities")
    for written in line.split(",")
    if has_han(written)
}
#: Characters that Chinese writes otherwise since its reform, and words that only Japanese companies use.
_JAPANESE_CHARACTERS: Final = "輸運産業電鉄鋼製薬設築動務貿銀険証報開発療観図広渡辺斎藤沢桜"
_JAPANESE_WORDS: Final = ("商事", "物産", "技研", "工務店")


#: Pairs of Greek letters that are read as one sound, by the official table (ELOT 743); the rest is letter by letter.
_GREEK_PAIRS: Final = (
    (re.compile("ου"), "ou"), (re.compile("([αεη])υ(?=[αεηιοωβγδζλμνρ])"), r"\1v"), (re.compile("([αεη])υ"), r"\1f"),
    (re.compile("γγ"), "ng"), (re.compile("γξ"), "nx"), (re.compile("γχ"), "nch"), (re.compile(r"\bμπ"), "b"),
)  # fmt: skip
_GREEK: Final = re.compile("[α-ω]")


def greek_in_latin(text: str) -> str | None:
    """A Greek text in the Latin letters of its passports; None where it has no Greek letter."""
    plain = "".join(each for each in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(each))
    if not _GREEK.search(plain):
        return None
    for pair, latin in _GREEK_PAIRS:
        plain = pair.sub(latin, plain)
    return anyascii(plain)


class Language(StrEnum):
    """Languages whose letters need more than a table of letters."""

    JAPANESE = "ja"
    UKRAINIAN = "uk"
    OTHER = ""


def language_of(text: str) -> Language:
    """The language that a text's letters give away."""
    if looks_japanese(text):
        return Language.JAPANESE
    return Language.UKRAINIAN if _UKRAINIAN_ONLY.search(text) else Language.OTHER


@lru_cache(CACHE)
def in_latin(text: str, language: Language) -> str | None:
    """One word of a name in Latin letters; None where its reading is not known."""
    if is_hangul(text):
        return _korean(text)
    if not _KANA_OR_HAN.search(text):
        return _ukrainian(text) if language is Language.UKRAINIAN else anyascii(text)
    return _japanese(text) if language is Language.JAPANESE else _chinese(text)


def looks_japanese(text: str) -> bool:
    """Kana, characters in their Japanese form, or a word of Japanese business."""
    return has_kana(text) or any(mark in text for mark in (*_JAPANESE_CHARACTERS, *_JAPANESE_WORDS))


def _chinese(text: str) -> str:
    city = next((city for city in _CITIES if text.startswith(city)), "")
    brand = text[len(city) :]
    trades: list[str] = []
    while (word := _longest(_CHINESE, brand.endswith)) and word != brand:
        brand = brand[: -len(word)]
        trades.insert(0, _CHINESE[word])
    return " ".join(part for part in (_CITIES.get(city, ""), anyascii(brand).lower(), *trades) if part)


def _korean(text: str) -> str:
    """Brand and trades in one word, as Korean writes them: 신영물류 is Shinyoung Logistics."""
    trades: list[str] = []
    while (word := _longest(_KOREAN, text.endswith)) and word != text:
        text = text[: -len(word)]
        trades.insert(0, _KOREAN[word])
    return " ".join([_KOREAN.get(text) or spelt_by_owners(text), *trades])


def _japanese(text: str) -> str | None:
    """The text from left to right, word by word; kana that are no known word are spelt."""
    found: list[str] = []
    spelt = ""
    while text:
        word = _longest(_JAPANESE, text.startswith)
        if word or spelt == "" or has_han(text[0]):
            found.append(anyascii(spelt).lower())
            spelt = ""
        if not word and has_han(text[0]):
            return None
        found.append(_JAPANESE.get(word, ""))
        spelt += "" if word else text[0]
        text = text[len(word) or 1 :]
    return " ".join(part for part in (*found, anyascii(spelt).lower()) if part)


def _longest(words: dict[str, str], fits: Callable[[str], bool]) -> str:
    return max(filter(fits, words), key=len, default="")


def _ukrainian(text: str) -> str:
    spelt = re.sub("зг", "zgh", text.lower())
    letters = [
        _UKRAINIAN_FIRST.get(letter) if position == 0 and letter in _UKRAINIAN_FIRST else _UKRAINIAN.get(letter, letter)
        for position, letter in enumerate(spelt)
    ]
    return anyascii("".join(letter or "" for letter in letters))
