"""Principals with a scope: whatever lies outside it is not there, on every way out, by each of the two lines alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from mdm.access import Purpose, Role, Scope, read_scope
from mdm.core.placing import place_customer, product_placement, shipped_plan
from mdm.model.canonical import DataClass
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store import api_keys
from mdm.store.row_security import POLICIES, ROLE, SECRET
from mdm.store.scoped import scoped
from mdm.store.tables import metadata
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, NOON, HubRows
from tests.api.test_access import GUARDED, address, method
from tests.api.writing import Writer

US_BOLT = CrosswalkKey("crm", "account", "U1")
US_NUTS = CrosswalkKey("erp", "business_partner", "0009000009")
BOLT = {
    "name": "Zanzibolt Fasteners Inc.",
    "country": "US",
    "status": "active",
    "identifiers": [{"type": "tax", "country": "US", "value": "98-7654321", "normal": "987654321", "state": "valid"}],
    "emails": [{"value": "till@zanzibolt.example", "domain": "zanzibolt.example", "shared": True}],
}
EUROPE = Scope(regions=frozenset({"EMEA"}))
#: What only the American records say; ids are added by the world.
SECRETS = ("Zanzibolt", "zanzibolt", "987654321", "98-7654321", "U1-CONTRACT", "INV-USA-1", "0009000009")


@dataclass
class TwoRegions:
    """A Dutch customer with a contract, and an American one with everything that can hang on a customer."""

    acme: str
    bolt: str
    acme_contract: str
    bolt_contract: str
    merged: str

    @property
    def secrets(self) -> tuple[str, ...]:
        return (*SECRETS, self.bolt, self.bolt_contract, self.merged)


@pytest.fixture
def regions(rows: HubRows, engine: Engine) -> TwoRegions:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME, terms=["acme", "anvils"])
    rows.source(ERP_ACME, attributes=ACME, entity_id=acme)
    runner_up = {"record": US_BOLT._asdict(), "value": BOLT["emails"], "reason": "older"}
    bolt = rows.golden(
        Domain.CUSTOMER,
        US_BOLT,
        BOLT,
        terms=["zanzibolt", "987654321"],
        lineage={"emails": {"runners_up": [runner_up]}},
    )
    rows.version(bolt, Domain.CUSTOMER, BOLT | {"segment": "mid"}, at=NOON + timedelta(hours=1))
    rows.source(US_NUTS, attributes=BOLT, entity_id=bolt)
    contracts = []
    for number, owner in (("NL-CONTRACT", CRM_ACME), ("U1-CONTRACT", US_BOLT)):
        values = {"number": number, "customer": owner._asdict(), "status": "active"}
        key = CrosswalkKey("crm", "contract", number)
        found = rows.golden(Domain.CONTRACT, key, values, terms=[number.lower()], references=[("customer", owner)])
        contracts.append(found)
    for number, owner in (("INV-NL-1", CRM_ACME), ("INV-USA-1", US_BOLT)):
        rows.source(
            CrosswalkKey("billing", "invoice", number),
            domain=None,
            kind="invoice",
            attributes={"number": number, "status": "open"},
            references=[("customer", owner)],
        )
    rows.task(CRM_ACME, US_BOLT, 3.5)
    rows.task(US_BOLT, US_NUTS, 4.5)
    rows.task(CRM_ACME, ERP_ACME, 5.5)
    merged = rows.golden(Domain.CUSTOMER, CrosswalkKey("billing", "customer", "gone"), BOLT)
    rows.merge(merged, bolt, at=NOON + timedelta(hours=2))
    place(engine, {acme: ACME, bolt: BOLT, merged: BOLT}, {contracts[0]: acme, contracts[1]: bolt})
    return TwoRegions(acme, bolt, *contracts, merged)


def place(engine: Engine, customers: dict[str, dict[str, Any]], contracts: dict[str, str]) -> None:
    """Placements as the hub derives them (tests.integration.hub.test_placing shows that it does)."""
    with engine.begin() as connection:
        placed = {id_: place_customer(shipped_plan(), values, {"crm"}) for id_, values in customers.items()}
        placed |= {id_: placed[owner] for id_, owner in contracts.items()}
        for id_, each in placed.items():
            connection.execute(
                metadata.tables["placement"].insert(),
                {
                    "entity_id": id_,
                    "domain": "contract" if id_ in contracts else "customer",
                    "regions": sorted(each.regions),
                    "business_units": sorted(each.business_units),
                    "legal_entities": sorted(each.legal_entities),
                    "sources": sorted(each.sources),
                },
            )


Client = Callable[..., TestClient]


@pytest.fixture
def with_scope(app: FastAPI, engine: Engine) -> Client:
    def client(role: Role, scope: Scope) -> TestClient:
        with engine.begin() as connection:
            key = api_keys.issue_key(connection, role, "scoped", scope)
        return Writer(app, headers={"X-API-Key": key}, follow_redirects=False, raise_server_exceptions=False)

    return client


@pytest.fixture(params=["both lines", "queries alone"])
def lines(request: pytest.FixtureRequest, engine: Engine) -> Iterator[None]:
    """The same questions with row security and, to see that nothing rests on it alone, without."""
    if request.param == "queries alone":
        with engine.begin() as connection:
            for name in metadata.tables:
                connection.execute(text(f'alter table "{name}" disable row level security'))
                connection.execute(text(f'grant select on "{name}" to {ROLE}'))
    return


def everywhere(world: TwoRegions, wanted: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every address that reads, about the records that are meant, with bodies where one is needed."""
    contract = world.bolt_contract if wanted == world.bolt else world.acme_contract
    for route in GUARDED:
        if "/console" in route or not route.startswith("GET"):
            continue
        path = address(route).replace("cus_1", contract if "/contracts/" in route else wanted)
        yield "GET", path, {}
    name = "Zanzibolt Fasteners Inc." if wanted == world.bolt else "Acme Anvils B.V."
    for query in (f"/v1/customers?q={name}", f"/v1/crosswalk/crm/account/{'U1' if wanted == world.bolt else 'A1'}",
                  f"/v1/ids/{world.merged}", f"/v1/customers/{wanted}?known_at=2025-06-02T00:00:00Z",
                  f"/v1/customers/{wanted}/_history/1", f"/v1/customers/{wanted}/_diff?from=1&to=2",
                  "/v1/explain?a=crm/account/A1&b=crm/account/U1", f"/v1/decisions?entity={wanted}",
                  f"/v1/overrides?entity={wanted}"):  # fmt: skip
        yield "GET", query, {}
    for form in ("csv", "ndjson"):
        yield "GET", f"/v1/customers/export?format={form}", {}
        yield "GET", f"/v1/contracts/export?format={form}", {}
    yield "POST", "/v1/ids:classify", {"json": {"ids": [world.acme, world.bolt, world.merged]}}
    yield "POST", "/v1/onboarding/validate", {"json": {"entity_id": wanted}}
    yield "POST", "/v1/onboarding/validate", {"json": {"candidate": {"values": {"name": name, "country": "US"}}}}
    line = {"account": "1200"}
    day = {"company_code": "1000", "posting_date": "2025-05-10", "currency": "EUR", "lines": [line]}
    yield "POST", "/v1/postings/validate", {"json": {"postings": [{"reference": "JE1", "customer": wanted, **day}]}}
    yield "POST", "/v1/customers/match", {"json": {"values": {"name": "Zanzibolt Fasteners", "country": "US"}}}


def asked(client: TestClient, world: TwoRegions, wanted: str) -> dict[str, str]:
    """What each address answers, without what the question itself said."""
    answers = {}
    for verb, path, body in everywhere(world, wanted):
        answer = client.request(verb, path, **body)
        assert answer.status_code < 500, (path, answer.text)
        answers[f"{verb} {path} {body}"] = answer.text
    return answers


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize("role", [Role.STEWARD])  # every reading route lets stewards pass
def test_nothing_outside_the_scope_leaves_by_any_route(regions: TwoRegions, with_scope: Client, role: Role) -> None:
    client = with_scope(role, EUROPE)

    for question, told in (asked(client, regions, regions.acme) | asked(client, regions, regions.bolt)).items():
        # What the caller said themselves may come back to them.
        secrets = [each for each in regions.secrets if each in told and each.casefold() not in question.casefold()]
        assert not secrets, (question, secrets, told[:400])


@pytest.mark.usefixtures("lines")
def test_a_contract_of_a_customer_outside_the_scope_is_answered_like_one_of_nobody(
    regions: TwoRegions, with_scope: Client
) -> None:
    client = with_scope(Role.STEWARD, EUROPE)
    nobody = {"entity_id": "cus_0000000000000000000000000"}, {"system": "crm", "type": "account", "key": "none"}
    hidden = {"entity_id": regions.bolt}, US_BOLT._asdict()

    def asked_of(customer: dict[str, str]) -> dict[str, Any]:
        answer = client.post("/v1/contracts/match", json={"values": {"number": "CT-NEW", "customer": customer}}).json()
        return {name: answer[name] for name in ("advice", "candidates", "rejected", "compared", "out_of_reach")}

    assert [asked_of(each) for each in hidden] == [asked_of(each) for each in nobody]
    assert asked_of(hidden[0])["rejected"] == {"customer": "ENTITY_UNKNOWN"}
    assert asked_of({"entity_id": regions.acme})["rejected"] == {}


@pytest.mark.usefixtures("lines")
def test_what_lies_outside_the_scope_is_answered_like_what_does_not_exist(
    regions: TwoRegions, with_scope: Client
) -> None:
    client = with_scope(Role.STEWARD, EUROPE)

    for part in ("", "/lineage", "/sources", "/_history", "/_history/1", "/explain", "/facts", "/contracts",
                 "/hierarchy", "/products"):  # fmt: skip
        there = client.get(f"/v1/customers/{regions.bolt}{part}")
        nowhere = client.get(f"/v1/customers/cus_0000000000000000000000000{part}")
        assert (there.status_code, there.json()["type"]) == (404, "/problems/not-found"), (part, there.text)
        assert nowhere.status_code == 404
        assert client.get(f"/v1/customers/{regions.acme}{part}").status_code == 200, part


def test_inside_its_scope_a_principal_sees_what_it_saw_without_one(
    regions: TwoRegions, with_scope: Client, client_of: Callable[[Role | None], TestClient]
) -> None:
    limited, free = with_scope(Role.STEWARD, EUROPE), client_of(Role.STEWARD)

    for part in ("", "/lineage", "/sources", "/_history", "/explain", "/facts", "/contracts", "/hierarchy"):
        path = f"/v1/customers/{regions.acme}{part}"
        seen, all_of_it = limited.get(path), free.get(path)
        assert (seen.status_code, seen.json()) == (200, all_of_it.json()), part
        assert seen.headers.get("etag") == all_of_it.headers.get("etag")
    facts = limited.get(f"/v1/customers/{regions.acme}/facts").json()["items"]
    assert [each["key"] for each in facts] == ["INV-NL-1"]
    listed = limited.get("/v1/customers").json()["items"]
    assert [each["id"] for each in listed] == [regions.acme]
    assert {each["entity_id"] for each in limited.get("/v1/changes").json()["changes"]} == {
        regions.acme,
        regions.acme_contract,
    }
    assert [each["weight"] for each in limited.get("/v1/tasks?state=open").json()["items"]] == [5.5]
    assert {each["weight"] for each in free.get("/v1/tasks").json()["items"]} == {3.5, 4.5, 5.5}


def test_a_duplicate_outside_the_scope_is_told_without_a_name(regions: TwoRegions, with_scope: Client) -> None:
    limited = with_scope(Role.STEWARD, EUROPE)

    answer = limited.post("/v1/onboarding/validate", json={"entity_id": regions.bolt})

    assert answer.status_code == 404


#: A scope, and what of the two regions it reaches.
REACHED: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"acme", "bolt", "acme_contract", "bolt_contract"}),
    ({"regions": ["EMEA"]}, {"acme", "acme_contract"}),
    ({"regions": ["AMER", "EMEA"]}, {"acme", "bolt", "acme_contract", "bolt_contract"}),
    ({"regions": ["APAC"]}, set()),
    ({"regions": []}, set()),
    ({"domains": ["contract"]}, {"acme_contract", "bolt_contract"}),
    ({"domains": ["contract"], "regions": ["AMER"]}, {"bolt_contract"}),
    ({"domains": []}, set()),
    ({"business_units": ["sales"]}, {"acme", "bolt", "acme_contract", "bolt_contract"}),
    ({"business_units": ["finance"]}, set()),
    ({"legal_entities": ["unassigned"]}, {"acme", "bolt", "acme_contract", "bolt_contract"}),
    ({"legal_entities": ["NL01"]}, set()),
    ({"sources": ["crm"]}, {"acme", "bolt", "acme_contract", "bolt_contract"}),
    ({"sources": ["crm"], "regions": ["AMER"]}, {"bolt", "bolt_contract"}),
    ({"sources": ["erp", "billing"]}, set()),
    ({"purpose": "marketing"}, {"acme", "bolt", "acme_contract", "bolt_contract"}),
]


@pytest.mark.usefixtures("lines")
def test_each_dimension_limits_by_itself_and_all_must_hold(regions: TwoRegions, with_scope: Client) -> None:
    for scope, reached in REACHED:
        client = with_scope(Role.ERP, read_scope(scope))
        by_id = {
            name
            for name in ("acme", "bolt", "acme_contract", "bolt_contract")
            for domain in [("contracts" if name.endswith("contract") else "customers")]
            if client.get(f"/v1/{domain}/{getattr(regions, name)}").status_code == 200
        }
        listed = {
            each["id"] for domain in ("customers", "contracts") for each in client.get(f"/v1/{domain}").json()["items"]
        }

        assert by_id == reached, scope
        assert listed == {getattr(regions, name) for name in reached}, scope


def test_commands_reach_no_further_than_reading(regions: TwoRegions, with_scope: Client, engine: Engine) -> None:
    steward = with_scope(Role.STEWARD, EUROPE)
    with engine.connect() as connection:
        tasks = connection.execute(text("select task_id, weight from steward_task")).all()
    foreign = [task.task_id for task in tasks if task.weight != 5.5]

    commands = [
        {"command": "merge", "entities": [regions.acme, regions.bolt]},
        {"command": "pin", "entity_id": regions.bolt, "attribute": "segment", "value": "x", "reason": "y"},
        {"command": "judge_pair", "a": CRM_ACME._asdict(), "b": US_BOLT._asdict(), "verdict": "same"},
        {"command": "split", "entity_id": regions.bolt, "records": [US_NUTS._asdict()]},
        {"command": "restore", "entity_id": regions.bolt, "version": 1},
    ]
    for path in ("/v1/decisions", "/v1/decisions/preview"):
        for command in commands:
            answer = steward.post(path, json=command)
            assert answer.status_code == 404, (command, answer.text)
    for task in foreign:
        assert steward.get(f"/v1/tasks/{task}").status_code == 404
        assert steward.post(f"/v1/tasks/{task}/claim").status_code == 404
        assert steward.post(f"/v1/tasks/{task}/comments", json={"text": "hello"}).status_code == 404
        assert steward.post(f"/v1/tasks/{task}/judgement", json={"verdict": "same"}).status_code == 404
    own = next(task.task_id for task in tasks if task.weight == 5.5)
    assert steward.post(f"/v1/tasks/{own}/claim").status_code == 200


def test_a_scope_lowers_the_clearance_of_a_role_and_never_raises_it(regions: TwoRegions, with_scope: Client) -> None:
    careful = with_scope(Role.ERP, Scope(data_class=DataClass.PUBLIC))
    bold = with_scope(Role.READER, Scope(data_class=DataClass.RESTRICTED))

    aimed = with_scope(Role.ADMIN, Scope(purpose=Purpose.ANALYTICS))
    assert aimed.get(f"/v1/customers/{regions.acme}").json()["masked"] == ["emails", "identifiers", "phones"]
    seen = careful.get(f"/v1/customers/{regions.acme}").json()
    assert set(seen["masked"]) == {"address", "emails", "identifiers", "phones", "status"}
    assert bold.get(f"/v1/customers/{regions.acme}").json()["masked"] == ["emails", "identifiers", "phones"]


def test_a_key_is_given_another_scope(regions: TwoRegions, app: FastAPI, engine: Engine) -> None:
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.ERP, "SAP", EUROPE)
    client = Writer(app, headers={"X-API-Key": key})
    before = client.get(f"/v1/customers/{regions.bolt}").status_code

    with engine.begin() as connection:
        assert api_keys.limit_key(connection, key.split("_")[1], Scope())

    assert (before, client.get(f"/v1/customers/{regions.bolt}").status_code) == (404, 200)


# --- the second line alone: SQL as the application role, without any query of ours ------------------------------------


def rows_seen(engine: Engine, scope: Scope) -> dict[str, int]:
    """How many rows of each table a transaction of this scope sees; tables that it may not even name are absent."""
    seen = {}
    for name in sorted(set(metadata.tables) - SECRET):
        with scoped(engine, scope).connect() as connection:
            seen[name] = int(connection.scalar(text(f'select count(*) from "{name}"')) or 0)
    return seen


def test_the_application_role_sees_what_its_scope_reaches_and_nothing_without_one(
    regions: TwoRegions, engine: Engine
) -> None:
    europe = rows_seen(engine, EUROPE)
    both = rows_seen(engine, Scope(regions=frozenset({"EMEA", "AMER"})))

    assert (europe["golden"], both["golden"]) == (2, 6)
    assert (europe["entity"], both["entity"]) == (2, 5)
    assert (europe["crosswalk"], both["crosswalk"]) == (3, 7)
    assert (europe["source_record"], both["source_record"]) == (4, 9), "two customers' rows, contracts and invoices"
    assert (europe["steward_task"], both["steward_task"]) == (1, 3)
    assert (europe["outbox"], both["outbox"]) == (2, 6)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"set local role {ROLE}")
        for name in ("golden", "placement", "source_record", "outbox", "search_term", "steward_task"):
            assert connection.scalar(text(f"select count(*) from {name}")) == 0, name


def test_every_table_is_guarded_and_the_role_can_neither_write_nor_read_secrets(engine: Engine) -> None:
    with engine.connect() as connection:
        guarded = dict(
            connection.execute(text("select relname, relrowsecurity from pg_class where relkind = 'r'")).all()
        )
        role = connection.execute(
            text("select rolsuper, rolbypassrls, rolcanlogin, rolcreaterole from pg_roles where rolname = :role"),
            {"role": ROLE},
        ).one()
    assert all(guarded[name] for name in metadata.tables)
    assert set(POLICIES) <= set(metadata.tables)
    assert tuple(role) == (False, False, False, False)
    for statement in (
        "select secret_hash from api_key",
        "select * from suppression_secret",
        "insert into placement values ('x', 'customer', '{*}', '{*}', '{*}')",
        "update golden set name = 'x'",
        "delete from audit",
        "alter table golden disable row level security",
    ):
        with scoped(engine, EUROPE).connect() as connection, pytest.raises(ProgrammingError):
            connection.execute(text(statement))


def test_a_transaction_of_a_scope_leaves_nothing_behind_on_its_connection(regions: TwoRegions, engine: Engine) -> None:
    with scoped(engine, EUROPE).connect() as connection:
        seen = connection.scalar(text("select count(*) from golden"))
        own = connection.scalar(text("select pg_backend_pid()"))
    with engine.connect() as connection:
        again = connection.scalar(text("select count(*) from golden"))
        assert connection.scalar(text("select pg_backend_pid()")) == own, "the pool hands the connection out again"

    assert (seen, again) == (2, 6)


def test_products_are_everybodys() -> None:
    assert product_placement().regions == {"*"}


def test_every_reading_route_was_asked(regions: TwoRegions) -> None:
    addresses = [path for verb, path, _ in everywhere(regions, regions.acme) if verb == "GET"]
    reading = [route for route in GUARDED if route.startswith("GET") and "/console" not in route]
    assert len(addresses) >= len(reading) > 40
    assert {method(route) for route in reading} == {"GET"}


def test_the_secrets_are_told_to_those_without_limits(
    regions: TwoRegions, client_of: Callable[[Role | None], TestClient]
) -> None:
    told = "".join(asked(client_of(Role.STEWARD), regions, regions.bolt).values())

    assert [each for each in regions.secrets if each not in told] == []


def test_console_pages_show_a_limited_steward_their_scope_only(
    regions: TwoRegions, app: FastAPI, engine: Engine
) -> None:
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.STEWARD, "Europe", EUROPE)
        tasks = dict(connection.execute(text("select weight, task_id from steward_task")).all())
    browser = TestClient(app, follow_redirects=True, raise_server_exceptions=False)
    form = browser.get("/console/sign-in").text
    csrf = form.partition('name="csrf" value="')[2].partition('"')[0]
    home = browser.post("/console/sign-in", data={"csrf": csrf, "key": key, "next": "/console/"})
    assert home.status_code == 200

    for wanted in (regions.acme, regions.bolt):
        for route in GUARDED:
            if "/console" not in route or not route.startswith("GET"):
                continue
            path = address(route).replace("cus_1", wanted)
            answer = browser.get(path)
            assert answer.status_code < 500, (path, answer.text[:600])
            told = answer.text.replace(wanted, "")
            secrets = [each for each in regions.secrets if each in told]
            assert not secrets, (path, secrets)
    queue = browser.get("/console/reviews").text
    assert f"/console/reviews/{tasks[5.5]}" in queue
    assert f"/console/reviews/{tasks[3.5]}" not in queue
    assert browser.get(f"/console/reviews/{tasks[3.5]}").status_code == 404
    assert browser.get(f"/console/reviews/{tasks[5.5]}").status_code == 200
    assert "Zanzibolt" not in browser.get("/console/customers?q=zanzibolt").text
