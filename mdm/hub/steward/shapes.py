"""A steward's value in the JSON form of its attribute: checked, and completed by the standardisers that sources use."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from mdm.errors import Invalid
from mdm.intake.standardise.countries import country_code
from mdm.intake.standardise.identifiers import gtin_form, parse_identifier
from mdm.intake.standardise.phones import parse_phone
from mdm.intake.standardise.plain import currency_code, language_code
from mdm.intake.standardise.web import parse_email
from mdm.model.canonical import Attribute, Shape

_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_LONGEST = 2000
_ADDRESS = frozenset({"street", "house_number", "line2", "postal_code", "city", "region", "country"})
_MOST = 200


def refuse_misshapen(attribute: Attribute, value: Any) -> None:
    """Raises Invalid when the value has not the form of the attribute."""
    fits, form = _FORMS[attribute.shape]
    if not fits(value):
        raise Invalid(f"{attribute.name} must be {form}.", action=attribute.definition)


def completed(attribute: Attribute, value: Any) -> Any:
    """The value with what the hub knows about it: normal forms and checksums of identifiers, E.164 of phone numbers,
    the ISO code of a country, currency or language.

    Raises:
        Invalid: an element is a placeholder or cannot be read, or there is no such country, currency or language.
    """
    if attribute.name in _CODES:
        return _code(attribute.name, value)
    if attribute.shape is Shape.ADDRESS and "country" in value:
        return {**value, "country": _code("country", value["country"])}
    complete = _COMPLETE.get(attribute.shape)
    if complete is None:
        return value
    return [complete(attribute.name, each) for each in value]


def _identifier(name: str, each: Mapping[str, Any]) -> dict[str, Any]:
    country = each.get("country") if isinstance(each.get("country"), str) else None
    found: tuple[str, str | None, str, str] | None
    if each["type"] == "gtin":
        form = gtin_form(each["value"])
        found = ("gtin", None, *form) if form is not None else None
    else:
        parsed = parse_identifier(each["type"], each["value"], country)
        found = (parsed.type, parsed.country, parsed.normal, parsed.state) if parsed is not None else None
    if found is None:
        raise Invalid(f"One of the {name} says nothing.", action="Give a number that can be looked up.")
    return {"type": found[0], "country": found[1], "value": each["value"], "normal": found[2], "state": found[3]}


def _phone(name: str, each: Mapping[str, Any]) -> dict[str, Any]:
    found = parse_phone(each["value"], None)
    if found is None:
        raise Invalid(f"One of the {name} is no phone number.", action="Write it with +, country and number.")
    return {"value": each["value"], "e164": found.e164, "valid": found.valid}


def _email(name: str, each: Mapping[str, Any]) -> dict[str, Any]:
    found = parse_email(each["value"])
    if found is None:
        raise Invalid(f"One of the {name} is no e-mail address.", action="Write it like name@example.com.")
    shared = {"shared": each["shared"]} if isinstance(each.get("shared"), bool) else {}
    return {"value": each["value"], "domain": found[2], **shared}


#: By them regions are derived, taxes checked and codes of ERP found, so a word that is none would mislead all of these.
_CODES: Mapping[str, tuple[Callable[[str], str | None], str]] = {
    "country": (country_code, "ISO 3166-1, such as DE"),
    "currency": (currency_code, "ISO 4217, such as EUR"),
    "language": (language_code, "ISO 639-1, such as de"),
}


def _code(name: str, value: str) -> str:
    code_of, standard = _CODES[name]
    code = code_of(value)
    if code is None:
        raise Invalid(f"There is no such {name}.", action=f"Give a code of {standard}.")
    return code


_COMPLETE: Mapping[Shape, Callable[[str, Mapping[str, Any]], dict[str, Any]]] = {
    Shape.IDENTIFIERS: _identifier,
    Shape.PHONES: _phone,
    Shape.EMAILS: _email,
}


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST and "\0" not in value


def _date(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _decimal(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 40 and _DECIMAL.fullmatch(value) is not None


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def _texts(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) <= _MOST and all(map(_text, value))


def _address(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and value.keys() <= _ADDRESS and all(map(_text, value.values()))


def _objects(*needed: str) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        return (
            isinstance(value, list)
            and 0 < len(value) <= _MOST
            and all(isinstance(each, Mapping) and all(_text(each.get(name)) for name in needed) for each in value)
        )

    return fits


def _reference(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and value.keys() == {"system", "type", "key"}
        and all(_text(part) for part in value.values())
    )


def _lines(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) <= _MOST
        and all(isinstance(each, Mapping) and _reference(each.get("product")) for each in value)
    )


_FORMS: Mapping[Shape, tuple[Callable[[Any], bool], str]] = {
    Shape.TEXT: (_text, "a text"),
    Shape.CODE: (_text, "a code as text"),
    Shape.BOOLEAN: (lambda value: isinstance(value, bool), "true or false"),
    Shape.INTEGER: (_integer, "a whole number"),
    Shape.DECIMAL: (_decimal, "a decimal number as text, such as '1250.00'"),
    Shape.DATE: (_date, "a date, YYYY-MM-DD"),
    Shape.TEXTS: (_texts, "a list of texts"),
    Shape.ADDRESS: (_address, f"an object with some of {', '.join(sorted(_ADDRESS))}"),
    Shape.IDENTIFIERS: (_objects("type", "value"), "a list of objects with type and value"),
    Shape.PHONES: (_objects("value"), "a list of objects with value"),
    Shape.EMAILS: (_objects("value"), "a list of objects with value"),
    Shape.REFERENCE: (_reference, "an object with system, type and key"),
    Shape.LINES: (_lines, "a list of lines with product, quantity and unit_price"),
}
