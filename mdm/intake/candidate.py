"""A record that no platform has sent: somebody is about to create it and asks whether it is there already.

Its canonical attributes go through the standardisers that source rows go through, so that what is compared cannot
depend on the way in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from mdm.intake.mapping import standardise_by
from mdm.intake.paths import Path
from mdm.intake.rules import AttributeRule, Source, TableMapping
from mdm.intake.standardise.plain import date_of, days_of, decimal_of
from mdm.model.ids import CrosswalkKey, Domain
from mdm.model.records import SourceRecord

#: How a candidate is called where records are named; no platform may be called so.
SYSTEM: Final = "candidate"

#: Why a given value is not used: it is no date, number, code or form of its kind.
UNREADABLE: Final = "UNREADABLE"

#: Why a last day is not used: the first day comes after it.
ENDS_BEFORE_START: Final = "ENDS_BEFORE_START"

#: Attributes of one value, and the standardiser that reads each.
_SIMPLE: Final[Mapping[Domain, Mapping[str, str]]] = {
    Domain.CUSTOMER: {"country": "country", "name": "organisation_name", "web_domain": "web_domain"},
    Domain.PRODUCT: {
        "name": "product_name",
        "code": "product_code",
        "version": "version",
        "family": "family",
        "brand": "brand",
        "unit": "unit",
    },
    Domain.CONTRACT: {
        "number": "own_number",
        "start_date": "start",
        "end_date": "end",
        "term_months": "integer",
        "value": "decimal",
        "currency": "currency",
    },
}
#: Attributes whose values are compared by what they refer to; the hub joins them in.
_REFERRING: Final[Mapping[Domain, frozenset[str]]] = {
    Domain.CUSTOMER: frozenset(),
    Domain.PRODUCT: frozenset(),
    Domain.CONTRACT: frozenset({"customer", "lines"}),
}
_LISTS: Final[Mapping[Domain, frozenset[str]]] = {
    Domain.CUSTOMER: frozenset({"alternate_names", "legal_form", "identifiers", "address", "phones", "emails"}),
    Domain.PRODUCT: frozenset({"other_codes", "identifiers"}),
    Domain.CONTRACT: frozenset({"other_numbers"}),
}


def compared_attributes(domain: Domain) -> frozenset[str]:
    """The canonical attributes that matching reads; others may be given and change nothing."""
    return frozenset(_SIMPLE[domain]) | _LISTS[domain] | _REFERRING[domain]


def candidate_record(domain: Domain, values: Mapping[str, Any]) -> SourceRecord:
    """The record of a candidate in canonical attributes, with its comparison form and what was rejected of it."""
    rules, impossible = _Rules(), _impossible(domain, values)
    values = {name: value for name, value in values.items() if name not in impossible}
    for attribute, standardiser in _SIMPLE[domain].items():
        rules.add(attribute, standardiser, [(values.get(attribute), "", {})])
    _LIST_RULES[domain](rules, values)
    mapping = TableMapping(domain.value, domain, tuple(rules.rules), (), (), (), (), {}, 0.5)
    record = standardise_by(mapping, CrosswalkKey(SYSTEM, domain.value, SYSTEM), rules.row)
    return replace(record, rejected={**_unreadable(domain, values, record), **impossible, **record.rejected})


def _impossible(domain: Domain, values: Mapping[str, Any]) -> dict[str, str]:
    """Of a contract, what can be read and cannot be so: a term of no month, a last day before the first."""
    if domain is not Domain.CONTRACT:
        return {}
    months = decimal_of(values.get("term_months"))
    start, end = date_of(values.get("start_date")), date_of(values.get("end_date"))
    no_term = {"term_months": UNREADABLE} if months is not None and months < 1 else {}
    ends_early = start is not None and end is not None and days_of(end) < days_of(start)
    return no_term | ({"end_date": ENDS_BEFORE_START} if ends_early else {})


def _unreadable(domain: Domain, values: Mapping[str, Any], record: SourceRecord) -> dict[str, str]:
    """Attributes that were given and of which nothing came, not even a reason: no date, number or code of its kind."""
    read = frozenset(_SIMPLE[domain]) | _LISTS[domain]
    given = (name for name in sorted(read & values.keys()) if _says_something(values[name]))
    return {name: UNREADABLE for name in given if name not in record.attributes and name not in record.rejected}


def _says_something(value: Any) -> bool:
    """Not a kind or a country alone: they say of what something is, not what."""
    if isinstance(value, Mapping):
        return any(_says_something(part) for name, part in value.items() if name not in ("type", "country"))
    if isinstance(value, list | tuple):
        return any(map(_says_something, value))
    return value is not None and bool(str(value).strip())


class _Rules:
    """A row made for the occasion and the rules that read it, one column per given value."""

    def __init__(self) -> None:
        self.row: dict[str, Any] = {}
        self.rules: list[AttributeRule] = []

    def add(self, attribute: str, standardiser: str, given: Iterable[tuple[Any, str, Mapping[str, str]]]) -> None:
        sources = []
        for value, part, options in given:
            if value is None or value == "":
                continue
            column = f"{attribute}_{len(self.row)}"
            self.row[column] = value
            sources.append(Source(Path(column), part, options))
        if sources:
            self.rules.append(AttributeRule(attribute, standardiser, tuple(sources)))


def _customer(rules: _Rules, values: Mapping[str, Any]) -> None:
    name = values.get("name")
    others: list[tuple[Any, str, Mapping[str, str]]] = [
        (name, "others", {}),
        *((each, "name", {}) for each in values.get("alternate_names") or ()),
    ]
    rules.add("alternate_names", "organisation_names", others)
    rules.add("legal_form", "legal_form", [(values.get("legal_form"), "", {}), (name, "", {})])
    rules.add("identifiers", "identifiers", (_identifier(each) for each in values.get("identifiers") or ()))
    rules.add("address", "address", ((value, part, {}) for part, value in (values.get("address") or {}).items()))
    rules.add("phones", "phones", ((_text(each, "e164"), "", {}) for each in values.get("phones") or ()))
    rules.add("emails", "emails", ((_text(each), "", {}) for each in values.get("emails") or ()))


def _product(rules: _Rules, values: Mapping[str, Any]) -> None:
    rules.add("other_codes", "product_codes", ((each, "", {}) for each in values.get("other_codes") or ()))
    rules.add("identifiers", "gtin", ((_text(each), "", {}) for each in values.get("identifiers") or ()))


def _contract(rules: _Rules, values: Mapping[str, Any]) -> None:
    rules.add("other_numbers", "stated_numbers", ((each, "", {}) for each in values.get("other_numbers") or ()))


_LIST_RULES: Final = {Domain.CUSTOMER: _customer, Domain.PRODUCT: _product, Domain.CONTRACT: _contract}


def _identifier(given: Mapping[str, Any]) -> tuple[Any, str, Mapping[str, str]]:
    country = given.get("country")
    kind = str(given.get("type") or "tax").lower()
    return given.get("value"), "", {"type": f"{kind}:{country.upper()}" if country else kind}


def _text(given: Any, *also: str) -> Any:
    """The text of an element that is written as text or as an object with `value`."""
    if not isinstance(given, Mapping):
        return given
    return next((given[name] for name in ("value", *also) if given.get(name)), None)
