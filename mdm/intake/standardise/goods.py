"""Products: codes, trade item numbers and names with edition and version taken apart."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from mdm.intake.standardise.identifiers import VALID, gtin_form
from mdm.intake.standardise.junk import PLACEHOLDER, is_placeholder
from mdm.intake.standardise.lists import variants_of, words_of
from mdm.intake.standardise.result import UNKNOWN, Context, Inputs, Standardised
from mdm.intake.standardise.text import CACHE, fold, fold_code, tidy

_EDITIONS: Final = variants_of("product_editions")
_NOISE: Final = words_of("product_noise")
_BRACKETED_CODE: Final = re.compile(r"[\[(]\s*([A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)+)\s*[\])]")
_SEPARATORS: Final = re.compile(r"[^a-z0-9]+")

#: Ways to write a unit of measure -> the unit that amounts are compared in, and how many of it one is.
_UNITS: Final[Mapping[str, tuple[str, int]]] = {
    word: (unit, factor)
    for unit, factor, words in (
        ("ml", 1, "ml millilitre millilitres milliliter milliliters"),
        ("ml", 10, "cl centilitre centilitres centiliter centiliters"),
        ("ml", 1000, "l lt ltr ltrs litre litres liter liters"),
        ("mg", 1, "mg milligram milligrams milligramm"),
        ("g", 1, "g gr gram grams gramm gramme grammes"),
        ("g", 1000, "kg kgs kilo kilos kilogram kilograms kilogramm"),
        ("mm", 1, "mm millimetre millimetres millimeter millimeters"),
        ("mm", 10, "cm centimetre centimetres centimeter centimeters"),
        ("mm", 1000, "metre metres meter meters"),
        ("mb", 1, "mb megabyte megabytes"),
        ("gb", 1, "gb gigabyte gigabytes"),
        ("tb", 1, "tb terabyte terabytes"),
        ("pcs", 1, "pc pcs piece pieces stk stück stueck"),
    )
    for word in words.split()
}
_MEASURE: Final = re.compile(
    rf"(?<![\w.,])(\d{{1,6}}(?:[.,]\d{{1,3}})?)[ -]?({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?!\w)",
    re.IGNORECASE,
)


class ProductName(NamedTuple):
    """The words of a name, in order, without noise; edition and version apart."""

    words: tuple[str, ...]
    edition: str | None
    version: str | None


@lru_cache(CACHE)
def product_name(text: str) -> ProductName:
    """`SUBSCR ACME PAYROLL PROF` -> words acme payroll, edition professional; `Oil 5L` -> words oil 5000 ml."""
    words: list[str] = []
    edition = version = None
    plain = _MEASURE.sub(_in_one_unit, _BRACKETED_CODE.sub(" ", tidy(text)))
    folded = fold(re.sub(r"(?<=\d)\.(?=\d)", "p", plain))
    for word in folded.split():
        if word in _EDITIONS and words:
            edition = _EDITIONS[word]
        elif words and (found := re.fullmatch(r"v(\d{1,2})|(\d{1,2})p\d+", word)):
            version = f"v{found[1] or found[2]}"
        elif word not in _NOISE:
            words.append(word)
    return ProductName(tuple(words), edition, version)


def _in_one_unit(found: re.Match[str]) -> str:
    """A measure as a whole number of one unit, with the number apart; in one word where that leaves a fraction."""
    written, word = found.groups()
    unit, factor = _UNITS[word.lower()]
    # Three digits behind a comma are thousands: `1,000 ml`.
    grouped = re.fullmatch(r"\d+,\d{3}", written)
    amount = Decimal(written.replace(",", "" if grouped else ".")) * factor
    return f"{int(amount)} {unit}" if amount == int(amount) else f"{amount.normalize()}{unit}"


def name(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `product_name`: also finds a code in brackets behind the name."""
    for given in inputs:
        tidied = tidy(given.text)
        if not tidied or is_placeholder(tidied):
            continue
        found = product_name(tidied)
        comparison: dict[str, Any] = {}
        if found.words:
            comparison["name"] = " ".join(found.words)
            comparison["name_tokens"] = sorted(set(found.words))
        if found.edition:
            comparison["edition"] = found.edition
        if found.version:
            comparison["version"] = found.version
        bracketed = _BRACKETED_CODE.search(tidied)
        if bracketed is not None:
            comparison.update(_codes([bracketed[1]]))
        return Standardised(tidied, comparison)
    return UNKNOWN


def product_code(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `product_code`: the first code."""
    found = product_codes(inputs, context)
    return Standardised(found.value[0], found.comparison, found.rejected) if found.value else found


def product_codes(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `product_codes`: all codes."""
    values: list[str] = []
    rejected = None
    for given in inputs:
        tidied = tidy(given.text)
        if not tidied:
            continue
        if is_placeholder(tidied):
            rejected = PLACEHOLDER
            continue
        values.append(tidied)
    if not values:
        return Standardised(rejected=rejected) if rejected else UNKNOWN
    return Standardised(values, _codes(values), rejected)


def _codes(values: list[str]) -> dict[str, Any]:
    parts = {part for value in values for part in _SEPARATORS.split(value.lower()) if part}
    return {"codes": sorted({fold_code(value) for value in values}), "code_parts": sorted(parts)}


def gtin(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `gtin`: a list of one identifier."""
    for given in inputs:
        if not given.text.strip():
            continue
        found = gtin_form(given.text)
        if found is None:
            return Standardised(rejected=PLACEHOLDER)
        normal, state = found
        value = {"type": "gtin", "country": None, "value": tidy(given.text), "normal": normal, "state": state}
        return Standardised([value], {"gtin": normal} if state == VALID else {})
    return UNKNOWN


def version(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `version`: v and a number."""
    for given in inputs:
        found = re.fullmatch(r"v?(\d{1,2})(?:\.\d+)*", given.text.strip().lower())
        if found is not None:
            return Standardised(tidy(given.text), {"version": f"v{found[1]}"})
    return UNKNOWN


def family(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `family`."""
    return _folded(inputs, "family")


def unit(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `unit`: translated by the mapping's codes."""
    for given in inputs:
        written = tidy(given.text)
        if written:
            canonical = context.codes.get(written.lower(), written.lower())
            return Standardised(canonical, {"unit": fold(canonical)})
    return UNKNOWN


def _folded(inputs: Inputs, key: str) -> Standardised:
    for given in inputs:
        tidied = tidy(given.text)
        if tidied and not is_placeholder(tidied):
            return Standardised(tidied, {key: fold(tidied)})
    return UNKNOWN
