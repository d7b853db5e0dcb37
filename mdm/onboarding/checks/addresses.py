"""Address of the seat: complete and well-formed by the habits of its country."""

from collections.abc import Iterator

from mdm.geography import region_code
from mdm.onboarding.checks.outcomes import failed, not_applicable, passed, unverifiable
from mdm.onboarding.ruleset import RuleSet
from mdm.onboarding.subject import Subject
from mdm.onboarding.verdict import Observation

#: The last letter of Latin script and its accents; what follows is Greek, Cyrillic, Han, ...
_LATIN = 0x036F
_WORDS = {"street": "street", "postal_code": "postcode", "city": "city", "region": "state or province"}


def address_complete(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """Every part without which post does not arrive in this country is there."""
    code = "ADDRESS_INCOMPLETE"
    country = rules.countries.get(_country(subject) or "")
    if not any(subject.address.get(part) for part in _WORDS):
        yield failed(code, "/address", "There is no address.")
        return
    if country is None:
        yield unverifiable(code, "/address", "What an address in this country needs is not known.")
        return
    needed = (*country.needs, "region") if country.region else country.needs
    missing = [part for part in needed if not subject.address.get(part)]
    for part in missing:
        yield failed(code, f"/address/{part}", f"The {_WORDS[part]} is missing.", {"country": _country(subject) or ""})
    if not missing:
        yield passed(code, "/address", "The address is complete.")


def postcode(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """The postcode looks as postcodes of the country do."""
    code, path = "POSTCODE_FORMAT", "/address/postal_code"
    written = str(subject.address.get("postal_code") or "").strip().upper()
    country = rules.countries.get(_country(subject) or "")
    if not written:
        yield not_applicable(code, path, "There is no postcode.")
    elif country is None:
        yield unverifiable(code, path, "How postcodes of this country look is not known.")
    elif country.postcode is None:
        yield not_applicable(code, path, f"There are no postcodes in {_country(subject)}.")
    elif country.postcode.fullmatch(written):
        yield passed(code, path, f"The postcode is one of {_country(subject)}.")
    else:
        yield failed(
            code, path, f"{written} is no postcode of {_country(subject)}.", {"country": _country(subject) or ""}
        )


def region(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """Where the state or province belongs to the address, it is one that exists."""
    code, path = "REGION_UNKNOWN", "/address/region"
    written = subject.address.get("region")
    country = rules.countries.get(_country(subject) or "")
    if not written or country is None or not country.region:
        yield not_applicable(code, path, "There is no region to check.")
    elif region_code(_country(subject), str(written)) is not None:
        yield passed(code, path, f"The region is one of {_country(subject)}.")
    elif any(ord(letter) > _LATIN for letter in str(written)):
        yield unverifiable(code, path, "Not all regions are known by their names in this script.")
    else:
        yield failed(code, path, f"{written} is no region of {_country(subject)}.", {"region": str(written)})


def _country(subject: Subject) -> str | None:
    return subject.address.get("country") or subject.country
