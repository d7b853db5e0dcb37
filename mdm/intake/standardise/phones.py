"""Phone numbers: E.164 by the rules of their country."""

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

import phonenumbers

from mdm.intake.standardise.junk import PLACEHOLDER, is_placeholder_number
from mdm.intake.standardise.result import UNKNOWN, Context, Inputs, Standardised
from mdm.intake.standardise.text import CACHE, tidy

#: 555-01xx is kept free for fiction in North America.
_FICTION: Final = re.compile(r"555\D?01\d\d$")
#: A longer text is no field of numbers.
_LONGEST: Final = 200

#: Germany and Austria give a company one number, and it the extensions.
_WITH_EXTENSIONS: Final = ("49", "43")
_EXTENSION: Final = re.compile(r"\d\s?[-–]\s?(\d{1,4})\s*$")
#: With the code of the country.
_HOUSE_DIGITS: Final = 9


class Phone(NamedTuple):
    """`e164` is None when the number cannot be read; `valid` says that the numbering plan has such a number."""

    e164: str | None
    valid: bool
    #: The country, when the number was written with its international prefix.
    country: str | None = None


@lru_cache(CACHE)
def parse_phone(text: str, country: str | None) -> Phone | None:
    """The number behind a text; None for a placeholder."""
    digits = re.sub(r"\D", "", text)
    if is_placeholder_number(text) or len(digits) < 5 or _FICTION.search(text.strip()):
        return None
    # 00 and 001-style prefixes mean + in most of the world, and no national number starts so.
    dialled = f"+{digits[2:]}" if digits.startswith("00") and not text.strip().startswith("+") else text
    try:
        number = phonenumbers.parse(dialled, country)
    except phonenumbers.NumberParseException:
        return Phone(None, False)
    if not phonenumbers.is_possible_number(number):
        return Phone(None, False)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    valid = phonenumbers.is_valid_number(number)
    return Phone(
        e164, valid, phonenumbers.region_code_for_number(number) if valid and dialled.startswith("+") else None
    )


def _each(text: str, country: str | None) -> list[str]:
    """The numbers of a field that holds several: `089 1234560 / 0171 1234567`. Else the text as it is."""
    phone = parse_phone(text, country)
    if phone is None or phone.e164 is not None or len(text) > _LONGEST:
        return [text]
    found = [match.raw_string for match in phonenumbers.PhoneNumberMatcher(text, country)]
    return found or [text]


def _switchboard(text: str, number: str) -> list[str]:
    """The number of the house, where what stands behind a hyphen is one of its extensions: +49 89 324567-0 and -15."""
    extension = _EXTENSION.search(text)
    if extension is None or not number.startswith(_WITH_EXTENSIONS):
        return []
    house = number.removesuffix(extension[1])
    return [f"{house}-"] if len(house) >= _HOUSE_DIGITS and house != number else []


def phones(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `phones`."""
    values: list[dict[str, Any]] = []
    numbers: list[str] = []
    seen: set[str] = set()
    rejected = country = None
    for text in (each for given in inputs for each in _each(tidy(given.text), context.country) if each):
        phone = parse_phone(text, context.country)
        if phone is None:
            rejected = PLACEHOLDER
            continue
        country = country or phone.country
        number = (phone.e164 or text).removeprefix("+")
        if number in seen:
            continue
        seen.add(number)
        values.append({"value": text, "e164": phone.e164, "valid": phone.valid})
        if phone.e164 is not None:
            numbers += [number, *_switchboard(text, number)]
    if not values:
        return Standardised(rejected=rejected) if rejected else UNKNOWN
    comparison = {"phones": sorted(set(numbers))} if numbers else {}
    return Standardised(values, comparison, rejected, country=country, strong=True)
