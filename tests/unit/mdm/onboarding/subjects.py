"""A German customer that lacks nothing, to be spoilt by a test."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mdm.hub.projections import fitted
from mdm.model.ids import EntityId
from mdm.onboarding.assess import assess
from mdm.onboarding.attestation import Attestation
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.onboarding.subject import ParentState, Subject
from mdm.onboarding.verdict import Outcome, Verdict

CUSTOMER = EntityId("cus_1")
#: The instant for which expiry is judged.
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
VAT = ("vat", "DE", "DE136695976")


def identifier(type_: str, country: str | None, normal: str, state: str = "valid") -> dict[str, Any]:
    return {"type": type_, "country": country, "value": normal, "normal": normal, "state": state}


def values(**changed: Any) -> dict[str, Any]:
    complete = {
        "name": "Muster Maschinenbau GmbH",
        "legal_form": "GmbH",
        "country": "DE",
        "address": {
            "street": "Hauptstraße",
            "house_number": "1",
            "line2": None,
            "postal_code": "80331",
            "city": "München",
            "region": None,
            "country": "DE",
        },
        "identifiers": [identifier(*VAT)],
        "phones": [{"value": "089 123", "e164": "+4989123", "valid": True}],
        "emails": [{"value": "info@muster.example", "domain": "muster.example", "shared": True}],
        "language": "de",
        "validated": True,
        "blocked": False,
    }
    return complete | changed


def subject_of(
    values: Mapping[str, Any],
    attestations: Sequence[Attestation] = (),
    **known: Any,
) -> Subject:
    """The customer with these values, and what is known around it."""
    kept = {(each.provider, each.key): each for each in attestations}
    return Subject(CUSTOMER, 7, values, NOON, attestations=kept, **({"in_erp": True} | known))


def verdict_on(
    sharing: Mapping[tuple[str, str | None, str], Sequence[EntityId]] | None = None,
    parent: ParentState = ParentState.NONE,
    ancestors: tuple[EntityId, ...] = (),
    open_questions: int = 0,
    **changed: Any,
) -> Verdict:
    """The verdict on the customer with these values changed."""
    known = {"sharing": sharing or {}, "parent": parent, "ancestors": ancestors, "open_questions": open_questions}
    rules = shipped_ruleset()
    return assess(fitted(subject_of(values(**changed), **known), rules), rules)


def address(**changed: Any) -> dict[str, Any]:
    return values()["address"] | changed


def codes(verdict: Verdict, outcome: Outcome = Outcome.FAIL) -> list[str]:
    return [finding.code for finding in verdict.findings if finding.outcome is outcome]
