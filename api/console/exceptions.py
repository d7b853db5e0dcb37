"""What could not be processed: groups of a kind, the message itself, mending, rehearsing, replaying, discarding."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from api.console import charts
from api.console.deciding import TELLABLE
from api.console.forms import Form, FormDep
from api.console.guard import SessionDep, signed_in
from api.console.notices import Notice, refused
from api.console.pages import page
from api.console.sessions import Session
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from api.errors import NOT_FOUND, refuse
from api.masking import show_value
from mdm.errors import OperatorError
from mdm.hub import exceptions as use
from mdm.hub.exceptions import Mended, Replayed
from mdm.store import read_exceptions as read
from mdm.store.read_exceptions import Selection

router = APIRouter(prefix="/console/exceptions", include_in_schema=False, dependencies=[Depends(signed_in)])

_GROUPS, _LETTERS, _DRIFTS = 50, 50, 100
_TELLABLE = (*TELLABLE, OperatorError)
_AGES = (("today", 1), ("1–3 days", 3), ("3–7 days", 7))


@router.get("")
def overview(request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep) -> Response:
    """Refused messages in groups, and drift from contracts."""
    with reads.snapshot() as connection:
        groups = read.dead_letter_groups(connection, limit=_GROUPS)
        drifts = read.exceptions(connection, limit=_DRIFTS)
    return page(
        "exceptions.html",
        request,
        session=session,
        now=bench.now,
        groups=groups,
        drifts=drifts,
        letters=sum(group["letters"] for group in groups),
        notice=_done(request),
        ages=_ages(bench, groups),
    )


@router.get("/groups/{like:int}")
def group(like: int, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep) -> Response:
    """All messages that were refused like this one."""
    return _group_page(like, request, session, bench, reads)


@router.post("/groups/{like:int}/{what}")
def act_on_group(
    like: int,
    what: Literal["rehearse", "replay", "discard"],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Rehearse, replay or discard the whole group."""
    selection = Selection(like=like)
    try:
        if what == "rehearse":
            found = use.try_replay(bench.pipeline, selection, bench.actor.name)
            return _group_page(like, request, session, bench, reads, rehearsed=found)
        if what == "replay":
            done = use.replay_dead_letters(bench.pipeline, selection, bench.actor.name)
            return _finished(_outcomes(done))
        closed = use.discard_dead_letters(
            bench.engine, bench.hub.clock, selection, form.text("reason"), bench.actor.name
        )
    except _TELLABLE as error:
        return _group_page(like, request, session, bench, reads, notice=refused(error), status=409)
    return _finished(f"{closed} messages discarded")


@router.get("/letters/{letter_id:int}")
def letter(letter_id: int, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep) -> Response:
    """One refused message whole."""
    return _letter_page(letter_id, request, session, bench, reads)


@router.post("/letters/{letter_id:int}/{what}")
def act_on_letter(
    letter_id: int,
    what: Literal["rehearse", "fix", "discard"],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Rehearse a mended message, mend and replay it, or discard it."""
    typed = form.text("value")
    try:
        if what == "discard":
            use.discard_dead_letters(
                bench.engine, bench.hub.clock, Selection(ids=(letter_id,)), form.text("reason"), bench.actor.name
            )
            return _finished("The message was discarded")
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


@router.post("/drift/{exception_id:int}/{what}")
def act_on_drift(
    exception_id: int,
    what: Literal["resolve", "accept"],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    form: FormDep,
) -> Response:
    """Close a difference from a contract: mended, or fine as it is."""
    close = use.resolve_exception if what == "resolve" else use.accept_exception
    try:
        close(bench.engine, bench.hub.clock, exception_id, form.text("reason"), bench.actor.name)
    except _TELLABLE as error:
        return page(
            "told.html", request, session=session, status=409, notice=refused(error), back="/console/exceptions"
        )
    return _finished("The exception is closed")


def _group_page(
    like: int,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    notice: Notice | None = None,
    rehearsed: Replayed | None = None,
    status: int = 200,
) -> Response:
    with reads.snapshot() as connection:
        groups = read.dead_letter_groups(connection, Selection(like=like), limit=1)
        letters = read.dead_letters(connection, Selection(like=like), limit=_LETTERS)
    if not groups:
        return RedirectResponse("/console/exceptions", 303)
    return page(
        "exception_group.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        group=groups[0],
        letters=letters,
        like=like,
        notice=notice,
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
    if found is None:
        raise refuse(NOT_FOUND, f"There is no refused message {letter_id}.")
    newest = found["fixes"][-1]["value"] if found["fixes"] else found["value"]
    return page(
        "letter.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        letter=found,
        key=_readable(found["key"]),
        original=_readable(found["value"]),
        value=form.text("value") if form else _readable(newest),
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
                    show_value(effect.domain, change.field, change.before, bench.role),
                    show_value(effect.domain, change.field, change.after, bench.role),
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
    return f"Replayed: {words or 'nothing'}; {len(replayed.effects)} golden records touched"


def _finished(text: str) -> Response:
    return RedirectResponse(f"/console/exceptions?done={text}", 303)


def _done(request: Request) -> Notice | None:
    text = request.query_params.get("done", "")[:200]
    return Notice(f"{text}.", "good", "check") if text else None


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


def _ages(bench: Workbench, groups: list[dict[str, Any]]) -> Any:
    counts = [0, 0, 0, 0]
    for each in groups:
        age = bench.now - each["first_seen"]
        bucket = next((number for number, (_, days) in enumerate(_AGES) if age < timedelta(days=days)), 3)
        counts[bucket] += each["letters"]
    names = [name for name, _ in _AGES] + ["over a week"]
    return charts.bars(
        "Refused messages by age of their group",
        [charts.Bar(name, count, str(count), "against") for name, count in zip(names, counts, strict=True)],
    )
