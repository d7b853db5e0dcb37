"""What a row has said under all keys that it had."""

from dataclasses import replace
from itertools import permutations

from mdm.core.fold import version_of
from mdm.core.rekeyed import Histories, former_statements, lives, statements
from mdm.hub.conformance.journal import Journal
from mdm.model.events import ChangeEvent, Operation, Place
from tests.unit.mdm.core.events import change, delete, key


def histories(*events: ChangeEvent) -> Histories:
    found: dict[object, list[object]] = {}
    for event in events:
        found.setdefault(event.key, []).append(version_of(event))
    return found  # type: ignore[return-value]  # events of rows have a key


def created(at: int, row: dict[str, str], name: str, before: str, **more: tuple[str, ...]) -> ChangeEvent:
    return change(at, row, name=name, operation=Operation.CREATE, before=before, **more)


MOVED = (
    change(1, {"name": "first", "text": "long"}, name="a"),
    delete(2, name="a", after="b"),
    created(2, {"name": "second"}, "b", "a", unavailable=("text",)),
    delete(4, name="b", after="c"),
    created(4, {"name": "third", "text": "short"}, "c", "b"),
)


def test_what_a_row_said_under_former_keys_it_has_said_in_whatever_order_that_came() -> None:
    for order in permutations(MOVED):
        assert statements(key("c"), histories(*order)) == [
            {"name": "first", "text": "long"},
            {"name": "second", "text": "long"},
            {"name": "third", "text": "short"},
        ]


def test_a_key_that_another_row_was_given_later_says_nothing_about_the_first() -> None:
    other = change(3, {"name": "somebody else"}, name="a", operation=Operation.CREATE)

    assert [row["name"] for row in former_statements(key("c"), histories(*MOVED, other))] == ["second", "first"]


def test_a_row_that_gets_its_key_back_has_said_everything_once() -> None:
    back = (delete(6, name="c", after="a"), created(6, {"name": "fourth"}, "a", "c"))

    said = [row["name"] for row in statements(key("a"), histories(*MOVED, *back))]

    assert said == ["first", "second", "third", "fourth"]


def test_a_former_key_without_history_is_named() -> None:
    assert lives(key("c"), histories(*MOVED[4:])).keys() == {key("c"), key("b")}


def placed(*events: ChangeEvent) -> tuple[ChangeEvent, ...]:
    """The events, each at a place of its own."""
    return tuple(replace(each, place=Place("t", 0, number)) for number, each in enumerate(events))


TWICE = placed(
    change(1, {"name": "first", "text": "long"}, name="a"),
    delete(2, name="a", after="b"),
    created(2, {"name": "second"}, "b", "a", unavailable=("text",)),
    delete(4, name="b", after="c"),
    created(4, {"name": "third"}, "c", "b", unavailable=("text",)),
)


def test_a_column_that_was_left_out_twice_is_found_under_the_first_key_in_whatever_order_and_batches() -> None:
    for order in permutations(TWICE):
        for cut in range(len(order)):
            journal = Journal().take(order[:cut]).take(order[cut:])

            assert journal.rows() == {key("c"): {"name": "third", "text": "long"}}
            assert list(journal.unresolved()) == []


def test_one_by_one_too() -> None:
    for order in permutations(TWICE):
        journal = Journal()
        for event in order:
            journal.take([event])

        assert journal.rows() == {key("c"): {"name": "third", "text": "long"}}


def test_rows_that_claim_to_come_from_each_other_end_without_the_column() -> None:
    journal = Journal().take(
        placed(
            created(3, {"name": "one"}, "a", "b", unavailable=("text",)),
            created(3, {"name": "two"}, "b", "a", unavailable=("text",)),
        )
    )

    assert sorted(journal.unresolved()) == [(key("a"), "text"), (key("b"), "text")]


def test_a_row_that_goes_to_and_fro_between_keys_costs_no_more_than_its_history() -> None:
    """Two keys, two hundred changes between them, and the column left out each time."""
    events = [change(1, {"name": "first", "text": "long"}, name="a")]
    for at in range(2, 202):
        old, new = ("a", "b") if at % 2 == 0 else ("b", "a")
        events += [delete(at, name=old, after=new), created(at, {"name": str(at)}, new, old, unavailable=("text",))]

    journal = Journal().take(placed(*events))

    assert journal.rows() == {key("a"): {"name": "201", "text": "long"}}
