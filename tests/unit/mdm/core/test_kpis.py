"""Figures of a period beside those of another one."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.core.kpis import Measure, measures, parts
from mdm.model.kpis import Closed, Kept, Period

_NOTHING = Kept(closes=(), answered=(), decisions=0, undone=0, findings=(), messages=0, refused=0)
_MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


def _named(kept: Kept, before: Kept = _NOTHING) -> dict[str, Measure]:
    return {each.name: each for each in measures(kept, before)}


def test_what_was_not_measured_is_no_zero() -> None:
    found = _named(_NOTHING)
    assert {name for name, each in found.items() if each.value is not None} == {"decisions"}
    assert all(each.change is None and each.improved is None for name, each in found.items() if name != "decisions")


def test_months_are_measured_by_their_second_signature() -> None:
    october = Closed(last=date(2026, 10, 31), due=date(2026, 11, 6), signed=date(2026, 11, 4))
    september = Closed(last=date(2026, 9, 30), due=date(2026, 10, 6), signed=date(2026, 10, 10))
    found = _named(replace(_NOTHING, closes=[october]), replace(_NOTHING, closes=[september]))
    assert (found["close_days"].value, found["close_days"].baseline, found["close_days"].change) == (4, 10, -6)
    assert found["close_days"].improved
    assert (found["closes_in_time"].value, found["closes_in_time"].baseline) == (1.0, 0.0)
    assert found["closes_in_time"].improved


def test_answers_are_measured_against_their_deadlines() -> None:
    # A conflict should be answered within three business days.
    soon = ("conflict", _MONDAY, _MONDAY + timedelta(hours=2))
    late = ("conflict", _MONDAY, _MONDAY + timedelta(days=4))
    later = ("conflict", _MONDAY, _MONDAY + timedelta(days=30))
    found = _named(replace(_NOTHING, answered=[soon, late, later]), replace(_NOTHING, answered=[soon]))
    assert found["deadlines_kept"].value == pytest.approx(1 / 3)
    assert (found["deadlines_kept"].of, found["deadlines_kept"].baseline) == (3, 1.0)
    assert found["deadlines_kept"].improved is False
    assert (found["hours_to_answer"].value, found["hours_to_answer"].baseline) == (96, 2)
    assert found["hours_to_answer"].improved is False


def test_shares_say_what_they_are_of() -> None:
    kept = replace(_NOTHING, decisions=20, undone=1, findings=[4, 6], messages=1000, refused=5)
    found = _named(kept, kept)
    assert (found["decisions"].value, found["decisions_undone"].value, found["decisions_undone"].of) == (20, 0.05, 20)
    assert (found["findings"].value, found["findings"].of) == (5, 2)
    assert (found["messages_refused"].value, found["messages_refused"].of) == (0.005, 1000)
    assert all(each.improved is None for each in found.values()), "nothing moved"


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 900))
def test_the_period_before_is_as_long_and_ends_the_day_before(first: date, days: int) -> None:
    period = Period(first, first + timedelta(days=days))
    assert period.before.last == first - timedelta(days=1)
    assert period.before.last - period.before.first == timedelta(days=days)


def test_disagreements_are_measured_by_the_middle_one_that_ended() -> None:
    ended = [(_MONDAY, _MONDAY + timedelta(hours=hours)) for hours in (2, 50, 4)]
    found = _named(replace(_NOTHING, ended=ended), replace(_NOTHING, ended=ended[1:2]))["hours_to_agree"]
    assert (found.value, found.of, found.baseline, found.improved) == (4, 3, 50, True)


def test_traces_touches_and_hours_say_what_they_are_of() -> None:
    kept = replace(
        _NOTHING, orders=4, orders_traced=3, usage=10, usage_traced=4, breaks=20, touches=30, hours=6.5, closed=18
    )
    found = _named(kept, replace(kept, touches=60, orders_traced=4))
    assert (found["o2c_trace_coverage"].value, found["o2c_trace_coverage"].of) == (0.75, 4)
    assert found["o2c_trace_coverage"].improved is False
    assert found["u2r_trace_coverage"].value == 0.4
    assert (found["touches_per_break"].value, found["touches_per_break"].baseline) == (1.5, 3)
    assert found["touches_per_break"].improved
    assert (found["hours_to_resolve"].value, found["hours_to_resolve"].of) == (6.5, 18)


def test_parts_stand_beside_the_same_parts_of_the_baseline() -> None:
    kept = replace(
        _NOTHING,
        fresh={"crm": (1.0, 9.0, 5), "erp": (2.0, 20.0, 900)},
        resolved={("exceptions", "OFFSETS_JUMP", "crm team"): (4.0, 2)},
    )
    before = replace(_NOTHING, fresh={"erp": (4.0, 10.0, 100)}, resolved={("questions", "pair", "them"): (1.0, 7)})
    found = [(each.name, each.part, each.value, each.baseline, each.improved) for each in parts(kept, before)]
    assert found == [
        ("freshness_p50", "erp", 2.0, 4.0, True),
        ("freshness_p50", "crm", 1.0, None, None),
        ("freshness_p99", "erp", 20.0, 10.0, False),
        ("freshness_p99", "crm", 9.0, None, None),
        ("hours_to_resolve", "exceptions · OFFSETS_JUMP · crm team", 4.0, None, None),
        ("hours_to_resolve", "questions · pair · them", None, 1.0, None),
    ]
