"""One golden record of a domain: the record, its lineage, its sources and its history."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.deps import ReadsDep
from api.lookup import find_golden, find_state
from api.present import history_objects, lineage_object, record_object, source_object
from api.routes.parameters import EntityIdPath, KnownAt, Paged
from api.routes.responses import CHECKED, GUARDED, ONE, UNKNOWN, UNMODIFIED
from api.schemas.common import Page
from api.schemas.records import RECORDS, HistoryEntry, Lineage, SourceRow
from api.wire import answer, tagged
from mdm.access import EVERY_ROLE
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.read_models import golden_versions, lineage_of, members_of, resolve_references


def record_router(domain: Domain) -> APIRouter:
    """The routes about one golden record of a domain."""
    router = APIRouter(
        prefix=f"/v1/{domain.plural}",
        tags=[domain.plural],
        dependencies=[Depends(allows(EVERY_ROLE))],
        responses={**GUARDED, **CHECKED},
    )
    noun = domain.value

    @router.get(
        "/{id}",
        name=f"get_{noun}",
        summary=f"One {noun}",
        response_model=RECORDS[domain],
        responses={**ONE, **UNMODIFIED},
    )
    def get_record(
        id: EntityIdPath, look: Annotated[KnownAt, Query()], request: Request, caller: CallerDep, reads: ReadsDep
    ) -> Response:
        """The current golden record, or the version that the hub held as current at `known_at`.

        References are resolved to golden records as they are now. An absorbed id redirects to its survivor.
        """
        with reads.snapshot() as connection:
            row = find_golden(connection, request, domain, id, look.known_at)
            entities = resolve_references(connection, [(domain, row.values)])
        return tagged(request, row.version, record_object(row, entities, caller.role))

    @router.get(
        "/{id}/lineage",
        name=f"get_{noun}_lineage",
        summary=f"Where each value of a {noun} comes from",
        response_model=Lineage,
        responses={**ONE, **UNMODIFIED},
    )
    def get_lineage(
        id: EntityIdPath, look: Annotated[KnownAt, Query()], request: Request, caller: CallerDep, reads: ReadsDep
    ) -> Response:
        """For every attribute the winning source row, its position in the feed, the rule, and the runners-up."""
        with reads.snapshot() as connection:
            row = find_golden(connection, request, domain, id, look.known_at)
            lineage = lineage_of(connection, row.entity_id, row.version)
        return tagged(request, row.version, lineage_object(row, lineage, caller.role))

    @router.get(
        "/{id}/sources",
        name=f"get_{noun}_sources",
        summary=f"The source rows behind a {noun}",
        response_model=Page[SourceRow],
        responses=ONE,
    )
    def get_sources(
        id: EntityIdPath, page: Annotated[Paged, Query()], request: Request, caller: CallerDep, reads: ReadsDep
    ) -> Response:
        """The live source rows in canonical attributes, by platform, table and key."""
        scope = page.scope(request.url.path)
        after = None
        if page.cursor is not None:
            after = CrosswalkKey(*map(str, read_cursor(page.cursor, scope, (str, str, str))))
        with reads.snapshot() as connection:
            row = find_golden(connection, request, domain, id)
            members = members_of(connection, row.entity_id, after, page.limit + 1)
        shown = members[: page.limit]
        more = len(members) > page.limit
        return answer(
            {
                "items": [source_object(row, member, caller.role) for member in shown],
                "next": write_cursor(scope, shown[-1].key) if more else None,
            }
        )

    @router.get(
        "/{id}/history",
        name=f"get_{noun}_history",
        summary=f"All versions of a {noun}",
        response_model=Page[HistoryEntry],
        responses=UNKNOWN,
    )
    def get_history(
        id: EntityIdPath, page: Annotated[Paged, Query()], request: Request, caller: CallerDep, reads: ReadsDep
    ) -> Response:
        """Versions with what changed, newest first. Merged and retired ids keep their history."""
        scope = page.scope(request.url.path)
        before = int(read_cursor(page.cursor, scope, (int,))[0]) if page.cursor is not None else None
        with reads.snapshot() as connection:
            find_state(connection, domain, id)
            versions = golden_versions(connection, id, before, page.limit + 1)
        entries = history_objects(versions, page.limit, caller.role)
        more = len(versions) > page.limit
        return answer({"items": entries, "next": write_cursor(scope, [entries[-1]["version"]]) if more else None})

    return router
