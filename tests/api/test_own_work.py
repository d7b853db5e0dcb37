"""Who works on what: one's own work at home, and questions that are taken, handed over and put off."""

import csv
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.console import audit, queue
from mdm.access import FORMER_STEWARD, Role
from mdm.clock import system_clock
from mdm.hub import steward as steward_desk
from mdm.hub.audit_check import check_audit
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import unit_of_work
from tests.api.rows import ACME, HubRows
from tests.api.test_console import form_token, sign_in
from tests.harness.tampering import tamper


def test_home_says_what_is_yours(rows: HubRows, app: FastAPI, steward: TestClient, keys: dict[Role, str]) -> None:
    for number in range(2):
        pair = [CrosswalkKey("crm", "account", f"{letter}{number}") for letter in "AB"]
        for key in pair:
            rows.golden(Domain.CUSTOMER, key, ACME)
        rows.task(pair[0], pair[1], 3.0)
    assert "You have taken no question." in steward.get("/console/").text
    csrf = form_token(steward.get("/console/help").text)
    for task in (1, 2):
        steward.post(f"/console/reviews/{task}/claim", data={"csrf": csrf})
    steward.post("/console/reviews/2/snooze", data={"csrf": csrf, "until": "7"})

    page = steward.get("/console/").text

    assert '<a href="/console/reviews?who=mine">1 question that you took</a>' in page
    assert "1 that you put off" in page
    other = TestClient(app)
    sign_in(other, keys[Role.SENIOR_STEWARD])
    assert "You have taken no question." in other.get("/console/").text


def test_ticked_questions_are_handed_over_and_put_off_each_by_itself(rows: HubRows, steward: TestClient) -> None:
    for number in range(3):
        pair = [CrosswalkKey("crm", "account", f"{letter}{number}") for letter in "AB"]
        for key in pair:
            rows.golden(Domain.CUSTOMER, key, ACME | {"name": f"Anvil {key.key}"})
        rows.task(pair[0], pair[1], 3.0)
    csrf = form_token(steward.get("/console/help").text)

    def send(what: str, *tasks: int, **fields: str) -> str:
        data = {"csrf": csrf, "what": what, "task": [str(each) for each in tasks], **fields}
        return steward.post("/console/reviews/bulk", data=data).text

    send("", 1, 2, assignee="ben")  # by the Enter key
    assert "2 open questions" in steward.get("/console/reviews?who=taken").text
    assert "1 open question<" in steward.get("/console/reviews?who=unassigned").text
    send("snooze", 2, 3, snooze_until="2999-12-31")
    assert "2 open questions" in steward.get("/console/reviews?who=snoozed").text
    assert "No question is ticked." in send("claim")
    assert "is not said" in send("", 1)
    assert "Until when they are put off is not said." in send("snooze", 1)
    assert "1 of 2 done; not the other: There is no task 99." in send("claim", 3, 99)


def test_what_is_nobodys_is_taken_by_parts(rows: HubRows, steward: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steward_desk, "MOST_ITEMS", 2)
    for number in range(3):
        pair = [CrosswalkKey("crm", "account", f"{letter}{number}") for letter in "AB"]
        for key in pair:
            rows.golden(Domain.CUSTOMER, key, ACME | {"name": f"Anvil {key.key}"})
        rows.task(pair[0], pair[1], 3.0)
    everything = {"csrf": form_token(steward.get("/console/help").text), "all": "1", "what": "claim"}
    steward.get("/console/reviews")  # whoever looks at the list has it put in order

    refused = steward.post("/console/reviews/bulk", data=everything)
    first = steward.post("/console/reviews/bulk?who=unassigned", data=everything)

    assert "Choose those that are nobody" in refused.text, "the same two would be taken again and again"
    assert "The 2 most urgent are done. More are left: do the same again." in first.text
    assert steward.post("/console/reviews/bulk?who=unassigned", data=everything).status_code == 200
    assert "3 open questions" in steward.get("/console/reviews?who=mine").text


@pytest.mark.sample_world
def test_one_answer_goes_to_all_that_fit_the_filters_not_only_to_those_shown(
    engine: Engine, steward: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_ROWS", 2)
    with engine.connect() as connection:
        fitting = connection.scalar(
            text("select count(*) from steward_task where status = 'open' and domain = 'customer'")
        )
        others = connection.scalar(
            text("select count(*) from steward_task where status = 'open' and domain <> 'customer'")
        )
    assert fitting is not None
    assert fitting > 2
    csrf = form_token(steward.get("/console/help").text)
    assert f"all {fitting} that fit" in steward.get("/console/reviews?domain=customer").text

    seen = steward.post("/console/reviews/bulk?domain=customer", data={"csrf": csrf, "all": "1", "what": "unsure"})

    assert f"{fitting} questions: unsure?" in seen.text, "found out by a job, whose page shows how far it is"
    page = steward.get(str(seen.url)).text
    assert f"<strong>{fitting}</strong>" in page.partition("Can be answered so")[2][:60]
    look = str(seen.url).rpartition("/")[2].partition("?")[0]
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from decision")) == 0, "nothing is decided by looking"
    done = steward.post("/console/bulk", data={"csrf": csrf, "look": look})
    assert f"{fitting} of {fitting}" in steward.get(str(done.url)).text
    with engine.connect() as connection:
        assert connection.scalars(text("select kind from decision")).all() == ["unsure"] * fitting
    taken = steward.post("/console/reviews/bulk?domain=customer", data={"csrf": csrf, "all": "1", "what": "claim"})
    assert taken.status_code == 200
    assert f"{fitting} open questions" in steward.get("/console/reviews?who=mine").text
    assert f">{others} open question" in steward.get("/console/reviews?who=unassigned").text


def test_the_audit_of_it_is_exported_whole_and_as_narrowed(
    rows: HubRows, engine: Engine, app: FastAPI, keys: dict[Role, str]
) -> None:
    with unit_of_work(engine, system_clock, "test") as work:
        for number in range(1010):  # more than are read at once
            write_audit(
                work, "user:ada", "task.assign" if number % 2 else "task.release", f"task {number}", {"n": number}
            )
    browser = TestClient(app)
    sign_in(browser, keys[FORMER_STEWARD])

    whole, claims = (
        list(csv.DictReader(browser.get(f"/console/audit/export.csv{query}").text.splitlines()))
        for query in ("?actor=user:ada", "?action=task.assign")
    )

    assert [each["subject"] for each in whole] == [f"task {number}" for number in reversed(range(1010))]
    assert [each["action"] for each in claims] == ["task.assign"] * 505
    listed = browser.get("/console/audit?action=task.assign").text
    assert 'action="/console/audit/export?action=task.assign"' in listed


def test_a_long_chain_is_verified_by_parts(
    rows: HubRows, engine: Engine, app: FastAPI, keys: dict[Role, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_PART", 4)
    with unit_of_work(engine, system_clock, "test") as work:
        for number in range(6):
            write_audit(work, "user:ada", "task.assign", f"task {number}", {})
    browser = TestClient(app)
    sign_in(browser, keys[FORMER_STEWARD])
    csrf = form_token(browser.get("/console/help").text)

    def verified(after: int) -> str:
        return browser.post("/console/audit/verify", data={"csrf": csrf, "after": str(after)}).text

    first = verified(0)
    assert "Entries 1 to 4 of 6 hold" in first
    assert '<input type="hidden" name="after" value="4">' in first
    assert "Entries 5 to 6 of 6 hold" in verified(4)
    tamper(engine, "update audit set hash = '\\x00' where seq = 4")
    assert "Entry 5: does not continue the row before" in verified(4)
    check_audit(engine, system_clock)
    tamper(engine, "delete from audit where seq > 5")
    assert "rows 6 to " in verified(4), "what the calendar saw is looked for where the chain ends"


@pytest.mark.sample_world
def test_what_many_answers_proposed_is_withdrawn_at_once_where_undo_leads(engine: Engine, steward: TestClient) -> None:
    csrf = form_token(steward.get("/console/help").text)
    with engine.connect() as connection:
        tasks = connection.scalars(
            text(
                # Each of two customers that ERP knows: to make them one takes two.
                """select task_id from steward_task t where status = 'open' and kind = 'possible_match'
                   and domain = 'customer' and 2 = (
                     select count(distinct x.entity_id) from crosswalk x where x.rec_id in (t.a, t.b) and exists (
                       select from crosswalk y join source_record r using (rec_id)
                       where y.entity_id = x.entity_id and r.system = 'erp'))
                   order by weight desc, task_id limit 3"""
            )
        ).all()
    seen = steward.post("/console/reviews/bulk", data={"csrf": csrf, "task": list(map(str, tasks)), "what": "same"})
    look = str(seen.url).rpartition("/")[2].partition("?")[0]
    assert "3 answers would change nothing at once" in seen.text, "who looks first is told that it takes two"
    steward.post("/console/bulk", data={"csrf": csrf, "look": look})

    def states() -> list[tuple[str, int]]:
        query = """select status, count(*) from proposal group by 1
                   union all select 'undone', count(*) from decision where undone_by is not null order by 1"""
        with engine.connect() as connection:
            return [(row[0], row[1]) for row in connection.execute(text(query))]

    before = states()
    assert before == [("open", 3), ("undone", 0)]

    again = steward.post(
        "/console/reviews/bulk", data={"csrf": csrf, "task": list(map(str, tasks)), "what": "not_same"}
    )
    assert "Left out: 3 have answers that wait for a second person" in again.text
    for task, proposal in zip(sorted(tasks), (1, 2, 3), strict=True):
        assert f'<a href="/console/reviews/{task}">Question {task}</a>' in again.text
        assert f'<a href="/console/approvals/{proposal}">proposal {proposal}</a>' in again.text
    assert re.search(r'<button data-key="m" disabled>[^<]*0 of 3', again.text), "nothing is left to be answered"

    stays = steward.post("/console/decisions/last/undo", data={"csrf": csrf})

    assert states() == before, "a key takes no single one of them back, nor all of them unseen"
    assert "3 answers are proposals: each takes effect when a second person agrees" in stays.text
    (withdraw,) = re.findall(r'data-key="z" formaction="([^"]*)"', stays.text)
    with engine.begin() as connection:
        connection.execute(
            text(
                """update proposal set status = 'rejected', decided_by = 'ben'
                   where proposal_id = (select min(proposal_id) from proposal)"""
            )
        )
    back = steward.post(withdraw, data={"csrf": form_token(stays.text)})
    assert states() == [("rejected", 1), ("undone", 0), ("withdrawn", 2)], "what somebody decided on is decided"
    assert "<strong>2 of 2</strong> taken back" in back.text
    assert "<dt>Withdrawn</dt><dd>2</dd>" in back.text
    with engine.connect() as connection:
        told = connection.execute(text("select subject, detail->>'job' from audit where action = 'steward.withdrawn'"))
        assert [(row[0].partition(" ")[0], row[1] is not None) for row in told] == [("proposal", True)] * 2
    again = steward.post(withdraw, data={"csrf": form_token(steward.get("/console/help").text)})
    assert "is left to take back" in again.text
    steps = steward.get("/console/steps").text
    assert "All of it was taken back" in steps
    assert 'data-key="z"' not in steps.partition("<main")[2]
