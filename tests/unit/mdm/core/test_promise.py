"""How deadlines were kept: the share answered in time, and how much of what may be late is used up."""

from datetime import UTC, datetime, timedelta

import pytest

from mdm.core.worklist import promise

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def answers(in_time: int, late: int) -> list[tuple[str, datetime, datetime]]:
    return [("conflict", MONDAY, MONDAY + timedelta(days=1))] * in_time + [
        ("conflict", MONDAY, MONDAY + timedelta(days=9))
    ] * late


def test_one_late_of_forty_uses_half_of_what_may_be_late() -> None:
    found = promise(answers(39, 1), open_late=0)

    assert found.kept == pytest.approx(0.975)
    assert found.burnt == pytest.approx(0.5)


def test_open_questions_past_their_deadline_count_as_missed() -> None:
    assert promise(answers(9, 0), open_late=1).burnt == pytest.approx(2.0)


def test_nothing_due_is_no_promise_kept_nor_broken() -> None:
    assert (promise([], 0).kept, promise([], 0).burnt) == (None, None)
