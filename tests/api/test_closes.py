"""The close of a month over HTTP: prepared by one person, reviewed by another, taken back; once, and in the audit."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role
from tests.api.test_stewardship import Client, client, hub

__all__ = ["client", "hub"]

MONTH = "/v1/closes/2025-01"
ALL_THE_SAME = {"comment": "credit notes follow in February"}


@pytest.fixture
def steward(client: Client) -> TestClient:
    return client(Role.STEWARD)


@pytest.fixture
def finance(client: Client) -> TestClient:
    return client(Role.APPROVER_FINANCE)


def audited(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        found = connection.execute(text("select action, subject from audit where action like 'close.%' order by seq"))
        return [tuple(row) for row in found]


def test_two_persons_close_a_month_and_open_it_again(steward: TestClient, finance: TestClient, hub: Engine) -> None:
    before = steward.get(MONTH).json()
    prepared = steward.post(f"{MONTH}/prepare", json=ALL_THE_SAME)
    closed = finance.post(f"{MONTH}/review")
    opened = steward.post(f"{MONTH}/withdraw", json={"comment": "an invoice is missing"})

    assert before["standing"] is None
    assert any(point["open"] for point in before["points"])
    assert prepared.status_code == 200, prepared.text
    assert prepared.json()["standing"]["comment"] == ALL_THE_SAME["comment"]
    assert closed.json()["standing"]["reviewed_by"] != closed.json()["standing"]["prepared_by"]
    assert closed.json()["changed"] == []
    assert opened.json()["standing"] is None
    assert [each["reason"] for each in opened.json()["before"]] == ["an invoice is missing"]
    subject = "close 2025-01"
    assert audited(hub) == [("close.prepare", subject), ("close.review", subject), ("close.withdraw", subject)]


def test_nobody_reviews_what_they_prepared(client: Client) -> None:
    both = client(Role.ADMIN)
    both.post(f"{MONTH}/prepare", json=ALL_THE_SAME)

    answer = both.post(f"{MONTH}/review")

    assert answer.status_code == 403
    assert "prepared" in answer.json()["detail"]
    assert both.get(MONTH).json()["standing"]["reviewed_by"] is None


def test_a_request_sent_twice_signs_once(steward: TestClient, hub: Engine) -> None:
    named = {"Idempotency-Key": "close-2025-01"}

    first = steward.post(f"{MONTH}/prepare", json=ALL_THE_SAME, headers=named)
    again = steward.post(f"{MONTH}/prepare", json=ALL_THE_SAME, headers=named)
    another = steward.post(f"{MONTH}/prepare", json=ALL_THE_SAME)

    assert (first.status_code, again.status_code, another.status_code) == (200, 200, 409)
    assert again.json() == first.json()
    assert audited(hub) == [("close.prepare", "close 2025-01")]


@pytest.mark.parametrize(
    ("role", "step", "status"),
    [
        (Role.STEWARD, "review", 403),
        (Role.AUDITOR, "prepare", 403),
        (Role.STEWARD, "prepare", 422),
        (Role.STEWARD, "withdraw", 422),
    ],
)
def test_a_signature_takes_the_right_and_a_word_on_open_points(
    client: Client, role: Role, step: str, status: int, hub: Engine
) -> None:
    answer = client(role).post(f"{MONTH}/{step}", json={"comment": ""})

    assert answer.status_code in (status, 409), answer.text
    assert answer.status_code == status or step == "withdraw"
    assert audited(hub) == []


@pytest.mark.parametrize("month", ["2025-13", "0000-01", "now"])
def test_what_is_no_month_is_refused(steward: TestClient, month: str) -> None:
    assert steward.get(f"/v1/closes/{month}").status_code == 422
