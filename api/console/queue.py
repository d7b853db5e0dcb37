"""The review queue: filters, saved views, priorities with their reasons, and the way from one question to the next."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, field_validator
from sqlalchemy import Connection

from api import ranking
from api.console.beside import beside
from api.console.guard import SessionDep, needs
from api.console.notices import proposed, told
from api.console.pages import page
from api.console.steps import told_step
from api.console.workbench import Workbench, WorkbenchDep
from api.cursors import read_cursor, write_cursor
from api.deps import ReadsDep
from api.routes.parameters import Cursor, Parameters
from mdm.access import Permission
from mdm.core.worklist import due_state, priority, waiting
from mdm.hub import steward
from mdm.model.ids import Domain
from mdm.store.console_views import read_views
from mdm.store.queue_order import QueueFilters, QueuePlace, count_queue
from mdm.store.read_console import MOST_COUNTED, own_numbers
from mdm.store.read_queue import Choices, QueueRow, labels_seen, queue_choices, queue_page
from mdm.store.reading import within
from mdm.store.scoped import scope_of

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[needs(Permission.INSPECT)])

_ROWS = 25
#: Questions that are counted; of more the page says that there are more, for counting takes longer than reading a page.
#: So few that fit a filter are found all, before a page of them is put in order.
_COUNTED = 10_000
_AGES = {"1": "a day", "3": "3 days", "7": "a week"}
KINDS = {
    "possible_match": "Possible match",
    "conflict": "Conflict",
    "possible_duplicate": "Possible duplicate",
    "oversize": "Too large to settle",
    "override_challenged": "Override challenged",
}


class QueueParameters(Parameters):
    """Filters of the queue, as they stand in its address. Empty means: all."""

    domain: Domain | None = None
    kind: str | None = Field(None, max_length=40)
    pair: str | None = Field(None, max_length=80)
    country: str | None = Field(None, max_length=2)
    region: str | None = Field(None, max_length=60)
    #: The business unit that looks after the golden records.
    team: str | None = Field(None, max_length=60)
    weight_from: float | None = Field(None, allow_inf_nan=False)
    weight_to: float | None = Field(None, allow_inf_nan=False)
    amount_from: str | None = Field(None, max_length=20)
    older: Literal["1", "3", "7"] | None = None
    sla: Literal["ok", "due", "breached"] | None = None
    who: Literal["mine", "unassigned", "taken", "snoozed"] | None = None
    cursor: Cursor | None = None
    #: The decision, proposal or step that led here, and whether all columns are shown: not filters.
    done: int | None = Field(None, ge=0, lt=1 << 62)
    proposed: int | None = Field(None, ge=0, lt=1 << 62)
    withdrawn: int | None = Field(None, ge=0, lt=1 << 62)
    step: int | None = Field(None, ge=0, lt=1 << 62)
    columns: Literal["all"] | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_all(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("amount_from")
    @classmethod
    def _an_amount(cls, value: str | None) -> str | None:
        if value is not None and _decimal(value) is None:
            raise ValueError("is no amount; write 1000 or 1000.50")
        return value

    def filters(self, now: datetime, actor: str) -> QueueFilters:
        """The filters as the store understands them. What was put off is not shown before its time."""
        pair = (self.pair or "").split("-")
        return QueueFilters(
            domain=self.domain,
            kind=self.kind,
            systems=(pair[0], pair[1]) if len(pair) == 2 else None,
            country=self.country,
            region=self.region,
            business_unit=self.team,
            weight_from=self.weight_from,
            weight_to=self.weight_to,
            amount_from=_decimal(self.amount_from),
            opened_before=now - timedelta(days=int(self.older)) if self.older else None,
            due_before={"breached": now, "due": now + timedelta(days=1)}.get(self.sla or ""),
            due_after={"due": now, "ok": now + timedelta(days=1)}.get(self.sla or ""),
            assignee=actor if self.who == "mine" else None,
            unassigned={"unassigned": True, "taken": False}.get(self.who or ""),
            awake_at=None if self.who == "snoozed" else now,
            asleep_at=now if self.who == "snoozed" else None,
        )

    @property
    def query(self) -> str:
        """The filters as the query of an address, without the page."""
        aside = {"cursor", "done", "proposed", "withdrawn", "step", "columns"}
        given = self.model_dump(mode="json", exclude_none=True, exclude=aside)
        return urlencode(given)


QueueLook = Annotated[QueueParameters, Query()]


@router.get("/reviews")
def queue(look: QueueLook, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep) -> Response:
    """Open questions, the most urgent first."""
    now = bench.now
    ranking.ready(bench.engine, bench.rules, now, bench.policy)
    scope = f"queue {look.query}"
    after = None
    if look.cursor is not None:
        rank, task_id = read_cursor(look.cursor, scope, (float, int))
        after = QueuePlace(float(rank), int(task_id))
    filters = look.filters(now, bench.actor.name)
    with reads.snapshot() as connection:
        total = count_queue(connection, filters, _COUNTED + 1)
        # Of many that fit, few may follow a place.
        few = total <= _COUNTED if total <= _COUNTED or after is None else None
        found = queue_page(connection, filters, after, _ROWS + 1, few=few)
        choices = _choices(request, bench, connection)
        notice = told(connection, look.done) or proposed(look.proposed)
        notice = notice or told_step(bench, connection, look.step)
        views = read_views(connection, bench.actor.name)
        stats = own_numbers(connection, bench.actor.name, now)
        shown = found[:_ROWS]
        with within(connection) as work:
            answered = steward.waiting_answers(work, [row.task_id for row in shown], now)
    following = None
    if len(found) > _ROWS:
        following = _address(look, cursor=write_cursor(scope, tuple(shown[-1].place)))
    return page(
        "queue.html",
        request,
        session=session,
        look=look,
        rows=[queue_object(row, now) for row in shown],
        total=min(total, _COUNTED),
        uncounted=total > _COUNTED,
        following=following,
        choices=choices,
        kinds=KINDS,
        ages=_AGES,
        domains=list(Domain),
        now=now,
        answered=answered,
        notice=notice,
        views=views,
        stats=stats,
        me=bench.actor.name,
        most=steward.MOST_ITEMS,
        jobs=steward.jobs_of(bench.pipeline, bench.actor),
    )


def _choices(request: Request, bench: Workbench, connection: Connection) -> Choices:
    """What the filters offer: what occurs among open questions. Of many, what was written down with their ranks; for
    whoever reaches a part of the hub, what they reach, found beside the page where it takes long."""
    many = getattr(request.state, "counts", {}).get("tasks", 0) >= MOST_COUNTED
    if many and not scope_of(bench.engine).limits_rows:
        return labels_seen(connection)
    found = beside(bench.engine, "choices", bench.now, queue_choices) if many else None
    if found is not None:
        return found.what
    return Choices((), (), (), ()) if many else queue_choices(connection)


def queue_object(row: QueueRow, now: datetime) -> Mapping[str, Any]:
    """A task as a row of the queue: its priority now, with the reasons in the order of their weight."""
    parts = [*row.parts, tuple(waiting(row.opened_at, now))]
    return {
        "task": row,
        "kind": KINDS.get(row.kind, row.kind.replace("_", " ").capitalize()),
        "priority": priority(row.rank, now),
        "parts": sorted((part for part in parts if part[0]), key=lambda part: -part[0]),
        "sla": due_state(row.due_at, now),
    }


def _address(look: QueueParameters, **more: str) -> str:
    query = "&".join(part for part in (look.query, urlencode(more)) if part)
    return "/console/reviews" + (f"?{query}" if query else "")


def _decimal(text: str | None) -> Decimal | None:
    """An amount as people type it; None where it is none, or no number that money comes in."""
    try:
        amount = Decimal(text.replace(" ", "").replace(",", "")) if text else None
    except InvalidOperation:
        return None
    return amount if amount is None or (amount.is_finite() and abs(amount.adjusted()) <= 20) else None
