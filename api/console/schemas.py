"""Data contracts: what each table promises, its versions, and what its platform did against it over time."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from fastapi import APIRouter, Depends, Request, Response

from api.console import charts
from api.console.guard import SessionDep, signed_in
from api.console.pages import page
from api.console.workbench import WorkbenchDep
from api.deps import ReadsDep
from mdm.hub import contract_proposals, governance
from mdm.store import governance as store
from mdm.store.governance import Violations

router = APIRouter(prefix="/console/schemas", include_in_schema=False, dependencies=[Depends(signed_in)])

_DAYS, _SAMPLES = 30, 20


@router.get("")
def overview(request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep) -> Response:
    """Every contract with its state, and violations of the last thirty days."""
    contracts = governance.all_contracts(bench.catalogue)
    days = _days(bench.now.date())
    with reads.snapshot() as connection:
        found = store.violations(connection, bench.now - timedelta(days=_DAYS), None, None)
    of_table: dict[tuple[str, str], list[Violations]] = {}
    for each in found:
        of_table.setdefault((each.system, each.table), []).append(each)
    rows = []
    for contract in contracts:
        mine = of_table.get((contract.system, contract.table), [])
        rows.append((contract, _counts(mine), _line(mine, days)))
    waiting = contract_proposals.waiting(bench.engine, bench.actor)
    return page("schemas.html", request, session=session, now=bench.now, rows=rows, days=_DAYS, waiting=waiting)


@router.get("/{system}/{table}")
def schema(
    system: str, table: str, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """One table's contract, whole."""
    contracts = governance.contracts_of(bench.catalogue, system, table)
    days = _days(bench.now.date())
    with reads.snapshot() as connection:
        found = store.violations(connection, bench.now - timedelta(days=_DAYS), system, table)
        drifts = store.drift_samples(connection, system, table, _SAMPLES)
        refused = store.refused_samples(connection, system, table, _SAMPLES)
        versions = governance.versions(connection, contracts[0])
    return page(
        "schema.html",
        request,
        session=session,
        now=bench.now,
        contract=contracts[0],
        contracts=contracts,
        migration=governance.between_majors(contracts),
        versions=versions,
        violations=sorted(found, key=lambda each: (each.day, each.code), reverse=True),
        chart=_line(found, days, wide=True),
        sums=_counts(found),
        drifts=drifts,
        refused=refused,
        profile=bench.catalogue.profile(system, table),
        days=_DAYS,
    )


def _days(today: date) -> list[date]:
    return [today - timedelta(days=back) for back in reversed(range(_DAYS))]


def _counts(found: Sequence[Violations]) -> tuple[int, int]:
    return sum(each.refused for each in found), sum(each.told for each in found)


def _line(found: Sequence[Violations], days: Sequence[date], *, wide: bool = False) -> str:
    """Violations per day as a line, with the sum in words."""
    by_day: Counter[date] = Counter()
    for each in found:
        by_day[each.day] += each.refused + each.told
    total = sum(by_day.values())
    title = (
        f"Violations per day over {len(days)} days: {total} in all, most on one day {max(by_day.values(), default=0)}"
    )
    values = [float(by_day[day]) for day in days]
    return charts.sparkline(title, values, *((640, 72) if wide else ()))
