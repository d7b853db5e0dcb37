"""How the hub is governed: every measure against its threshold with what is behind it, and the report for auditors."""

import base64
import hashlib
from collections.abc import Mapping
from math import floor
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.console.beside import beside
from api.console.guard import SessionDep, needs, whole_hub
from api.console.pages import page
from api.console.wording import percent
from api.console.workbench import Workbench, WorkbenchDep
from api.last_run import last_run
from api.routes.parameters import Parameters
from mdm.access import Permission
from mdm.core.scorecard import Scorecard, stricter
from mdm.hub.compliance import Compliance, report
from mdm.hub.compliance_page import STYLE, compliance_page
from mdm.hub.scorecard import scorecard
from mdm.hub.steward import load_policy
from mdm.intake.ownership import Ownership, load_ownership

router = APIRouter(
    prefix="/console/governance",
    include_in_schema=False,
    dependencies=[needs(Permission.INSPECT), Depends(whole_hub)],
)

_DIGEST = base64.b64encode(hashlib.sha256(str(STYLE).encode()).digest()).decode()
#: The report stands alone: it loads nothing, and brings its own style.
_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; frame-ancestors 'none'"


class Behind(NamedTuple):
    """Where that can be seen which a measure counts."""

    address: str
    title: str


BEHIND: Mapping[str, Behind] = {
    "owned": Behind("/console/ownership?gaps=yes", "Gaps of the matrix"),
    "contracted": Behind("/console/schemas", "Data contracts"),
    "accounted": Behind("/console/pipeline", "Pipeline"),
    "audited": Behind("/console/audit", "Audit, with its verification"),
    "accepted": Behind("/console/quality#sources", "Quality by source table"),
    "complete": Behind("/console/quality", "Quality by attribute"),
    "valid": Behind("/console/quality#identifiers", "Quality of identifiers"),
    "fresh": Behind("/console/pipeline#workflows", "Pipeline by workflow"),
    "mended": Behind("/console/exceptions", "Refused messages"),
    "answered": Behind("/console/reviews?sla=breached", "Questions past their deadline"),
    "agreeing": Behind("/console/reconciliation", "What does not agree"),
    "moving": Behind("/console/reconciliation/stuck", "What stands still"),
}


class ScorecardLook(Parameters):
    """What no measure may be below, in percent."""

    min: int = Field(0, ge=0, le=100)


class ReportLook(Parameters):
    """Whether the report is kept as a file, rather than looked at."""

    save: Literal["yes"] | None = None


def floored(share: float | None) -> str:
    """A share in percent, rounded down: nothing looks as if it reached a threshold that it misses."""
    return percent(None) if share is None else f"{floor(round(share * 1000, 6)) / 10:g}\u202f%"


@router.get("")
def overview(
    look: Annotated[ScorecardLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep
) -> Response:
    """Every measure, those that miss their threshold first."""
    ownership = _ownership(request)
    made = beside(bench.engine, "scorecard", bench.now, lambda _: _measured(bench, ownership))
    card = None if made is None else stricter(made.what, look.min / 100)
    return page(
        "scorecard.html",
        request,
        session=session,
        now=bench.now,
        look=look,
        card=card,
        scores=sorted(card.scores, key=lambda each: each.passed) if card is not None else [],
        missed=sum(not each.passed for each in card.scores) if card is not None else 0,
        unmeasured=sum(each.value is None for each in card.scores) if card is not None else 0,
        as_of=None if made is None or made.quick else made.at,
        behind=BEHIND,
        floored=floored,
    )


@router.get("/report.html")
def report_page(look: Annotated[ReportLook, Query()], request: Request, bench: WorkbenchDep) -> Response:
    """The report as a page that needs nothing else."""
    told = compliance_page(_report(bench, _ownership(request)))
    kept = f'{"attachment" if look.save else "inline"}; filename="{_name(bench, "html")}"'
    headers = {"Content-Security-Policy": _POLICY, "Content-Disposition": kept}
    return Response(told, 200, headers, "text/html; charset=utf-8")


@router.get("/report.json")
def report_json(request: Request, bench: WorkbenchDep) -> Response:
    """The same for programs."""
    found = _report(bench, _ownership(request))
    told = orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    kept = f'attachment; filename="{_name(bench, "json")}"'
    return Response(told, 200, {"Content-Disposition": kept}, "application/json")


def _report(bench: Workbench, ownership: Ownership) -> Compliance:
    card = _measured(bench, ownership)
    return report(bench.pipeline, bench.policy or load_policy(), ownership, card)


def _measured(bench: Workbench, ownership: Ownership) -> Scorecard:
    found = last_run.of(bench.engine, bench.now)
    return scorecard(bench.pipeline, bench.policy or load_policy(), ownership, found)


def _ownership(request: Request) -> Ownership:
    path: Path | None = request.app.state.ownership
    return load_ownership(path)


def _name(bench: Workbench, kind: str) -> str:
    return f"governance-{bench.now:%Y-%m-%d}.{kind}"
