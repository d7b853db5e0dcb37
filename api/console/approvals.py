"""Four eyes: what waits for a second person, exactly what it would do, and the answer. Nobody answers their own."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.responses import RedirectResponse

from api.console.effects import effect_object
from api.console.forms import FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import KINDS, TELLABLE, Notice, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.sessions import Session
from api.console.stepping import StepDep, step
from api.console.workbench import Workbench, WorkbenchDep
from api.cursors import write_cursor
from api.deps import ReadsDep
from api.routes.approvals import proposal_place
from api.routes.parameters import Cursor, Parameters
from mdm.access import Permission
from mdm.hub import contract_proposals, steward
from mdm.store.read_release_samples import names_of
from mdm.store.reading import snapshot
from mdm.store.scoped import visible_ids

router = APIRouter(
    route_class=FormRoute,
    prefix="/console/approvals",
    include_in_schema=False,
    dependencies=[needs(Permission.INSPECT)],
)

_ROWS = 50


class ApprovalParameters(Parameters):
    """Which proposals, what comes first, and where the page before ended."""

    status: Literal["open", "approved", "rejected", "withdrawn", "expired"] = "open"
    sort: Literal["risk", "newest"] = "risk"
    cursor: Cursor | None = None
    #: What was done, in the words of `answer` and `lend`; no other words, for they stand on the page as the hub's own.
    done: str | None = Field(
        None, pattern=r"^(Proposal \d+ is (approved|rejected|withdrawn)|The delegation has ended|Delegated)$"
    )


@router.get("")
def inbox(
    look: Annotated[ApprovalParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """Proposals by state, what most is at stake in first, and who may approve in whose place."""
    scope = f"approvals {look.status} {look.sort}"
    after = proposal_place(look.cursor, scope) if look.cursor is not None else None
    order = steward.ProposalOrder(look.sort)
    with snapshot(bench.engine) as work:
        found = steward.list_proposals(work, look.status, None, after, _ROWS + 1, order, bench.now)
        lent = steward.delegations(work, bench.actor.name, bench.now)
        against = steward.against_answering(work, bench.actor, found, bench.policy)
    with reads.snapshot() as connection:
        ids = visible_ids(connection, {each for one in found for each in one.entities})
        names = names_of(connection, ids)
    return page(
        "approvals.html",
        request,
        session=session,
        now=bench.now,
        look=look,
        names=names,
        proposals=found[:_ROWS],
        against=against,
        following=write_cursor(scope, found[_ROWS - 1].place) if len(found) > _ROWS else None,
        delegations=lent,
        me=bench.actor.name,
        kinds=KINDS,
        contracts_waiting=contract_proposals.waiting(bench.engine, bench.actor),
        notice=Notice(f"{look.done}.", "good", "check") if look.done else None,
    )


@router.get("/{proposal_id:int}")
def proposal(proposal_id: int, request: Request, session: SessionDep, bench: WorkbenchDep) -> Response:
    """A proposal with everything that it would do now."""
    return _proposal_page(proposal_id, request, session, bench)


@router.post("/{proposal_id:int}/approve", dependencies=[needs(Permission.APPROVE)])
@router.post("/{proposal_id:int}/reject", dependencies=[needs(Permission.APPROVE)])
@router.post("/{proposal_id:int}/withdraw")  # one's own only, whatever right it was proposed with
def answer(
    proposal_id: int,
    what: StepDep,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    form: FormDep,
) -> Response:
    """Agree, refuse, or take back one's own."""
    comment = form.text("comment")
    actions: dict[str, Callable[[], object]] = {
        "approve": lambda: steward.approve(
            bench.pipeline, bench.actor, proposal_id, comment, form.text("digest") or None, bench.policy
        ),
        "reject": lambda: steward.reject(bench.pipeline, bench.actor, proposal_id, comment, bench.policy),
        "withdraw": lambda: steward.withdraw(bench.pipeline, bench.actor, proposal_id),
    }
    words = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}[what]
    return step(
        actions[what],
        f"/console/approvals?done=Proposal {proposal_id} is {words}",
        lambda notice, status: _proposal_page(proposal_id, request, session, bench, notice, status, comment),
    )


@router.post("/delegations", dependencies=[needs(Permission.APPROVE)])
def lend(request: Request, session: SessionDep, bench: WorkbenchDep, form: FormDep) -> Response:
    """Let somebody approve in one's place, or end that."""
    try:
        ended = form.number("end")
        if ended is not None:
            steward.end_delegation(bench.pipeline, bench.actor, ended)
            return RedirectResponse("/console/approvals?done=The delegation has ended", 303)
        until = form.day_end("until") or datetime.now(UTC)
        steward.delegate(bench.pipeline, bench.actor, form.person("to"), until, form.text("reason"))
    except TELLABLE as error:
        return page("told.html", request, session=session, status=409, notice=refused(error), back="/console/approvals")
    return RedirectResponse("/console/approvals?done=Delegated", 303)


def _proposal_page(
    proposal_id: int,
    request: Request,
    session: Session,
    bench: Workbench,
    notice: Notice | None = None,
    status: int = 200,
    typed: str = "",
) -> Response:
    with snapshot(bench.engine) as work:
        found = steward.find_proposal(work, proposal_id, now=bench.now)
        remarks = steward.comments(work, f"proposal:{proposal_id}")
        against = steward.against_answering(work, bench.actor, [found], bench.policy).get(proposal_id)
    context: dict[str, Any] = {"effect": None, "digest": "", "impossible": None}
    if found.status == "open":
        try:
            shown = steward.preview_proposal(bench.pipeline, bench.actor, proposal_id, bench.policy)
            context |= {"effect": effect_object(bench, shown.effect), "digest": shown.digest}
        except TELLABLE as error:
            context["impossible"] = error
    return page(
        "proposal.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        proposal=found,
        own=found.author == bench.actor.name,
        against=against,
        kinds=KINDS,
        remarks=remarks,
        notice=notice,
        typed=typed,
        **context,
    )
