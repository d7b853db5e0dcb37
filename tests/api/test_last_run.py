"""The last run of reconciliation: nobody waits for a newer one while there is one, and nobody sees a very old one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import Engine

from api.last_run import LastRun
from mdm.hub.reconcile import Reconciliation
from mdm.lifecycle.findings import Finding, Severity
from mdm.lifecycle.impact import Books
from mdm.model.ids import CrosswalkKey
from mdm.store.unit_of_work import unit_of_work

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
INVOICE = CrosswalkKey("billing", "invoice", "in_1")


class Rules:
    """Stands in for the rules of a large hub: each run ends when it is told to, and finds one thing more."""

    def __init__(self) -> None:
        self.runs = 0
        self.goes_on = Event()

    def __call__(self, engine: Engine) -> Reconciliation:
        self.runs += 1
        number = self.runs
        assert self.goes_on.wait(20)
        found = tuple(
            Finding(f"rule {each}", "C", Severity.ERROR, (INVOICE,), None, None, None, None, "", "", "")
            for each in range(number)
        )
        return Reconciliation(NOON, "1", found, Books({}, {}, {}))


@pytest.fixture
def rules() -> Iterator[Rules]:
    made = Rules()
    yield made
    made.goes_on.set()


def something_happens(engine: Engine) -> None:
    with unit_of_work(engine, lambda: NOON, "test"):
        pass


def seen(last: LastRun, engine: Engine, now: datetime, patience: float | None = None) -> int | None:
    looked = last.look(engine, now, patience)
    return None if looked is None else len(looked.found.findings)


def test_only_who_comes_before_the_first_run_has_ended_waits(engine: Engine, rules: Rules) -> None:
    last = LastRun(rules)
    assert last.known(engine, NOON) is None
    assert seen(last, engine, NOON, 0.01) is None, "the page can say that it waits"
    assert seen(last, engine, NOON, 0.01) is None
    rules.goes_on.set()

    assert seen(last, engine, NOON) == 1
    assert rules.runs == 1, "all who ask share one run"
    assert seen(last, engine, NOON + timedelta(hours=9), 0) == 1, "while nothing happens it stays true"


def test_the_run_before_is_shown_while_a_newer_one_is_made_but_not_for_ever(engine: Engine, rules: Rules) -> None:
    last = LastRun(rules)
    rules.goes_on.set()
    assert seen(last, engine, NOON) == 1
    something_happens(engine)
    assert seen(last, engine, NOON + timedelta(seconds=50), 0) == 1
    rules.goes_on.clear()

    later = NOON + timedelta(minutes=2)
    assert [seen(last, engine, later, 0.01) for _ in range(3)] == [1, 1, 1]
    assert rules.runs == 2, "one newer run, whoever asks"
    assert seen(last, engine, NOON + timedelta(minutes=16), 0.01) is None, "what is very old is not shown any more"
    rules.goes_on.set()
    assert seen(last, engine, NOON + timedelta(minutes=16)) == 2


def test_a_run_that_fails_is_told_to_who_waits_and_tried_again(engine: Engine) -> None:
    runs = iter([ZeroDivisionError("a rule is broken"), Reconciliation(NOON, "1", (), Books({}, {}, {}))])

    def find(_: Engine) -> Reconciliation:
        outcome = next(runs)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    last = LastRun(find)
    with pytest.raises(ZeroDivisionError):
        last.of(engine, NOON)
    assert last.of(engine, NOON).findings == ()
