"""One box for everything: names, identifiers, ids, source keys, invoice numbers."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import RedirectResponse

from api.access_log import listed
from api.console.guard import SessionDep, signed_in
from api.console.pages import page
from api.console.show import record_address
from api.console.workbench import WorkbenchDep
from api.deps import ReadsDep
from api.masking import show_record
from api.present import record_object
from api.resembling import alike_by, may_search_beginnings, resembling
from api.routes.parameters import Parameters
from api.schemas.given import Storable
from api.tracing import billed_in, trace_of
from mdm.access import Permission
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.read_models import Filters, NamedRow, find_entity, list_golden, meanings, rows_by_key
from mdm.store.read_trace import announced_by, audit_of, refused_of

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

_HITS = 20


class SearchParameters(Parameters):
    """What to look for."""

    q: Storable = Field("", max_length=200)


@router.get("/search")
def search(
    look: Annotated[SearchParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """An id or a source row leads straight to its golden record, a fact to its trace, words to a list.

    Where nothing has all words, what resembles them is shown, and said to.
    """
    q = look.q.strip()
    filters = Filters(q=q, beginnings=may_search_beginnings(session.caller.eyes))
    with reads.snapshot() as connection:
        direct = _direct(connection, q)
        if direct is not None:
            return RedirectResponse(direct, 303)
        hits = {
            domain: [hit.row for hit in list_golden(connection, domain, filters, None, _HITS)]
            for domain in (Domain.CUSTOMER, Domain.CONTRACT, Domain.PRODUCT)
            if q
        }
        rows: Sequence[NamedRow] = rows_by_key(connection, q, _HITS) if q else []
        mentions = audit_of(connection, q, _HITS) if q and session.caller.may(Permission.AUDIT) else []
        announced = announced_by(connection, q, _HITS)
        refused = refused_of(connection, q, _HITS) if session.caller.may(Permission.INSPECT) else []
        approximate = not (any(hits.values()) or rows or mentions or announced or refused)
        if approximate:
            hits = {
                domain: list(
                    resembling(connection, domain, filters, _HITS, alike_by(bench.engine, bench.rules, domain))
                )
                for domain in hits
            }
        for domain, found_rows in hits.items():
            listed(request.scope, domain, found_rows, narrowed=filters)
        results = {
            domain: [record_object(row, {}, session.caller.eyes) for row in found_rows]
            for domain, found_rows in hits.items()
        }
    found = sum(map(len, results.values())) + len(rows) + len(mentions) + len(announced) + len(refused)
    return page(
        "search.html",
        request,
        session=session,
        q=q,
        results=results,
        rows=rows,
        mentions=mentions,
        announced=announced,
        refused=refused,
        found=found,
        approximate=approximate and found,
        at_most=_HITS,
    )


@router.get("/trace/{system}/{type}/{key:path}")
def trace(
    system: str, type: str, key: str, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """A source row and the chain it stands in, also through its golden contract, and where the chain breaks."""
    name = CrosswalkKey(system, type, key)
    trace = trace_of(reads, name, bench.rules.reconciliation, billed_in(reads.hub))
    eyes = session.caller.eyes
    steps = trace.steps if trace is not None else ()
    return page(
        "trace.html",
        request,
        session=session,
        name=name if trace is None else trace.record,
        steps=[(step, show_record(step.domain, step.attributes or {}, eyes).values) for step in steps],
        trace=trace,
    )


def _direct(connection: Connection, q: str) -> str | None:
    """The page that a query names outright: a golden record id, or `system:type:key`."""
    state = find_entity(connection, q) if q else None
    if state is not None:
        return record_address(state.merged_into or state.entity_id)
    parts = q.split(":", 2)
    if len(parts) == 3:
        name = CrosswalkKey(*parts)
        entities = {each.entity_id for each in meanings(connection, [name]).get(name, ())}
        if len(entities) == 1:
            return record_address(entities.pop())
    return None
