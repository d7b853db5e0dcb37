"""Hierarchies by a steward's word: periods, room for a new word, and circles - against brute force over days."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mdm.core.relations import Edge, circle, edges_of, make_room
from mdm.model.hierarchy import Period, Relation, RelationKind
from mdm.model.ids import EntityId

_FIRST = date(2026, 1, 1)
_DAYS = [_FIRST + timedelta(days=number) for number in range(12)]
_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

days = st.sampled_from(_DAYS)
periods = st.builds(Period, days, st.none() | days).filter(lambda each: not each.empty)
customers = st.sampled_from([EntityId(f"cus_{letter}") for letter in "abcde"])


def relation(number: int, period: Period, parent: str | None = "cus_p") -> Relation:
    above = EntityId(parent) if parent is not None else None
    return Relation(
        number, RelationKind.LEGAL_PARENT, EntityId("cus_c"), above, period, "ada", "register", _NOON, number
    )


def on(*periods: Period) -> set[date]:
    return {day for day in _DAYS if any(each.holds(day) for each in periods)}


@given(periods, periods)
def test_days_in_both_and_days_in_one_only_make_up_a_period(a: Period, b: Period) -> None:
    left = a.without(b)

    assert on(a.common(b)) == on(a) & on(b)
    assert on(*left) == on(a) - on(b)
    assert not any(each.empty for each in left)


@given(st.lists(periods, max_size=4), periods)
def test_a_new_word_takes_its_days_from_older_ones_and_no_others(said: list[Period], new: Period) -> None:
    live = [relation(number, period) for number, period in enumerate(said)]

    ended, rest = make_room(live, new)

    kept = [each.period for each in live if each.relation_id not in ended] + [each.period for each in rest]
    assert not on(*kept) & on(new)
    assert on(*kept) == on(*said) - on(new)


def test_platforms_count_only_on_days_about_which_no_steward_says_anything() -> None:
    said = [relation(1, Period(_DAYS[3], _DAYS[6]), "cus_word")]

    found = edges_of(said, EntityId("cus_stated"), Period(_DAYS[0]))

    assert found == (
        Edge(EntityId("cus_word"), Period(_DAYS[3], _DAYS[6])),
        Edge(EntityId("cus_stated"), Period(_DAYS[0], _DAYS[3])),
        Edge(EntityId("cus_stated"), Period(_DAYS[6])),
    )


def test_somebody_said_to_have_no_parent_has_none_whatever_platforms_state() -> None:
    assert edges_of([relation(1, Period(_DAYS[0]), None)], EntityId("cus_stated"), Period(_DAYS[0])) == ()


@given(st.lists(st.tuples(customers, customers, periods), max_size=8), customers, customers, periods)
def test_a_circle_is_found_exactly_when_there_is_a_day_with_one(
    words: list[tuple[EntityId, EntityId, Period]], child: EntityId, parent: EntityId, period: Period
) -> None:
    edges: dict[EntityId, list[Edge]] = {}
    for lower, upper, during in words:
        edges.setdefault(lower, []).append(Edge(upper, during))

    def leads_up(day: date) -> bool:
        reached: set[EntityId] = set()
        frontier = {parent}
        while frontier:
            reached |= frontier
            above = {edge.parent for each in frontier for edge in edges.get(each, ()) if edge.period.holds(day)}
            frontier = above - reached
        return child in reached

    assert (circle(child, parent, period, edges) is not None) == any(map(leads_up, on(period)))
