"""Search before create and explanations, over a hub that really ingested the sample world."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.schemas.matching import EntityExplanation, MatchAnswer, PairExplanation
from mdm.access import Role
from mdm.model.ids import Domain

World = Callable[[Role], TestClient]

#: What a user would type of a golden record when asking whether it is there.
_TYPED = {
    Domain.CUSTOMER: ("name", "country", "address", "identifiers", "emails", "phones", "web_domain"),
    Domain.PRODUCT: ("name", "code"),
    Domain.CONTRACT: ("number", "other_numbers", "customer", "lines", "start_date", "end_date", "value", "currency"),
}


def typed(domain: Domain, values: dict[str, Any]) -> dict[str, Any]:
    """A golden record's values as somebody would type them."""
    given = {name: values[name] for name in _TYPED[domain] if values.get(name) is not None}
    for name in ("emails", "phones"):
        if name in given:
            given[name] = [each["value"] for each in given[name]]
    if "identifiers" in given:
        given["identifiers"] = [
            {part: each[part] for part in ("type", "country", "value") if each.get(part)}
            for each in given["identifiers"]
        ]
    if "customer" in given:
        given["customer"] = {"entity_id": given["customer"]["entity_id"]}
    if "lines" in given:
        products = [line["product"] for line in given["lines"]]
        given["lines"] = [{"product": {part: each for part, each in one.items() if each}} for one in products]
    return given


def ask(client: TestClient, domain: Domain, values: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = client.post(f"/v1/{domain.plural}/match", json={"values": values, **more})
    assert answer.status_code == 200, answer.text
    MatchAnswer.model_validate(answer.json())
    body: dict[str, Any] = answer.json()
    return body


#: Who has read what is written in batches, some time after it was read: what other tests have read may come now.
_LATER = {"record_access", "list_access"}


def row_counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        tables = connection.scalars(
            text("select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace")
        )
        return {
            name: int(connection.scalar(text(f'select count(*) from "{name}"')) or 0)
            for name in sorted({*tables} - _LATER)
        }


@pytest.fixture(scope="module")
def erp(world: World) -> TestClient:
    return world(Role.ERP)


def records(client: TestClient, domain: Domain) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/v1/{domain.plural}", params={"limit": 200}).json()["items"]
    return items


@pytest.mark.parametrize("domain", list(Domain))
def test_a_record_that_the_hub_has_is_its_own_best_candidate(erp: TestClient, domain: Domain) -> None:
    for item in records(erp, domain)[::25]:
        best = ask(erp, domain, typed(domain, item["values"]), minimum_weight=-100)["candidates"][0]

        assert best["entity_id"] == item["id"], (item["values"], best)


def test_candidates_are_ranked_and_each_weight_is_a_sum_of_parts(erp: TestClient) -> None:
    item = records(erp, Domain.CUSTOMER)[3]

    body = ask(erp, Domain.CUSTOMER, typed(Domain.CUSTOMER, item["values"]), minimum_weight=-100, limit=50)

    scores = [each["score"] for each in body["candidates"]]
    assert [score["weight"] for score in scores] == sorted((score["weight"] for score in scores), reverse=True)
    for score in scores:
        assert score["prior"] + sum(part["bits"] for part in score["contributions"]) == pytest.approx(score["weight"])
    assert [each["rank"] for each in body["candidates"]] == list(range(1, len(scores) + 1))
    assert body["advice"] == "use_existing"
    assert body["compared"] >= len(scores)


def test_somebody_whom_nobody_knows_may_be_created(erp: TestClient) -> None:
    body = ask(erp, Domain.CUSTOMER, {"name": "Zyxwvut Quibbling Xylophones Oy", "country": "FI"})

    assert body["advice"] == "create"
    assert body["candidates"] == []


@pytest.mark.parametrize("domain", list(Domain))
@pytest.mark.parametrize("values", [{}, {"name": "  "}], ids=["nothing", "blank"])
def test_nobody_is_to_be_created_of_whom_nothing_is_said(
    erp: TestClient, domain: Domain, values: dict[str, str]
) -> None:
    if domain is Domain.CONTRACT:
        values = {}
    assert ask(erp, domain, values)["advice"] == "ask_a_steward"


@pytest.mark.parametrize("name", ["\N{GRINNING FACE}", "!!!", "GmbH"])
def test_nobody_is_to_be_created_whose_name_says_nothing(erp: TestClient, name: str) -> None:
    """Whatever else is new of it: onboarding creates nobody without a name."""
    new = {"name": name, "country": "FI", "address": {"street": "Zyxwvutkatu 4711", "postal_code": "99999"}}

    body = ask(erp, Domain.CUSTOMER, {**new, "phones": ["+358 9 7654321"]})

    assert body["advice"] == "ask_a_steward"
    assert body["rejected"]["name"] in ("PLACEHOLDER", "SAYS_NOTHING")
    assert "name" not in body["read_as"]


def numbered(client: TestClient) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A customer with a valid VAT number and a LEI, and the two as somebody would type them."""
    for item in records(client, Domain.CUSTOMER):
        stated = {each["type"]: each for each in item["values"].get("identifiers", ()) if each["state"] == "valid"}
        if stated.keys() >= {"vat", "lei"}:
            return item, [{"type": kind, "value": stated[kind]["value"]} for kind in ("vat", "lei")]
    raise AssertionError("no customer of the sample world has both")


@pytest.mark.parametrize("limit", [1, 10])
def test_a_company_of_a_new_name_whose_number_is_known_is_not_to_be_created(erp: TestClient, limit: int) -> None:
    """It was bought, or trades under two names: its numbers say so, though the sum is below every threshold."""
    item, numbers = numbered(erp)
    renamed = {"name": "Quibbling Xylophones SE", "country": item["values"]["country"], "identifiers": numbers}

    body = ask(erp, Domain.CUSTOMER, renamed, limit=limit)

    assert body["advice"] != "create"
    assert item["id"] in [each["entity_id"] for each in body["candidates"]]


def test_a_company_whose_number_is_another_one_is_not_to_be_used(erp: TestClient) -> None:
    """Though some of the golden record's rows state no number, and match."""
    others = {"DE": "DE811569869", "NL": "NL004495445B01", "FR": "FR40303265045"}
    asked = 0
    for item in records(erp, Domain.CUSTOMER):
        country = item["values"].get("country")
        stated = {each["value"] for each in item["values"].get("identifiers", ()) if each["type"] == "vat"}
        if country in others and stated and others[country] not in stated:
            namesake = {"name": item["values"]["name"], "country": country}
            body = ask(erp, Domain.CUSTOMER, namesake | {"identifiers": [{"type": "vat", "value": others[country]}]})
            used = [each["entity_id"] for each in body["candidates"][:1] if body["advice"] == "use_existing"]
            assert item["id"] not in used, (item["values"], body["candidates"][0])
            asked += any(each["refused"] == "identifiers differ" for each in body["candidates"])
    assert asked > 5


def test_two_customers_that_fit_as_well_are_a_question(erp: TestClient) -> None:
    """Which of them is meant nobody can tell, though a record that arrived would make them one."""
    for item in records(erp, Domain.CUSTOMER):
        named = {part: item["values"][part] for part in ("name", "country") if item["values"].get(part)}
        body = ask(erp, Domain.CUSTOMER, named)
        weights = [each["score"]["weight"] for each in body["candidates"] if each["score"]["decision"] == "match"]
        if len(weights) > 1 and weights[0] - weights[1] < 0.5:
            assert body["advice"] == "ask_a_steward"
            assert ask(erp, Domain.CUSTOMER, named, limit=1)["advice"] == "ask_a_steward"
            return
    raise AssertionError("no two customers of the sample world have one name")


def test_a_contract_is_found_by_nothing_but_its_number(erp: TestClient) -> None:
    """Renewals have it too, so it is a question which one is meant; nobody is to create another one."""
    item = next(each for each in records(erp, Domain.CONTRACT) if each["values"].get("end_date"))
    number = item["values"]["number"]

    body = ask(erp, Domain.CONTRACT, {"number": number})
    later = ask(erp, Domain.CONTRACT, {"number": number, "start_date": "2031-01-01", "end_date": "2031-12-31"})

    assert item["id"] in [each["entity_id"] for each in body["candidates"]]
    assert body["advice"] in ("ask_a_steward", "use_existing")
    assert later["advice"] == "create", "the number of another term"


def test_a_known_site_under_another_name_is_a_question(erp: TestClient) -> None:
    """A company has a D-U-N-S number for every site, but no two companies have one."""
    stated = [
        (item, each)
        for item in records(erp, Domain.CUSTOMER)
        for each in item["values"].get("identifiers", ())
        if each["type"] == "duns" and each["state"] != "invalid"
    ]
    item, duns = stated[0]

    body = ask(
        erp,
        Domain.CUSTOMER,
        {"name": "Quibbling Xylophones", "identifiers": [{"type": "duns", "value": duns["value"]}]},
    )

    assert body["advice"] == "ask_a_steward"
    assert item["id"] in [each["entity_id"] for each in body["candidates"]]


def test_a_number_of_no_country_is_said_not_to_have_been_looked_for(erp: TestClient) -> None:
    number = [{"type": "tax", "value": "91-1144442"}]

    somewhere = ask(erp, Domain.CUSTOMER, {"name": "Quibbling Xylophones", "identifiers": number})
    there = ask(erp, Domain.CUSTOMER, {"name": "Quibbling Xylophones", "country": "US", "identifiers": number})

    assert [each for each in somewhere["remarks"] if "91-1144442" in each]
    assert there["remarks"] == []


@pytest.mark.parametrize("parts", [("street", "house_number"), ("city",)], ids=["street", "city"])
def test_a_part_of_the_right_address_speaks_against_nobody(erp: TestClient, parts: tuple[str, ...]) -> None:
    """What cannot be compared is no other place."""
    asked = 0
    for item in records(erp, Domain.CUSTOMER)[::10]:
        place = {part: value for part in parts if (value := item["values"].get("address", {}).get(part))}
        named = {part: item["values"][part] for part in ("name", "country") if item["values"].get(part)}
        without = ask(erp, Domain.CUSTOMER, named)
        if len(place) == len(parts) and without["candidates"] and without["candidates"][0]["entity_id"] == item["id"]:
            with_part = ask(erp, Domain.CUSTOMER, named | {"address": place}, minimum_weight=-100)
            weights = {each["entity_id"]: each["score"]["weight"] for each in with_part["candidates"]}
            assert weights[item["id"]] >= without["candidates"][0]["score"]["weight"], (named, place)
            asked += 1
    assert asked > 5


def test_a_contract_is_found_without_its_end(erp: TestClient) -> None:
    """An end that is not stated is no other end."""
    found = asked = 0
    for item in records(erp, Domain.CONTRACT)[::5]:
        if item["values"].get("end_date"):
            values = typed(Domain.CONTRACT, item["values"])
            del values["end_date"]
            body = ask(erp, Domain.CONTRACT, values)
            assert body["advice"] != "create", values
            asked += 1
            found += body["candidates"][0]["entity_id"] == item["id"]
    assert asked > 10
    assert found == asked


def test_a_subscription_without_a_contract_is_found_by_its_own_number(erp: TestClient) -> None:
    subscribed = [each for each in records(erp, Domain.CONTRACT) if str(each["values"]["number"]).startswith("sub_")]
    for item in subscribed[::5]:
        alone = ask(erp, Domain.CONTRACT, {"number": item["values"]["number"]})
        whole = ask(erp, Domain.CONTRACT, typed(Domain.CONTRACT, item["values"]))

        for body in (alone, whole):
            assert body["advice"] != "create", item["values"]
            assert item["id"] in [each["entity_id"] for each in body["candidates"]]
    assert subscribed


def test_a_code_of_two_products_is_a_question(erp: TestClient) -> None:
    """Both fit exactly as well, and there is no telling which of them is meant."""
    for item in records(erp, Domain.PRODUCT):
        body = ask(erp, Domain.PRODUCT, {"code": item["values"].get("code") or "none"})
        scores = [each["score"] for each in body["candidates"]]
        weights = [each["weight"] for each in scores]
        if [each["decision"] for each in scores[:1]] == ["match"] and weights[:1] == weights[1:2]:
            assert body["advice"] == "ask_a_steward"
            return
    raise AssertionError("no two products of the sample world share a code")


def test_asking_stores_nothing(world: World, ingested: Engine) -> None:
    client = world(Role.ERP)
    before = row_counts(ingested)

    ask(
        client,
        Domain.CUSTOMER,
        {"name": "Acme", "country": "NL", "identifiers": [{"type": "vat", "value": "NL169963937B05"}]},
    )

    assert row_counts(ingested) == before


def test_junk_is_told_and_not_compared(erp: TestClient) -> None:
    body = ask(erp, Domain.CUSTOMER, {"name": "N/A", "phones": ["000000000"], "segment": "retail"})

    assert set(body["rejected"]) == {"name", "phones"}
    assert body["unused"] == ["segment"]
    assert body["compared"] == 0


def test_a_misspelt_attribute_is_refused(erp: TestClient) -> None:
    answer = erp.post("/v1/customers/match", json={"values": {"nmae": "Acme"}})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "body.values.nmae"


@pytest.mark.parametrize("address", ["/v1/contracts/match", "/v1/onboarding/validate"])
def test_a_reference_that_names_nothing_is_refused(erp: TestClient, address: str) -> None:
    """An empty id beside half a name is no reference."""
    nobody = {"entity_id": "", "system": "crm"}
    contract = {"values": {"number": "CT-1", "customer": nobody, "lines": [{"product": nobody}]}}
    candidate = {"candidate": {"values": {"name": "Acme"}, "parent": nobody}}

    answer = erp.post(address, json=contract if address.endswith("match") else candidate)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")


def test_a_candidate_of_megabytes_is_refused(erp: TestClient) -> None:
    answer = erp.post("/v1/customers/match", content=b" " * 100_000, headers={"content-type": "application/json"})

    assert answer.status_code == 413


def test_a_reader_sees_candidates_without_what_it_may_not_see(world: World, erp: TestClient) -> None:
    item = next(each for each in records(erp, Domain.CUSTOMER) if each["values"].get("identifiers"))

    best = ask(world(Role.READER), Domain.CUSTOMER, typed(Domain.CUSTOMER, item["values"]))["candidates"][0]

    assert best["entity_id"] == item["id"]
    assert "identifiers" in best["masked"]
    assert all(each["value"].startswith("***") for each in best["values"]["identifiers"])


def test_an_entity_is_told_step_by_step(erp: TestClient) -> None:
    several = [item for item in records(erp, Domain.CUSTOMER) if item["sources"] > 2][:20]
    assert several

    for item in several:
        body = erp.get(f"/v1/customers/{item['id']}/explain").json()
        EntityExplanation.model_validate(body)

        assert len(body["members"]) == item["sources"]
        assert len(body["steps"]) == item["sources"] - 1, "each step makes two groups one"
        assert body["steps"][-1]["members"] == item["sources"]
        assert all(each["entity_id"] != item["id"] for each in body["rejected"])
        weights = [each["score"]["weight"] for each in body["rejected"]]
        assert weights == sorted(weights, reverse=True)


def test_two_records_of_one_entity_are_explained_as_one(erp: TestClient) -> None:
    item = next(each for each in records(erp, Domain.CUSTOMER) if each["sources"] > 1)
    rows = [
        "/".join((each["system"], each["type"], each["key"]))
        for each in erp.get(f"/v1/customers/{item['id']}/sources").json()["items"]
    ]

    body = erp.get("/v1/explain", params={"a": rows[0], "b": rows[1]}).json()

    PairExplanation.model_validate(body)
    assert body["together"] is True
    assert body["verdict"].startswith("One entity")


def test_the_nearest_rejected_is_explained_as_apart(erp: TestClient) -> None:
    for item in records(erp, Domain.CUSTOMER):
        rejected = erp.get(f"/v1/customers/{item['id']}/explain").json()["rejected"]
        if rejected:
            break
    pair = {end: "/".join(rejected[0][name].values()) for end, name in (("a", "member"), ("b", "record"))}

    body = erp.get("/v1/explain", params=pair).json()

    assert body["together"] is False
    assert body["score"]["weight"] == pytest.approx(rejected[0]["score"]["weight"])
    assert body["shared_keys"] == rejected[0]["shared_keys"]


def test_what_parts_the_nearest_products_is_told_as_a_sentence(erp: TestClient) -> None:
    pages = [erp.get(f"/v1/products/{item['id']}/explain").json() for item in records(erp, Domain.PRODUCT)]
    rejected = [each for page in pages for each in page["rejected"] if each["score"]["vetoes"]]

    assert rejected
    for each in rejected:
        assert len(each["score"]["reasons"]) == len(each["score"]["vetoes"])
        assert each["reason"].endswith(".")
        assert each["shared_keys"]


def test_a_subsidiary_that_resembles_its_parent_is_told_to_be_its_subsidiary(erp: TestClient) -> None:
    """Not that the evidence is too little: it is not."""
    told = []
    for item in records(erp, Domain.CUSTOMER):
        parent = item["values"].get("parent") or {}
        if not parent.get("key"):
            continue
        ends = {"b": "/".join(parent[part] for part in ("system", "type", "key"))}
        for row in erp.get(f"/v1/customers/{item['id']}/sources").json()["items"]:
            ends["a"] = "/".join(row[part] for part in ("system", "type", "key"))
            answer = erp.get("/v1/explain", params=ends)
            score = answer.json()["score"] if answer.status_code == 200 else None
            if score and score["weight"] > 1.5 and "parent" in score["vetoes"]:
                told.append(answer.json())

    assert told
    for each in told:
        assert each["verdict"].startswith("Not one entity: never joined by the model")
        assert "One is stated to be the parent of the other." in each["verdict"]


def test_keys_that_two_records_share_are_hidden_from_a_reader(world: World, erp: TestClient) -> None:
    item = next(each for each in records(erp, Domain.CUSTOMER) if each["sources"] > 1)
    rows = [
        "/".join((each["system"], each["type"], each["key"]))
        for each in erp.get(f"/v1/customers/{item['id']}/sources").json()["items"]
    ]

    body = world(Role.READER).get("/v1/explain", params={"a": rows[0], "b": rows[1]}).json()

    assert body["shared_keys"]
    assert all(each["value"] is None for each in body["shared_keys"])
    steps = world(Role.READER).get(f"/v1/customers/{item['id']}/explain").json()["steps"]
    assert steps[0]["shared_keys"]
    assert all(each["value"] is None for step in steps for each in step["shared_keys"])


def test_an_unknown_row_is_not_explained(erp: TestClient) -> None:
    assert erp.get("/v1/explain", params={"a": "crm/account/x", "b": "crm/account/y"}).status_code == 404
    assert erp.get("/v1/explain", params={"a": "crm", "b": "crm/account/y"}).status_code == 422
    alone = dict.fromkeys("ab", "crm/account/x")
    assert erp.get("/v1/explain", params=alone).status_code == 422
