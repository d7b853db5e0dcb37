"""The OData subset: the database answers as the objects read, and what is not served is said."""

import itertools
import random
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from mdm.access import Role
from mdm.hub.projections import shipped_targets
from mdm.model.ids import Domain
from mdm.projection.form import Field, Form, Kind
from tests.api.rows import ERP_ACME, HubRows
from tests.api.test_erp import FULL

World = Callable[[Role], TestClient]
FORMS = [form for target in shipped_targets().values() for form in target]


def walked(client: TestClient, address: str, **query: Any) -> list[Mapping[str, Any]]:
    """Every record of a list, page by page."""
    answer = client.get(address, params=query)
    records = []
    while True:
        assert answer.status_code == 200, answer.text
        records += answer.json()["value"]
        if "@odata.nextLink" not in answer.json():
            return records
        answer = client.get(answer.json()["@odata.nextLink"])


def written(field: Field, value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if field.kind is Kind.STRING:
        return "'" + str(value).replace("'", "''") + "'"
    return str(value)


def typed(field: Field, value: Any) -> Any:
    if value is None or field.kind is Kind.BOOLEAN:
        return value
    if field.kind in (Kind.INTEGER, Kind.DECIMAL):
        return Decimal(str(value))
    return datetime.fromisoformat(value) if field.kind is Kind.INSTANT else str(value)


def holds(have: Any, op: str, want: Any) -> bool:
    """What OData says, in Python: null equals null only, and is unequal to everything else."""
    if op in ("eq", "ne"):
        return (have == want) is (op == "eq")
    if have is None:
        return False
    return {
        "gt": lambda: have > want,
        "ge": lambda: have >= want,
        "lt": lambda: have < want,
        "le": lambda: have <= want,
        "startswith": lambda: have.startswith(want),
        "contains": lambda: want in have,
    }[op]()


def questions(form: Form, records: list[Mapping[str, Any]]) -> list[tuple[Field, str, Any]]:
    chance = random.Random(form.object)
    asked: list[tuple[Field, str, Any]] = []
    for field in form.fields:
        if not field.searchable:
            continue
        values = [each[field.name] for each in records if each[field.name] is not None]
        values = [each for each in values if len(str(each)) < 200]  # an address has its limits
        ops = ["eq", "ne"]
        ops += [] if field.kind is Kind.BOOLEAN else ["gt", "ge", "lt", "le"]
        asked += [(field, op, chance.choice(values)) for op in ops if values]
        if field.kind is Kind.STRING and values:
            text = chance.choice(values)
            asked += [(field, "startswith", text[:3]), (field, "contains", text[1:4] or text)]
        asked += [(field, "eq", None), (field, "ne", None)]
    return asked


@pytest.mark.parametrize("form", FORMS, ids=[f"{each.target}-{each.object}" for each in FORMS])
def test_the_database_filters_as_the_objects_read(world: World, form: Form) -> None:
    client = world(Role.ERP)
    address = f"/v1/erp/{form.target}/odata/{form.entity_set}"
    records = walked(client, address)
    asked = questions(form, records)
    chance = random.Random(1)
    for field, op, value in chance.sample(asked, min(12, len(asked))):
        literal = written(field, value)
        text = f"{op}({field.name},{literal})" if op in ("startswith", "contains") else f"{field.name} {op} {literal}"
        expected = {
            each["mdm_id"] for each in records if holds(typed(field, each[field.name]), op, typed(field, value))
        }

        found = client.get(address, params={"$filter": text, "$count": "true", "$select": "mdm_id", "$top": 200}).json()

        assert found.get("@odata.count") == str(len(expected)), (text, found)
        if len(expected) <= 200:
            assert {each["mdm_id"] for each in found["value"]} == expected, text


def test_conditions_are_joined(world: World) -> None:
    client, address = world(Role.ERP), "/v1/erp/sap/odata/A_BusinessPartner"
    either = "(Language eq 'DE' or Language eq 'EN')"
    text = f"{either} and BusinessPartnerIsBlocked ne true and startswith(BusinessPartnerFullName,'A')"
    everything = walked(client, address)

    found = walked(client, address, **{"$filter": text})

    counted = client.get(f"{address}/$count", params={"$filter": text})
    assert (counted.headers["content-type"], int(counted.text)) == ("text/plain; charset=utf-8", len(found))
    assert int(client.get(f"{address}/$count").text) == len(everything)
    assert (
        client.get(f"{address}/$count", params={"$filter": "Shoe eq 1"}).json()["error"]["code"] == "ODATA_UNSUPPORTED"
    )
    assert [each["mdm_id"] for each in found] == [
        each["mdm_id"]
        for each in everything
        if each["Language"] in ("DE", "EN")
        and each["BusinessPartnerIsBlocked"] is not True
        and (each["BusinessPartnerFullName"] or "").startswith("A")
    ]


@pytest.mark.parametrize("order", ["BusinessPartnerFullName", "Industry desc", "ETag desc", "BusinessPartner",
                                   "BusinessPartnerIsBlocked", "LastChangeDateTime"])  # fmt: skip
def test_sorted_pages_meet_every_record_once(world: World, order: str) -> None:
    client, address = world(Role.ERP), "/v1/erp/sap/odata/A_BusinessPartner"
    name, _, direction = order.partition(" ")

    found = walked(client, address, **{"$orderby": order, "$select": f"mdm_id,{name}"})

    assert len({each["mdm_id"] for each in found}) == len(found) == len(walked(client, address))
    ranked = [(each[name] is not None, *([] if each[name] is None else [each[name]])) for each in found]
    assert all(a >= b if direction == "desc" else a <= b for a, b in itertools.pairwise(ranked))


def test_top_is_kept_over_pages(world: World) -> None:
    client, address = world(Role.ERP), "/v1/erp/sap/odata/A_BusinessPartner"

    assert len(walked(client, address, **{"$top": 205, "view": "newest"})) == 205
    assert client.get(address, params={"$top": 0, "$count": "true"}).json()["value"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"$expand": "to_Customer"},
        {"$skip": "10"},
        {"$search": "acme"},
        {"$apply": "aggregate(x)"},
        {"$format": "xml"},
        {"$filter": "Language has 'x'"},
        {"$orderby": "Language,Industry"},
        {"$select": "ShoeSize"},
    ],
)
def test_what_is_not_served_is_refused_with_a_sentence(erp: TestClient, query: dict[str, str]) -> None:
    answer = erp.get("/v1/erp/sap/odata/A_BusinessPartner", params=query)

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/odata-unsupported")
    assert answer.json()["error"]["message"]


def test_nobody_finds_out_by_filters_what_they_may_not_see(rows: HubRows, reader: TestClient, erp: TestClient) -> None:
    rows.golden(Domain.CUSTOMER, ERP_ACME, FULL | {"payment_terms": "Z060"})
    address = "/v1/erp/sap/odata/A_BusinessPartner"

    for query in ({"$filter": "startswith(PaymentTerms,'Z')"}, {"$orderby": "PaymentTerms"}):
        refused = reader.get(address, params=query)
        assert (refused.status_code, "PaymentTerms" in refused.json()["detail"]) == (403, True)
        assert len(erp.get(address, params=query).json()["value"]) == 1
    odoo = reader.get("/v1/erp/odoo/odata/res_partner", params={"$filter": "startswith(vat,'NL')"})
    assert odoo.status_code == 403


def test_one_record_by_its_key(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, FULL)

    answer = erp.get(f"/v1/erp/sap/odata/A_BusinessPartner('{acme}')", params={"$select": "mdm_id,Language"})

    body = answer.json()
    assert body["mdm_id"] == acme
    assert body["@odata.etag"].startswith('W/"1-')
    assert answer.headers["etag"] == body["@odata.etag"]
    assert answer.headers["odata-version"] == "4.0"
    (listed,) = erp.get("/v1/erp/sap/odata/A_BusinessPartner").json()["value"]
    assert listed["@odata.etag"] == body["@odata.etag"], "whatever was selected"
    assert erp.get(f"/v1/erp/sap/odata/A_Product('{acme}')").status_code == 404
    again = erp.get(
        f"/v1/erp/sap/odata/A_BusinessPartner('{acme}')",
        params={"$select": "mdm_id,Language"},
        headers={"If-None-Match": answer.headers["etag"]},
    )
    assert again.status_code == 304


def test_the_service_describes_itself(erp: TestClient) -> None:
    service = erp.get("/v1/erp/sap/odata").json()
    schema = erp.get(service["@odata.context"])

    assert {each["name"] for each in service["value"]} == {"A_BusinessPartner", "A_Product", "A_SalesContract"}
    assert schema.headers["content-type"].startswith("application/xml")
    assert 'EntitySet Name="A_BusinessPartner"' in schema.text


def test_a_token_of_another_list_is_refused(world: World) -> None:
    client, address = world(Role.ERP), "/v1/erp/sap/odata/A_BusinessPartner"
    link = client.get(address, params={"$orderby": "ETag"}).json()["@odata.nextLink"]

    assert client.get(link.replace("ETag", "Language")).status_code == 422
