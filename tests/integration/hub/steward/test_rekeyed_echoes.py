"""What a row of ERP only repeats of the hub it goes on repeating under another key, in any order of events."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count, permutations
from random import Random
from typing import Any

import orjson

from mdm.hub.process import process
from mdm.model.events import Message, Place
from mdm.model.ids import CrosswalkKey
from mdm.model.stewardship import Clear
from tests.integration.hub.steward.alone import decide
from tests.integration.hub.steward.conftest import ANNA, World
from tests.integration.hub.steward.test_overrides import NAME, columns_of, erp_customers, newest_event, pinned

OLD, NEW, NEWEST = "", "-2", "-3"
OFFSETS = count(1)


@dataclass
class Moving:
    """A customer with an ERP row whose key changes; `changes` are messages of that row, in no order yet."""

    world: World
    entity_id: str
    partner: CrosswalkKey
    override_id: int
    began: datetime

    def says(self, instant: int, under: str = OLD, after: str | None = None, **columns: Any) -> Message:
        """The row has these values, some time after the value was pinned; it may have come from another key."""
        value = self._value("u" if after is None else "c", instant)
        value["after"] |= columns | {"bp_number": self._name(under)}
        return self._message(value, under, "oldkey", after)

    def is_given_up(self, instant: int, under: str, to: str) -> Message:
        return self._message(self._value("d", instant) | {"before": None, "after": None}, under, "newkey", to)

    def moves(self, instant: int, of: str, to: str, **columns: Any) -> tuple[Message, Message]:
        """The two halves of a change of the key, which mostly lie in different partitions."""
        return self.is_given_up(instant, of, to), self.says(instant, to, of, **columns)

    def arrive(self, *batches: Sequence[Message]) -> None:
        for batch in batches:
            process(self.world.pipeline, "test", batch)

    def marks(self, under: str) -> set[str]:
        key = self.partner._replace(key=self._name(under))
        found = self.world.rows(
            """select attribute from echo join source_record using (rec_id)
               where system = :system and type = :type and key = :key""",
            **key._asdict(),
        )
        return {row[0] for row in found}

    def is_home(self, under: str) -> bool:
        return self.world.home(self.partner._replace(key=self._name(under))) == self.entity_id

    def _name(self, suffix: str) -> str:
        return f"{self.partner.key}{suffix}"

    def _value(self, operation: str, instant: int) -> dict[str, Any]:
        value = columns_of(newest_event(self.partner).value or b"")
        position = str(10**12 + instant)
        at = int((self.began + timedelta(milliseconds=instant)).timestamp() * 1_000_000)
        times = {"ts_ms": at // 1000, "ts_us": at, "ts_ns": at * 1000}
        log = {"lsn": int(position), "sequence": orjson.dumps([position, position]).decode(), "snapshot": "false"}
        return value | {"op": operation, "source": value["source"] | log | times}

    def _message(self, value: dict[str, Any], under: str, header: str, other: str | None) -> Message:
        key = orjson.dumps({"bp_number": self._name(under)})
        headers = [] if other is None else [(f"__debezium.{header}", orjson.dumps({"bp_number": self._name(other)}))]
        partition = {OLD: 8, NEW: 9, NEWEST: 10}[under]
        place = Place(f"{self.partner.system}.public.{self.partner.type}", partition, next(OFFSETS))
        return replace(
            newest_event(self.partner), place=place, key=key, value=orjson.dumps(value), headers=tuple(headers)
        )


def movings(world: World, number: int) -> list[Moving]:
    """Customers of ERP and other platforms, each with a pinned name."""
    customers = [each for each in erp_customers(world) if len(world.members(each[0])) > 1][:number]
    pins = [pinned(world, entity_id) for entity_id, _ in customers]
    began = datetime.now(UTC)
    return [
        Moving(world, entity_id, partner, override, began)
        for (entity_id, partner), override in zip(customers, pins, strict=True)
    ]


def test_a_row_that_is_given_another_key_goes_on_repeating_what_it_repeated(world: World) -> None:
    stories: list[Moving] = []
    customers = movings(world, 9)
    for order in permutations(range(3)):
        stories.append(story := customers.pop())
        changes = (story.says(1, legal_name=NAME), *story.moves(2, OLD, NEW, legal_name=NAME))
        story.arrive(*([changes[number]] for number in order))
    stories.append(together := customers.pop())
    together.arrive([together.says(1, legal_name=NAME), *together.moves(2, OLD, NEW, legal_name=NAME)])
    stories.append(half := customers.pop())
    half.arrive([half.says(2, NEW, OLD, legal_name=NAME)])
    half.arrive([half.says(1, legal_name=NAME), half.is_given_up(2, OLD, NEW)])
    stories.append(saying := customers.pop())
    saying.arrive(saying.moves(1, OLD, NEW, legal_name=NAME))

    assert [story.marks(NEW) for story in stories] == [{"name"}] * len(stories)
    assert all(story.is_home(NEW) for story in stories), "its own words are those that it had said under its old key"
    for story in stories:
        decide(world.pipeline, ANNA, Clear(story.override_id, "the register was wrong"))
    assert NAME not in {world.values(story.entity_id)["name"] for story in stories}
    world.assert_verified()


def test_a_mark_follows_its_row_from_key_to_key_after_the_value_is_golden_no_more(world: World) -> None:
    in_order, reversed_ = movings(world, 2)
    stories = (in_order, reversed_)
    repeated = [(story.says(0, legal_name=NAME), story) for story in stories]
    for story in stories:
        decide(world.pipeline, ANNA, Clear(story.override_id, "the register was wrong"))
        story.began = datetime.now(UTC)
    later = [
        (*story.moves(1, OLD, NEW, legal_name=NAME), *story.moves(2, NEW, NEWEST, legal_name=NAME, phone="1"))
        for story in stories
    ]

    in_order.arrive([repeated[0][0]], *([change] for change in later[0]))
    reversed_.arrive(*([change] for change in reversed(later[1])), [repeated[1][0]])

    assert [story.marks(NEWEST) for story in stories] == [{"name"}] * 2
    assert NAME not in {world.values(story.entity_id)["name"] for story in stories}
    world.assert_verified()


def test_what_a_row_had_said_itself_before_its_key_changed_it_goes_on_saying_itself(world: World) -> None:
    customers = [each for each in erp_customers(world) if len(world.members(each[0])) > 1][:2]
    before = datetime.now(UTC)
    in_order, reversed_ = movings(world, 2)
    assert [story.entity_id for story in (in_order, reversed_)] == [entity_id for entity_id, _ in customers]
    own = []
    for story in (in_order, reversed_):
        after, story.began = story.began, before
        own.append(story.says(0, legal_name=NAME))
        story.began = after

    in_order.arrive([own[0]], in_order.moves(1, OLD, NEW, legal_name=NAME))
    late = reversed_.moves(1, OLD, NEW, legal_name=NAME)
    reversed_.arrive([late[1]])
    assert reversed_.marks(NEW) == {"name"}, "as far as the hub knows by now"
    reversed_.arrive([own[1]], [late[0]])

    assert [story.marks(NEW) for story in (in_order, reversed_)] == [set(), set()]
    world.assert_verified()


def test_a_column_that_two_changes_of_the_key_left_out_is_taken_from_the_first_in_any_order(world: World) -> None:
    left_out = "__debezium_unavailable_value"
    stories = movings(world, 4)
    for number, story in enumerate(stories):
        changes = [
            story.says(1, legal_name="Windrad Weimar GmbH"),
            *story.moves(2, OLD, NEW, legal_name=left_out),
            *story.moves(3, NEW, NEWEST, legal_name=left_out),
        ]
        Random(number).shuffle(changes)
        # The last row first in one of them, all in one unit of work in another.
        story.arrive(*([changes] if number == 0 else [[each] for each in (changes if number > 1 else changes[::-1])]))

    said = [
        world.one(
            "select attributes->>'name' from source_record where system = :system and type = :type and key = :key",
            **story.partner._replace(key=f"{story.partner.key}{NEWEST}")._asdict(),
        )
        for story in stories
    ]
    assert said == ["Windrad Weimar GmbH"] * len(stories)
    world.assert_verified()
