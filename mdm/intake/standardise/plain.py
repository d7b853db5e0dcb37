"""Plain values: text, codes, flags, numbers, dates, currencies, languages and references."""

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

import pycountry

from mdm.intake.standardise.junk import PLACEHOLDER, is_placeholder
from mdm.intake.standardise.result import UNKNOWN, Context, Inputs, Standardised
from mdm.intake.standardise.text import CACHE, tidy

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
#: Beyond this a number is a mistake, and would not fit into a float.
_MOST_DIGITS: Final = 60
_TRUE: Final = frozenset({"true", "t", "yes", "y", "1", "x"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0", ""})


def text(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `text`: the first text that is no placeholder."""
    rejected = None
    for given in inputs:
        tidied = tidy(given.text)
        if tidied and not is_placeholder(tidied):
            return Standardised(tidied)
        rejected = PLACEHOLDER if tidied else rejected
    return Standardised(rejected=rejected) if rejected else UNKNOWN


def texts(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `texts`: all texts that are no placeholders, once each; list columns are opened."""
    found: dict[str, None] = {}
    for given in inputs:
        for item in given.value if isinstance(given.value, list) else [given.value]:
            tidied = tidy(str(item)) if item is not None else ""
            if tidied and not is_placeholder(tidied):
                found[tidied] = None
    return Standardised(list(found)) if found else UNKNOWN


def code(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `code`: translated by the mapping's codes; the code `*` stands for every other value.

    A source with the option `then` gives that code when it has a value, or the value that `equals` names.
    """
    rejected = None
    for given in inputs:
        written = tidy(given.text)
        if not written:
            continue
        if "then" in given.options:
            if given.options.get("equals", written.lower()) == written.lower():
                return Standardised(given.options["then"])
            continue
        canonical = context.codes.get(written.lower(), context.codes.get("*", "" if context.codes else written))
        if canonical:
            return Standardised(canonical)
        rejected = "CODE_UNKNOWN"
    return Standardised(rejected=rejected) if rejected else UNKNOWN


def boolean(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `boolean`: flags, yes and no; other words by the mapping's codes."""
    for given in inputs:
        if given.value is None:
            continue
        if isinstance(given.value, bool):
            return Standardised(given.value)
        written = given.text.strip().lower()
        word = context.codes.get(written, context.codes.get("*", written))
        if word in _TRUE or word in _FALSE:
            return Standardised(word in _TRUE)
        return Standardised(rejected="BOOLEAN_UNKNOWN")
    return UNKNOWN


def integer(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `integer`."""
    number = _first_decimal(inputs)
    if number is None or number != number.to_integral_value():
        return UNKNOWN
    return Standardised(int(number))


def decimal(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `decimal`: decimal text without exponent, as the source writes it."""
    number = _first_decimal(inputs)
    return UNKNOWN if number is None else Standardised(format(number, "f"))


def _first_decimal(inputs: Inputs) -> Decimal | None:
    for given in inputs:
        number = decimal_of(given.value)
        if number is not None:
            return number
    return None


def decimal_of(value: Any) -> Decimal | None:
    """A finite number of a size that business has; None for anything else."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _MOST_DIGITS else None


def day(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `date`: YYYY-MM-DD, from a date or the start of a timestamp."""
    for given in inputs:
        found = date_of(given.value)
        if found is not None:
            return Standardised(found)
    return UNKNOWN


def date_of(value: Any) -> str | None:
    """The date of a date text, a timestamp text or seconds since 1970; None where there is none."""
    if isinstance(value, str):
        return _date_of_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        days = value // 86_400 + _EPOCH_DAY
        return date.fromordinal(days).isoformat() if 0 < days <= date.max.toordinal() else None
    return None


@lru_cache(CACHE)
def _date_of_text(text: str) -> str | None:
    match = re.match(r"\d{4}-\d\d-\d\d", text)
    if match is None:
        return None
    try:
        return date.fromisoformat(match[0]).isoformat()
    except ValueError:
        return None


def days_of(text: str) -> int:
    """Days since 1970-01-01 of a date text."""
    return date.fromisoformat(text).toordinal() - _EPOCH_DAY


@lru_cache(CACHE)
def currency_code(text: str) -> str | None:
    """The ISO 4217 code, upper case."""
    written = text.strip().upper()
    return written if pycountry.currencies.get(alpha_3=written) is not None else None


def currency(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `currency`."""
    for given in inputs:
        if given.text.strip():
            found = currency_code(given.text)
            return Standardised(found) if found is not None else Standardised(rejected="CURRENCY_UNKNOWN")
    return UNKNOWN


@lru_cache(CACHE)
def language_code(text: str) -> str | None:
    """The ISO 639-1 code, lower case, of a code or a locale."""
    written = re.split(r"[-_]", text.strip().lower())[0]
    return written if len(written) == 2 and pycountry.languages.get(alpha_2=written) is not None else None


def language(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `language`: the first language that can be read; list columns are opened."""
    for given in inputs:
        for item in given.value if isinstance(given.value, list) else [given.value]:
            found = language_code(str(item)) if item is not None else None
            if found is not None:
                return Standardised(found)
    return UNKNOWN


def reference(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `reference`: a row of the table that the mapping names."""
    for given in inputs:
        key = given.text.strip()
        if key and context.target is not None:
            system, table = context.target
            return Standardised({"system": system, "type": table, "key": key})
    return UNKNOWN
