"""Contracts: the list."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from api.auth import CallerDep, allows
from api.deps import ReadsDep
from api.lookup import find_state
from api.read_after import insist, wait_for_change
from api.resembling import may_search_beginnings
from api.routes.lists import alike_in, list_response
from api.routes.parameters import ContractListParameters
from api.routes.responses import CHECKED, GUARDED, PENDING, UNKNOWN
from api.schemas.records import PAGES
from mdm.access import Permission
from mdm.model.ids import Domain, EntityId
from mdm.store.read_models import Filters, names_of

router = APIRouter(
    prefix="/v1/contracts",
    tags=["contracts"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)


@router.get(
    "",
    name="list_contracts",
    summary="List or search contracts",
    response_model=PAGES[Domain.CONTRACT],
    responses={**UNKNOWN, **PENDING},
    dependencies=[Depends(wait_for_change)],
)
def list_contracts(
    page: Annotated[ContractListParameters, Query()], request: Request, caller: CallerDep, reads: ReadsDep
) -> Response:
    """Without `q` in the order of their last change, with `q` best matches first. `next` leads to the next page."""
    insist(request)
    with reads.snapshot() as connection:
        names = None if page.customer is None else tuple(names_of(connection, _customer(connection, page.customer)))
        filters = Filters(
            q=page.q,
            status=page.status,
            updated_since=page.updated_since,
            customer_names=names,
            beginnings=may_search_beginnings(caller.eyes),
            region=page.region,
            business_unit=page.business_unit,
            legal_entity=page.legal_entity,
        )
        return list_response(
            request,
            connection,
            Domain.CONTRACT,
            filters,
            page,
            page.scope(request.url.path),
            caller.eyes,
            alike_in(request, Domain.CONTRACT),
        )


def _customer(connection: Connection, entity_id: str) -> EntityId:
    """The customer behind a filter. A filter cannot redirect, so an absorbed id stands for its survivor."""
    state = find_state(connection, Domain.CUSTOMER, entity_id)
    return state.merged_into or state.entity_id
