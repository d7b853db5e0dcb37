"""Source rows by the keys of their platforms (`/v1/source-records`): raw and canonical, side by side."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from api.access_log import shown
from api.auth import CallerDep, allows
from api.deps import ReadsDep, Released
from api.errors import AMBIGUOUS_NAME, NOT_FOUND, RECORD_DELETED, refuse
from api.raw import raw_object
from api.routes.parameters import Parameters
from api.routes.responses import CHECKED, GUARDED, NAMED
from api.schemas.given import Storable
from api.schemas.raw import SourceRecordForm
from api.wire import answer
from mdm.access import Permission
from mdm.model.ids import CrosswalkKey
from mdm.store.read_models import resolve_names
from mdm.store.read_source import raw_rows, raw_versions

router = APIRouter(
    prefix="/v1/source-records", tags=["identity"], dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)  # fmt: skip


class RawParameters(Parameters):
    """What of the row."""

    history: bool = Field(False, description="Also what each change event said; then rows that are gone are told too.")


@router.get(
    "/{system}/{type}/{key:path}", name="get_source_record", summary="A source row, raw and canonical",
    response_model=SourceRecordForm, responses=NAMED,
)  # fmt: skip
def get_source_record(
    request: Request,
    caller: CallerDep,
    reads: ReadsDep,
    look: Annotated[RawParameters, Query()],
    system: Annotated[Storable, Path(max_length=100, description="Platform, e.g. `crm`.")],
    type: Annotated[
        Storable, Path(max_length=200, description="Table, or `table#alias` for another name of its rows.")
    ],
    key: Annotated[Storable, Path(max_length=500, description="Primary key or alias; may contain slashes.")],
) -> Response:
    """The row as its platform sent it beside what the hub reads from it, its place in the feed, and the golden record
    that it is part of. Columns are masked like what is read from them; a column that nothing reads like confidential
    values."""
    name = CrosswalkKey(system, type, key)
    with reads.snapshot() as connection:
        rows = raw_rows(connection, name)
        if not rows:
            raise refuse(NOT_FOUND, f"The hub has met no source row {name}.")
        live = [row for row in rows if not row.deleted]
        if not live and not look.history:
            raise refuse(
                RECORD_DELETED, f"{name} was deleted in its platform. Ask with history=true for what it said.",
                last_entity_id=rows[0].last_entity,
            )  # fmt: skip
        meant = live or rows
        if len(meant) > 1:
            candidates = ["/".join(row.key) for row in meant]
            raise refuse(AMBIGUOUS_NAME, f"{name} means {len(meant)} source rows.", candidates=candidates)
        raw = meant[0]
        entities = resolve_names(connection, {target for _, target in raw.references})
        versions = raw_versions(connection, raw.rec_id) if look.history else None
    shown(request.scope, raw.entity_id or raw.last_entity)
    released: Released = request.app.state.released
    profile = released.catalogue.profile(raw.key.system, raw.key.type)
    return answer(raw_object(raw, profile, entities, versions, caller.eyes))
