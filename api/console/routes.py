"""The pages: home, search, one golden record with everything behind it, and the questions that wait for an answer."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import RedirectResponse

from api.console.guard import SessionDep, signed_in
from api.console.pages import page
from api.console.show import record_address
from api.deps import ReadsDep
from api.lookup import find_golden
from api.present import history_objects, lineage_object, record_object, source_object
from api.routes.parameters import EntityIdPath, Parameters, Storable
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.read_models import (
    Fact,
    Filters,
    Listed,
    facts_of_customer,
    find_entity,
    golden_versions,
    lineage_of,
    list_golden,
    meanings,
    members_of,
    names_of,
    resolve_references,
    rows_by_key,
    status_summary,
)

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

_DOMAINS = {domain.plural: domain for domain in Domain}
#: What one page shows of each kind; more would not be read.
_HITS, _MEMBERS, _VERSIONS, _CONTRACTS, _FACTS = 20, 25, 20, 20, 20


class SearchParameters(Parameters):
    """What to look for."""

    q: Storable = Field("", max_length=200)


@router.get("/")
def home(request: Request, session: SessionDep, reads: ReadsDep) -> Response:
    with reads.snapshot() as connection:
        hub = status_summary(connection)
    return page("home.html", request, session=session, hub=hub, domains=list(Domain))


@router.get("/search")
def search(
    look: Annotated[SearchParameters, Query()], request: Request, session: SessionDep, reads: ReadsDep
) -> Response:
    """One box for everything: an id or a source row leads straight to its golden record, words to a list."""
    q = look.q.strip()
    with reads.snapshot() as connection:
        direct = _direct(connection, q)
        if direct is not None:
            return RedirectResponse(direct, 303)
        results = {
            domain: [
                record_object(hit.row, {}, session.caller.role)
                for hit in list_golden(connection, domain, Filters(q=q), None, _HITS)
            ]
            for domain in (Domain.CUSTOMER, Domain.CONTRACT, Domain.PRODUCT)
            if q
        }
        rows = rows_by_key(connection, q, _HITS) if q else []
    found = sum(map(len, results.values())) + len(rows)
    return page("search.html", request, session=session, q=q, results=results, rows=rows, found=found, at_most=_HITS)


@router.get("/{plural}/{id}")
def record(
    plural: Literal["customers", "contracts", "products"],
    id: EntityIdPath,
    request: Request,
    session: SessionDep,
    reads: ReadsDep,
) -> Response:
    """A golden record: each value with its source, rule and position; the sources side by side; the history."""
    domain, role = _DOMAINS[plural], session.caller.role
    with reads.snapshot() as connection:
        row = find_golden(connection, request, domain, id)
        entities = resolve_references(connection, [(domain, row.values)])
        lineage = lineage_of(connection, id, row.version)
        members = members_of(connection, id, None, _MEMBERS)
        versions = golden_versions(connection, id, None, _VERSIONS + 1)
        contracts: Sequence[Listed] = ()
        facts: Sequence[Fact] = ()
        if domain is Domain.CUSTOMER:
            of_customer = Filters(customer_names=tuple(names_of(connection, id)))
            contracts = list_golden(connection, Domain.CONTRACT, of_customer, None, _CONTRACTS)
            facts = facts_of_customer(connection, id, None, 0, _FACTS)
    return page(
        "record.html",
        request,
        session=session,
        record=record_object(row, entities, role),
        lineage=lineage_object(row, lineage, role)["attributes"],
        sources=[source_object(row, member, role) for member in members],
        history=history_objects(versions, _VERSIONS, role),
        contracts=[record_object(each.row, {}, role) for each in contracts],
        facts=facts,
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
