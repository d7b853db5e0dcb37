"""A marked confidential value, looked for on every way out that somebody of low clearance can take.

`test_fields` asks every reading route of the API. Here are the other ways: pages of the console, files, filters and
searches that could find a value out without showing it, errors, logs, and refused messages, which nobody classified.
"""

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.asyncapi import DOCUMENT
from mdm.access import Permission, Role, may_see
from mdm.model.canonical import ATTRIBUTES, DataClass
from mdm.model.ids import CrosswalkKey, Domain
from tests.api.conftest import Surroundings
from tests.api.rows import HubRows
from tests.api.test_access import CONSOLE, GUARDED, address, method, session_of
from tests.api.test_fields import needle, records
from tests.letters import refuse

__all__ = ["records"]

LOW = [role for role in Role if role.may(Permission.READ) and not may_see(role, DataClass.CONFIDENTIAL)]
#: In a message that could not be read, and so has no classes.
RAW = "Qz-raw-refused-hoard"
HIDDEN = {
    (domain, attribute.name): sought
    for domain in Domain
    for attribute in ATTRIBUTES[domain]
    if attribute.data_class not in (DataClass.PUBLIC, DataClass.INTERNAL)
    and (sought := needle(domain, attribute)) is not None
}
As = Callable[[Role | None], TestClient]


@pytest.fixture
def planted(rows: HubRows, engine: Engine, records: Mapping[Domain, str]) -> Mapping[Domain, str]:
    """The records of the matrix, and everything that can hang on them: a question, a refused message."""
    rows.task(CrosswalkKey("crm", "customer", "1"), CrosswalkKey("erp", "customer", "2"), 4.5)
    message = orjson.dumps({"payload": {"after": {"id": "7", "vat": RAW}}})
    why = {"code": "MALFORMED", "reason": "a value is not what the contract says", "alike": "a"}
    about = {"topic": "crm.public.account", "offset": 7, "system": "crm", "type": "account", "owner": "crm"}
    refuse(engine, {"key": RAW.encode(), "value": message, **about, **why})
    return records


def secrets() -> list[str]:
    return [*HIDDEN.values(), RAW]


def told_in(answer: str) -> list[str]:
    return [each for each in secrets() if each in answer]


@pytest.mark.parametrize("role", LOW)
def test_no_route_of_the_api_tells_it(client_of: As, planted: Mapping[Domain, str], role: Role) -> None:
    client, asked = client_of(role), 0
    for route, roles in GUARDED.items():
        if "/console" in route or not route.startswith("GET") or role not in roles:
            continue
        for domain in Domain:
            path = address(route).replace("cus_1", planted[domain])
            assert not told_in(client.get(path).text), path
            asked += 1
    assert asked > 100


@pytest.mark.parametrize("role", [role for role in LOW if role.may(Permission.CONSOLE)])
def test_no_page_of_the_console_tells_it(
    app: FastAPI, keys: dict[Role, str], engine: Engine, planted: Mapping[Domain, str], role: Role
) -> None:
    browser, csrf = session_of(app, keys[role])
    with engine.connect() as connection:
        letter = connection.scalar(text("select dead_letter_id from dead_letter"))
    pages = [address(route) for route in CONSOLE if route.startswith("GET")]
    for domain in Domain:
        pages += [f"/console/{domain.plural}/{planted[domain]}{part}" for part in (
            "", "/sources", "/history", "/graph", "/exceptions", "/override/identifiers", "/history?version=1",
            "/hierarchy", "/related", "/readiness")]  # fmt: skip
        pages += [f"/console/{domain.plural}", f"/console/search?q={planted[domain]}"]
        pages += [f"/console/trace/crm/{domain.value}/1", f"/console/trace/erp/{domain.value}/2"]
        pages += [f"/console/admin?tab=preview&id={planted[domain]}&role={each}" for each in Role]
    pages += [f"/console/exceptions/letters/{letter}", f"/console/exceptions/groups/{letter}",
              "/console/reconciliation/export.csv"]  # fmt: skip
    opened = 0
    for path in pages:
        answer = browser.get(path)
        assert answer.status_code < 500, path
        opened += answer.status_code == 200
        assert not told_in(answer.text), (path, told_in(answer.text))
    assert opened > 25
    refused = browser.post(
        f"/console/exceptions/letters/{letter}/rehearse", data={"csrf": csrf, "value": "{", "reason": "x"}
    )
    assert not told_in(refused.text)


@pytest.mark.parametrize("role", [role for role in Role if role.may(Permission.CONSOLE)])
def test_no_page_leads_to_one_that_is_closed(
    app: FastAPI, keys: dict[Role, str], planted: Mapping[Domain, str], role: Role
) -> None:
    browser, _ = session_of(app, keys[role])
    pages = [address(route).replace("cus_1", planted[Domain.CUSTOMER]) for route in CONSOLE if route.startswith("GET")]
    links: dict[str, str] = {}
    for path in pages:
        answer = browser.get(path)
        if answer.status_code == 200:
            links |= dict.fromkeys(re.findall(r'href="(/console/[^"#?]*)"', answer.text), path)

    closed = {link: origin for link, origin in links.items() if browser.get(link).status_code == 403}

    assert not closed
    assert len(links) > 10


def test_those_who_may_see_it_meet_it_on_these_pages(
    app: FastAPI, keys: dict[Role, str], engine: Engine, planted: Mapping[Domain, str]
) -> None:
    """Otherwise the search above would prove nothing."""
    browser, _ = session_of(app, keys[Role.STEWARD])
    with engine.connect() as connection:
        letter = connection.scalar(text("select dead_letter_id from dead_letter"))

    assert RAW in browser.get(f"/console/exceptions/letters/{letter}").text
    for domain in Domain:
        page = browser.get(f"/console/{domain.plural}/{planted[domain]}").text
        wanted = [sought for (of, name), sought in HIDDEN.items() if of is domain]
        assert any(sought in page for sought in wanted), domain


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_no_file_holds_it(client_of: As, planted: Mapping[Domain, str], form: str) -> None:
    for role, hidden in ((Role.VIEWER, True), (Role.ERP_READER, False)):
        for domain in Domain:
            answer = client_of(role).get(f"/v1/{domain.plural}/export?format={form}")
            assert answer.status_code == 200, answer.text
            table = pq.read_table(io.BytesIO(answer.content)).to_pylist() if form == "parquet" else []
            found = answer.text + str(table)
            assert bool(told_in(found)) is not hidden, (role, domain)


def test_filters_and_order_do_not_find_it_out(client_of: As, planted: Mapping[Domain, str]) -> None:
    """Whoever may not see a value may not ask for it either: the answer would say whether they guessed right."""
    viewer, erp = client_of(Role.VIEWER), client_of(Role.ERP_READER)
    sought = HIDDEN[Domain.CUSTOMER, "payment_terms"]
    address_of = "/v1/erp/sap/odata/A_BusinessPartner"
    right, wrong = ({"$filter": f"PaymentTerms eq '{value}'", "view": "newest"} for value in (sought, "nonsense"))

    assert len(erp.get(address_of, params=right).json()["value"]) == 1
    assert erp.get(address_of, params=wrong).json()["value"] == []
    seen = [viewer.get(address_of, params=params) for params in (right, wrong)]
    assert seen[0].status_code == seen[1].status_code
    assert seen[0].json().get("value") == seen[1].json().get("value")
    assert not told_in(seen[0].text.replace(sought, "", 1)) or sought not in seen[1].text


@pytest.mark.parametrize("attribute", ["identifiers", "phones", "emails"])
def test_searches_and_suggestions_do_not_complete_it(
    client_of: As, planted: Mapping[Domain, str], attribute: str
) -> None:
    viewer = client_of(Role.VIEWER)
    sought = HIDDEN[Domain.CUSTOMER, attribute]
    for part in (sought[:5], sought[:-1]):
        for path in (f"/v1/customers?q={part}", f"/v1/reconcile/suggest/entity?prefix={part}"):
            answer = viewer.get(path)
            assert sought not in answer.text, path
            assert planted[Domain.CUSTOMER] not in answer.text, (path, "a part of a hidden value finds its record")


def test_errors_and_logs_repeat_nothing(
    app: FastAPI, client_of: As, planted: Mapping[Domain, str], surroundings: Surroundings
) -> None:
    admin = client_of(Role.ADMIN)
    mark = "Qw-said-by-the-caller"
    entity = planted[Domain.CUSTOMER]
    answers = [
        admin.get(f"/v1/customers?q={mark}"),
        admin.get(f"/v1/customers/{entity}?known_at={mark}"),
        admin.get(f"/v1/crosswalk/crm/customer/{mark}"),
        admin.post("/v1/decisions", json={"command": "pin", "entity_id": entity, "attribute": "payment_terms",
                                          "value": {"a": mark}, "reason": "x"}),
        admin.post("/v1/customers/match", json={"values": {"identifiers": mark}}),
        admin.post("/v1/decisions", content=mark, headers={"Content-Type": "application/json"}),
        admin.get("/v1/erp/sap/odata/A_BusinessPartner", params={"$filter": f"PaymentTerms zz '{mark}'"}),
        *(admin.get(f"/v1/{domain.plural}/{planted[domain]}") for domain in Domain),
        *(admin.request(method(route), address(route).replace("cus_1", entity), json={"a": mark}) for route in GUARDED
          if "/console" not in route),
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} >= {200, 400, 404, 422}

    written = orjson.dumps(surroundings.lines).decode()
    assert len(surroundings.lines) >= len(answers)
    assert not told_in(written)
    assert mark not in written
    assert entity not in written, "not even which record"
    for answer in answers:
        if answer.status_code >= 400:
            assert not told_in(answer.text), answer.text


def test_events_tell_it_and_their_description_says_which_clearance_their_readers_need() -> None:
    document: dict[str, Any] = orjson.loads(DOCUMENT.read_bytes())

    for domain in Domain:
        channel = document["channels"][domain.value]
        classes = [attribute.data_class for attribute in ATTRIBUTES[domain]]
        assert DataClass(channel["x-data-class"]) is max(classes, key=list(DataClass).index), domain
        assert f"cleared for {channel['x-data-class']} data" in channel["description"]
