"""The page of the pipeline shows what the workers' metrics show, and leads to the jobs."""

import re
from datetime import timedelta
from math import inf

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.console import audit
from mdm.access import Role
from mdm.clock import system_clock
from mdm.hub.mappings import note_all_taken
from mdm.intake.catalogue import load_catalogue
from mdm.store import replay_jobs
from mdm.store.feed_numbers import FeedNumbers, FreshIn, Lag, lag_by_platform, write_numbers
from mdm.store.ledger import write_audit
from mdm.store.mappings import note
from mdm.store.tables import metadata
from mdm.store.unit_of_work import unit_of_work
from tests.api.rows import inserted
from tests.api.test_console import form_token
from tests.api.test_console_pages import entered
from tests.api.test_tiers import refused_payment

NOW = system_clock()
HOUR = NOW.replace(minute=0, second=0, microsecond=0)


def read_platform(engine: Engine, system: str = "crm") -> None:
    """The hub has read something of a platform."""
    with engine.begin() as connection:
        connection.execute(
            inserted(
                metadata.tables["source_progress"], system=system, topic=f"{system}.public.account", committed_at=NOW
            )
        )


def cells(page: str, system: str) -> list[str]:
    """The texts of a platform's row."""
    row = re.search(rf'<tr data-item><th scope="row">{system}</th>(.*?)</tr>', page, re.DOTALL)
    assert row is not None
    return [
        re.sub(r"<[^>]+>", " ", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row.group(1), re.DOTALL)
    ]


def test_a_platform_is_told_with_its_lag_and_how_fresh_its_changes_are(engine: Engine, steward: TestClient) -> None:
    read_platform(engine)
    told = FeedNumbers(
        "kafka", NOW,
        [Lag("crm.public.account", 0, "crm", 1200, 3.25), Lag("crm.public.account", 1, "crm", 34, 7.5)],
        {
            FreshIn(HOUR, "crm", "account", 1.0): 90,
            FreshIn(HOUR, "crm", "contact", 5.0): 10,
            FreshIn(HOUR - timedelta(days=2), "crm", "account", inf): 10_000,
        },
    )  # fmt: skip
    write_numbers(engine, told)

    lag, seconds, p50, p99, *_ = cells(steward.get("/console/pipeline").text, "crm")

    assert lag.startswith("1\u202f234")
    assert seconds == "7.5\u202fs"
    assert p50.startswith("0.78\u202fs"), "50 of the 90 in the bucket from 0.5 to 1"
    assert "of 100" in p50, "what is older than a day does not count"
    assert p99 == "4.8\u202fs"


def test_a_platform_that_no_worker_reads_has_no_lag_rather_than_none(engine: Engine, steward: TestClient) -> None:
    read_platform(engine)

    page = steward.get("/console/pipeline").text
    assert cells(page, "crm")[:4] == ["no worker", "–", "–", "–"]
    assert "No worker has told how far behind it is." in page, "and what would have it measured"
    assert "mdm worker ingest" in page


def test_a_partition_that_went_to_another_feed_counts_once(engine: Engine) -> None:
    for feed, behind, at in (("old", 500, NOW - timedelta(days=1)), ("new", 3, NOW)):
        write_numbers(engine, FeedNumbers(feed, at, [Lag("crm.public.account", 0, "crm", behind, 0.0)], {}))

    with engine.connect() as connection:
        assert lag_by_platform(connection)["crm"].behind == 3


def test_hours_of_freshness_are_dropped_after_a_month(engine: Engine) -> None:
    for age in (40, 0):
        hour = HOUR - timedelta(days=age)
        write_numbers(engine, FeedNumbers("kafka", NOW, [], {FreshIn(hour, "crm", "account", 1.0): 1}))

    with engine.connect() as connection:
        kept = metadata.tables["freshness_hour"]
        assert list(connection.scalars(kept.select().with_only_columns(kept.c.hour))) == [HOUR]


def test_why_a_feed_is_held_is_asked_for_in_words_of_the_page(steward: TestClient) -> None:
    token = form_token(steward.get("/console/pipeline").text)

    refused = steward.post("/console/pipeline/pause", data={"csrf": token, "feed": "file:x", "reason": " "})

    assert refused.status_code == 409
    assert "Holding a feed needs a reason. Say why it is held." in refused.text


@pytest.mark.parametrize(("role", "seen"), [(Role.OPERATOR, {1, 2}), (Role.STEWARD, {2}), (Role.VIEWER, set())])
def test_replays_are_listed_to_those_who_may_open_them(
    engine: Engine, app: FastAPI, keys: dict[Role, str], role: Role, seen: set[int]
) -> None:
    browser = entered(app, keys[role])
    with engine.begin() as connection:
        replay_jobs.insert(connection, "somebody", {"system": "crm"}, [], 0, 7, NOW)
        replay_jobs.insert(connection, keys[Role.STEWARD].split("_")[1], {"system": "crm"}, [], 0, 7, NOW)

    page = browser.get("/console/pipeline").text

    assert set(map(int, re.findall(r'href="/console/replay/(\d+)"', page))) == seen


def test_a_mapping_that_has_changed_since_rows_were_taken_in_is_told(engine: Engine, steward: TestClient) -> None:
    told = "The mapping of crm.account has changed since rows were taken in: they are as the former one read them."
    with engine.begin() as connection:
        row = metadata.tables["source_record"]
        is_ = {"kind": "customer", "domain": "customer", "comparison": {}}
        connection.execute(inserted(row, system="crm", type="account", key="A1", **is_))
        note(connection, {("crm", "account"): "of before", ("crm", "no_such_table"): "of before"}, NOW)

    assert told in steward.get("/console/pipeline").text

    note_all_taken(engine, system_clock, load_catalogue(None))
    assert told not in steward.get("/console/pipeline").text


def test_records_that_nothing_has_given_keys_are_told(engine: Engine, steward: TestClient) -> None:
    told = "Some customers are not under the blocking keys that the rules make now: what arrives does not find them."
    assert told not in steward.get("/console/pipeline").text
    with engine.begin() as connection:
        row = metadata.tables["source_record"]
        stated = {"name": "Seebad Werke GmbH", "country": "DE"}
        is_ = {"kind": "customer", "domain": "customer", "comparison": stated}
        connection.execute(inserted(row, system="crm", type="account", key="A1", **is_))

    assert told in steward.get("/console/pipeline").text


def test_rebuilds_are_listed_with_what_they_found(engine: Engine, steward: TestClient) -> None:
    with unit_of_work(engine, system_clock, "rebuild") as work:
        write_audit(work, "ops", "rebuild", "derived tables", {"rows": 4711, "differences": 2, "rules": "x"})

    page = steward.get("/console/pipeline").text

    assert re.search(r"ops</td><td class=\"number\">4\u202f711</td><td class=\"number\">2</td>", page)


def test_the_audit_offers_every_action_however_long_ago(engine: Engine, app: FastAPI, keys: dict[Role, str]) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into audit (seq, at, actor, action, subject, detail, previous, hash)
                   select n, now(), 'ops', case n when 1 then 'rebuild' else 'decision.same' end, n::text, '{}', '', ''
                   from generate_series(1, 20002) n"""
            )
        )
    browser = entered(app, keys[Role.AUDITOR])

    page = browser.get("/console/audit").text
    found = browser.get("/console/audit", params={"action": "rebuild"}).text

    assert 'value="rebuild"' in page
    assert len(re.findall(r"<tr data-item", found)) == 1


def test_a_part_of_the_subject_is_looked_for_some_entries_at_a_time(
    engine: Engine, app: FastAPI, keys: dict[Role, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_WINDOW", 4)
    for number in range(12):
        with unit_of_work(engine, system_clock, "test") as work:
            write_audit(work, "user:ada", "steward.assign", f"task {number}", {})
    browser = entered(app, keys[Role.AUDITOR])
    with engine.connect() as connection:
        newest = connection.scalar(text("select max(seq) from audit"))

    page = browser.get("/console/audit", params={"subject": "task 1"}).text
    assert re.findall(r"<td>task (\d+)</td>", page) == ["11", "10"]
    assert "Look further back" in page
    read, steps = [], 0
    while following := re.search(r'href="(/console/audit\?subject=task\+1&amp;before=\d+)">Look further', page):
        page, steps = browser.get(following.group(1).replace("&amp;", "&")).text, steps + 1
        read += re.findall(r"<td>task (\d+)</td>", page)
    assert read == ["1"]
    assert steps == (newest - 1) // 4, "every entry is looked at once"


def test_workflows_are_told_with_what_is_refused_and_what_waits(engine: Engine, steward: TestClient) -> None:
    first = refused_payment(engine)

    page = steward.get("/console/pipeline").text

    row = re.search(r'<th scope="row">payment<.*?</tr>', page, re.DOTALL)
    assert row is not None
    assert re.findall(r"<td[^>]*>(?:<span[^>]*>)?([^<]*)", row.group()) == [
        "1",
        "60\u202fs",
        "–",
        "1",
        "1",
        "1",
        "never",
    ]
    assert "wait" in steward.get(f"/console/exceptions/letters/{first}").text
    assert f"D{first}</a>" in steward.get(f"/console/exceptions/letters/{first + 1}").text
