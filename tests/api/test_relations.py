"""Groups of companies, contracted products, sparse fields, searches that forgive mistakes in typing."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from api.schemas.relations import ContractedProducts, HierarchyForm
from mdm.access import Role
from mdm.model.ids import CrosswalkKey, Domain
from tests.api.rows import ACME, HubRows

World = Callable[[Role], TestClient]


def company(rows: HubRows, key: str, parent: str | None = None) -> str:
    """A golden customer of one ERP row, below another one."""
    name = CrosswalkKey("erp", "business_partner", key)
    values: dict[str, object] = {"name": key.title(), "country": "NL"}
    references = []
    if parent is not None:
        above = CrosswalkKey("erp", "business_partner", parent)
        values["parent"] = above._asdict()
        references = [("parent", above)]
    return rows.golden(Domain.CUSTOMER, name, values, references=references)


def hierarchy(client: TestClient, entity_id: str) -> dict[str, object]:
    answer = client.get(f"/v1/customers/{entity_id}/hierarchy")
    HierarchyForm.model_validate(answer.json())
    body: dict[str, object] = answer.json()
    return body


def names(companies: object) -> list[str]:
    assert isinstance(companies, list)
    return [each["name"] for each in companies]


def test_a_company_knows_its_parents_and_its_subsidiaries(rows: HubRows, erp: TestClient) -> None:
    top = company(rows, "holding")
    middle = company(rows, "division", "holding")
    for unit in ("unit one", "unit two"):
        company(rows, unit, "division")

    body = hierarchy(erp, middle)

    assert (body["ultimate_parent"], body["circular"]) == (top, False)
    assert (names(body["above"]), names(body["below"])) == (["Holding"], ["Unit One", "Unit Two"])
    levels = {each["name"]: each["level"] for each in hierarchy(erp, top)["below"]}  # type: ignore[attr-defined]
    assert levels == {"Division": 1, "Unit One": 2, "Unit Two": 2}


def test_a_company_without_a_parent_is_its_own_ultimate_parent(rows: HubRows, erp: TestClient) -> None:
    alone = company(rows, "alone")

    assert hierarchy(erp, alone)["ultimate_parent"] == alone


def test_parents_in_a_circle_are_told_once_and_as_a_circle(rows: HubRows, erp: TestClient) -> None:
    first = company(rows, "first", "third")
    company(rows, "second", "first")
    company(rows, "third", "second")

    body = hierarchy(erp, first)

    assert (body["circular"], body["ultimate_parent"]) == (True, None)
    told = names(body["above"]) + names(body["below"])
    assert sorted(told) == ["Second", "Third"]


def test_a_company_that_is_its_own_parent_is_a_circle_of_one(rows: HubRows, erp: TestClient) -> None:
    body = hierarchy(erp, company(rows, "self", "self"))

    assert (body["circular"], body["above"], body["below"]) == (True, [], [])


def test_only_the_levels_asked_for_are_told(rows: HubRows, erp: TestClient) -> None:
    top = company(rows, "a")
    company(rows, "b", "a")
    company(rows, "c", "b")

    body = erp.get(f"/v1/customers/{top}/hierarchy", params={"levels": 1}).json()

    assert names(body["below"]) == ["B"]


def test_a_customer_leads_to_the_products_it_has_contracted(world: World) -> None:
    client = world(Role.ERP)
    contracts = [each for each in client.get("/v1/contracts?limit=200").json()["items"] if each["values"].get("lines")]
    contract = next(
        each
        for each in contracts
        if each["values"].get("customer", {}).get("entity_id")
        and all(line["product"]["entity_id"] for line in each["values"]["lines"])
    )

    body = client.get(f"/v1/customers/{contract['values']['customer']['entity_id']}/products").json()

    ContractedProducts.model_validate(body)
    found = {each["id"]: {line["contract"] for line in each["contracts"]} for each in body["items"]}
    for line in contract["values"]["lines"]:
        assert contract["id"] in found[line["product"]["entity_id"]]
    assert all(each["name"] for each in body["items"])


def test_only_the_fields_asked_for_are_answered(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "A"), ACME)

    one = erp.get(f"/v1/customers/{acme}", params={"fields": "name,country"}).json()
    listed = erp.get("/v1/customers", params={"fields": "name"}).json()["items"]

    assert one["values"] == {"name": ACME["name"], "country": "NL"}
    assert [each["values"] for each in listed] == [{"name": ACME["name"]}]


def test_a_field_that_does_not_exist_is_refused(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "A"), ACME)

    answer = erp.get(f"/v1/customers/{acme}", params={"fields": "name,nmae"})

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "query.fields")


@pytest.mark.parametrize("domain", [Domain.CUSTOMER, Domain.PRODUCT])
def test_a_mistyped_name_still_finds(world: World, domain: Domain) -> None:
    client = world(Role.ERP)
    items = client.get(f"/v1/{domain.plural}", params={"limit": 200}).json()["items"]
    named = [each for each in items if len(each["name"].split()[0]) > 5 and each["name"].isascii()][::8]
    found = 0
    for item in named:
        first, _, rest = item["name"].partition(" ")
        mistyped = f"{first[:-2]}{first[-1]}{first[-2]} {rest}".strip()
        body = client.get(f"/v1/{domain.plural}", params={"q": mistyped, "limit": 10}).json()
        found += item["id"] in {each["id"] for each in body["items"]}

    assert found >= 0.8 * len(named), f"{found} of {len(named)}"


def test_a_name_that_nothing_resembles_finds_nothing(world: World) -> None:
    body = world(Role.ERP).get("/v1/customers", params={"q": "zzyzxqj vwxkq"}).json()

    assert (body["items"], body["approximate"]) == ([], False)


def test_filters_hold_for_records_found_by_resemblance(world: World) -> None:
    client = world(Role.ERP)
    item = next(each for each in client.get("/v1/customers?limit=200").json()["items"] if len(each["name"]) > 12)
    mistyped = item["name"][:6] + "x" + item["name"][6:]

    body = client.get("/v1/customers", params={"q": mistyped, "country": "AQ"}).json()

    assert body["items"] == []
