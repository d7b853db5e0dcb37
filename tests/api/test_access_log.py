"""Who reads a golden record with the clearance for confidential values is written down: cheaply, and nobody else."""

import re
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.access_log import AccessLog
from mdm.access import FORMER_STEWARD, Role, Scope
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store import api_keys
from mdm.store.access_log import KEPT
from mdm.store.list_access import listed_to
from tests.api.conftest import As, Surroundings
from tests.api.rows import ACME, CRM_ACME, NOON, HubRows
from tests.api.test_scopes import place


@pytest.fixture
def acme(rows: HubRows) -> str:
    return str(rows.golden(Domain.CUSTOMER, CRM_ACME, ACME))


def kept(app: FastAPI, engine: Engine) -> list[tuple[str, str, str, int]]:
    app.state.access_log.write()
    with engine.connect() as connection:
        found = connection.execute(text("select entity_id, role, way, sum(reads) from record_access group by 1, 2, 3"))
        return sorted((row[0], row[1], row[2], int(row[3])) for row in found)


def test_reads_are_counted_by_who_and_how(
    app: FastAPI, engine: Engine, acme: str, erp: TestClient, steward: TestClient
) -> None:
    for _ in range(3):
        erp.get(f"/v1/customers/{acme}")
    erp.get(f"/v1/customers/{acme}/lineage")
    steward.get(f"/console/customers/{acme}")

    assert kept(app, engine) == [(acme, str(FORMER_STEWARD), "console", 1), (acme, "erp_reader", "api", 4)]


def test_counts_of_one_hour_are_added_up_over_writes(app: FastAPI, engine: Engine, acme: str, erp: TestClient) -> None:
    for _ in range(2):
        erp.get(f"/v1/customers/{acme}")
        kept(app, engine)

    assert kept(app, engine) == [(acme, "erp_reader", "api", 2)]


def test_who_sees_no_confidential_value_and_what_was_not_shown_is_not_noted(
    app: FastAPI, engine: Engine, acme: str, client_of: As, reader: TestClient, erp: TestClient
) -> None:
    reader.get(f"/v1/customers/{acme}")
    client_of(None).get(f"/v1/customers/{acme}")
    erp.get("/v1/customers/cus_nobody")
    erp.get("/v1/customers")

    assert kept(app, engine) == []


def test_the_record_says_who_has_read_it(acme: str, erp: TestClient, steward: TestClient) -> None:
    erp.get(f"/v1/customers/{acme}")

    page = steward.get(f"/console/customers/{acme}/access").text

    assert re.search(r"test erp.*?<td>erp reader</td><td>API</td><td class=\"number\">1</td>", page, re.DOTALL)


def test_reads_are_forgotten_after_their_time(surroundings: Surroundings) -> None:
    now = NOON
    log = AccessLog(surroundings.engine, lambda: now, seconds=3600)
    log.note(["cus_old"], "key", Role.ERP, "api")
    log.write()
    now = NOON + KEPT + timedelta(days=1)
    log.note(["cus_new"], "key", Role.ERP, "api")
    log.write()

    with surroundings.engine.connect() as connection:
        assert connection.scalars(text("select entity_id from record_access")).all() == ["cus_new"]


def test_a_database_that_is_away_loses_no_read(surroundings: Surroundings, engine: Engine) -> None:
    class Away:
        def begin(self) -> None:
            from sqlalchemy.exc import OperationalError

            raise OperationalError("insert", {}, Exception("the server is away"))

    log = AccessLog(Away(), surroundings.clock, seconds=3600)  # type: ignore[arg-type]
    log.note(["cus_a"], "key", Role.ERP, "api")
    log.write()
    log.note(["cus_a"], "key", Role.ERP, "api")
    log.write()

    log._engine = engine
    log.write()

    with engine.connect() as connection:
        assert connection.scalar(text("select sum(reads) from record_access")) == 2


# --- among others: lists, searches, exports, the change feed ----------------------------------------------------------

BOLT = {"name": "Bolt Fasteners Inc.", "country": "US", "status": "active"}
US_BOLT = CrosswalkKey("crm", "account", "U1")


@pytest.fixture
def bolt(rows: HubRows, acme: str) -> str:
    """A second customer, changed after the first."""
    return str(rows.golden(Domain.CUSTOMER, US_BOLT, BOLT, terms=["bolt"], at=NOON + timedelta(hours=1)))


def held(app: FastAPI, engine: Engine, entity_id: str) -> list[tuple[str, str, str, int, int]]:
    """Which kinds of answers held a record: who, what, narrowed to what, how many records, how often."""
    app.state.access_log.write()
    with engine.connect() as connection:
        found = listed_to(connection, [entity_id], NOON - KEPT, 50)
    return sorted(
        (each.role, f"{each.way} {each.what}", str(dict(each.narrowed)), each.records, each.times) for each in found
    )


def test_a_list_is_told_on_every_record_that_was_on_its_page_and_on_no_other(
    app: FastAPI, engine: Engine, acme: str, bolt: str, erp: TestClient, reader: TestClient
) -> None:
    first = erp.get("/v1/customers?limit=1").json()
    erp.get("/v1/customers?limit=1")
    assert [each["id"] for each in first["items"]] == [acme]
    assert held(app, engine, acme) == [("erp_reader", "api list", "{}", 1, 2)]
    assert held(app, engine, bolt) == []

    erp.get(f"/v1/customers?limit=1&cursor={first['next']}")
    reader.get("/v1/customers")
    assert held(app, engine, bolt) == [("erp_reader", "api list", "{}", 1, 1)]
    assert kept(app, engine) == [], "nobody opened a record by itself"


def test_what_a_filter_leaves_out_was_not_in_the_list(
    app: FastAPI, engine: Engine, acme: str, bolt: str, erp: TestClient
) -> None:
    erp.get("/v1/customers?country=us")
    erp.get("/v1/customers?status=gone")

    assert held(app, engine, bolt) == [("erp_reader", "api list", "{'country': 'US'}", 1, 1)]
    assert held(app, engine, acme) == []


def test_what_belongs_elsewhere_was_not_in_the_list_of_a_region(
    app: FastAPI, engine: Engine, acme: str, bolt: str, erp: TestClient
) -> None:
    place(engine, {acme: ACME, bolt: BOLT}, {})

    erp.get("/v1/customers?region=AMER")
    place_again = text("update placement set regions = '{EMEA}' where entity_id = :id")
    with engine.begin() as connection:
        connection.execute(place_again, {"id": bolt})

    assert held(app, engine, bolt) == [("erp_reader", "api list", "{}", 1, 1)], "it was in the list when that was read"
    assert held(app, engine, acme) == []


def test_a_search_is_told_without_its_words(
    app: FastAPI, engine: Engine, acme: str, bolt: str, steward: TestClient, erp: TestClient
) -> None:
    steward.get("/console/search?q=bolt")
    erp.get("/v1/customers?q=bolt")

    assert held(app, engine, bolt) == [
        (str(FORMER_STEWARD), "console search", "{}", 1, 1),
        ("erp_reader", "api search", "{}", 1, 1),
    ]
    assert held(app, engine, acme) == []
    with engine.connect() as connection:
        assert "bolt" not in str(connection.execute(text("select * from list_access")).all()).replace(bolt, "")


def test_an_export_is_one_row_however_many_records_it_holds(
    app: FastAPI, engine: Engine, acme: str, bolt: str, erp: TestClient
) -> None:
    lower, upper = sorted((acme, bolt))
    assert len(erp.get("/v1/customers/export").text.splitlines()) == 2
    erp.get("/v1/customers/export?limit=1")
    erp.get("/v1/contracts/export")

    assert held(app, engine, lower) == [("erp_reader", "api export", "{}", 2, 2)]
    assert held(app, engine, upper) == [("erp_reader", "api export", "{}", 2, 1)]
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from list_access")) == 2, "an empty export held nothing"


def test_a_record_that_came_later_was_in_no_earlier_list(
    app: FastAPI, engine: Engine, acme: str, rows: HubRows, erp: TestClient
) -> None:
    erp.get("/v1/customers")
    erp.get("/v1/customers/export?as_of=2025-01-01T00:00:00Z")
    late = rows.golden(Domain.CUSTOMER, US_BOLT, BOLT, at=NOON + timedelta(days=900))

    assert held(app, engine, late) == []
    assert held(app, engine, acme) == [("erp_reader", "api list", "{}", 1, 1)]


def test_pages_of_the_change_feed_are_told(app: FastAPI, engine: Engine, acme: str, bolt: str, erp: TestClient) -> None:
    erp.get("/v1/changes?limit=1")

    assert held(app, engine, acme) == [("erp_reader", "api feed", "{}", 1, 1)]
    assert held(app, engine, bolt) == []


def test_the_page_of_the_record_says_who_was_given_it_among_others(
    acme: str, erp: TestClient, steward: TestClient
) -> None:
    erp.get("/v1/customers?country=NL")

    page = steward.get(f"/console/customers/{acme}/access").text

    assert "Who was given it among others" in page
    assert "country NL" in page


def test_what_lay_outside_of_a_callers_scope_was_not_in_their_list(
    app: FastAPI, engine: Engine, acme: str, bolt: str
) -> None:
    with engine.begin() as connection:
        for entity_id, region in ((acme, "EMEA"), (bolt, "AMER")):
            connection.execute(
                text("insert into placement values (:id, 'customer', array[:region], '{}', '{}')"),
                {"id": entity_id, "region": region},
            )
        key = api_keys.issue_key(connection, Role.ERP, "Europe", Scope(regions=frozenset({"EMEA"})))
    europe = TestClient(app, headers={"X-API-Key": key})
    assert [each["id"] for each in europe.get("/v1/customers").json()["items"]] == [acme]
    europe.get("/v1/customers/export")

    assert [what for _, what, *_ in held(app, engine, acme)] == ["api export", "api list"]
    assert held(app, engine, bolt) == []
