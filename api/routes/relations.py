"""What belongs together: the group a customer is part of, and the products it has contracted."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.auth import allows
from api.deps import ReadsDep
from api.lookup import find_golden
from api.routes.parameters import EntityIdPath, Parameters
from api.routes.responses import CHECKED, GUARDED, ONE
from api.schemas.relations import ContractedProducts, HierarchyForm
from api.wire import answer
from mdm.access import Permission
from mdm.model.ids import Domain, EntityId
from mdm.store.read_hierarchy import MOST_LEVELS, Company, contracted, hierarchy_of
from mdm.store.read_models import current_names, expand, resolve_references

router = APIRouter(
    prefix="/v1/customers",
    tags=["customers"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)


class HierarchyParameters(Parameters):
    """How far down to look."""

    levels: int = Field(MOST_LEVELS, ge=0, le=MOST_LEVELS, description="Levels of subsidiaries.")


@router.get(
    "/{id}/hierarchy",
    name="get_customer_hierarchy",
    summary="The group of companies around a customer",
    response_model=HierarchyForm,
    responses=ONE,
)
def get_hierarchy(
    id: EntityIdPath, look: Annotated[HierarchyParameters, Query()], request: Request, reads: ReadsDep
) -> Response:
    """Parents from the nearest to the ultimate one, and subsidiaries level by level, by the golden `parent`.

    Parents that come back to where they began are told as `circular`, each company once; then there is no ultimate one.
    """
    with reads.snapshot() as connection:
        row = find_golden(connection, request, Domain.CUSTOMER, id)
        found = hierarchy_of(connection, row.entity_id, row.values, look.levels)
    ultimate = None if found.circular else found.above[-1].entity_id if found.above else row.entity_id
    return answer(
        {
            "id": row.entity_id,
            "ultimate_parent": ultimate,
            "circular": found.circular,
            "cut_off": found.cut_off,
            "above": [_company(each) for each in found.above],
            "below": [{**_company(each.company), "parent": each.parent, "level": each.level} for each in found.below],
        }
    )


@router.get(
    "/{id}/products",
    name="list_customer_products",
    summary="The products that a customer has contracted",
    response_model=ContractedProducts,
    responses=ONE,
)
def list_products(id: EntityIdPath, request: Request, reads: ReadsDep) -> Response:
    """Every golden product in a line of one of the customer's contracts, with these contracts."""
    with reads.snapshot() as connection:
        row = find_golden(connection, request, Domain.CUSTOMER, id)
        contracts = contracted(connection, row.entity_id)
        entities = resolve_references(connection, ((Domain.CONTRACT, values) for _, values in contracts))
        products: dict[EntityId, list[dict[str, Any]]] = {}
        unresolved = 0
        for contract, values in contracts:
            for line in expand(Domain.CONTRACT, values, entities).get("lines") or ():
                product = (line.get("product") or {}).get("entity_id")
                if product is None:
                    unresolved += 1
                    continue
                products.setdefault(product, []).append(
                    {"contract": contract, "quantity": line.get("quantity"), "status": values.get("status")}
                )
        names = current_names(connection, Domain.PRODUCT, products)
    return answer(
        {
            "items": [
                {"id": product, "name": names.get(product, ""), "contracts": lines}
                for product, lines in sorted(products.items(), key=lambda each: (names.get(each[0], ""), each[0]))
            ],
            "unresolved_lines": unresolved,
        }
    )


def _company(company: Company) -> dict[str, Any]:
    return {
        "id": company.entity_id,
        "name": company.name,
        "country": company.country,
        "status": company.status,
    }
