"""What a row has said under all keys that it had."""

from itertools import permutations

from mdm.core.fold import version_of
from mdm.core.rekeyed import Histories, former_statements, lives, statements
from mdm.model.events import ChangeEvent, Operation
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
