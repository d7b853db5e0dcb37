"""How the feeds are doing: per platform what arrived, what became of it, how far behind, and what is refused."""

from fastapi import APIRouter, Depends, Request, Response

from api.console import charts
from api.console.guard import SessionDep, signed_in
from api.console.pages import page
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import ReadsDep
from mdm.store import read_console
from mdm.store.read_status import status_summary, vitals

router = APIRouter(prefix="/console/pipeline", include_in_schema=False, dependencies=[Depends(signed_in)])

_BATCHES = 100


@router.get("")
def pipeline(request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep) -> Response:
    with reads.snapshot() as connection:
        hub = status_summary(connection)
        platforms = read_console.platforms(connection)
        batches = read_console.recent_batches(connection, _BATCHES)
        positions = read_console.feed_positions(connection)
        waiting = vitals(connection)
    return page(
        "pipeline.html",
        request,
        session=session,
        now=bench.now,
        hub=hub,
        platforms=platforms,
        positions=positions,
        vitals=waiting,
        contracts=_contracts(bench),
        intake=charts.sparkline("Messages per unit of work", [number for _, number in batches], width=420, height=60),
    )


def _contracts(bench: Workbench) -> dict[str, str]:
    """The version of each platform's data contract."""
    versions: dict[str, set[str]] = {}
    for profile in bench.catalogue.profiles:
        versions.setdefault(profile.system, set()).add(profile.contract.version)
    return {system: ", ".join(sorted(found)) for system, found in versions.items()}
