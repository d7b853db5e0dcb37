"""What governing the data comes to (`/v1/kpis`): money at risk, readiness to close, and measures of a period."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from api.auth import allows
from api.last_run import last_run
from api.present_kpis import accuracy_object
from api.routes.parameters import Parameters
from api.routes.responses import CHECKED, GUARDED
from api.routes.stewardship import DeskDep, PolicyDep
from api.schemas.kpis import InvoiceAccuracyForm, KpiForm
from api.wire import answer
from mdm.access import Permission
from mdm.errors import Invalid
from mdm.hub.kpis import read_invoice_accuracy, read_kpis
from mdm.hub.worklist import rank_new_tasks
from mdm.model.kpis import Period

router = APIRouter(
    prefix="/v1/kpis", tags=["kpis"], dependencies=[Depends(allows(Permission.INSPECT))],
    responses={**GUARDED, **CHECKED},
)  # fmt: skip


class PeriodParameters(Parameters):
    """A period."""

    first: date | None = Field(None, description="First day of the period; ninety days up to today when absent.")
    last: date | None = Field(None, description="Its last day; with `first`.")


class KpiParameters(PeriodParameters):
    """Two periods."""

    baseline_first: date | None = Field(None, description="The same of the period to compare with; the one before.")
    baseline_last: date | None = None


@router.get(
    "", name="get_kpis", summary="Money at risk, readiness to close, and what became better", response_model=KpiForm
)
def get_kpis(asked: Annotated[KpiParameters, Query()], desk: DeskDep, policy: PolicyDep) -> Response:
    """How things stand now, and the measures of a period beside those of another: days to close and months closed in
    time, deadlines kept, hours to an answer, decisions and how many were undone, disagreements, messages refused, hours
    and touches for each break, and how many orders and how much use can be followed to money.

    Of the whole hub: 403 for callers whose scope is limited.
    """
    now = desk.clock()
    rank_new_tasks(desk.engine, desk.rules, now, policy)
    found = last_run.of(desk.engine, now)
    period = _period("first", asked.first, asked.last)
    baseline = _period("baseline_first", asked.baseline_first, asked.baseline_last)
    return answer(read_kpis(desk, found, period, baseline).as_json())


@router.get(
    "/invoice-accuracy", name="get_invoice_accuracy", summary="Do invoices bill what was used?",
    response_model=InvoiceAccuracyForm,
)  # fmt: skip
def get_invoice_accuracy(asked: Annotated[PeriodParameters, Query()], desk: DeskDep) -> Response:
    """Of the invoices issued in a period: metered quantities that are billed against usage that was accepted for them.

    Of the whole hub: 403 for callers whose scope is limited.
    """
    found = last_run.of(desk.engine, desk.clock())
    period = _period("first", asked.first, asked.last)
    return answer(accuracy_object(read_invoice_accuracy(desk, found, period)))


def _period(name: str, first: date | None, last: date | None) -> Period | None:
    if (first is None) != (last is None):
        raise Invalid(f"A period has two ends: {name} and its last day go together.", action="Give both, or neither.")
    return None if first is None or last is None else Period(first, last)
