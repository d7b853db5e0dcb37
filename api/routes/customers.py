"""Customers: the list, and what belongs to a customer."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.auth import CallerDep, allows
from api.deps import ReadsDep
from api.lookup import find_golden
from api.read_after import insist, wait_for_change
from api.resembling import may_search_beginnings
from api.routes.lists import alike_in, list_response
from api.routes.parameters import CustomerListParameters, EntityIdPath, Paged
from api.routes.responses import CHECKED, GUARDED, ONE, PENDING
from api.schemas.records import PAGES
from mdm.access import Permission
from mdm.model.ids import Domain
from mdm.store.read_models import Filters, names_of

router = APIRouter(
    prefix="/v1/customers",
    tags=["customers"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)


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
        region=page.region,
        business_unit=page.business_unit,
        legal_entity=page.legal_entity,
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
