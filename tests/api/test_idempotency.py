"""Writes that a caller names: one effect, one answer, however often they are sent."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, text

from api.app import ApiOptions, assemble
from api.idempotency import READS
from api.openapi import describe
from mdm.access import Role
from mdm.clock import system_clock
from mdm.model.ids import Domain
from mdm.store import consumers, idempotency
from mdm.store.idempotency import Earlier, Named
from mdm.store.lifeline import Lifeline
from mdm.store.unit_of_work import unit_of_work
from tests.api.conftest import Surroundings
from tests.api.rows import ACME, ERP_ACME, HubRows

As = Callable[[Role | None], TestClient]
CONSUMER = "/v1/consumers/warehouse"


def test_the_same_request_under_the_same_key_has_one_effect_and_one_answer(erp: TestClient, engine: Engine) -> None:
    named = {"Idempotency-Key": "k1"}
    first = erp.put(CONSUMER, json={}, headers=named)
    with engine.begin() as connection:
        consumers.forget(connection, "warehouse")

    again = erp.put(CONSUMER, json={}, headers=named)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    with engine.connect() as connection:
        assert consumers.find_consumer(connection, "warehouse") is None, "it was not registered a second time"


def test_an_answer_without_a_body_is_repeated_too(erp: TestClient) -> None:
    erp.put(CONSUMER, json={})

    answers = [erp.delete(CONSUMER, headers={"Idempotency-Key": "gone"}) for _ in range(2)]

    assert [each.status_code for each in answers] == [204, 204]
    assert erp.delete(CONSUMER).status_code == 404


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [("PUT", CONSUMER, {"domain": "customer"}), ("PUT", "/v1/consumers/other", {}), ("DELETE", CONSUMER, None)],
)
def test_another_request_under_the_key_is_refused(erp: TestClient, method: str, address: str, body: object) -> None:
    named = {"Idempotency-Key": "k1"}
    erp.put(CONSUMER, json={}, headers=named)

    answer = erp.request(method, address, json=body, headers=named)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")


def test_keys_of_different_callers_are_different(client_of: As) -> None:
    named = {"Idempotency-Key": "k1"}

    assert client_of(Role.ERP).put(CONSUMER, json={}, headers=named).status_code == 200
    assert client_of(Role.ADMIN).put("/v1/consumers/other", json={}, headers=named).status_code == 200


def test_while_the_first_is_being_answered_the_second_waits_its_turn(
    erp: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave = threading.Event(), threading.Event()
    register = consumers.register

    def slow(*arguments: object) -> object:
        entered.set()
        assert leave.wait(20)
        return register(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(consumers, "register", slow)
    answers: list[int] = []
    named = {"Idempotency-Key": "k1"}
    first = threading.Thread(target=lambda: answers.append(erp.put(CONSUMER, json={}, headers=named).status_code))
    first.start()
    assert entered.wait(20)

    second = TestClient(erp.app).put(CONSUMER, json={}, headers={**erp.headers, **named})
    leave.set()
    first.join()

    assert (second.status_code, second.json()["type"]) == (409, "/problems/idempotency-key-in-use")
    assert second.headers["retry-after"] == "1"
    assert answers == [200]
    assert erp.put(CONSUMER, json={}, headers=named).status_code == 200


def test_a_refused_request_may_be_sent_again_when_its_cause_is_gone(erp: TestClient) -> None:
    named = {"Idempotency-Key": "k1"}
    missing = erp.delete(CONSUMER, headers=named)
    erp.put(CONSUMER, json={})

    assert (missing.status_code, erp.delete(CONSUMER, headers=named).status_code) == (404, 204)


def test_a_key_alone_opens_nothing(client_of: As) -> None:
    named = {"Idempotency-Key": "k1"}
    assert client_of(Role.ERP).put(CONSUMER, json={}, headers=named).status_code == 200

    assert client_of(None).put(CONSUMER, json={}, headers=named).status_code == 401


def test_a_key_is_a_short_text(erp: TestClient) -> None:
    assert erp.put(CONSUMER, json={}, headers={"Idempotency-Key": "x" * 201}).status_code == 422


@pytest.mark.parametrize("key", [None, ""])
def test_a_write_without_a_key_is_refused_and_takes_no_effect(erp: TestClient, key: str | None) -> None:
    answer = erp.put(CONSUMER, json={"domain": "customer"}, headers={"Idempotency-Key": key})  # type: ignore[dict-item]

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/idempotency-key-missing")
    assert erp.get(f"{CONSUMER}/changes").status_code == 404


def test_who_may_not_write_is_told_that_and_not_how_to(client_of: As) -> None:
    unnamed = {"Idempotency-Key": None}

    assert client_of(None).put(CONSUMER, json={}, headers=unnamed).status_code == 401  # type: ignore[arg-type]
    answer = client_of(Role.READER).post("/v1/decisions/undo-last", headers=unnamed)  # type: ignore[arg-type]
    assert answer.status_code == 403


@pytest.fixture
def lifeline(engine: Engine) -> Iterator[Lifeline]:
    opened = Lifeline(engine)
    yield opened
    opened.close()


def claimed(engine: Engine, named: Named, now: datetime | None = None) -> Earlier | None:
    with engine.begin() as connection:
        return idempotency.claim(connection, named, now or system_clock())


_DYING = """
import sys, time
from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.store import idempotency
from mdm.store.lifeline import Lifeline
engine = make_engine(sys.argv[1])
lifeline = Lifeline(engine)
name = idempotency.Named("key", "k1", "f", lifeline.take())
with engine.begin() as connection:
    assert idempotency.claim(connection, name, system_clock()) is None
print("claimed", flush=True)
time.sleep(600)
"""


def test_a_name_is_free_as_soon_as_the_process_that_claimed_it_was_killed(
    engine: Engine, fresh_database_url: str, lifeline: Lifeline
) -> None:
    command = [sys.executable, "-c", _DYING, fresh_database_url]
    again = Named("key", "k1", "f", lifeline.take())
    with subprocess.Popen(command, stdout=subprocess.PIPE) as dying:
        try:
            assert dying.stdout is not None
            assert dying.stdout.readline() == b"claimed\n"
            alive = claimed(engine, again, system_clock() + timedelta(hours=20))
        finally:
            dying.kill()
    until = time.monotonic() + 30
    while claimed(engine, again) is not None:
        assert time.monotonic() < until, "the name is still taken"
        time.sleep(0.05)

    assert alive is not None
    assert (alive.same, alive.status, alive.lost) == (True, None, False)


def test_a_name_is_free_when_its_request_has_ended_although_the_process_lives(
    engine: Engine, lifeline: Lifeline
) -> None:
    """What could not be given back, because the database did not answer just then, is not taken for ever."""
    first, other = Named("key", "k1", "f", lifeline.take()), Named("key", "k1", "f", lifeline.take())
    assert claimed(engine, first) is None
    assert claimed(engine, other) is not None

    lifeline.give(first.holder)

    assert claimed(engine, other) is None


def test_a_lifeline_whose_session_was_ended_goes_on_with_another(engine: Engine, lifeline: Lifeline) -> None:
    first = Named("key", "k1", "f", lifeline.take())
    assert claimed(engine, first) is None
    end_lifelines(engine)

    second = Named("key", "k1", "f", lifeline.take())

    assert claimed(engine, second) is None
    assert claimed(engine, Named("key", "k1", "f", lifeline.take())) is not None


def end_lifelines(engine: Engine) -> None:
    with engine.begin() as connection:
        ended = connection.scalars(
            text(
                """select pg_terminate_backend(pid, 10000) from pg_locks
                   where locktype = 'advisory' and objsubid = 2 and classid = 7169132::oid and granted
                     and database = (select oid from pg_database where datname = current_database())"""
            )
        ).all()
    assert ended
    assert all(ended)


def test_a_request_that_lost_its_claim_takes_no_effect(erp: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its session ends while it is at work, and the same request, sent again, overtakes it."""
    entered, leave = threading.Event(), threading.Event()
    register = consumers.register
    begun: list[str] = []

    def slow(*arguments: object) -> object:
        begun.append("")
        if len(begun) == 1:
            entered.set()
            assert leave.wait(20)
        return register(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(consumers, "register", slow)
    answers: list[Response] = []
    named = {"Idempotency-Key": "k1"}
    first = threading.Thread(target=lambda: answers.append(erp.put(CONSUMER, json={}, headers=named)))
    first.start()
    assert entered.wait(20)
    end_lifelines(erp.app.state.hub.engine)  # type: ignore[attr-defined]

    second = TestClient(erp.app).put(CONSUMER, json={}, headers={**erp.headers, **named})
    leave.set()
    first.join()

    assert second.status_code == 200
    assert (answers[0].status_code, answers[0].json()["type"]) == (409, "/problems/conflict")
    assert erp.put(CONSUMER, json={}, headers=named).content == second.content


def test_a_request_keeps_its_name_for_as_long_as_it_takes(
    erp: TestClient, surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave = threading.Event(), threading.Event()
    register = consumers.register
    begun: list[str] = []

    def slow(*arguments: object) -> object:
        begun.append("")
        entered.set()
        assert leave.wait(20)
        return register(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(consumers, "register", slow)
    named = {"Idempotency-Key": "k1"}
    first = threading.Thread(target=lambda: erp.put(CONSUMER, json={}, headers=named))
    first.start()
    assert entered.wait(20)
    now = surroundings.clock()
    surroundings.clock = lambda: now + timedelta(hours=30)

    second = TestClient(erp.app).put(CONSUMER, json={}, headers={**erp.headers, **named})
    leave.set()
    first.join()

    assert (second.status_code, second.json()["type"]) == (409, "/problems/idempotency-key-in-use")
    assert len(begun) == 1


def test_answers_are_forgotten_after_a_day(engine: Engine) -> None:
    named, now = Named("key", "k1", "f", 1), system_clock()
    with engine.begin() as connection:
        idempotency.claim(connection, named, now)
        idempotency.keep(connection, named, 200, {}, "{}")
        kept = idempotency.claim(connection, named, now + timedelta(hours=23))
        other = Named("key", "k2", "f", 2)
        idempotency.claim(connection, other, now + idempotency.KEPT)
        left = connection.scalar(text("select count(*) from idempotency_key where key = 'k1'"))
    assert kept is not None
    assert (kept.status, kept.body) == (200, "{}")
    assert left == 0


def test_every_write_of_the_api_can_be_named() -> None:
    app: FastAPI = assemble(ApiOptions())
    unnamed = set()
    for path, operations in describe(app)["paths"].items():
        for method, operation in operations.items():
            name = operation["operationId"]
            if method == "get" or name in READS or name.startswith("match_"):
                continue
            parameters = [each["name"] for each in operation.get("parameters", ()) if each.get("required")]
            if parameters.count("Idempotency-Key") != 1:
                unnamed.add(f"{method} {path}")
    assert unnamed == set()


def test_a_named_confirmation_is_audited_once(rows: HubRows, client_of: As, engine: Engine) -> None:
    vat = {"type": "vat", "country": "NL", "value": "NL169963937B05", "normal": "NL169963937B05", "state": "valid"}
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, {**ACME, "identifiers": [vat]})
    admin = client_of(Role.ADMIN)
    address, body = f"/v1/customers/{acme}/checkpoints/tax_validated", {"reason": "seen the certificate"}

    answers = [admin.put(address, json=body, headers={"Idempotency-Key": "k"}) for _ in range(3)]

    assert [each.status_code for each in answers] == [200] * 3, answers[0].text
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from checkpoint")) == 1


def test_an_effect_whose_answer_was_lost_is_not_repeated(
    erp: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request dies after the effect was committed and before its answer was kept."""
    named = {"Idempotency-Key": "k1"}

    def die(*_: object) -> None:
        raise ConnectionAbortedError

    with monkeypatch.context() as dying:
        dying.setattr("api.idempotency._keep", die)
        assert erp.put(CONSUMER, json={}, headers=named).status_code == 500
    with engine.begin() as connection:
        assert consumers.find_consumer(connection, "warehouse") is not None
        consumers.forget(connection, "warehouse")

    again = erp.put(CONSUMER, json={}, headers=named)

    assert (again.status_code, again.json()["type"]) == (409, "/problems/idempotency-answer-lost")
    with engine.connect() as connection:
        assert consumers.find_consumer(connection, "warehouse") is None, "it was not registered a second time"


def test_what_failed_after_its_effect_is_told_at_once(erp: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"Idempotency-Key": "k1"}
    erp.put(CONSUMER, json={})

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as failing:
        failing.setattr("api.routes.changes.Response", fail)
        assert erp.delete(CONSUMER, headers=named).status_code == 500

    assert erp.delete(CONSUMER, headers=named).json()["type"] == "/problems/idempotency-answer-lost"


@pytest.mark.parametrize("kept", [True, False])
def test_a_unit_of_work_notes_the_effect_in_its_own_transaction(engine: Engine, kept: bool) -> None:
    name = Named("key", "k1", "f", 1)
    with engine.begin() as connection:
        idempotency.claim(connection, name, system_clock())

    with suppress(ZeroDivisionError), unit_of_work(idempotency.named(engine, name), system_clock, "steward"):
        if not kept:
            raise ZeroDivisionError

    with engine.connect() as connection:
        assert connection.scalar(text("select took_effect from idempotency_key")) is kept


def test_a_database_that_nobody_may_write_to_is_told_as_away(erp: TestClient, engine: Engine) -> None:
    assert erp.put(CONSUMER, json={}).status_code == 200
    with engine.begin() as connection:
        name = connection.scalar(text("select current_database()"))
        connection.execute(text(f"alter database {name} set default_transaction_read_only = on"))
        connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                " and pid <> pg_backend_pid()"
            )
        )
    engine.dispose()

    refused = erp.put(CONSUMER, json={})

    assert refused.status_code == 503, refused.text
    assert refused.headers["retry-after"] == "5"
