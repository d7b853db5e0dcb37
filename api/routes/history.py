"""The versions of a golden record: all of them, one, and what lies between two."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection

from api.auth import CallerDep
from api.cursors import read_cursor, write_cursor
from api.deps import ReadsDep
from api.errors import NOT_FOUND, refuse
from api.lookup import find_state
from api.present import changed_values, history_objects, record_object
from api.routes.of_domain import router_of
from api.routes.parameters import EntityIdPath, Paged, Parameters
from api.routes.responses import UNKNOWN, UNMODIFIED
from api.schemas.common import Page
from api.schemas.records import RECORDS, Difference, HistoryEntry
from api.wire import answer, tagged
from mdm.model.ids import Domain
from mdm.store.read_models import GoldenRow, golden_version, golden_versions, resolve_references

_LARGEST = 2**31 - 1

VersionPath = Annotated[int, Path(ge=1, le=_LARGEST, description="Version of the golden record.")]


class TwoVersions(Parameters):
    """Two versions to compare."""

    from_version: int = Field(alias="from", ge=1, le=_LARGEST, description="The earlier one, usually.")
    to_version: int = Field(alias="to", ge=1, le=_LARGEST, description="The other one.")


def history_router(domain: Domain) -> APIRouter:
    """The routes about the versions of a golden record of a domain."""
    router = router_of(domain)
    noun = domain.value

    def get_history(
        id: EntityIdPath, page: Annotated[Paged, Query()], request: Request, caller: CallerDep, reads: ReadsDep
    ) -> Response:
        """Versions with what changed, newest first. Merged and retired ids keep their history."""
        scope = page.scope(request.url.path)
        before = int(read_cursor(page.cursor, scope, (int,))[0]) if page.cursor is not None else None
        with reads.snapshot() as connection:
            find_state(connection, domain, id)
            versions = golden_versions(connection, id, before, page.limit + 1)
        entries = history_objects(versions, page.limit, caller.eyes)
        more = len(versions) > page.limit
        return answer({"items": entries, "next": write_cursor(scope, [entries[-1]["version"]]) if more else None})

    for path, name, former in (("_history", "history", False), ("history", "history_formerly", True)):
        router.get(
            f"/{{id}}/{path}",
            name=f"get_{noun}_{name}",
            summary=f"All versions of a {noun}",
            response_model=Page[HistoryEntry],
            responses=UNKNOWN,
            deprecated=former or None,
        )(get_history)

    @router.get(
        "/{id}/_history/{version}",
        name=f"get_{noun}_version",
        summary=f"One version of a {noun}",
        response_model=RECORDS[domain],
        responses={**UNKNOWN, **UNMODIFIED},
    )
    def get_version(
        id: EntityIdPath, version: VersionPath, request: Request, caller: CallerDep, reads: ReadsDep
    ) -> Response:
        """The version as it was known, whatever became of the record later. References are resolved as of now."""
        with reads.snapshot() as connection:
            row = _version(connection, domain, id, version)
            entities = resolve_references(connection, [(domain, row.values)])
        return tagged(request, row.version, record_object(row, entities, caller.eyes))

    @router.get(
        "/{id}/_diff",
        name=f"diff_{noun}_versions",
        summary=f"What differs between two versions of a {noun}",
        response_model=Difference,
        responses=UNKNOWN,
    )
    def diff_versions(
        id: EntityIdPath, pair: Annotated[TwoVersions, Query()], caller: CallerDep, reads: ReadsDep
    ) -> Response:
        """Every attribute that is not the same in both, before and after."""
        with reads.snapshot() as connection:
            before = _version(connection, domain, id, pair.from_version)
            after = _version(connection, domain, id, pair.to_version)
        return answer(
            {
                "id": before.entity_id,
                "domain": domain.value,
                "from_version": before.version,
                "to_version": after.version,
                "from_known": before.known_from,
                "to_known": after.known_from,
                "changed": changed_values(domain, before.values, after.values, caller.eyes),
            }
        )

    return router


def _version(connection: Connection, domain: Domain, entity_id: str, version: int) -> GoldenRow:
    find_state(connection, domain, entity_id)
    row = golden_version(connection, domain, entity_id, version)
    if row is None:
        raise refuse(NOT_FOUND, f"{entity_id} has no version {version}.")
    return row
