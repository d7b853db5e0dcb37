"""Names and ids: which golden record a platform's row belongs to, and what became of an id."""

from fastapi import APIRouter, Depends, Path, Response

from api.auth import allows
from api.deps import ReadsDep
from api.errors import AMBIGUOUS_NAME, NOT_FOUND, NOT_RESOLVED, RECORD_DELETED, ProblemRaised, refuse
from api.present import crosswalk_object
from api.routes.parameters import EntityIdPath, Storable
from api.routes.responses import CHECKED, GUARDED, NAMED, UNKNOWN
from api.schemas.records import CrosswalkEntry, Fate
from api.wire import answer
from mdm.access import EVERY_ROLE
from mdm.model.ids import CrosswalkKey
from mdm.store.read_models import Unresolved, absorbed_ids, find_entity, meanings, unresolved

router = APIRouter(
    prefix="/v1",
    tags=["identity"],
    dependencies=[Depends(allows(EVERY_ROLE))],
    responses={**GUARDED, **CHECKED},
)


@router.get(
    "/crosswalk/{system}/{type}/{key:path}",
    name="get_crosswalk",
    summary="The golden record that a source row belongs to",
    response_model=CrosswalkEntry,
    responses=NAMED,
)
def get_crosswalk(
    reads: ReadsDep,
    system: Storable = Path(max_length=100, description="Platform, e.g. `crm`."),
    type: Storable = Path(max_length=200, description="Table, or `table#alias` for another name of its rows."),
    key: Storable = Path(max_length=500, description="Primary key; may contain slashes."),
) -> Response:
    """By primary key, by an alias (`erp/item%23gtin/...`), or by an offer, which leads to its product."""
    name = CrosswalkKey(system, type, key)
    with reads.snapshot() as connection:
        found = meanings(connection, [name]).get(name, ())
        seen = unresolved(connection, name) if not found else None
    candidates = sorted({meaning.entity_id for meaning in found})
    if not candidates:
        raise _leads_nowhere(name, seen)
    if len(candidates) > 1:
        raise refuse(AMBIGUOUS_NAME, f"{name} means {len(candidates)} golden records.", candidates=candidates)
    return answer(crosswalk_object(name, found[0]))


@router.get("/ids/{id}", name="get_id", summary="What became of an id", response_model=Fate, responses=UNKNOWN)
def get_id(id: EntityIdPath, reads: ReadsDep) -> Response:
    """For any id ever issued, of any domain."""
    with reads.snapshot() as connection:
        state = find_entity(connection, id)
        if state is None:
            raise refuse(NOT_FOUND, "This id was never issued.")
        absorbed = absorbed_ids(connection, id)
    current = state.merged_into or (state.entity_id if state.status == "active" else None)
    return answer(
        {
            "id": state.entity_id,
            "domain": state.domain.value,
            "status": state.status,
            "current_id": current,
            "founded_at": state.founded_at,
            "changed_at": state.changed_at,
            "absorbed": absorbed,
        }
    )


def _leads_nowhere(name: CrosswalkKey, seen: Unresolved | None) -> ProblemRaised:
    if seen is None:
        return refuse(NOT_FOUND, f"The hub has met no source row {name}.")
    if seen.deleted:
        return refuse(RECORD_DELETED, f"{name} was deleted in its platform.", last_entity_id=seen.last_entity)
    return refuse(NOT_RESOLVED, f"{name} is of the kind {seen.kind}, which is not resolved to golden records.")
