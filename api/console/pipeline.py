"""How the feeds are doing: per platform what arrived, what became of it, how far behind, and what is refused."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import RedirectResponse

from api.console import charts
from api.console.forms import FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import Notice, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.sessions import Session
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from api.routes.parameters import Parameters
from api.schemas.given import Storable
from mdm.access import Permission
from mdm.errors import OperatorError
from mdm.hub.feeds import pause_feed, resume_feed
from mdm.hub.outdated import outdated
from mdm.hub.steward import load_policy
from mdm.hub.tiers import standings
from mdm.store import read_console, replay_jobs
from mdm.store.feed_numbers import freshness_by_platform, lag_by_platform
from mdm.store.feeds import feed_states
from mdm.store.read_status import last_batch, message_account, vitals
from mdm.store.retirements import retired_systems

router = APIRouter(
    route_class=FormRoute, prefix="/console/pipeline", include_in_schema=False, dependencies=[needs(Permission.INSPECT)]
)

_BATCHES, _JOBS = 100, 5
#: Of which changes the page tells how fresh they are.
_RECENT = timedelta(hours=24)


class PipelineParameters(Parameters):
    """Which feed was held or let go just now."""

    held: Storable | None = Field(None, max_length=400)
    let_go: Storable | None = Field(None, max_length=400)


@router.get("")
def pipeline(
    look: Annotated[PipelineParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """How far behind every platform is, which feeds are held, and what became of every message."""
    return _page(request, session, bench, reads, look)


def _page(
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    look: PipelineParameters,
    notice: Notice | None = None,
    status: int = 200,
    asked: str = "",
    typed: str = "",
) -> Response:
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
    with reads.own().snapshot() as connection:
        workflows = standings(connection, bench.catalogue, bench.policy or load_policy(), bench.now)
        retired = retired_systems(connection)
    return page(
        "pipeline.html",
        request,
        session=session,
        status=status,
        notice=notice or _outcome(look, {feed.feed: feed.paused for feed in feeds}),
        asked=asked,
        typed=typed,
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
        workflows=workflows,
        retired=retired,
        # Of the hub as a whole, whatever the person reaches of it: mappings and keys are nobody's.
        outdated=outdated(reads.own().engine, bench.catalogue, bench.rules),
        vitals=waiting,
        contracts=_contracts(bench),
        intake=charts.sparkline("Messages per unit of work", [number for _, number in batches], width=420, height=60),
    )


@router.post("/{what}", dependencies=[needs(Permission.OPERATE)])
def control(
    what: Literal["pause", "resume"],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Hold a feed, or let it go; every worker obeys after the unit of work it is at."""
    act = pause_feed if what == "pause" else resume_feed
    feed, reason = form.text("feed"), form.text("reason")
    try:
        act(bench.engine, bench.hub.clock, feed, bench.actor.name, reason)
    except OperatorError as error:
        nothing = PipelineParameters(held=None, let_go=None)
        return _page(request, session, bench, reads, nothing, refused(error), 409, feed, reason)
    return RedirectResponse(f"/console/pipeline?{urlencode({'held' if what == 'pause' else 'let_go': feed})}", 303)


def _outcome(look: PipelineParameters, held: Mapping[str, bool]) -> Notice | None:
    """What became of a feed, if it still is so."""
    if look.held is not None and held.get(look.held):
        return Notice(f"{look.held} is held: workers stop after the unit of work they are at.", "warn", "pause")
    if look.let_go is not None and held.get(look.let_go) is False:
        return Notice(f"{look.let_go} runs again.", "good", "play")
    return None


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
