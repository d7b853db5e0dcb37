"""Notes who reads golden records with the clearance for confidential values, and writes it down in batches.

A read costs an entry in a dictionary; every few seconds the counts of the hour are added to the table in one statement.
A process that is killed loses at most what it noted in these seconds. Lists and exports are noted as what they are, not
record by record (`mdm.store.list_access`).
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from threading import Lock, Timer
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Scope

from api.deps import SCOPE
from mdm.access import EVERYTHING, Role, may_see
from mdm.access import Scope as Reach
from mdm.clock import Clock
from mdm.model.canonical import DataClass
from mdm.model.ids import Domain
from mdm.store.access_log import Access, Reads, forget_old_accesses, write_accesses
from mdm.store.list_access import Given, Listing, What, forget_old_listings, write_listings
from mdm.store.read_models import Filters, GoldenRow

_SECONDS = 5.0
#: Counts that wait to be written; beyond this, the database has been away for long, and the oldest are given up.
_MOST_WAITING = 50_000
_ABOUT_ONE_RECORD = re.compile(r"/(v1|console)/(customers|contracts|products|\{plural\})/\{id\}(/|$)")


class AccessLog:
    """The reads that one server process has seen and not yet written."""

    def __init__(self, engine: Engine, clock: Clock, seconds: float = _SECONDS) -> None:
        self._engine = engine
        self._clock = clock
        self._seconds = seconds
        self._lock = Lock()
        self._waiting: dict[Access, Reads] = {}
        self._given: list[Given] = []
        self._timer: Timer | None = None
        self._swept: datetime | None = None

    def note(self, entities: Iterable[str], key_id: str, role: Role, way: str) -> None:
        """Somebody was shown these golden records. Those who see no confidential values are not noted."""
        if not may_see(role, DataClass.CONFIDENTIAL):
            return
        now = self._clock()
        hour = now.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            for entity_id in entities:
                known = self._waiting.get(Access(entity_id, key_id, way, hour))
                if known is not None:
                    known.reads += 1
                    known.last_at = now
                    continue
                if len(self._waiting) >= _MOST_WAITING:
                    self._waiting.pop(next(iter(self._waiting)))
                self._waiting[Access(entity_id, key_id, way, hour)] = Reads(str(role), 1, now, now)
            self._soon()

    def note_listings(self, listings: Iterable[Listing], key_id: str, role: Role, way: str) -> None:
        """Somebody was given several golden records at once. Those who see no confidential values are not noted."""
        if not may_see(role, DataClass.CONFIDENTIAL):
            return
        now = self._clock()
        with self._lock:
            self._given += (Given(each, key_id, str(role), way, now) for each in listings if each.records)
            del self._given[:-_MOST_WAITING]
            self._soon()

    def _soon(self) -> None:
        """Have what waits be written in some seconds."""
        if (self._waiting or self._given) and self._timer is None:
            self._timer = Timer(self._seconds, self.write)
            self._timer.daemon = True
            self._timer.start()

    def write(self) -> None:
        """Write what waits. When the database is away it goes on waiting, and is tried again with the next read."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            given, self._given = self._given, []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        if not waiting and not given:
            return
        now = self._clock()
        try:
            with self._engine.begin() as connection:
                write_accesses(connection, waiting)
                write_listings(connection, given)
                if self._swept is None or (now - self._swept).days:
                    forget_old_accesses(connection, now)
                    forget_old_listings(connection, now)
                    self._swept = now
        except SQLAlchemyError:
            with self._lock:
                self._given = [*given, *self._given][-_MOST_WAITING:]
                for access, reads in waiting.items():
                    known = self._waiting.setdefault(access, reads)
                    if known is not reads:
                        known.reads += reads.reads
                        known.first_at = reads.first_at


def shown(scope: Scope, *entities: str | None) -> None:
    """Say that the answer to this request shows these golden records, where its address does not."""
    scope.setdefault("mdm.shown", []).extend(each for each in entities if each is not None)


def listed(
    scope: Scope,
    domain: Domain | None,
    rows: Sequence[GoldenRow],
    *,
    narrowed: Filters | None = None,
    by_change: bool = False,
) -> None:
    """Say that the answer to this request is a page of golden records.

    Args:
        narrowed: what the page was narrowed to. A page that a search has found, or that belongs to one customer or one
            region, or has one verdict, is noted with its ids: placement and verdicts change beside the record.
        by_change: the page is in the order of change, and nothing but `narrowed` leaves records out.
    """
    if not rows:
        return
    found = narrowed is not None and (
        narrowed.q is not None
        or narrowed.customer_names is not None
        or narrowed.verdict is not None
        or bool(narrowed.placed)
    )
    if by_change and not found:
        _give(
            scope,
            Listing(
                "list", domain, len(rows), narrowed=_told(narrowed), first=rows[0].seq, last=rows[-1].seq,
                reach=_reach(scope),
            ),
        )  # fmt: skip
    else:
        what: What = "search" if narrowed is not None and narrowed.q is not None else "list"
        ids = tuple(sorted(row.entity_id for row in rows))
        _give(scope, Listing(what, domain, len(rows), narrowed=_told(narrowed), ids=ids))


def fed(scope: Scope, domain: Domain | None, first: int, last: int, changes: int) -> None:
    """Say that the answer is a page of the change feed."""
    _give(scope, Listing("feed", domain, changes, first=first, last=last, reach=_reach(scope)))


def exported(scope: Scope, domain: Domain, as_of: datetime, after: str, until: str | None, records: int) -> None:
    """Say that the answer is an export, or a part of one: ids beyond `after` up to `until`, known at an instant."""
    _give(scope, Listing("export", domain, records, after=after, until=until, as_of=as_of, reach=_reach(scope)))


def _give(scope: Scope, listing: Listing) -> None:
    scope.setdefault("mdm.listed", []).append(listing)


def _reach(scope: Scope) -> dict[str, Any]:
    reach: Reach = scope.get(SCOPE, EVERYTHING)
    return {name: labels for name, labels in reach.as_json().items() if name != "data_class"}


def _told(narrowed: Filters | None) -> dict[str, str]:
    if narrowed is None:
        return {}
    since = narrowed.updated_since.isoformat() if narrowed.updated_since else None
    told = {"country": narrowed.country, "status": narrowed.status, "updated_since": since}
    return {name: value for name, value in told.items() if value is not None}


def note_answer(log: AccessLog | None, scope: Scope, route: str, status: int) -> None:
    """Note the golden records that an answer has shown: the one in its address, and those that a page told of."""
    role = scope.get("mdm.role")
    if log is None or role is None or status != 200 or scope["method"] != "GET":
        return
    entities = list(scope.get("mdm.shown", ()))
    if _ABOUT_ONE_RECORD.match(route):
        entities.append(scope["path_params"]["id"])
    way = "console" if route[1:8] == "console" else "api"
    if entities:
        log.note(dict.fromkeys(entities), scope["mdm.key_id"], role, way)
    if listings := scope.get("mdm.listed"):
        log.note_listings(listings, scope["mdm.key_id"], role, way)
