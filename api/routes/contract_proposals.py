"""Data contracts over HTTP: proposed by the vendor of a platform as by a team of ours, decided by somebody else."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import Field

from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.deps import HubDep, Released, RulesDep
from api.idempotency import OnceRoute
from api.routes.parameters import Paged
from api.routes.responses import CHECKED, COMMANDED, GUARDED, TOO_LARGE, UNKNOWN
from api.routes.stewardship import actor_of
from api.schemas.contract_proposals import ContractProposalForm, ContractProposalPage, Decided, ProposedContract
from api.schemas.given import MAX_ID
from api.wire import answer
from mdm.access import Permission
from mdm.hub import contract_proposals as use
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.workplace import Desk, Workplace
from mdm.model.contract_proposals import ContractProposal, ProposalStatus

#: A document of two hundred thousand characters, as JSON.
_MOST_BYTES = 1 << 20

router = APIRouter(
    route_class=OnceRoute, prefix="/v1/contract-proposals", tags=["contracts"],
    dependencies=[Depends(allows(Permission.PROPOSE_CONTRACTS))], responses={**GUARDED, **CHECKED},
)  # fmt: skip
deciding = [Depends(allows(Permission.APPROVE_RULES))]
ProposalId = Annotated[int, Path(ge=1, le=MAX_ID, description="Number of a contract proposal.")]


class ProposalParameters(Paged):
    """Which proposals."""

    status: ProposalStatus | None = Field(None, description="Only those in this state.")


@router.post(
    "", name="propose_contract", summary="Propose a data contract", status_code=201,
    response_model=ContractProposalForm, responses={**COMMANDED, **TOO_LARGE}, max_body_size=_MOST_BYTES,
)  # fmt: skip
def propose(
    wish: Annotated[ProposedContract, Body()], request: Request, caller: CallerDep, hub: HubDep, rules: RulesDep
) -> Response:
    """422 says everything that is wrong with it, or that its version takes a smaller step than its changes need."""
    released: Released = request.app.state.released
    desk = Desk(hub.engine, hub.clock, rules)
    made = use.propose(desk, actor_of(caller), released.catalogue, wish.title, wish.document)
    return answer(_whole(made), status=201)


@router.get("", name="list_contract_proposals", summary="Proposed contracts", response_model=ContractProposalPage)
def list_proposals(page: Annotated[ProposalParameters, Query()], caller: CallerDep, hub: HubDep) -> Response:
    """The newest first. Vendors see their own only."""
    scope = page.scope("contract-proposals")
    before = int(read_cursor(page.cursor, scope, (int,))[0]) if page.cursor is not None else None
    found = use.proposals(hub.engine, actor_of(caller), page.status, before, page.limit + 1)
    shown = found[: page.limit]
    return answer(
        {
            "items": [_entry(each) for each in shown],
            "next": write_cursor(scope, [shown[-1].proposal_id]) if len(found) > page.limit else None,
        }
    )


@router.get(
    "/{id}", name="get_contract_proposal", summary="One proposed contract", response_model=ContractProposalForm,
    responses=UNKNOWN,
)  # fmt: skip
def get_proposal(id: ProposalId, caller: CallerDep, hub: HubDep) -> Response:
    """Its document, what changes against what was in force, and what was decided."""
    return answer(_whole(use.proposal(hub.engine, actor_of(caller), id)))


@router.post(
    "/{id}/approve", name="approve_contract", dependencies=deciding, summary="Agree to a proposed contract",
    response_model=ContractProposalForm, responses=COMMANDED,
)  # fmt: skip
def approve(
    id: ProposalId, why: Annotated[Decided, Body()], caller: CallerDep, hub: HubDep, rules: RulesDep
) -> Response:
    """Nobody decides about what they proposed (403). It takes effect when operators take it over."""
    return _decided(use.approve, id, why, actor_of(caller), Desk(hub.engine, hub.clock, rules))


@router.post(
    "/{id}/reject", name="reject_contract", dependencies=deciding, summary="Turn a proposed contract down",
    response_model=ContractProposalForm, responses=COMMANDED,
)  # fmt: skip
def reject(
    id: ProposalId, why: Annotated[Decided, Body()], caller: CallerDep, hub: HubDep, rules: RulesDep
) -> Response:
    """With a sentence why, for whoever proposed it."""
    return _decided(use.reject, id, why, actor_of(caller), Desk(hub.engine, hub.clock, rules))


@router.post(
    "/{id}/withdraw", name="withdraw_contract", summary="Take one's own proposal back",
    response_model=ContractProposalForm, responses=COMMANDED,
)  # fmt: skip
def withdraw(
    id: ProposalId, why: Annotated[Decided, Body()], caller: CallerDep, hub: HubDep, rules: RulesDep
) -> Response:
    """Before it is decided."""
    return _decided(use.withdraw, id, why, actor_of(caller), Desk(hub.engine, hub.clock, rules))


def _decided(
    step: Callable[[Workplace, Actor, int, str], ContractProposal], id: int, why: Decided, actor: Actor, desk: Desk
) -> Response:
    return answer(_whole(step(desk, actor, id, why.reason)))


def _entry(proposal: ContractProposal) -> dict[str, Any]:
    told = asdict(proposal)
    return {name: value for name, value in told.items() if name not in ("document", "report")}


def _whole(proposal: ContractProposal) -> dict[str, Any]:
    return asdict(proposal)
