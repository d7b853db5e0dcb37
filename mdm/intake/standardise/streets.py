"""Street names in a form that abbreviations and spellings share."""

import re
from functools import lru_cache
from typing import Final

from anyascii import anyascii

from mdm.intake.standardise.lists import variants_of, words_of
from mdm.intake.standardise.text import CACHE, fold, has_han, has_kana

#: Kinds of street, by the words and abbreviations that maps and forms use. One line is one kind.
_KINDS: Final = variants_of("street_kinds")
#: Words that names of streets share: titles, ranks, numbers.
_WORDS: Final = variants_of("street_words")
#: Kinds that German, Dutch and the Nordic languages write in one word with the name: Lindenstrasse, Dorpsstraat.
_GLUED: Final = (
    ("strasse", "st"), ("straat", "st"), ("str", "st"), ("boulevard", "bd"), ("platz", "pl"), ("plein", "pl"),
    ("plats", "pl"), ("gasse", "g"), ("gatan", "g"), ("gaten", "g"), ("gata", "g"), ("gade", "g"), ("vagen", "vag"),
    ("veien", "vag"), ("vegen", "vag"), ("vejen", "vag"), ("weg", "vag"), ("vej", "vag"), ("laan", "ln"),
    ("allee", "all"), ("blvd", "bd"),
)  # fmt: skip
_GLUED_KINDS: Final = frozenset(kind for _, kind in _GLUED)
#: Where people write Goethe-Straße, Goethe Str. and Goethestraße.
_GLUING: Final = frozenset({"DE", "AT", "CH", "LI"})
#: Where a street is called one by a word in front that may be left out, and in English by Street behind.
_WITHOUT_STREET: Final = frozenset({"UA", "RU", "BY", "BG", "PL", "RS"})
#: M.G. Road is MG Road.
_INITIALS: Final = re.compile(r"\b([A-Za-z])\.\s?(?=[A-Za-z]\.)")
#: Words that a street may carry or not: Polish says `ulica` or nothing.
_DROPPED: Final = words_of("street_small_words")
_ABBREVIATED: Final = re.compile(r"\b(p\.?za|v\.le|c\.so|l\.go|c/|p[ºo]\.|pº)\s*", re.IGNORECASE)
#: Estates of firms, which stand in the place of a street: Z.I. Nord is the Zone industrielle Nord.
_ESTATES: Final = (
    (re.compile(r"\b(?:z\.\s?i\.|zi\b|zon[ea] industri(?:elle|ale|al)\b)\s*", re.IGNORECASE), "zi "),
    (re.compile(r"\b(?:z\.\s?a\.|za\b|zone (?:artisanale|d['’]activit[ée]s?)\b)\s*", re.IGNORECASE), "za "),
    (re.compile(r"\bind(?:ustrial|\.)? est(?:ate|\.|\b)\s*", re.IGNORECASE), "ind estate "),
)
#: 테헤란로 is Teheran-ro.
_KOREAN_KIND: Final = re.compile(r"(?<=[가-힣]{2})(대로|로|길)(?=[\s\d]|$)")
_CHINESE_KINDS: Final = {"大道": "avenue", "大街": "street", "路": "road", "街": "street", "巷": "lane"}
_WRITTEN_OUT: Final = {"pza": "piazza", "vle": "viale", "cso": "corso", "lgo": "largo", "c": "calle", "po": "paseo"}


@lru_cache(CACHE)
def street_form(text: str, country: str | None = None) -> str | None:
    """The folded street: kinds abbreviated alike, joined words without the kind's long form, small words dropped."""
    if has_kana(text) or (has_han(text) and country == "JP"):
        return None
    if has_han(text):
        text = _chinese_street(text)
    text = _KOREAN_KIND.sub(r" \1", text)
    text = _ABBREVIATED.sub(lambda found: _WRITTEN_OUT.get(fold(found[1]).replace(" ", ""), found[1]) + " ", text)
    for written, estate in _ESTATES:
        text = written.sub(estate, text)
    text = _INITIALS.sub(r"\1", text)
    words = [_word(word) for word in fold(text).split()]
    kept = [word for word in words if word not in _DROPPED] or words
    if country in _WITHOUT_STREET and len(kept) > 1 and kept[-1] == "st":
        kept.pop()
    if country in _GLUING and len(kept) > 1 and kept[-1] in _GLUED_KINDS:
        kept[-2:] = ["".join(kept[-2:])]
    street = " ".join(kept)
    # Ερμού is Ermou in passports, and Ermoy letter by letter.
    return (street.replace("oy", "ou") if country == "GR" else street) or None


def names_its_kind(text: str) -> bool:
    """Whether a line has a word for what streets are: Street, rue, -vägen."""
    words = fold(text).split()
    glued = (word.endswith(ending) and len(word) > len(ending) + 2 for word in words for ending, _ in _GLUED)
    return any(glued) or (len(words) > 1 and any(word in _KINDS for word in words))


def _chinese_street(text: str) -> str:
    """`天府大道` -> `tianfu avenue`, as the signs say."""
    for written, kind in _CHINESE_KINDS.items():
        if text.endswith(written) and text != written:
            return f"{anyascii(text[: -len(written)]).lower().replace(' ', '')} {kind}"
    return text


def _word(word: str) -> str:
    kind = _WORDS.get(word) or _KINDS.get(word)
    if kind is not None:
        return kind
    for ending, kind in _GLUED:
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)] + kind
    return word
