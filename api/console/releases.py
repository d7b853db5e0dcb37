"""Rules and releases: what decides now, what shall decide next, what that would change, and the way there and back."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import RedirectResponse

from api.afterwards import afterwards
from api.console.diff import segments
from api.console.forms import MOST_BYTES, FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import TELLABLE, Notice, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.sessions import Session
from api.console.show import label, lines
from api.console.stepping import StepDep, status_of, step
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from api.masking import show_values
from api.routes.parameters import Parameters
from api.schemas.given import Storable
from mdm.access import Permission
from mdm.core.releases import STEPS, against_approving, against_releasing, contradicted_in, differences
from mdm.errors import Invalid, Refused
from mdm.hub import releases
from mdm.hub.in_force import part, text_of, version_of
from mdm.hub.releases.examples import samples
from mdm.hub.steward import load_policy
from mdm.model.ids import Domain
from mdm.model.releases import Release, ReleaseStatus, RuleKind, Run, RunKind
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.store import releases as store
from mdm.store.read_release_samples import names_of, records_of

router = APIRouter(
    route_class=FormRoute, prefix="/console/releases", include_in_schema=False, dependencies=[needs(Permission.INSPECT)]
)

_ROWS, _SHOWN = 50, 5
#: Of each attribute so many changed golden records are named once a release is in force.
_SHOWN_AFTER = 3
#: Tabs of the list, and the states in each.
TABS = {
    "open": ("draft", "approved", "activating", "rolling_back"),
    "in force": ("active",),
    "ended": ("superseded", "rolled_back", "rejected", "withdrawn"),
}
_DONE = {
    "approve": "is approved",
    "reject": "is rejected",
    "withdraw": "is withdrawn",
    "simulate": "was simulated",
    "stop": "is not being simulated any more",
    "activate": "is in force",
    "roll-back": "was taken back",
}
_UNDER_WAY = {
    "simulate": "is being simulated", "activate": "is coming into force", "roll-back": "is being taken back",
}  # fmt: skip


class ReleasesLook(Parameters):
    """Which releases; `before` is where the page before ended."""

    tab: Literal["open", "in force", "ended"] = "open"
    before: int | None = Field(None, ge=1, lt=1 << 62)


class ReleaseLook(Parameters):
    """Of which attribute examples are shown, and what has just happened."""

    attribute: Storable | None = Field(None, max_length=100)
    done: Literal["simulate", "stop", "approve", "reject", "withdraw", "activate", "roll-back"] | None = None


class DraftLook(Parameters):
    """What a new draft is about."""

    kind: RuleKind = RuleKind.SURVIVORSHIP
    domain: Domain = Domain.CUSTOMER


@router.get("")
def overview(
    look: Annotated[ReleasesLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """What is in force, and the releases on their way."""
    with reads.snapshot() as connection:
        ask = store.asking(connection)
        found = store.page(ask, TABS[look.tab], look.before, _ROWS + 1)
        rules, held = releases.in_force(ask, bench.rules), store.in_force(ask)
    decides = [(kind, domain, part(rules, kind, domain)) for kind in RuleKind for domain in kind.domains]
    documents = [
        (kind, domain, version_of(each), each.fingerprint, held.get((kind, domain), (None, ""))[0])
        for kind, domain, each in decides
    ]
    return page(
        "releases.html",
        request,
        session=session,
        now=bench.now,
        look=look,
        tabs=TABS,
        releases=found[:_ROWS],
        following=found[_ROWS - 1].release_id if len(found) > _ROWS else None,
        documents=documents,
        fixed=_fixed(bench),
        me=bench.actor.name,
    )


@router.get("/new", dependencies=[needs(Permission.WRITE_RULES)])
def new(
    look: Annotated[DraftLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """A draft that starts from what is in force."""
    domain = look.domain if look.domain in look.kind.domains else look.kind.domains[0]
    with reads.snapshot() as connection:
        document = releases.document_in_force(store.asking(connection), bench.pipeline, look.kind, domain)
    return _editor(request, session, look.kind, domain, "", document)


@router.post("/new", max_body_size=MOST_BYTES, dependencies=[needs(Permission.WRITE_RULES)])
def create(request: Request, session: SessionDep, bench: WorkbenchDep, form: FormDep) -> Response:
    """Write the draft."""
    kind, domain = _choice(RuleKind, form.text("kind")), _choice(Domain, form.text("domain"))
    title, document = form.text("title"), form.document("document")
    try:
        made = releases.draft(bench.pipeline, bench.actor, kind, domain, title, document)
    except TELLABLE as error:
        return _editor(request, session, kind, domain, title, document, notice=refused(error), status=status_of(error))
    return RedirectResponse(f"/console/releases/{made.release_id}", 303)


@router.get("/{release_id:int}")
def release(
    release_id: int,
    look: Annotated[ReleaseLook, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """A release: its difference, its effect, who has to do what next."""
    return _release_page(release_id, look, request, session, bench, reads)


@router.get("/{release_id:int}/edit", dependencies=[needs(Permission.WRITE_RULES)])
def edit(release_id: int, request: Request, session: SessionDep, reads: ReadsDep) -> Response:
    """Change a draft."""
    with reads.snapshot() as connection:
        found = store.find(store.asking(connection), release_id)
    return _editor(request, session, found.kind, found.domain, found.title, found.document, found)


@router.post("/{release_id:int}/edit", max_body_size=MOST_BYTES, dependencies=[needs(Permission.WRITE_RULES)])
def change(
    release_id: int, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep, form: FormDep
) -> Response:
    """Keep the changed draft."""
    title, document = form.text("title"), form.document("document")
    try:
        releases.change(bench.pipeline, bench.actor, release_id, title, document)
    except TELLABLE as error:
        with reads.snapshot() as connection:
            found = store.find(store.asking(connection), release_id)
        return _editor(
            request, session, found.kind, found.domain, title, document, found, refused(error), status_of(error)
        )
    return RedirectResponse(f"/console/releases/{release_id}", 303)


@router.post("/{release_id:int}/simulate", dependencies=[needs(Permission.WRITE_RULES)])
@router.post("/{release_id:int}/stop", dependencies=[needs(Permission.WRITE_RULES)])
@router.post("/{release_id:int}/withdraw", dependencies=[needs(Permission.WRITE_RULES)])
@router.post("/{release_id:int}/approve", dependencies=[needs(Permission.APPROVE_RULES)])
@router.post("/{release_id:int}/reject", dependencies=[needs(Permission.APPROVE_RULES)])
@router.post("/{release_id:int}/activate", dependencies=[needs(Permission.RELEASE)])
@router.post("/{release_id:int}/roll-back", dependencies=[needs(Permission.RELEASE)])
def act(
    release_id: int,
    what: StepDep,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
    later: BackgroundTasks,
) -> Response:
    """Take a step. Long work begins, and its progress is on the page; what had been interrupted goes on."""
    hub, actor, comment = bench.pipeline, bench.actor, form.text("comment")
    steps: dict[str, Callable[[], Any]] = {
        "simulate": lambda: afterwards(
            later, releases.run_simulation, hub, releases.begin_simulation(hub, actor, release_id)
        ),
        "stop": lambda: releases.stop_simulation(hub, actor, release_id),
        "approve": lambda: releases.approve(
            hub, actor, release_id, form.number("simulation"), comment, despite=form.text("despite")
        ),
        "reject": lambda: releases.reject(hub, actor, release_id, comment),
        "withdraw": lambda: releases.withdraw(hub, actor, release_id),
        "activate": lambda: afterwards(later, releases.run, hub, releases.begin_activation(hub, actor, release_id)),
        "roll-back": lambda: afterwards(
            later, releases.run, hub, releases.begin_rollback(hub, actor, release_id, comment)
        ),
    }
    look = ReleaseLook(attribute=None, done=None)
    return step(
        steps[what],
        f"/console/releases/{release_id}?done={what}",
        lambda notice, status: _release_page(
            release_id, look, request, session, bench, reads, notice, status, typed=comment
        ),
    )


def _release_page(
    release_id: int,
    look: ReleaseLook,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    notice: Notice | None = None,
    status: int = 200,
    typed: str = "",
) -> Response:
    with reads.snapshot() as connection:
        ask = store.asking(connection)
        found = store.find(ask, release_id)
        runs = store.runs(ask, release_id)
        before = _before(ask, bench, found)
        simulation = next((run for run in runs if run.what is RunKind.SIMULATION), None)
        shown = _report_run(found, runs)
        named = _named(connection, shown.report) if shown is not None else {}
        wrong = contradicted_in(simulation)
        wrong_records = records_of(connection, {end for each in wrong[:_SHOWN] for end in each[1:]})
        back = next((run for run in runs if run.what is RunKind.ROLLBACK), None)
        same = releases.same_state(ask, back) if back is not None else None
        since = store.units_since(ask, simulation.batch_id) if simulation is not None else 0
    attribute, examples = _examples(bench, found, shown, look.attribute)
    return page(
        "release.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        release=found,
        runs=runs,
        running=next((run for run in runs if run.status == "running"), None),
        simulation=simulation,
        shown=shown,
        fresh=simulation is not None and simulation.status == "done" and simulation.fingerprint == found.fingerprint,
        since=since,
        difference=differences(before, found.document),
        attribute=attribute,
        examples=examples,
        named=named,
        shown_after=_SHOWN_AFTER,
        same_state=same,
        parity=releases.proof_of(found, runs),
        contradicted=wrong,
        contradicted_shown=[
            (each.verdict, wrong_records[each.a], wrong_records[each.b])
            for each in wrong[:_SHOWN]
            if each.a in wrong_records and each.b in wrong_records
        ],
        may=_may(bench, found),
        against=_against(bench, found),
        typed=typed,
        notice=notice or _notice(look, found, any(run.status == "running" for run in runs)),
    )


def _notice(look: ReleaseLook, found: Release, running: bool) -> Notice | None:
    """What was done, or what has been begun and goes on."""
    if look.done is None:
        return None
    if running and look.done in _UNDER_WAY:
        return Notice(f"Release {found.release_id} {_UNDER_WAY[look.done]}.", "", "clock")
    return Notice(f"Release {found.release_id} {_DONE[look.done]}.", "good", "check")


def _may(bench: Workbench, found: Release) -> dict[str, bool]:
    """Which steps the release itself allows now; the page leaves out those that the person's roles do not include."""
    steps = {step: found.status in states for step, states in STEPS.items()}
    own = found.author == bench.actor.name
    return {**steps, "edit": steps["edit"] and own, "withdraw": steps["withdraw"] and own}


def _against(bench: Workbench, found: Release) -> dict[str, Refused]:
    """What keeps the person from the steps for which it takes another, where the release is ready for them."""
    actor, role = bench.actor.name, bench.role
    against = {
        "approve": against_approving(found, actor, role),
        "activate": against_releasing(found, actor, role),
    }
    return {step: error for step, error in against.items() if error is not None and found.status in STEPS[step]}


def _before(ask: store.Query, bench: Workbench, found: Release) -> str:
    """What the document is compared with: what it replaced, or would replace now."""
    if found.status in (ReleaseStatus.DRAFT, ReleaseStatus.APPROVED):
        return releases.document_in_force(ask, bench.pipeline, found.kind, found.domain)
    if found.replaced is not None:
        return store.find(ask, found.replaced).document
    return text_of(part(bench.rules.base or bench.rules, found.kind, found.domain))


def _report_run(found: Release, runs: list[Run]) -> Run | None:
    """The run whose effects the page shows: what was done last, else what would be done."""
    wanted = (RunKind.SIMULATION,) if found.status in STEPS["simulate"] else (RunKind.ACTIVATION, RunKind.SIMULATION)
    return next((run for kind in wanted for run in runs if run.what is kind and run.report), None)


def _named(connection: Connection, report: dict[str, Any]) -> dict[str, Any]:
    """Names for the ids that a report tells: what it changed, and what a matching release joins and parts."""
    domains = report.get("domains", {})
    ids = {each for effects in domains.values() for pair in effects["absorbed"] for each in pair}
    ids |= {entity for effects in domains.values() for entity, _ in effects["parted"]}
    ids |= {entity for some in report.get("samples", {}).values() for entity in some[:_SHOWN_AFTER]}
    records = {rec for effects in domains.values() for _, parted in effects["parted"] for rec in parted}
    return {"entities": names_of(connection, ids), "records": records_of(connection, records)}


def _examples(
    bench: Workbench, found: Release, shown: Run | None, wanted: str | None
) -> tuple[str | None, list[dict[str, Any]]]:
    """Golden records before and after, of one attribute; none once the release is in force, for they have changed."""
    if shown is None or found.status not in STEPS["simulate"] or not shown.report.get("samples"):
        return None, []
    by_attribute = shown.report["samples"]
    attribute = wanted if wanted in by_attribute else next(iter(shown.report["attributes"]), None)
    if attribute is None:
        return None, []
    some = samples(bench.pipeline, found, by_attribute[attribute][:_SHOWN])
    return attribute, [
        {
            "id": each.entity_id,
            "name": each.name,
            "values": [_changed(found.domain, name, each.before, each.after, bench) for name in each.changed],
        }
        for each in some
    ]


def _changed(domain: Domain, name: str, before: dict[str, Any], after: dict[str, Any], bench: Workbench) -> Any:
    seen = [show_values(domain, values, bench.eyes).values.get(name) for values in (before, after)]
    old, new = ([line.text for line in lines(domain, name, value)] for value in seen)
    return label(name), [segments(text, new) for text in old], [segments(text, old) for text in new]


def _editor(
    request: Request,
    session: Session,
    kind: RuleKind,
    domain: Domain,
    title: str,
    document: str,
    found: Release | None = None,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    return page(
        "release_edit.html", request, session=session, status=status, kind=kind, domain=domain, title=title,
        document=document, release=found, notice=notice, kinds=list(RuleKind), domains=list(Domain),
    )  # fmt: skip


def _fixed(bench: Workbench) -> list[tuple[str, str]]:
    """Documents that ship with the hub or come from its settings: they have versions, and no releases here."""
    return [
        ("When a second person is needed", (bench.policy or load_policy()).version),
        ("Checks before ERP onboarding", shipped_ruleset().version),
        ("Reconciliation from order to posting", bench.rules.reconciliation.version),
    ]


def _choice(kind: Any, text: str) -> Any:
    if text not in {each.value for each in kind}:
        raise Invalid(f"{text!r} is none of {', '.join(each.value for each in kind)}.")
    return kind(text)
