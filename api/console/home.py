"""Home: what waits for somebody, what it is worth, and whether the platforms are heard."""

from datetime import timedelta

from fastapi import APIRouter, Depends, Request, Response

from api.console import charts
from api.console.guard import SessionDep, signed_in
from api.console.pages import page
from api.console.queue import KINDS, queue_object
from api.console.workbench import WorkbenchDep
from api.deps import ReadsDep
from mdm.hub.worklist import rank_open_tasks
from mdm.store import read_console
from mdm.store.read_queue import QueueFilters, queue_page
from mdm.store.read_status import vitals

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

_MOST_URGENT = 5
_AGES = ("today", "1–3 days", "3–7 days", "over a week")


@router.get("/")
def home(request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep) -> Response:
    now = bench.now
    rank_open_tasks(bench.engine, bench.rules, now)
    with reads.snapshot() as connection:
        ageing = read_console.ageing(connection, now, now + timedelta(days=1))
        ages = read_console.ages(connection, now)
        urgent = queue_page(connection, QueueFilters(), None, _MOST_URGENT)
        at_risk = read_console.at_risk(connection)
        platforms = read_console.platforms(connection)
        batches = read_console.recent_batches(connection, 60)
        hub_vitals = vitals(connection)
    return page(
        "home.html",
        request,
        session=session,
        now=now,
        ageing=ageing,
        kinds=KINDS,
        tasks=sum(each.tasks for each in ageing),
        breached=sum(each.breached for each in ageing),
        due=sum(each.due for each in ageing),
        urgent=[queue_object(row, now) for row in urgent],
        at_risk=at_risk,
        platforms=platforms,
        vitals=hub_vitals,
        age_chart=charts.bars(
            "Open questions by how long they wait",
            [charts.Bar(name, count, str(count)) for name, count in zip(_AGES, ages, strict=True)],
        ),
        intake=charts.sparkline("Messages per unit of work", [messages for _, messages in batches]),
    )
