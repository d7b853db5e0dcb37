"""Read your change: wait until the hub has read a place of a source, or say how long it may take.

A caller that has just written to its platform knows the log position or the Kafka place of its change, and asks with
`after=<platform>:<place>`. Waiting costs no worker thread.
"""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.deps import ReadHub, Reads, ReadsDep, Released, hub_of
from api.errors import DOES_NOT_FIT, INVALID_REQUEST, refuse
from mdm.model.events import Place
from mdm.model.lives import lived
from mdm.store import progress

#: Longest wait, and the wait of those who do not say, in seconds.
MOST_SECONDS, USUAL_SECONDS = 30.0, 5.0
_PAUSE = 0.1
_WINDOW = timedelta(minutes=5)
#: `platform:lsn`, a whole number or as PostgreSQL prints it; or `platform:topic/partition/offset`.
AFTER = (
    r"^[a-z0-9_]{1,64}:([0-9]{1,19}|[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}|[A-Za-z0-9._-]{1,200}/[0-9]{1,9}/[0-9]{1,18})$"
)


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """A place of a platform: a message of one of its topics, or a log position."""

    system: str
    place: Place | None
    lsn: int | None


class NotYet(Exception):
    """The hub has not read that far. `seconds` is an estimate of when it will; None when nothing is moving."""

    def __init__(self, place: SourcePlace, reached: int | None, seconds: float | None) -> None:
        super().__init__("The hub has not read that far yet.")
        self.place = place
        self.reached = reached
        self.seconds = seconds


def parse_after(text: str) -> SourcePlace | None:
    """The place that a text names, None when it is none."""
    if re.fullmatch(AFTER, text) is None:
        return None
    system, _, where = text.partition(":")
    parts = where.split("/")
    if len(parts) == 3:
        return SourcePlace(system, Place(parts[0], int(parts[1]), int(parts[2])), None)
    lsn = int(parts[0]) if len(parts) == 1 else (int(parts[0], 16) << 32) + int(parts[1], 16)
    return SourcePlace(system, None, lsn)


async def wait_for_change(request: Request, reads: ReadsDep) -> None:
    """Dependency: holds a request with `after` until the place is reached, or the caller has waited enough.

    Which of the two it was says `insist`, once the route has found the rest of the request in order.

    Raises:
        ProblemRaised: `invalid-request`: it names no place; `does-not-fit`: a platform that the hub does not know.
    """
    asked = request.query_params.get("after")
    if asked is None:
        return
    place = parse_after(asked)
    if place is None:
        raise refuse(INVALID_REQUEST, "`after` names no place: it reads `crm:24023128` or `crm:topic/0/17`.")
    await run_in_threadpool(_check_source, request, reads.own(), place)
    deadline = asyncio.get_running_loop().time() + min(
        _seconds(request.query_params.get("wait")), request.app.state.longest_wait
    )
    while True:
        reached = await run_in_threadpool(_reached, reads.own(), place)
        if reached is not None and reached >= _wanted(place):
            return
        if asyncio.get_running_loop().time() + _PAUSE > deadline:
            hub = hub_of(request)
            request.state.not_yet = NotYet(
                place, reached, await run_in_threadpool(_estimate, reads.own(), hub, place, reached)
            )
            return
        await asyncio.sleep(_PAUSE)


def insist(request: Request) -> None:
    """Go on only if the place was reached.

    Raises:
        NotYet: it was not reached in the time that the caller wanted to wait.
    """
    not_yet: NotYet | None = getattr(request.state, "not_yet", None)
    if not_yet is not None:
        raise not_yet


def _check_source(request: Request, reads: Reads, place: SourcePlace) -> None:
    """Whoever misspells a platform or a topic must not be told for ever that it comes soon.

    Raises:
        ProblemRaised: `does-not-fit`, when no contract names the platform, or the topic as one of the platform's, and
            nothing was ever read from it.
    """
    released: Released = request.app.state.released
    catalogue = released.catalogue
    known = {each.system for each in catalogue.profiles} | catalogue.topic_prefixes
    topic = place.place.topic if place.place is not None else None
    if place.system in known and (topic is None or topic in catalogue.topics_of(place.system)):
        return
    with reads.snapshot() as connection:
        read = progress.topics_read(connection)
    known |= read.keys()
    if place.system not in known:
        named = ", ".join(sorted(known))
        message = f"`after` names the platform {place.system}, which the hub does not know; it reads {named}."
        raise refuse(DOES_NOT_FIT, message, errors=[{"parameter": "query.after", "detail": "names no platform"}])
    topics = catalogue.topics_of(place.system) | read.get(place.system, frozenset())
    if topic is not None and topic not in topics:
        named = ", ".join(sorted(topics)) or "none"
        message = f"`after` names the topic {topic}, which is none of {place.system}; the hub reads {named}."
        raise refuse(DOES_NOT_FIT, message, errors=[{"parameter": "query.after", "detail": "names no topic of it"}])


def _seconds(text: str | None) -> float:
    try:
        return min(max(float(text), 0.0), MOST_SECONDS) if text is not None else USUAL_SECONDS
    except ValueError:
        return USUAL_SECONDS  # the route's own parameters refuse it


def _wanted(place: SourcePlace) -> int:
    return place.place.offset if place.place is not None else place.lsn or 0


def _reached(reads: Reads, place: SourcePlace) -> int | None:
    with reads.snapshot() as connection:
        if place.place is None:
            return progress.lsn_reached(connection, place.system)
        found = progress.place_reached(connection, place.place)
        # The caller knows the broker's offset, in the present life of the topic.
        return lived(found.offset)[1] if found is not None else None


def _estimate(reads: Reads, hub: ReadHub, place: SourcePlace, reached: int | None) -> float | None:
    """Seconds by the pace of the last minutes. A log position cannot be counted in messages: a moment, then."""
    with reads.snapshot() as connection:
        pace = progress.messages_per_second(connection, hub.clock(), _WINDOW)
    if pace <= 0:
        return None
    missing = place.place.offset - reached if place.place is not None and reached is not None else 1
    return round(max(missing / pace, 1.0), 1)
