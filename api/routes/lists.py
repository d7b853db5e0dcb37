"""Lists of golden records: filters, search and pages, shared by the routes of all domains."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from api.access_log import listed as listed_to
from api.cursors import read_cursor, write_cursor
from api.deps import Released, hub_of
from api.errors import INVALID_REQUEST, refuse
from api.present import record_object
from api.resembling import Alike, alike_by, by_key, resembling
from api.routes.parameters import Paged, Sparse
from api.wire import REVALIDATE, VARY, answer
from mdm.access import Eyes
from mdm.model.canonical import ATTRIBUTES, EXTENSION
from mdm.model.ids import Domain
from mdm.store.read_models import (
    Filters,
    GoldenRow,
    Place,
    list_golden,
    resolve_references,
)

_NAMES = {
    domain: {attribute.name for attribute in (*attributes, EXTENSION)} for domain, attributes in ATTRIBUTES.items()
}


def list_response(
    request: Request,
    connection: Connection,
    domain: Domain,
    filters: Filters,
    page: Paged,
    scope: str,
    eyes: Eyes,
    alike: Alike | None = None,
) -> Response:
    """One page of golden records (`api.schemas.common.Page`).

    Args:
        alike: finds records that resemble a query of which nothing has all words.
    """
    fields = page.fields if isinstance(page, Sparse) else None
    wanted_of(domain, fields)
    after = None
    if page.cursor is not None:
        sort, entity_id = read_cursor(page.cursor, scope, (int, str))
        after = Place(int(sort), str(entity_id))
    # One row more than asked for says whether there is a next page.
    listed = list_golden(connection, domain, filters, after, page.limit + 1)
    rows: Sequence[GoldenRow] = [each.row for each in listed[: page.limit]]
    approximate = False
    if not rows and alike is not None and filters.q is not None and after is None:
        rows = by_key(connection, domain, filters, page.limit)
        if not rows:
            rows = resembling(connection, domain, filters, page.limit, alike)
            approximate = bool(rows)
    listed_to(request.scope, domain, rows, narrowed=filters, by_change=True)
    entities = resolve_references(connection, ((domain, row.values) for row in rows))
    body: dict[str, Any] = {
        "items": [narrowed(domain, record_object(row, entities, eyes), fields) for row in rows],
        "next": write_cursor(scope, listed[page.limit - 1].place) if len(listed) > page.limit else None,
        "approximate": approximate,
    }
    return answer(body, headers={"Cache-Control": REVALIDATE, "Vary": VARY})


def wanted_of(domain: Domain, fields: str | None) -> frozenset[str] | None:
    """The attributes that are asked for; None for all of them.

    Raises:
        ProblemRaised: `invalid-request`, when one does not exist.
    """
    if fields is None:
        return None
    wanted = frozenset(fields.split(","))
    strangers = sorted(wanted - _NAMES[domain])
    if strangers:
        raise refuse(
            INVALID_REQUEST,
            f"A {domain.value} has no attribute {', '.join(strangers)}.",
            errors=[{"parameter": "query.fields", "detail": f"{each} is no attribute"} for each in strangers],
        )
    return wanted


def narrowed(domain: Domain, record: dict[str, Any], fields: str | None) -> dict[str, Any]:
    """A golden record with only the attributes that were asked for. Raises as `wanted_of`."""
    wanted = wanted_of(domain, fields)
    if wanted is None:
        return record
    return {
        **record,
        "values": {name: value for name, value in record["values"].items() if name in wanted},
        "masked": [name for name in record["masked"] if name in wanted],
    }


def alike_in(request: Request, domain: Domain) -> Alike:
    """The search that forgives mistakes in typing, over what the caller may reach."""
    released: Released = request.app.state.released
    return alike_by(hub_of(request).engine, released.rules, domain)
