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
        ("mm", 1000, "m metre metres meter meters"),
        ("inch", 1, 'inch inches zoll pouces pulgadas pollici " ″'),
        ("w", 1, "w watt watts"),
        ("w", 1000, "kw kilowatt kilowatts"),
        ("v", 1, "v volt volts"),
        ("mah", 1, "mah"),
        ("mb", 1, "mb megabyte megabytes"),
        ("gb", 1, "gb gigabyte gigabytes"),
        ("tb", 1, "tb terabyte terabytes"),
        ("gsm", 1, "gsm g/m2 g/m² gr/m2 gr/m² g/qm"),
        ("sheet", 1, "sheet sheets blatt feuille feuilles hoja hojas foglio fogli vel vellen arkusz arkusze arkuszy"),
        ("pcs", 1, "pc pcs piece pieces stk stück stueck"),
    )
    for word in words.split()
}
#: Thousands: `1,000`, `1.000` and `1 000`. A group behind a space must begin with 0, as no number of its own does:
#: `Water 6 500 ml` is no 6500 ml.
_GROUPED: Final = r"[1-9]\d{0,2}(?:(?:,\d{3}){1,2}|(?:\.\d{3}){1,2}|(?: 0\d{2}){1,2})"
_AMOUNT: Final = rf"(?:{_GROUPED}|\d{{1,6}}(?:[.,]\d{{1,3}})?)"
#: Units so small that nobody writes three decimals of them: `1.000 ml` is a litre, `1.000 l` as well.
_WHOLE: Final = frozenset({("ml", 1), ("mg", 1), ("g", 1), ("mm", 1), ("mah", 1), ("sheet", 1), ("pcs", 1)})


def _words(*units: str) -> str:
    """Ways to write these units (all where none is named), as alternatives of a pattern."""
    written = [word for word, (unit, _) in _MEASURES.items() if not units or unit in units]
    # A cable of 2 m, and a T-shirt in M.
    return "|".join("(?-i:m)" if word == "m" else word for word in sorted(written, key=len, reverse=True))


_UNIT_WORD: Final = _words()
_SIZE_WORD: Final = _words(*{unit for unit, _ in _MEASURES.values()} - {"pcs"})
_CONTENT_WORD: Final = _words("ml", "mg", "g", "oz", "lb")
_LENGTH_WORD: Final = _words("mm")
#: Generations of mobile networks and wireless standards are no grams: `5G Router`, `802.11 g`.
_NO_GRAMS: Final = r"(?!(?-i:[2-6]G\b)|802\.11 ?g\b)"
_MEASURE: Final = re.compile(rf"(?<![\w.,]){_NO_GRAMS}({_AMOUNT})[ -]?({_UNIT_WORD})(?!\w)", re.IGNORECASE)
#: `M8x20mm`: a thread, whose number is no length and no pack.
_THREAD: Final = re.compile(
    rf"\bM ?(\d{{1,2}}(?:[.,]\d{{1,2}})?) ?[x×*] ?(?={_AMOUNT}[ -]?(?:{_LENGTH_WORD})(?!\w))", re.IGNORECASE
)
_BARE_THREAD: Final = re.compile(r"\bM ?(\d{1,2}) ?[x×*] ?([4-9]|[1-9]\d{1,2})(?![\w.,×*]| ?[x×*])", re.IGNORECASE)
#: Engine oil 5W-30 has no five watts.
_VISCOSITY: Final = re.compile(r"\b(\d{1,2})W[ -]?(\d{2})\b", re.IGNORECASE)
#: Nor is the tool GSR 12V-15 one of twelve volts and fifteen of something: `GSR12V15` is the same model.
_RATED_MODEL: Final = re.compile(
    rf"\b(\d{{1,2}})V-(\d{{2,3}})\b(?![.,]\d| ?x| ?-?(?:{_UNIT_WORD})(?!\w))", re.IGNORECASE
)
_SIDE: Final = rf"({_AMOUNT})(?:[ -]?({_LENGTH_WORD}))? ?[x×*] ?"
#: `120 x 60 cm` and `120cm x 60cm`: two sides or three, the unit of the last is that of all that state none.
_DIMENSIONS: Final = re.compile(rf"(?<![\w.,]){_SIDE}(?:{_SIDE})?({_AMOUNT})[ -]?({_LENGTH_WORD})(?!\w)", re.IGNORECASE)
#: `6x0.5l` and `6 × 50 cl`: so many of that measure.
_TIMES: Final = re.compile(rf"(?<![\w.,])(\d{{1,4}}) ?[x×*] ?(?={_AMOUNT}[ -]?(?:{_UNIT_WORD})(?!\w))", re.IGNORECASE)
_COUNT: Final = rf"({_GROUPED}|\d{{1,9}})"
_COUNTED: Final = (
    re.compile(
        r"\b(?:pack|package|packung|paket|box|case|set|lot|karton|carton|cartone|caja|doos|boîte|boite|paquete|confezione|"
        rf"opakowanie) (?:of|de|da|di|à|a|von|mit|zu|van|po) {_COUNT}\b"
        rf"(?![.,]\d| 0\d\d)(?![ -]?(?:{_SIZE_WORD})(?!\w))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<![\w.,]){_COUNT}[ -]?(?:packs?|pk|pck|packung|er[ -]?pack|er[ -]?packung|ct|count)\b", re.IGNORECASE
    ),
    re.compile(rf"(?<![\w.,]){_COUNT} ?-?(?:pcs?|pieces?|stk|stück|stueck|pièces|piezas|pezzi|szt)\b", re.IGNORECASE),
)
#: `x6` is a pack beside a content; alone it may be a model's name: ThinkPad X13.
_PACKS: Final = (
    _TIMES,
    *_COUNTED,
    re.compile(rf"(?<![\w.,]){_AMOUNT}[ -]?(?:{_CONTENT_WORD}) ?[x×] ?(\d{{1,4}})(?!\S)", re.IGNORECASE),
    re.compile(rf"(?<!\S)[x×] ?(\d{{1,4}}) (?={_AMOUNT}[ -]?(?:{_CONTENT_WORD})(?!\w))", re.IGNORECASE),
    re.compile(r"(?<!\d )(?<!\S)×(\d{1,4})(?!\S)"),
    re.compile(r"(?<!\S)(\d{1,4})[x×](?!\S)", re.IGNORECASE),
)


@lru_cache(CACHE)
def in_one_unit(text: str) -> str:
    """The text with each measure as a whole number of one unit, the number apart (`6x0.5l` -> `6 x 500 ml`); in one
    word where that leaves a fraction. Counts lose their thousands separators."""
    return _MEASURE.sub(lambda found: _spelt(found, " "), _parted(text))


@lru_cache(CACHE)
def sizes_in(text: str) -> tuple[str, ...]:
    """The measures that a name states, each in one unit, without repetition: `Oil 5L` -> 5000ml. Pieces are no size.

    Sides are sizes and, shortest first, one more together: a desk of 60 x 60 cm is none of 120 x 60 cm.
    """
    found = {_spelt(each, "") for each in _MEASURE.finditer(_parted(text))}
    together = {_together(each) for each in _DIMENSIONS.finditer(_threads_apart(text))}
    return tuple(sorted(together | {size for size in found if not size.endswith("pcs")}))


@lru_cache(CACHE)
def pack_in(text: str) -> str | None:
    """How many pieces a name says are in the pack: `6x0.5l`, `Pack of 6`, `6er-Pack`; None where it says none."""
    parted = _parted(text)
    for pattern in _PACKS:
        found = pattern.search(parted)
        if found is not None and int(found[1]):
            return str(int(found[1]))
    return None


#: Periods by the words that say that something is charged, or lasts, for one of them.
_PERIODS: Final[Mapping[str, str]] = {
    word: period
    for period, words in (
        ("hour", "hour hourly hr stunde stundlich heure horaire hora ora uur"),
        ("day", "day daily tag taglich jour journalier dia giorno dag"),
        ("week", "week weekly woche wochentlich semaine semana settimana"),
        ("month", "month monthly monat monatlich mois mensuel mensuelle mes mensual mese mensile maand maandelijks"),
        ("quarter", "quarter quarterly quartal quartalsweise trimestre trimestriel trimestral kwartaal"),
        ("year", "year yearly annual annually annum jahr jahrlich annuel annuelle anual anno annuale jaar jaarlijks"),
    )
    for word in words.split()
}


@lru_cache(CACHE)
def period_in(text: str) -> str | None:
    """The one period that a name is charged by or lasts: `per hour`, `(monthly)`; None for none or several."""
    found = {_PERIODS[word] for word in fold(text).split() if word in _PERIODS}
    return found.pop() if len(found) == 1 else None


@lru_cache(CACHE)
def _parted(text: str) -> str:
    """The text with what belongs to a measure apart: `M 8x20mm` -> `M8 20mm`, `9x6 cm` -> `9 cm 6 cm`; counts plain."""
    text = _DIMENSIONS.sub(lambda found: " ".join(_sides(found)), _threads_apart(text))
    for pattern in _COUNTED:
        text = pattern.sub(_ungrouped, text)
    return _TIMES.sub(r"\1 x ", text)


def _threads_apart(text: str) -> str:
    """`M8x20mm` and `M8 x 20`, whose length is in millimetres: M8 and 20 mm. A pitch (M8x1) stays with its thread."""
    text = _RATED_MODEL.sub(r"\1V\2", _VISCOSITY.sub(r"\1W\2", text))
    return _BARE_THREAD.sub(r"M\1 \2 mm", _THREAD.sub(r"M\1 ", text))


def _sides(found: re.Match[str]) -> list[str]:
    parts = found.groups()
    return [f"{number} {unit or parts[-1]}" for number, unit in zip(parts[::2], parts[1::2], strict=True) if number]


def _together(found: re.Match[str]) -> str:
    sides = (_spelt(each, "") for each in _MEASURE.finditer(" ".join(_sides(found))))
    return "x".join(sorted((side.removesuffix("mm") for side in sides), key=Decimal)) + "mm"


def _ungrouped(found: re.Match[str]) -> str:
    start, end = found.start(1) - found.start(), found.end(1) - found.start()
    return found[0][:start] + re.sub(r"\D", "", found[1]) + found[0][end:]


def _spelt(found: re.Match[str], gap: str) -> str:
    written, word = found.groups()
    unit, factor = _MEASURES[word.lower()]
    # `1,000 l` are thousands and `1.000 l` is one, unless the unit is small or there are two dots.
    dots = written.count(".")
    grouped = re.fullmatch(_GROUPED, written) and (dots != 1 or (unit, factor) in _WHOLE)
    plain = re.sub(r"\D", "", written) if grouped else written.replace(",", ".")
    amount = Decimal(plain) * factor
    return f"{int(amount)}{gap}{unit}" if amount == int(amount) else f"{amount.normalize()}{unit}"
