"""Financial impact and the close: what does not agree by legal entity, month and cause, what is left to do, who signed.

The amounts are those of reconciliation, sorted into books; nothing is added and nothing left out.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, ValidationError, field_validator
from starlette.responses import RedirectResponse

from api import ranking
from api.console import charts
from api.console.forms import FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import TELLABLE, Notice, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.reconciliation import PATIENCE
from api.console.sessions import Session
from api.console.stepping import StepDep
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from api.errors import NOT_FOUND, refuse
from api.last_run import last_run
from api.routes.parameters import Parameters
from mdm.access import Permission
from mdm.errors import Invalid, Refused
from mdm.hub import closing
from mdm.lifecycle.close import Close
from mdm.lifecycle.findings import Severity
from mdm.lifecycle.impact import Row, rows_of, total
from mdm.lifecycle.sign_off import against_reviewing, changed_since
from mdm.store import read_console
from mdm.store.scoped import scope_of

router = APIRouter(
    route_class=FormRoute, prefix="/console/close", include_in_schema=False, dependencies=[needs(Permission.INSPECT)]
)

_MONTHS_DRAWN, _ROWS = 12, 200
_HERE = ("/console/close", "Close")
_DONE = {
    "prepare": "The close is prepared; a second person reviews it.",
    "review": "The close is signed off.",
    "withdraw": "The signatures are taken back; the month is open again.",
}


class CloseParameters(Parameters):
    """Which month, and which legal entity; all months when none is given."""

    month: str | None = Field(None, pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    company: str | None = Field(None, max_length=40)
    done: Literal["prepare", "review", "withdraw"] | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_all(cls, value: Any) -> Any:
        return None if value == "" else value


@router.get("")
def close(
    look: Annotated[CloseParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """The checklist of a month, its signatures, and what is at risk."""
    return _close_page(look, request, session, bench, reads)


@router.post("/prepare", dependencies=[needs(Permission.CONFIRM)])
@router.post("/review", dependencies=[needs(Permission.APPROVE)])
@router.post("/withdraw", dependencies=[needs(Permission.CONFIRM)])
def sign(
    what: StepDep,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Sign the checklist of a month, as the first or the second person, or take the signatures back."""
    comment = form.text("comment")
    try:
        look = CloseParameters.model_validate({"month": form.text("month")})
    except ValidationError as error:
        raise refuse(NOT_FOUND, "There is no such month.") from error
    try:
        asked = _asked(look, bench)
        if what == "withdraw":
            closing.withdraw(bench.pipeline, bench.actor, asked, comment)
        else:
            ranking.ready(bench.engine, bench.rules, bench.now, bench.policy)
            books = closing.books_of(bench.pipeline, asked, last_run.of(bench.engine, bench.now))
            step = closing.prepare if what == "prepare" else closing.review
            step(bench.pipeline, bench.actor, asked, books.points, comment)
    except TELLABLE as error:
        status = 403 if isinstance(error, Refused) else 422 if isinstance(error, Invalid) else 409
        return _close_page(look, request, session, bench, reads, refused(error), status, comment)
    return RedirectResponse(f"/console/close?month={asked.month}&done={what}", 303)


def _asked(look: CloseParameters, bench: Workbench) -> Close:
    return closing.close_named(look.month, bench.now.date(), bench.rules.reconciliation)


def _close_page(
    look: CloseParameters,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    notice: Notice | None = None,
    status: int = 200,
    typed: str = "",
) -> Response:
    today, asked = bench.now.date(), _asked(look, bench)
    ranking.ready(bench.engine, bench.rules, bench.now, bench.policy)
    looked = last_run.look(bench.engine, bench.now, PATIENCE)
    if looked is None:
        return page("reconciliation_waits.html", request, session=session, status=status, notice=notice, back=_HERE)
    found = looked.found
    books = closing.books_of(bench.pipeline, asked, found)
    rows = rows_of(books.sited)
    with reads.snapshot() as connection:
        at_risk = read_console.at_risk(connection)
    shown = [
        row
        for row in rows
        if (look.month is None or row.month == look.month) and (look.company is None or row.company == look.company)
    ]
    signed = closing.signatures(bench.pipeline, asked.month)
    standing = next((each for each in signed if each.stands), None)
    return page(
        "close.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        today=today,
        look=look,
        close=asked,
        left=asked.days_left(today),
        items=books.items,
        done=sum(each.done for each in books.items),
        rows=shown[:_ROWS],
        more=len(shown) if len(shown) > _ROWS else 0,
        total=total(shown),
        findings=sum(row.findings for row in shown),
        everything=total(rows),
        months=sorted({row.month for row in rows} | {asked.month}, reverse=True),
        companies=sorted({row.company for row in rows}),
        at_risk=at_risk,
        most_urgent=read_console.MOST_ADDED,
        as_of=found.as_of,
        chart=_chart(rows),
        whole=not scope_of(bench.engine).limits_rows,
        over=today > asked.last,
        standing=standing,
        changed=changed_since(standing.points, books.points) if standing is not None else [],
        before=[each for each in signed if not each.stands],
        against=against_reviewing(standing, bench.actor.name) if standing is not None else None,
        typed=typed,
        notice=notice or (Notice(_DONE[look.done], "good", "check") if look.done else None),
    )


def _chart(rows: list[Row]) -> Any:
    """Findings per month, the newest last."""
    months = sorted({row.month for row in rows})[-_MONTHS_DRAWN:]
    counted = [
        (
            month,
            sum(row.findings for row in rows if row.month == month),
            any(row.severity is Severity.ERROR for row in rows if row.month == month),
        )
        for month in months
    ]
    return charts.bars(
        "Findings by month",
        [charts.Bar(month, number, str(number), "against" if grave else "sum") for month, number, grave in counted],
        width=480,
    )
