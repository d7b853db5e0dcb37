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


@lru_cache(CACHE)
def city_form(text: str) -> str | None:
    """The folded city under its English name: München, Munich and MUENCHEN are `munich`."""
    words = [
        word for word in fold(_KOREAN_KIND.sub("", text.strip())).split() if not word.isdigit() and word != "cedex"
    ]
    name = " ".join(words)
    return _CITIES.get(name, name) or None


@lru_cache(CACHE)
def is_city(text: str) -> bool:
    """Whether the whole text is the name of a city that is known everywhere."""
    return fold(text) in _CITIES
