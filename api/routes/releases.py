"""Releases of rules over HTTP: draft, simulate, approve by another person, activate by a third, roll back.

Long work answers 202 at once; the release tells how far it is. What a dying process left is finished by asking again.
"""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Body, Depends, Path, Query, Request, Response
from pydantic import Field

from api.afterwards import afterwards
from api.auth import CallerDep, allows
from api.conditions import IfMatch, IfMatchOrNot, must_state, tags_in
from api.cursors import read_cursor, write_cursor
from api.deps import HubDep, ReadsDep, Released, RulesDep
from api.idempotency import OnceRoute
from api.present_releases import entry_object, release_object
from api.routes.parameters import Paged
from api.routes.responses import CHECKED, COMMANDED, GUARDED, TOO_LARGE, UNKNOWN
from api.routes.stewardship import actor_of
from api.schemas.given import MAX_ID
from api.schemas.releases import Approval, Draft, InForce, Reason, Redraft, Refusal, ReleaseForm, ReleasePage
from api.wire import answer
from mdm.access import Permission
from mdm.hub import releases
from mdm.hub.in_force import part, text_of, version_of
from mdm.hub.process import Pipeline
from mdm.model.ids import Domain
from mdm.model.releases import ReleaseStatus, RuleKind
from mdm.store import releases as store

#: A document of two hundred thousand characters, as JSON.
_MOST_BYTES = 1 << 20

router = APIRouter(
    route_class=OnceRoute,
    prefix="/v1",
    tags=["releases"],
    dependencies=[Depends(allows(Permission.INSPECT))],
    responses={**GUARDED, **CHECKED},
)
writing = [Depends(allows(Permission.WRITE_RULES))]
approving = [Depends(allows(Permission.APPROVE_RULES))]
releasing = [Depends(allows(Permission.RELEASE))]

ReleaseId = Annotated[int, Path(ge=1, le=MAX_ID, description="Release id.")]


def get_pipeline(request: Request, hub: HubDep, rules: RulesDep) -> Pipeline:
    released: Released = request.app.state.released
    return Pipeline(hub.engine, hub.clock, released.catalogue, rules)


PipelineDep = Annotated[Pipeline, Depends(get_pipeline)]


class ReleaseParameters(Paged):
    """Which releases."""

    status: ReleaseStatus | None = Field(None, description="Only those in this state.")


@router.get("/releases", name="list_releases", summary="Releases of rules", response_model=ReleasePage)
def list_releases(page: Annotated[ReleaseParameters, Query()], reads: ReadsDep) -> Response:
    """The newest first."""
    scope = page.scope("releases")
    before = int(read_cursor(page.cursor, scope, (int,))[0]) if page.cursor is not None else None
    with reads.snapshot() as connection:
        statuses = [page.status.value] if page.status is not None else []
        found = store.page(store.asking(connection), statuses, before, page.limit + 1)
    shown = found[: page.limit]
    return answer(
        {
            "items": [entry_object(each) for each in shown],
            "next": write_cursor(scope, [shown[-1].release_id]) if len(found) > page.limit else None,
        }
    )


@router.get(
    "/rules/in-force/{kind}/{domain}", name="get_rules_in_force", summary="The document that decides now",
    response_model=InForce, responses=UNKNOWN,
)  # fmt: skip
def get_in_force(kind: RuleKind, domain: Domain, reads: ReadsDep, rules: RulesDep) -> Response:
    """Where a new draft starts. 404 where the kind has no document for the domain: `usage-revenue` is of products."""
    with reads.snapshot() as connection:
        ask = store.asking(connection)
        now = part(releases.in_force(ask, rules), kind, domain)
        held = store.in_force(ask).get((kind, domain))
    return answer(
        {
            "kind": kind.value, "domain": domain.value, "version": version_of(now), "fingerprint": now.fingerprint,
            "release_id": held[0] if held else None, "document": text_of(now),
        }
    )  # fmt: skip


@router.post(
    "/releases", name="draft_release", dependencies=writing,
    summary="Write a release", status_code=201, response_model=ReleaseForm,
    responses={**COMMANDED, **TOO_LARGE}, max_body_size=_MOST_BYTES,
)  # fmt: skip
def draft(wish: Annotated[Draft, Body()], caller: CallerDep, hub: PipelineDep) -> Response:
    """A document that differs from the rules in force. 422 says the line that is wrong."""
    made = releases.draft(hub, actor_of(caller), wish.kind, wish.domain, wish.title, wish.document)
    return _told(hub, made.release_id, 201)


@router.get("/releases/{id}", name="get_release", summary="One release", response_model=ReleaseForm, responses=UNKNOWN)
def get_release(id: ReleaseId, hub: PipelineDep) -> Response:
    """Its document, how that differs from what is in force, and simulations, activation and rollback with counts."""
    return _told(hub, id)


@router.put(
    "/releases/{id}", name="change_release", dependencies=[*writing, Depends(must_state("release"))],
    summary="Change a draft", response_model=ReleaseForm,
    responses={**COMMANDED, **TOO_LARGE}, max_body_size=_MOST_BYTES,
)  # fmt: skip
def change(
    id: ReleaseId, wish: Annotated[Redraft, Body()], caller: CallerDep, hub: PipelineDep, condition: IfMatch
) -> Response:
    """By its author only; it must be simulated again."""
    releases.change(hub, actor_of(caller), id, wish.title, wish.document, tags_in(condition))
    return _told(hub, id)


@router.post(
    "/releases/{id}/simulate", name="simulate_release", dependencies=writing,
    summary="What a release would change", status_code=202,
    response_model=ReleaseForm, responses=COMMANDED,
)  # fmt: skip
def simulate(id: ReleaseId, caller: CallerDep, hub: PipelineDep, later: BackgroundTasks) -> Response:
    """On live data, by the engine that would do it; nothing is written. Read the release for progress and report."""
    run_id = releases.begin_simulation(hub, actor_of(caller), id)
    afterwards(later, releases.run_simulation, hub, run_id)
    return _told(hub, id, 202, later)


@router.post(
    "/releases/{id}/approve", name="approve_release", dependencies=approving,
    summary="Agree to a release", response_model=ReleaseForm,
    responses=COMMANDED,
)  # fmt: skip
def approve(
    id: ReleaseId,
    caller: CallerDep,
    hub: PipelineDep,
    agreement: Annotated[Approval | None, Body()] = None,
    condition: IfMatchOrNot = None,
) -> Response:
    """Nobody approves what they wrote (403). 409 without a simulation, and where verdicts of stewards speak against it
    (`contradicted`) unless `despite_verdicts` says why it may come into force all the same. 412 when it is not what it
    was: the simulation that is named, or the release under `If-Match`."""
    told = agreement or Approval(simulation=None, comment="", despite_verdicts="")
    expected = tags_in(condition) if condition else None
    releases.approve(hub, actor_of(caller), id, told.simulation, told.comment, expected, told.despite_verdicts)
    return _told(hub, id)


@router.post(
    "/releases/{id}/reject", name="reject_release", dependencies=approving,
    summary="Turn a release down", response_model=ReleaseForm,
    responses=COMMANDED,
)  # fmt: skip
def reject(
    id: ReleaseId,
    refusal: Annotated[Refusal, Body()],
    caller: CallerDep,
    hub: PipelineDep,
    condition: IfMatchOrNot = None,
) -> Response:
    """With a sentence why."""
    expected = tags_in(condition) if condition else None
    releases.reject(hub, actor_of(caller), id, refusal.comment, expected)
    return _told(hub, id)


@router.post(
    "/releases/{id}/withdraw", name="withdraw_release", dependencies=writing,
    summary="Take back one's own draft",
    response_model=ReleaseForm, responses=COMMANDED,
)  # fmt: skip
def withdraw(id: ReleaseId, caller: CallerDep, hub: PipelineDep) -> Response:
    """Before it comes into force."""
    releases.withdraw(hub, actor_of(caller), id)
    return _told(hub, id)


@router.post(
    "/releases/{id}/activate", name="activate_release", summary="Put a release into force", status_code=202,
    response_model=ReleaseForm, responses=COMMANDED, dependencies=releasing,
)  # fmt: skip
def activate(id: ReleaseId, caller: CallerDep, hub: PipelineDep, later: BackgroundTasks) -> Response:
    """By a releaser who neither wrote nor approved it. Decisions follow it at once, golden records one by one."""
    run_id = releases.begin_activation(hub, actor_of(caller), id)
    afterwards(later, releases.run, hub, run_id)
    return _told(hub, id, 202, later)


@router.post(
    "/releases/{id}/roll-back", name="roll_back_release", summary="Take a release back", status_code=202,
    response_model=ReleaseForm, responses=COMMANDED, dependencies=releasing,
)  # fmt: skip
def roll_back(
    id: ReleaseId, why: Annotated[Reason, Body()], caller: CallerDep, hub: PipelineDep, later: BackgroundTasks
) -> Response:
    """What was in force before decides again, and golden records follow; `same_state` says whether all is as it was."""
    run_id = releases.begin_rollback(hub, actor_of(caller), id, why.reason)
    afterwards(later, releases.run, hub, run_id)
    return _told(hub, id, 202, later)


def _told(hub: Pipeline, release_id: int, status: int = 200, later: BackgroundTasks | None = None) -> Response:
    with hub.engine.connect() as connection:
        ask = store.asking(connection)
        release = store.find(ask, release_id)
        told = answer(release_object(ask, hub, release), headers={"ETag": f'"{release.token}"'})
    told.status_code = status
    told.background = later
    return told
