"""What a consumer knows that has read nothing but the published events, by the rules of the AsyncAPI document."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from mdm.streams.publisher import Record


@dataclass(slots=True)
class ConsumerView:
    """Golden records by entity id, and where absorbed ids lead."""

    golden: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)
    #: Entities whose tombstone was read.
    forgotten: set[str] = field(default_factory=set)
    #: Decisions of stewards and the entities they are about, as they came: they change no golden record.
    decisions: list[tuple[int, str]] = field(default_factory=list)
    #: Events taken in, and those recognised as repetitions.
    taken: int = 0
    repeated: int = 0
    #: Golden versions that did not count up by one: something was lost, or came in the wrong order.
    gaps: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    _last: dict[str, str] = field(default_factory=dict)
    _versions: dict[str, int] = field(default_factory=dict)

    def read(self, records: Iterable[Record]) -> "ConsumerView":
        for record in records:
            self._take(record)
        return self

    def _take(self, record: Record) -> None:
        if record.value is None:  # a tombstone: the subject was erased
            self.golden.pop(record.key.decode(), None)
            self.forgotten.add(record.key.decode())
            return
        message = KafkaMessage(dict(record.headers), record.key, record.value)
        event = from_binary(message, JSONFormat())
        entity, sequence = str(event.get_subject()), str(event.get_extension("sequence"))
        if sequence <= self._last.get(entity, ""):
            self.repeated += 1
            assert event.get_id() in self.ids, "a repetition carries the id that it had the first time"
            return
        self._last[entity] = sequence
        self.ids.add(event.get_id())
        self.taken += 1
        data = event.get_data()
        assert isinstance(data, dict)
        self._apply(entity, event.get_type().split(".")[2], data)

    def _apply(self, entity: str, kind: str, data: Mapping[str, Any]) -> None:
        if kind in ("created", "changed"):
            if data["version"] != self._versions.get(entity, 0) + 1:
                self.gaps.append(f"{entity}: {data['version']} after {self._versions.get(entity, 0)}")
            self._versions[entity] = data["version"]
            self.golden[entity] = data["values"]
            self.redirects.pop(entity, None)
            self.retired.discard(entity)
            return
        if kind == "merged":
            self.golden.pop(entity, None)
            self.redirects[entity] = data["merged_into"]
        elif kind == "retired":
            self.golden.pop(entity, None)
            self.retired.add(entity)
        elif kind == "decided":
            self.decisions.append((data["decision"], entity))

    def leads_to(self, entity: str) -> str:
        """Where an absorbed id leads in the end."""
        while entity in self.redirects:
            entity = self.redirects[entity]
        return entity
