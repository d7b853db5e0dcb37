"""The line of an address that has the street in it: street, house number, and what is inside or around the house.

Countries differ in whether the number stands before or behind the street, and in what a second number means: 200-400
Bay Street is room 200 of number 400 in Toronto, and one long house elsewhere.
"""

import re
from functools import lru_cache
from typing import Final

from mdm.intake.standardise.lists import words_of
from mdm.intake.standardise.text import CACHE, fold_code

PO_BOX: Final = "PO Box"
#: A longer text is no line of an address, and is not taken apart.
_LONGEST: Final = 120
_PO_BOX: Final = re.compile(
    r"(?:p\.?\s?o\.?\s?box|post\s?office\s?box|postfach|postbus|bo[iî]te\s+postale|b\.?p\.?|apartado(?:\s+de\s+correos)?|apdo\.?|"
    r"casella\s+postale|c\.?p\.?|skr(?:ytka|\.)?\s*(?:poczt\w*\.?)?|p\.?\s?o\.?\s?přihrádka|box)\s*\.?\s*(?P<number>\d[\d\s]*)",
    re.IGNORECASE,
)
#: Where the number stands before the street, as a rule.
_NUMBER_LEADS: Final = words_of("number_leads")
#: Where rooms are written before the number of the house: 1200-200 Bay Street, 5/60 Martin Place.
_ROOM_LEADS: Final = frozenset({"CA", "AU", "NZ", "US"})
#: Where the second of two numbers is that of the street, and the first that of a register of houses.
_REGISTER_LEADS: Final = frozenset({"CZ", "SK"})
_IDEOGRAPHIC: Final = frozenset({"JP", "CN", "TW", "HK"})

_LETTER: Final = r"(?:\s?(?:bis|ter|quater|[a-zA-Z])(?![\w.]))?"
_NUMBER: Final = rf"\d{{1,6}}{_LETTER}(?:\s*[-/–]\s*\d{{1,6}}{_LETTER})*(?:\s*[/-]\s*[a-zA-Z](?!\w))?"
_SIGN: Final = (
    r"(?:(?:(?:plot|door|house|shop)\.?\s?)?(?:nr|no|num|núm|č\.?\s?p)\b\.?|(?:plot|door|house)\b|n[°º.]\.?|№|#|д\.)"
)
_SIGN_LAST: Final = re.compile(rf"\s+{_SIGN}$", re.IGNORECASE)
_ONLY_NUMBER: Final = re.compile(rf"{_SIGN}?\s*:?\s*(?P<number>{_NUMBER})", re.IGNORECASE)
_NUMBER_FIRST: Final = re.compile(
    rf"(?:{_SIGN}\s*)?(?P<number>{_NUMBER})(?:\s*,\s*|\s+)(?P<street>(?:\D|\d{{1,3}}(?:st|nd|rd|th)\b).*)",
    re.IGNORECASE,
)
#: A letter by itself is the street's (100 M Street); some are a direction or a kind: 100 N Main St, 12 R DE LA PAIX.
_DIRECTION: Final = re.compile(r"\d{1,6}\s[RNSEWCV]\s", re.IGNORECASE)
_LETTERED_STREET: Final = re.compile(r"(?P<number>\d{1,6})\s+(?P<street>[a-z]\s.+)", re.IGNORECASE)
_NUMBER_LAST: Final = re.compile(
    rf"(?P<street>.*[^\d\s,].*?)(?:\s*,\s*|\s+){_SIGN}?\s*:?\s*(?P<number>{_NUMBER}(?:号|號)?)\.?", re.IGNORECASE
)
#: A number with something short behind it: Keizersgracht 123-II, Calle Mayor 5 2º izq.
_NUMBER_INSIDE: Final = re.compile(
    rf"(?P<street>\D{{3,}}?)(?:\s*,\s*|\s+){_SIGN}?\s*:?\s*(?P<number>\d{{1,5}}{_LETTER})[\s,/–-]+"
    r"(?P<unit>(?:[^\s\d]{1,3}|\d{1,4}[^\s\d]{0,3})(?:\s+(?:[^\s\d]{1,5}|\d{1,3}[^\s\d]{0,2})){0,2})",
    re.IGNORECASE,
)
#: Something before the number of a street that begins with its kind: Immeuble Le Triangle 5 avenue des Champs.
_KIND_INSIDE: Final = re.compile(
    rf"(?P<unit>\D{{3,}}?)\s+(?P<number>\d{{1,5}}{_LETTER})\s*,?\s+"
    r"(?P<street>(?:rue|r\.|av\.?|avenue|bd\.?|boulevard|pl\.?|place|all[ée]e|chemin|quai|route|rte|impasse|cours)\s.+)",
    re.IGNORECASE,
)
_IDEOGRAPHS: Final = re.compile(
    r"(?P<street>[^\d\s,]*[\u3040-\u30ff\u3400-\u9fff][^\d,]*?)\s*(?P<number>\d+(?:(?:丁目|番地?|[-−–ー－])\d+)*)(?:号|號|番地?)?(?P<unit>\D.*)?"
)
_IN_WORDS: Final = "one two three four five six seven eight nine ten"
_WORDS: Final = {word: str(number) for number, word in enumerate(_IN_WORDS.split(), start=1)}
_WORD_FIRST: Final = re.compile(rf"({'|'.join(_WORDS)})\s+(?=[a-z])", re.IGNORECASE)

_VALUE: Final = r"[\s:#-]*(?:\d[\w/-]*|[ivx]{1,4}\b|[a-z]\b)"
_ROOMS: Final = (
    r"apartment|apt|suite|ste|unit|floor|fl|flat|room|rm|bldg|building|block|office|shop|level|lot|hall|gate|"
    r"etage|étage|appt|appartement|b[âa]t(?:iment)?|esc(?:alier|alera)?|bte|bo[iî]te|bus|box|"
    r"piso|planta|puerta|pta|portal|bloque|bloco|sala|conj|interno|int|scala|"
    r"lokal|lok|m|top|stiege|tür|stock|og|halle|geb(?:äude)?|haus|whg|aufgang|lgh|kat|daire"
)
_FLOORS: Final = (
    rf"(?:{_ROOMS})\b\.?{_VALUE}"
    r"|#\s*\w[\w-]*"
    r"|\d+(?:\.?\s?(?:og|stock|etage|etg|sal|tv|mf)|\.\s?th)\b\.?[^)]{0,8}"
    r"|(?:\d+(?:st|nd|rd|th)|ground|first|second|third|fourth|fifth|upper|lower)\s+(?:floor|fl|level)\b"
    r"|\d{1,2}\s?[ºª°]\.?(?:\s*(?:\d{1,2}\s?[ºª°]?|[^\W\d]{1,6})\.?){0,3}"
    r"|(?:eg|og|bg|hs|parterre)\b\.?"
)
_UNIT_LAST: Final = re.compile(rf"[\s,;(–-]+(?P<unit>{_FLOORS})\.?\)?$", re.IGNORECASE)
_UNIT_FIRST: Final = re.compile(rf"(?P<unit>{_FLOORS})\s*[,;]?\s+(?=.*\d)", re.IGNORECASE)
#: Quarters of a town that follow its streets in Mexico.
_QUARTER: Final = re.compile(r"[\s,]+(?P<unit>(?:col(?:onia)?|fracc(?:ionamiento)?)\b\.?\s*[^\d,]+)$", re.IGNORECASE)
_ALL_UNIT: Final = re.compile(rf"(?:{_FLOORS}|(?:cs|bp|tsa|b\.p\.)\s*\d[\d ]*)\.?", re.IGNORECASE)
_SEPARATOR: Final = re.compile(r"\s*[,;]\s*|\s+[-–]\s+")


@lru_cache(CACHE)
def split_street(street: str, number: str = "", country: str | None = None) -> tuple[str, str, str]:
    """Street, house number, and the rest: floor, room, building.

    A PO box keeps its kind as the street and its number as the house number.
    """
    if len(street) > _LONGEST:
        return street, number, ""
    box = _PO_BOX.fullmatch(street)
    if box is not None:
        return PO_BOX, "".join(box["number"].split()), ""
    line, units = _without_units(street, country)
    if number:
        return line, number, ", ".join(units)
    parts = [part for part in _SEPARATOR.split(line) if part]
    segments = [part for part in parts if not _ALL_UNIT.fullmatch(part)]
    units = [part for part in parts if part not in segments] + units
    for place, segment in enumerate(segments):
        alone = _ONLY_NUMBER.fullmatch(segment)
        near = [other for other in (place - 1, place + 1) if 0 <= other < len(segments)]
        beside = [other for other in near if not _has_digit(segments[other])]
        if alone is not None and beside:
            rest = [each for other, each in enumerate(segments) if other not in (place, beside[0])]
            return segments[beside[0]], _tidied(alone["number"]), ", ".join([*rest, *units])
    for place, segment in enumerate(segments):
        found = _parted(segment, country)
        if found is not None:
            name, house, unit = found
            rest = [*segments[:place], *([unit] if unit else []), *segments[place + 1 :]]
            return name, house, ", ".join([*rest, *units])
    return line, "", ", ".join(units)


def number_form(number: str, country: str | None) -> str:
    """What two writings of one house number share: of a row of houses the first, of a house with rooms the house."""
    parts = [part for part in re.split(r"\s*[-/–]\s*", number.rstrip("号號")) if part]
    if len(parts) < 2 or not all(part[0].isdigit() for part in parts):
        return fold_code(number.rstrip("号號"))
    if country in _IDEOGRAPHIC:
        # District, block and house: 1-23 is not 12-3.
        return "-".join(map(fold_code, parts))
    room_leads = country in _ROOM_LEADS and (
        country == "CA" or (country != "US" and "/" in number) or _digits(parts[0]) > _digits(parts[-1])
    )
    if country in _REGISTER_LEADS or room_leads:
        return fold_code(parts[-1])
    return fold_code(parts[0])


def _without_units(street: str, country: str | None) -> tuple[str, list[str]]:
    """The line without floors and rooms at its ends, and these in the order in which they stand."""
    first: list[str] = []
    last: list[str] = []
    while True:
        found = _UNIT_LAST.search(street)
        if found is None and country == "MX":
            found = _QUARTER.search(street)
        if found is not None and "#" in found["unit"] and not _has_digit(street[: found.start()]):
            found = None  # the house: Insurgentes Sur #1000
        if found is not None and found.start() > 0 and street[: found.start()].strip(" ,"):
            street, last = street[: found.start()], [found["unit"], *last]
            continue
        found = _UNIT_FIRST.match(street)
        if found is None:
            return street.strip(" ,"), [*first, *last]
        street, first = street[found.end() :], [*first, found["unit"]]


def _parted(segment: str, country: str | None) -> tuple[str, str, str] | None:
    """Street, number and unit of a segment that has a street and a number."""
    word = _WORD_FIRST.match(segment)
    if word is not None and (country is None or country in _NUMBER_LEADS):
        segment = _WORDS[word[1].lower()] + segment[word.end() - 1 :]
    found = _IDEOGRAPHS.fullmatch(segment)
    if found is not None:
        number = re.sub(r"丁目|番地?|[−–ー－]", "-", found["number"])
        return found["street"].strip(), number, (found["unit"] or "").strip()
    first, last = _NUMBER_FIRST.fullmatch(segment), _NUMBER_LAST.fullmatch(segment)
    if country in ("US", "CA") or _DIRECTION.match(segment):
        first = _LETTERED_STREET.fullmatch(segment) or first
    chosen = last if last is not None and country is not None and country not in _NUMBER_LEADS else first or last
    if chosen is not None and chosen is last and _has_digit(last["street"]):
        chosen = _NUMBER_INSIDE.fullmatch(segment) or last
    if chosen is None:
        chosen = _NUMBER_INSIDE.fullmatch(segment) or _KIND_INSIDE.fullmatch(segment)
    if chosen is None:
        return None
    unit = chosen.groupdict().get("unit") or ""
    return _SIGN_LAST.sub("", chosen["street"].strip(" ,")), _tidied(chosen["number"]), unit.strip()


def _tidied(number: str) -> str:
    return number.replace(" ", "")


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _digits(text: str) -> int:
    return int("".join(character for character in text if character.isdecimal()) or 0)
