"""Home: what waits for somebody, what it is worth, and whether the platforms are heard."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from api import ranking
from api.console import charts
from api.console.guard import SessionDep, signed_in
from api.console.pages import page
from api.console.queue import KINDS, queue_object
from api.console.wording import added
from api.console.workbench import WorkbenchDep
from api.deps import ReadsDep
from api.last_run import last_run
from mdm.access import Permission
from mdm.core.four_eyes import much_money
from mdm.core.worklist import OBJECTIVE, promise
from mdm.hub import steward
from mdm.lifecycle.close import current_close
from mdm.model.worklist import MuchMoney
from mdm.store import read_console
from mdm.store.queue_order import QueueFilters
from mdm.store.read_queue import queue_page

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

_MOST_URGENT = 5
#: Over which time deadlines are judged.
_PERIOD = timedelta(days=30)
_AGES = ("today", "1–3 days", "3–7 days", "over a week")


def _largest(much: MuchMoney, amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The sum that is most, by what is much in its currency; nothing where there is none."""
    currency, times = much.most(amounts)
    return {currency: amounts[currency]} if times else {}


@router.get("/")
def home(request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep) -> Response:
    """For those who see what waits; others begin with the customers."""
    if not session.caller.may(Permission.INSPECT):
        return RedirectResponse("/console/customers", 303)
    now = bench.now
    ranking.ready(bench.engine, bench.rules, now, bench.policy)
    ranking.refused_ready(bench.engine, bench.rules, now, bench.policy)
    with reads.snapshot() as connection:
        ageing = read_console.ageing(connection, now, now + timedelta(days=1))
        ages, at_risk = read_console.ages(connection, now), read_console.at_risk(connection)
        urgent = queue_page(connection, QueueFilters(awake_at=now, unanswered_at=now), None, _MOST_URGENT)
        behind_refused = read_console.behind_refused(connection)
        platforms = read_console.platforms(connection)
        batches = read_console.recent_batches(connection, 60)
        waits = read_console.waiting_work(connection, now)
        mine = read_console.own_work(connection, bench.actor.name, now)
        numbers = read_console.own_numbers(connection, bench.actor.name, now)
        promised = promise(read_console.answered(connection, now - _PERIOD), sum(each.breached for each in ageing))
    closing = current_close(now.date(), bench.rules.reconciliation.close_on)
    known = last_run.known(bench.engine, now)
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
        behind_refused=behind_refused,
        platforms=platforms,
        waits=waits,
        whole=sum(each.tasks for each in ageing) <= read_console.MOST_ADDED,
        most=read_console.MOST_ADDED,
        promised=promised,
        objective=OBJECTIVE,
        mine=mine,
        largest=partial(_largest, much_money(bench.policy or steward.load_policy())),
        approving=Permission.APPROVE,
        numbers=numbers,
        jobs=steward.jobs_of(bench.pipeline, bench.actor),
        close=closing,
        days_left=closing.days_left(now.date()),
        disagreeing=known.overview.shelf().sums if known is not None else None,
        age_chart=charts.bars(
            "Open questions by how long they wait",
            [charts.Bar(name, count, added(count)) for name, count in zip(_AGES, ages, strict=True)],
        ),
        intake=charts.sparkline("Messages per unit of work", [messages for _, messages in batches]),
    )
