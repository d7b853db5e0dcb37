"""Countries and regions: from any usual name or code to ISO 3166."""

from functools import lru_cache
from typing import Final

import pycountry
from rigour.territories import lookup_territory

from mdm.intake.standardise.junk import PLACEHOLDER, is_placeholder
from mdm.intake.standardise.lists import words_of
from mdm.intake.standardise.result import UNKNOWN, Context, Inputs, Standardised
from mdm.intake.standardise.text import CACHE, fold, tidy

#: Member states of the EU, and Northern Ireland's prefix: where a VAT number begins with a country code.
EU: Final = words_of("eu_members")


@lru_cache(CACHE)
def country_code(text: str) -> str | None:
    """The ISO 3166-1 alpha-2 code of a country's name in its own or another usual language, or of a code."""
    text = tidy(text)
    if len(text) == 2 and text.isascii() and pycountry.countries.get(alpha_2=text.upper()) is not None:
        return text.upper()
    if not text or is_placeholder(text):
        return None
    territory = lookup_territory(text)
    # Parts of a country (England) are territories of their own; the country is the first half of their code.
    return None if territory is None else str(territory.code).partition("-")[0].upper()


def country(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `country`."""
    for given in inputs:
        if given.text.strip():
            code = country_code(given.text)
            if code is not None:
                return Standardised(code, {"country": code.lower()})
            return Standardised(rejected=PLACEHOLDER if is_placeholder(given.text) else "COUNTRY_UNKNOWN")
    return UNKNOWN


@lru_cache(CACHE)
def region_form(text: str, country_code_: str | None) -> str | None:
    """The folded region; an ISO 3166-2 code or name of a known country becomes the code, so that TX equals Texas."""
    folded = fold(text)
    if not folded:
        return None
    return _regions(country_code_).get(folded, folded) if country_code_ else folded


@lru_cache(300)
def _regions(code: str) -> dict[str, str]:
    regions: dict[str, str] = {}
    subdivisions = pycountry.subdivisions.get(country_code=code)  # type: ignore[no-untyped-call] # pycountry is untyped
    for subdivision in subdivisions or ():
        short = subdivision.code.lower()
        regions[fold(subdivision.name)] = short
        regions[short.partition("-")[2]] = short
    return regions
