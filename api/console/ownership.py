"""The ownership matrix: who answers for what, in the business and in IT, which platform is right, and the gaps."""

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from api.console.guard import SessionDep, signed_in
from api.console.pages import page
from api.console.workbench import WorkbenchDep
from api.deps import ReadsDep
from api.routes.parameters import Parameters
from mdm.hub.ownership import history
from mdm.intake.ownership import lint, load_ownership, matrix

router = APIRouter(prefix="/console/ownership", include_in_schema=False, dependencies=[Depends(signed_in)])

TABS = ("customer", "contract", "product", "facts")


class OwnershipLook(Parameters):
    """Of which entity, and whether only gaps are shown."""

    entity: Literal["customer", "contract", "product", "facts"] = "customer"
    gaps: Literal["yes"] | None = None


@router.get("")
def ownership(
    look: Annotated[OwnershipLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """The matrix of one entity, what the lint finds in all of it, and its versions."""
    path: Path | None = request.app.state.ownership
    document = load_ownership(path)
    rows = matrix(document, bench.catalogue)
    findings = lint(document, rows)
    gaps: dict[str, dict[str, str]] = {}
    for each in findings:
        gaps.setdefault(each.row, {})[each.cell] = each.detail
    mine = [row for row in rows if (not row.attribute if look.entity == "facts" else _of(row, look.entity))]
    with reads.snapshot() as connection:
        versions = history(connection, document, bench.catalogue)
    return page(
        "ownership.html",
        request,
        session=session,
        now=bench.now,
        look=look,
        tabs=TABS,
        document=document,
        rows=[row for row in mine if look.gaps is None or row.name in gaps],
        platforms=sorted({name for row in rows for name in row.platforms}),
        gaps=gaps,
        findings=findings,
        versions=versions,
    )


def _of(row: Any, entity: str) -> bool:
    return bool(row.entity == entity and row.attribute)
