"""The change feed, for consumers that keep their own copy - and, if they like, let the hub keep their place."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from api.access_log import fed
from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.deps import Reads, ReadsDep
from api.errors import FORBIDDEN, NOT_FOUND, refuse
from api.feed import Watcher
from api.idempotency import OnceRoute
from api.present import change_object
from api.routes.parameters import MAX_LIMIT, Cursor, Parameters
from api.routes.responses import CHECKED, CONFLICTING, GUARDED, UNKNOWN
from api.schemas.feed import ConsumerForm, ConsumerList
from api.schemas.given import Asked
from api.schemas.records import ChangePage
from api.versions import heed_events
from api.wire import answer
from mdm.access import Caller, Eyes, Permission
from mdm.model.ids import Domain
from mdm.store import consumers
from mdm.store.consumers import FeedConsumer
from mdm.store.read_models import Change, changes_after
from mdm.store.scoped import unrestricted

router = APIRouter(
    route_class=OnceRoute,
    prefix="/v1",
    tags=["changes"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)

#: One feed for all domains: a position in it means the same with any `domain`.
_SCOPE = "changes"

Name = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$"), Path(description="Name of the consumer.")
]


class Waiting(Parameters):
    """How much, and how long to wait for it."""

    limit: int = Field(100, ge=1, le=MAX_LIMIT, description="At most this many changes.")
    wait: float = Field(0, ge=0, le=30, description="Seconds to wait when there is nothing new (long poll).")


class ChangeParameters(Waiting):
    """Which part of the feed."""

    since: Cursor | None = Field(None, description="`next` of the answer before; absent to begin.")
    domain: Domain | None = Field(None, description="Only announcements of this domain.")


class Registration(Asked):
    """What a consumer wants to hear."""

    domain: Domain | None = Field(None, strict=False, description="Only this domain; all when absent.")
    events: Literal[1] | None = Field(
        None, description="The version of events that it was built for, and goes on getting; absent: what is newest."
    )
    start: str = Field("beginning", pattern="^(beginning|now)$", description="Where a new consumer begins.")


class Acknowledgement(Asked):
    """How far a consumer is."""

    next: Cursor = Field(description="`next` of the page whose changes took effect.")
    rewind: bool = Field(False, description="Go back to a place that was acknowledged before.")


@router.get("/changes", name="list_changes", summary="What changed, in order", response_model=ChangePage)
async def list_changes(
    page: Annotated[ChangeParameters, Query()], caller: CallerDep, reads: ReadsDep, request: Request
) -> Response:
    """Announcements in the order in which they were committed, each exactly once per position.

    A consumer stores `next` with what it did, and asks again with it as `since`: nothing is missed and nothing comes
    twice, because a smaller `seq` never becomes visible after a greater one. When a golden record changes several times
    every change is announced; `version` lets a consumer skip what it already has. With `wait` the answer comes as soon
    as there is something new.
    """
    heed_events(request.scope, None)
    since = int(read_cursor(page.since, _SCOPE, (int,))[0]) if page.since is not None else 0
    changes = await _changes(request, reads, since, page.domain, page)
    _note(request, page.domain, since, changes[: page.limit])
    return answer(_page_object(changes, since, page.limit, caller.eyes))


@router.get("/consumers", name="list_consumers", summary="Consumers of the feed", response_model=ConsumerList)
def list_consumers(reads: ReadsDep) -> Response:
    """Every consumer whose place the hub keeps, how far it is and how far behind."""
    with reads.snapshot() as connection:
        found = [(each, consumers.backlog(connection, each)) for each in consumers.all_consumers(connection)]
    return answer({"items": [_consumer_object(each, behind) for each, behind in found]})


@router.put(
    "/consumers/{name}",
    name="register_consumer",
    summary="Let the hub keep a consumer's place",
    response_model=ConsumerForm,
    responses=CONFLICTING,
)
def register_consumer(name: Name, wanted: Registration, caller: CallerDep, reads: ReadsDep) -> Response:
    """Repeating it changes nothing. The consumer belongs to the API key that registered it."""
    with unrestricted(reads.engine).begin() as connection:
        found = consumers.register(connection, name, caller.key_id, wanted.domain, wanted.start == "now", wanted.events)
        return answer(_consumer_object(found, consumers.backlog(connection, found)))


@router.get(
    "/consumers/{name}/changes",
    name="list_consumer_changes",
    summary="What a consumer has not acknowledged",
    response_model=ChangePage,
    responses=UNKNOWN,
)
async def list_consumer_changes(
    name: Name, page: Annotated[Waiting, Query()], caller: CallerDep, reads: ReadsDep, request: Request
) -> Response:
    """The changes after the acknowledged place. Asking again without acknowledging gives the same again."""
    consumer = await run_in_threadpool(_own, reads, name, caller)
    heed_events(request.scope, consumer.events)
    changes = await _changes(request, reads, consumer.acknowledged, consumer.domain, page)
    _note(request, consumer.domain, consumer.acknowledged, changes[: page.limit])
    return answer(_page_object(changes, consumer.acknowledged, page.limit, caller.eyes))


@router.post(
    "/consumers/{name}/acknowledge",
    name="acknowledge_changes",
    summary="A consumer took changes in",
    response_model=ConsumerForm,
    responses={**UNKNOWN, **CONFLICTING},
)
def acknowledge_changes(name: Name, done: Acknowledgement, caller: CallerDep, reads: ReadsDep) -> Response:
    """Store how far the consumer is. Repeating it is harmless; going back needs `rewind`."""
    _own(reads, name, caller)
    seq = int(read_cursor(done.next, _SCOPE, (int,))[0])
    with unrestricted(reads.engine).begin() as connection:
        found = consumers.acknowledge(connection, name, seq, done.rewind)
        return answer(_consumer_object(found, consumers.backlog(connection, found)))


@router.delete(
    "/consumers/{name}",
    name="forget_consumer",
    summary="Forget a consumer",
    status_code=204,
    response_class=Response,
    responses=UNKNOWN,
)
def forget_consumer(name: Name, caller: CallerDep, reads: ReadsDep) -> Response:
    """Its place is forgotten; the feed stays."""
    _own(reads, name, caller)
    with unrestricted(reads.engine).begin() as connection:
        consumers.forget(connection, name)
    return Response(status_code=204)


async def _changes(
    request: Request, reads: Reads, since: int, domain: Domain | None, page: Waiting
) -> Sequence[Change]:
    """Changes after a place, waiting for the first one if the caller wants to."""
    watcher: Watcher = request.app.state.watcher
    loop_ends = _now() + min(page.wait, request.app.state.longest_wait)
    seen = since
    while True:
        changes = await run_in_threadpool(_read, reads, since, domain, page.limit + 1)
        remaining = loop_ends - _now()
        if changes or remaining <= 0:
            return changes
        # Announcements of other domains wake us too; they are passed over once.
        seen = await watcher.wait_beyond(seen, remaining, reads)


def _note(request: Request, domain: Domain | None, since: int, shown: Sequence[Change]) -> None:
    if shown:
        fed(request.scope, domain, since + 1, shown[-1].seq, len(shown))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _read(reads: Reads, since: int, domain: Domain | None, limit: int) -> Sequence[Change]:
    with reads.snapshot() as connection:
        return changes_after(connection, since, domain, limit)


def _page_object(changes: Sequence[Change], since: int, limit: int, eyes: Eyes) -> dict[str, Any]:
    shown = changes[:limit]
    return {
        "changes": [change_object(change, eyes) for change in shown],
        "next": write_cursor(_SCOPE, [shown[-1].seq if shown else since]),
        "more": len(changes) > limit,
    }


def _own(reads: Reads, name: str, caller: Caller) -> FeedConsumer:
    """The consumer of this name, if it is the caller's own; an administrator may look after all."""
    with reads.snapshot() as connection:
        found = consumers.find_consumer(connection, name)
    if found is None:
        raise refuse(NOT_FOUND, f"There is no consumer {name}.")
    if found.owner != caller.key_id and not caller.may(Permission.ADMINISTER):
        raise refuse(FORBIDDEN, f"The consumer {name} belongs to another API key.")
    return found


def _consumer_object(consumer: FeedConsumer, behind: int) -> dict[str, Any]:
    return {
        "name": consumer.name,
        "domain": consumer.domain.value if consumer.domain else None,
        "events": consumer.events,
        "next": write_cursor(_SCOPE, [consumer.acknowledged]),
        "acknowledged_at": consumer.acknowledged_at,
        "behind": behind,
    }
