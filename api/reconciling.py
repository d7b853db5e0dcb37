"""Reconciliation (W3C community specification 0.2, as OpenRefine speaks it): questions as candidates of the matcher.

Pure translation. A query's text is a name or number; its properties are canonical attributes, parts of the address, or
types of identifiers.
"""

from collections.abc import Mapping
from typing import Any

from matching.decision import Decision
from mdm.hub.match import Question
from mdm.hub.match_report import MatchReport
from mdm.intake.candidate import compared_attributes
from mdm.model.canonical import ATTRIBUTES, Shape
from mdm.model.ids import Domain

#: Types of identifiers that a property may name, by domain.
_IDENTIFIERS: Mapping[Domain, tuple[str, ...]] = {
    Domain.CUSTOMER: ("vat", "tax", "registration", "lei", "duns"),
    Domain.PRODUCT: ("gtin",),
    Domain.CONTRACT: (),
}
_ADDRESS = ("street", "house_number", "postal_code", "city", "region")
#: The attribute that a query's text states.
_NAMED: Mapping[Domain, str] = {Domain.CUSTOMER: "name", Domain.PRODUCT: "name", Domain.CONTRACT: "number"}
#: Attributes of one plain value that matching reads.
_PLAIN = frozenset({Shape.TEXT, Shape.CODE, Shape.DECIMAL, Shape.DATE})


def type_object(domain: Domain) -> dict[str, str]:
    """A domain as a type of the service."""
    return {"id": domain.value, "name": domain.value.capitalize()}


def match_properties(domain: Domain) -> list[dict[str, str]]:
    """What a query may state besides its text."""
    read = compared_attributes(domain)
    plain = [each.name for each in ATTRIBUTES[domain] if each.name in read and each.shape in _PLAIN]
    lists = [name for name in ("email", "phone") if domain is Domain.CUSTOMER]
    address = _ADDRESS if domain is Domain.CUSTOMER else ()
    names = [*(name for name in plain if name != _NAMED[domain]), *address, *lists, *_IDENTIFIERS[domain]]
    return [_property(name) for name in names]


def extend_properties(domain: Domain) -> list[dict[str, str]]:
    """What can be fetched of a golden record."""
    attributes = ATTRIBUTES[domain]
    address = _ADDRESS if domain is Domain.CUSTOMER else ()
    names = [each.name for each in attributes if each.shape not in (Shape.ADDRESS, Shape.LINES)]
    return [_property(name) for name in (*names, *address, *_IDENTIFIERS[domain])]


def question_of(domain: Domain, query: Mapping[str, Any], most: int) -> Question:
    """The candidate that a query describes."""
    values: dict[str, Any] = {}
    text = str(query.get("query") or "").strip()
    if text:
        values[_NAMED[domain]] = text
        if domain is Domain.PRODUCT and any(each.isdigit() for each in text):
            values["code"] = text
    for stated in query.get("properties") or ():
        for value in _stated(stated.get("v")):
            _put(domain, values, str(stated.get("pid") or ""), value)
    limit = query.get("limit")
    asked = limit if isinstance(limit, int) and limit > 0 else 5
    anywhere = domain is Domain.CUSTOMER and "country" not in values
    return Question(values, min(asked, most), 0.0, anywhere)


def _stated(value: Any) -> list[str]:
    if isinstance(value, list):
        return [each for part in value for each in _stated(part)]
    if isinstance(value, Mapping):  # a cell that was reconciled before
        value = value.get("id") or value.get("name") or value.get("str")
    return [str(value).strip()[:500]] if isinstance(value, str | int | float) and str(value).strip() else []


def _put(domain: Domain, values: dict[str, Any], name: str, value: str) -> None:
    """A property's value where the candidate has it; properties that matching does not read change nothing."""
    known = {each["id"] for each in match_properties(domain)}
    if name not in known:
        return
    if name in _IDENTIFIERS[domain]:
        values.setdefault("identifiers", []).append({"type": name, "value": value})
    elif name in _ADDRESS:
        values.setdefault("address", {}).setdefault(name, value)
    elif name in ("email", "phone"):
        values.setdefault(f"{name}s", []).append(value)
    else:
        values.setdefault(name, value)


def finished(question: Question) -> Question:
    """The question with the country of identifiers and address filled in from the customer's."""
    values = dict(question.values)
    if country := values.get("country"):
        values["identifiers"] = [{**each, "country": country} for each in values.get("identifiers", ())]
        if "address" in values:
            values["address"] = {**values["address"], "country": country}
    return Question(
        {name: value for name, value in values.items() if value}, question.limit, question.floor, question.anywhere
    )


def result_object(domain: Domain, report: MatchReport) -> dict[str, Any]:
    """Candidates, best first. `match` only where the released model would join, and joins one candidate only."""
    certain = [each for each in report.candidates if each.decision is Decision.MATCH]
    return {
        "result": [
            {
                "id": each.home.entity_id,
                "name": each.home.name,
                "type": [type_object(domain)],
                "score": round(100 * each.score.probability, 2),
                "match": len(certain) == 1 and each is certain[0],
                "features": [
                    {"id": "match_weight", "value": round(each.score.weight, 3)},
                    *({"id": part.comparison, "value": round(part.bits, 3)} for part in each.score.contributions),
                ],
            }
            for each in report.candidates
        ]
    }


def cells(domain: Domain, name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What data extension puts into a cell: the shown values of a property."""
    if name in _IDENTIFIERS[domain]:
        found = [
            each.get("normal") or each.get("value") for each in values.get("identifiers") or () if each["type"] == name
        ]
    elif name in _ADDRESS:
        found = [(values.get("address") or {}).get(name)]
    else:
        value = values.get(name)
        found = value if isinstance(value, list) else [value]
    return [cell for each in found if (cell := _cell(each)) is not None]


def _cell(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return {"bool": value}
    if isinstance(value, int):
        return {"int": value}
    if isinstance(value, Mapping):
        id = value.get("entity_id")
        text = value.get("normal") or value.get("e164") or value.get("value") or value.get("key")
        return {"id": id, "name": text} if id else {"str": str(text)} if text else None
    return {"str": str(value)}


def _property(name: str) -> dict[str, str]:
    return {"id": name, "name": name.replace("_", " ")}
