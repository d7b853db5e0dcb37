"""Business transactions that stand still: from order to payment, what got as far as one step and no further."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.console.guard import SessionDep, needs
from api.console.once import FormRoute
from api.console.pages import page
from api.console.reconciliation import PATIENCE
from api.console.workbench import WorkbenchDep
from api.last_run import last_run
from api.routes.parameters import Parameters
from mdm.access import Permission
from mdm.lifecycle.stuck import sums_of

router = APIRouter(
    route_class=FormRoute,
    prefix="/console/reconciliation/stuck",
    include_in_schema=False,
    dependencies=[needs(Permission.INSPECT)],
)

_ROWS = 100
_HERE = ("/console/reconciliation/stuck", "Transactions that stand still")


class StuckLook(Parameters):
    """Which transactions, and which page of them."""

    stage: Literal["ordered", "subscribed", "invoiced", "rejected", "posted"] | None = None
    start: int = Field(0, ge=0, le=1_000_000)


@router.get("")
def stuck(look: Annotated[StuckLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep) -> Response:
    """By the step at which they stand, and each with what it waits for and whose move it is."""
    looked = last_run.look(bench.engine, bench.now, PATIENCE)
    if looked is None:
        return page("reconciliation_waits.html", request, session=session, notice=None, back=_HERE)
    found = looked.found.stuck
    stages = [
        (stage, step, mine, sums_of(mine))
        for stage, step in bench.rules.reconciliation.progress.items()
        if (mine := [each for each in found if each.stage == stage]) is not None
    ]
    meant = [each for each in found if look.stage in (None, each.stage)]
    shown = meant[look.start : look.start + _ROWS]
    return page(
        "stuck.html",
        request,
        session=session,
        notice=None,
        now=bench.now,
        as_of=looked.found.as_of,
        look=look,
        stages=stages,
        shown=shown,
        total=len(meant),
        sums=sums_of(meant),
        following=look.start + _ROWS if look.start + _ROWS < len(meant) else None,
    )
