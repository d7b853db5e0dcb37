"""Exceptions over HTTP: lists in pages, one message whole, taken and handed over, mended and replayed, discarded."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert, text

from mdm.access import Role, Scope
from mdm.clock import system_clock
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Message, Place
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store import api_keys
from mdm.store.tables import exception
from tests.api.conftest import As
from tests.api.rows import ACME, NOON, HubRows
from tests.api.test_console_pages import refused
from tests.integration.hub.conftest import world_messages

LETTERS, EXCEPTIONS = "/v1/dead-letters", "/v1/exceptions"


@pytest.fixture
def ada(client_of: As) -> TestClient:
    return client_of(Role.STEWARD)


def drift(engine: Engine, number: int, **values: Any) -> int:
    with engine.begin() as connection:
        made: int = connection.execute(
            insert(exception).returning(exception.c.exception_id).values(
                **{"question": f"q{number}", "kind": "drift", "code": "COLUMN_ADDED", "detail": f"column {number}",
                   "owner": "Sales", "place": "t/0/1", "last_seen": NOON} | values,
            )
        ).scalar_one()  # fmt: skip
        return made


def pages(client: TestClient, path: str, **query: Any) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(path, params={"limit": 2, **query, **cursor}).json()
        found.append(page["items"])
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def a_message(offset: int, employees: str = "many") -> Message:
    """An account whose number of employees is none."""
    first = next(each for each in world_messages() if each.place.topic == "crm.public.account")
    value = orjson.loads(first.value or b"")
    value["after"]["number_of_employees"] = employees
    return replace(first, place=Place(first.place.topic, 9, offset), value=orjson.dumps(value))


def feed(engine: Engine, *messages: Message) -> None:
    catalogue = load_catalogue(None)
    process(Pipeline(engine, system_clock, catalogue, load_rules(catalogue)), "test", list(messages))


def test_lists_come_in_pages_and_are_narrowed(engine: Engine, ada: TestClient, rows: HubRows) -> None:
    rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "A1"), ACME)
    worth = {"status": "active", "value": "500", "currency": "EUR"}
    contract = CrosswalkKey("crm", "contract", "C1")
    rows.golden(Domain.CONTRACT, contract, worth, references=[("customer", CrosswalkKey("crm", "account", "A1"))])
    for number in range(5):
        refused(engine, number, reason="poor", key=f"new {number}")
    for number in range(5, 7):
        refused(engine, number, reason="rich", key="A1")
    refused(engine, 7, reason="other")
    for number in range(5):
        drift(engine, number, assignee="user:bo" if number % 2 else None)

    groups = [each for page in pages(ada, f"{LETTERS}/groups") for each in page]
    assert [(each["reason"], each["messages"]) for each in groups] == [("rich", 2), ("poor", 5), ("other", 1)]
    assert groups[0]["stake"] == {"amounts": {"EUR": "500"}, "rows": 1, "known": 1}
    assert sum(each["points"] for each in groups[0]["because"]) == pytest.approx(groups[0]["priority"], abs=0.2)
    assert pages(ada, f"{LETTERS}/groups", sort="messages")[0][0]["reason"] == "poor"

    letters = pages(ada, LETTERS)
    assert [each["name"] for page in letters for each in page] == [f"D{number}" for number in range(8, 0, -1)]
    assert [len(page) for page in pages(ada, LETTERS, like=1)] == [2, 2, 1]
    assert [each["row_key"] for page in pages(ada, LETTERS, row_key="A1") for each in page] == ["A1", "A1"]
    assert pages(ada, LETTERS, status="discarded") == [[]]

    assert [len(page) for page in pages(ada, EXCEPTIONS)] == [2, 2, 1]
    assert [len(page) for page in pages(ada, EXCEPTIONS, taken=True)] == [2]
    assert pages(ada, EXCEPTIONS, code="COLUMN_NULL") == [[]]
    assert ada.get(LETTERS, params={"colour": "red"}).status_code == 422
    foreign = ada.get(f"{LETTERS}/groups", params={"limit": 1}).json()["next"]
    assert (
        ada.get(f"{LETTERS}/groups", params={"cursor": foreign, "sort": "age"}).json()["type"]
        == "/problems/invalid-cursor"
    )


def test_a_message_is_taken_mended_and_replayed(engine: Engine, ada: TestClient, client_of: As) -> None:
    feed(engine, a_message(1), a_message(2))
    (kind,) = ada.get(f"{LETTERS}/groups").json()["items"]
    one = f"{LETTERS}/{kind['newest']}"
    bo = client_of(Role.SENIOR_STEWARD)

    assert ada.post(f"{one}/take", json={"alike": True}).json() == {"matters": 2}
    assert bo.post(f"{one}/take", json={}).status_code == 409
    assert bo.post(f"{one}/hand-over", json={"assignee": "user:bo"}).json() == {"matters": 1}
    assert bo.post(f"{one}/put-down", json={}).json() == {"matters": 1}
    assert len(ada.get(LETTERS, params={"taken": False}).json()["items"]) == 1

    whole = ada.get(one).json()
    assert orjson.loads(whole["value"])["after"]["number_of_employees"] == "many"
    edits = {"edits": {"after.number_of_employees": 12}}
    tried = ada.post(f"{one}/rehearse", json=edits).json()
    assert (tried["kept"], tried["outcomes"], [each["what"] for each in tried["effects"]]) == (
        False, {"applied": 1}, ["created"],
    )  # fmt: skip
    assert ada.get(one).json()["status"] == "open", "a rehearsal keeps nothing"
    done = ada.post(f"{one}/fix", json={**edits, "reason": "a typing error"})
    assert (done.status_code, done.json()["outcomes"]) == (200, {"applied": 1})
    after = ada.get(one).json()
    assert (after["status"], [each["reason"] for each in after["fixes"]]) == ("replayed", ["a typing error"])
    assert ada.post(f"{one}/fix", json={**edits, "reason": "again"}).status_code == 409
    with engine.connect() as connection:
        employees = connection.scalar(text("select row ->> 'number_of_employees' from source_record"))
        acted = set(connection.scalars(text("select action from audit")))
    assert employees == "12"
    assert {"take", "hand over", "put down", "fix"} <= acted
    again = ada.post(f"{LETTERS}/replay", json={"code": "VALUE_TYPE"}).json()
    assert again["outcomes"] == {"quarantined": 1}, "what is refused again stays"


def test_several_are_discarded_by_two_persons_and_once_under_their_key(
    engine: Engine, ada: TestClient, client_of: As
) -> None:
    for number in range(3):
        refused(engine, number, reason="a test")
    meant = {"like": 1, "reason": "test rows"}

    seen = ada.post(f"{LETTERS}/discard/preview", json=meant).json()
    assert [each["name"] for each in seen["letters"]] == ["D1", "D2", "D3"]
    assert [each["name"] for each in seen["demands"]] == ["discard-of-many"]
    first, second = (
        ada.post(f"{LETTERS}/discard", json=meant, headers={"Idempotency-Key": "k1"}).json() for _ in range(2)
    )
    assert (first["status"], first["repeated"], second["repeated"]) == ("proposed", False, True)
    number = first["proposal_id"]
    assert second["proposal_id"] == number
    assert ada.get(f"{LETTERS}/2").json()["proposals"] == [number]
    assert ada.get(f"/v1/approvals/{number}").json()["domain"] is None
    assert ada.post(f"/v1/approvals/{number}/approve").status_code == 403
    admin = client_of(Role.ADMIN)
    decided = admin.post(f"/v1/approvals/{number}/approve", json={"digest": seen["digest"]})
    assert (decided.status_code, decided.json()["status"]) == (200, "done"), decided.text
    assert ada.get(LETTERS).json()["items"] == []

    assert ada.post(f"{LETTERS}/2/reopen", json={"reason": "it is none"}).json() == {"matters": 1}
    alone = ada.post(f"{LETTERS}/discard", json={"ids": [2], "reason": "it is"}).json()
    assert alone["status"] == "done"
    assert ada.post(f"/v1/decisions/{alone['decision_id']}/undo").status_code == 200
    assert [each["id"] for each in ada.get(LETTERS).json()["items"]] == [2]


def test_an_exception_is_taken_and_closed(engine: Engine, ada: TestClient) -> None:
    number = drift(engine, 1)
    one = f"{EXCEPTIONS}/{number}"

    assert ada.post(f"{one}/take").json() == {"matters": 1}
    assert ada.post(f"{one}/hand-over", json={"assignee": "user:bo"}).json() == {"matters": 1}
    assert ada.get(one).json()["assignee"] == "user:bo"
    assert ada.post(f"{one}/put-down").json() == {"matters": 1}
    closed = ada.post(f"{one}/resolve", json={"reason": "in 1.4.0", "accept": True}).json()
    assert (closed["status"], closed["closed_reason"]) == ("accepted", "in 1.4.0")
    assert ada.post(f"{one}/resolve", json={"reason": "again"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/discard", {"reason": "everything at once is never meant"}),
        ("/discard", {"ids": [1], "reason": " "}),
        ("/replay", {}),
        ("/1/fix", {"reason": "nothing is mended"}),
        ("/1/fix", {"reason": "both", "value": "{}", "edits": {"a": 1}}),
        ("/1/fix", {"reason": "no JSON", "value": "{"}),
        ("/1/fix", {"reason": "leads nowhere", "edits": {"after.x.y": 1}}),
        ("/1/hand-over", {"assignee": " "}),
    ],
)
def test_what_makes_no_sense_is_refused(engine: Engine, ada: TestClient, path: str, body: dict[str, Any]) -> None:
    refused(engine, 1, reason="a test")

    assert ada.post(LETTERS + path, json=body).status_code == 422


def test_what_messages_said_is_for_those_who_see_confidential_values(engine: Engine, client_of: As) -> None:
    refused(engine, 1, reason="a test")
    operator = client_of(Role.OPERATOR)

    shown = operator.get(f"{LETTERS}/1").json()

    assert (shown["legible"], shown["key"], shown["value"], shown["fixes"]) == (False, None, None, [])
    assert operator.post(f"{LETTERS}/1/fix", json={"value": "{}", "reason": "blind"}).status_code == 403
    assert operator.post(f"{LETTERS}/discard", json={"ids": [1], "reason": "unseen"}).json()["status"] == "done"
    assert client_of(Role.VIEWER).get(LETTERS).status_code == 403
    assert client_of(Role.AUDITOR).post(f"{LETTERS}/1/reopen", json={"reason": "x"}).status_code == 403


def test_a_scope_that_reaches_a_part_reaches_no_exception(engine: Engine, client_of: As) -> None:
    refused(engine, 1, reason="a test")
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.STEWARD, "emea", Scope(regions=frozenset({"emea"})))
    part = client_of(None)
    part.headers["X-API-Key"] = key

    for way in (LETTERS, f"{LETTERS}/groups", f"{LETTERS}/1", EXCEPTIONS):
        assert part.get(way).status_code == 403
    assert part.post(f"{LETTERS}/discard", json={"ids": [1], "reason": "x"}).status_code == 403
