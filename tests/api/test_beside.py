"""Sums over the whole hub: of now where that is quick, else of a moment ago, and no page waits for them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Event
from time import sleep

import pytest
from sqlalchemy import Connection, Engine

from api.console import beside as module
from api.console.beside import Found, beside
from mdm.access import Scope
from mdm.store.scoped import scoped

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Sums:
    """Stands in for sums over a large hub: each takes until it is told to end."""

    def __init__(self) -> None:
        self._numbers = count()
        self.ends = Event()

    def __call__(self, connection: Connection) -> int:
        number = next(self._numbers)
        assert self.ends.wait(20)
        return number


@pytest.fixture
def sums() -> Iterator[Sums]:
    made = Sums()
    yield made
    made.ends.set()


def told(found: Found[int] | None) -> int | None:
    return None if found is None else found.what


def newer_than(number: int, engine: Engine, now: datetime, sums: Sums) -> int:
    """What is shown once something newer than this is there."""
    for _ in range(500):
        if (shown := told(beside(engine, "sums", now, sums, 0.0))) is not None and shown > number:
            return shown
        sleep(0.01)
    raise AssertionError("Nothing newer was made.")


def test_what_is_quick_is_made_anew_for_every_page(engine: Engine, sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUICK", 20.0)
    sums.ends.set()

    assert [told(beside(engine, "sums", NOON, sums, 20)) for _ in range(3)] == [0, 1, 2]
    part = scoped(engine, Scope(regions=frozenset({"EMEA"})))
    assert told(beside(part, "sums", NOON, sums, 20)) == 3, "whoever reaches a part is not told the sums of all"


def test_no_page_waits_for_what_takes_long(engine: Engine, sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUICK", 0.0)
    assert [beside(engine, "sums", NOON, sums, 0.01) for _ in range(2)] == [None, None], (
        "the page can say that it waits"
    )
    sums.ends.set()
    assert newer_than(-1, engine, NOON, sums) == 0, "all who asked shared one"
    assert told(beside(engine, "sums", NOON + timedelta(seconds=50), sums)) == 0

    sums.ends.clear()
    later = NOON + timedelta(minutes=2)
    shown = [beside(engine, "sums", later, sums) for _ in range(3)]
    assert [(each.what, each.at) for each in shown if each] == [(0, NOON)] * 3, "the last, and of when it is"
    sums.ends.set()
    assert newer_than(0, engine, later, sums) == 1


def test_what_fails_is_told_and_tried_again(engine: Engine, sums: Sums) -> None:
    def fails(connection: Connection) -> int:
        raise RuntimeError("no figures today")

    with pytest.raises(RuntimeError, match="today"):
        beside(engine, "sums", NOON, fails, 20)
    sums.ends.set()
    assert told(beside(engine, "sums", NOON, sums, 20)) == 0
