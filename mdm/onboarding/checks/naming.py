"""Name, legal form and country: present, consistent, and short enough for ERP."""

import unicodedata
from collections.abc import Iterator

from mdm.onboarding.checks.outcomes import failed, not_applicable, passed, unverifiable
from mdm.onboarding.ruleset import RuleSet
from mdm.onboarding.subject import Subject
from mdm.onboarding.verdict import Observation

#: Control, private and unassigned characters, and symbols such as pictograms.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "So"})
_PRINTED = ("name", "address/street", "address/city")


def name_present(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """Nothing can be created without a name."""
    if subject.text("name"):
        yield passed("NAME_MISSING", "/name", "The name is known.")
    else:
        yield failed("NAME_MISSING", "/name", "The customer has no name.")


def name_fits(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """The name, broken between words, must fit the lines that ERP has for it."""
    name, field = subject.text("name"), rules.target.name_lines
    if name is None:
        yield not_applicable("NAME_TOO_LONG", "/name", "There is no name.")
        return
    lines = _wrapped(name, field.length)
    if lines is not None and lines <= field.lines:
        yield passed("NAME_TOO_LONG", "/name", f"The name fits {field.name}.")
    else:
        yield failed(
            "NAME_TOO_LONG",
            "/name",
            f"The name does not fit {field.lines} lines of {field.length} characters ({field.name}).",
            {"length": str(len(name))},
        )


def _wrapped(text: str, width: int) -> int | None:
    """How many lines of this width the words need; None when a single word is longer than a line."""
    lines, used = 1, 0
    for word in text.split():
        if len(word) > width:
            return None
        needed = len(word) + (1 if used else 0)
        if used + needed > width:
            lines, used = lines + 1, len(word)
        else:
            used += needed
    return lines


def characters(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """Printed values hold only characters that can be printed."""
    bad = False
    for path in _PRINTED:
        text = str(value_at(subject, path) or "")
        found = sorted({f"U+{ord(each):04X}" for each in text if unicodedata.category(each) in _UNPRINTABLE})
        if found:
            bad = True
            message = f"The value holds characters that ERP cannot print: {', '.join(found)}."
            yield failed("ERP_CHARSET", f"/{path}", message)
    if not bad:
        yield passed("ERP_CHARSET", "/name", "All characters can be printed.")


def legal_form_present(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """A legal entity has a legal form."""
    if subject.text("legal_form"):
        yield passed("LEGAL_FORM_MISSING", "/legal_form", "The legal form is known.")
    else:
        yield failed("LEGAL_FORM_MISSING", "/legal_form", "The legal form is not known.")


def legal_form_of_country(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """A form that exists in few countries only must exist in that of the seat."""
    code, path = "LEGAL_FORM_COUNTRY_MISMATCH", "/legal_form"
    form, country = subject.text("legal_form"), subject.country
    where = rules.legal_forms.get(form or "")
    if form is None or where is None:
        yield not_applicable(code, path, "The legal form does not tell the country.")
    elif country is None:
        yield unverifiable(code, path, "The country of the seat is not known.")
    elif country in where:
        yield passed(code, path, f"{form} exists in {country}.")
    else:
        yield failed(code, path, f"{form} does not exist in {country}.", {"legal_form": form, "country": country})


def legal_form_of_name(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """The form that the name ends in is the one that is registered."""
    code, path = "LEGAL_FORM_NAME_MISMATCH", "/legal_form"
    form, named = subject.text("legal_form"), subject.legal_form_in_name
    if form is None or named is None:
        yield not_applicable(code, path, "Name and register do not both state a legal form.")
    elif form == named:
        yield passed(code, path, "The name ends in the registered legal form.")
    else:
        yield failed(code, path, f"The name ends in {named}, registered is {form}.", {"name": named, "form": form})


def country_present(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """Tax, address and language in ERP follow the country."""
    if subject.country:
        yield passed("COUNTRY_MISSING", "/country", "The country of the seat is known.")
    else:
        yield failed("COUNTRY_MISSING", "/country", "The country of the seat is not known.")


def country_of_address(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """Seat and address are in one country."""
    code, path = "COUNTRY_CONFLICT", "/address/country"
    stated = subject.address.get("country")
    if subject.country is None or not stated:
        yield not_applicable(code, path, "Seat and address do not both name a country.")
    elif stated == subject.country:
        yield passed(code, path, "Seat and address are in the same country.")
    else:
        yield failed(
            code, path, f"The seat is in {subject.country}, the address in {stated}.", {"country": subject.country}
        )


def field_lengths(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """Every value fits the field of ERP that it goes to, by the very projection that ERP reads."""
    for path, field, length, limit in subject.misfits:
        yield failed(
            "ERP_FIELD_TOO_LONG",
            path,
            f"The value has {length} characters, {field} holds {limit}.",
            {"field": field, "length": str(limit)},
        )
    if not subject.misfits:
        yield passed("ERP_FIELD_TOO_LONG", "", "Every value fits its field.")


def value_at(subject: Subject, path: str) -> object:
    """A value by name, or by group and name: `address/city`."""
    group, _, part = path.partition("/")
    value = subject.values.get(group)
    if not part:
        return value
    return value.get(part) if isinstance(value, dict) else None
