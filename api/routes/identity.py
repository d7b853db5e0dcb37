"""Names and ids: which golden record a platform's row belongs to, and what became of an id."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.auth import allows
from api.deps import ReadsDep
from api.errors import AMBIGUOUS_NAME, NOT_FOUND, NOT_RESOLVED, RECORD_DELETED, ProblemRaised, refuse
from api.present import classification_object, crosswalk_object, fate_object
from api.read_after import insist, wait_for_change
from api.routes.parameters import EntityIdPath, ReadAfter
from api.routes.responses import CHECKED, GUARDED, NAMED, PENDING, TOO_LARGE, UNKNOWN
from api.schemas.given import Storable
from api.schemas.identity import MOST_IDS, Classification, Fate, IdsToClassify
from api.schemas.records import CrosswalkEntry
from api.wire import answer
from mdm.access import Permission
from mdm.model.ids import CrosswalkKey
from mdm.store import consumers
from mdm.store.read_models import (
    Unresolved,
    absorbed_ids,
    classify,
    find_entity,
    intervals_of,
    meanings,
    parts_of,
    unresolved,
)

#: An id has some thirty characters; quotes, comma and space come with each.
_MOST_BYTES = MOST_IDS * 100

router = APIRouter(
    prefix="/v1",
    tags=["identity"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)


@router.get(
    "/crosswalk/{system}/{type}/{key:path}",
    name="get_crosswalk",
    summary="The golden record that a source row belongs to",
    response_model=CrosswalkEntry,
    responses={**NAMED, **PENDING},
    dependencies=[Depends(wait_for_change)],
)
def get_crosswalk(
    request: Request,
    reads: ReadsDep,
    look: Annotated[ReadAfter, Query()],
    system: Annotated[Storable, Path(max_length=100, description="Platform, e.g. `crm`.")],
    type: Annotated[
        Storable, Path(max_length=200, description="Table, or `table#alias` for another name of its rows.")
    ],
    key: Annotated[Storable, Path(max_length=500, description="Primary key; may contain slashes.")],
) -> Response:
    """By primary key, by an alias (`erp/item%23gtin/...`), or by an offer, which leads to its product."""
    del look  # wait_for_change has read it
    insist(request)
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
    """For any id ever issued, of any domain: the id to use now, what it absorbed, and where its records went."""
    with reads.snapshot() as connection:
        state = find_entity(connection, id)
        if state is None:
            raise refuse(NOT_FOUND, "This id was never issued.")
        absorbed = absorbed_ids(connection, id)
        parts = parts_of(connection, [id]).get(id, ())
        intervals = intervals_of(connection, id)
        ended = state.status != "active"
        behind = consumers.not_yet_told(connection, id, state.domain) if ended else ()
    return answer(fate_object(state, absorbed, parts, intervals, behind))


@router.post(
    "/ids:classify",
    name="classify_ids",
    summary="What became of all these ids",
    response_model=Classification,
    responses=TOO_LARGE,
    max_body_size=_MOST_BYTES,
)
def classify_ids(asked: IdsToClassify, reads: ReadsDep) -> Response:
    """For a consumer that keeps ids: which are current, which to replace and by what, which are gone.

    Up to 10,000 ids a call, answered in the order asked. An id of which records went elsewhere is `parted`: ask
    `/v1/ids/{id}` for the records.
    """
    with reads.snapshot() as connection:
        found = classify(connection, asked.ids)
    return answer(classification_object(found))


def _leads_nowhere(name: CrosswalkKey, seen: Unresolved | None) -> ProblemRaised:
    if seen is None:
        return refuse(NOT_FOUND, f"The hub has met no source row {name}.")
    if seen.deleted:
        return refuse(RECORD_DELETED, f"{name} was deleted in its platform.", last_entity_id=seen.last_entity)
    return refuse(NOT_RESOLVED, f"{name} is of the kind {seen.kind}, which is not resolved to golden records.")
