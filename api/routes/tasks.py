"""Finding tasks over HTTP: the queue as the console has it, and one task, with the tags that commands take."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api import ranking
from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.deps import ReadsDep
from api.errors import NOT_FOUND, refuse
from api.present_stewardship import queued_object, task_entry_object
from api.routes.parameters import Paged
from api.routes.responses import CHECKED, GUARDED, UNKNOWN
from api.routes.stewardship import DeskDep, TaskId, policy_of
from api.schemas.given import Moment, Storable
from api.schemas.tasks import TaskEntry, TaskPage
from api.wire import answer
from mdm.access import Permission
from mdm.core.worklist import rank_at
from mdm.hub import steward
from mdm.model.ids import Domain
from mdm.store.queue_order import QueueFilters, QueuePlace
from mdm.store.read_queue import queue_page
from mdm.store.read_review import question
from mdm.store.reading import within

router = APIRouter(
    prefix="/v1",
    tags=["stewardship"],
    dependencies=[Depends(allows(Permission.INSPECT))],
    responses={**GUARDED, **CHECKED},
)

_A_DAY = timedelta(days=1)
#: What a name of a platform looks like in a pair of two, which stand in alphabetical order.
_PAIR = "^[a-z0-9_]{1,40}-[a-z0-9_]{1,40}$"


class TaskParameters(Paged):
    """Filters of the queue."""

    state: Literal["awake", "snoozed", "open"] = Field(
        "awake", description="`awake`: not put off; `snoozed`: put off until later; `open`: both."
    )
    domain: Domain | None = Field(None, description="Of both records.")
    kind: Storable | None = Field(
        None, min_length=1, max_length=40, description="As tasks say it: `possible_match`, `override_challenged`, ..."
    )
    assignee: Storable | None = Field(None, min_length=1, max_length=200, description="Who has it.")
    assigned: bool | None = Field(None, description="Somebody has it, or nobody.")
    priority_from: float | None = Field(None, allow_inf_nan=False, description="The least priority, as of now.")
    due: Literal["ok", "due", "breached"] | None = Field(None, description="`due`: within a day.")
    opened_before: Moment | None = Field(None, description="Asked before, RFC 3339.")
    platforms: str | None = Field(None, pattern=_PAIR, description="Of the two records: `crm-erp`.")
    country: str | None = Field(None, pattern="^[A-Z]{2}$", description="Of a record, ISO 3166-1 alpha-2.")
    region: Storable | None = Field(None, max_length=60, description="Where a record is placed: `EMEA`.")
    business_unit: Storable | None = Field(
        None, max_length=60, description="The team that looks after a record: `sales`."
    )
    weight_from: float | None = Field(None, allow_inf_nan=False, description="The least match weight.")
    weight_to: float | None = Field(None, allow_inf_nan=False, description="Match weights below this.")
    amount_from: float | None = Field(
        None, ge=0, le=1e20, description="The least sum of open invoices and running contracts, in one currency."
    )

    def filters(self, now: datetime) -> QueueFilters:
        """The filters as the store understands them."""
        first, _, second = (self.platforms or "").partition("-")
        tomorrow = now + _A_DAY
        return QueueFilters(
            domain=self.domain,
            kind=self.kind,
            systems=(min(first, second), max(first, second)) if self.platforms else None,
            country=self.country,
            region=self.region,
            business_unit=self.business_unit,
            weight_from=self.weight_from,
            weight_to=self.weight_to,
            amount_from=None if self.amount_from is None else Decimal(str(self.amount_from)),
            opened_before=self.opened_before,
            due_before={"breached": now, "due": tomorrow}.get(self.due or ""),
            due_after={"due": now, "ok": tomorrow}.get(self.due or ""),
            rank_from=None if self.priority_from is None else rank_at(self.priority_from, now),
            assignee=self.assignee,
            unassigned=None if self.assigned is None else not self.assigned,
            awake_at=now if self.state == "awake" else None,
            asleep_at=now if self.state == "snoozed" else None,
        )


@router.get("/tasks", name="list_tasks", summary="Open tasks, the most urgent first", response_model=TaskPage)
def list_tasks(
    wanted: Annotated[TaskParameters, Query()], request: Request, caller: CallerDep, desk: DeskDep, reads: ReadsDep
) -> Response:
    """In the order of the console's queue, which does not change with time. `token` in quotes is the `If-Match` of
    commands about a task."""
    now = desk.clock()
    ranking.ready(desk.engine, desk.rules, now, policy_of(request))
    scope = wanted.scope("tasks")
    after = None
    if wanted.cursor is not None:
        rank, task_id = read_cursor(wanted.cursor, scope, (float, int))
        after = QueuePlace(float(rank), int(task_id))
    with reads.snapshot() as connection:
        found = queue_page(connection, wanted.filters(now), after, wanted.limit + 1)
        shown = found[: wanted.limit]
        with within(connection) as work:
            states = steward.task_states(work, [each.task_id for each in shown])
    return answer(
        {
            "items": [queued_object(each, states[each.task_id], now, caller.eyes) for each in shown],
            "next": write_cursor(scope, shown[-1].place) if len(found) > wanted.limit else None,
        }
    )


@router.get("/tasks/{id}", name="get_task", summary="One task", response_model=TaskEntry, responses=UNKNOWN)
def get_task(id: TaskId, reads: ReadsDep) -> Response:
    """What it asks, who has it, until when it is put off, and the tag that commands about it take as `If-Match`."""
    with reads.snapshot() as connection:
        asked = question(connection, id)
        if asked is None:
            raise refuse(NOT_FOUND, f"There is no task {id}.")
        with within(connection) as work:
            state = steward.task_state(work, id)
    return answer(task_entry_object(asked, state), headers={"ETag": f'"{state.token}"'})
