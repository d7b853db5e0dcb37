"""Data contracts that somebody proposes: what each would change against the one in force, whether that breaks readers,
and the answer of somebody else, by the rules of `/v1/contract-proposals`."""

from collections.abc import Callable, Iterable
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.responses import RedirectResponse

from api.console.forms import MOST_BYTES, FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import TELLABLE, Notice, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.sessions import Session
from api.console.stepping import StepDep, status_of, step
from api.console.workbench import Workbench, WorkbenchDep
from api.routes.parameters import NumberPath, Parameters
from api.schemas.given import Storable
from mdm.access import Permission
from mdm.core.contract_proposals import against_deciding
from mdm.core.releases import differences
from mdm.errors import ConfigurationInvalid, NotFound
from mdm.hub import contract_proposals as use
from mdm.hub.contract_effects import ContractEffect, effect_of, systems_of
from mdm.hub.governance import document_in_use, documents_in_use
from mdm.model.contract_proposals import ContractProposal, ProposalStatus
from mdm.store import api_keys
from mdm.store.scoped import scope_of, unrestricted

router = APIRouter(
    route_class=FormRoute,
    prefix="/console/schemas/proposals",
    include_in_schema=False,
    dependencies=[needs(Permission.PROPOSE_CONTRACTS)],
)

_HERE = "/console/schemas/proposals"
_ROWS = 50
_DONE = {"propose": "waits for somebody else", "approve": "is approved", "reject": "is rejected",
         "withdraw": "is withdrawn"}  # fmt: skip


class ProposalsLook(Parameters):
    """Which proposals; `before` is where the page before ended."""

    status: ProposalStatus = ProposalStatus.PROPOSED
    before: int | None = Field(None, ge=1, lt=1 << 62)


class ProposalLook(Parameters):
    """What has just happened to it."""

    done: Literal["propose", "approve", "reject", "withdraw"] | None = None


class NewLook(Parameters):
    """Of which platform the contract in force is what the new one starts from."""

    system: Storable = Field("", max_length=100)


@router.get("")
def overview(
    look: Annotated[ProposalsLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep
) -> Response:
    """What was proposed, the newest first."""
    found = use.proposals(bench.engine, bench.actor, look.status, look.before, _ROWS + 1)
    keys = _keys(bench, found)
    return page(
        "contract_proposals.html",
        request,
        session=session,
        now=bench.now,
        look=look,
        states=ProposalStatus,
        proposals=found[:_ROWS],
        following=found[_ROWS - 1].proposal_id if len(found) > _ROWS else None,
        in_use=documents_in_use(bench.catalogue),
        me=bench.actor.name,
        keys=keys,
    )


@router.get("/new")
def new(look: Annotated[NewLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep) -> Response:
    """A contract that starts from the one in force."""
    systems = systems_of(bench.catalogue, scope_of(bench.engine).sources)
    system = look.system if look.system in systems else next(iter(systems), "")
    try:
        document = document_in_use(bench.catalogue, system)
    except NotFound:  # of a platform that is new, or of one whose contract was not read from a file
        document = ""
    return _editor(request, session, bench, system, "", document)


@router.post("/new", max_body_size=MOST_BYTES)
def propose(request: Request, session: SessionDep, bench: WorkbenchDep, form: FormDep) -> Response:
    """Propose what was written."""
    title, document = form.text("title"), form.document("document")
    try:
        made = use.propose(bench.pipeline, bench.actor, bench.catalogue, title, document)
    except TELLABLE as error:
        notice, status = refused(error), status_of(error)
        return _editor(request, session, bench, form.text("system"), title, document, notice, status)
    return RedirectResponse(f"{_HERE}/{made.proposal_id}?done=propose", 303)


@router.get("/{proposal_id:int}")
def proposal(
    proposal_id: NumberPath,
    look: Annotated[ProposalLook, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
) -> Response:
    """One of them: what it would change now, or would have changed when it was proposed."""
    return _proposal_page(proposal_id, request, session, bench, look.done)


@router.post("/{proposal_id:int}/approve", dependencies=[needs(Permission.APPROVE_RULES)])
@router.post("/{proposal_id:int}/reject", dependencies=[needs(Permission.APPROVE_RULES)])
@router.post("/{proposal_id:int}/withdraw")  # one's own only
def answer(
    proposal_id: NumberPath, what: StepDep, request: Request, session: SessionDep, bench: WorkbenchDep, form: FormDep
) -> Response:
    """Agree, turn down, or take back one's own; each with a reason."""
    steps: dict[str, Callable[..., ContractProposal]] = {
        "approve": use.approve, "reject": use.reject, "withdraw": use.withdraw,
    }  # fmt: skip
    reason = form.text("comment")
    return step(
        lambda: steps[what](bench.pipeline, bench.actor, proposal_id, reason),
        f"{_HERE}/{proposal_id}?done={what}",
        lambda notice, status: _proposal_page(
            proposal_id, request, session, bench, notice=notice, status=status, typed=reason
        ),
    )


def _proposal_page(
    proposal_id: int,
    request: Request,
    session: Session,
    bench: Workbench,
    done: str | None = None,
    notice: Notice | None = None,
    status: int = 200,
    typed: str = "",
) -> Response:
    found = use.proposal(bench.engine, bench.actor, proposal_id)
    waits = found.status is ProposalStatus.PROPOSED
    effect, unread = _effect(bench, found) if waits else (None, "")
    if done is not None and notice is None:
        notice = Notice(f"Contract proposal {proposal_id} {_DONE[done]}.", "good", "check")
    return page(
        "contract_proposal.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        proposal=found,
        waits=waits,
        effect=effect,
        unread=unread,
        moved=effect is not None and effect.in_force != found.base,
        difference=_difference(bench, found) if waits else [],
        in_use=found.fingerprint in documents_in_use(bench.catalogue),
        own=found.author == bench.actor.name,
        against=against_deciding(found, bench.actor.name),
        keys=_keys(bench, [found]),
        notice=notice,
        typed=typed,
    )


def _keys(bench: Workbench, found: Iterable[ContractProposal]) -> dict[str, str]:
    """What the API keys are for with which somebody proposed or decided: vendors have no accounts."""
    with unrestricted(bench.engine).connect() as connection:
        return api_keys.labels_of(connection, {name for one in found for name in (one.author, one.decider) if name})


def _effect(bench: Workbench, found: ContractProposal) -> tuple[ContractEffect | None, str]:
    """What it would do now, or why that cannot be told."""
    try:
        return effect_of(bench.catalogue, found), ""
    except ConfigurationInvalid as error:
        return None, error.message


def _difference(bench: Workbench, found: ContractProposal) -> object:
    """Line by line against the document in force; nothing for a platform that is new."""
    try:
        return differences(document_in_use(bench.catalogue, found.system), found.document)
    except NotFound:
        return []


def _editor(
    request: Request,
    session: Session,
    bench: Workbench,
    system: str,
    title: str,
    document: str,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    return page(
        "contract_new.html",
        request,
        session=session,
        status=status,
        notice=notice,
        systems=systems_of(bench.catalogue, scope_of(bench.engine).sources),
        system=system,
        title=title,
        document=document,
    )
