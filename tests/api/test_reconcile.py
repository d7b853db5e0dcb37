"""The reconciliation service, spoken to as OpenRefine speaks: manifest, batches in forms, suggestions, extension."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from sqlalchemy import Engine, event, text

from api.app import ApiOptions, create_app
from api.cross_origin import read_origins
from mdm.access import Role
from mdm.errors import ConfigurationInvalid
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store import api_keys
from tests.api.conftest import Surroundings
from tests.api.rows import ACME, ERP_ACME, HubRows

World = Callable[[Role], TestClient]


def asked(client: TestClient, **queries: Mapping[str, Any]) -> dict[str, Any]:
    """A batch as OpenRefine posts it."""
    answer = client.post("/v1/reconcile", data={"queries": json.dumps(queries)})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def known(ingested: Engine) -> list[tuple[str, str, dict[str, Any]]]:
    """Customers of the sample world with a name and a valid VAT number: id, name, values."""
    with ingested.connect() as connection:
        rows = connection.execute(
            text(
                """select entity_id, name, values from golden where domain = 'customer' and known_to is null
                   and jsonb_path_exists(values, '$.identifiers[*] ? (@.type == "vat" && @.state == "valid")')
                   order by members desc, entity_id limit 5"""
            )
        )
        return [(row[0], row[1], row[2]) for row in rows]


def test_the_manifest_says_what_the_service_can_do(world: World) -> None:
    manifest = world(Role.READER).get("/v1/reconcile").json()

    assert manifest["versions"] == ["0.2"]
    assert {each["id"] for each in manifest["defaultTypes"]} == {"customer", "contract", "product"}
    assert set(manifest["suggest"]) == {"entity", "property", "type"}
    assert manifest["view"]["url"].endswith("/v1/ids/{{id}}")
    for service in (*manifest["suggest"].values(), manifest["extend"]["propose_properties"]):
        address = service["service_url"] + service["service_path"]
        assert world(Role.READER).get(address.removeprefix("http://testserver")).status_code == 200, address


def test_a_batch_is_answered_query_by_query(world: World, known: list[tuple[str, str, dict[str, Any]]]) -> None:
    queries = {
        f"q{place}": {"query": name, "type": "customer", "limit": 3, "properties": [
            {"pid": "country", "v": values["country"]},
            {"pid": "vat", "v": next(each["value"] for each in values["identifiers"] if each["type"] == "vat")},
        ]}
        for place, (_, name, values) in enumerate(known)
    }  # fmt: skip

    found = asked(world(Role.ERP), **queries)

    assert list(found) == list(queries)
    for place, (entity_id, name, _) in enumerate(known):
        best = found[f"q{place}"]["result"][0]
        assert (best["id"], best["name"], best["type"][0]["id"]) == (entity_id, name, "customer")
        assert best["score"] > 90
        assert {each["id"] for each in best["features"]} > {"match_weight"}
        assert len(found[f"q{place}"]["result"]) <= 3
    assert any(each["result"][0]["match"] for each in found.values())


def test_a_batch_is_answered_as_each_query_alone(world: World, known: list[tuple[str, str, dict[str, Any]]]) -> None:
    client = world(Role.ERP)
    queries = {str(place): {"query": name} for place, (_, name, _) in enumerate(known)}

    together = asked(client, **queries)

    assert together == {name: asked(client, **{name: query})[name] for name, query in queries.items()}


def test_a_batch_costs_as_many_questions_to_the_database_as_one_query(
    world: World, ingested: Engine, known: list[tuple[str, str, dict[str, Any]]]
) -> None:
    """Statements go through the driver; the connections that are taken count the looks into the store."""
    client, taken = world(Role.ERP), [0]

    def count(*_: object) -> None:
        taken[0] += 1

    event.listen(ingested, "checkout", count)
    try:
        asked(client, a={"query": known[0][1]})
        alone = taken[0]
        asked(client, **{str(place): {"query": name} for place, (_, name, _) in enumerate(known)})
    finally:
        event.remove(ingested, "checkout", count)
    assert taken[0] - alone <= alone


def test_a_name_alone_finds_its_customer_in_any_country(
    world: World, known: list[tuple[str, str, dict[str, Any]]]
) -> None:
    found = asked(world(Role.ERP), q={"query": known[0][1], "type": [{"id": "customer"}]})

    assert known[0][0] in [each["id"] for each in found["q"]["result"]]


def test_products_are_found_by_code(world: World, ingested: Engine) -> None:
    with ingested.connect() as connection:
        entity_id, name, code = connection.execute(
            text(
                """select entity_id, name, values->>'code' from golden where domain = 'product' and known_to is null
                   and values ? 'code' order by entity_id limit 1"""
            )
        ).one()

    found = asked(world(Role.ERP), q={"query": name, "type": "product", "properties": [{"pid": "code", "v": code}]})

    assert found["q"]["result"][0]["id"] == entity_id


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"queries": "nonsense"},
        {"queries": "[1]"},
        {"queries": '{"q": 1}'},
        {"queries": '{"q": {"query": "x", "type": "planet"}}'},
        {"queries": '{"q": {"query": "x", "properties": [1]}}'},
        {"queries": '{"q": {"query": "a\\u0000b"}}'},
        {"queries": json.dumps({str(n): {"query": "x"} for n in range(51)})},
        {"extend": "{}"},
        {"queries": "{}", "extend": "{}"},
    ],
)
def test_what_cannot_be_read_is_refused(erp: TestClient, form: dict[str, str]) -> None:
    answer = erp.post("/v1/reconcile", data=form)

    wrong = "does-not-fit" if form else "invalid-request"  # without fields it is no form at all
    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{wrong}")


def test_values_of_matched_records_are_fetched_as_the_key_may_see_them(
    rows: HubRows, erp: TestClient, reader: TestClient
) -> None:
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    wanted = {
        "ids": [acme, "cus_unknown"],
        "properties": [{"id": "country"}, {"id": "vat"}, {"id": "city"}, {"id": "shoe"}],
    }

    full = erp.post("/v1/reconcile", data={"extend": json.dumps(wanted)}).json()
    hidden = reader.post("/v1/reconcile", data={"extend": json.dumps(wanted)})

    assert full["rows"][acme] == {
        "country": [{"str": "NL"}], "vat": [{"str": "NL169963937B05"}], "city": [{"str": "Groningen"}], "shoe": []
    }  # fmt: skip
    assert full["rows"]["cus_unknown"] == {"country": [], "vat": [], "city": [], "shoe": []}
    assert [each["id"] for each in full["meta"]] == ["country", "vat", "city", "shoe"]
    assert "169963937" not in hidden.text
    assert hidden.json()["rows"][acme]["country"] == [{"str": "NL"}]


def test_what_is_typed_is_completed(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "A1"), ACME, terms=["acme", "anvils"])

    entity = erp.get("/v1/reconcile/suggest/entity?prefix=anv").json()["result"]
    kind = erp.get("/v1/reconcile/suggest/type?prefix=cust").json()["result"]
    named = erp.get("/v1/reconcile/suggest/property?prefix=va").json()["result"]

    assert [(each["id"], each["description"]) for each in entity] == [(acme, "Groningen, NL, active")]
    assert kind == [{"id": "customer", "name": "Customer"}]
    assert {each["id"] for each in named} == {"value", "vat"}


def test_a_preview_is_a_page_that_only_open_origins_may_frame(surroundings: Surroundings, rows: HubRows) -> None:
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, ACME | {"name": "<script>Acme"})
    with surroundings.engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.READER, "refine")
    for origins, ancestors in (
        ((), "frame-ancestors 'none'"),
        (("http://refine:3333",), "frame-ancestors http://refine:3333"),
    ):
        app = create_app(surroundings, ApiOptions(log=surroundings.log, cors_origins=origins))
        page = TestClient(app, headers={"X-API-Key": key}).get(f"/v1/reconcile/preview?id={acme}")
        assert page.headers["content-type"].startswith("text/html")
        assert ancestors in page.headers["content-security-policy"]
        assert "&lt;script&gt;Acme" in page.text


def test_pages_of_other_origins_are_let_in_only_when_named(surroundings: Surroundings) -> None:
    asking = {"Origin": "http://refine:3333", "Access-Control-Request-Method": "POST"}
    closed = TestClient(create_app(surroundings, ApiOptions(log=surroundings.log)))
    opened = TestClient(
        create_app(surroundings, ApiOptions(log=surroundings.log, cors_origins=("http://refine:3333",)))
    )

    assert "access-control-allow-origin" not in closed.options("/v1/reconcile", headers=asking).headers
    allowed = opened.options("/v1/reconcile", headers=asking)
    assert allowed.headers["access-control-allow-origin"] == "http://refine:3333"
    assert "access-control-allow-credentials" not in allowed.headers
    stranger = opened.options("/v1/reconcile", headers=asking | {"Origin": "http://evil"})
    assert "access-control-allow-origin" not in stranger.headers


def test_origins_are_read_from_the_environment() -> None:
    assert read_origins({}) == ()
    assert read_origins({"MDM_CORS_ORIGINS": "https://a.example, http://b:3333"}) == (
        "https://a.example",
        "http://b:3333",
    )
    for wrong in ("*", "https://a.example/path", "a.example"):
        with pytest.raises(ConfigurationInvalid):
            read_origins({"MDM_CORS_ORIGINS": wrong})


def _texts(client: TestClient) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every text that the description of the service speaks of, in the form and in the address."""
    path = client.get("/openapi.json").json()["paths"]["/v1/reconcile"]
    (form,) = path["post"]["requestBody"]["content"].values()
    yield from form["schema"]["properties"].items()
    for parameter in path["get"]["parameters"]:
        if parameter["name"] in ("queries", "extend"):
            schema = parameter["schema"]
            yield parameter["name"], schema if "contentSchema" in schema else parameter["schema"]["anyOf"][0]


_TOO_MANY = {f"q{number}": {"query": "Acme"} for number in range(51)}


@pytest.mark.parametrize(
    ("field", "content", "fits"),
    [
        ("queries", {}, True),
        ("queries", {"q0": {"query": "Acme"}}, True),
        ("queries", {"q0": {"query": "Acme", "type": ["customer", "product"], "type_strict": "any"}}, True),
        ("queries", {"q0": {"query": "Acme", "type": {"id": "product"}, "limit": 3}}, True),
        ("queries", {"q0": {"query": "A", "properties": [{"pid": "vat", "v": ["X", {"id": "Y"}, 3]}]}}, True),
        ("queries", {"q0": {"query": "Acme", "type": "person"}}, False),
        ("queries", {"q0": "Acme"}, False),
        ("queries", {"q0": {"query": "Acme", "properties": ["vat"]}}, False),
        ("queries", {"q0": {"query": "Acme", "properties": {"pid": "vat"}}}, False),
        ("queries", ["Acme"], False),
        ("queries", _TOO_MANY, False),
        ("extend", {"ids": ["cus_1"], "properties": [{"id": "vat"}]}, True),
        ("extend", {"ids": ["cus_1"]}, False),
        ("extend", {"ids": "cus_1", "properties": []}, False),
        ("extend", {"ids": ["cus_1"] * 201, "properties": []}, False),
    ],
)
def test_the_description_of_the_json_texts_says_what_the_service_takes(
    erp: TestClient, field: str, content: object, fits: bool
) -> None:
    described = [schema for name, schema in _texts(erp) if name == field]
    assert len(described) == 2, "in the form and in the address"
    for schema in described:
        assert schema["contentMediaType"] == "application/json"
        assert Draft202012Validator(schema["contentSchema"]).is_valid(content) is fits
    text = json.dumps(content)
    answers = [erp.post("/v1/reconcile", data={field: text})]
    if len(text) <= 200:
        answers.append(erp.get("/v1/reconcile", params={field: text}))
    assert {each.status_code for each in answers} == {200 if fits else 422}
