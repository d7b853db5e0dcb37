"""Blind samples: pairs that people judge by nothing but what the two records state, and how right the hub is."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.responses import RedirectResponse

from api.blind import sides_of
from api.console.compare import Column, compare
from api.console.forms import FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import TELLABLE, Notice, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.sessions import Session
from api.console.stepping import status_of, step
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import ReadsDep
from api.routes.parameters import NumberPath, Parameters
from mdm.access import Permission
from mdm.errors import Invalid
from mdm.hub import blind
from mdm.model.blind import BlindVerdict, Stratum
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.scoped import scope_of

router = APIRouter(
    route_class=FormRoute, prefix="/console/quality/samples", include_in_schema=False,
    dependencies=[needs(Permission.INSPECT)],
)  # fmt: skip

_DOMAINS = (Domain.CUSTOMER, Domain.CONTRACT, Domain.PRODUCT)
_STRATA = {
    Stratum.JOINED: "in one golden record",
    Stratum.ASKED: "asked about",
    Stratum.NEAR: "compared, just below the threshold",
    Stratum.UNMET: "never compared, with a word in common, and near",
    Stratum.FAR: "far below the threshold",
    Stratum.BEYOND: "farther off: not drawn",
}


class SampleLook(Parameters):
    """What was done last."""

    done: Literal["closed", "said"] | None = None
    pair: int | None = Field(None, ge=0, lt=1 << 62)


@router.get("")
def overview(request: Request, session: SessionDep, bench: WorkbenchDep) -> Response:
    """Samples, and a form to draw one."""
    return _overview(request, session, bench)


@router.post("", dependencies=[needs(Permission.DECIDE)])
def draw(request: Request, session: SessionDep, bench: WorkbenchDep, form: FormDep) -> Response:
    """Draw a sample."""
    try:
        if form.text("domain") not in _DOMAINS or not form.text("size").isdecimal() or len(form.text("size")) > 9:
            raise Invalid("A sample has a domain and a number of pairs.", action="Give both.")
        found = blind.draw(bench.pipeline, Domain(form.text("domain")), int(form.text("size")), bench.actor.name)
    except TELLABLE as error:
        return _overview(request, session, bench, refused(error), status_of(error))
    return RedirectResponse(f"/console/quality/samples/{found.sample_id}", 303)


@router.get("/{number:int}")
def sample(
    number: NumberPath,
    look: Annotated[SampleLook, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
) -> Response:
    """What a sample tells so far."""
    notice = Notice("The sample is closed: no more answers are taken.", "good", "check") if look.done else None
    return _report(number, request, session, bench, notice)


@router.post("/{number:int}/close", dependencies=[needs(Permission.DECIDE)])
def close(number: NumberPath, request: Request, session: SessionDep, bench: WorkbenchDep, form: FormDep) -> Response:  # noqa: ARG001 - the form carries the token
    """Take no more answers."""
    return step(
        lambda: blind.close(bench.pipeline, number, bench.actor.name),
        f"/console/quality/samples/{number}?done=closed",
        lambda notice, status: _report(number, request, session, bench, notice, status),
    )


@router.get("/{number:int}/next", dependencies=[needs(Permission.DECIDE)])
def judge(number: NumberPath, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep) -> Response:
    """The next pair for this person."""
    return _judge(number, request, session, bench, reads)


@router.post("/{number:int}/next", dependencies=[needs(Permission.DECIDE)])
def say(
    number: NumberPath,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Keep an answer, and go on to the next pair."""
    try:
        if form.text("verdict") not in tuple(BlindVerdict) or not form.text("pair").isdecimal():
            raise Invalid("An answer names the pair, and says same, not the same, or unsure.", action="Choose one.")
        pair = min(int(form.text("pair")), (1 << 62) - 1)
        blind.say(bench.pipeline, number, pair, BlindVerdict(form.text("verdict")), bench.actor.name)
    except TELLABLE as error:
        return _judge(number, request, session, bench, reads, refused(error), status_of(error))
    return RedirectResponse(f"/console/quality/samples/{number}/next", 303)


def _overview(
    request: Request, session: Session, bench: Workbench, notice: Notice | None = None, status: int = 200
) -> Response:
    whole = not scope_of(bench.engine).limits_rows
    return page(
        "blind_samples.html",
        request,
        session=session,
        status=status,
        notice=notice,
        now=bench.now,
        domains=_DOMAINS,
        whole=whole,
        samples=blind.samples(bench.pipeline) if whole else [],
        usual=blind.USUAL,
        least=blind.LEAST,
        most=blind.MOST,
    )


def _report(
    number: int,
    request: Request,
    session: Session,
    bench: Workbench,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    told = blind.tell(bench.pipeline, number)
    return page(
        "blind_report.html",
        request,
        session=session,
        status=status,
        notice=notice,
        now=bench.now,
        domains=_DOMAINS,
        told=told,
        head=told.head,
        strata=_STRATA,
        mine=blind.next_for(bench.pipeline, number, bench.actor.name) is not None,
        keys={each: (CrosswalkKey(*each.a.split(":", 2)), CrosswalkKey(*each.b.split(":", 2))) for each in told.wrong},
    )


def _judge(
    number: int,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: ReadsDep,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    head = blind.find(bench.pipeline, number)
    found = blind.next_for(bench.pipeline, number, bench.actor.name)
    columns: list[Column] = []
    pair_id = 0
    if found is not None:
        pair_id, a, b, domain = found
        with reads.snapshot() as connection:
            sides = sides_of(connection, domain, pair_id, (a, b), bench.actor.name, bench.eyes)
        columns = [
            Column(letter, CrosswalkKey(side.system, "", ""), None, None, bench.now, side.values, side.masked)
            for letter, side in zip("AB", sides, strict=True)
        ]
    return page(
        "blind_pair.html",
        request,
        session=session,
        status=status,
        notice=notice,
        now=bench.now,
        head=head,
        pair_id=pair_id,
        columns=columns,
        groups=compare(head.domain, columns) if columns else [],
    )
