"""The audit: who did what, and whether the chain still holds."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, field_validator

from api.console import exports
from api.console.forms import FormDep
from api.console.guard import SessionDep, needs
from api.console.once import FormRoute
from api.console.pages import page
from api.console.sessions import PERSON
from api.console.workbench import WorkbenchDep
from api.deps import Reads, ReadsDep
from api.routes.parameters import Parameters
from api.schemas.given import Storable
from mdm.access import Permission
from mdm.model.cells import harmless
from mdm.store.audit_ends import cut
from mdm.store.export_jobs import Piece
from mdm.store.invariants import audit_breaks
from mdm.store.read_audit import AuditFilters, audit_actions, has_acted, newest_entry, read_audit
from mdm.store.reading import snapshot

router = APIRouter(
    route_class=FormRoute, prefix="/console/audit", include_in_schema=False, dependencies=[needs(Permission.AUDIT)]
)

_ROWS, _BREAKS, _CHUNK = 50, 20, 1000
#: Entries that a page looks through for a part of what they are about, which no index knows; older ones come next.
_WINDOW = 50_000
#: Entries that are verified at once: some seconds, so that no proxy gives up and nobody waits behind it.
_PART = 100_000


class AuditParameters(Parameters):
    """What the list is narrowed to; `before` is where the page before ended."""

    actor: Storable | None = Field(None, max_length=200)
    action: Storable | None = Field(None, max_length=100)
    subject: Storable | None = Field(None, max_length=200)
    before: int | None = Field(None, ge=1, lt=1 << 62)
    #: Of a download: the export whose page tells how far it is, and whether only the rest of it is asked for.
    job: int | None = Field(None, ge=1, lt=1 << 62)
    rest: Literal["1"] | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_all(cls, value: Any) -> Any:
        return None if value == "" else value

    @property
    def query(self) -> str:
        return urlencode(self.model_dump(exclude_none=True, exclude={"before", "job", "rest"}))


@router.get("")
def audit(
    look: Annotated[AuditParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """Entries, the newest first. Whoever is sought by the name that pages call them is found, too."""
    if look.actor is not None and ":" not in look.actor:
        account = f"{PERSON}{look.actor.lower()}"
        with reads.snapshot() as connection:
            meant = not has_acted(connection, look.actor) and has_acted(connection, account)
        look = look.model_copy(update={"actor": account}) if meant else look
    return _audit_page(look, request, session, bench, reads, None)


@router.post("/export")
def begin_export(
    look: Annotated[AuditParameters, Query()],
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,  # noqa: ARG001 - carries the token of the session
) -> Response:
    """Begin an export: its page has the file, and tells how far the download is."""
    with reads.snapshot() as connection:
        return exports.begun(bench, "audit", look.query, newest_entry(connection))


@router.get("/export.csv")
def export(look: Annotated[AuditParameters, Query()], bench: WorkbenchDep, reads: ReadsDep) -> Response:
    """Every entry that the list holds, the newest first, however many."""
    job = exports.own_export(bench, "audit", look.job) if look.job is not None else None
    before = look.before
    if job is not None:
        look = AuditParameters.model_validate(dict(parse_qsl(job.query)) | {"rest": look.rest})
        job = job if look.rest else replace(job, place="")
        before = int(job.place) if job.place else job.total + 1
    filters = AuditFilters(look.actor, look.action, look.subject)
    return exports.download(
        bench, "audit", _csv(reads, filters, before, job.total if job else 0, head=not look.rest), job
    )


def _csv(reads: Reads, filters: AuditFilters, before: int | None, newest: int, head: bool) -> Iterator[Piece]:
    """A chunk at a time, each read by itself: nobody is held up by a long download, and entries never change. How far
    it is, is how far it is from `newest`."""
    titles = _lines([["entry", "at", "actor", "action", "subject", "detail"]]) if head else ""
    while True:
        with reads.snapshot() as connection:
            found = read_audit(connection, filters, before, _CHUNK)
        before = found[-1].seq if found else 1
        rows = (
            [each.seq, each.at.isoformat(), each.actor, each.action, each.subject, orjson.dumps(each.detail).decode()]
            for each in found
        )
        yield Piece(titles + _lines(rows), len(found), newest + 1 - before, str(before))
        titles = ""
        if len(found) < _CHUNK:
            return


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    for cells in rows:
        writer.writerow([harmless(cell) for cell in cells])
    return out.getvalue()


@router.post("/verify")
def verify(request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep, form: FormDep) -> Response:
    """Compute the chain anew and say where it breaks: a part of it that takes some seconds, then the next on demand."""
    after = form.number("after") or 0
    with reads.snapshot() as connection:
        newest = newest_entry(connection)
    upto = min(newest, after + _PART)
    with snapshot(bench.engine) as work:
        ends = cut(work) if upto >= newest else ()
        breaks = list(islice(chain(audit_breaks(work, after, upto), ends), _BREAKS))
    everything = AuditParameters.model_validate({})
    verified = {"breaks": breaks, "after": after, "upto": upto, "newest": newest}
    return _audit_page(everything, request, session, bench, reads, verified)


def _audit_page(
    look: AuditParameters, request: Request, session: Any, bench: Any, reads: Any, verified: dict[str, Any] | None
) -> Response:
    filters = AuditFilters(look.actor, look.action, look.subject)
    oldest = None
    with reads.snapshot() as connection:
        if look.subject is not None:
            oldest = max(1, (look.before or newest_entry(connection) + 1) - _WINDOW)
        lines = read_audit(connection, filters, look.before, _ROWS + 1, oldest)
        actions = audit_actions(connection)
    following, further = None, len(lines) <= _ROWS and oldest is not None and oldest > 1
    if len(lines) > _ROWS or further:
        more = urlencode({"before": oldest if further else lines[_ROWS - 1].seq})
        following = "/console/audit?" + "&".join(part for part in (look.query, more) if part)
    return page(
        "audit.html",
        request,
        session=session,
        look=look,
        lines=lines[:_ROWS],
        actions=actions,
        following=following,
        searched_to=oldest if further else None,
        verified=verified,
        part=_PART,
        exports=exports.unfinished(bench, "audit"),
        broken={seq for seq, _ in verified["breaks"]} if verified else set(),
        now=bench.now,
    )
