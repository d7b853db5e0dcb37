"""The audit: who did what, and whether the chain still holds."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, field_validator
from starlette.responses import StreamingResponse

from api.console.forms import FormDep
from api.console.guard import SessionDep, needs
from api.console.once import FormRoute
from api.console.pages import page
from api.console.workbench import WorkbenchDep
from api.deps import Reads, ReadsDep
from api.routes.parameters import Parameters
from api.schemas.given import Storable
from mdm.access import Permission
from mdm.store.invariants import audit_breaks
from mdm.store.read_audit import AuditFilters, audit_actions, newest_entry, read_audit
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

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_all(cls, value: Any) -> Any:
        return None if value == "" else value

    @property
    def query(self) -> str:
        return urlencode(self.model_dump(exclude_none=True, exclude={"before"}))


@router.get("")
def audit(
    look: Annotated[AuditParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """Entries, the newest first."""
    return _audit_page(look, request, session, bench, reads, None)


@router.get("/export.csv")
def export(look: Annotated[AuditParameters, Query()], session: SessionDep, reads: ReadsDep) -> Response:  # noqa: ARG001
    """Every entry that the list holds, the newest first, however many."""
    filters = AuditFilters(look.actor, look.action, look.subject)
    name = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(_csv(reads, filters, look.before), 200, name, "text/csv; charset=utf-8")


def _csv(reads: Reads, filters: AuditFilters, before: int | None) -> Iterator[str]:
    """A chunk at a time, each read by itself: nobody is held up by a long download, and entries never change."""
    yield _lines([["entry", "at", "actor", "action", "subject", "detail"]])
    while True:
        with reads.snapshot() as connection:
            found = read_audit(connection, filters, before, _CHUNK)
        yield _lines(
            [each.seq, each.at.isoformat(), each.actor, each.action, each.subject, orjson.dumps(each.detail).decode()]
            for each in found
        )
        if len(found) < _CHUNK:
            return
        before = found[-1].seq


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    for cells in rows:
        # A cell that a spreadsheet would take for a formula begins with an apostrophe.
        writer.writerow([f"'{cell}" if str(cell)[:1] in ("=", "+", "-", "@") else cell for cell in cells])
    return out.getvalue()


@router.post("/verify")
def verify(request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep, form: FormDep) -> Response:
    """Compute the chain anew and say where it breaks: a part of it that takes some seconds, then the next on demand."""
    after = form.number("after") or 0
    with reads.snapshot() as connection:
        newest = newest_entry(connection)
    upto = min(newest, after + _PART)
    with snapshot(bench.engine) as work:
        breaks = list(islice(audit_breaks(work, after, upto), _BREAKS))
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
        broken={seq for seq, _ in verified["breaks"]} if verified else set(),
        now=bench.now,
    )
