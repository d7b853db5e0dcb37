"""What a unit of work knows before it decides: the part of the hub that its changes can reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mdm.model.delta import CurrentGolden, KnownEntity, Recall
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.records import StoredRecord
from mdm.model.stewardship import Override


@dataclass(frozen=True, slots=True)
class LiveLink:
    """A live link of the store."""

    link_id: int
    a: RecordId
    b: RecordId
    decision: str
    weight: float
    veto: str | None


@dataclass(frozen=True, slots=True)
class OpenTask:
    """An open steward task of the store."""

    task_id: int
    question: str


@dataclass(frozen=True, slots=True)
class Outsider:
    """A live record that a possible match or a "not the same" points at but no match reaches."""

    name: CrosswalkKey
    entity_id: EntityId


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Everything reachable from a batch's changes in one domain, read under claims.

    `records` is closed under match links and steward judgements. `changed` are records whose content is new, `departed`
    records that are no longer live, with the entity they belonged to.
    """

    domain: Domain
    records: Mapping[RecordId, StoredRecord]
    changed: frozenset[RecordId] = frozenset()
    departed: Mapping[RecordId, EntityId] = field(default_factory=dict)
    links: Sequence[LiveLink] = ()
    same: frozenset[frozenset[RecordId]] = frozenset()
    not_same: frozenset[frozenset[RecordId]] = frozenset()
    entities: Mapping[EntityId, KnownEntity] = field(default_factory=dict)
    claims: Mapping[RecordId, EntityId] = field(default_factory=dict)
    golden: Mapping[EntityId, CurrentGolden] = field(default_factory=dict)
    outsiders: Mapping[RecordId, Outsider] = field(default_factory=dict)
    open_tasks: Sequence[OpenTask] = ()
    #: Live overrides by the record they hold with: their first live anchor.
    overrides: Mapping[RecordId, Sequence[Override]] = field(default_factory=dict)
    #: Ids to be given again because a decision is taken back.
    recall: Recall = field(default_factory=Recall)
