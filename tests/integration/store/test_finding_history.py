"""What reconciliation found from when to when: opened, seen again, closed, come back."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from mdm.lifecycle.findings import Finding, Severity
from mdm.model.ids import CrosswalkKey
from mdm.store.finding_history import Run, Seen, counted_on, newest_run, open_on, resolved, write_run

FIRST = datetime(2026, 10, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def finding(key: str, amount: str | None = "10.00", rule: str = "posting_missing") -> Finding:
    subject, worth = CrosswalkKey("billing", "invoice", key), None if amount is None else Decimal(amount)
    currency = None if amount is None else "EUR"
    return Finding(rule, "C", Severity.ERROR, (subject,), None, None, worth, currency, "s", "a", "o")


def run(engine: Engine, at: datetime, *findings: Finding) -> bool:
    return write_run(engine, Run(at, at), findings)


def on(engine: Engine, day: date, rule: str | None = None) -> list[Seen]:
    with engine.connect() as connection:
        return open_on(connection, day, rule, None, 100)


def keys(found: list[Seen]) -> list[str]:
    return [each.subject.key for each in found]


def test_a_finding_is_open_from_the_run_that_saw_it_to_the_run_that_did_not(engine: Engine) -> None:
    run(engine, FIRST, finding("1"), finding("2"))
    run(engine, FIRST + DAY, finding("2", "12.00"))

    assert on(engine, date(2026, 9, 30)) == []
    assert keys(on(engine, date(2026, 10, 1))) == ["1", "2"]
    (left,) = on(engine, date(2026, 10, 2))
    assert (left.subject.key, left.first_seen, left.last_seen, left.closed_at) == ("2", FIRST, FIRST + DAY, None)
    assert left.amount == Decimal("12.00")
    with engine.connect() as connection:
        assert resolved(connection, FIRST, FIRST + 3 * DAY, 10) == [(FIRST, FIRST + DAY)]
        assert counted_on(connection, date(2026, 10, 1), None) == (2, {"EUR": Decimal("22.00")})


def test_one_that_comes_back_is_another_one(engine: Engine) -> None:
    for number, found in enumerate(((finding("1"),), (), (finding("1"),))):
        run(engine, FIRST + number * DAY, *found)

    assert [len(on(engine, date(2026, 10, day))) for day in (1, 2, 3)] == [1, 0, 1]
    assert on(engine, date(2026, 10, 3))[0].first_seen == FIRST + 2 * DAY


def test_the_same_run_twice_changes_nothing(engine: Engine) -> None:
    found = finding("1"), finding("2", None)
    run(engine, FIRST, *found)
    before = on(engine, FIRST.date())

    assert run(engine, FIRST, *found)
    assert on(engine, FIRST.date()) == before


def test_one_that_is_gone_and_back_within_the_same_instant_was_never_away(engine: Engine) -> None:
    run(engine, FIRST, finding("1"))
    run(engine, FIRST)
    run(engine, FIRST, finding("1"))

    assert [each.closed_at for each in on(engine, FIRST.date())] == [None]


def test_a_run_that_began_earlier_and_ended_later_is_not_kept(engine: Engine) -> None:
    run(engine, FIRST + DAY, finding("2"))

    assert not run(engine, FIRST, finding("1"))
    assert keys(on(engine, date(2026, 10, 2))) == ["2"]
    with engine.connect() as connection:
        assert newest_run(connection) == Run(FIRST + DAY, FIRST + DAY)


@pytest.mark.parametrize(("rule", "found"), [("posting_missing", ["1"]), ("double_posting", ["1"]), ("other", [])])
def test_the_same_row_under_two_rules_is_two_findings(engine: Engine, rule: str, found: list[str]) -> None:
    run(engine, FIRST, finding("1"), finding("1", rule="double_posting"))

    assert keys(on(engine, FIRST.date(), rule)) == found


def test_pages_go_on_behind_a_place(engine: Engine) -> None:
    run(engine, FIRST, *(finding(str(number)) for number in range(5)))

    with engine.connect() as connection:
        first = open_on(connection, FIRST.date(), None, None, 3)
        rest = open_on(connection, FIRST.date(), None, (first[-1].rule, *first[-1].subject), 3)

    assert keys(first) + keys(rest) == ["0", "1", "2", "3", "4"]
