"""Privacy: find a subject, ask for its erasure, see what goes and what stays and why, approve it as a second person."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field
from starlette.responses import JSONResponse, RedirectResponse

from api.console.forms import FormDep
from api.console.guard import SessionDep, needs, whole_hub
from api.console.notices import TELLABLE, Notice, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.sessions import Session
from api.console.stepping import step
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import ReadsDep
from api.present import record_object
from api.resembling import may_search_beginnings
from api.routes.parameters import Parameters
from api.schemas.given import Storable
from mdm.access import Permission
from mdm.errors import Invalid, OperatorError
from mdm.hub import erase
from mdm.model.ids import CrosswalkKey, Domain
from mdm.privacy.policy import shipped_policy
from mdm.store.read_models import Filters, list_golden, rows_by_key
from mdm.store.read_privacy import requests

router = APIRouter(
    route_class=FormRoute,
    prefix="/console/privacy",
    include_in_schema=False,
    dependencies=[needs(Permission.ERASE), Depends(whole_hub)],
)

_ROWS, _HITS = 50, 20
_TELLABLE = (*TELLABLE, OperatorError)


class PrivacyLook(Parameters):
    """Who is looked for, and where the page of requests before ended."""

    q: Storable = Field("", max_length=200)
    before: int | None = Field(None, ge=1, lt=1 << 62)


class SubjectLook(Parameters):
    """A golden customer, or one source row as `system:type:key`."""

    entity: Storable | None = Field(None, max_length=64)
    row: Storable | None = Field(None, max_length=800)


@router.get("")
def overview(
    look: Annotated[PrivacyLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """Subjects that fit, and the requests."""
    q = look.q.strip()
    filters = Filters(q=q, beginnings=may_search_beginnings(session.caller.eyes))
    with reads.snapshot() as connection:
        found = requests(connection, look.before, _ROWS + 1)
        hits = [
            record_object(hit.row, {}, session.caller.eyes)
            for hit in (list_golden(connection, Domain.CUSTOMER, filters, None, _HITS) if q else ())
        ]
        rows = rows_by_key(connection, q, _HITS) if q else []
    return page(
        "privacy.html",
        request,
        session=session,
        now=bench.now,
        me=bench.actor.name,
        subject=q,
        hits=hits,
        rows=rows,
        requests=found[:_ROWS],
        following=found[_ROWS - 1].erasure_id if len(found) > _ROWS else None,
    )


@router.get("/new")
def new(look: Annotated[SubjectLook, Query()], request: Request, session: SessionDep) -> Response:
    """The request, before it is made."""
    return _form_page(request, session, {"entity": look.entity or "", "row": look.row or ""})


@router.post("/new")
def create(request: Request, session: SessionDep, bench: WorkbenchDep, form: FormDep) -> Response:
    """Ask for the erasure; nothing is erased before somebody else agrees."""
    typed = {name: form.text(name) for name in ("entity", "row", "reason", "holds")}
    try:
        made = erase.request(
            bench.engine,
            bench.hub.clock,
            typed["entity"] or None,
            [_row(text) for text in typed["row"].split() if text],
            dict(_hold(line) for line in typed["holds"].splitlines() if line.strip()),
            bench.actor.name,
            typed["reason"],
        )
    except _TELLABLE as error:
        return _form_page(request, session, typed, refused(error), 409)
    return RedirectResponse(f"/console/privacy/{made.erasure_id}", 303)


@router.get("/{erasure_id:int}")
def subject(erasure_id: int, request: Request, session: SessionDep, bench: WorkbenchDep) -> Response:
    """What would be, or was, erased, and what stays."""
    return _request_page(erasure_id, request, session, bench)


@router.get("/{erasure_id:int}/proof")
def proof(erasure_id: int, session: SessionDep, bench: WorkbenchDep) -> Response:  # noqa: ARG001
    """The proof as a document to be kept, without a value of the subject."""
    found = erase.find(bench.engine, bench.hub.clock, erasure_id)
    name = f'attachment; filename="erasure-{erasure_id}-proof.json"'
    return JSONResponse(erase.proof_document(found), headers={"Content-Disposition": name})


@router.post("/{erasure_id:int}/{what}")
def decide(
    erasure_id: int,
    what: Literal["approve", "reject"],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    form: FormDep,
) -> Response:
    """Approve and carry out, which cannot be undone; or refuse with a reason. Nobody decides on their own request."""
    comment = form.text("comment")

    def decided() -> None:
        asked_by = erase.find(bench.engine, bench.hub.clock, erasure_id).requested_by
        if (against := erase.against_deciding(bench.actor.name, asked_by)) is not None:
            raise against
        if what == "reject" and not comment:
            raise Invalid("A refusal needs a comment.", action="Say in a sentence what speaks against it.")
        if what == "approve" and form.text("sure") != "yes":
            raise Invalid("An erasure cannot be undone.", action="Tick that you have looked at the plan.")
        if what == "approve":
            erase.carry_out(bench.pipeline, erasure_id, bench.actor.name)
        else:
            erase.reject(bench.engine, bench.hub.clock, erasure_id, bench.actor.name, comment)

    return step(
        decided,
        f"/console/privacy/{erasure_id}?done={what}",
        lambda notice, status: _request_page(erasure_id, request, session, bench, notice, status, comment),
        _TELLABLE,
    )


def _request_page(
    erasure_id: int,
    request: Request,
    session: Session,
    bench: Workbench,
    notice: Notice | None = None,
    status: int = 200,
    typed: str = "",
) -> Response:
    found = erase.find(bench.engine, bench.hub.clock, erasure_id)
    if notice is None and request.query_params.get("done") in ("approve", "reject"):
        words = "was carried out; nothing of it can be brought back" if found.proof else "was refused"
        notice = Notice(f"Erasure {erasure_id} {words}.", "good", "check")
    return page(
        "erasure.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        erasure=found,
        against=erase.against_deciding(bench.actor.name, found.requested_by),
        notice=notice,
        typed=typed,
    )


def _form_page(
    request: Request, session: Session, typed: dict[str, str], notice: Notice | None = None, status: int = 200
) -> Response:
    return page(
        "erasure_new.html", request, session=session, status=status, typed=typed, notice=notice, policy=shipped_policy()
    )


def _row(text: str) -> CrosswalkKey:
    parts = text.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise Invalid(f"{text!r} names no source row.", action="Write system:type:key, e.g. crm:contact:003x1.")
    return CrosswalkKey(*parts)


def _hold(line: str) -> tuple[str, str]:
    column, _, basis = line.partition("=")
    if column.strip().count(".") != 2 or not basis.strip():
        raise Invalid(
            f"{line.strip()!r} is no hold.",
            action="Write system.type.column = basis, e.g. erp.business_partner.tax_number = tax law.",
        )
    return column.strip(), basis.strip()
