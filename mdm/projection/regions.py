"""Codes of states and provinces (ISO 3166-2), which ERP systems ask for where people write names."""

import re
import unicodedata
from functools import cache

import pycountry


def region_code(country: str | None, region: str) -> str | None:
    """The code of a region without that of its country: `Noord-Holland` and `nh` are NH; None for one that is none.

    Several subdivisions of one name (a province and the region around it) have the code of the smaller one.
    """
    return _codes((country or "").upper()).get(_folded(region))


#: What names end in that people leave out.
_KINDS = (" Shi", " Sheng", " Zizhiqu", " kraj", " megye")


@cache
def _codes(country: str) -> dict[str, str]:
    """Codes by folded code and name; codes win over names, and parts over what they are part of."""
    found = [each for each in pycountry.subdivisions if each.country_code == country]
    whole = {each.parent_code for each in found if each.parent_code is not None}
    ordered = sorted(found, key=lambda each: (each.code not in whole, each.code))
    names = {name: _local(each.code) for each in ordered for name in _names(each.name)}
    return names | {_folded(_local(each.code)): _local(each.code) for each in found}


def _names(name: str) -> set[str]:
    """Ways to write a name: both languages of `Bizkaia*` and `Alacant [Alicante]`, `Beijing` for `Beijing Shi`."""
    ways = {name, *re.split(r"[;/\[\]*]", name), *(name.removesuffix(kind) for kind in _KINDS)}
    return {folded for each in ways if (folded := _folded(each))}


def _local(code: str) -> str:
    return code.partition("-")[2]


def _folded(text: str) -> str:
    """Letters and digits without case and accents."""
    return "".join(each for each in unicodedata.normalize("NFKD", text).casefold() if each.isalnum())
