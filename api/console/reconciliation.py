"""Do the platforms tell the same story from contract to posting? Breaks by rule and money, and both sides of each."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import RedirectResponse

from api.console import charts, exports
from api.console.forms import Form, FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import TELLABLE, Notice, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.sessions import Session
from api.console.show import label
from api.console.workbench import Workbench, WorkbenchDep
from api.cursors import read_cursor, write_cursor
from api.errors import NOT_FOUND, refuse
from api.last_run import Looked, last_run
from api.routes.parameters import Cursor, Parameters
from mdm.access import Permission
from mdm.hub import finding_work
from mdm.lifecycle import ageing
from mdm.lifecycle.findings import Finding
from mdm.lifecycle.overview import Overview, Place, Shelf, by_name
from mdm.model.cells import harmless
from mdm.model.ids import CrosswalkKey
from mdm.store import findings as store
from mdm.store.export_jobs import Piece
from mdm.store.findings import FindingName, FindingWork, name_of
from mdm.store.scoped import scope_of, unrestricted

router = APIRouter(
    route_class=FormRoute,
    prefix="/console/reconciliation",
    include_in_schema=False,
    dependencies=[needs(Permission.INSPECT)],
)

_ROWS, _CHUNK = 100, 1000
_HERE = ("/console/reconciliation", "Reconciliation")
#: Names where a download of findings ended.
_EXPORTED = "exported findings"
_TREND = timedelta(days=90)
#: So long, in seconds, the page waits for the first findings since the hub was started; then it says that it waits.
PATIENCE = 4.0
_UNTOUCHED = FindingWork()


class ReconciliationParameters(Parameters):
    """Which findings: of a rule, of a class of age, of those that the person looks after."""

    rule: str | None = Field(None, max_length=80)
    age: int | None = Field(None, ge=0, lt=len(ageing.CLASSES))
    who: Literal["mine"] | None = None
    cursor: Cursor | None = None
    #: Of a download: the export whose page tells how far it is, and whether only the rest of it is asked for.
    job: int | None = Field(None, ge=1, lt=1 << 62)
    rest: Literal["1"] | None = None
    #: What was done with several, in the words of `look_after_several`; no others: they stand there as the hub's own.
    done: str | None = Field(None, pattern=r"^\d+ findings? (taken|handed over|given back|explained)$")

    @property
    def query(self) -> str:
        return urlencode(self.model_dump(exclude_none=True, exclude={"cursor", "done", "job", "rest"}))


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
    looked = last_run.look(bench.engine, bench.now, PATIENCE)
    if looked is None:
        return page("reconciliation_waits.html", request, session=session, status=status, notice=notice, back=_HERE)
    found, overview = looked.found, looked.overview
    listed = _asked(look, bench, overview)
    scope = f"reconciliation {look.query}"
    after = None if look.cursor is None else read_place(look.cursor, scope)
    behind = listed.behind(after, _ROWS + 1)
    following = write_cursor(scope, listed.place(behind[_ROWS - 1])) if len(behind) > _ROWS else None
    by_rule = [
        (rule, each.findings[0].severity.value, len(each.findings), each.sums, each.findings[0].owner)
        for rule, each in overview.rules()
    ]
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
            (each, overview.age_of(each), _work(works, each), _tail(name_of(each)), overview.priority_of(each))
            for each in shown
        ],
        at_once=finding_work.MOST,
        ages=overview.ages(look.rule),
        trend=trend,
        me=bench.actor.name,
        total=len(listed.findings),
        exports=exports.unfinished(bench, "reconciliation"),
        following=following,
        sums=listed.sums,
        chart=charts.bars(
            "Findings by rule",
            [
                charts.Bar(label(rule), number, str(number), "against" if severity == "error" else "sum")
                for rule, severity, number, _, _ in by_rule[:8]
            ],
            width=640,
        ),
    )


def _asked(look: ReconciliationParameters, bench: Workbench, overview: Overview) -> Shelf:
    """The findings of the rule, of the class of age, and of the person, that are asked for."""
    if look.who != "mine":
        return overview.shelf(look.rule, look.age)
    with unrestricted(bench.engine).connect() as connection:
        mine = store.taken_by(connection, bench.actor.name)
    found = (overview.named(*name) for name in mine if look.rule in (None, name.rule))
    return overview.picked((each for each in found if each is not None), look.age)


def read_place(cursor: str, scope: str) -> Place:
    """Where a page of findings ended. Raises as `read_cursor`."""
    tenths, rule, system, type_, key = read_cursor(cursor, scope, (int, str, str, str, str))
    return int(tenths), str(rule), str(system), str(type_), str(key)


def _work(works: dict[FindingName, FindingWork], finding: Finding) -> FindingWork:
    return works.get(name_of(finding), _UNTOUCHED)


def _trend(connection: Connection, bench: Workbench, rule: str | None) -> Markup:
    """How many findings there were, for those who reach all of them."""
    if scope_of(bench.engine).limits_rows:
        return Markup("")
    days = store.trend(connection, rule or "", (bench.now - _TREND).date())
    return charts.days("Findings", days)


@router.post("/export")
def begin_export(
    look: Annotated[ReconciliationParameters, Query()],
    bench: WorkbenchDep,
    form: FormDep,  # noqa: ARG001 - carries the token of the session
) -> Response:
    """Begin an export: its page has the file, and tells how far the download is."""
    return exports.begun(
        bench, "reconciliation", look.query, len(_asked(look, bench, _looked(bench).overview).findings)
    )


@router.get("/export.csv")
def export(look: Annotated[ReconciliationParameters, Query()], bench: WorkbenchDep) -> Response:
    """The findings as the page sums them up, by rule and subject: a download that goes on after a break must not lose
    what became more urgent meanwhile."""
    job = exports.own_export(bench, "reconciliation", look.job) if look.job is not None else None
    after = None
    if job is not None:
        look = ReconciliationParameters.model_validate(dict(parse_qsl(job.query)) | {"rest": look.rest})
        job = job if look.rest else replace(job, place="")
        after = read_place(job.place, _EXPORTED) if job.place else None
    looked = _looked(bench)
    listed = by_name(_asked(look, bench, looked.overview))
    return exports.download(bench, "reconciliation", _csv(bench, looked, listed, after, head=not look.rest), job)


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
    overview = _looked(bench).overview
    if form.text("all"):
        meant: Sequence[Finding] = _asked(look, bench, overview).findings
    else:
        ticked = set(form.all("finding"))
        meant = [each for each in overview.shelf().findings if _tail(name_of(each)) in ticked]
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
        _settle(what, _found(name, _looked(bench)), bench, form)
    except TELLABLE as error:
        return _finding_page(name, request, session, bench, refused(error), 409)
    return RedirectResponse(_address(name), 303)


def _settle(what: str, about: Finding, bench: Workbench, form: Form) -> None:
    if what == "withdraw":
        finding_work.withdraw(bench.engine, bench.hub.clock, [about], bench.actor.name)
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
    looked = _looked(bench)
    about = _found(name, looked)
    with unrestricted(bench.engine).connect() as connection:
        work = _work(store.works(connection, [name]), about)
    return page(
        "finding.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        finding=about,
        age=looked.overview.age_of(about),
        priority=looked.overview.priority_of(about),
        work=work,
        address=_address(name),
        me=bench.actor.name,
        notice=notice,
    )


def _looked(bench: Workbench) -> Looked:
    """The findings, waited for: for what cannot be shown or done without them."""
    looked = last_run.look(bench.engine, bench.now)
    assert looked is not None, "without patience it is waited for"
    return looked


def _found(name: FindingName, looked: Looked) -> Finding:
    """The finding of this name, if the person reaches it."""
    about = looked.overview.named(*name)
    if about is None:
        raise refuse(NOT_FOUND, "There is no such finding any more: the platforms agree, or it never was.")
    return about


def _address(name: FindingName) -> str:
    return f"/console/reconciliation/findings/{_tail(name)}"


def _tail(name: FindingName) -> str:
    """What names a finding in addresses and forms."""
    return f"{name.rule}/" + "/".join(quote(each, safe="") for each in name.subject)


def _csv(bench: Workbench, looked: Looked, listed: Shelf, after: Place | None, head: bool) -> Iterator[Piece]:
    """The findings behind a place, some at a time."""
    done = len(listed.findings) - len(listed.behind(after, len(listed.findings)))
    while True:
        some = listed.behind(after, _CHUNK)
        with unrestricted(bench.engine).connect() as connection:
            works = store.works(connection, [name_of(each) for each in some])
        done += len(some)
        after = listed.place(some[-1]) if some else after
        place = write_cursor(_EXPORTED, after) if after is not None else ""
        yield Piece(_lines(some, looked, works, head), len(some), done, place)
        head = False
        if len(some) < _CHUNK:
            return


def _urgency(overview: Overview, finding: Finding) -> tuple[float | None, str]:
    priority = overview.priority_of(finding)
    if priority is None:
        return None, ""
    return priority.points, "; ".join(f"{each.reason} ({each.points:+.1f})" for each in priority.parts)


def _lines(findings: Sequence[Finding], looked: Looked, works: dict[FindingName, FindingWork], head: bool) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    if head:
        writer.writerow(
            ["as_of", "rule", "code", "severity", "amount", "currency", "facts", "customer", "what", "action", "owner",
             "days", "assignee", "explanation", "priority", "because"]
        )  # fmt: skip
    for each in findings:
        work = _work(works, each)
        cells = [
            looked.found.as_of.isoformat(), each.rule, each.code, each.severity.value, each.amount, each.currency,
            " ".join(map(str, each.facts)), each.customer, each.sentence, each.action, each.owner,
            looked.overview.age_of(each), work.assignee,
            work.explanation if work.explains(each) else None, *_urgency(looked.overview, each),
        ]  # fmt: skip
        writer.writerow([harmless(cell) for cell in cells])
    return out.getvalue()
