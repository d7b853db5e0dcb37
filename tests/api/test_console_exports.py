"""Long exports tell how far they are, can be left and come back to, and go on where they broke off."""

import csv
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.console import audit
from mdm.access import FORMER_STEWARD, Role
from mdm.clock import system_clock
from mdm.store import export_jobs
from mdm.store.export_jobs import Piece
from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import unit_of_work
from tests.api.test_console import form_token, sign_in


@pytest.fixture
def browser(engine: Engine, app: FastAPI, keys: dict[Role, str], monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Signed in, with twelve entries of Ada in the audit, of which five are read at once."""
    monkeypatch.setattr(audit, "_CHUNK", 5)
    with unit_of_work(engine, system_clock, "test") as work:
        for number in range(12):
            write_audit(work, "user:ada", "task.assign", f"task {number}", {})
    browser = TestClient(app)
    sign_in(browser, keys[FORMER_STEWARD])
    return browser


def begun(browser: TestClient, address: str) -> str:
    """The page of a new export."""
    token = form_token(browser.get("/console/help").text)
    return str(browser.post(address, data={"csrf": token}).url.path)


def subjects(answer: str) -> list[str]:
    return [row[4] for row in csv.reader(answer.splitlines())]


def test_an_export_is_downloaded_from_its_page_which_says_how_far_it_is(browser: TestClient) -> None:
    address = begun(browser, "/console/audit/export?actor=user:ada")
    before = browser.get(address).text
    assert "not begun" in before
    assert f'href="{address}"' in browser.get("/console/audit").text, "it is found again where it was begun"
    file = re.search(r'href="(/console/audit/export\.csv[^"]+)"', before)
    assert file is not None

    content = browser.get(file.group(1)).text

    assert subjects(content) == ["subject", *(f"task {number}" for number in reversed(range(12)))]
    after = browser.get(address).text
    assert "<strong>12 lines</strong>" in after
    assert "data-poll" not in re.findall(r'<div class="card" id="progress"[^>]*>', after)[0]
    assert address not in browser.get("/console/audit").text


def test_what_broke_off_goes_on_where_it_ended(browser: TestClient, engine: Engine) -> None:
    address = begun(browser, "/console/audit/export?actor=user:ada")
    job_id = int(address.rpartition("/")[2])
    with engine.connect() as connection:
        actor = connection.scalar(text("select actor from export_job")) or ""
        job = export_jobs.find(connection, job_id, actor, "audit")
        newest = connection.scalar(text("select max(seq) from audit where actor = 'user:ada'"))
    assert newest is not None
    pieces = iter([Piece("header and seven lines", 7, 7, str(newest - 6)), Piece("never taken", 5, 12, "1")])
    download = export_jobs.followed(engine, system_clock, job, pieces)
    next(download)
    assert "under way" in browser.get(address).text
    next(download)
    download.close()  # the connection is gone

    broken = browser.get(address).text
    assert "interrupted" in broken
    assert "<strong>7 lines</strong>" in broken
    rest = browser.get(f"/console/audit/export.csv?job={job_id}&rest=1").text

    assert subjects(rest) == [f"task {number}" for number in reversed(range(5))], "and no header in the middle"
    assert "<strong>12 lines</strong>" in browser.get(address).text


def test_an_export_is_its_owners_and_of_one_list(browser: TestClient, app: FastAPI, keys: dict[Role, str]) -> None:
    address = begun(browser, "/console/audit/export")
    other = TestClient(app)
    sign_in(other, keys[Role.ADMIN])

    job_id = address.rpartition("/")[2]
    assert other.get(address).status_code == 404
    assert other.get(f"/console/audit/export.csv?job={job_id}").status_code == 404
    assert browser.get(f"/console/reconciliation/export.csv?job={job_id}").status_code == 404


def test_findings_are_exported_likewise(browser: TestClient) -> None:
    address = begun(browser, "/console/reconciliation/export")

    content = browser.get(f"/console/reconciliation/export.csv?job={address.rpartition('/')[2]}").text

    assert content.startswith("as_of,rule,code")
    assert "done" in browser.get(address).text
