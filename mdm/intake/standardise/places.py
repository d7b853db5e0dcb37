"""Cities under their several names: the English one where there is one."""

import re
from functools import lru_cache
from typing import Final

from mdm.intake.standardise.lists import lines_of
from mdm.intake.standardise.text import CACHE, fold


def _table() -> dict[str, str]:
    names: dict[str, str] = {}
    for line in lines_of("cities"):
        english, *others = [fold(name) for name in line.split(",")]
        for name in (english, *others):
            names.setdefault(name, english)
    return names


_CITIES: Final = _table()
#: What kind of city it is, behind its name: 대전광역시 is Daejeon.
_KOREAN_KIND: Final = re.compile(r"(?<=[가-힣]{2})(?:특별자치시|특별시|광역시|시)$")


#: Between a city and its district, province or state: `Kadıköy/İstanbul`, `Milano (MI)`, `Praha 1 - Staré Město`.
_PARTS: Final = re.compile(r"\s*[/,(]\s*|\s+[-–]\s+")
#: `PO`, `NSW`, `K`: the letters of a province, a state or a district.
_LETTERS: Final = 3

_SAINT: Final = re.compile(r"\bsainte?\b")


@lru_cache(CACHE)
def city_form(text: str) -> str | None:
    """The folded city under its English name: München, Munich and MUENCHEN are `munich`.

    What says where the city is, or which part of it, is left out where the rest is a city that is known everywhere.
    """
    whole = _plain(text)
    if whole in _CITIES:
        return _CITIES[whole]
    for part in _PARTS.split(text):
        if (name := _plain(part)) in _CITIES:
            return _CITIES[name]
    words = whole.split()
    if len(words) > 1:
        for name, other in ((" ".join(words[:-1]), words[-1]), (" ".join(words[1:]), words[0])):
            if len(other) <= _LETTERS and name in _CITIES:
                return _CITIES[name]
    for word in text.split() if len(words) > 1 and not text.isascii() else ():
        if not word.isascii() and (name := _plain(word)) in _CITIES:
            return _CITIES[name]
    return _SAINT.sub(lambda found: "st" if found[0] == "saint" else "ste", whole) or None


def _plain(text: str) -> str:
    plain = fold(_KOREAN_KIND.sub("", text.strip()))
    return " ".join(word for word in plain.split() if not word.isdigit() and word != "cedex")


@lru_cache(CACHE)
def is_city(text: str) -> bool:
    """Whether the whole text is the name of a city that is known everywhere."""
    return fold(text) in _CITIES
