"""What survivorship hands back: the surviving values and, for each of them, where it comes from and who lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from mdm.model.ids import CrosswalkKey
from mdm.model.records import Provenance
from mdm.model.stewardship import Override

#: A value in the JSON form of its attribute's shape (`mdm.model.canonical.Shape`), hence Any.
Value: TypeAlias = Any

#: Runners-up are kept for explanation, not for completeness; an entity of a thousand records has a thousand of them.
MAX_RUNNERS_UP = 10

_REASONS: Mapping[str, str] = {
    "same_value": "states the same value",
    "prefer": "comes from a record that the rule puts last",
    "trust": "comes from a less trusted source",
    "most_recent": "is older",
    "oldest": "is newer",
    "most_frequent": "is stated by fewer records",
    "best_supported": "has less trusted sources behind it",
    "states": "comes from a record that says less",
    "street_address": "is not an address that one can visit",
    "most_complete": "is less complete",
    "best_written": "is not written as well",
    "longest": "is shorter",
    "maximum": "is lower",
    "minimum": "is higher",
    "validated_first": "is not validated",
    "latest_position": "stands earlier in its source",
    "key_order": "ties in everything; its key comes later",
    "same_record": "comes from another record than the value that it belongs to",
    "echo": "came from the hub and says nothing new",
    "overruled": "was overruled by a steward",
}


@dataclass(frozen=True)
class Origin:
    """A member and the change event that brought its present form."""

    record: CrosswalkKey
    provenance: Provenance

    def as_json(self) -> dict[str, Any]:
        """Record, topic, partition, offset, lsn, transaction and event_time (ISO 8601, UTC)."""
        return dict(self._json)

    @cached_property
    def _json(self) -> Mapping[str, Any]:
        # One member is the origin of many attributes.
        came = self.provenance
        return {
            "record": _record_json(self.record),
            "topic": came.place.topic,
            "partition": came.place.partition,
            "offset": came.place.offset,
            "lsn": came.lsn,
            "transaction": came.transaction,
            "event_time": came.event_time.astimezone(UTC).isoformat(),
        }


class RunnerUp(NamedTuple):
    """A value that did not survive. `lost_by` names the criterion at which it fell behind."""

    record: CrosswalkKey
    value: Value
    lost_by: str

    @property
    def reason(self) -> str:
        """Why it lost, as the end of a sentence that begins with the value."""
        return _REASONS[self.lost_by]

    def as_json(self) -> dict[str, Any]:
        """Record, rule and reason, and the value unless it is the golden value itself."""
        shown = {"record": _record_json(self.record), "rule": self.lost_by, "reason": self.reason}
        if self.lost_by != "same_value":
            shown["value"] = self.value
        return shown


def _record_json(key: CrosswalkKey) -> dict[str, Any]:
    return {"system": key.system, "type": key.type, "key": key.key}


class ElementLineage(NamedTuple):
    """Where one element of a union comes from; `runners_up` are other records that state the same element.

    `name` is that of an extension attribute, with its platform; elements of lists have none.
    """

    origin: Origin
    rule: str
    runners_up: tuple[RunnerUp, ...] = ()
    name: str = ""

    def as_json(self) -> dict[str, Any]:
        """The origin's form with rule and runners-up."""
        shown = self.origin.as_json()
        shown["rule"] = self.rule
        shown["runners_up"] = [runner_up.as_json() for runner_up in self.runners_up]
        return {"name": self.name, **shown} if self.name else shown


class AttributeLineage(NamedTuple):
    """Where one golden value comes from.

    `ruleset` is the fingerprint of the rules, followed by `/` and the variant when a variant's rule decided. `rule` is
    the criterion that decided: `only_value` when one record states the attribute, `same_value` when all that do agree,
    `same_record` when it follows another attribute, `union` for a list put together from several records, else the
    criterion at which the last competitor fell behind. For a union, `origin` is that of the first element and
    `elements` are in the order of the golden list.
    """

    origin: Origin
    rule: str
    ruleset: str
    runners_up: tuple[RunnerUp, ...] = ()
    elements: tuple[ElementLineage, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The form that is stored and served."""
        shown = self.origin.as_json()
        shown["rule"] = self.rule
        shown["ruleset"] = self.ruleset
        shown["runners_up"] = [runner_up.as_json() for runner_up in self.runners_up]
        if self.elements:
            shown["elements"] = [element.as_json() for element in self.elements]
        return shown


class Overridden(NamedTuple):
    """A golden value that a steward pinned. `runners_up` begins with the value that would have survived by rule."""

    override: Override
    ruleset: str
    runners_up: tuple[RunnerUp, ...] = ()

    @property
    def rule(self) -> str:
        return "override"

    def as_json(self) -> dict[str, Any]:
        """The form that is stored and served; what only values of source rows have is null."""
        until = self.override.expires_at
        return {
            "record": None, "topic": None, "partition": None, "offset": None, "lsn": None, "transaction": None,
            "event_time": None,
            "rule": self.rule,
            "ruleset": self.ruleset,
            "runners_up": [runner_up.as_json() for runner_up in self.runners_up],
            "override": {
                "override_id": self.override.override_id,
                "author": self.override.author,
                "reason": self.override.reason,
                "at": self.override.created_at.astimezone(UTC).isoformat(),
                "expires_at": until.astimezone(UTC).isoformat() if until is not None else None,
            },
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Consolidated:
    """What survives of an entity's members: values in canonical order, and one lineage for each of them."""

    values: Mapping[str, Value]
    lineage: Mapping[str, AttributeLineage | Overridden]
    #: What the entity is called in lists.
    name: str
    #: Folded words and identifiers under which it is found, sorted.
    search_terms: tuple[str, ...] = field(default=())
