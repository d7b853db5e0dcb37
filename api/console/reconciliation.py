"""Do the platforms tell the same story from contract to posting? Breaks by rule and money, and both sides of each."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field
from sqlalchemy import Engine

from api.console import charts
from api.console.guard import SessionDep, signed_in
from api.console.pages import page
from api.console.workbench import WorkbenchDep
from api.routes.parameters import Parameters
from mdm.hub.reconcile import Reconciliation, reconcile
from mdm.lifecycle.findings import Finding
from mdm.store.read_console import newest_batch

router = APIRouter(prefix="/console/reconciliation", include_in_schema=False, dependencies=[Depends(signed_in)])

_ROWS = 100


class ReconciliationParameters(Parameters):
    """Which findings."""

    rule: str | None = Field(None, max_length=80)
    page: int = Field(1, ge=1, le=10_000)


class _Memory:
    """The last run, as long as the hub has taken in nothing new: the rules look at the whole hub."""

    def __init__(self) -> None:
        self._for: tuple[int, int] | None = None
        self._found: Reconciliation | None = None

    def of(self, engine: Engine) -> Reconciliation:
        key = (id(engine), newest_batch(engine))
        if self._found is None or self._for != key:
            self._found, self._for = reconcile(engine), key
        return self._found


_memory = _Memory()


@router.get("")
def overview(
    look: Annotated[ReconciliationParameters, Query()], request: Request, session: SessionDep, bench: WorkbenchDep
) -> Response:
    """Findings by rule, and those of one rule."""
    found = _memory.of(bench.engine)
    rules: dict[str, list[Finding]] = {}
    for each in found.findings:
        rules.setdefault(each.rule, []).append(each)
    shown = rules.get(look.rule, []) if look.rule else list(found.findings)
    start = (look.page - 1) * _ROWS
    by_rule = sorted(
        ((rule, each[0].severity.value, len(each), _sums(each), each[0].owner) for rule, each in rules.items()),
        key=lambda row: (row[1] != "error", -row[2]),
    )
    return page(
        "reconciliation.html",
        request,
        session=session,
        now=bench.now,
        as_of=found.as_of,
        look=look,
        by_rule=by_rule,
        findings=shown[start : start + _ROWS],
        total=len(shown),
        more=len(shown) > start + _ROWS,
        sums=_sums(shown),
        chart=charts.bars(
            "Findings by rule",
            [
                charts.Bar(
                    rule.replace("_", " ")[:22], number, str(number), "against" if severity == "error" else "sum"
                )
                for rule, severity, number, _, _ in by_rule[:8]
            ],
            width=520,
        ),
    )


@router.get("/export.csv")
def export(look: Annotated[ReconciliationParameters, Query()], session: SessionDep, bench: WorkbenchDep) -> Response:  # noqa: ARG001
    """The findings as the page sums them up."""
    found = _memory.of(bench.engine)
    rows = [each for each in found.findings if look.rule in (None, each.rule)]
    return Response(
        _csv(rows, found.as_of),
        200,
        {"Content-Disposition": 'attachment; filename="reconciliation.csv"'},
        "text/csv; charset=utf-8",
    )


def _sums(findings: Sequence[Finding]) -> dict[str, Decimal]:
    """Amounts per currency, whatever their sign: what does not agree."""
    sums: dict[str, Decimal] = {}
    for each in findings:
        if each.amount is not None and each.currency:
            sums[each.currency] = sums.get(each.currency, Decimal(0)) + abs(each.amount)
    return sums


def _csv(findings: Sequence[Finding], as_of: datetime) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["as_of", "rule", "code", "severity", "amount", "currency", "facts", "customer", "what", "action", "owner"]
    )
    for each in findings:
        cells = [
            as_of.isoformat(), each.rule, each.code, each.severity.value, each.amount, each.currency,
            " ".join(map(str, each.facts)), each.customer, each.sentence, each.action, each.owner,
        ]  # fmt: skip
        # A cell that a spreadsheet would take for a formula begins with an apostrophe.
        writer.writerow([f"'{cell}" if str(cell or "")[:1] in ("=", "+", "@") else cell for cell in cells])
    return out.getvalue()
