"""Four eyes over HTTP: proposals that wait for a second person, their previews, and delegations."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import Field

from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.idempotency import OnceRoute
from api.present_stewardship import decided_object, delegation_object, preview_object, proposal_object
from api.routes.parameters import Paged
from api.routes.responses import CHECKED, COMMANDED, GUARDED, UNKNOWN
from api.routes.stewardship import DeskDep, actor_of, policy_of
from api.schemas.given import MAX_ID, Storable
from api.schemas.stewardship import (
    Agreement,
    Decision,
    DelegationForm,
    DelegationList,
    DelegationWish,
    Objection,
    PreviewForm,
    ProposalForm,
    ProposalPage,
)
from api.wire import answer
from mdm.access import Permission
from mdm.hub import steward
from mdm.store.reading import snapshot

router = APIRouter(
    route_class=OnceRoute,
    prefix="/v1",
    tags=["stewardship"],
    dependencies=[Depends(allows(Permission.INSPECT))],
    responses={**GUARDED, **CHECKED},
)
approving = [Depends(allows(Permission.APPROVE))]

ProposalId = Annotated[int, Path(ge=1, le=MAX_ID, description="Proposal id.")]


class ProposalParameters(Paged):
    """Which proposals."""

    status: Literal["open", "approved", "rejected", "withdrawn", "expired"] | None = "open"
    author: Storable | None = Field(None, max_length=200, description="Only those of this person.")
    sort: Literal["newest", "risk"] = Field(
        "newest", description="What comes first: the newest, or what the policy says most is at stake in."
    )


@router.get("/approvals", name="list_approvals", summary="What waits for a second person", response_model=ProposalPage)
def list_approvals(page: Annotated[ProposalParameters, Query()], caller: CallerDep, desk: DeskDep) -> Response:
    """With the rules of the policy that asked, what is at stake by them, and what each would touch.

    By risk, the gravest rule comes first; among equals, what most money hangs on, as a multiple of the policy's limits.
    """
    scope = page.scope("approvals")
    after = proposal_place(page.cursor, scope) if page.cursor is not None else None
    order = steward.ProposalOrder(page.sort)
    with snapshot(desk.engine) as work:
        found = steward.list_proposals(work, page.status, page.author, after, page.limit + 1, order, desk.clock())
    shown = found[: page.limit]
    return answer(
        {
            "items": [proposal_object(each, caller.eyes) for each in shown],
            "next": write_cursor(scope, shown[-1].place) if len(found) > page.limit else None,
        }
    )


def proposal_place(cursor: str, scope: str) -> steward.ProposalPlace:
    """Where a page of proposals ended.

    Raises:
        ProblemRaised: `invalid-cursor`.
    """
    risk, stake, number = read_cursor(cursor, scope, (int, float, int))
    return steward.ProposalPlace(int(risk), float(stake), int(number))


@router.get(
    "/approvals/{id}", name="get_approval", summary="One proposal", response_model=ProposalForm, responses=UNKNOWN
)
def get_approval(id: ProposalId, caller: CallerDep, desk: DeskDep) -> Response:
    """The command, who proposed it and why, and how it stands."""
    with snapshot(desk.engine) as work:
        return answer(proposal_object(steward.find_proposal(work, id, now=desk.clock()), caller.eyes))


@router.get(
    "/approvals/{id}/preview",
    name="preview_approval",
    summary="What a proposal would do now",
    response_model=PreviewForm,
    responses=COMMANDED,
)
def preview_approval(id: ProposalId, request: Request, caller: CallerDep, desk: DeskDep) -> Response:
    """By the engine that would do it. Approve with its `digest`, so that exactly this happens."""
    shown = steward.preview_proposal(desk, actor_of(caller), id, policy_of(request))
    return answer(preview_object(shown, caller.eyes))


@router.post(
    "/approvals/{id}/approve",
    name="approve",
    dependencies=approving,
    summary="Let a proposal take effect",
    response_model=Decision,
    responses=COMMANDED,
)
def approve(
    id: ProposalId,
    request: Request,
    caller: CallerDep,
    desk: DeskDep,
    agreement: Annotated[Agreement | None, Body()] = None,
) -> Response:
    """Nobody approves what they proposed themselves (403). 412 when it would do something else by now."""
    told = agreement or Agreement(comment="", digest=None)
    decided = steward.approve(desk, actor_of(caller), id, told.comment, told.digest, policy_of(request))
    return answer(decided_object(decided))


@router.post(
    "/approvals/{id}/reject", name="reject", dependencies=approving,
    summary="Turn a proposal down", response_model=ProposalForm,
    responses=COMMANDED,
)  # fmt: skip
def reject(
    id: ProposalId, objection: Annotated[Objection, Body()], request: Request, caller: CallerDep, desk: DeskDep
) -> Response:
    """It has no effect; the comment tells its author why."""
    steward.reject(desk, actor_of(caller), id, objection.comment, policy_of(request))
    with snapshot(desk.engine) as work:
        return answer(proposal_object(steward.find_proposal(work, id, now=desk.clock()), caller.eyes))


@router.post(
    "/approvals/{id}/withdraw", name="withdraw",
    summary="Take back one's own proposal", response_model=ProposalForm,
    responses=COMMANDED,
)  # fmt: skip
def withdraw(id: ProposalId, caller: CallerDep, desk: DeskDep) -> Response:
    """Before anybody approved or rejected it."""
    steward.withdraw(desk, actor_of(caller), id)
    with snapshot(desk.engine) as work:
        return answer(proposal_object(steward.find_proposal(work, id, now=desk.clock()), caller.eyes))


@router.get("/delegations", name="list_delegations", summary="Live delegations", response_model=DelegationList)
def list_delegations(caller: CallerDep, desk: DeskDep) -> Response:
    """From and to the caller."""
    now: datetime = desk.clock()
    with snapshot(desk.engine) as work:
        found = steward.delegations(work, actor_of(caller).name, now)
    return answer({"items": [delegation_object(each) for each in found]})


@router.post(
    "/delegations", name="delegate", dependencies=approving,
    summary="Let somebody approve in your place", response_model=DelegationForm,
    responses=COMMANDED,
)  # fmt: skip
def delegate(wish: Annotated[DelegationWish, Body()], caller: CallerDep, desk: DeskDep) -> Response:
    """Until a time. A delegate never approves their own proposals, nor yours."""
    return answer(delegation_object(steward.delegate(desk, actor_of(caller), wish.to, wish.until, wish.reason)))


@router.delete(
    "/delegations/{id}",
    name="end_delegation",
    dependencies=approving,
    summary="Take a delegation back",
    status_code=204,
    responses=COMMANDED,
)
def end_delegation(
    id: Annotated[int, Path(ge=1, le=MAX_ID, description="Delegation id.")], caller: CallerDep, desk: DeskDep
) -> Response:
    """Before its time."""
    steward.end_delegation(desk, actor_of(caller), id)
    return Response(None, 204)
