"""Linked facts of a golden record: orders, entitlements, invoices, payments, postings as their platforms state them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.auth import CallerDep
from api.cursors import read_cursor, write_cursor
from api.deps import ReadsDep
from api.lookup import find_golden
from api.present import fact_object
from api.routes.of_domain import router_of
from api.routes.parameters import EntityIdPath, Paged
from api.routes.responses import ONE
from api.schemas.common import Page
from api.schemas.records import LinkedFact
from api.wire import answer
from mdm.model.canonical import LINKED_FACTS
from mdm.model.ids import Domain
from mdm.store.read_models import facts_of, resolve_names


class FactParameters(Paged):
    """Which linked facts."""

    kind: Literal[*sorted(LINKED_FACTS)] | None = Field(None, description="All kinds when absent.")  # type: ignore[valid-type]


def facts_router(domain: Domain) -> APIRouter:
    """The route of the facts of one golden record of a domain."""
    router = router_of(domain)
    noun = domain.value

    def list_facts(
        id: EntityIdPath, page: Annotated[FactParameters, Query()], request: Request, caller: CallerDep, reads: ReadsDep
    ) -> Response:
        scope = page.scope(request.url.path)
        after = int(read_cursor(page.cursor, scope, (int,))[0]) if page.cursor is not None else 0
        with reads.snapshot() as connection:
            find_golden(connection, request, domain, id)
            facts = facts_of(connection, id, page.kind, after, page.limit + 1)
            shown = facts[: page.limit]
            entities = resolve_names(connection, {target for fact in shown for _, target in fact.references})
        more = len(facts) > page.limit
        return answer(
            {
                "items": [fact_object(fact, entities, caller.eyes) for fact in shown],
                "next": write_cursor(scope, [shown[-1].place]) if more else None,
            }
        )

    router.get(
        "/{id}/facts",
        name=f"list_{noun}_facts",
        summary=f"Invoices, payments, orders and other facts of a {noun}",
        description=f"Live facts that refer to the {noun}, or to a fact that does, in the order in which the hub met "
        "them. References name the row, and the golden record behind it now.",
        response_model=Page[LinkedFact],
        responses=ONE,
    )(list_facts)
    return router
