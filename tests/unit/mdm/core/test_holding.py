"""What waits behind a refused message, and what goes on."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from mdm.core.holding import hold_back
from mdm.model.events import ChangeEvent, Operation, Place, SourcePosition
from mdm.model.ids import CrosswalkKey
from mdm.model.refused import InTheWay


def row(key: str) -> CrosswalkKey:
    return CrosswalkKey("billing", "invoice", key)


def change(key: str, offset: int, *, before: str = "", after: str = "", partition: int = 0) -> ChangeEvent:
    return ChangeEvent(
        place=Place("t", partition, offset),
        system="billing",
        type="invoice",
        operation=Operation.DELETE if after else Operation.UPDATE,
        key=row(key),
        row=None if after else {"id": key},
        unavailable=frozenset(),
        position=SourcePosition(offset, offset, 0, 1),
        event_time=datetime(2026, 1, 1, tzinfo=UTC),
        snapshot=False,
        previous_key=row(before) if before else None,
        next_key=row(after) if after else None,
    )


def refused(key: str, offset: int, partition: int = 0) -> InTheWay:
    place = Place("t", partition, offset)
    return InTheWay(row(key), place, place)


def waiting(events: Sequence[ChangeEvent], *in_the_way: InTheWay) -> list[int]:
    return [each.event.place.offset for each in hold_back(events, in_the_way)]


def test_what_comes_behind_a_refused_message_of_its_row_waits_and_nothing_else() -> None:
    events = [change("a", 1), change("a", 3), change("b", 4), change("a", 5)]

    assert waiting(events, refused("a", 2)) == [3, 5]


def test_the_two_halves_of_a_key_change_wait_together_and_so_does_what_follows_under_the_new_key() -> None:
    events = [change("new", 5, before="old", partition=1), change("old", 7, after="new"), change("new", 6, partition=1)]

    assert waiting(events, refused("old", 2)) == [7, 5, 6]


def test_what_waits_waits_for_the_message_that_somebody_must_deal_with() -> None:
    first = Place("t", 0, 2)
    held = InTheWay(row("a"), Place("t", 0, 3), first)

    (found,) = hold_back([change("a", 4)], [held])

    assert found.root == first


_EVENTS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), unique_by=lambda each: each[1], max_size=12)


@given(_EVENTS, st.sets(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), max_size=4), st.randoms())
def test_it_is_the_same_in_every_order_and_each_row_goes_on_up_to_its_first_refused_message(
    named: list[tuple[str, int]], bad: set[tuple[str, int]], chance: object
) -> None:
    events = [change(key, offset) for key, offset in named]
    in_the_way = [refused(key, offset) for key, offset in bad]
    expected = [offset for key, offset in sorted(named, key=lambda each: each[1])
                if any(other == key and at < offset for other, at in bad)]  # fmt: skip
    shuffled = list(events)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random

    assert waiting(shuffled, *in_the_way) == expected
