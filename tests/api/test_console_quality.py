"""How complete golden records were over time, and what stewards decided."""

import re
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.console import quality
from mdm.access import Role
from mdm.clock import system_clock
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.read_quality import sources, trend
from mdm.store.tables import metadata
from tests.api.rows import HubRows, inserted
from tests.api.test_console_pages import entered, pages_of

NOW = system_clock()


def customer(rows: HubRows, number: int, age: timedelta, **values: object) -> str:
    key = CrosswalkKey("crm", "account", f"S{number:02}")
    return rows.golden(Domain.CUSTOMER, key, {"name": f"Anvil works {number}", **values}, at=NOW - age)


def test_the_past_is_read_off_the_versions_that_held_then(engine: Engine, rows: HubRows) -> None:
    first = customer(rows, 1, timedelta(hours=12))
    rows.version(first, Domain.CUSTOMER, {"name": "Anvil works", "legal_form": "B.V."}, at=NOW - timedelta(hours=6.5))
    customer(rows, 2, timedelta(hours=3.5))
    rows.golden(Domain.PRODUCT, CrosswalkKey("crm", "product2", "P"), {"name": "Anvil"}, at=NOW - timedelta(hours=12))

    with engine.connect() as connection:
        past = trend(connection, Domain.CUSTOMER, NOW)

    assert [each.of_all for each in past] == [1] * 8 + [2] * 4
    assert [each.share("legal_form") for each in past] == [0.0] * 5 + [1.0] * 3 + [0.5] * 4


def test_a_trend_is_told_in_words_too(rows: HubRows, steward: TestClient) -> None:
    first = customer(rows, 1, timedelta(days=30))
    rows.version(first, Domain.CUSTOMER, {"name": "Anvil works", "legal_form": "B.V."}, at=NOW - timedelta(days=10))

    page = steward.get("/console/quality").text

    assert re.search(r'aria-label="Legal form, percent of the newest records over time: from 0 to 100', page)
    assert 'aria-label="Completeness, percent' in page
    (country,) = re.findall(r'<svg[^>]+aria-label="Country, .*?<polyline[^>]+points="([^"]+)"', page)
    (name,) = re.findall(r'<svg[^>]+aria-label="Name, .*?<polyline[^>]+points="([^"]+)"', page)
    assert country != name, "what nobody states is not drawn as high as what everybody states"


def test_what_a_source_sends_is_judged_by_when_it_sent_it(engine: Engine, rows: HubRows, steward: TestClient) -> None:
    for number in range(4):
        values = {"name": "Anvil works", "legal_form": "B.V."} if number < 2 else {"name": "Anvil works"}
        rows.source(
            CrosswalkKey("crm", "account", f"S{number}"), attributes=values, at=NOW - timedelta(days=40 - number * 10)
        )
    rows.source(CrosswalkKey("erp", "business_partner", "1"), attributes={"name": "Anvil works"}, at=NOW)
    with engine.begin() as connection:
        connection.execute(text("""update source_record set rejected = '{"vat": "no number"}' where key = 'S3'"""))

    with engine.connect() as connection:
        crm, erp = sources(connection, Domain.CUSTOMER)

    assert (crm.whole.records, crm.whole.rejecting, crm.whole.accepted, crm.whole.complete) == (4, 1, 0.75, 0.75)
    assert [(each.accepted, each.complete) for each in crm.steps] == [(1, 1), (1, 1), (1, 0.5), (0, 0.5)]
    assert (erp.whole.accepted, erp.whole.complete, len(erp.steps)) == (1, 1, 1), "it can state but a name"
    rows.version(rows.entity(Domain.CUSTOMER, CrosswalkKey("crm", "account", "S0")), Domain.CUSTOMER, {"name": "A"})
    page = steward.get("/console/quality").text
    assert 'aria-label="crm account, percent accepted by when rows were last changed: from 100 to 0' in page
    assert 'aria-label="crm account, percent complete by when rows were last changed: from 100 to 50' in page


def test_a_domain_without_golden_records_has_no_past(engine: Engine, steward: TestClient) -> None:
    with engine.connect() as connection:
        assert trend(connection, Domain.CONTRACT, NOW) == ()
    assert steward.get("/console/quality?domain=contract").status_code == 200


def decide(engine: Engine, actor: str, number: int, *, undone: int = 0, age: timedelta = timedelta(hours=1)) -> None:
    """So many decisions of somebody, the first of which were taken back by somebody else."""
    decision = metadata.tables["decision"]
    with engine.begin() as connection:
        for each in range(number):
            made = inserted(
                decision, kind="same", domain="customer", actor=actor, command={}, effect={}, records=[], entities=[],
                at=NOW - age,
            )  # fmt: skip
            id = connection.scalar(made.returning(decision.c.decision_id))
            if each < undone:
                took = inserted(
                    decision, kind="undo", domain="customer", actor="other", command={}, effect={}, records=[],
                    entities=[], at=NOW, undoes=id,
                )  # fmt: skip
                by = connection.scalar(took.returning(decision.c.decision_id))
                connection.execute(decision.update().where(decision.c.decision_id == id).values(undone_by=by))


def test_decisions_are_told_by_person_with_how_many_did_not_stand(engine: Engine, steward: TestClient) -> None:
    decide(engine, "anna", 4, undone=1)
    decide(engine, "anna", 2, age=timedelta(days=3))
    decide(engine, "anna", 9, age=timedelta(days=31))
    decide(engine, "ben", 1)

    page = steward.get("/console/quality/stewards").text
    rows = re.findall(r'<th scope="row">(\w+)<.*?</tr>', page, re.DOTALL)
    (anna,) = re.findall(r'<th scope="row">anna<.*?</tr>', page, re.DOTALL)

    assert rows == ["anna", "ben"]
    assert re.findall(r'<td class="number">(\d+)', anna)[:2] == ["6", "1"]
    assert "17\u202f%" in anna
    assert "Decisions a day: from 0 to 4, lowest 0, highest 4" in anna


def test_people_come_in_pages(engine: Engine, steward: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "_PEOPLE", 2)
    for actor in ("anna", "ben", "cleo"):
        decide(engine, actor, 1)

    found = pages_of(steward, "/console/quality/stewards", "Next people", r'<th scope="row">(\w+)<')

    assert found == [["anna", "ben"], ["cleo"]]


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.STEWARD, 200), (Role.AUDITOR, 200)])
def test_figures_of_people_are_for_those_to_whom_the_api_gives_them(
    app: FastAPI, keys: dict[Role, str], role: Role, status: int
) -> None:
    browser = entered(app, keys[role])
    service = TestClient(app, headers={"X-API-Key": keys[role]})

    told = (browser.get("/console/quality/stewards").status_code, service.get("/v1/steward-statistics").status_code)

    assert told == (status, status)
