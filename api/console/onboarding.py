"""May these customers be created in ERP? Verdicts in lists, and one in full with its evidence."""

from collections import Counter
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, field_validator
from starlette.responses import RedirectResponse

from api.access_log import listed
from api.console.forms import FormDep
from api.console.guard import SessionDep, needs, signed_in
from api.console.notices import TELLABLE, Notice, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.records import DECISIONS, head_of
from api.console.sessions import Session
from api.console.stepping import StepDep
from api.console.steps import Ending, ending_of, newest_step, own_step, told_step
from api.console.workbench import Workbench, WorkbenchDep
from api.cursors import read_cursor, write_cursor
from api.deps import Reads, ReadsDep
from api.lookup import find_golden
from api.present_verdict import told_to
from api.resembling import may_search_beginnings
from api.routes.parameters import Cursor, EntityIdPath, Parameters
from api.schemas.given import Storable
from mdm.access import Permission
from mdm.errors import OperatorError
from mdm.hub import checkpoints
from mdm.hub.onboarding import verdict_on_golden, verdicts_on_golden
from mdm.hub.projections import shipped_targets
from mdm.hub.steward import Step
from mdm.model.ids import Domain
from mdm.onboarding.checkpoint import CheckpointName, Return, Waiver
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.onboarding.verdict import Decision, Finding, Outcome, Severity, Verdict
from mdm.store.erp_view import standings
from mdm.store.onboarding import returns_of, words_about
from mdm.store.read_models import Filters, LastVerdict, Place, list_golden

router = APIRouter(route_class=FormRoute, prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

#: What somebody must act on comes first.
_ORDER = (Outcome.FAIL, Outcome.UNVERIFIABLE, Outcome.WAIVED, Outcome.PASS, Outcome.NOT_APPLICABLE)
#: Each verdict is drawn when it is looked at; more would make the page slow.
_ROWS = 25
#: What people said about one customer, the latest.
_WORDS = 50


class OnboardingParameters(Parameters):
    """Which candidates."""

    q: Storable | None = Field(None, max_length=200)
    country: str | None = Field(None, pattern="^[A-Za-z]{2}$")
    #: By the last verdict that is kept for the rule set's own ERP.
    verdict: Decision | None = None
    cursor: Cursor | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_all(cls, value: Any) -> Any:
        return None if value == "" else value

    @property
    def query(self) -> str:
        return urlencode(self.model_dump(mode="json", exclude_none=True, exclude={"cursor"}))


@router.get("/onboarding", dependencies=[needs(Permission.INSPECT)])
def candidates(
    look: Annotated[OnboardingParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """Golden customers with the verdict on each."""
    scope = f"onboarding {look.query}"
    after = None
    if look.cursor is not None:
        sort, entity_id = read_cursor(look.cursor, scope, (int, str))
        after = Place(int(sort), str(entity_id))
    country = look.country.upper() if look.country else None
    kept = LastVerdict(shipped_ruleset().target.erp, look.verdict.value) if look.verdict is not None else None
    filters = Filters(look.q, country, beginnings=may_search_beginnings(bench.eyes), verdict=kept)
    with reads.snapshot() as connection:
        found = list_golden(connection, Domain.CUSTOMER, filters, after, _ROWS + 1)
    rows = [hit.row for hit in found[:_ROWS]]
    listed(request.scope, Domain.CUSTOMER, rows, narrowed=filters, by_change=look.verdict is None)
    following = None
    if len(found) > _ROWS:
        more = urlencode({"cursor": write_cursor(scope, tuple(found[_ROWS - 1].place))})
        following = "/console/onboarding?" + "&".join(part for part in (look.query, more) if part)
    ids = [hit.row.entity_id for hit in found[:_ROWS]]
    drawn = {each.entity_id: each for each in verdicts_on_golden(bench.engine, bench.rules.platforms, ids, bench.now)}
    # One that was absorbed since the list was read has no verdict of its own any more.
    verdicts = [(hit.row, drawn[hit.row.entity_id]) for hit in found[:_ROWS] if hit.row.entity_id in drawn]
    return page(
        "onboarding.html",
        request,
        session=session,
        look=look,
        rows=[(row, verdict, worst(told_to(verdict, bench.eyes).findings)) for row, verdict in verdicts],
        tally=Counter(verdict.decision for _, verdict in verdicts),
        decisions=DECISIONS,
        following=following,
    )


class VerdictParameters(Parameters):
    """The step of one's own that the page tells, with the way to take it back."""

    step: int | None = None


@router.get("/customers/{id}/readiness")
def verdict(
    id: EntityIdPath,
    look: Annotated[VerdictParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """The verdict on one customer with every check."""
    return _verdict_page(id, request, session, bench, reads, number=look.step)


@router.post("/customers/{id}/readiness/confirm", dependencies=[needs(Permission.CONFIRM)])
@router.post("/customers/{id}/readiness/withdraw", dependencies=[needs(Permission.CONFIRM)])
@router.post("/customers/{id}/readiness/return", dependencies=[needs(Permission.CONFIRM)])
@router.post("/customers/{id}/readiness/take-up", dependencies=[needs(Permission.CONFIRM)])
@router.post("/customers/{id}/readiness/waive", dependencies=[needs(Permission.WAIVE)])
@router.post("/customers/{id}/readiness/agree", dependencies=[needs(Permission.WAIVE)])
@router.post("/customers/{id}/readiness/unwaive", dependencies=[needs(Permission.WAIVE)])
def confirm(
    id: EntityIdPath,
    what: StepDep,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Confirm a checkpoint, excuse a finding until a day, agree to that, or take either back; send the customer back to
    whoever asked for it, or take it up again."""
    engine, clock, actor, reason = bench.engine, bench.hub.clock, bench.actor.name, form.text("reason")
    code, path = form.text("code"), form.text("path")
    try:
        until = form.day_end("until")
        if what in ("confirm", "withdraw"):
            name = CheckpointName(form.text("checkpoint"))
            if what == "confirm":
                checkpoints.confirm(engine, clock, id, name, actor, reason, until)
            else:
                checkpoints.withdraw(engine, clock, id, name, actor, reason)
        elif what == "return":
            checkpoints.return_to_requester(engine, clock, id, actor, reason)
        elif what == "take-up":
            checkpoints.take_up(engine, clock, id, actor, reason)
        elif what == "waive":
            waiver = Waiver(code, path, actor, reason, until or bench.now)
            checkpoints.waive(engine, clock, id, waiver, bench.role)
        elif what == "agree":
            checkpoints.approve_waiver(engine, clock, id, code, path, bench.actor)
        else:
            checkpoints.unwaive(engine, clock, id, code, path, actor, reason)
    except (*TELLABLE, OperatorError) as error:
        return _verdict_page(id, request, session, bench, reads, refused(error), 409)
    except ValueError:
        notice = Notice("The form was not understood. Nothing was changed.", "bad", "exception")
        return _verdict_page(id, request, session, bench, reads, notice, 422)
    return RedirectResponse(f"/console/customers/{id}/readiness?{newest_step(bench)}", 303)


def _verdict_page(
    id: str,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    notice: Notice | None = None,
    status: int = 200,
    number: int | None = None,
) -> Response:
    done = own_step(bench, number)
    with reads.snapshot() as connection:
        told = told_step(bench, connection, number) if done is not None and done.subject == id else None
        row = find_golden(connection, request, Domain.CUSTOMER, id)
        head = head_of(connection, row, bench)
        words = words_about(connection, row.entity_id, _WORDS)
        returned = returns_of(connection, [row.entity_id]).get(row.entity_id)
        views = standings(connection, [row.entity_id])
    found = told_to(verdict_on_golden(bench.engine, bench.rules.platforms, id, bench.now), bench.eyes)
    order = {outcome: number for number, outcome in enumerate(_ORDER)}
    return page(
        "readiness.html",
        request,
        session=session,
        status=status,
        tab="readiness",
        head=head,
        verdict=found,
        decision=DECISIONS[found.decision],
        erp=shipped_ruleset().targets[found.erp].title,
        findings=sorted(found.findings, key=lambda each: order[each.outcome]),
        checkpoints=list(CheckpointName),
        waivable={code for code, rule in shipped_ruleset().rules.items() if checkpoints.may_waive(bench.role, rule)},
        words=words,
        returned=returned,
        views=[(each, shipped_targets()[each.erp].title) for each in views if each.erp in shipped_targets()],
        me=bench.actor.name,
        now=bench.now,
        notice=notice or told,
        ending=_ending(done, found, returned) if told is not None and done is not None else None,
    )


def _ending(done: Step, found: Verdict, returned: Return | None) -> Ending | None:
    """How what was done here last is taken back; None where it does not hold any more, or is done anew instead."""
    ending = ending_of(done)
    if ending is None:
        return None
    about = dict(ending.about)
    held = [(each.code, each.path) for finding in found.findings for each in (finding.waiver, finding.proposed) if each]
    holds = {
        "withdraw": about.get("checkpoint") in {name.value for name in found.checkpoints},
        "unwaive": (about.get("code"), about.get("path")) in held,
        "take-up": returned is not None,
    }
    return ending if holds[ending.what] else None


def worst(findings: tuple[Finding, ...]) -> list[Finding]:
    """What stands in the way, the gravest first."""
    gravity = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
    failing = [each for each in findings if each.outcome is Outcome.FAIL]
    return sorted(failing, key=lambda each: gravity[each.severity])[:3]
