"""What could not be processed, over HTTP: refused messages (`/v1/dead-letters`) and other exceptions.

The same use cases as in the console and on the command line. All of it is about the whole hub: whoever's scope reaches
a part of it sees none of it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import Field

from api import ranking
from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.deps import HubDep, ReadHub, ReadsDep, Released, RulesDep
from api.errors import FORBIDDEN, INVALID_CURSOR, NOT_FOUND, refuse
from api.idempotency import OnceRoute
from api.present_exceptions import exception_object, group_object, letter_object, replayed_object, whole_letter_object
from api.present_stewardship import preview_object
from api.routes.parameters import Paged
from api.routes.responses import CHECKED, COMMANDED, GUARDED, TOO_LARGE, UNKNOWN
from api.routes.stewardship import CommandingDep, Key, PolicyDep
from api.schemas.exceptions import (
    MOST_AT_ONCE,
    Because,
    Care,
    Cared,
    Discarding,
    ExceptionForm,
    ExceptionPage,
    Handing,
    HandingOver,
    LetterGroup,
    LetterGroupPage,
    LetterPage,
    Meant,
    Mending,
    MendingForGood,
    ReplayedForm,
    Resolving,
    WholeLetter,
)
from api.schemas.given import MAX_ID, Moment, Storable
from api.schemas.stewardship import Decision, PreviewForm
from api.wire import answer
from mdm.access import Caller, Permission, may_see
from mdm.errors import Invalid, OperatorError
from mdm.hub import exception_work, steward
from mdm.hub import exceptions as use
from mdm.hub.exception_work import Matters, OneException
from mdm.hub.exceptions import Mended, Selection
from mdm.hub.process import Pipeline
from mdm.intake.mend import mend
from mdm.model.canonical import DataClass
from mdm.model.stewardship import Discard
from mdm.store import read_exceptions as read
from mdm.store.read_letter_groups import GroupOrder, dead_letter_groups

#: A mended message may be long.
_MOST_BYTES = 1024 * 1024


async def whole_hub(caller: CallerDep) -> None:
    """Refuses those whose scope reaches a part of the hub."""
    if caller.scope.limits_rows:
        raise refuse(FORBIDDEN, "Exceptions concern the whole hub, and your scope reaches a part of it.")


GUARDS = [Depends(allows(Permission.INSPECT)), Depends(whole_hub)]
letters_router = APIRouter(
    route_class=OnceRoute, prefix="/v1/dead-letters", tags=["exceptions"], dependencies=GUARDS,
    responses={**GUARDED, **CHECKED},
)  # fmt: skip
exceptions_router = APIRouter(
    route_class=OnceRoute, prefix="/v1/exceptions", tags=["exceptions"], dependencies=GUARDS,
    responses={**GUARDED, **CHECKED},
)  # fmt: skip
mending = [Depends(allows(Permission.MEND))]

LetterId = Annotated[int, Path(ge=1, le=MAX_ID, description="Number of a refused message: 17 for D17.")]
ExceptionId = Annotated[int, Path(ge=1, le=MAX_ID, description="Number of an exception: 4 for E4.")]


def pipeline_of(request: Request, hub: HubDep) -> Pipeline:
    """What taking messages in needs, with profiles and rules as they are now."""
    released: Released = request.app.state.released
    return Pipeline(hub.engine, hub.clock, released.catalogue, released.rules)


PipelineDep = Annotated[Pipeline, Depends(pipeline_of)]


class CareParameters(Paged):
    """Whose they are."""

    owner: Storable | None = Field(None, max_length=200, description="Whose move it is by the contract.")
    assignee: Storable | None = Field(None, max_length=200, description="Who looks after it.")
    taken: bool | None = Field(None, description="Looked after by somebody, or by nobody.")


class GroupParameters(CareParameters):
    """Which groups, and what comes first."""

    code: Storable | None = Field(None, max_length=100)
    topic: Storable | None = Field(None, max_length=300)
    sort: GroupOrder = Field(GroupOrder.PRIORITY, description="What comes first.")


class LetterParameters(CareParameters):
    """Which messages."""

    status: Literal["open", "replayed", "discarded"] = "open"
    code: Storable | None = Field(None, max_length=100)
    topic: Storable | None = Field(None, max_length=300)
    system: Storable | None = Field(None, max_length=100)
    type: Storable | None = Field(None, max_length=100)
    row_key: Storable | None = Field(None, max_length=300)
    like: int | None = Field(None, ge=1, le=MAX_ID, description="Of the kind of this one.")
    since: Moment | None = Field(None, description="Seen since then.")
    until: Moment | None = Field(None, description="First seen before then.")


class ExceptionParameters(CareParameters):
    """Which exceptions."""

    status: Literal["open", "resolved", "accepted"] = "open"
    code: Storable | None = Field(None, max_length=100)


@letters_router.get(
    "/groups", name="list_dead_letter_groups", summary="Open refused messages in groups of a kind",
    response_model=LetterGroupPage,
)  # fmt: skip
def list_groups(page: Annotated[GroupParameters, Query()], hub: HubDep, reads: ReadsDep, policy: PolicyDep,
                rules: RulesDep) -> Response:  # fmt: skip
    """With what is at stake, a priority that explains itself, who looks after them, and what to do."""
    scope = page.scope("dead-letter-groups")
    after = None
    if page.cursor is not None:
        place, newest = read_cursor(page.cursor, scope, (float, int))
        after = float(place), int(newest)
    now = hub.clock()
    ranking.refused_ready(hub.engine, rules, now, policy)
    selection = Selection(code=page.code, topic=page.topic, owner=page.owner, assignee=page.assignee, taken=page.taken)
    with reads.snapshot() as connection:
        found = dead_letter_groups(connection, selection, limit=page.limit + 1, order=page.sort, after=after)
    shown = found[: page.limit]
    more = len(found) > page.limit
    return answer(
        {
            "items": [group_object(each, now) for each in shown],
            "next": write_cursor(scope, (shown[-1]["place"], shown[-1]["newest_id"])) if more else None,
        }
    )


@letters_router.get(
    "/{id}/priority", name="explain_dead_letter_priority", summary="Why a refused message stands where it stands",
    response_model=LetterGroup, responses=UNKNOWN,
)  # fmt: skip
def explain_priority(id: LetterId, hub: HubDep, reads: ReadsDep, policy: PolicyDep, rules: RulesDep) -> Response:
    """Open messages of a kind have one priority: the sum of `because`, with what it rests on."""
    now = hub.clock()
    ranking.refused_ready(hub.engine, rules, now, policy)
    with reads.snapshot() as connection:
        found = dead_letter_groups(connection, Selection(like=id), limit=1)
    if not found:
        raise refuse(NOT_FOUND, f"There is no open refused message {id}.")
    return answer(group_object(found[0], now))


@letters_router.get("", name="list_dead_letters", summary="Refused messages", response_model=LetterPage)
def list_letters(page: Annotated[LetterParameters, Query()], reads: ReadsDep) -> Response:
    """The newest first, without what they said."""
    scope = page.scope("dead-letters")
    before = int(read_cursor(page.cursor, scope, (int,))[0]) if page.cursor is not None else None
    selection = Selection(**page.model_dump(exclude={"limit", "cursor", "status"}))
    with reads.snapshot() as connection:
        found = read.dead_letters(connection, selection, status=page.status, limit=page.limit + 1, before=before)
    shown = found[: page.limit]
    return answer(
        {
            "items": [letter_object(each) for each in shown],
            "next": write_cursor(scope, [shown[-1]["id"]]) if len(found) > page.limit else None,
        }
    )


@letters_router.get(
    "/{id}", name="get_dead_letter", summary="One refused message", response_model=WholeLetter, responses=UNKNOWN
)
def get_letter(id: LetterId, caller: CallerDep, hub: HubDep, reads: ReadsDep) -> Response:
    """As it came, why it was refused, what to do, what has been tried, what hangs on its row."""
    with reads.snapshot() as connection:
        found = read.dead_letter(connection, id)
        waits = read.proposed_discards(connection, Selection(ids=(id,)), hub.clock())
    if found is None:
        raise refuse(NOT_FOUND, f"There is no refused message {id}.")
    return answer(whole_letter_object(found, [number for number, _, _ in waits], caller.eyes))


@letters_router.post(
    "/replay", name="replay_dead_letters", dependencies=mending, summary="Feed refused messages again",
    response_model=ReplayedForm, responses=COMMANDED,
)  # fmt: skip
def replay(meant: Annotated[Meant, Body()], caller: CallerDep, pipeline: PipelineDep) -> Response:
    """With contracts as they are now, mended ones as mended; what is refused again stays open with its new reason."""
    chosen = _chosen(pipeline, meant)
    return answer(replayed_object(use.replay_dead_letters(pipeline, chosen, caller.key_id), caller.eyes, kept=True))


@letters_router.post(
    "/rehearse", name="rehearse_dead_letters", dependencies=mending, summary="What a replay would do",
    response_model=ReplayedForm, responses=COMMANDED,
)  # fmt: skip
def rehearse(meant: Annotated[Meant, Body()], caller: CallerDep, pipeline: PipelineDep) -> Response:
    """By doing it and throwing it away."""
    chosen = _chosen(pipeline, meant)
    return answer(replayed_object(use.try_replay(pipeline, chosen, caller.key_id), caller.eyes, kept=False))


@letters_router.post(
    "/discard", name="discard_dead_letters", dependencies=mending, summary="Close refused messages for good",
    response_model=Decision, responses=COMMANDED,
)  # fmt: skip
def discard(meant: Annotated[Discarding, Body()], commanding: CommandingDep, key: Key) -> Response:
    """A decision that undo takes back. Several, or one that much money hangs on, wait for a second person: `proposed`,
    and somebody else approves it under `/v1/approvals`."""
    return commanding.decide(_discard(commanding.desk, meant), None, key)


@letters_router.post(
    "/discard/preview", name="preview_discard", dependencies=mending, summary="What discarding would close",
    response_model=PreviewForm, responses=COMMANDED,
)  # fmt: skip
def preview_discard(meant: Annotated[Discarding, Body()], caller: CallerDep, commanding: CommandingDep) -> Response:
    """Exactly which messages, what hangs on their rows, and whether a second person is needed."""
    command = _discard(commanding.desk, meant)
    shown = steward.preview(commanding.desk, commanding.actor, command, policy=commanding.policy)
    return answer(preview_object(shown, caller.eyes))


@letters_router.post(
    "/{id}/fix", name="fix_dead_letter", dependencies=mending, summary="Mend a message and feed it again",
    response_model=ReplayedForm, responses={**COMMANDED, **TOO_LARGE}, max_body_size=_MOST_BYTES,
)  # fmt: skip
def fix(
    id: LetterId, mended: Annotated[MendingForGood, Body()], caller: CallerDep, pipeline: PipelineDep, reads: ReadsDep
) -> Response:
    """The original stays as it came; the audit keeps who mended it and why. For those who see confidential values."""
    made = _mended(id, mended, caller, reads)
    done = use.fix_dead_letter(pipeline, id, made, mended.reason, caller.key_id)
    assert done is not None
    return answer(replayed_object(done, caller.eyes, kept=True))


@letters_router.post(
    "/{id}/rehearse", name="rehearse_fix", dependencies=mending, summary="What mending would do",
    response_model=ReplayedForm, responses={**COMMANDED, **TOO_LARGE}, max_body_size=_MOST_BYTES,
)  # fmt: skip
def rehearse_fix(
    id: LetterId, mended: Annotated[Mending, Body()], caller: CallerDep, pipeline: PipelineDep, reads: ReadsDep
) -> Response:
    """By doing it and throwing it away."""
    made = _mended(id, mended, caller, reads)
    return answer(replayed_object(use.try_fix(pipeline, id, made, caller.key_id), caller.eyes, kept=False))


@letters_router.post(
    "/{id}/reopen", name="reopen_dead_letter", dependencies=mending, summary="Take a discard back",
    response_model=Cared, responses=COMMANDED,
)  # fmt: skip
def reopen(id: LetterId, why: Annotated[Because, Body()], caller: CallerDep, hub: HubDep) -> Response:
    """The message is open again."""
    return answer({"matters": use.reopen_dead_letters(hub.engine, hub.clock, [id], why.reason, caller.key_id)})


@letters_router.post(
    "/{id}/take", name="take_dead_letter", dependencies=mending, summary="Look after a message",
    response_model=Cared, responses=COMMANDED,
)  # fmt: skip
def take_letter(id: LetterId, care: Annotated[Care, Body()], caller: CallerDep, hub: HubDep) -> Response:
    """Or after all of its kind. 409 when somebody else does; hand over takes it from them."""
    return _cared(hub, exception_work.take, _matters(id, care.alike), caller)


@letters_router.post(
    "/{id}/hand-over", name="hand_over_dead_letter", dependencies=mending, summary="Let somebody look after it",
    response_model=Cared, responses=COMMANDED,
)  # fmt: skip
def hand_over_letter(id: LetterId, to: Annotated[Handing, Body()], caller: CallerDep, hub: HubDep) -> Response:
    """Also away from somebody else."""
    given = exception_work.hand_over(hub.engine, hub.clock, _matters(id, to.alike), to.assignee, caller.key_id)
    return answer({"matters": given})


@letters_router.post(
    "/{id}/put-down", name="put_down_dead_letter", dependencies=mending, summary="Give it back to everybody",
    response_model=Cared, responses=COMMANDED,
)  # fmt: skip
def put_down_letter(id: LetterId, care: Annotated[Care, Body()], caller: CallerDep, hub: HubDep) -> Response:
    """Nobody in particular looks after it."""
    return _cared(hub, exception_work.put_down, _matters(id, care.alike), caller)


@exceptions_router.get(
    "", name="list_exceptions", summary="Differences from contracts, signs of loss", response_model=ExceptionPage
)
def list_exceptions(page: Annotated[ExceptionParameters, Query()], reads: ReadsDep) -> Response:
    """And other matters for an owner, the latest first. They are about a table or platform: no amount is their own."""
    scope = page.scope("exceptions")
    after = _moment_place(page.cursor, scope) if page.cursor is not None else None
    with reads.snapshot() as connection:
        found = read.exceptions(
            connection, status=page.status, code=page.code, owner=page.owner, assignee=page.assignee,
            taken=page.taken, limit=page.limit + 1, after=after,
        )  # fmt: skip
    shown = found[: page.limit]
    more = len(found) > page.limit
    return answer(
        {
            "items": [exception_object(each) for each in shown],
            "next": write_cursor(scope, (shown[-1]["last_seen"].isoformat(), shown[-1]["id"])) if more else None,
        }
    )


@exceptions_router.get(
    "/{id}", name="get_exception", summary="One exception", response_model=ExceptionForm, responses=UNKNOWN
)
def get_exception(id: ExceptionId, reads: ReadsDep) -> Response:
    """Whatever became of it."""
    with reads.snapshot() as connection:
        found = read.exception(connection, id)
    if found is None:
        raise refuse(NOT_FOUND, f"There is no exception {id}.")
    return answer(exception_object(found))


@exceptions_router.post(
    "/{id}/take", name="take_exception", dependencies=mending, summary="Look after an exception",
    response_model=Cared, responses=COMMANDED,
)  # fmt: skip
def take_exception(id: ExceptionId, caller: CallerDep, hub: HubDep) -> Response:
    """409 when somebody else does; hand over takes it from them."""
    return _cared(hub, exception_work.take, OneException(id), caller)


@exceptions_router.post(
    "/{id}/hand-over", name="hand_over_exception", dependencies=mending, summary="Let somebody look after it",
    response_model=Cared, responses=COMMANDED,
)  # fmt: skip
def hand_over_exception(
    id: ExceptionId, to: Annotated[HandingOver, Body()], caller: CallerDep, hub: HubDep
) -> Response:
    """Also away from somebody else."""
    given = exception_work.hand_over(hub.engine, hub.clock, OneException(id), to.assignee, caller.key_id)
    return answer({"matters": given})


@exceptions_router.post(
    "/{id}/put-down", name="put_down_exception", dependencies=mending, summary="Give it back to everybody",
    response_model=Cared, responses=COMMANDED,
)  # fmt: skip
def put_down_exception(id: ExceptionId, caller: CallerDep, hub: HubDep) -> Response:
    """Nobody in particular looks after it."""
    return _cared(hub, exception_work.put_down, OneException(id), caller)


@exceptions_router.post(
    "/{id}/resolve", name="resolve_exception", dependencies=mending, summary="Close an exception",
    response_model=ExceptionForm, responses=COMMANDED,
)  # fmt: skip
def resolve(
    id: ExceptionId, how: Annotated[Resolving, Body()], caller: CallerDep, hub: HubDep, reads: ReadsDep
) -> Response:
    """Its cause is mended (it opens again when it is seen again), or it may stay as it is (`accept`)."""
    close = use.accept_exception if how.accept else use.resolve_exception
    close(hub.engine, hub.clock, id, how.reason, caller.key_id)
    return get_exception(id, reads)


def _matters(letter_id: int, alike: bool) -> Matters:
    return Selection(like=letter_id) if alike else Selection(ids=(letter_id,))


def _cared(hub: ReadHub, act: Callable[..., int], matters: Matters, caller: Caller) -> Response:
    return answer({"matters": act(hub.engine, hub.clock, matters, caller.key_id)})


def _selection(meant: Meant) -> Selection:
    given = meant.model_dump(exclude={"ids", "reason"})
    return Selection(ids=tuple(meant.ids or ()), **given)


def _chosen(pipeline: Pipeline, meant: Meant) -> Selection:
    """The very messages that are meant now; many are the command line's and the console's, which replay by jobs.

    Raises:
        Invalid: there are too many for one answer.
        NotFound: there is none.
    """
    ids = use.letters_meant(pipeline.engine, _selection(meant))
    if len(ids) > MOST_AT_ONCE:
        raise Invalid(
            f"{len(ids):,} messages are meant; at most {MOST_AT_ONCE:,} are replayed at once.",
            action="Narrow them down, or use `mdm exceptions replay` or the console.",
        )
    return Selection(ids=tuple(ids))


def _discard(desk: steward.Workplace, meant: Discarding) -> Discard:
    return use.to_discard(desk.engine, _selection(meant), meant.reason)


def _mended(letter_id: int, mended: Mending, caller: Caller, reads: ReadsDep) -> Mended:
    """The whole mended value.

    Raises:
        ProblemRaised: the caller does not see what is to be mended, or there is no such message.
        Invalid: it is no JSON, or a path leads nowhere.
    """
    if not may_see(caller.eyes, DataClass.CONFIDENTIAL):
        raise refuse(FORBIDDEN, "Messages are mended by those who see confidential values.")
    with reads.snapshot() as connection:
        found = read.dead_letter(connection, letter_id)
    if found is None:
        raise refuse(NOT_FOUND, f"There is no refused message {letter_id}.")
    try:
        if mended.value is not None:
            orjson.loads(mended.value)
            return Mended(value=mended.value.encode())
        newest = found["fixes"][-1]["value"] if found["fixes"] else found["value"]
        edits = [(path, orjson.dumps(value).decode()) for path, value in (mended.edits or {}).items()]
        return Mended(value=mend(None if newest is None else bytes(newest), edits))
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The mended message is no JSON: {error}.") from error
    except OperatorError as error:
        raise Invalid(error.message, action=error.advice) from error


def _moment_place(cursor: str, scope: str) -> tuple[datetime, int]:
    at, number = read_cursor(cursor, scope, (str, int))
    try:
        return datetime.fromisoformat(str(at)), int(number)
    except ValueError:
        raise refuse(INVALID_CURSOR, "This cursor was not made by this list with these filters.") from None
