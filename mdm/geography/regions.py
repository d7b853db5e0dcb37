"""Codes of states and provinces (ISO 3166-2), which ERP systems ask for where people write names.

Names are those of ISO, their translations into some languages that come with pycountry, and the English ones that are
missing there (`english.yaml`). A name that could mean two regions of a country means none.
"""

import re
import unicodedata
from functools import cache
from gettext import GNUTranslations
from pathlib import Path

import pycountry
import yaml

_ENGLISH = Path(__file__).with_name("english.yaml")


def region_code(country: str | None, region: str) -> str | None:
    """The code of a region without that of its country: `Noord-Holland`, `North Holland` and `nh` are NH.

    None for one that is none. Several subdivisions of one name (a province and the region around it) have the code of
    the smaller one.
    """
    of, name = (country or "").upper(), _folded(region)
    return _codes(of).get(name) or _foreign(of).get(name)


#: What names end in that people leave out.
_KINDS = (" Shi", " Sheng", " Zizhiqu", " kraj", " megye")


@cache
def _codes(country: str) -> dict[str, str]:
    """Codes by folded code and name; codes win over names, and parts over what they are part of."""
    ordered = _ordered(country)
    names = {name: _local(each.code) for each in ordered for name in _names(each.name)}
    return names | {_folded(_local(each.code)): _local(each.code) for each in ordered}


@cache
def _foreign(country: str) -> dict[str, str]:
    """Codes by folded name in other languages, as far as a name in one language means one region only."""
    ordered = _ordered(country)
    if not ordered:
        return {}
    found: dict[str, set[str]] = {}
    for language in _languages():
        here: dict[str, str] = {}
        for each in ordered:
            translated = language.gettext(each.name)
            if translated != each.name:
                here |= {name: _local(each.code) for name in _names(translated)}
        for name, code in here.items():
            found.setdefault(name, set()).add(code)
    certain = {name: codes.pop() for name, codes in found.items() if len(codes) == 1}
    return certain | {_folded(name): code for name, code in _english().get(country, {}).items()}


#: Languages in which regions are found. All seventy would fill a hundred megabytes, and take a second to read.
_LANGUAGES = (
    "bg", "cs", "da", "de", "el", "en", "es", "fi", "fr", "hu", "it", "ja", "ko", "nl", "pl", "pt", "ro", "ru", "sv",
    "tr", "uk", "zh_CN", "zh_TW",
)  # fmt: skip


@cache
def _languages() -> tuple[GNUTranslations, ...]:
    """Their translations, as far as there are some."""
    found = []
    for language in _LANGUAGES:
        path = Path(pycountry.LOCALES_DIR, language, "LC_MESSAGES", "iso3166-2.mo")
        if path.exists():
            with path.open("rb") as stream:
                found.append(GNUTranslations(stream))
    return tuple(found)


@cache
def _english() -> dict[str, dict[str, str]]:
    """English names by country: name and code."""
    told = yaml.safe_load(_ENGLISH.read_text(encoding="utf-8"))
    return {country: {name: str(code) for code, name in names.items()} for country, names in told.items()}


@cache
def _ordered(country: str) -> list[pycountry.db.Data]:
    """The subdivisions of a country, wholes before their parts."""
    found = [each for each in pycountry.subdivisions if each.country_code == country]
    whole = {each.parent_code for each in found if each.parent_code is not None}
    return sorted(found, key=lambda each: (each.code not in whole, each.code))


def _names(name: str) -> set[str]:
    """Ways to write a name: both languages of `Bizkaia*` and `Alacant [Alicante]`, `Beijing` for `Beijing Shi`."""
    ways = {name, *re.split(r"[;/\[\]*]", name), *(name.removesuffix(kind) for kind in _KINDS)}
    return {folded for each in ways if (folded := _folded(each))}


def _local(code: str) -> str:
    return code.partition("-")[2]


def _folded(text: str) -> str:
    """Letters and digits without case and accents."""
    return "".join(each for each in unicodedata.normalize("NFKD", text).casefold() if each.isalnum())
