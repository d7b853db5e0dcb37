"""Commands of stewards and what the hub answers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.common import Form, Page, SourceKey
from api.schemas.given import MAX_ID, Asked, Day, Moment, Storable
from mdm.model.hierarchy import RelationKind
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.model.stewardship import (
    Clear,
    Command,
    Confirm,
    EndRelation,
    JudgePair,
    JudgeTask,
    Merge,
    Pick,
    Pin,
    Relate,
    Restore,
    Split,
    Undo,
    Verdict,
)

_Text = Annotated[Storable, Field(max_length=4000)]
_Id = Annotated[Storable, Field(min_length=1, max_length=64)]
#: An answer by its word.
AnyVerdict = Annotated[Verdict, Field(strict=False)]
Number = Annotated[int, Field(ge=1, le=MAX_ID)]


class RecordName(Asked):
    """A source row: platform, table, primary key."""

    system: Annotated[Storable, Field(min_length=1, max_length=100)]
    type: Annotated[Storable, Field(min_length=1, max_length=200)]
    key: Annotated[Storable, Field(min_length=1, max_length=500)]

    def value(self) -> CrosswalkKey:
        return CrosswalkKey(self.system, self.type, self.key)


class Reasoned(Asked):
    reason: _Text = Field("", description="Kept in the history of the records and in the audit.")


class Judgement(Reasoned):
    """An answer to a task."""

    verdict: AnyVerdict
    until: Moment | None = Field(None, description="Only with `not_same`: until when it holds. For ever if absent.")


class PickedValue(Asked):
    """Take an attribute from this source row, whatever the rules say."""

    attribute: Annotated[Storable, Field(min_length=1, max_length=64)]
    record: RecordName


class TaskJudgement(Judgement):
    """An answer to a task, and values that are pinned by the same decision."""

    picks: list[PickedValue] = Field(
        default_factory=list, max_length=100, description="Only with `same`: values of the golden record they become."
    )

    def of_task(self, task_id: int) -> Command:
        picks = tuple(Pick(each.attribute, each.record.value()) for each in self.picks)
        return JudgeTask(task_id, self.verdict, self.reason, self.until, picks)


class JudgeTaskCommand(TaskJudgement):
    """Answer the question of a task."""

    command: Literal["judge_task"]
    task_id: Number

    def value(self) -> Command:
        return self.of_task(self.task_id)


class JudgePairCommand(Judgement):
    """Say of two source rows whether they are the same."""

    command: Literal["judge_pair"]
    a: RecordName
    b: RecordName

    def value(self) -> Command:
        return JudgePair(self.a.value(), self.b.value(), self.verdict, self.reason, self.until)


class MergeCommand(Reasoned):
    """Make several golden records one."""

    command: Literal["merge"]
    entities: list[_Id] = Field(default_factory=list, max_length=100)
    records: list[RecordName] = Field(default_factory=list, max_length=100, description="The entities of these rows.")
    supersede: bool = Field(False, description="End earlier verdicts `not_same` that stand against it.")

    def value(self) -> Command:
        entities = tuple(map(EntityId, self.entities))
        return Merge(entities, tuple(each.value() for each in self.records), self.reason, self.supersede)


class SplitCommand(Reasoned):
    """Take source rows out of a golden record into one of their own."""

    command: Literal["split"]
    entity_id: _Id
    records: list[RecordName] = Field(min_length=1, max_length=500)
    tree: bool = Field(False, description="Take along what hangs together with the rest only through these rows.")
    until: Moment | None = Field(None, description="Until when they may not rejoin. For ever if absent.")

    def value(self) -> Command:
        records = tuple(each.value() for each in self.records)
        return Split(EntityId(self.entity_id), records, self.tree, self.reason, self.until)


class PinCommand(Reasoned):
    """Override a golden attribute."""

    command: Literal["pin"]
    entity_id: _Id
    attribute: Annotated[Storable, Field(min_length=1, max_length=64)]
    value_: Any = Field(None, alias="value", description="In the JSON form of the attribute. Null: no value at all.")
    from_record: RecordName | None = Field(None, description="Take what this row says instead of `value`.")
    expires_at: Moment | None = None

    def value(self) -> Command:
        source = self.from_record.value() if self.from_record else None
        return Pin(EntityId(self.entity_id), self.attribute, self.value_, source, self.reason, self.expires_at)


class ClearCommand(Reasoned):
    """End an override."""

    command: Literal["clear"]
    override_id: Number

    def value(self) -> Command:
        return Clear(self.override_id, self.reason)


class ConfirmCommand(Reasoned):
    """Keep an override although what it overruled has changed."""

    command: Literal["confirm"]
    override_id: Number
    expires_at: Moment | None = None

    def value(self) -> Command:
        return Confirm(self.override_id, self.reason, self.expires_at)


class RestoreCommand(Reasoned):
    """Give a golden record the values of one of its versions again."""

    command: Literal["restore"]
    entity_id: _Id
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]

    def value(self) -> Command:
        return Restore(EntityId(self.entity_id), self.version, self.reason)


class RelateCommand(Reasoned):
    """Say who the parent of a customer is, of one kind, from a day on. Older words give way on these days."""

    command: Literal["relate"]
    entity_id: _Id
    kind: Annotated[RelationKind, Field(strict=False)]
    parent: _Id | None = Field(description="Null: it has no legal parent, whatever platforms state.")
    valid_from: Day
    valid_to: Day | None = Field(None, description="The first day on which it no longer holds. No end if absent.")

    def value(self) -> Command:
        parent = EntityId(self.parent) if self.parent is not None else None
        return Relate(EntityId(self.entity_id), self.kind, parent, self.valid_from, self.valid_to, self.reason)


class EndRelationCommand(Reasoned):
    """Let a relation end on a day, or take it back as if it had never been said."""

    command: Literal["end_relation"]
    relation_id: Number
    on: Day | None = Field(None, description="The first day on which it no longer holds; absent: take it back.")

    def value(self) -> Command:
        return EndRelation(self.relation_id, self.on, self.reason)


class UndoCommand(Reasoned):
    """Take back a decision."""

    command: Literal["undo"]
    decision_id: Number

    def value(self) -> Command:
        return Undo(self.decision_id, self.reason)


AnyCommand = Annotated[
    JudgeTaskCommand
    | JudgePairCommand
    | MergeCommand
    | SplitCommand
    | PinCommand
    | ClearCommand
    | ConfirmCommand
    | RestoreCommand
    | RelateCommand
    | EndRelationCommand
    | UndoCommand,
    Field(discriminator="command"),
]


class Assignment(Asked):
    """To whom a task goes."""

    assignee: Annotated[Storable, Field(min_length=1, max_length=200)]


class Snooze(Asked):
    """Until when a task is put off; null wakes it up."""

    until: Moment | None


class CommentText(Asked):
    """A remark."""

    text: Annotated[Storable, Field(min_length=1, max_length=4000)]


class UndoReason(Reasoned):
    """Why a decision is taken back."""


class Decision(Form):
    """What a command did. Values are in the golden records; here are ids, versions and tasks."""

    status: Literal["done", "proposed"] = "done"
    decision_id: int | None
    kind: str
    effect: dict[str, Any]
    repeated: bool = Field(False, description="The key was used before: this is the answer of then.")
    proposal_id: int | None = Field(None, description="With status `proposed`: what waits for a second person.")
    demands: list[str] = Field(default_factory=list, description="Rules of the policy that ask for a second person.")


class EntityPreview(Form):
    """One golden record before and after."""

    entity_id: str | None = Field(description="Null for one that would be founded.")
    domain: Domain
    fate: str
    merged_into: str | None
    name: str
    version_before: int | None
    version_after: int | None
    members_before: list[SourceKey]
    members_after: list[SourceKey]
    changed: list[str]
    before: dict[str, Any]
    after: dict[str, Any]
    lineage: dict[str, Any] = Field(description="Of `after`: winners, rules and losers by attribute.")
    masked: list[str]


class DemandForm(Form):
    """A rule of the policy that asks for a second person."""

    name: str
    because: str


class PreviewForm(Form):
    """What a command would do now, by the engine that would do it."""

    kind: str
    digest: str = Field(description="Names this picture; another digest later means that it has changed.")
    demands: list[DemandForm] = Field(description="Why a second person would have to agree; empty when none.")
    entities: list[EntityPreview]
    moves: list[dict[str, Any]]
    tasks_closed: list[dict[str, Any]]
    tasks_opened: list[dict[str, Any]]
    erp: list[SourceKey] = Field(description="Rows of ERP whose numbers are touched.")
    exposure: dict[str, Any]
    announcements: dict[str, int]
    consumers: list[str]
    relations: list[dict[str, Any]] = Field(description="Relations of a hierarchy that begin or end.")
    letters: list[dict[str, Any]] = Field(description="Refused messages that are closed for good, or opened again.")


class CommentForm(Form):
    """A remark."""

    comment_id: int
    author: str
    text: str
    at: datetime


class CommentList(Form):
    """All remarks on one matter, the oldest first."""

    items: list[CommentForm]


class DecisionEntry(Form):
    """A decision in history."""

    decision_id: int
    kind: str
    domain: Domain | None = Field(description="Of the records; null for what is about refused messages.")
    actor: str
    reason: str
    command: dict[str, Any]
    effect: dict[str, Any]
    task_id: int | None
    proposal_id: int | None
    approved_by: str | None
    undoes: int | None
    undone_by: int | None
    at: datetime


DecisionPage = Page[DecisionEntry]


class ProposalForm(Form):
    """A command that waits, or waited, for a second person."""

    proposal_id: int
    kind: str
    domain: Domain | None = Field(description="Of the records; null for what is about refused messages.")
    command: dict[str, Any]
    effect: dict[str, Any] = Field(description="As it was when proposed; `/preview` says what it would do now.")
    digest: str
    demands: list[dict[str, Any]] = Field(description="Rules that asked for a second person: name, because, approvers.")
    entities: list[str]
    task_id: int | None
    author: str
    reason: str
    status: Literal["open", "approved", "rejected", "withdrawn", "expired"]
    decided_by: str | None
    on_behalf_of: str | None
    comment: str
    decision_id: int | None
    proposed_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    risk: Literal["normal", "elevated", "high"] = Field(
        description="What the gravest of the demanding rules says is at stake; as of when it was proposed."
    )
    stake: float = Field(
        ge=0, description="Money that hangs on the touched records, as a multiple of the policy's limits; 0: none."
    )


ProposalPage = Page[ProposalForm]


class Agreement(Asked):
    """What an approver says."""

    comment: _Text = ""
    digest: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = Field(
        None, description="Of the preview that was looked at; of the proposal if absent."
    )


class Objection(Asked):
    """Why a proposal is turned down."""

    comment: Annotated[Storable, Field(min_length=1, max_length=4000)]


class DelegationWish(Asked):
    """Who approves in the caller's place, and until when."""

    to: Annotated[Storable, Field(min_length=1, max_length=200)]
    until: Moment
    reason: _Text = ""


class DelegationForm(Form):
    """One person approves in another's place."""

    delegation_id: int
    owner: str
    delegate: str
    reason: str
    since: datetime
    until: datetime


class DelegationList(Form):
    """Live delegations."""

    items: list[DelegationForm]


class OverrideForm(Form):
    """A pinned golden value."""

    override_id: int
    entity_id: str
    domain: Domain
    attribute: str
    value: Any = Field(description="Null: no value at all.")
    overruled: list[dict[str, Any]] = Field(description="What the source rows said when it was pinned.")
    author: str
    reason: str
    created_at: datetime
    expires_at: datetime | None
    challenged: bool = Field(description="A source row says something new; a task asks whether it still holds.")
    task_id: int | None


class OverrideList(Form):
    """Live overrides of a golden record."""

    items: list[OverrideForm]
