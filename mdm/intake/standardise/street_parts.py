"""Street, house number and unit, as people of many countries write them in one line."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from mdm.intake.standardise.lists import words_of
from mdm.intake.standardise.text import CACHE, fold_code

PO_BOX: Final = "PO Box"
_PO_BOX: Final = re.compile(
    r"(?:p\.?\s?o\.?\s?box|post\s?office\s?box|postfach|postbus|bo[iî]te\s+postale|b\.?p\.?|apartado(?:\s+de\s+correos)?|apdo\.?|"
    r"casella\s+postale|c\.?p\.?|skr(?:ytka|\.)?\s*(?:poczt\w*\.?)?|p\.?\s?o\.?\s?přihrádka|box)\s*\.?\s*(?P<number>\d[\d\s]*)",
    re.IGNORECASE,
)

#: `12`, `12a`, `12 a`, `12/A`, `5-A`, `12 bis`, `12-14`, `12/3`.
_MORE: Final = r"(?:\s?[-/–]\s?(?:\d+\s?[a-zA-Z]?|[a-zA-Z]|[IVX]{1,4})(?![a-zA-Z0-9]))*"
_BIS: Final = r"(?:\s?(?:bis|ter|quater)\b)?"
_NUMBER: Final = rf"\d+(?:\s?[a-zA-Z](?![a-zA-Z]))?{_BIS}{_MORE}"
#: In front a letter that stands apart is more often a direction or a kind of street: `100 N Main St`, `12 R PAIX`.
_NUMBER_IN_FRONT: Final = rf"\d+(?:[a-zA-Z](?![a-zA-Z])|\s[ABD](?![a-zA-Z.]))?{_BIS}{_MORE}"
_LABEL: Final = (
    r"(?:(?:(?:house|door|plot|shop|h|d)\.?\s?)?(?:nr|no|num|núm|numero|número|numer|n)\s?[.:°º]*"
    r"|(?:plot|door|house)|n[°º]|č\.?\s?p|č|d\.|д|дом|#)"
)
_STREET: Final = r"(?:\D|\d+(?:st|nd|rd|th)\b).*"
_NUMBER_FIRST: Final = re.compile(
    rf"(?:{_LABEL}[\s.:]*)?(?P<number>{_NUMBER_IN_FRONT})(?:\s*,\s*|\s+)(?P<street>{_STREET})", re.IGNORECASE
)
_NUMBER_LAST: Final = re.compile(
    rf"(?P<street>.*[^\d\s,].*?)(?:\s*,\s*|\s+|(?<=[.:#º°\u4e00-\u9fff가-힣]))(?P<number>{_NUMBER}(?:号|號)?)\.?",
    re.IGNORECASE,
)
_ONLY_NUMBER: Final = re.compile(rf"(?:{_LABEL}[\s.:]*)?(?P<number>{_NUMBER})\.?", re.IGNORECASE)
#: What stands before the number and belongs to it: `Strada Lungă nr. 4`, `Dlouhá č.p. 12`, `Atatürk Cad. No:5`.
_LABEL_BEHIND: Final = re.compile(rf"[\s,]+{_LABEL}[\s.:]*$", re.IGNORECASE)

_UNIT_WORDS: Final = "|".join(sorted(words_of("unit_words"), key=len, reverse=True))
#: Floors and sides of it: `2. OG`, `2 tr`, `5º andar`, `2. tv`.
_FLOOR: Final = (
    r"\d{1,2}(?:(?:st|nd|rd|[.ºª°]+|)\s?(?:og|stock|etage|étage|andar|piso|planta|tr|kat|floor|fl|etaj)"
    r"|\.\s?(?:tv|th|mf))\b\.?(?:\s?\w{1,4}\.?)?"
)
#: A unit behind the number: `Suite 200`, `bte 3`, `2. OG`, `2º B`, `Hinterhaus`, the flat of `5 A 3`.
_UNIT: Final = re.compile(
    rf"(?:[\s,(–/]|\s-)+(?P<unit>(?:{_UNIT_WORDS})\b[.:]?\s*[\w-]+|#\s*[\w-]+|{_FLOOR}"
    rf"|\d{{1,2}}\s?\.?[ºª°]\s?\w{{0,4}}\.?|hinterhaus|vorderhaus|seitenfl[uü]gel|postfach|hs"
    rf"|(?<=\d [a-z] )\d{{1,3}})\)?$",
    re.IGNORECASE,
)
#: A part between commas that is a unit and no street.
_ONLY_UNIT: Final = re.compile(
    rf"(?:{_UNIT_WORDS})\b[.:]?\s*[\w-]*|(?:\d+(?:st|nd|rd|th)|ground|first|second|third)\s?(?:floor|fl)\b.*"
    rf"|{_FLOOR}|\d{{1,2}}\s?\.?[ºª°].*|l\d+",
    re.IGNORECASE,
)
#: `丸の内二丁目4番1号` is 丸の内2-4-1.
_BLOCK: Final = re.compile(r"([一二三四五六七八九十]|\d+)丁目(\d+)番(?:地)?(?:(\d+)号?)?")
_NUMERALS: Final = {numeral: str(value) for value, numeral in enumerate("一二三四五六七八九十", start=1)}
_PART: Final = re.compile(r"\s*,\s*|\s+[-–]\s+(?=\d)")
_UNITS: Final = 4
#: A longer line is no street and house number: it is left as it is.
_LONGEST: Final = 160


class Place(NamedTuple):
    """Street, house number and unit; each may be empty."""

    street: str
    number: str
    unit: str


@lru_cache(CACHE)
def split_street(street: str, number: str = "") -> Place:
    """Street, house number and unit. A PO box keeps its kind as the street and its number as the house number."""
    if len(street) > _LONGEST:
        return Place(street, number, "")
    box = _PO_BOX.fullmatch(street)
    if box is not None:
        return Place(PO_BOX, "".join(box["number"].split()), "")
    if number:
        street, unit = _without_units(street)
        return Place(street, number, unit)
    street = _BLOCK.sub(lambda found: "-".join(_NUMERALS.get(part, part) for part in found.groups() if part), street)
    parts = [part for part in _PART.split(street) if part]
    for place, part in enumerate(parts):
        alone = _ONLY_UNIT.fullmatch(part) or _ONLY_NUMBER.fullmatch(part)
        found = _parted(part) if alone is None else None
        if found is not None:
            return found._replace(unit=_joined(*parts[:place], found.unit, *parts[place + 1 :]))
    for place, (part, other) in enumerate(pairwise(parts)):
        for name, told in ((part, other), (other, part)):
            only = _ONLY_NUMBER.fullmatch(told)
            if only is not None and not any(map(str.isdigit, name)) and not _ONLY_UNIT.fullmatch(name):
                rest = (*parts[:place], *parts[place + 2 :])
                return Place(name.strip(" ,"), only["number"].replace(" ", ""), _joined(*rest))
    name, unit = _without_units(street)
    return _parted(street) or Place(name, "", unit)


def _parted(text: str) -> Place | None:
    """A text without commas, where it has a street and a number."""
    street, unit = _without_units(text)
    if not any(map(str.isdigit, street)) and any(map(str.isdigit, unit)):
        # `Insurgentes Sur #1000` is no unit.
        street, unit = text, ""
    for pattern in (_NUMBER_FIRST, _NUMBER_LAST):
        match = pattern.fullmatch(street)
        if match is not None:
            name = _LABEL_BEHIND.sub("", match["street"]).strip(" ,")
            if name and any(map(str.isalpha, name)):
                return Place(name, match["number"].replace(" ", ""), unit)
    return None


def _without_units(street: str) -> tuple[str, str]:
    units: list[str] = []
    while len(units) < _UNITS and (found := _UNIT.search(street)) is not None and found.start() > 0:
        street = street[: found.start()]
        units.insert(0, found["unit"].strip())
    return street.strip(" ,"), _joined(*units)


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


#: Where the unit stands before the house number: 3/12 George St.
_UNIT_FIRST: Final = frozenset({"AU", "NZ"})
#: Where all numbers together tell the house: 2-4-1 Marunouchi.
_BLOCKS: Final = frozenset({"JP", "KR", "TW"})
_HOUSE: Final = re.compile(r"(\d+)(?:\s?[-/]?\s?([a-z])(?![a-z0-9]))?")


def house_form(number: str, country: str | None) -> str:
    """The house alone: without the flat, and the first of several that are one site (`12-14`, `12/3`)."""
    written = number.rstrip("号號").casefold().strip(" .")
    if country in _BLOCKS:
        return fold_code(written)
    if country in _UNIT_FIRST and "/" in written:
        written = written.rpartition("/")[2]
    found = _HOUSE.match(written)
    if found is None:
        return fold_code(written)
    return (found[1].lstrip("0") or "0") + (found[2] or "")
