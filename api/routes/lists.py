"""Lists of golden records: filters, search and pages, shared by the routes of all domains."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from api.access_log import listed as listed_to
from api.cursors import read_cursor, write_cursor
from api.deps import Released, hub_of
from api.errors import INVALID_REQUEST, refuse
from api.present import record_object
from api.routes.parameters import MAX_LIMIT, Paged, Sparse
from api.wire import REVALIDATE, VARY, answer
from mdm.access import Eyes, may_see
from mdm.hub.match import find_alike
from mdm.model.canonical import ATTRIBUTES, DataClass
from mdm.model.ids import Domain, EntityId
from mdm.store.read_models import (
    Filters,
    GoldenRow,
    Place,
    current_goldens,
    list_golden,
    resolve_references,
    rows_by_key,
)
from mdm.store.read_spelling import respelt

#: Finds entities that resemble the words of a query, at most so many.
Alike: TypeAlias = Callable[[str, int], Sequence[EntityId]]

_NAMES = {domain: {attribute.name for attribute in attributes} for domain, attributes in ATTRIBUTES.items()}


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
        rows = _by_key(connection, domain, filters, filters.q, page.limit)
        if not rows:
            rows = _resembling(connection, domain, filters, filters.q, page.limit, alike)
            approximate = bool(rows)
    listed_to(request.scope, domain, rows, narrowed=filters, by_change=True)
    entities = resolve_references(connection, ((domain, row.values) for row in rows))
    body: dict[str, Any] = {
        "items": [narrowed(domain, record_object(row, entities, eyes), fields) for row in rows],
        "next": write_cursor(scope, listed[page.limit - 1].place) if len(listed) > page.limit else None,
        "approximate": approximate,
    }
    return answer(body, headers={"Cache-Control": REVALIDATE, "Vary": VARY})


def _by_key(connection: Connection, domain: Domain, filters: Filters, key: str, limit: int) -> Sequence[GoldenRow]:
    """Golden records of source rows with this very key, in whichever platform: the number that ERP shows, say."""
    named = rows_by_key(connection, key.strip(), MAX_LIMIT)
    ids = list(dict.fromkeys(each.entity_id for each in named if each.entity_id is not None))
    return [row for row in current_goldens(connection, domain, ids) if passes(row, filters)][:limit]


def _resembling(
    connection: Connection, domain: Domain, filters: Filters, words: str, limit: int, alike: Alike
) -> Sequence[GoldenRow]:
    """Golden records that resemble the words: by the matcher's keys, or else as they may have been meant."""
    # Other filters take some away, so then more are asked for than are shown.
    narrowing = (filters.country, filters.status, filters.updated_since, filters.customer_names)
    wanted = limit if all(each is None for each in narrowing) else MAX_LIMIT
    found = current_goldens(connection, domain, alike(words, wanted))
    rows = [row for row in found if passes(row, filters)][:limit]
    # Terms are identifiers, too, and those are not guessed at by callers who may not see them.
    if rows or not filters.beginnings:
        return rows
    meant: dict[EntityId, GoldenRow] = {}
    for reading in respelt(connection, domain, words):
        for each in list_golden(connection, domain, replace(filters, q=reading), None, limit):
            meant.setdefault(each.row.entity_id, each.row)
    return list(meant.values())[:limit]


def may_search_beginnings(eyes: Eyes) -> bool:
    """Whether beginnings of words find records: not for those who could find out an identifier letter by letter."""
    return may_see(eyes, DataClass.CONFIDENTIAL)


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


def passes(row: GoldenRow, filters: Filters) -> bool:
    """Whether a record found by resemblance meets the other filters."""
    return (
        (filters.country is None or row.values.get("country") == filters.country)
        and (filters.status is None or row.values.get("status") == filters.status)
        and (filters.updated_since is None or row.known_from >= filters.updated_since)
        and filters.customer_names is None
    )


def alike_in(request: Request, domain: Domain) -> Alike:
    """The search that forgives mistakes in typing, by the matcher's keys."""

    def find(words: str, limit: int) -> Sequence[EntityId]:
        hub = hub_of(request)
        released: Released = request.app.state.released
        return find_alike(hub.engine, released.rules, domain, words, limit)

    return find
