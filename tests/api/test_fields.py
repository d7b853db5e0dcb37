"""Role × route × field: every attribute of the catalogue, on every route that the application has, for every clearance.

The matrix is made from the application and the catalogue: a new route or attribute is in it without anybody thinking of
it. Each attribute holds a value that stands nowhere else; who may not see its class must not meet it anywhere.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from mdm.access import Caller, Role, Scope, may_see
from mdm.model.canonical import ATTRIBUTES, Attribute, DataClass, Shape
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store import api_keys
from tests.api.rows import HubRows
from tests.api.test_access import GUARDED, address
from tests.api.writing import Writer

#: Whoever reads: roles, and a role whose scope lowers what it sees.
PRINCIPALS = {
    "reader": (Role.READER, Scope()),
    "erp limited to public values": (Role.ERP, Scope(data_class=DataClass.PUBLIC)),
    "steward limited to internal values": (Role.STEWARD, Scope(data_class=DataClass.INTERNAL)),
    "erp": (Role.ERP, Scope()),
}
_NUMBERS = {
    (domain, attribute.name): number
    for number, (domain, attribute) in enumerate((d, a) for d in Domain for a in ATTRIBUTES[d])
}


def needle(domain: Domain, attribute: Attribute) -> str | None:
    """What stands in this attribute and nowhere else; None for a shape that cannot hold such a thing."""
    number = _NUMBERS[domain, attribute.name]
    match attribute.shape:
        case Shape.BOOLEAN:
            return None
        case Shape.INTEGER:
            return str(7_130_000 + number)
        case Shape.DECIMAL:
            return f"{8_240_000 + number}.75"
        case Shape.DATE:
            return f"1{800 + number}-03-09"
        case Shape.CODE | Shape.TEXT:
            return f"Qx{number:03d}{attribute.name[:6]}vault"
        case _:
            return f"Qy{number:03d}hoard"


def value(domain: Domain, attribute: Attribute) -> Any:
    told = needle(domain, attribute)
    match attribute.shape:
        case Shape.BOOLEAN:
            return True
        case Shape.INTEGER:
            return int(told or 0)
        case Shape.TEXTS:
            return [told]
        case Shape.ADDRESS:
            return {"street": told, "country": "NL"}
        case Shape.IDENTIFIERS:
            return [{"type": "vat", "country": "NL", "value": told, "normal": told, "state": "unverifiable"}]
        case Shape.PHONES:
            return [{"value": told, "e164": told, "valid": False}]
        case Shape.EMAILS:
            return [{"value": f"{told}@x.example", "domain": "x.example", "shared": True}]
        case Shape.REFERENCE:
            return {"system": "crm", "type": "account", "key": told}
        case Shape.LINES:
            return [
                {"product": {"system": "crm", "type": "product2", "key": told}, "quantity": "1", "unit_price": None}
            ]
        case _:
            return told


def filled(domain: Domain) -> dict[str, Any]:
    """A record with every attribute."""
    return {attribute.name: value(domain, attribute) for attribute in ATTRIBUTES[domain]}


@pytest.fixture
def records(rows: HubRows) -> Mapping[Domain, str]:
    """One golden record of each domain, with two versions, lineage, a source row and an announcement."""
    made = {}
    for domain in Domain:
        key = CrosswalkKey("crm", domain.value, "1")
        lineage = {
            attribute.name: {
                "rule": "best",
                "record": key._asdict(),
                "value": value(domain, attribute),
                "runners_up": [{"record": key._asdict(), "value": value(domain, attribute), "reason": "older"}],
            }
            for attribute in ATTRIBUTES[domain]
        }
        made[domain] = rows.golden(domain, key, {"name": "before", "number": "before"}, lineage={})
        rows.version(made[domain], domain, filled(domain), lineage=lineage)
        rows.source(CrosswalkKey("erp", domain.value, "2"), domain=domain, attributes=filled(domain),
                    row=None, entity_id=made[domain])  # fmt: skip
    return made


def answers(client: TestClient, role: Role, records: Mapping[Domain, str]) -> dict[str, str]:
    """What every reading route that lets the role pass answers about these records."""
    told = {}
    for route, roles in GUARDED.items():
        if "/console" in route or not route.startswith("GET") or role not in roles:
            continue
        for domain in Domain if "cus_1" in address(route) else (Domain.CUSTOMER,):
            path = address(route).replace("cus_1", records[domain])
            answer = client.get(path)
            assert answer.status_code < 500, (path, answer.text)
            told[f"{path} ({domain})"] = answer.text
    for domain in Domain:
        for path in (
            f"/v1/{domain.plural}/export?format=csv",
            f"/v1/{domain.plural}/{records[domain]}/_diff?from=1&to=2",
        ):
            told[path] = client.get(path).text
    return told


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_no_field_is_told_to_whom_its_class_is_closed(
    app: FastAPI, engine: Engine, records: Mapping[Domain, str], principal: str
) -> None:
    role, scope = PRINCIPALS[principal]
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, role, "fields", scope)
    client = Writer(app, headers={"X-API-Key": key}, raise_server_exceptions=False, follow_redirects=False)
    eyes = Caller("k", role, "l", scope).eyes

    told = answers(client, role, records)

    for domain in Domain:
        own = client.get(f"/v1/{domain.plural}/{records[domain]}").json()
        for attribute in ATTRIBUTES[domain]:
            hidden = not may_see(eyes, attribute.data_class)
            assert (attribute.name in own["masked"]) is hidden, (domain, attribute.name)
            sought = needle(domain, attribute)
            where = [path for path, answer in told.items() if sought is not None and sought in answer]
            if hidden:
                assert not where, (domain, attribute.name, where)
            elif sought is not None:
                assert where, (domain, attribute.name, "the needle is told to nobody, so the matrix proves nothing")
    assert len(told) > 60


def test_an_attribute_that_the_catalogue_does_not_know_is_confidential(
    rows: HubRows, client_of: Callable[[Role | None], TestClient]
) -> None:
    made = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "1"), {"name": "x", "novelty": "Qz-unheard-of"})

    assert "Qz-unheard" not in client_of(Role.READER).get(f"/v1/customers/{made}").text
    assert "Qz-unheard-of" in client_of(Role.ERP).get(f"/v1/customers/{made}").text
