"""What could not be processed: groups of a kind, the message itself, mending, rehearsing, replaying, discarding."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, BackgroundTasks, Query, Request, Response
from pydantic import Field
from starlette.responses import RedirectResponse

from api import ranking
from api.afterwards import afterwards
from api.console import charts
from api.console.forms import MOST_BYTES, Form, FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import TELLABLE, Notice, proposed, refused, told
from api.console.once import FormRoute
from api.console.pages import page
from api.console.sessions import Session
from api.console.wording import added
from api.console.workbench import Workbench, WorkbenchDep
from api.cursors import read_cursor, write_cursor
from api.deps import Reads, ReadsDep
from api.errors import FORBIDDEN, INVALID_CURSOR, NOT_FOUND, refuse
from api.masking import show_value
from api.routes.parameters import Cursor, NumberPath, Parameters
from api.schemas.given import MAX_ID
from mdm.access import Permission, may_see
from mdm.core.refused_order import priority, waiting
from mdm.errors import OperatorError
from mdm.hub import exception_work
from mdm.hub import exceptions as use
from mdm.hub.exception_work import Matters, OneException
from mdm.hub.exceptions import Mended, Replayed
from mdm.hub.replay_jobs import run_replay, start_replay
from mdm.model.canonical import DataClass
from mdm.store import read_exceptions as read
from mdm.store import replay_jobs
from mdm.store.read_console import MOST_ADDED
from mdm.store.read_exceptions import Selection
from mdm.store.read_letter_groups import GroupOrder, OpenLetters, dead_letter_groups, open_letters
from mdm.store.refold import EventRange

router = APIRouter(
    route_class=FormRoute,
    prefix="/console/exceptions",
    include_in_schema=False,
    dependencies=[needs(Permission.INSPECT)],
)

_GROUPS, _LETTERS, _DRIFTS = 50, 50, 100
#: What may come first, in words.
_ORDERS = {
    GroupOrder.PRIORITY: "the most urgent",
    GroupOrder.MONEY: "most money",
    GroupOrder.MESSAGES: "most messages",
    GroupOrder.AGE: "the oldest",
}
#: A group larger than this is replayed by a job that can be left; who reaches a part of the hub waits for the answer.
_AT_ONCE = 50
#: Replays of one's own that are told.
_JOBS = 5
#: Messages of one job; the rest of the group is offered again.
_MOST = 5000
_TELLABLE = (*TELLABLE, OperatorError)


class OverviewParameters(Parameters):
    """Whose, and what comes first; what was done; where the page before ended: of groups, of differences."""

    sort: GroupOrder = GroupOrder.PRIORITY
    decided: int | None = Field(None, ge=1, le=MAX_ID)
    proposed: int | None = Field(None, ge=1, le=MAX_ID)
    who: Literal["mine", "unassigned", "taken"] | None = None
    done: str | None = Field(None, max_length=200)
    groups: Cursor | None = None
    drifts: Cursor | None = None


@router.get("")
def overview(
    look: Annotated[OverviewParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """Refused messages in groups, and drift from contracts, some at a time; and the person's own replays."""
    group_after, drift_after = None, None
    groups_scope = f"groups {look.who} {look.sort}"
    ranking.refused_ready(bench.engine, bench.rules, bench.now, bench.policy)
    if look.groups is not None:
        place, newest = read_cursor(look.groups, groups_scope, (float, int))
        group_after = float(place), int(newest)
    if look.drifts is not None:
        at, drift = read_cursor(look.drifts, f"drifts {look.who}", (str, int))
        drift_after = _moment(str(at)), int(drift)
    mine = bench.actor.name if look.who == "mine" else None
    taken = {"unassigned": False, "taken": True}.get(look.who or "")
    with reads.snapshot() as connection:
        groups = dead_letter_groups(
            connection, Selection(assignee=mine, taken=taken), limit=_GROUPS + 1, order=look.sort, after=group_after
        )
        drifts = read.exceptions(connection, assignee=mine, taken=taken, limit=_DRIFTS + 1, after=drift_after)
        whole = open_letters(connection, bench.now, MOST_ADDED + 1)
        became = told(connection, look.decided) or proposed(look.proposed)
        jobs = replay_jobs.of_actor(connection, bench.actor.name, _JOBS)
    last, last_drift = groups[_GROUPS - 1 : _GROUPS], drifts[_DRIFTS - 1 : _DRIFTS]
    return page(
        "exceptions.html",
        request,
        session=session,
        now=bench.now,
        look=look,
        groups=[_placed(each, bench.now) for each in groups[:_GROUPS]],
        orders=_ORDERS,
        drifts=drifts[:_DRIFTS],
        whole=whole,
        jobs=jobs,
        me=bench.actor.name,
        more_groups=write_cursor(groups_scope, (last[0]["place"], last[0]["newest_id"]))
        if len(groups) > _GROUPS
        else "",
        more_drifts=write_cursor(f"drifts {look.who}", (last_drift[0]["last_seen"].isoformat(), last_drift[0]["id"]))
        if len(drifts) > _DRIFTS
        else "",
        notice=became or _done(request),
        ages=_ages(whole),
    )


def _placed(group: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A group with its priority and the reasons; neither when it is not ranked yet."""
    if group["rank"] is None:
        return group | {"priority": None, "reasons": ()}
    reasons = [*group["parts"], waiting(group["first_seen"], now)]
    return group | {"priority": priority(group["rank"], now), "reasons": reasons}


class GroupParameters(Parameters):
    """Where the page before ended, and what was done."""

    before: int | None = Field(None, ge=1, lt=1 << 62)
    done: str | None = Field(None, max_length=200)


@router.get("/groups/{like:int}")
def group(
    like: NumberPath,
    look: Annotated[GroupParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """All messages that were refused like this one."""
    return _group_page(like, request, session, bench, reads, before=look.before)


@router.post("/groups/{like:int}/{what}", dependencies=[needs(Permission.MEND)])
def act_on_group(
    like: NumberPath,
    what: Literal["rehearse", "replay", "discard", "take", "assign", "release"],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
    later: BackgroundTasks,
) -> Response:
    """Rehearse, replay or discard the whole group, or say whose it is. A large one is replayed by a job that can be
    left."""
    selection = Selection(like=like)
    try:
        if what in ("take", "assign", "release"):
            now_is = _look_after(what, selection, bench, form)
            return RedirectResponse(f"/console/exceptions/groups/{like}?done={now_is}", 303)
        if what == "rehearse":
            found = use.try_replay(bench.pipeline, selection, bench.actor.name)
            return _group_page(like, request, session, bench, reads, rehearsed=found)
        if what == "replay":
            ids = use.letters_meant(bench.engine, selection)[:_MOST]
            if len(ids) > _AT_ONCE and not session.caller.scope.limits_rows:
                job_id = start_replay(bench.pipeline, bench.actor, EventRange(), ids)
                afterwards(later, run_replay, bench.pipeline, job_id)
                return RedirectResponse(f"/console/replay/{job_id}", 303)
            done = use.replay_dead_letters(bench.pipeline, selection, bench.actor.name)
            return _finished(_outcomes(done))
        return _discard(selection, bench, form)
    except _TELLABLE as error:
        return _group_page(like, request, session, bench, reads, notice=refused(error), status=409)


def _discard(selection: Selection, bench: Workbench, form: Form) -> Response:
    """Close them for good, or propose it where policy asks for a second person; of a large group the oldest first."""
    command = use.to_discard(bench.engine, selection, form.text("reason"))
    decided = bench.decide(replace(command, letters=command.letters[:_MOST]))
    number = f"decided={decided.decision_id}" if decided.done else f"proposed={decided.proposal_id}"
    return RedirectResponse(f"/console/exceptions?{number}", 303)


@router.get("/letters/{letter_id:int}")
def letter(
    letter_id: NumberPath, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """One refused message whole."""
    return _letter_page(letter_id, request, session, bench, reads)


@router.post("/letters/{letter_id:int}/{what}", max_body_size=MOST_BYTES, dependencies=[needs(Permission.MEND)])
def act_on_letter(
    letter_id: NumberPath,
    what: Literal["rehearse", "fix", "discard", "reopen"],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Rehearse a mended message, mend and replay it, discard it, or take that back."""
    typed = form.text("value")
    if what in ("rehearse", "fix") and not may_see(bench.eyes, DataClass.CONFIDENTIAL):
        raise refuse(FORBIDDEN, "Messages are mended by those who see confidential values.")
    try:
        if what == "discard":
            return _discard(Selection(ids=(letter_id,)), bench, form)
        if what == "reopen":
            use.reopen_dead_letters(bench.engine, bench.hub.clock, [letter_id], form.text("reason"), bench.actor.name)
            return RedirectResponse(f"/console/exceptions/letters/{letter_id}?done=The message is open again", 303)
        mended = Mended(value=_json(form))
        if what == "rehearse":
            found = use.try_fix(bench.pipeline, letter_id, mended, bench.actor.name)
            return _letter_page(letter_id, request, session, bench, reads, rehearsed=found, form=form)
        done = use.fix_dead_letter(bench.pipeline, letter_id, mended, form.text("reason"), bench.actor.name)
    except _TELLABLE as error:
        return _letter_page(letter_id, request, session, bench, reads, notice=refused(error), form=form, status=409)
    assert done is not None
    assert typed is not None
    return RedirectResponse(f"/console/exceptions/letters/{letter_id}?done={_outcomes(done)}", 303)


@router.post("/drift/{exception_id:int}/{what}", dependencies=[needs(Permission.MEND)])
def act_on_drift(
    exception_id: NumberPath,
    what: Literal["resolve", "accept", "take", "assign", "release"],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    form: FormDep,
) -> Response:
    """Close a difference from a contract - mended, or fine as it is - or say whose it is."""
    close = use.resolve_exception if what == "resolve" else use.accept_exception
    try:
        if what in ("take", "assign", "release"):
            return _finished(_look_after(what, OneException(exception_id), bench, form))
        close(bench.engine, bench.hub.clock, exception_id, form.text("reason"), bench.actor.name)
    except _TELLABLE as error:
        return page(
            "told.html", request, session=session, status=409, notice=refused(error), back="/console/exceptions"
        )
    return _finished("The exception is closed")


def _look_after(what: str, matters: Matters, bench: Workbench, form: Form) -> str:
    """Take it, hand it over or give it back; what was done, in the words of `_TOLD`."""
    if what == "take":
        exception_work.take(bench.engine, bench.hub.clock, matters, bench.actor.name)
        return "Taken"
    if what == "assign":
        exception_work.hand_over(bench.engine, bench.hub.clock, matters, form.person("assignee"), bench.actor.name)
        return "Handed over"
    exception_work.put_down(bench.engine, bench.hub.clock, matters, bench.actor.name)
    return "Given back"


def _group_page(
    like: int,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    notice: Notice | None = None,
    rehearsed: Replayed | None = None,
    status: int = 200,
    before: int | None = None,
) -> Response:
    ranking.refused_ready(bench.engine, bench.rules, bench.now, bench.policy)
    with reads.snapshot() as connection:
        groups = dead_letter_groups(connection, Selection(like=like), limit=1)
        waits = read.proposed_discards(connection, Selection(like=like), bench.now)
        letters = read.dead_letters(connection, Selection(like=like), limit=_LETTERS + 1, before=before)
    if not groups:
        return RedirectResponse("/console/exceptions", 303)
    return page(
        "exception_group.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        group=_placed(groups[0], bench.now),
        letters=letters[:_LETTERS],
        before=before,
        following=letters[_LETTERS - 1]["id"] if len(letters) > _LETTERS else None,
        like=like,
        waits=waits,
        most=_MOST,
        me=bench.actor.name,
        notice=notice or _done(request),
        rehearsed=_rehearsed(bench, rehearsed),
    )


def _letter_page(
    letter_id: int,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    notice: Notice | None = None,
    rehearsed: Replayed | None = None,
    form: Form | None = None,
    status: int = 200,
) -> Response:
    with reads.snapshot() as connection:
        found = read.dead_letter(connection, letter_id)
        waits = read.proposed_discards(connection, Selection(ids=(letter_id,)), bench.now)
    if found is None:
        raise refuse(NOT_FOUND, f"There is no refused message {letter_id}.")
    newest = found["fixes"][-1]["value"] if found["fixes"] else found["value"]
    # Nobody classified what could not be read: it counts as confidential.
    legible = may_see(bench.eyes, DataClass.CONFIDENTIAL)
    return page(
        "letter.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        letter=found,
        waits=waits,
        legible=legible,
        key=_readable(found["key"]) if legible else "",
        original=_readable(found["value"]) if legible else "",
        value=(form.text("value") if form else _readable(newest)) if legible else "",
        reason=form.text("reason") if form else "",
        notice=notice or _done(request),
        rehearsed=_rehearsed(bench, rehearsed),
    )


def _rehearsed(bench: Workbench, replayed: Replayed | None) -> Mapping[str, Any] | None:
    """What a rehearsal found, values as this person may see them."""
    if replayed is None:
        return None
    effects = [
        {
            "effect": effect,
            "fields": [
                (
                    change.field,
                    show_value(effect.domain, change.field, change.before, bench.eyes),
                    show_value(effect.domain, change.field, change.after, bench.eyes),
                )
                for change in effect.fields
            ],
        }
        for effect in replayed.effects
    ]
    return {"outcomes": _outcomes(replayed), "effects": effects}


def _outcomes(replayed: Replayed) -> str:
    counts: dict[str, int] = {}
    for (_, outcome), number in replayed.report.outcomes.items():
        counts[outcome.value] = counts.get(outcome.value, 0) + number
    words = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
    touched = len(replayed.effects)
    return f"Replayed: {words or 'nothing'}; {touched} golden record{'' if touched == 1 else 's'} touched"


def _finished(text: str) -> Response:
    return RedirectResponse(f"/console/exceptions?done={text}", 303)


#: The words in which this screen tells what was done. No others: they stand on the page as the hub's own.
_TOLD = re.compile(
    r"Replayed: [0-9a-z_, ]+; \d+ golden records? touched|The message is open again"
    r"|The exception is closed|Taken|Handed over|Given back"
)


def _done(request: Request) -> Notice | None:
    text = request.query_params.get("done", "")
    return Notice(f"{text}.", "good", "check") if _TOLD.fullmatch(text) else None


def _json(form: Form) -> bytes:
    """The mended value; JSON, because nothing else can be taken in."""
    try:
        return orjson.dumps(orjson.loads(form.text("value")))
    except orjson.JSONDecodeError as error:
        raise OperatorError(f"The mended message is no JSON: {error}.", action="Correct it and try again.") from error


def _readable(raw: bytes | None) -> str:
    """Bytes as people read them: JSON in lines, anything else as text."""
    if raw is None:
        return ""
    try:
        return orjson.dumps(orjson.loads(bytes(raw)), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return bytes(raw).decode("utf-8", "replace")


def _ages(whole: OpenLetters) -> Any:
    counted = {
        "today": whole.today, "1–3 days": whole.three, "3–7 days": whole.week, "over a week": whole.older,
    }  # fmt: skip
    return charts.bars(
        "Groups of refused messages by how long they wait",
        [charts.Bar(name, count, added(count), "against") for name, count in counted.items()],
    )


def _moment(written: str) -> datetime:
    """The time in a cursor.

    Raises:
        ProblemRaised: `invalid-cursor`.
    """
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise refuse(INVALID_CURSOR, "This cursor was not made by this list.") from None
