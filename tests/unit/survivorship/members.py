"""Members of an entity for tests: only what matters to the case."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mdm.model.events import Place, SourcePosition
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.model.records import Provenance, StoredRecord
from survivorship.engine import consolidate
from survivorship.ruleset import load_ruleset
from survivorship.values import Consolidated

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)

#: Trust by platform, as source profiles would say it.
TRUST = {"erp": 0.9, "crm": 0.8, "billing": 0.6, "product": 0.5}


def trust(system: str, _type: str, _attribute: str) -> float:
    return TRUST[system]


def member(
    name: str,
    /,
    *,
    at: int = 0,
    domain: Domain = Domain.CUSTOMER,
    comparison: Mapping[str, Any] | None = None,
    **attributes: Any,
) -> StoredRecord:
    """The record `system:key` as it was changed `at` hours after noon."""
    system, key = name.split(":")
    return StoredRecord(
        rec_id=RecordId(hash(name)),
        key=CrosswalkKey(system, "table", key),
        domain=domain,
        attributes=attributes,
        comparison=comparison or {},
        provenance=Provenance(
            place=Place(f"{system}.public.table", 1, 40 + at),
            position=SourcePosition(100 + at, 100 + at, 1, 1),
            event_time=NOON + timedelta(hours=at),
            lsn=100 + at,
            transaction="567",
        ),
    )


def contract(name: str, /, *, at: int = 0, **attributes: Any) -> StoredRecord:
    return member(name, at=at, domain=Domain.CONTRACT, **attributes)


def product(name: str, /, *, at: int = 0, **attributes: Any) -> StoredRecord:
    return member(name, at=at, domain=Domain.PRODUCT, **attributes)


def golden(*members: StoredRecord) -> Consolidated:
    """The golden record of these members by the shipped rules."""
    return consolidate(load_ruleset(members[0].domain), members, trust)


def vat(value: str, state: str = "valid", country: str = "DE") -> dict[str, str]:
    return {"type": "vat", "country": country, "value": value, "normal": value.replace(" ", ""), "state": state}
