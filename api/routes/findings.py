"""Findings of reconciliation over HTTP (`/v1/findings`): where the platforms disagree from contract to posting, what
that is worth, who looks after it.

The same findings, of the same run, as in the console; the same use cases (`mdm.hub.finding_work`). Whoever's scope is
limited sees those about customers and contracts within it.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Response
from pydantic import Field, StringConstraints

from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.deps import HubDep, ReadHub, RulesDep
from api.errors import NOT_FOUND, refuse
from api.idempotency import OnceRoute
from api.last_run import Looked, last_run
from api.present_findings import amounts_object, books_object, finding_object, seen_object, summary_object
from api.routes.parameters import Paged
from api.routes.responses import CHECKED, COMMANDED, GUARDED, TOO_LARGE, UNKNOWN
from api.routes.stewardship import actor_of
from api.schemas.findings import (
    ExplainedFindings,
    FindingForm,
    FindingImpact,
    FindingPage,
    Findings,
    FindingSummary,
    HandedFindings,
    SeenPage,
    Settled,
)
from api.schemas.given import Storable
from api.wire import answer
from mdm.access import Permission
from mdm.hub import finding_work
from mdm.hub.reach import must_reach_all
from mdm.lifecycle.findings import Finding, Severity
from mdm.lifecycle.impact import rows_of, site
from mdm.lifecycle.overview import Asked
from mdm.lifecycle.reconciliation import RULE_NAMES
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.store import finding_history
from mdm.store import findings as store
from mdm.store.findings import FindingName, FindingWork, name_of
from mdm.store.scoped import scope_of, unrestricted

#: A thousand names with long keys.
_MOST_BYTES = 1024 * 1024
_TREND = timedelta(days=90)
_MOST_DAYS = 36_500

router = APIRouter(
    route_class=OnceRoute, prefix="/v1/findings", tags=["findings"],
    dependencies=[Depends(allows(Permission.INSPECT))], responses={**GUARDED, **CHECKED},
)  # fmt: skip
confirming = [Depends(allows(Permission.CONFIRM))]

RuleName = Annotated[str, StringConstraints(pattern=f"^({'|'.join(RULE_NAMES)})$")]
Part = Annotated[Storable, Path(min_length=1, max_length=300)]
Days = Annotated[int | None, Field(ge=0, le=_MOST_DAYS)]


class FindingParameters(Paged):
    """Which findings."""

    rule: RuleName | None = None
    severity: Severity | None = None
    owner: Storable | None = Field(None, max_length=200, description="Whose move it is by the rule.")
    customer: Storable | None = Field(
        None, min_length=1, max_length=64, description="Golden record id of the customer."
    )
    contract: Storable | None = Field(
        None, min_length=1, max_length=64, description="Golden record id of the contract."
    )
    days_from: Days = Field(None, description="At least so many days old.")
    days_to: Days = Field(None, description="At most so many days old.")
    correlation: Storable | None = Field(
        None, min_length=1, max_length=700, description="The pair of subscription and product that it is about."
    )
    assignee: Storable | None = Field(None, max_length=200, description="Who looks after it.")
    taken: bool | None = Field(None, description="Looked after by somebody, or by nobody.")

    def asked(self) -> Asked:
        return Asked(
            self.rule, self.severity, self.owner, EntityId(self.customer) if self.customer else None,
            EntityId(self.contract) if self.contract else None, self.days_from, self.days_to,
            self.correlation,
        )  # fmt: skip


@router.get("", name="list_findings", summary="Where the platforms disagree", response_model=FindingPage)
def list_findings(page: Annotated[FindingParameters, Query()], hub: HubDep) -> Response:
    """The most urgent first, then by rule and subject. `priority` is the sum of the parts under `because`: what a
    finding is worth or what runs through the same contract or invoices, how bad it is, how critical its tables are,
    the close that it holds up, the customers it reaches, its age. A run over a large hub takes seconds: what it found
    is shown to all who ask until a newer one has ended, and `as_of` says of when it is."""
    scope = page.scope("findings")
    after = None
    if page.cursor is not None:
        tenths, rule, system, type_, key = read_cursor(page.cursor, scope, (int, str, str, str, str))
        after = int(tenths), str(rule), str(system), str(type_), str(key)
    looked = _looked(hub)
    listed = looked.overview.narrowed(page.asked(), _looked_after(page, hub))
    behind = listed.behind(after, page.limit + 1)
    shown = behind[: page.limit]
    return answer(
        {
            "items": _objects(shown, looked, hub),
            "next": write_cursor(scope, listed.place(shown[-1])) if len(behind) > page.limit else None,
            "as_of": looked.found.as_of,
            "total": len(listed.findings),
            "amounts": amounts_object(listed.sums),
        }
    )


@router.get("/summary", name="get_finding_summary", summary="Findings in numbers", response_model=FindingSummary)
def get_summary(hub: HubDep, rules: RulesDep) -> Response:
    """By rule and class of age with what they are worth, and how many there were on each day. A rule that found
    nothing says so."""
    looked = _looked(hub)
    days = None
    if not scope_of(hub.engine).limits_rows:
        with hub.engine.connect() as connection:
            days = store.trend(connection, "", (hub.clock() - _TREND).date())
    return answer(summary_object(looked, rules.reconciliation, days))


class SeenParameters(Paged):
    """Which day, and of which rule."""

    day: date | None = Field(None, description="In UTC; today, as of the newest run, if none is named.")
    rule: Storable | None = Field(None, max_length=100, description="Also one that there is no more.")


@router.get("/seen", name="list_seen_findings", summary="What was open on a day", response_model=SeenPage)
def list_seen(page: Annotated[SeenParameters, Query()], hub: HubDep) -> Response:
    """At the end of the day, as runs of reconciliation saw it: the API keeps each of its own, and the calendar worker
    one an hour. Nothing is known of the time before the first. Those whose scope is limited
    are refused: it is about the whole hub."""
    must_reach_all(hub.engine, "What was open on a day")
    scope, day = page.scope("seen"), page.day or hub.clock().date()
    after = None
    if page.cursor is not None:
        after = [str(part) for part in read_cursor(page.cursor, scope, (str, str, str, str))]
    with hub.engine.connect() as connection:
        behind = finding_history.open_on(connection, day, page.rule, after, page.limit + 1)
        number, sums = finding_history.counted_on(connection, day, page.rule)
        run = finding_history.newest_run(connection)
    shown = behind[: page.limit]
    return answer(
        {
            "items": [seen_object(each) for each in shown],
            "next": write_cursor(scope, (shown[-1].rule, *shown[-1].subject)) if len(behind) > page.limit else None,
            "day": day,
            "total": number,
            "amounts": amounts_object(sums),
            "known_to": None if run is None else run.began_at,
        }
    )


@router.get("/impact", name="get_finding_impact", summary="Findings by the books they are in",
            response_model=FindingImpact)  # fmt: skip
def get_impact(hub: HubDep) -> Response:
    """By our own legal entity, month and rule. What is not posted yet belongs where everything else of its customer is
    posted; `company` is null where nobody knows yet."""
    found = _looked(hub).found
    rows = rows_of(site(found.findings, found.books, f"{found.as_of:%Y-%m}"))
    return answer({"as_of": found.as_of, "items": [books_object(each) for each in rows]})


@router.get("/{rule}/{system}/{type}/{key:path}", name="get_finding", summary="One finding",
            response_model=FindingForm, responses=UNKNOWN)  # fmt: skip
def get_finding(rule: Part, system: Part, type: Part, key: Part, hub: HubDep) -> Response:
    """404 when the platforms agree by now, or it never was."""
    looked = _looked(hub)
    return answer(_objects(_found([FindingName(rule, CrosswalkKey(system, type, key))], looked), looked, hub)[0])


@router.post("/take", name="take_findings", summary="Look after findings", dependencies=confirming,
             response_model=Settled, responses={**COMMANDED, **TOO_LARGE}, max_body_size=_MOST_BYTES)  # fmt: skip
def take(meant: Annotated[Findings, Body()], caller: CallerDep, hub: HubDep) -> Response:
    """409 when somebody else does; hand over takes them away."""
    return _settled(meant, hub, lambda each: finding_work.take(hub.engine, hub.clock, each, actor_of(caller).name))


@router.post("/hand-over", name="hand_over_findings", summary="Let somebody look after findings",
             dependencies=confirming, response_model=Settled, responses={**COMMANDED, **TOO_LARGE},
             max_body_size=_MOST_BYTES)  # fmt: skip
def hand_over(meant: Annotated[HandedFindings, Body()], caller: CallerDep, hub: HubDep) -> Response:
    """Also away from somebody else."""
    return _settled(
        meant, hub,
        lambda each: finding_work.hand_over(hub.engine, hub.clock, each, meant.assignee, actor_of(caller).name),
    )  # fmt: skip


@router.post("/put-down", name="put_down_findings", summary="Give findings back to everybody",
             dependencies=confirming, response_model=Settled, responses={**COMMANDED, **TOO_LARGE},
             max_body_size=_MOST_BYTES)  # fmt: skip
def put_down(meant: Annotated[Findings, Body()], caller: CallerDep, hub: HubDep) -> Response:
    """Nobody in particular looks after them."""
    return _settled(meant, hub, lambda each: finding_work.put_down(hub.engine, hub.clock, each, actor_of(caller).name))


@router.post("/explain", name="explain_findings", summary="Say why findings are as they are", dependencies=confirming,
             response_model=Settled, responses={**COMMANDED, **TOO_LARGE}, max_body_size=_MOST_BYTES)  # fmt: skip
def explain(meant: Annotated[ExplainedFindings, Body()], caller: CallerDep, hub: HubDep) -> Response:
    """Takes the place of an explanation given before, and holds for what each is worth now. They stay in the sums."""
    return _settled(
        meant, hub,
        lambda each: finding_work.explain(hub.engine, hub.clock, each, meant.reason, actor_of(caller).name),
    )  # fmt: skip


@router.post("/withdraw-explanation", name="withdraw_explanations", summary="Take explanations back",
             dependencies=confirming, response_model=Settled, responses={**COMMANDED, **TOO_LARGE},
             max_body_size=_MOST_BYTES)  # fmt: skip
def withdraw(meant: Annotated[Findings, Body()], caller: CallerDep, hub: HubDep) -> Response:
    """The findings are unexplained again."""
    return _settled(meant, hub, lambda each: finding_work.withdraw(hub.engine, hub.clock, each, actor_of(caller).name))


def _looked(hub: ReadHub) -> Looked:
    looked = last_run.look(hub.engine, hub.clock())
    assert looked is not None, "without patience it is waited for"
    return looked


def _looked_after(page: FindingParameters, hub: ReadHub) -> Callable[[Finding], bool] | None:
    """What keeps the findings that the asked person, somebody, or nobody looks after; None when that is not asked."""
    if page.assignee is None and page.taken is None:
        return None
    with unrestricted(hub.engine).connect() as connection:  # of findings that the caller reaches
        held = store.assignees(connection)

    def keep(finding: Finding) -> bool:
        assignee = held.get(name_of(finding))
        return page.assignee in (None, assignee) and page.taken in (None, assignee is not None)

    return keep


def _objects(findings: Sequence[Finding], looked: Looked, hub: ReadHub) -> list[dict[str, Any]]:
    with unrestricted(hub.engine).connect() as connection:
        works = store.works(connection, [name_of(each) for each in findings])
    return [
        finding_object(
            each,
            looked.overview.age_of(each),
            works.get(name_of(each), FindingWork()),
            looked.overview.priority_of(each),
        )
        for each in findings
    ]


def _found(names: list[FindingName], looked: Looked) -> list[Finding]:
    """The findings of these names, each once.

    Raises:
        ProblemRaised: the caller reaches none of a name; says of which.
    """
    found = []
    for name in dict.fromkeys(names):
        about = looked.overview.named(*name)
        if about is None:
            raise refuse(
                NOT_FOUND,
                f"There is no finding {name.rule} of {name.subject} any more: the platforms agree, or it never was.",
            )
        found.append(about)
    return found


def _settled(meant: Findings, hub: ReadHub, settle: Callable[[list[Finding]], None]) -> Response:
    names = [FindingName(each.rule, CrosswalkKey(each.system, each.type, each.key)) for each in meant.findings]
    about = _found(names, _looked(hub))
    settle(about)
    return answer({"findings": len(about)})
