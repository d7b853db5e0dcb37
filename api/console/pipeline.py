"""How the feeds are doing: per platform what arrived, what became of it, how far behind, and what is refused."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection
from starlette.responses import RedirectResponse

from api.console import charts
from api.console.forms import FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.sessions import Session
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import ReadsDep
from mdm.access import Permission
from mdm.errors import OperatorError
from mdm.hub.feeds import pause_feed, resume_feed
from mdm.hub.mappings import changed_in
from mdm.store import read_console, replay_jobs
from mdm.store.feed_numbers import freshness_by_platform, lag_by_platform
from mdm.store.feeds import feed_states
from mdm.store.read_status import last_batch, message_account, vitals

router = APIRouter(
    route_class=FormRoute, prefix="/console/pipeline", include_in_schema=False, dependencies=[needs(Permission.INSPECT)]
)

_BATCHES, _JOBS = 100, 5
#: Of which changes the page tells how fresh they are.
_RECENT = timedelta(hours=24)


@router.get("")
def pipeline(request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep) -> Response:
    with reads.snapshot() as connection:
        messages, newest = message_account(connection), last_batch(connection)
        platforms = read_console.platforms(connection)
        batches = read_console.recent_batches(connection, _BATCHES)
        positions = read_console.feed_positions(connection)
        feeds = feed_states(connection)
        waiting = vitals(connection, read_console.MOST_ADDED + 1)
        lag = lag_by_platform(connection)
        freshness = freshness_by_platform(connection, bench.now - _RECENT)
        replays = _replays(connection, bench, session)
        rebuilds = read_console.rebuilds(connection, _JOBS)
        changed = changed_in(connection, bench.catalogue)
    return page(
        "pipeline.html",
        request,
        session=session,
        now=bench.now,
        messages=messages,
        last_batch=newest,
        platforms=platforms,
        positions=positions,
        feeds=feeds,
        lag=lag,
        freshness=freshness,
        replays=replays,
        rebuilds=rebuilds,
        changed=changed,
        vitals=waiting,
        contracts=_contracts(bench),
        intake=charts.sparkline("Messages per unit of work", [number for _, number in batches], width=420, height=60),
    )


@router.post("/{what}", dependencies=[needs(Permission.OPERATE)])
def control(
    what: Literal["pause", "resume"], request: Request, session: SessionDep, bench: WorkbenchDep, form: FormDep
) -> Response:
    """Hold a feed, or let it go; every worker obeys after the unit of work it is at."""
    act = pause_feed if what == "pause" else resume_feed
    try:
        act(bench.engine, bench.hub.clock, form.text("feed"), bench.actor.name, form.text("reason"))
    except OperatorError as error:
        return page("told.html", request, session=session, status=409, notice=refused(error), back="/console/pipeline")
    return RedirectResponse("/console/pipeline", 303)


def _replays(connection: Connection, bench: Workbench, session: Session) -> Sequence[replay_jobs.ReplayJob]:
    """The newest replays whose pages this person may open: all for those who operate the hub, their own for others."""
    if session.caller.scope.limits_rows or not session.caller.may(Permission.MEND):
        return ()
    if session.caller.may(Permission.OPERATE):
        return replay_jobs.page(connection, None, _JOBS)
    return replay_jobs.of_actor(connection, bench.actor.name, _JOBS)


def _contracts(bench: Workbench) -> dict[str, str]:
    """The version of each platform's data contract."""
    versions: dict[str, set[str]] = {}
    for profile in bench.catalogue.profiles:
        versions.setdefault(profile.system, set()).add(profile.contract.version)
    return {system: ", ".join(sorted(found)) for system, found in versions.items()}
