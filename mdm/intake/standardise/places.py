"""Cities under their several names: the English one where there is one."""

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


@lru_cache(CACHE)
def city_form(text: str) -> str | None:
    """The folded city under its English name: München, Munich and MUENCHEN are `munich`."""
    words = [word for word in fold(text).split() if not word.isdigit() and word != "cedex"]
    name = " ".join(words)
    return _CITIES.get(name, name) or None


@lru_cache(CACHE)
def is_city(text: str) -> bool:
    """Whether the whole text is the name of a city that is known everywhere."""
    return fold(text) in _CITIES
