"""Identifiers: present where they must be, right in themselves, of the right country, and nobody else's."""

from collections import defaultdict
from collections.abc import Iterator

from mdm.onboarding.checks.outcomes import failed, masked, not_applicable, passed, unverifiable
from mdm.onboarding.ruleset import RuleSet
from mdm.onboarding.schemes import is_malformed
from mdm.onboarding.subject import Identifier, Subject
from mdm.onboarding.verdict import Observation

_INVALID, _UNVERIFIABLE = "invalid", "unverifiable"
#: A legal entity has one of each in a country; of registers there may be several.
_CALLED = {"vat": "VAT", "tax": "tax", "lei": "LEI"}
_SINGLE = frozenset(_CALLED)


def tax_number_present(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """Where businesses have tax numbers, this one needs one."""
    code, path = "TAX_ID_MISSING", "/identifiers"
    country = rules.countries.get(subject.country or "")
    if subject.tax_numbers:
        yield passed(code, path, "A tax number is known.")
    elif country is None:
        yield unverifiable(code, path, "Whether the country asks for a tax number is not known.")
    elif country.tax_id:
        yield failed(code, path, f"No tax number is known, as businesses in {subject.country} have one.")
    else:
        yield not_applicable(code, path, f"Businesses in {subject.country} need none on invoices.")


def tax_number_checksum(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """A tax number with wrong check digits blocks, unless a right one of the same type and country stands beside it."""
    right = {(each.type, each.country) for each in subject.tax_numbers if each.state != _INVALID}
    for each in subject.tax_numbers:
        of = each.country or "an unknown country"
        what = f"the {_CALLED.get(each.type, each.type)} number of {of}"
        if each.state == _INVALID and (each.type, each.country) in right:
            yield failed(
                "IDENTIFIER_INVALID",
                each.path,
                f"The check digits are wrong for {what}; another number of the kind is right.",
                {"type": each.type},
                masked(each.normal),
            )
        elif each.state == _INVALID:
            malformed = is_malformed(each.country, each.normal)
            yield failed(
                "TAX_ID_FORMAT" if malformed else "TAX_ID_CHECKSUM",
                each.path,
                f"{'Length or characters' if malformed else 'The check digits'} are wrong for {what}.",
                {"type": each.type},
                masked(each.normal),
            )
        elif each.state == _UNVERIFIABLE:
            yield unverifiable(
                "TAX_ID_CHECKSUM", each.path, f"{what[:1].upper()}{what[1:]} carries no known check digits."
            )
        else:
            yield passed("TAX_ID_CHECKSUM", each.path, f"The check digits are right for {what}.")
    if not subject.tax_numbers:
        yield not_applicable("TAX_ID_CHECKSUM", "/identifiers", "No tax number is known.")


def tax_number_country(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """At least one tax number is of the country of the seat: often it is that of the group's head."""
    code, path = "TAX_ID_COUNTRY_MISMATCH", "/identifiers"
    countries = {each.country for each in subject.tax_numbers if each.country is not None}
    if subject.country is None or not countries:
        yield not_applicable(code, path, "There is no country to compare.")
    elif subject.country in countries:
        yield passed(code, path, "A tax number of the country of the seat is known.")
    else:
        named = ", ".join(sorted(countries))
        yield failed(code, path, f"The seat is in {subject.country}, the tax numbers are of {named}.")


def tax_number_unique(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """No other golden customer has the same tax number."""
    shared = False
    for each in subject.tax_numbers:
        others = subject.sharing.get((each.type, each.country, each.normal), ())
        if others:
            shared = True
            yield failed(
                "TAX_ID_DUPLICATE",
                each.path,
                f"The number also belongs to {', '.join(sorted(others))}.",
                {"others": ",".join(sorted(others))},
                masked(each.normal),
            )
    if not shared:
        yield (
            passed("TAX_ID_DUPLICATE", "/identifiers", "No other customer has the same tax number.")
            if subject.tax_numbers
            else not_applicable("TAX_ID_DUPLICATE", "/identifiers", "No tax number is known.")
        )


def single_identifiers(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """Of types that a legal entity has once, only one number is known."""
    numbers: dict[tuple[str, str], list[Identifier]] = defaultdict(list)
    for each in subject.identifiers:
        if each.type in _SINGLE and each.state != _INVALID:
            numbers[each.type, each.country or ""].append(each)
    several = {kind: found for kind, found in numbers.items() if len(found) > 1}
    for (type_, country), found in sorted(several.items()):
        kind = f"{_CALLED[type_]} numbers{f' of {country}' if country else ''}"
        yield failed(
            "IDENTIFIER_AMBIGUOUS",
            found[1].path,
            f"{len(found)} different {kind} are known.",
            {"type": type_, "country": country},
        )
    if not several:
        yield passed("IDENTIFIER_AMBIGUOUS", "/identifiers", "No two numbers contradict each other.")


def duns(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """A D-U-N-S number has nine digits and, since 2006, no check digit."""
    numbers = [each for each in subject.identifiers if each.type == "duns"]
    for each in numbers:
        if each.state == _INVALID:
            message = "The D-U-N-S number does not have nine digits."
            yield failed("DUNS_FORMAT", each.path, message, masked=masked(each.normal))
        else:
            yield passed("DUNS_FORMAT", each.path, "The D-U-N-S number has nine digits.")
    if not numbers:
        yield not_applicable("DUNS_FORMAT", "/identifiers", "No D-U-N-S number is known.")
