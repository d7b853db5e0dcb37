"""Customers: the list, and what belongs to a customer."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.deps import ReadsDep
from api.lookup import find_golden
from api.present import fact_object
from api.read_after import insist, wait_for_change
from api.resembling import may_search_beginnings
from api.routes.lists import alike_in, list_response
from api.routes.parameters import CustomerListParameters, EntityIdPath, Paged
from api.routes.responses import CHECKED, GUARDED, ONE, PENDING
from api.schemas.common import Page
from api.schemas.records import PAGES, LinkedFact
from api.wire import answer
from mdm.access import Permission
from mdm.model.canonical import LINKED_FACTS
from mdm.model.ids import Domain
from mdm.store.read_models import Filters, facts_of_customer, names_of

router = APIRouter(
    prefix="/v1/customers",
    tags=["customers"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)


class FactParameters(Paged):
    """Which linked facts."""

    kind: Literal[*sorted(LINKED_FACTS)] | None = Field(None, description="All kinds when absent.")  # type: ignore[valid-type]


@router.get(
    "",
    name="list_customers",
    summary="List or search customers",
    response_model=PAGES[Domain.CUSTOMER],
    responses=PENDING,
    dependencies=[Depends(wait_for_change)],
)
def list_customers(
    page: Annotated[CustomerListParameters, Query()], request: Request, caller: CallerDep, reads: ReadsDep
) -> Response:
    """Without `q` in the order of their last change, with `q` best matches first. `next` leads to the next page."""
    insist(request)
    filters = Filters(
        q=page.q,
        country=page.country.upper() if page.country else None,
        status=page.status,
        updated_since=page.updated_since,
        beginnings=may_search_beginnings(caller.eyes),
    )
    with reads.snapshot() as connection:
        return list_response(
            request,
            connection,
            Domain.CUSTOMER,
            filters,
            page,
            page.scope(request.url.path),
            caller.eyes,
            alike_in(request, Domain.CUSTOMER),
        )


@router.get(
    "/{id}/contracts",
    name="list_customer_contracts",
    summary="The contracts of a customer",
    response_model=PAGES[Domain.CONTRACT],
    responses=ONE,
)
def list_contracts(
    id: EntityIdPath, page: Annotated[Paged, Query()], request: Request, caller: CallerDep, reads: ReadsDep
) -> Response:
    """Contracts whose golden customer is this one, in the order of their last change."""
    with reads.snapshot() as connection:
        find_golden(connection, request, Domain.CUSTOMER, id)
        filters = Filters(customer_names=tuple(names_of(connection, id)))
        return list_response(
            request, connection, Domain.CONTRACT, filters, page, page.scope(request.url.path), caller.eyes
        )


@router.get(
    "/{id}/facts",
    name="list_customer_facts",
    summary="Invoices, payments, orders and other facts of a customer",
    response_model=Page[LinkedFact],
    responses=ONE,
)
def list_facts(
    id: EntityIdPath, page: Annotated[FactParameters, Query()], request: Request, caller: CallerDep, reads: ReadsDep
) -> Response:
    """Live facts that refer to the customer, or to a fact that does, in the order in which the hub met them."""
    scope = page.scope(request.url.path)
    after = int(read_cursor(page.cursor, scope, (int,))[0]) if page.cursor is not None else 0
    with reads.snapshot() as connection:
        find_golden(connection, request, Domain.CUSTOMER, id)
        facts = facts_of_customer(connection, id, page.kind, after, page.limit + 1)
    shown = facts[: page.limit]
    more = len(facts) > page.limit
    return answer(
        {
            "items": [fact_object(fact, caller.eyes) for fact in shown],
            "next": write_cursor(scope, [shown[-1].place]) if more else None,
        }
    )
