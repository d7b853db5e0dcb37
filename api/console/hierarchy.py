"""The tree of companies a customer belongs to, who states it, and where the platforms disagree."""

from fastapi import APIRouter, Depends, Request, Response

from api.console.guard import SessionDep, signed_in
from api.console.pages import page
from api.console.records import head_of
from api.console.workbench import WorkbenchDep
from api.deps import ReadsDep
from api.lookup import find_golden
from api.routes.parameters import EntityIdPath
from mdm.model.ids import Domain
from mdm.store.read_tree import hierarchy

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])


@router.get("/customers/{id}/hierarchy")
def tree(id: EntityIdPath, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep) -> Response:
    with reads.snapshot() as connection:
        row = find_golden(connection, request, Domain.CUSTOMER, id)
        head = head_of(connection, row, bench.role)
        found = hierarchy(connection, row.entity_id)
    return page(
        "hierarchy.html",
        request,
        session=session,
        tab="hierarchy",
        head=head,
        tree=found,
        stated=row.values.get("parent"),
        now=bench.now,
    )
