"""Cities under their several names: the English one where there is one."""

import re
from functools import lru_cache
from typing import Final

from mdm.intake.standardise.lists import lines_of, variants_of, words_of
from mdm.intake.standardise.text import CACHE, fold

#: Words that names of places share, by their abbreviations: St, Ste, Mt, Ft.
_WORDS: Final = variants_of("place_words")
#: The same, which are abbreviations between two words only: Neuilly s/ Seine.
_BETWEEN: Final = variants_of("place_words_between")
#: What kind of city it is, behind its name: 대전광역시 is Daejeon.
_KOREAN_KIND: Final = re.compile(r"(?<=[가-힣]{2})(?:특별자치시|특별시|광역시|시)$")
#: Milano (MI), Halle (Saale).
_BRACKETED: Final = re.compile(r"\s*\([^()]*\)")
#: A part of the city: by number (Paris 8e), by post town (London EC1), or what says that it is one.
_PART: Final = re.compile(r"\d+(?:e|er|eme|ere|nd|st|th)?|[a-z]{1,2}\d{1,2}[a-z]?|cedex|arrondissement|arrdt?")
#: What may follow the name of a city that is known everywhere, and says nothing: København K, Luxembourg-Ville.
_BEHIND: Final = words_of("city_small_words")
#: A quarter stands behind its city: Köln-Ehrenfeld, Frankfurt/Main; but Tours-sur-Marne is no part of Tours.
_QUARTER: Final = re.compile(r"\s*[-/–,]\s*")
_OF_ANOTHER: Final = words_of("place_prepositions")


def _plain(text: str) -> str:
    """The folded words, abbreviations written out alike, without numbers and signs of parts of a city."""
    words = [_WORDS.get(word, word) for word in fold(text).split() if not word.isdigit()]
    inside = range(1, len(words) - 1)
    words = [_BETWEEN.get(word, word) if place in inside else word for place, word in enumerate(words)]
    return " ".join(words[:1] + [word for word in words[1:] if not _PART.fullmatch(word)]) if words else ""


def _table() -> dict[str, str]:
    names: dict[str, str] = {}
    for line in lines_of("cities"):
        english, *others = [_plain(name) for name in line.split(",")]
        for name in (english, *others):
            names.setdefault(name, english)
    return names


_CITIES: Final = _table()


@lru_cache(CACHE)
def city_form(text: str) -> str | None:
    """The folded city under its English name: München, Munich and MUENCHEN are `munich`."""
    text = _KOREAN_KIND.sub("", text.strip())
    whole = _plain(text)
    if whole in _CITIES:  # before anything is left out: Frankfurt (Oder) is another one
        return _CITIES[whole]
    name = _plain(_BRACKETED.sub("", text)) or whole
    return _CITIES.get(name) or _known_part(text, name) or name or None


def _known_part(text: str, name: str) -> str | None:
    """The city that is known everywhere, where the text names one and a part of it or nothing else."""
    *before, last = name.split() or [""]
    region = re.search(r"[\s,]([A-Z]{2,3})\Z", text)  # Toronto, ON
    if before and (last in _BEHIND or region) and " ".join(before) in _CITIES:
        return _CITIES[" ".join(before)]
    city, *behind = _QUARTER.split(text, maxsplit=1)
    following = fold(behind[0]).split()[:1] if behind else []
    if following and following[0] not in _OF_ANOTHER:
        # Turkey puts the quarter first: Kadıköy/İstanbul.
        return _CITIES.get(_plain(city)) or (_CITIES.get(_plain(behind[0])) if "/" in text else None)
    return None if text.isascii() else _known_word(text)


def _known_word(text: str) -> str | None:
    """서울특별시 강남구 is in Seoul."""
    words = (_plain(_KOREAN_KIND.sub("", word)) for word in text.split() if not word.isascii())
    return next((_CITIES[word] for word in words if word in _CITIES), None)


@lru_cache(CACHE)
def is_city(text: str) -> bool:
    """Whether the whole text is the name of a city that is known everywhere."""
    return _plain(text) in _CITIES
