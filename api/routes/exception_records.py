"""The source rows that an exception about a whole table means, over HTTP (`/v1/exceptions/{id}/records`)."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.cursors import read_cursor, write_cursor
from api.deps import ReadsDep
from api.errors import NOT_FOUND, refuse
from api.present import key_object
from api.routes.exceptions import GUARDS, ExceptionId
from api.routes.parameters import Paged
from api.routes.responses import CHECKED, GUARDED, UNKNOWN
from api.schemas.exceptions import RowPage
from api.wire import answer
from mdm.store.keyless import records_of

router = APIRouter(prefix="/v1/exceptions", tags=["exceptions"], dependencies=GUARDS, responses={**GUARDED, **CHECKED})


@router.get(
    "/{id}/records", name="list_exception_records", summary="The source rows that an exception is about",
    response_model=RowPage, responses=UNKNOWN,
)  # fmt: skip
def list_records(id: ExceptionId, page: Annotated[Paged, Query()], reads: ReadsDep) -> Response:
    """All rows of the table that no key finds a partner (`RECORD_WITHOUT_USABLE_KEY`), by key; others name none."""
    scope = page.scope(f"exceptions/{id}/records")
    after = str(read_cursor(page.cursor, scope, (str,))[0]) if page.cursor is not None else ""
    with reads.snapshot() as connection:
        found = records_of(connection, id, page.limit + 1, after)
    if found is None:
        raise refuse(NOT_FOUND, f"There is no exception {id}.")
    shown = found[: page.limit]
    following = write_cursor(scope, (shown[-1].key,)) if len(found) > page.limit else None
    return answer({"items": [key_object(each) for each in shown], "next": following})
