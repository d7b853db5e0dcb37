"""Addresses: parts taken apart, repaired and folded, by the habits of their country."""

import re
from collections.abc import Mapping
from typing import Any, Final

from mdm.intake.standardise.countries import country_code, region_form
from mdm.intake.standardise.junk import PLACEHOLDER, is_placeholder, is_placeholder_number
from mdm.intake.standardise.places import city_form
from mdm.intake.standardise.result import UNKNOWN, Context, Inputs, Standardised
from mdm.intake.standardise.street_lines import PO_BOX, number_form, split_street
from mdm.intake.standardise.streets import street_form
from mdm.intake.standardise.text import fold_code, tidy

_PARTS: Final = ("street", "house_number", "line2", "postal_code", "city", "region", "country")
#: A letter code and a hyphen before a postcode is the old international form: D-80331, IT-37196.
_POSTAL_PREFIX: Final = re.compile(r"^[A-Za-z]{1,3}\s?-\s?(?=\d)")

#: Countries whose postcodes are five digits, of which the first may be a zero.
_FIVE_DIGITS: Final = frozenset({"DE", "EE", "ES", "FI", "FR", "HR", "IT", "KR", "LT", "MX", "PL", "TR", "UA", "US"})


def address(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `address`: the parts as one value, and the folded parts for comparison."""
    parts: dict[str, str] = {}
    rejected = None
    for given in inputs:
        text = tidy(given.text)
        if not text:
            continue
        if _is_junk(given.part, text):
            rejected = PLACEHOLDER
            continue
        parts[given.part] = text
    stated = country_code(parts.get("country", "")) or (None if context.assumed else context.country)
    code = stated or context.country
    _put_in_place(parts)
    street, number, line2 = split_street(parts.get("street", ""), parts.get("house_number", ""), code)
    value = {
        "street": street or None,
        "house_number": number or None,
        "line2": _joined(parts.get("line2"), line2),
        "postal_code": postal_code(parts.get("postal_code", ""), code),
        "city": parts.get("city"),
        "region": parts.get("region"),
        "country": stated,
    }
    if not any(value[name] for name in _PARTS if name != "country"):
        return Standardised(rejected=rejected) if rejected else UNKNOWN
    return Standardised(value, _comparison(value, code), rejected)


def former_address(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `former_address`: where a company was before. Evidence for matching, and no value of its own."""
    found = sites(address(inputs, context).comparison)
    return Standardised(comparison={"former_sites": found}) if found else UNKNOWN


def sites(forms: Mapping[str, Any]) -> list[str]:
    """The places that comparison forms name: house and postcode, house and street and city; sorted."""
    number, postcode, street, city = (forms.get(name) for name in ("house_number", "postcode", "street", "city"))
    found = [f"p:{postcode}|{number}"] if number and postcode else []
    return [*found, f"s:{street}|{number}|{city}"] if number and street and city else found


def _is_junk(part: str, text: str) -> bool:
    if part == "house_number":
        return not any(character.isdigit() for character in text) and is_placeholder(text)
    if part == "country":
        return is_placeholder(text) and country_code(text) is None
    return is_placeholder(text) or (part == "postal_code" and is_placeholder_number(text))


def _comparison(value: dict[str, str | None], country: str | None) -> dict[str, str]:
    # A post office box is where letters go, not where the company sits: it contradicts no street.
    street = value["street"] if value["street"] != PO_BOX else None
    number = number_form(value["house_number"] or "", country) if street else ""
    forms = {
        "street": street_form(street, country) if street else None,
        "house_number": number or None,
        "postcode": _postcode_form(value["postal_code"], country),
        "city": city_form(value["city"]) if value["city"] else None,
        "region": region_form(value["region"], country) if value["region"] else None,
    }
    return {name: form for name, form in forms.items() if form}


def postal_code(text: str, country: str | None) -> str | None:
    """The postcode as its country writes it, as far as a prefix of the country can be taken off."""
    code = _POSTAL_PREFIX.sub("", text).strip().upper()
    if not code:
        return None
    if country == "JP" and re.fullmatch(r"\d{7}", code):
        return f"{code[:3]}-{code[3:]}"
    return code


def _postcode_form(code: str | None, country: str | None) -> str | None:
    if code is None:
        return None
    folded = fold_code(code)
    if country in _FIVE_DIGITS and folded.isdigit() and len(folded) in (3, 4):
        # Spreadsheets take leading zeros away.
        return folded.zfill(5)
    if country == "US" and folded.isdigit() and len(folded) == 9:
        # ZIP+4 names a block inside the ZIP.
        return folded[:5]
    return folded or None


def _put_in_place(parts: dict[str, str]) -> None:
    """Put right a postcode that was typed into the city field, and a city in the postcode field.

    Every country's postcodes have digits.
    """
    code, city = parts.get("postal_code"), parts.get("city")
    if code is not None and not any(character.isdigit() for character in code):
        del parts["postal_code"]
        parts["city"] = code if city is None or _looks_like_code(city) else city
    if city is not None and _looks_like_code(city) and "postal_code" not in parts:
        parts["postal_code"] = city
        if parts["city"] == city:
            del parts["city"]


def _looks_like_code(text: str | None) -> bool:
    digits = sum(character.isdigit() for character in text or "")
    return digits >= 3 and digits * 2 >= len((text or "").replace(" ", ""))


def _joined(*texts: str | None) -> str | None:
    return ", ".join(text for text in texts if text) or None
