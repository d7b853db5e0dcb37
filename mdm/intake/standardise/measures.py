"""Amounts: units of measure under one name each, measures in one unit, and how many pieces a pack holds.

Codes are those of UN/ECE recommendation 20 and 21, the ones that ERP systems show (SAP's ST and KAR), and words of the
larger languages. A word that is in no table stays what it is: nothing is known of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from mdm.intake.standardise.lists import lines_of
from mdm.intake.standardise.text import CACHE, fold, tidy


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure by its usual name; two that share a kind may mean one thing (each and seat, GB and TB)."""

    name: str
    kinds: frozenset[str]


def _units() -> Mapping[str, Unit]:
    """Lines of `name | kinds | variant, variant`."""
    table: dict[str, Unit] = {}
    for line in lines_of("units_of_measure"):
        name, kinds, variants = (part.strip() for part in line.split("|"))
        unit = Unit(name, frozenset(kinds.split()))
        for variant in (name, *variants.split(",")):
            table.setdefault(_plain(variant), unit)
    return table


def _plain(text: str) -> str:
    return tidy(text).casefold().rstrip(".")


@lru_cache(CACHE)
def unit_of(text: str) -> Unit | None:
    """The unit that a text names: `Stück`, `C62`, `EA` and `pcs.` are one. None: nothing is known of it."""
    return _UNITS.get(_plain(text)) or _FOLDED.get(fold(text))


_UNITS: Final = _units()
_FOLDED: Final = {folded: unit for written, unit in reversed(list(_UNITS.items())) if (folded := fold(written))}

#: Ways to write a unit in a name -> the unit that amounts are compared in, and how many of it one is.
_MEASURES: Final[Mapping[str, tuple[str, int]]] = {
    word: (unit, factor)
    for unit, factor, words in (
        ("ml", 1, "ml millilitre millilitres milliliter milliliters"),
        ("ml", 10, "cl centilitre centilitres centiliter centiliters"),
        ("ml", 100, "dl decilitre decilitres deciliter deciliters"),
        ("ml", 1000, "l lt ltr ltrs litre litres liter liters litri litro litros"),
        ("mg", 1, "mg milligram milligrams milligramm"),
        ("g", 1, "g gr gram grams gramm gramme grammes"),
        ("g", 1000, "kg kgs kilo kilos kilogram kilograms kilogramm"),
        ("oz", 1, "oz ounce ounces"),
        ("lb", 1, "lb lbs pound pounds"),
        ("mm", 1, "mm millimetre millimetres millimeter millimeters"),
        ("mm", 10, "cm centimetre centimetres centimeter centimeters"),
        ("mm", 1000, "metre metres meter meters"),
        ("w", 1, "w watt watts"),
        ("w", 1000, "kw kilowatt kilowatts"),
        ("v", 1, "v volt volts"),
        ("mah", 1, "mah"),
        ("mb", 1, "mb megabyte megabytes"),
        ("gb", 1, "gb gigabyte gigabytes"),
        ("tb", 1, "tb terabyte terabytes"),
        ("pcs", 1, "pc pcs piece pieces stk stück stueck"),
    )
    for word in words.split()
}
_AMOUNT: Final = r"\d{1,6}(?:[.,]\d{1,3})?"
_UNIT_WORD: Final = "|".join(sorted(_MEASURES, key=len, reverse=True))
_MEASURE: Final = re.compile(rf"(?<![\w.,])({_AMOUNT})[ -]?({_UNIT_WORD})(?!\w)", re.IGNORECASE)
#: `6x0.5l` and `6 × 50 cl`: so many of that measure.
_TIMES: Final = re.compile(rf"(?<![\w.,])(\d{{1,4}}) ?[x×*] ?(?={_AMOUNT}[ -]?(?:{_UNIT_WORD})(?!\w))", re.IGNORECASE)
_PACKS: Final = (
    _TIMES,
    re.compile(
        r"\b(?:pack|package|packung|paket|box|case|set|lot|karton|carton|cartone|caja|doos|boîte|boite|paquete|confezione|"
        r"opakowanie) (?:of|de|da|di|à|a|von|mit|zu|van|po) (\d{1,4})\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<![\w.,])(\d{1,4})[ -]?(?:packs?|pk|pck|packung|er[ -]?pack|er[ -]?packung|ct|count)\b", re.IGNORECASE
    ),
    re.compile(r"(?<![\w.,])(\d{1,4}) ?-?(?:pcs?|pieces?|stk|stück|stueck|pièces|piezas|pezzi|szt)\b", re.IGNORECASE),
    re.compile(r"(?<!\S)[x×](\d{1,4})(?!\S)", re.IGNORECASE),
    re.compile(r"(?<!\S)(\d{1,4})[x×](?!\S)", re.IGNORECASE),
)


@lru_cache(CACHE)
def in_one_unit(text: str) -> str:
    """The text with each measure as a whole number of one unit, the number apart (`6x0.5l` -> `6 x 500 ml`); in one
    word where that leaves a fraction."""
    return _MEASURE.sub(lambda found: _spelt(found, " "), _TIMES.sub(r"\1 x ", text))


@lru_cache(CACHE)
def sizes_in(text: str) -> tuple[str, ...]:
    """The measures that a name states, each in one unit, without repetition: `Oil 5L` -> 5000ml. Pieces are no size."""
    found = (_spelt(each, "") for each in _MEASURE.finditer(_TIMES.sub(r"\1 x ", text)))
    return tuple(sorted({size for size in found if not size.endswith("pcs")}))


@lru_cache(CACHE)
def pack_in(text: str) -> str | None:
    """How many pieces a name says are in the pack: `6x0.5l`, `Pack of 6`, `6er-Pack`; None where it says none."""
    for pattern in _PACKS:
        found = pattern.search(text)
        if found is not None and int(found[1]):
            return str(int(found[1]))
    return None


def _spelt(found: re.Match[str], gap: str) -> str:
    written, word = found.groups()
    unit, factor = _MEASURES[word.lower()]
    # Three digits behind a comma are thousands: `1,000 ml`.
    grouped = re.fullmatch(r"\d+,\d{3}", written)
    amount = Decimal(written.replace(",", "" if grouped else ".")) * factor
    return f"{int(amount)}{gap}{unit}" if amount == int(amount) else f"{amount.normalize()}{unit}"
