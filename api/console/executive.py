"""What governing the data comes to, on one page: money at risk, readiness to close, and measures beside a baseline.

The figures are those of `GET /v1/kpis` and `mdm kpi` (`mdm.hub.kpis`); nothing is worked out here.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, field_validator

from api import ranking
from api.console.guard import SessionDep, needs
from api.console.notices import Notice, refused
from api.console.pages import page
from api.console.reconciliation import PATIENCE
from api.console.sessions import Session
from api.console.workbench import Workbench, WorkbenchDep
from api.last_run import last_run
from api.routes.parameters import Parameters
from api.wire import answer
from mdm.access import Permission
from mdm.core.kpis import Measure
from mdm.errors import Invalid
from mdm.hub.kpis import Kpis, read_kpis
from mdm.model.cells import harmless
from mdm.model.kpis import Period
from mdm.store.scoped import scope_of

router = APIRouter(prefix="/console/executive", include_in_schema=False, dependencies=[needs(Permission.INSPECT)])

_HERE = ("/console/executive", "Executive")


class ExecutiveLook(Parameters):
    """Which period; the last ninety days when none is given, beside as many before them."""

    first: date | None = None
    last: date | None = None
    form: Literal["csv", "json"] | None = Field(None, description="A file instead of the page.")

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    def period(self) -> Period | None:
        """The period that is asked for.

        Raises:
            Invalid: it has one end.
        """
        if (self.first is None) != (self.last is None):
            raise Invalid("A period has two ends: its first and its last day.", action="Give both, or neither.")
        return None if self.first is None or self.last is None else Period(self.first, self.last)


@router.get("")
def executive(
    look: Annotated[ExecutiveLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep
) -> Response:
    """The page, or the same as a file."""
    if scope_of(bench.engine).limits_rows:
        return _page(look, request, session, bench, None)
    ranking.ready(bench.engine, bench.rules, bench.now, bench.policy)
    looked = last_run.look(bench.engine, bench.now, PATIENCE)
    if looked is None:
        return page("reconciliation_waits.html", request, session=session, back=_HERE)
    try:
        figures = read_kpis(bench.pipeline, looked.found, look.period())
    except Invalid as error:
        return _page(look, request, session, bench, None, refused(error), 422)
    if look.form is not None:
        return _file(figures, look.form)
    return _page(look, request, session, bench, figures)


def _page(
    look: ExecutiveLook,
    request: Request,
    session: Session,
    bench: Workbench,
    figures: Kpis | None,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    return page(
        "executive.html",
        request,
        session=session,
        status=status,
        notice=notice,
        now=bench.now,
        look=look,
        figures=figures,
        whole=not scope_of(bench.engine).limits_rows,
        kept=_measure(figures, "deadlines_kept"),
        told=tell,
    )


def _measure(figures: Kpis | None, name: str) -> Measure | None:
    return None if figures is None else next((each for each in figures.measures if each.name == name), None)


def tell(measure: Measure, value: float | None) -> str:
    """A figure as people read it."""
    if value is None:
        return "–"
    if measure.unit == "share":
        return f"{value:.1%}"
    return f"{value:,.0f}" if measure.unit == "decisions" else f"{value:,.1f} {measure.unit}"


def _file(figures: Kpis, form: str) -> Response:
    name = f"kpis-{figures.period.first}-{figures.period.last}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    if form == "json":
        return answer(figures.as_json(), headers=headers)
    text = io.StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in _rows(figures))
    return Response(text.getvalue(), headers=headers, media_type="text/csv; charset=utf-8")


def _rows(figures: Kpis) -> Iterator[list[Any]]:
    yield ["what", "unit", "value", "of", "baseline", "baseline of", "became better"]
    risks: tuple[tuple[str, Mapping[str, Decimal]], ...] = (
        ("at risk: disagreements between platforms", figures.disagreements),
        ("at risk: behind open questions", figures.questions),
        ("at risk: behind refused messages", figures.refused),
    )
    for title, sums in risks:
        for currency, amount in sorted(sums.items()):
            yield [title, currency, format(amount, "f"), "", "", "", ""]
    waits: tuple[tuple[str, Mapping[str, Decimal]], ...] = (
        ("amount times hours open: behind open questions", figures.questions_impact),
        ("amount times hours open: behind refused messages", figures.refused_impact),
    )
    for title, sums in waits:
        for currency, amount in sorted(sums.items()):
            yield [title, f"{currency} hours", format(amount, ".2f"), "", "", "", ""]
    yield ["findings of reconciliation", "findings", figures.findings, "", "", "", ""]
    yield [f"close of {figures.close.month}: open points", "points", figures.open_points, figures.points, "", "", ""]
    for each in (*figures.measures, *figures.parts):
        better = {True: "yes", False: "no", None: ""}[each.improved]
        title = f"{each.title}: {each.part}" if each.part is not None else each.title
        yield [title, each.unit, each.value, each.of, each.baseline, each.baseline_of, better]
