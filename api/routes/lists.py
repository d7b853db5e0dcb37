"""Lists of golden records: filters, search and pages, shared by the routes of all domains."""

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from api.cursors import read_cursor, write_cursor
from api.present import record_object
from api.routes.parameters import Paged
from api.wire import REVALIDATE, VARY, answer
from mdm.access import Role, may_see
from mdm.model.canonical import DataClass
from mdm.model.ids import Domain
from mdm.store.read_models import Filters, Place, list_golden, resolve_references


def list_response(
    connection: Connection, domain: Domain, filters: Filters, page: Paged, scope: str, role: Role
) -> Response:
    """One page of golden records (`api.schemas.common.Page`)."""
    after = None
    if page.cursor is not None:
        sort, entity_id = read_cursor(page.cursor, scope, (int, str))
        after = Place(int(sort), str(entity_id))
    # One row more than asked for says whether there is a next page.
    listed = list_golden(connection, domain, filters, after, page.limit + 1)
    shown = listed[: page.limit]
    entities = resolve_references(connection, ((domain, each.row.values) for each in shown))
    body: dict[str, Any] = {
        "items": [record_object(each.row, entities, role) for each in shown],
        "next": write_cursor(scope, shown[-1].place) if len(listed) > page.limit else None,
    }
    return answer(body, headers={"Cache-Control": REVALIDATE, "Vary": VARY})


def may_search_beginnings(role: Role) -> bool:
    """Whether beginnings of words find records: not for those who could find out an identifier letter by letter."""
    return may_see(role, DataClass.CONFIDENTIAL)
