"""Identifiers: typed by the scheme they belong to, in normal form, with the state of their check digits.

A number that a scheme without check digits has given is `unverifiable`; junk is none at all. Numbers are typed by what
they are, not by the field they were typed into: tax fields hold VAT numbers, registration fields hold tax numbers.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from types import ModuleType
from typing import Any, Final, NamedTuple, cast

from stdnum import get_cc_module, lei
from stdnum.exceptions import ValidationError
from stdnum.us import ein

from mdm.intake.standardise.countries import EU
from mdm.intake.standardise.junk import PLACEHOLDER, is_placeholder_number
from mdm.intake.standardise.number_writing import bare_number, german_register, in_register, of_the_company
from mdm.intake.standardise.result import UNKNOWN, Context, Inputs, Standardised
from mdm.intake.standardise.text import CACHE, fold_code, tidy
from mdm.model.register_numbers import REGISTER_IN_TAX

VALID: Final = "valid"
INVALID: Final = "invalid"
UNVERIFIABLE: Final = "unverifiable"

#: Where the number for value-added tax begins with a country code. EL is Greece, XI Northern Ireland.
_VAT_COUNTRIES: Final = EU | {"GB"}
_VAT_PREFIX: Final = {**{code: code for code in EU}, "EL": "GR", "GB": "GB", "XI": "GB"}
#: Tax numbers with check digits (stdnum's names) where it is not the usual one: what tells the company, not the tax. In
#: India the number of a state contains that of the whole country.
_TAX: Final = {"CH": ("uid",), "NO": ("orgnr",), "IN": ("gstin", "pan")}
_ANY_TAX: Final = ("vat",)
#: Registration numbers with check digits, by country (stdnum's names).
_REGISTRATION: Final = {
    "FR": "siren",
    "SE": "orgnr",
    "NO": "orgnr",
    "CH": "uid",
    "FI": "ytunnus",
    "EE": "registrikood",
    "DK": "cvr",
    "BE": "vat",
    "CZ": "dic",
}
#: Registration numbers without check digits: what they look like, and the length to which zeros fill them up.
_REGISTRATION_PATTERN: Final = {
    "GB": (re.compile(r"[A-Z]{2}\d{6}|\d{6,8}"), 8),
    "NL": (re.compile(r"\d{7,8}"), 8),
    "PL": (re.compile(r"\d{6,10}"), 10),
    "IN": (re.compile(r"[UL]\d{5}[A-Z]{2}\d{4}[A-Z]{3}\d{6}|[A-Z]{3}\d{4}"), 0),
    "IT": (re.compile(r"[A-Z]{2}\d{5,7}"), 0),
    "DE": (re.compile(r"(?:HRA|HRB|GNR|GSR|PR|VR)\d{1,6}[A-Z]{0,2}"), 0),
}


class Identifier(NamedTuple):
    """A typed number. `country` is None for schemes of the whole world, and where nothing says the country."""

    type: str
    country: str | None
    normal: str
    state: str
    #: The court whose register has the number, where it is one of several and said; it ends `normal`.
    court: str = ""

    @property
    def token(self) -> str:
        """`type:country:normal`, lower case; `type:country-court:number` where a court is said."""
        if self.court:
            return f"{self.type}:{(self.country or '').lower()}-{self.court}:{self.number.lower()}"
        return f"{self.type}:{(self.country or '').lower()}:{self.normal.lower()}"

    @property
    def number(self) -> str:
        """The number without the court."""
        return self.normal[: len(self.normal) - len(self.court)]


@lru_cache(CACHE)
def parse_identifier(hint: str, text: str, country: str | None) -> Identifier | None:
    """The identifier behind a text that a field of type `hint` holds; None for a placeholder.

    `hint` is `vat`, `tax`, `registration`, `lei` or `duns`, with `:CC` behind it where the field says the country.
    """
    kind, _, named = hint.partition(":")
    country = named or country
    if not fold_code(text) or is_placeholder_number(text):
        return None
    written = tidy(text)
    number = bare_number(written, country)
    if is_placeholder_number(number):
        return None
    if len(number) == 20 and number.isalnum() and _checked(lei, number) is not None:
        return Identifier("lei", None, number, VALID)
    if kind == "registration":
        if country == "DE" and (told := german_register(written)) is not None:
            normal = f"{told.number}{told.court.upper()}"
            return Identifier("registration", country, normal, UNVERIFIABLE, told.court)
        number = in_register(written, country) or number
    return _BY_KIND.get(kind, _tax)(number, country)


def _lei(number: str, _country: str | None) -> Identifier:
    return Identifier("lei", None, number, INVALID)


def _duns(number: str, _country: str | None) -> Identifier:
    # D-U-N-S numbers have no check digit since 2006. A spreadsheet drops a leading zero.
    padded = number.zfill(9) if number.isdigit() and len(number) == 8 else number
    return Identifier("duns", None, padded, UNVERIFIABLE if re.fullmatch(r"\d{9}", padded) else INVALID)


def _tax(number: str, country: str | None) -> Identifier:
    prefix = _VAT_PREFIX.get(number[:2])
    if prefix is not None and any(character.isdigit() for character in number[2:]):
        return _vat(number[2:], prefix)
    if country in _VAT_COUNTRIES:
        assert country is not None
        found = _vat(number, country)
        if found.state == INVALID and country == "DE" and len(number) in (10, 11):
            # The German tax office's number, which is not the VAT number.
            return Identifier("tax", country, number, UNVERIFIABLE)
        return found
    if country == "US":
        return _us(number)
    own = of_the_company(number, country)
    schemes = _TAX.get(country or "", _ANY_TAX)
    checked = next(filter(None, (_checked(_module(country, scheme), own) for scheme in schemes)), None)
    if checked is None and _module(country, "vat") is not None:
        return Identifier("tax", country, own, INVALID)
    return Identifier("tax", country, checked or own, VALID if checked else UNVERIFIABLE)


def _vat(rest: str, country: str) -> Identifier:
    prefix = "EL" if country == "GR" else country
    checked = _checked(_module(country, "vat"), of_the_company(rest, country))
    return Identifier("vat", country, f"{prefix}{checked or rest}", VALID if checked is not None else INVALID)


def _us(number: str) -> Identifier:
    padded = number.zfill(9) if number.isdigit() and len(number) == 8 else number
    return Identifier("tax", "US", padded, VALID if _checked(ein, padded) is not None else INVALID)


def _registration(number: str, country: str | None) -> Identifier:
    if country is not None and country not in _VAT_COUNTRIES and country != "US":
        # China, Japan, Brazil and others give one number for register and tax.
        found = _tax(number, country)
        if found.state == VALID and country not in _REGISTRATION:
            return found
    if country == "FR" and len(number) == 14 and number.isdigit():
        # A SIRET is the SIREN of the company and the number of its site.
        number = number[:9]
    number = _without_own_prefix(of_the_company(number, country), country)
    scheme = _REGISTRATION.get(country or "")
    if scheme is not None:
        return Identifier(
            "registration", country, number, VALID if _checked(_module(country, scheme), number) else INVALID
        )
    pattern, width = _REGISTRATION_PATTERN.get(country or "", (None, 0))
    if pattern is not None and not pattern.fullmatch(number):
        return Identifier("registration", country, number, INVALID)
    padded = number.zfill(width) if number.isdigit() else number
    return Identifier("registration", country, padded, UNVERIFIABLE)


def _without_own_prefix(number: str, country: str | None) -> str:
    if country in ("CZ", "SE", "DK", "FI", "BE") and number.startswith(country):
        return number[2:]
    return number


_BY_KIND: Final[dict[str, Callable[[str, str | None], Identifier]]] = {
    "vat": _tax,
    "tax": _tax,
    "registration": _registration,
    "lei": _lei,
    "duns": _duns,
}


def implied_registration(identifier: Identifier) -> Identifier | None:
    """The registration number that a valid VAT number contains, in the countries where it does."""
    part = REGISTER_IN_TAX.get(identifier.country or "")
    if identifier.type != "vat" or identifier.state != VALID or part is None:
        return None
    return Identifier("registration", identifier.country, identifier.normal[part], VALID)


@cache
def _module(country: str | None, scheme: str) -> ModuleType | None:
    if country is None:
        return None
    return cast(ModuleType | None, get_cc_module(country.lower(), scheme))


def _checked(module: ModuleType | None, number: str) -> str | None:
    if module is None:
        return None
    try:
        return str(module.validate(number))
    except ValidationError:
        return None


def identifiers(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `identifiers`.

    A source names its type in the option `type`; or the parts `value` and `type` come from two columns, with the
    mapping's codes from the latter's values to types (`us_ein: tax:US`).
    """
    values: list[dict[str, Any]] = []
    strong: set[str] = set()
    weak: set[str] = set()
    rejected = country = None
    for hint, text in _typed(inputs, context):
        found = parse_identifier(hint, text, context.country)
        if found is None:
            rejected = PLACEHOLDER
            continue
        if found.type == "vat" and found.state == VALID:
            country = found.country
        values.append(
            {
                "type": found.type,
                "country": found.country,
                "value": tidy(text),
                "normal": found.normal,
                "state": found.state,
            }
        )
        if found.country is None and found.type not in ("lei", "duns"):
            # A number of an unknown country could be anybody's.
            continue
        tokens = strong if found.state != INVALID else weak
        tokens.add(found.token)
        if found.court:
            # Who tells no court tells the number only, which another court may have given to another company.
            weak.add(found._replace(normal=found.number, court="").token)
        implied = implied_registration(found)
        if implied is not None:
            tokens.add(implied.token)
    if not values:
        return Standardised(rejected=rejected) if rejected else UNKNOWN
    forms = {"identifiers": sorted(strong), "weak_identifiers": sorted(weak)}
    comparison = {name: tokens for name, tokens in forms.items() if tokens}
    return Standardised(_unique(values), comparison, rejected, country=country, strong=True)


def _typed(inputs: Inputs, context: Context) -> list[tuple[str, str]]:
    by_part = {given.part: given.text for given in inputs if given.part}
    if by_part:
        hint = context.codes.get(by_part.get("type", "").strip().lower(), "tax")
        return [(hint, by_part["value"])] if by_part.get("value", "").strip() else []
    return [(given.options.get("type", "tax"), given.text) for given in inputs if given.text.strip()]


def _unique(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry per identifier; the first one stays."""
    found: dict[tuple[str, str | None, str], dict[str, Any]] = {}
    for value in values:
        found.setdefault((value["type"], value["country"], value["normal"]), value)
    return list(found.values())


def gtin_form(text: str) -> tuple[str, str] | None:
    """A trade item number as 14 digits, and the state of its check digit; None for a placeholder."""
    digits = fold_code(text)
    if not digits or is_placeholder_number(text):
        return None
    if not digits.isdigit() or len(digits) not in (8, 12, 13, 14):
        return digits, INVALID
    padded = digits.zfill(14)
    total = sum(int(digit) * (3 if position % 2 == 0 else 1) for position, digit in enumerate(padded[:13]))
    state = VALID if (10 - total % 10) % 10 == int(padded[13]) else INVALID
    return padded, state
