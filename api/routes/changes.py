"""The change feed, for consumers that keep their own copy."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.deps import ReadsDep
from api.present import change_object
from api.routes.parameters import MAX_LIMIT, Cursor, Parameters
from api.routes.responses import CHECKED, GUARDED
from api.schemas.records import ChangePage
from api.wire import answer
from mdm.access import EVERY_ROLE
from mdm.model.ids import Domain
from mdm.store.read_models import changes_after

router = APIRouter(
    prefix="/v1",
    tags=["changes"],
    dependencies=[Depends(allows(EVERY_ROLE))],
    responses={**GUARDED, **CHECKED},
)

#: One feed for all domains: a position in it means the same with any `domain`.
_SCOPE = "changes"


class ChangeParameters(Parameters):
    """Which part of the feed."""

    since: Cursor | None = Field(None, description="`next` of the answer before; absent to begin.")
    domain: Domain | None = Field(None, description="Only announcements of this domain.")
    limit: int = Field(100, ge=1, le=MAX_LIMIT, description="At most this many changes.")


@router.get("/changes", name="list_changes", summary="What changed, in order", response_model=ChangePage)
def list_changes(page: Annotated[ChangeParameters, Query()], caller: CallerDep, reads: ReadsDep) -> Response:
    """Announcements in the order in which they were committed, each exactly once per position.

    A consumer stores `next` with what it did, and asks again with it as `since`: nothing is missed and nothing comes
    twice, because a smaller `seq` never becomes visible after a greater one. When a golden record changes several times
    every change is announced; `version` lets a consumer skip what it already has.
    """
    since = int(read_cursor(page.since, _SCOPE, (int,))[0]) if page.since is not None else 0
    with reads.snapshot() as connection:
        changes = changes_after(connection, since, page.domain, page.limit + 1)
    shown = changes[: page.limit]
    return answer(
        {
            "changes": [change_object(change, caller.role) for change in shown],
            "next": write_cursor(_SCOPE, [shown[-1].seq if shown else since]),
            "more": len(changes) > page.limit,
        }
    )
