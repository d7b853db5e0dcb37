"""Identifiers: what each column holds, which were given to another company, and what to take back."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.console.forms import FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import Notice
from api.console.once import FormRoute
from api.console.pages import page
from api.console.sessions import Session
from api.console.stepping import StepDep, step
from api.console.workbench import Workbench, WorkbenchDep
from api.routes.parameters import NumberPath, Parameters
from mdm.access import Permission, may_see
from mdm.hub import identifiers
from mdm.hub.identifiers import masked
from mdm.intake.namespaces import lint
from mdm.model.canonical import DataClass
from mdm.store.scoped import scope_of

router = APIRouter(
    route_class=FormRoute, prefix="/console/identifiers", include_in_schema=False,
    dependencies=[needs(Permission.INSPECT)],
)  # fmt: skip

_DONE = {
    "keep": "It is one company: the identifier counts again.",
    "demote": "The identifier counts for nothing again.",
}


class IdentifierLook(Parameters):
    """What was done last."""

    done: Literal["keep", "demote"] | None = None


@router.get("")
def overview(
    look: Annotated[IdentifierLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep
) -> Response:
    """Recycled identifiers, and the namespaces of all columns."""
    return _page(request, session, bench, Notice(_DONE[look.done], "good", "check") if look.done else None)


@router.post("/{number:int}/keep", dependencies=[needs(Permission.DECIDE)])
@router.post("/{number:int}/demote", dependencies=[needs(Permission.DECIDE)])
def say(
    number: NumberPath, what: StepDep, request: Request, session: SessionDep, bench: WorkbenchDep, form: FormDep
) -> Response:
    """Say that an identifier is one company's after all, or take that back."""
    act: Callable[..., None] = identifiers.keep if what == "keep" else identifiers.demote
    return step(
        lambda: act(bench.pipeline, number, form.text("reason"), bench.actor.name),
        f"/console/identifiers?done={what}",
        lambda notice, status: _page(request, session, bench, notice, status),
    )


def _page(
    request: Request, session: Session, bench: Workbench, notice: Notice | None = None, status: int = 200
) -> Response:
    whole = not scope_of(bench.engine).limits_rows
    profiles = bench.catalogue.profiles
    return page(
        "identifiers.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        notice=notice,
        whole=whole,
        found=identifiers.told(bench.pipeline) if whole else [],
        most=identifiers.MOST,
        shown=(lambda identifier: identifier) if may_see(bench.role, DataClass.CONFIDENTIAL) else masked,
        undeclared=lint(profiles),
        namespaces=[
            (profile.system, profile.table, each)
            for profile in profiles
            if profile.mapping is not None
            for each in profile.mapping.namespaces
        ],
    )
