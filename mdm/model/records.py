"""Source records in canonical attributes, and what they point at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from mdm.model.events import Place, SourcePosition
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId


class Reference(NamedTuple):
    """One source record points at another, in a role such as `customer`, `product`, `contract`, `invoice`, `parent`."""

    role: str
    target: CrosswalkKey


class Evidence(NamedTuple):
    """A fact that one record states about another: this subscription says its customer has contract CT2024000123.

    `token` is typed and normalised, for example `contract:CT2024000123`. Two owners that share a token are candidates.
    """

    owner: CrosswalkKey
    token: str


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One source row in canonical attributes (`mdm.model.canonical`).

    `attributes` holds original forms, `comparison` the folded forms that matching reads (None or absent for unknown,
    never an empty string). `rejected` names attributes whose value was junk, with the code that says why.
    """

    key: CrosswalkKey
    #: The canonical kind: `customer`, `contract`, `product`, or a linked fact such as `invoice`.
    kind: str
    #: None for linked facts, which are kept and referenced but not resolved.
    domain: Domain | None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    comparison: Mapping[str, Any] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    #: Other names under which records of this platform refer to this row, as crosswalk keys of type `table#column`.
    aliases: tuple[CrosswalkKey, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    rejected: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provenance:
    """The change event that gave a record its current version."""

    place: Place
    position: SourcePosition
    event_time: datetime
    lsn: int | None = None
    transaction: str | None = None


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A live source record of a resolved domain as the hub holds it."""

    rec_id: RecordId
    key: CrosswalkKey
    domain: Domain
    attributes: Mapping[str, Any]
    comparison: Mapping[str, Any]
    provenance: Provenance
    references: tuple[Reference, ...] = ()
    #: The entity the record belonged to before this unit of work, if any.
    entity_id: EntityId | None = None
    #: Attributes in which the record only repeats what the hub had published.
    echoes: frozenset[str] = frozenset()
