"""Commands of stewards over HTTP: judge, merge, split, override, undo, preview; work on tasks; remarks.

Tasks are found by `api.routes.tasks`.

Every write takes `Idempotency-Key`, under which sending it again is harmless. One about a task, or about a golden
record that it names, takes `If-Match` with the entity tag of what the caller looked at (428 without).
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request, Response
from pydantic import Field

from api.auth import CallerDep, allows
from api.conditions import IfMatch, IfMatchWhereNeeded, must_state, tags_in
from api.cursors import read_cursor, write_cursor
from api.deps import HubDep, RulesDep
from api.errors import STALE, UNCONDITIONAL, refuse
from api.idempotency import OnceRoute
from api.present_stewardship import (
    decided_object,
    decision_object,
    override_object,
    preview_object,
    remark_object,
    task_object,
)
from api.routes.parameters import Paged, Parameters
from api.routes.responses import CHECKED, COMMANDED, GUARDED, TOO_LARGE, UNKNOWN
from api.schemas.given import MAX_ID, Storable
from api.schemas.stewardship import (
    AnyCommand,
    Assignment,
    CommentForm,
    CommentList,
    CommentText,
    Decision,
    DecisionEntry,
    DecisionPage,
    OverrideList,
    PreviewForm,
    Snooze,
    TaskJudgement,
    UndoReason,
)
from api.schemas.tasks import TaskForm
from api.wire import answer
from mdm.access import Caller, Permission
from mdm.core.four_eyes import Policy
from mdm.hub import steward
from mdm.hub.steward import Actor, CommandKey, Desk, Expected, TaskState
from mdm.model.ids import EntityId
from mdm.model.stewardship import Command, JudgeTask, Merge, Pin, Relate, Restore, Split, Undo
from mdm.store.read_stewardship import DecisionFilter, decisions, overrides_of
from mdm.store.reading import snapshot
from mdm.store.stewardship import find_decision

#: A split may name five hundred rows.
_MOST_BYTES = 128 * 1024

router = APIRouter(
    route_class=OnceRoute,
    prefix="/v1",
    tags=["stewardship"],
    dependencies=[Depends(allows(Permission.INSPECT))],
    responses={**GUARDED, **CHECKED},
)
deciding = [Depends(allows(Permission.DECIDE))]

Key = Annotated[
    Storable,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Your own name for this command: sent again with it, it has one effect and the same answer.",
    ),
]
TaskId = Annotated[int, Path(ge=1, le=MAX_ID, description="Task id.")]
DecisionId = Annotated[int, Path(ge=1, le=MAX_ID, description="Decision id.")]


async def get_desk(hub: HubDep, rules: RulesDep) -> Desk:
    return Desk(hub.engine, hub.clock, rules)


DeskDep = Annotated[Desk, Depends(get_desk)]


def actor_of(caller: Caller) -> Actor:
    """The caller as history names them."""
    return Actor(caller.key_id, caller.role)


#: What routes ask that change a task.
changing = [*deciding, Depends(must_state("task"))]


def _expected(command: Command, condition: str | None, *, needed: bool = True) -> Expected:
    """What `If-Match` says: the tag of a task, or of the golden record that the command is about.

    Commands that name neither (records, overrides, relations, decisions) have no tag: what stands against them is a
    conflict.
    """
    subject = _subject(command)
    tags = tags_in(condition) if condition else None
    if tags is None:
        if needed and not condition and subject is not None:
            raise refuse(UNCONDITIONAL, f"The header `If-Match` is missing: send the entity tag of {subject}.")
        return Expected()
    if subject is None:
        raise refuse(STALE, "This command names no task and no golden record that an entity tag could be of.")
    if isinstance(command, JudgeTask):
        return Expected(tasks=tags)
    versions = {tag.partition("-")[0] for tag in tags}
    return Expected(versions={EntityId(subject): frozenset(int(each) for each in versions if each.isdecimal())})


def _subject(command: Command) -> str | None:
    """What a command is about that has an entity tag; of a merge the first golden record."""
    match command:
        case JudgeTask():
            return f"task {command.task_id}"
        case Split() | Pin() | Restore() | Relate():
            return command.entity_id
        case Merge() if command.entities:
            return command.entities[0]
        case _:
            return None


def policy_of(request: Request) -> Policy | None:
    """When a second person is needed; None for the shipped policy."""
    policy: Policy | None = request.app.state.policy
    return policy


PolicyDep = Annotated[Policy | None, Depends(policy_of)]


@dataclass(frozen=True, slots=True)
class Commanding:
    """Carries out commands of the caller of this request."""

    desk: Desk
    actor: Actor
    policy: Policy | None

    def decide(self, command: Command, condition: str | None, key: str) -> Response:
        """The answer to a command."""
        expected = _expected(command, condition)
        decided = steward.decide(self.desk, self.actor, command, expected, CommandKey(key), self.policy)
        return told(decided)


def told(decided: steward.Decided) -> Response:
    """The answer to a command; one that was given before under its key says so as every such answer does."""
    response = answer(decided_object(decided))
    if decided.repeated:
        response.headers["Idempotency-Replayed"] = "true"
    return response


async def get_commanding(request: Request, caller: CallerDep, desk: DeskDep) -> Commanding:
    return Commanding(desk, actor_of(caller), policy_of(request))


CommandingDep = Annotated[Commanding, Depends(get_commanding)]


def _task(state: TaskState) -> Response:
    return answer(task_object(state), headers={"ETag": f'"{state.token}"'})


@router.post(
    "/decisions",
    name="decide",
    dependencies=deciding,
    summary="Carry out a command",
    response_model=Decision,
    responses={**COMMANDED, **TOO_LARGE},
    max_body_size=_MOST_BYTES,
)
def post_decision(
    command: Annotated[AnyCommand, Body()],
    commanding: CommandingDep,
    key: Key,
    condition: IfMatchWhereNeeded = None,
) -> Response:
    """One transaction: judgements, golden records, tasks, announcements and an audit row, or nothing.

    `If-Match` takes the tag of the task (judge), or of the golden record (split, pin, restore, relate; merge: of the
    first): 428 without. Other commands name nothing that has one.
    """
    return commanding.decide(command.value(), condition, key)


@router.post(
    "/decisions/preview",
    name="preview_decision",
    dependencies=deciding,
    summary="What a command would do now",
    response_model=PreviewForm,
    responses={**COMMANDED, **TOO_LARGE},
    max_body_size=_MOST_BYTES,
)
def post_preview(
    command: Annotated[AnyCommand, Body()],
    caller: CallerDep,
    commanding: CommandingDep,
    condition: IfMatchWhereNeeded = None,
) -> Response:
    """The same unit of work as the real thing, rolled back: golden records before and after with winners and losers,
    tasks, moves, ids, ERP numbers, running contracts, unpaid invoices and announcements."""
    value = command.value()
    expected = _expected(value, condition, needed=False)
    shown = steward.preview(commanding.desk, commanding.actor, value, expected, commanding.policy)
    return answer(preview_object(shown, caller.eyes))


class OverrideParameters(Parameters):
    """Of which golden record."""

    entity: Storable = Field(min_length=1, max_length=64)


class DecisionParameters(Paged):
    """Which decisions."""

    actor: Storable | None = Field(None, max_length=200, description="Only decisions of this person.")
    entity: Storable | None = Field(None, max_length=64, description="Only decisions that touched this golden record.")


@router.get("/decisions", name="list_decisions", summary="Decisions, the newest first", response_model=DecisionPage)
def list_decisions(page: Annotated[DecisionParameters, Query()], desk: DeskDep) -> Response:
    """Who decided what, why, with which effect, and whether it was undone."""
    scope = page.scope("decisions")
    before = int(read_cursor(page.cursor, scope, (int,))[0]) if page.cursor is not None else None
    with snapshot(desk.engine) as work:
        found = decisions(work, DecisionFilter(page.actor, page.entity), before, page.limit + 1)
    shown = found[: page.limit]
    return answer(
        {
            "items": [decision_object(each) for each in shown],
            "next": write_cursor(scope, [shown[-1].decision_id]) if len(found) > page.limit else None,
        }
    )


@router.get(
    "/decisions/{id}", name="get_decision", summary="One decision", response_model=DecisionEntry, responses=UNKNOWN
)
def get_decision(id: DecisionId, desk: DeskDep) -> Response:
    """With its command and its effect."""
    with snapshot(desk.engine) as work:
        return answer(decision_object(find_decision(work, id)))


@router.post(
    "/decisions/{id}/undo",
    name="undo_decision",
    dependencies=deciding,
    summary="Take back a decision",
    response_model=Decision,
    responses=COMMANDED,
)
def undo_decision(
    id: DecisionId,
    commanding: CommandingDep,
    key: Key,
    reason: Annotated[UndoReason | None, Body()] = None,
) -> Response:
    """Judgements, members, values and ids become what they were; the history of both decisions stays."""
    return commanding.decide(Undo(id, reason.reason if reason else ""), None, key)


@router.post(
    "/decisions/undo-last",
    name="undo_last_decision",
    dependencies=deciding,
    summary="Take back one's own newest decision",
    response_model=Decision,
    responses=COMMANDED,
)
def undo_last_decision(
    commanding: CommandingDep, key: Key, reason: Annotated[UndoReason | None, Body()] = None
) -> Response:
    """The newest of the caller that still holds. Under the same `Idempotency-Key` it is taken back once."""
    named = CommandKey(key)
    why = reason.reason if reason else ""
    return told(steward.undo_last(commanding.desk, commanding.actor, why, named, commanding.policy))


@router.get(
    "/overrides", name="list_overrides", summary="Pinned values of a golden record", response_model=OverrideList
)
def list_overrides(wanted: Annotated[OverrideParameters, Query()], caller: CallerDep, desk: DeskDep) -> Response:
    """With what each overruled, until when it holds, and whether a source row has challenged it."""
    with snapshot(desk.engine) as work:
        found = overrides_of(work, EntityId(wanted.entity))
    return answer({"items": [override_object(each, caller.eyes) for each in found]})


@router.post(
    "/tasks/{id}/judgement",
    name="judge_task",
    dependencies=changing,
    summary="Answer a task",
    response_model=Decision,
    responses=COMMANDED,
)
def judge_task(
    id: TaskId,
    judgement: Annotated[TaskJudgement, Body()],
    commanding: CommandingDep,
    key: Key,
    condition: IfMatch,
) -> Response:
    """Same, not the same (with an end date if it is not for ever), or unsure (the task stays open)."""
    return commanding.decide(judgement.of_task(id), condition, key)


def _expect_task(condition: str) -> Expected:
    return Expected(tasks=tags_in(condition))


@router.post(
    "/tasks/{id}/claim",
    name="claim_task",
    dependencies=changing,
    summary="Take a task",
    response_model=TaskForm,
    responses=COMMANDED,
)
def claim_task(id: TaskId, caller: CallerDep, desk: DeskDep, condition: IfMatch) -> Response:
    """Taking one's own again changes nothing; 409 when somebody else has it."""
    return _task(steward.claim(desk, actor_of(caller), id, _expect_task(condition)))


@router.post(
    "/tasks/{id}/assign",
    name="assign_task",
    dependencies=changing,
    summary="Hand over a task",
    response_model=TaskForm,
    responses=COMMANDED,
)
def assign_task(
    id: TaskId, to: Annotated[Assignment, Body()], caller: CallerDep, desk: DeskDep, condition: IfMatch
) -> Response:
    """To anybody, also away from somebody else."""
    return _task(steward.assign(desk, actor_of(caller), id, to.assignee, _expect_task(condition)))


@router.post(
    "/tasks/{id}/release",
    name="release_task",
    dependencies=changing,
    summary="Give a task back",
    response_model=TaskForm,
    responses=COMMANDED,
)
def release_task(id: TaskId, caller: CallerDep, desk: DeskDep, condition: IfMatch) -> Response:
    """It is everybody's again."""
    return _task(steward.release(desk, actor_of(caller), id, _expect_task(condition)))


@router.post(
    "/tasks/{id}/snooze",
    name="snooze_task",
    dependencies=changing,
    summary="Put off a task",
    response_model=TaskForm,
    responses=COMMANDED,
)
def snooze_task(
    id: TaskId, put_off: Annotated[Snooze, Body()], caller: CallerDep, desk: DeskDep, condition: IfMatch
) -> Response:
    """Until a time; null wakes it up."""
    return _task(steward.snooze(desk, actor_of(caller), id, put_off.until, _expect_task(condition)))


@router.get(
    "/tasks/{id}/comments",
    name="list_task_comments",
    summary="Remarks on a task",
    response_model=CommentList,
    responses=UNKNOWN,
)
def list_task_comments(id: TaskId, desk: DeskDep) -> Response:
    """The oldest first; they belong to the question and outlive the task."""
    return answer(_remarks(desk, f"task:{id}"))


@router.post(
    "/tasks/{id}/comments",
    name="comment_on_task",
    dependencies=deciding,
    summary="Leave a remark on a task",
    response_model=CommentForm,
    responses=COMMANDED,
)
def comment_on_task(id: TaskId, remark: Annotated[CommentText, Body()], caller: CallerDep, desk: DeskDep) -> Response:
    """For whoever looks at it next."""
    return answer(remark_object(steward.comment(desk, actor_of(caller), f"task:{id}", remark.text)))


def _remarks(desk: Desk, subject: str) -> dict[str, Any]:
    with snapshot(desk.engine) as work:
        return {"items": [remark_object(each) for each in steward.comments(work, subject)]}
