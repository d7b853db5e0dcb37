"""What a name, number, key or id may mean, across all platforms and kinds (`/v1/search`): for who does not know yet
which collection to ask."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.access_log import listed, shown
from api.auth import CallerDep, allows
from api.deps import ReadsDep
from api.present import key_object
from api.resembling import may_search_beginnings, resembling
from api.routes.lists import alike_in
from api.routes.parameters import Parameters
from api.routes.responses import CHECKED, GUARDED
from api.schemas.given import Storable
from api.schemas.search import SearchAnswer
from api.wire import answer
from mdm.access import Permission
from mdm.model.ids import Domain
from mdm.store.read_models import EntityState, Filters, GoldenRow, NamedRow, find_entity, list_golden, rows_by_key

_MOST = 50
router = APIRouter(
    prefix="/v1/search", tags=["identity"], dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)  # fmt: skip
Hits = Mapping[Domain, Sequence[GoldenRow]]


class SearchParameters(Parameters):
    """What to look for."""

    q: Annotated[Storable, Field(min_length=1, max_length=200)] = Field(
        description="A name, an identifier in any spelling, a platform's key or document number, or a golden record id."
    )
    limit: int = Field(10, ge=1, le=_MOST, description="Of each kind at most so many.")


@router.get("", name="search", summary="What a name, number, key or id may mean", response_model=SearchAnswer)
def search(
    look: Annotated[SearchParameters, Query()], request: Request, caller: CallerDep, reads: ReadsDep
) -> Response:
    """Source rows of all platforms with this key (an invoice number, say), golden records by words of their names and
    by identifiers as the lists find them, and what became of an id. Where nothing has it, what resembles it."""
    q = look.q.strip()
    filters = Filters(q=q, beginnings=may_search_beginnings(caller.eyes))
    with reads.snapshot() as connection:
        state = find_entity(connection, q) if q else None
        rows = rows_by_key(connection, q, look.limit) if q else []
        hits: Hits = {
            domain: [each.row for each in list_golden(connection, domain, filters, None, look.limit)]
            for domain in Domain
            if q
        }
        approximate = bool(q) and state is None and not rows and not any(hits.values())
        if approximate:
            hits = {
                domain: resembling(connection, domain, filters, look.limit, alike_in(request, domain))
                for domain in Domain
            }
    for domain, found in hits.items():
        listed(request.scope, domain, found, narrowed=filters)
    shown(request.scope, *(each.entity_id for each in rows))
    return answer(
        {
            "id": _id_object(state) if state is not None else None,
            "rows": [_row_object(each) for each in rows],
            **{domain.plural: [_record_object(row) for row in hits.get(domain, ())] for domain in Domain},
            "approximate": approximate and any(hits.values()),
        }
    )


def _id_object(state: EntityState) -> dict[str, Any]:
    return {
        "id": state.entity_id,
        "domain": state.domain.value,
        "status": state.status,
        "merged_into": state.merged_into,
    }


def _row_object(row: NamedRow) -> dict[str, Any]:
    return {"record": key_object(row.record), "kind": row.kind, "entity_id": row.entity_id}


def _record_object(row: GoldenRow) -> dict[str, Any]:
    return {"id": row.entity_id, "domain": row.domain.value, "name": row.name, "version": row.version}
