"""Countries and regions: from any usual name or code to ISO 3166."""

import gettext
from functools import lru_cache
from typing import Final

import pycountry

from mdm.intake.standardise.junk import PLACEHOLDER, is_placeholder
from mdm.intake.standardise.lists import lines_of, variants_of, words_of
from mdm.intake.standardise.result import UNKNOWN, Context, Inputs, Standardised
from mdm.intake.standardise.text import CACHE, fold, tidy

#: Languages in which a country may be named.
_LANGUAGES: Final = tuple(sorted(words_of("languages_of_country_names")))
#: Member states of the EU, and Northern Ireland's prefix: where a VAT number begins with a country code.
EU: Final = words_of("eu_members")


def _usual_names() -> dict[str, str]:
    """Codes and names of ISO 3166, and what countries are called in other languages, folded."""
    names: dict[str, str] = {}
    for country in pycountry.countries:
        for name in ("alpha_2", "alpha_3", "name", "official_name", "common_name"):
            names.setdefault(fold(getattr(country, name, "")), country.alpha_2)
    for line in lines_of("country_names"):
        code, *written = line.split()
        names |= {name.replace("_", " "): code for name in written}
    for word, english in variants_of("country_words").items():
        names.setdefault(word, names[english])
    names.pop("", None)
    return names


_USUAL: Final = _usual_names()
#: Codes that look like what people type to fill a field: EE is Estonia, XX nothing.
_OF_ONE_LETTER: Final = frozenset(code for code in _USUAL if len(code) == 2 and code[0] == code[1])


@lru_cache(300)
def words_of_country(code: str) -> tuple[str, ...]:
    """The single words by which a country is called, folded; its codes are none."""
    return tuple(sorted(name for name, of in _USUAL.items() if of == code and " " not in name and len(name) > 3))


def is_a_country(word: str) -> bool:
    """Whether a folded word is what a country is usually called."""
    return word in _USUAL


@lru_cache(CACHE)
def usual_country(text: str) -> str | None:
    """The ISO 3166-1 alpha-2 code of a code or usual name."""
    text = tidy(text)
    folded = fold(text)
    if is_placeholder(text) and text != "NA" and folded not in _OF_ONE_LETTER:
        # NA is Namibia only where somebody writes codes.
        return None
    return _USUAL.get(folded) or _USUAL.get(folded.replace(" ", ""))


@lru_cache(1)
def _names_in_other_languages() -> dict[str, str]:
    """The names of ISO 3166 in the languages that pycountry has translations for. Built on first use."""
    names: dict[str, str] = {}
    for language in _LANGUAGES:
        translated = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True)
        for country in pycountry.countries:
            for name in ("name", "official_name", "common_name"):
                written = getattr(country, name, "")
                if written:
                    names.setdefault(fold(translated.gettext(written)), country.alpha_2)
    return names


@lru_cache(CACHE)
def country_code(text: str) -> str | None:
    """The ISO 3166-1 alpha-2 code of a country's name in any of many languages, or of a code."""
    code = usual_country(text)
    if code is not None or is_placeholder(text):
        return code
    return _names_in_other_languages().get(fold(tidy(text)))


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
