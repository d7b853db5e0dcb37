"""Do the platforms tell the same story from contract to posting? Breaks by rule and money, and both sides of each."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.console import charts
from api.console.guard import SessionDep, needs
from api.console.pages import page
from api.console.workbench import WorkbenchDep
from api.cursors import read_cursor, write_cursor
from api.last_run import last_run
from api.routes.parameters import Cursor, Parameters
from mdm.access import Permission
from mdm.lifecycle.findings import Finding, Severity
from mdm.lifecycle.impact import sums_of

router = APIRouter(
    prefix="/console/reconciliation",
    include_in_schema=False,
    dependencies=[needs(Permission.INSPECT)],
)

_ROWS = 100


class ReconciliationParameters(Parameters):
    """Which findings."""

    rule: str | None = Field(None, max_length=80)
    cursor: Cursor | None = None


@router.get("")
def overview(
    look: Annotated[ReconciliationParameters, Query()], request: Request, session: SessionDep, bench: WorkbenchDep
) -> Response:
    """Findings by rule, and those of one rule."""
    found = last_run.of(bench.engine, bench.now)
    rules: dict[str, list[Finding]] = {}
    for each in found.findings:
        rules.setdefault(each.rule, []).append(each)
    listed = sorted(rules.get(look.rule, []) if look.rule else found.findings, key=place_of)
    scope = f"reconciliation {look.rule}"
    after = None if look.cursor is None else tuple(read_cursor(look.cursor, scope, (int, str, str, str, str)))
    behind = [each for each in listed if after is None or place_of(each) > after]
    following = write_cursor(scope, place_of(behind[_ROWS - 1])) if len(behind) > _ROWS else None
    by_rule = sorted(
        ((rule, each[0].severity.value, len(each), sums_of(each), each[0].owner) for rule, each in rules.items()),
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
        findings=behind[:_ROWS],
        total=len(listed),
        following=following,
        sums=sums_of(listed),
        chart=charts.bars(
            "Findings by rule",
            [
                charts.Bar(rule.replace("_", " "), number, str(number), "against" if severity == "error" else "sum")
                for rule, severity, number, _, _ in by_rule[:8]
            ],
            width=640,
        ),
    )


def place_of(finding: Finding) -> tuple[int, str, str, str, str]:
    """Where a finding stands in the list: errors first, then by rule and subject, which name it."""
    return int(finding.severity is not Severity.ERROR), finding.rule, *finding.subject


@router.get("/export.csv")
def export(look: Annotated[ReconciliationParameters, Query()], session: SessionDep, bench: WorkbenchDep) -> Response:  # noqa: ARG001
    """The findings as the page sums them up."""
    found = last_run.of(bench.engine, bench.now)
    rows = [each for each in found.findings if look.rule in (None, each.rule)]
    return Response(
        _csv(rows, found.as_of),
        200,
        {"Content-Disposition": 'attachment; filename="reconciliation.csv"'},
        "text/csv; charset=utf-8",
    )


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
