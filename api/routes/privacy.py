"""Erasing a person over HTTP: request, legal holds, approval by another person, proof. For unlimited administrators."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response

from api.auth import CallerDep, allows
from api.conditions import IfMatch, must_state, tags_in
from api.cursors import read_cursor, write_cursor
from api.deps import HubDep, ReadsDep, Released
from api.idempotency import OnceRoute
from api.present import key_object
from api.routes.parameters import Paged
from api.routes.responses import CHECKED, COMMANDED, GUARDED, TOO_LARGE, UNKNOWN
from api.schemas.given import MAX_ID
from api.schemas.privacy import ErasureForm, ErasurePage, ErasureProof, ErasureWish, Holds, Refusal
from api.wire import answer
from mdm.access import Permission
from mdm.hub import erase
from mdm.hub.erase import Erasure
from mdm.hub.process import Pipeline
from mdm.model.ids import CrosswalkKey
from mdm.store.read_privacy import requests

_MOST_BYTES = 256 * 1024

router = APIRouter(
    route_class=OnceRoute,
    prefix="/v1/erasures",
    tags=["privacy"],
    dependencies=[Depends(allows(Permission.ERASE))],
    responses={**GUARDED, **CHECKED},
)

#: Nobody decides about a request that is not what they looked at.
_conditional = [Depends(must_state("request"))]

ErasureId = Annotated[int, Path(ge=1, le=MAX_ID, description="Number of the request.")]


@router.get("", name="list_erasures", summary="Requests of erasure, the newest first", response_model=ErasurePage)
def list_erasures(page: Annotated[Paged, Query()], reads: ReadsDep) -> Response:
    """Who asked, when and on what grounds, and what became of it."""
    scope = page.scope("erasures")
    before = int(read_cursor(page.cursor, scope, (int,))[0]) if page.cursor is not None else None
    with reads.snapshot() as connection:
        found = requests(connection, before, page.limit + 1)
    shown = found[: page.limit]
    items = [
        {
            "id": each.erasure_id, "status": each.status, "reason": each.reason, "rows": each.rows,
            "requested_by": each.requested_by, "requested_at": each.requested_at, "decided_by": each.decided_by,
            "decided_at": each.decided_at, "comment": each.comment,
        }
        for each in shown
    ]  # fmt: skip
    more = len(found) > page.limit
    return answer({"items": items, "next": write_cursor(scope, [shown[-1].erasure_id]) if more else None})


@router.post(
    "",
    name="request_erasure",
    summary="Ask for somebody's erasure",
    status_code=201,
    response_model=ErasureForm,
    responses={**COMMANDED, **TOO_LARGE},
    max_body_size=_MOST_BYTES,
)
def request_erasure(wish: Annotated[ErasureWish, Body()], caller: CallerDep, hub: HubDep) -> Response:
    """Answers with the plan: which columns of which rows would go, and where else the subject is mentioned. Nothing is
    erased before somebody else approves it."""
    names = [CrosswalkKey(each.system, each.type, each.key) for each in wish.rows]
    made = erase.request(hub.engine, hub.clock, wish.entity_id, names, wish.holds, caller.key_id, wish.reason)
    return _told(made, 201)


@router.get("/{id}", name="get_erasure", summary="One request", response_model=ErasureForm, responses=UNKNOWN)
def get_erasure(id: ErasureId, hub: HubDep) -> Response:
    """Its plan while it is open, its proof when it was carried out."""
    return _told(erase.find(hub.engine, hub.clock, id))


@router.put(
    "/{id}/holds",
    name="decide_erasure_holds",
    dependencies=_conditional,
    summary="Decide what the law keeps",
    response_model=ErasureForm,
    responses=COMMANDED,
    max_body_size=_MOST_BYTES,
)
def decide_holds(
    id: ErasureId, given: Annotated[Holds, Body()], caller: CallerDep, hub: HubDep, condition: IfMatch
) -> Response:
    """Attribute by attribute, with the basis of each; in place of what was decided before. Repeating it is harmless."""
    expected = tags_in(condition)
    return _told(erase.hold(hub.engine, hub.clock, id, given.holds, caller.key_id, expected=expected))


@router.post(
    "/{id}/approve",
    name="approve_erasure",
    dependencies=_conditional,
    summary="Approve a request and carry it out",
    response_model=ErasureForm,
    responses=COMMANDED,
)
def approve_erasure(id: ErasureId, request: Request, caller: CallerDep, hub: HubDep, condition: IfMatch) -> Response:
    """In one transaction, by another person than the one who asked. It cannot be undone."""
    released: Released = request.app.state.released
    pipeline = Pipeline(hub.engine, hub.clock, released.catalogue, released.rules)
    return _told(erase.carry_out(pipeline, id, caller.key_id, expected=tags_in(condition)))


@router.post(
    "/{id}/reject",
    name="reject_erasure",
    summary="Refuse a request",
    response_model=ErasureForm,
    responses=COMMANDED,
)
def reject_erasure(id: ErasureId, why: Annotated[Refusal, Body()], caller: CallerDep, hub: HubDep) -> Response:
    """Nothing is erased. By another person than the one who asked."""
    erase.reject(hub.engine, hub.clock, id, caller.key_id, why.comment)
    return _told(erase.find(hub.engine, hub.clock, id))


@router.get(
    "/{id}/proof",
    name="get_erasure_proof",
    summary="The proof of an erasure",
    response_model=ErasureProof,
    responses=UNKNOWN,
)
def get_proof(id: ErasureId, hub: HubDep) -> Response:
    """A document to be kept: what went, what stays and why, who asked and who agreed. It names no value."""
    document = erase.proof_document(erase.find(hub.engine, hub.clock, id))
    return answer(document, headers={"Content-Disposition": f'attachment; filename="erasure-{id}-proof.json"'})


def _told(found: Erasure, status: int = 200) -> Response:
    return answer(_object(found), headers={"ETag": f'"{found.token}"'}, status=status)


def _object(found: Erasure) -> dict[str, Any]:
    return {
        "id": found.erasure_id,
        "status": found.status,
        "reason": found.reason,
        "requested_by": found.requested_by,
        "requested_at": found.requested_at,
        "decided_by": found.decided_by,
        "decided_at": found.decided_at,
        "comment": found.comment,
        "rows": [
            {**key_object(each.key), "kind": each.kind, "erased": list(each.erased), "kept": dict(each.kept)}
            for each in found.rows
        ],
        "entities": list(found.entities),
        "mentions": [
            {"system": system, "type": type_, "rows": rows, "basis": basis}
            for system, type_, rows, basis in found.mentions
        ],
        "proof": found.proof,
    }
