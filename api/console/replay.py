"""Replay: choose what is taken in again, see what it would change, start it with a throttle, leave it and come back."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request, Response
from pydantic import Field
from starlette.responses import RedirectResponse

from api.afterwards import afterwards
from api.console.forms import Form, FormDep
from api.console.guard import SessionDep, needs, whole_hub
from api.console.notices import TELLABLE, Notice, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.sessions import Session
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from api.errors import FORBIDDEN, refuse
from api.masking import show_value
from api.routes.parameters import Parameters
from mdm.access import Eyes, Permission
from mdm.errors import Invalid, Refused
from mdm.hub import replay_jobs as use
from mdm.hub.exceptions import Selection, try_replay
from mdm.hub.replay import Replay, rows_meant, try_to_replay
from mdm.store import replay_jobs as store
from mdm.store.refold import EventRange

router = APIRouter(
    route_class=FormRoute,
    prefix="/console/replay",
    include_in_schema=False,
    dependencies=[needs(Permission.OPERATE), Depends(whole_hub)],
)

#: Jobs are looked at and steered by who began them, too: stewards replay groups of refused messages.
jobs_router = APIRouter(
    route_class=FormRoute,
    prefix="/console/replay",
    include_in_schema=False,
    dependencies=[needs(Permission.MEND), Depends(whole_hub)],
)

_JOBS = 50
_FIELDS = (
    "system", "table", "key", "topic", "partition", "first", "last", "since", "until", "letters", "rate",
)  # fmt: skip
#: Rows of a dry run: it is one unit of work, and everybody else waits for it.
_MOST_TRIED = 5_000


class ReplayLook(Parameters):
    """Where the page of jobs before ended."""

    before: int | None = Field(None, ge=1, lt=1 << 62)


@router.get("")
def overview(
    look: Annotated[ReplayLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """What may be replayed, and what was."""
    return _page(request, session, bench, reads, {}, before=look.before)


@router.post("")
def act(
    request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep, form: FormDep, later: BackgroundTasks
) -> Response:
    """Try it, and show what would change; or start it."""
    typed = {name: form.text(name) for name in _FIELDS}
    try:
        meant, letters = _meant(form)
        if form.text("what") == "try":
            tried = _try(bench, meant, letters)
            return _page(request, session, bench, reads, typed, tried=tried)
        job_id = use.start_replay(bench.pipeline, bench.actor, meant, letters, form.number("rate") or 0)
    except TELLABLE as error:
        return _page(request, session, bench, reads, typed, notice=refused(error), status=409)
    afterwards(later, use.run_replay, bench.pipeline, job_id)
    return RedirectResponse(f"/console/replay/{job_id}", 303)


@jobs_router.get("/{job_id:int}")
def job(job_id: int, request: Request, session: SessionDep, bench: WorkbenchDep) -> Response:
    """How far a replay is, and in the end what it did."""
    return _job_page(job_id, request, session, bench)


@jobs_router.post("/{job_id:int}/{what}")
def control(
    job_id: int,
    what: Literal["stop", "continue"],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    form: FormDep,  # noqa: ARG001 - carries the token of the session
    later: BackgroundTasks,
) -> Response:
    """Stop a replay, or go on with it."""
    try:
        if what == "stop":
            use.stop_replay(bench.pipeline, bench.actor, job_id)
        else:
            use.job_of(bench.pipeline, bench.actor, job_id)
            afterwards(later, use.run_replay, bench.pipeline, job_id)
    except Refused as error:
        raise refuse(FORBIDDEN, error.message) from error
    except TELLABLE as error:
        return _job_page(job_id, request, session, bench, refused(error), 409)
    return RedirectResponse(f"/console/replay/{job_id}", 303)


def _try(bench: Workbench, meant: EventRange, letters: list[int]) -> Replay:
    if letters:
        found = try_replay(bench.pipeline, Selection(ids=tuple(letters)), bench.actor.name)
        return Replay(0, found, found.effects, 0.0)
    rows = rows_meant(bench.pipeline, meant)
    if rows > _MOST_TRIED:
        raise Invalid(
            f"The range is about {rows:,} rows; a dry run takes up to {_MOST_TRIED:,}.",
            action="Narrow it, or use `mdm replay --dry-run` when the hub is quiet.",
        )
    return try_to_replay(bench.pipeline, meant, bench.actor.name)


def _meant(form: Form) -> tuple[EventRange, list[int]]:
    """The range that the form names, and the refused messages, with or without the D before their numbers."""
    parts = [part.removeprefix("D").removeprefix("d") for part in form.text("letters").replace(",", " ").split()]
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise Invalid("Refused messages are named by their numbers, as D17.", action="Separate them by blanks.")
    meant = EventRange(
        topic=form.text("topic") or None,
        partition=form.number("partition"),
        first_offset=form.number("first"),
        last_offset=form.number("last"),
        since=_moment(form.text("since")),
        until=_moment(form.text("until")),
        system=form.text("system") or None,
        type=form.text("table") or None,
        key=form.text("key") or None,
    )
    letters = [int(part) for part in parts]
    if (meant == EventRange()) is not bool(letters):
        raise Invalid("Name a range of events, or refused messages.", action="Everything at once is a rebuild.")
    return meant, letters


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{text!r} is no time.") from error
    return found.replace(tzinfo=found.tzinfo or UTC)


def _page(
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    typed: dict[str, str],
    *,
    tried: Replay | None = None,
    notice: Notice | None = None,
    status: int = 200,
    before: int | None = None,
) -> Response:
    with reads.snapshot() as connection:
        jobs = store.page(connection, before, _JOBS + 1)
    profiles = bench.catalogue.profiles
    return page(
        "replay.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        typed=typed,
        tried=_tried(tried, bench.eyes) if tried is not None else None,
        jobs=jobs[:_JOBS],
        following=jobs[_JOBS - 1].job_id if len(jobs) > _JOBS else None,
        systems=sorted({each.system for each in profiles}),
        tables=sorted({each.table for each in profiles}),
        topics=sorted(bench.catalogue.topics),
        notice=notice,
    )


def _tried(tried: Replay, eyes: Eyes) -> dict[str, Any]:
    """What a dry run found, values as this person may see them."""
    told = use.report_of(tried)
    rows = "1 row" if tried.rows == 1 else f"{tried.rows} rows"
    words = f"{rows} would be folded anew" if tried.rows else "Refused messages would be fed again"
    letters = ", ".join(f"{number} {outcome}" for outcome, number in sorted(told["dead_letters"].items()))
    changing = "1 golden record" if told["golden"] == 1 else f"{told['golden']} golden records"
    golden = f"{changing} would change" if told["golden"] else "no golden record would change"
    effects = [
        {
            "effect": each,
            "fields": [
                (one.field, *(show_value(each.domain, one.field, value, eyes) for value in (one.before, one.after)))
                for one in each.fields
            ],
        }
        for each in tried.effects
    ]
    return {"outcomes": "; ".join(part for part in (words, letters, golden) if part), "effects": effects}


def _job_page(
    job_id: int, request: Request, session: Session, bench: Workbench, notice: Notice | None = None, status: int = 200
) -> Response:
    try:
        found = use.job_of(bench.pipeline, bench.actor, job_id)
    except Refused as error:
        raise refuse(FORBIDDEN, error.message) from error
    return page(
        "replay_job.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        job=found,
        notice=notice,
    )
