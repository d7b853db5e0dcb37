"""What stewards ask of the hub, as values: commands, the judgements and overrides they leave, and what became of them.

A command is complete: it can be previewed, proposed to a second person, stored and asked again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from mdm.model.delta import Recall
from mdm.model.hierarchy import NewRelation, RelationEffect, RelationKind
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId


class Verdict(StrEnum):
    """A steward's answer about two records."""

    SAME = "same"
    NOT_SAME = "not_same"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Pick:
    """Take an attribute from this record, whatever the rules say."""

    attribute: str
    record: CrosswalkKey


@dataclass(frozen=True, slots=True)
class JudgeTask:
    """Answer the question of a task.

    `until` ends a "not the same" by itself. `picks` go with a "the same": values that are pinned by the same decision,
    so that they are previewed, approved and taken back together with it.
    """

    task_id: int
    verdict: Verdict
    reason: str = ""
    until: datetime | None = None
    picks: tuple[Pick, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgePair:
    """Say of two records whether they are the same, whether or not anybody asked."""

    a: CrosswalkKey
    b: CrosswalkKey
    verdict: Verdict
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """Make several entities, and the entities of several records, one.

    `supersede` allows that earlier "not the same" verdicts between them end.
    """

    entities: tuple[EntityId, ...]
    records: tuple[CrosswalkKey, ...] = ()
    reason: str = ""
    supersede: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """Take records out of an entity into one of their own.

    With `tree`, records that hang together with the entity only through one of these go along. Until `until`, or for
    ever, none of them rejoins the ones that stay.
    """

    entity_id: EntityId
    records: tuple[CrosswalkKey, ...]
    tree: bool = False
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """Override a golden attribute: with `value` (None: no value at all), or with what `from_record` says."""

    entity_id: EntityId
    attribute: str
    value: Any = None  # Any: the JSON form of the attribute's shape
    from_record: CrosswalkKey | None = None
    reason: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Clear:
    """End an override; what survives by rule comes back."""

    override_id: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Confirm:
    """Keep an override although what it overruled has changed: what the records say now is what it overrules."""

    override_id: int
    reason: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """Give an entity the golden values of one of its versions again, as a new version, by overrides."""

    entity_id: EntityId
    version: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Relate:
    """Say who the parent of a customer is from `valid_from` until before `valid_to`, of one kind.

    Without a parent it is said that it has none, whatever platforms state; only of the legal parent.
    """

    entity_id: EntityId
    kind: RelationKind
    parent: EntityId | None
    valid_from: date
    valid_to: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EndRelation:
    """Let a relation no longer hold from a day on; without a day, take it back as if it had never been said."""

    relation_id: int
    on: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back a decision: judgements and overrides become what they were before it."""

    decision_id: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Discard:
    """Close refused messages for good, by their numbers: what they said never becomes part of any golden record.

    They stay stored, and undoing opens them again. Those that are closed already are left as they are.
    """

    letters: tuple[int, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LetThrough:
    """Let ERPs have a version in which a platform changed sensitive attributes. Only the hub asks for it.

    `change` is the digest of the values before and after (`mdm.core.sensitive`); `served` and `version` are the
    versions that held them when it was asked.
    """

    entity_id: EntityId
    change: str
    attributes: tuple[str, ...]
    served: int
    version: int
    reason: str = ""


Command: TypeAlias = (
    JudgeTask
    | JudgePair
    | Merge
    | Split
    | Pin
    | Clear
    | Confirm
    | Restore
    | Relate
    | EndRelation
    | Discard
    | LetThrough
    | Undo
)


@dataclass(frozen=True, slots=True)
class Override:
    """A pinned golden value, live until it is ended.

    It holds for the entity of its first live anchor. `overruled` is what the members said when it was pinned: when one
    of them says something else, the override is challenged.
    """

    override_id: int
    domain: Domain
    attribute: str
    value: Any  # Any: the JSON form of the attribute's shape; None hides the attribute
    anchors: tuple[RecordId, ...]
    overruled: Mapping[RecordId, Any]
    author: str
    reason: str
    created_at: datetime
    expires_at: datetime | None = None
    #: The override that this one brought back; itself for a first one.
    origin: int = 0

    def home(self, live: Collection[RecordId]) -> RecordId | None:
        """The record with which it holds, a function of live records alone; None when all anchors are gone."""
        return next((rec for rec in self.anchors if rec in live), None)


@dataclass(frozen=True, slots=True)
class NewJudgement:
    """A verdict to write; a < b. `origin` is the judgement that it brings back, if any."""

    a: RecordId
    b: RecordId
    verdict: Verdict
    author: str
    reason: str = ""
    until: datetime | None = None
    origin: int | None = None


@dataclass(frozen=True, slots=True)
class NewOverride:
    """An override to write. `origin` is the override that it brings back, if any."""

    attribute: str
    value: Any
    anchors: tuple[RecordId, ...]
    overruled: Mapping[RecordId, Any]
    author: str
    reason: str
    created_at: datetime
    expires_at: datetime | None = None
    origin: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a command comes to, before identity is settled anew.

    Attributes:
        kind: what the decision is called in history.
        domain: of the records it speaks about; None for what is about refused messages.
        records: what it speaks about; everything they reach is settled.
        supersede: live judgements (by store id) that end.
        together, apart: pairs that must, or must not, share an entity afterwards.
        entities: ids that the command named.
        attributes: what would be pinned, or no longer be pinned, by hand; of a relation, its kind.
        pattern: of a verdict about a pair, what the evidence looked like.
        undoes_agreed: the decision to undo had needed a second person.
        discard, reopen: refused messages that are closed for good, or opened again.
        recall: of an undoing, the ids as they were before.
        let_through: a change of sensitive attributes that ERPs may have.
    """

    kind: str
    domain: Domain | None
    records: frozenset[RecordId]
    reason: str = ""
    cause: str = "steward"
    judgements: tuple[NewJudgement, ...] = ()
    supersede: tuple[int, ...] = ()
    overrides: tuple[NewOverride, ...] = ()
    end_overrides: tuple[int, ...] = ()
    relations: tuple[NewRelation, ...] = ()
    end_relations: tuple[int, ...] = ()
    together: tuple[tuple[RecordId, RecordId], ...] = ()
    apart: tuple[tuple[RecordId, RecordId], ...] = ()
    entities: tuple[EntityId, ...] = ()
    attributes: frozenset[str] = frozenset()
    pattern: tuple[str, ...] | None = None
    task_id: int | None = None
    undoes: int | None = None
    undoes_agreed: bool = False
    discard: tuple[int, ...] = ()
    reopen: tuple[int, ...] = ()
    recall: Recall = field(default_factory=Recall)
    let_through: LetThrough | None = None


@dataclass(frozen=True, slots=True)
class EntityEffect:
    """What a command does to one entity. `entity_id` is None for one that a preview would found.

    `fate` is founded, revived, changed, renewed (the same values for other reasons), merged or retired. `absorbed_by`
    is who had absorbed one that is revived.
    """

    entity_id: EntityId | None
    domain: Domain
    fate: str
    merged_into: EntityId | None
    name: str
    version_before: int | None
    version_after: int | None
    members_before: tuple[CrosswalkKey, ...]
    members_after: tuple[CrosswalkKey, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    lineage: Mapping[str, Any]
    absorbed_by: EntityId | None = None

    @property
    def changed(self) -> tuple[str, ...]:
        """Attributes whose value differs."""
        names = self.before.keys() | self.after.keys()
        return tuple(sorted(name for name in names if self.before.get(name) != self.after.get(name)))


@dataclass(frozen=True, slots=True)
class Move:
    """A record leaves one entity for another; None stands for one that a preview would found."""

    record: CrosswalkKey
    domain: Domain
    left: EntityId | None
    joined: EntityId | None


@dataclass(frozen=True, slots=True)
class TaskEffect:
    """A task that the command opens or closes; a preview opens tasks without an id."""

    task_id: int | None
    question: str
    kind: str
    domain: Domain


@dataclass(frozen=True, slots=True)
class LetterEffect:
    """A refused message that is closed for good, or opened again: where it stood, and the row it is about."""

    letter_id: int
    fate: str  # discarded, reopened
    place: str
    code: str
    row: str = ""
    tier: int = 2


@dataclass(frozen=True, slots=True)
class Exposure:
    """What hangs on the touched entities, or on the rows of refused messages: amounts by currency as decimal text."""

    contracts: int = 0
    contract_value: Mapping[str, str] = field(default_factory=dict)
    invoices: int = 0
    invoice_amount: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Effect:
    """Everything a command does, the same whether it was carried out or only previewed."""

    entities: tuple[EntityEffect, ...] = ()
    moves: tuple[Move, ...] = ()
    tasks_closed: tuple[TaskEffect, ...] = ()
    tasks_opened: tuple[TaskEffect, ...] = ()
    #: Records of ERP in the touched entities: their numbers are what ERP users see change.
    erp: tuple[CrosswalkKey, ...] = ()
    exposure: Exposure = field(default_factory=Exposure)
    #: Announcements per type that consumers of the change feed will get.
    announcements: Mapping[str, int] = field(default_factory=dict)
    #: Who takes announcements or reads as ERP, by the label of the key.
    consumers: tuple[str, ...] = ()
    #: Relations of a hierarchy that begin or end.
    relations: tuple[RelationEffect, ...] = ()
    #: Refused messages that are closed or opened again.
    letters: tuple[LetterEffect, ...] = ()

    @property
    def discarded(self) -> int:
        """How many refused messages are closed for good."""
        return sum(each.fate == "discarded" for each in self.letters)
