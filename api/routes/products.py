"""Products: the list."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.auth import CallerDep, allows
from api.deps import ReadsDep
from api.read_after import insist, wait_for_change
from api.resembling import may_search_beginnings
from api.routes.lists import alike_in, list_response
from api.routes.parameters import ProductListParameters
from api.routes.responses import CHECKED, GUARDED, PENDING
from api.schemas.records import PAGES
from mdm.access import Permission
from mdm.model.ids import Domain
from mdm.store.read_models import Filters

router = APIRouter(
    prefix="/v1/products",
    tags=["products"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)


@router.get(
    "",
    name="list_products",
    summary="List or search products",
    response_model=PAGES[Domain.PRODUCT],
    responses=PENDING,
    dependencies=[Depends(wait_for_change)],
)
def list_products(
    page: Annotated[ProductListParameters, Query()], request: Request, caller: CallerDep, reads: ReadsDep
) -> Response:
    """Without `q` in the order of their last change, with `q` best matches first. `next` leads to the next page."""
    insist(request)
    filters = Filters(
        q=page.q,
        status=page.status,
        updated_since=page.updated_since,
        beginnings=may_search_beginnings(caller.eyes),
    )
    with reads.snapshot() as connection:
        return list_response(
            request,
            connection,
            Domain.PRODUCT,
            filters,
            page,
            page.scope(request.url.path),
            caller.eyes,
            alike_in(request, Domain.PRODUCT),
        )
