"""What a unit of work writes: values only, so that simulation can look at them and tests can compare them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId


@dataclass(frozen=True, slots=True)
class Link:
    """A scored pair worth keeping; a < b. `weight` is in bits."""

    a: RecordId
    b: RecordId
    decision: str
    weight: float
    veto: str | None = None


@dataclass(frozen=True, slots=True)
class LinkChange:
    """Links to write and live links they supersede (by store id)."""

    added: tuple[Link, ...] = ()
    superseded: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownEntity:
    """An entity as the store holds it."""

    entity_id: EntityId
    domain: Domain
    status: str
    founder: RecordId
    founded_at: datetime
    #: Of a merged one: who absorbed it, and where its redirect ends.
    absorbed_by: EntityId | None = None
    merged_into: EntityId | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """Ids as they were before a decision that is taken back: they are given again, whoever is older by now.

    Attributes:
        homes: the entity that each record which the decision moved had left.
        absorbers: of each id that the decision had brought back out of a merger, who had absorbed it.
    """

    homes: Mapping[RecordId, EntityId] = field(default_factory=dict)
    absorbers: Mapping[EntityId, EntityId] = field(default_factory=dict)


NOTHING_RECALLED = Recall()


@dataclass(frozen=True, slots=True)
class Membership:
    """A record joins an entity; `left` is the entity it belonged to before."""

    rec_id: RecordId
    entity_id: EntityId
    left: EntityId | None


@dataclass(frozen=True, slots=True)
class Founding:
    """A new entity and the record that founded it."""

    entity_id: EntityId
    domain: Domain
    founder: RecordId


@dataclass(frozen=True, slots=True)
class Succession:
    """What becomes of an existing id: `merged` into another, `retired`, or `active` again.

    `absorbed_by` is set for one that is active again: who had absorbed it, if it had been merged.
    """

    entity_id: EntityId
    status: str
    merged_into: EntityId | None = None
    absorbed_by: EntityId | None = None


@dataclass(frozen=True, slots=True)
class CurrentGolden:
    """The newest golden version of an entity; `live` is False when it was closed (merged or retired)."""

    entity_id: EntityId
    version: int
    live: bool
    digest: bytes
    support: bytes
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Renewal:
    """The current golden version says the same for another reason: another record won, or another lost."""

    entity_id: EntityId
    domain: Domain
    lineage: Mapping[str, Any]
    support: bytes
    search_terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GoldenVersion:
    """A new version of a golden record."""

    entity_id: EntityId
    domain: Domain
    version: int
    name: str
    values: Mapping[str, Any]
    lineage: Mapping[str, Any]
    members: tuple[CrosswalkKey, ...]
    digest: bytes
    support: bytes
    ruleset: str
    cause: str
    changed: tuple[str, ...]
    search_terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """A question for a person about two records; `question` is the same for the same question."""

    question: str
    kind: str
    domain: Domain
    a: RecordId
    b: RecordId
    weight: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Announcement:
    """An outbox message. `aggregate` is the entity it is about."""

    domain: Domain
    aggregate: EntityId
    type: str
    payload: Mapping[str, Any]
    #: W3C trace context of the source event that caused it.
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class IdentityDelta:
    """Everything that resolving one domain writes."""

    domain: Domain
    links: LinkChange = field(default_factory=LinkChange)
    founded: tuple[Founding, ...] = ()
    succession: tuple[Succession, ...] = ()
    joined: tuple[Membership, ...] = ()
    #: Records that are no longer live, with the entity they left.
    departed: tuple[tuple[RecordId, EntityId], ...] = ()
    golden: tuple[GoldenVersion, ...] = ()
    renewed: tuple[Renewal, ...] = ()
    #: Entities without members, whose current golden version is closed.
    closed: tuple[EntityId, ...] = ()
    tasks_opened: tuple[Task, ...] = ()
    tasks_closed: tuple[int, ...] = ()
    announcements: tuple[Announcement, ...] = ()

    def __add__(self, other: "IdentityDelta") -> "IdentityDelta":
        """What two parts of a domain write that do not touch each other; the links are those of the first."""
        names = [each.name for each in fields(self) if each.name not in ("domain", "links")]
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in names})
