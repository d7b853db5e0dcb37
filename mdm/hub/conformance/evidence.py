"""A feed as the cases look at it: messages, what they decode to, and the rows that each order of delivery ends in."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import msgspec

from mdm.hub.conformance.journal import Journal
from mdm.intake.catalogue import Catalogue
from mdm.intake.debezium import Decoded, translate
from mdm.intake.envelope import unwrap
from mdm.model.events import ChangeEvent, Message, Place
from mdm.model.ids import CrosswalkKey

Rows = Mapping[CrosswalkKey, Mapping[str, Any]]

#: Another offset for a message that a restarted connector sends again.
_ELSEWHERE = 2**40


@dataclass(frozen=True)
class Evidence:
    """Everything the cases need to know about a feed; worked out once."""

    messages: tuple[Message, ...]
    catalogue: Catalogue

    @cached_property
    def decoded(self) -> Decoded:
        return translate(self.messages, self.catalogue)

    @cached_property
    def events(self) -> tuple[ChangeEvent, ...]:
        return self.decoded.events

    @cached_property
    def journal(self) -> Journal:
        """The feed as it was delivered."""
        return Journal().take(self.events)

    @cached_property
    def rows(self) -> Rows:
        return self.journal.rows()

    @cached_property
    def ignored(self) -> dict[str, int]:
        """Messages without a row, by reason."""
        counts: dict[str, int] = {}
        for each in self.decoded.ignored:
            counts[each.reason] = counts.get(each.reason, 0) + 1
        return counts

    def rows_of(self, events: Iterable[ChangeEvent]) -> Rows:
        """The rows that another delivery of the events ends in."""
        return Journal().take(list(events)).rows()

    def last(self, late: Callable[[ChangeEvent], bool]) -> list[ChangeEvent]:
        """All events, those that `late` picks after all others."""
        return sorted(self.events, key=late)

    def partitions_backwards(self) -> list[ChangeEvent]:
        """Partition after partition, the last one first; within each the order is kept."""
        order = {part: number for number, part in enumerate(dict.fromkeys(e.place[:2] for e in self.events))}
        return sorted(self.events, key=lambda event: -order[event.place.topic, event.place.partition])

    def shuffled(self, seed: int) -> list[ChangeEvent]:
        """In any order at all."""
        events = list(self.events)
        random.Random(seed).shuffle(events)  # noqa: S311 - an order, not a secret
        return events

    def sent_again(self) -> list[ChangeEvent]:
        """Every event, and every event once more at another offset, as after a restart of the connector."""
        return [*self.events, *(elsewhere(event) for event in self.events)]

    def payloads(self, belongs: Callable[[str], bool]) -> Iterable[dict[str, Any]]:
        """The JSON objects of messages whose topic belongs, without the schema beside them."""
        for message in self.messages:
            if message.value is not None and belongs(message.place.topic):
                payload, _ = unwrap(message.value)
                decoded = msgspec.json.decode(payload)
                if isinstance(decoded, dict):
                    yield decoded


def elsewhere(event: ChangeEvent) -> ChangeEvent:
    """The same change at another offset of its partition."""
    place = event.place
    return replace(event, place=Place(place.topic, place.partition, place.offset + _ELSEWHERE))


def evidence_of(messages: Sequence[Message], catalogue: Catalogue) -> Evidence:
    return Evidence(tuple(messages), catalogue)
