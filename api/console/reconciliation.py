"""Do the platforms tell the same story from contract to posting? Breaks by rule and money, and both sides of each."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import RedirectResponse

from api.console import charts
from api.console.deciding import TELLABLE
from api.console.forms import Form, FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import Notice, refused
from api.console.pages import page
from api.console.sessions import Session
from api.console.workbench import Workbench, WorkbenchDep
from api.cursors import read_cursor, write_cursor
from api.errors import NOT_FOUND, refuse
from api.last_run import last_run
from api.routes.parameters import Cursor, Parameters
from mdm.access import Permission
from mdm.hub import finding_work
from mdm.hub.reconcile import Reconciliation
from mdm.lifecycle import ageing
from mdm.lifecycle.findings import Finding, Severity
from mdm.lifecycle.impact import sums_of
from mdm.model.ids import CrosswalkKey
from mdm.store import findings as store
from mdm.store.findings import FindingName, FindingWork, name_of
from mdm.store.scoped import scope_of, unrestricted

router = APIRouter(
    prefix="/console/reconciliation",
    include_in_schema=False,
    dependencies=[needs(Permission.INSPECT)],
)

_ROWS = 100
_TREND = timedelta(days=90)
_UNTOUCHED = FindingWork()


class ReconciliationParameters(Parameters):
    """Which findings: of a rule, of a class of age, of those that the person looks after."""

    rule: str | None = Field(None, max_length=80)
    age: int | None = Field(None, ge=0, lt=len(ageing.CLASSES))
    who: Literal["mine"] | None = None
    cursor: Cursor | None = None
    #: What was done with several, in the words of `look_after_several`; no others: they stand there as the hub's own.
    done: str | None = Field(None, pattern=r"^\d+ findings? (taken|handed over|given back|explained)$")

    @property
    def query(self) -> str:
        return urlencode(self.model_dump(exclude_none=True, exclude={"cursor", "done"}))


@router.get("")
def overview(
    look: Annotated[ReconciliationParameters, Query()], request: Request, session: SessionDep, bench: WorkbenchDep
) -> Response:
    """Findings by rule and by age, and those that are asked for."""
    return _overview(look, request, session, bench)


def _overview(
    look: ReconciliationParameters,
    request: Request,
    session: Session,
    bench: Workbench,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    found = last_run.of(bench.engine, bench.now)
    rules: dict[str, list[Finding]] = {}
    for each in found.findings:
        rules.setdefault(each.rule, []).append(each)
    of_rule = rules.get(look.rule, []) if look.rule else found.findings
    listed = sorted(_asked(of_rule, look, bench, found), key=place_of)
    scope = f"reconciliation {look.query}"
    after = None if look.cursor is None else tuple(read_cursor(look.cursor, scope, (int, str, str, str, str)))
    behind = [each for each in listed if after is None or place_of(each) > after]
    following = write_cursor(scope, place_of(behind[_ROWS - 1])) if len(behind) > _ROWS else None
    by_rule = sorted(
        ((rule, each[0].severity.value, len(each), sums_of(each), each[0].owner) for rule, each in rules.items()),
        key=lambda row: (row[1] != "error", -row[2]),
    )
    shown = behind[:_ROWS]
    with unrestricted(bench.engine).connect() as connection:  # of findings that this person reaches
        works = store.works(connection, [name_of(each) for each in shown])
        trend = _trend(connection, bench, look.rule)
    return page(
        "reconciliation.html",
        request,
        session=session,
        status=status,
        notice=notice or (Notice(f"{look.done}.", "good", "check") if look.done else None),
        now=bench.now,
        as_of=found.as_of,
        look=look,
        by_rule=by_rule,
        findings=[
            (each, ageing.age_of(each, found.books, found.as_of.date()), _work(works, each), _tail(name_of(each)))
            for each in shown
        ],
        at_once=finding_work.MOST,
        ages=ageing.aged(of_rule, found.books, found.as_of.date()),
        trend=trend,
        me=bench.actor.name,
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


def _asked(
    findings: Sequence[Finding], look: ReconciliationParameters, bench: Workbench, found: Reconciliation
) -> Sequence[Finding]:
    """Those of the class of age, and of the person, that are asked for."""
    if look.who == "mine":
        with unrestricted(bench.engine).connect() as connection:
            mine = store.taken_by(connection, bench.actor.name)
        findings = [each for each in findings if name_of(each) in mine]
    if look.age is None:
        return findings
    today = found.as_of.date()
    return [each for each in findings if ageing.class_of(ageing.age_of(each, found.books, today)) == look.age]


def _work(works: dict[FindingName, FindingWork], finding: Finding) -> FindingWork:
    return works.get(name_of(finding), _UNTOUCHED)


def _trend(connection: Connection, bench: Workbench, rule: str | None) -> Markup:
    """How many findings there were, for those who reach all of them."""
    if scope_of(bench.engine).limits_rows:
        return Markup("")
    days = store.trend(connection, rule or "", (bench.now - _TREND).date())
    return charts.days("Findings", days)


def place_of(finding: Finding) -> tuple[int, str, str, str, str]:
    """Where a finding stands in the list: errors first, then by rule and subject, which name it."""
    return int(finding.severity is not Severity.ERROR), finding.rule, *finding.subject


@router.get("/export.csv")
def export(look: Annotated[ReconciliationParameters, Query()], session: SessionDep, bench: WorkbenchDep) -> Response:  # noqa: ARG001
    """The findings as the page sums them up."""
    found = last_run.of(bench.engine, bench.now)
    rows = _asked([each for each in found.findings if look.rule in (None, each.rule)], look, bench, found)
    with unrestricted(bench.engine).connect() as connection:
        works = store.works(connection, [name_of(each) for each in rows])
    return Response(
        _csv(rows, found, works),
        200,
        {"Content-Disposition": 'attachment; filename="reconciliation.csv"'},
        "text/csv; charset=utf-8",
    )


@router.post("/findings/{what}", dependencies=[needs(Permission.CONFIRM)])
def look_after_several(
    what: Literal["take", "assign", "release", "explain"],
    look: Annotated[ReconciliationParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    form: FormDep,
) -> Response:
    """Say of ticked findings, or of all that are asked for, whose they are or why they are as they are."""
    found = last_run.of(bench.engine, bench.now)
    if form.text("all"):
        of_rule = [each for each in found.findings if look.rule in (None, each.rule)]
        meant = list(_asked(of_rule, look, bench, found))
    else:
        ticked = set(form.all("finding"))
        meant = [each for each in found.findings if _tail(name_of(each)) in ticked]
    try:
        _settle_several(what, meant, bench, form)
    except TELLABLE as error:
        return _overview(look, request, session, bench, refused(error), 409)
    words = {"take": "taken", "assign": "handed over", "release": "given back", "explain": "explained"}[what]
    done = urlencode({"done": f"{len(meant)} finding{'' if len(meant) == 1 else 's'} {words}"})
    return RedirectResponse(f"/console/reconciliation?{look.query}{'&' if look.query else ''}{done}", 303)


@router.get("/findings/{rule}/{system}/{type}/{key:path}")
def finding(
    rule: str, system: str, type: str, key: str, request: Request, session: SessionDep, bench: WorkbenchDep
) -> Response:
    """One finding whole: both sides, who looks after it, why it is as it is."""
    return _finding_page(FindingName(rule, CrosswalkKey(system, type, key)), request, session, bench)


@router.post("/findings/{rule}/{system}/{type}/{key:path}/{what}", dependencies=[needs(Permission.CONFIRM)])
def look_after(
    rule: str,
    system: str,
    type: str,
    key: str,
    what: Literal["take", "assign", "release", "explain", "withdraw"],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    form: FormDep,
) -> Response:
    """Say whose it is, or why it is as it is."""
    name = FindingName(rule, CrosswalkKey(system, type, key))
    try:
        _settle(what, _found(name, last_run.of(bench.engine, bench.now)), bench, form)
    except TELLABLE as error:
        return _finding_page(name, request, session, bench, refused(error), 409)
    return RedirectResponse(_address(name), 303)


def _settle(what: str, about: Finding, bench: Workbench, form: Form) -> None:
    if what == "withdraw":
        finding_work.withdraw(bench.engine, bench.hub.clock, about, bench.actor.name)
    else:
        _settle_several(what, [about], bench, form)


def _settle_several(what: str, about: Sequence[Finding], bench: Workbench, form: Form) -> None:
    where = (bench.engine, bench.hub.clock, about)
    match what:
        case "take":
            finding_work.take(*where, bench.actor.name)
        case "assign":
            finding_work.hand_over(*where, form.person("assignee"), bench.actor.name)
        case "release":
            finding_work.put_down(*where, bench.actor.name)
        case _:
            finding_work.explain(*where, form.text("reason"), bench.actor.name)


def _finding_page(
    name: FindingName,
    request: Request,
    session: Session,
    bench: Workbench,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    found = last_run.of(bench.engine, bench.now)
    about = _found(name, found)
    with unrestricted(bench.engine).connect() as connection:
        work = _work(store.works(connection, [name]), about)
    return page(
        "finding.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        finding=about,
        age=ageing.age_of(about, found.books, found.as_of.date()),
        work=work,
        address=_address(name),
        me=bench.actor.name,
        notice=notice,
    )


def _found(name: FindingName, found: Reconciliation) -> Finding:
    """The finding of this name, if the person reaches it."""
    about = next((each for each in found.findings if name_of(each) == name), None)
    if about is None:
        raise refuse(NOT_FOUND, "There is no such finding any more: the platforms agree, or it never was.")
    return about


def _address(name: FindingName) -> str:
    return f"/console/reconciliation/findings/{_tail(name)}"


def _tail(name: FindingName) -> str:
    """What names a finding in addresses and forms."""
    return f"{name.rule}/" + "/".join(quote(each, safe="") for each in name.subject)


def _csv(findings: Sequence[Finding], found: Reconciliation, works: dict[FindingName, FindingWork]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["as_of", "rule", "code", "severity", "amount", "currency", "facts", "customer", "what", "action", "owner",
         "days", "assignee", "explanation"]
    )  # fmt: skip
    for each in findings:
        work = _work(works, each)
        cells = [
            found.as_of.isoformat(), each.rule, each.code, each.severity.value, each.amount, each.currency,
            " ".join(map(str, each.facts)), each.customer, each.sentence, each.action, each.owner,
            ageing.age_of(each, found.books, found.as_of.date()), work.assignee,
            work.explanation if work.explains(each) else None,
        ]  # fmt: skip
        # A cell that a spreadsheet would take for a formula begins with an apostrophe.
        writer.writerow([f"'{cell}" if str(cell or "")[:1] in ("=", "+", "@") else cell for cell in cells])
    return out.getvalue()
