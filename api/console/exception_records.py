"""The source rows that an exception about a whole table means, some at a time."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.console.guard import SessionDep, needs
from api.console.pages import page
from api.cursors import read_cursor, write_cursor
from api.deps import ReadsDep
from api.errors import NOT_FOUND, refuse
from api.routes.parameters import Cursor, NumberPath, Parameters
from mdm.access import Permission
from mdm.store.keyless import records_of
from mdm.store.read_exceptions import exception

router = APIRouter(prefix="/console/exceptions", include_in_schema=False, dependencies=[needs(Permission.INSPECT)])

_ROWS = 100


class RowParameters(Parameters):
    """Where the page before ended."""

    rows: Cursor | None = None


@router.get("/drift/{exception_id:int}/records")
def exception_records(
    exception_id: NumberPath,
    look: Annotated[RowParameters, Query()],
    request: Request,
    session: SessionDep,
    reads: ReadsDep,
) -> Response:
    """Every row, each with a way to what the hub read of it."""
    scope = f"exception {exception_id}"
    after = str(read_cursor(look.rows, scope, (str,))[0]) if look.rows else ""
    with reads.snapshot() as connection:
        about = exception(connection, exception_id)
        found = records_of(connection, exception_id, _ROWS + 1, after)
    if about is None or found is None:
        raise refuse(NOT_FOUND, f"There is no exception {exception_id}.")
    shown = found[:_ROWS]
    return page(
        "exception_records.html",
        request,
        session=session,
        about=about,
        records=shown,
        first=not look.rows,
        more=write_cursor(scope, (shown[-1].key,)) if len(found) > _ROWS else "",
    )
