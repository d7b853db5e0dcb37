"""Who may sign the close of a month, with what, and what stands against it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from mdm.errors import Conflict, Invalid, Refused
from mdm.lifecycle.close import Item, close_of
from mdm.lifecycle.sign_off import (
    Point,
    SignOff,
    changed_since,
    check_prepare,
    check_review,
    check_withdraw,
    points_of,
)

OCTOBER = close_of("2026-10", 5)
AFTER = date(2026, 11, 3)
IN_ORDER = (Point("No refused messages", 0, {}),)
OPEN = (*IN_ORDER, Point("Nothing of the kind: unbilled", 2, {"EUR": "10.50"}))
SIGNED = SignOff(1, "2026-10", OPEN, "user:ada", datetime(2026, 11, 3, tzinfo=UTC), "small")


def test_points_are_what_the_checklist_says() -> None:
    items = [Item("No refused messages", 0, "", "/"),
             Item("Nothing of the kind: unbilled", 2, "", "/", {"EUR": Decimal("10.50")})]  # fmt: skip

    assert points_of(items) == OPEN


def test_a_month_is_prepared_once_after_its_end_and_with_a_word_on_what_is_open() -> None:
    check_prepare(None, OCTOBER, IN_ORDER, "", AFTER)
    check_prepare(None, OCTOBER, OPEN, "small", AFTER)

    with pytest.raises(Conflict, match="not over"):
        check_prepare(None, OCTOBER, IN_ORDER, "", OCTOBER.last)
    with pytest.raises(Invalid, match="1 point is open"):
        check_prepare(None, OCTOBER, OPEN, "  ", AFTER)
    with pytest.raises(Conflict, match="was prepared by user:ada"):
        check_prepare(SIGNED, OCTOBER, IN_ORDER, "", AFTER)


def test_a_second_person_reviews_what_was_prepared_and_nothing_else() -> None:
    assert check_review(SIGNED, OCTOBER, OPEN, "user:ben", "") is SIGNED

    with pytest.raises(Conflict, match="not prepared"):
        check_review(None, OCTOBER, OPEN, "user:ben", "")
    with pytest.raises(Refused, match="they prepared"):
        check_review(SIGNED, OCTOBER, OPEN, "user:ada", "")
    with pytest.raises(Conflict, match="unbilled \\(2 open then, 0 now\\)"):
        check_review(SIGNED, OCTOBER, IN_ORDER, "user:ben", "")
    with pytest.raises(Conflict, match="was reviewed by user:ben"):
        check_review(replace(SIGNED, reviewed_by="user:ben"), OCTOBER, OPEN, "user:clara", "")


def test_other_amounts_are_a_change_although_the_number_is_the_same() -> None:
    other = (*IN_ORDER, Point(OPEN[1].title, 2, {"EUR": "11.00"}))

    assert changed_since(OPEN, OPEN) == []
    assert changed_since(OPEN, other) == [(OPEN[1].title, 2, 2)]


def test_signatures_are_taken_back_with_a_reason() -> None:
    assert check_withdraw(SIGNED, OCTOBER, "an invoice came late") is SIGNED

    with pytest.raises(Invalid, match="with a reason"):
        check_withdraw(SIGNED, OCTOBER, " ")
    with pytest.raises(Conflict, match="Nothing was signed"):
        check_withdraw(None, OCTOBER, "why")
