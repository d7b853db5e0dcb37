"""One golden record of a domain: the record, its lineage and its sources."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.auth import CallerDep
from api.cursors import read_cursor, write_cursor
from api.deps import ReadsDep
from api.instants import compute
from api.lookup import find_golden
from api.present import joined_objects, lineage_object, record_object, source_object
from api.read_after import insist, wait_for_change
from api.readiness import refuse_unready
from api.routes.lists import narrowed
from api.routes.of_domain import router_of
from api.routes.parameters import AXES, Axes, CustomerAxes, EntityIdPath, KnownAt, Paged
from api.routes.responses import ONE, PENDING, UNMODIFIED, UNREADY
from api.schemas.common import Page
from api.schemas.records import RECORDS, Lineage, SourceRow
from api.wire import answer, tagged
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.quick import QuickReads
from mdm.store.read_models import joins_of, lineage_of, members_of, resolve_references
from mdm.store.read_references import references_in
from mdm.store.released import version_of


def record_router(domain: Domain) -> APIRouter:
    """The routes about one golden record of a domain."""
    router = router_of(domain)
    noun = domain.value

    def get_record(id: EntityIdPath, look: Axes, request: Request, caller: CallerDep, reads: ReadsDep) -> Response:
        """The current golden record, or the version that the hub held as current at `known_at`.

        `valid_at` computes what was true in the business at an instant from the changes made until then, among those
        that the hub had received at `known_at`; `rules` lets another released rule set choose. References are resolved
        to golden records as they are now. An absorbed id redirects to its survivor.
        """
        insist(request)
        if isinstance(look, CustomerAxes) and look.require is not None:
            refuse_unready(request, domain, id, caller.eyes)
        if look.known_at is None and look.valid_at is None and look.rules is None:
            quick: QuickReads = request.app.state.quick
            current = quick.golden(domain, id, caller.scope)
            if current is not None and not references_in(domain, current.values):
                body = narrowed(domain, record_object(current, {}, caller.eyes), look.fields)
                return tagged(request, current.version, body)
        with reads.snapshot() as connection:
            row = find_golden(connection, request, domain, id, look.known_at)
            as_of = None
            if look.valid_at is not None or look.rules is not None:
                row, as_of = compute(request, row, look)
            entities = resolve_references(connection, [(domain, row.values)])
        body = narrowed(domain, record_object(row, entities, caller.eyes), look.fields)
        return tagged(request, row.version, body if as_of is None else {**body, "as_of": as_of})

    # Each domain's parameters are its own, and annotations are read before there is a domain.
    get_record.__annotations__["look"] = Annotated[AXES[domain], Query()]
    router.get(
        "/{id}",
        name=f"get_{noun}",
        summary=f"One {noun}",
        response_model=RECORDS[domain],
        responses={**ONE, **UNMODIFIED, **PENDING, **(UNREADY if domain is Domain.CUSTOMER else {})},
        dependencies=[Depends(wait_for_change)],
    )(get_record)

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
        """For every attribute the winning source row, its position in the feed, the rule, and the runners-up.

        `joined` tells for each of these rows which decision made it a member.
        """
        with reads.snapshot() as connection:
            row = find_golden(connection, request, domain, id, look.known_at)
            lineage = lineage_of(connection, row.entity_id, row.version)
            joins = joins_of(connection, row.entity_id, look.known_at)
            version = version_of(connection, domain, row.ruleset)
        body = lineage_object(row, lineage, caller.eyes)
        body["rules"] = {"fingerprint": row.ruleset, "version": version}
        body["joined"] = joined_objects(lineage, joins)
        return tagged(request, row.version, body)

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
                "items": [source_object(row, member, caller.eyes) for member in shown],
                "next": write_cursor(scope, shown[-1].key) if more else None,
            }
        )

    return router
