"""How a golden record hangs together, and taking it apart or joining it with another - with the effect before."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.console import charts
from api.console.effects import effect_object
from api.console.forms import Form, FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import TELLABLE, Notice, outcome, proposed, refused, told
from api.console.once import FormRoute
from api.console.pages import page
from api.console.records import DOMAINS, Plural, head_of
from api.console.review import key_of
from api.console.sessions import Session
from api.console.show import record_address
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from api.lookup import find_golden
from api.routes.parameters import EntityIdPath
from mdm.access import Permission
from mdm.hub.steward import Expected, Preview
from mdm.model.ids import EntityId
from mdm.model.stewardship import Command, Merge, Split
from mdm.store.read_models import members_of
from mdm.store.read_review import cluster_ties

router = APIRouter(
    route_class=FormRoute, prefix="/console", include_in_schema=False, dependencies=[needs(Permission.INSPECT)]
)

#: A picture of more records shows nothing.
_MEMBERS = 24
_KINDS = {"match": "link", "same": "link", "possible": "weak", "not_same": "cut"}


@router.get("/{plural}/{id}/graph")
def graph(
    plural: Plural, id: EntityIdPath, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """The link graph of a golden record, and the form that takes records out of it."""
    return _graph_page(plural, id, request, session, bench, reads, None)


@router.post("/{plural}/{id}/split", dependencies=[needs(Permission.DECIDE)])
def split(
    plural: Plural,
    id: EntityIdPath,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Take records out, or show what that would do."""
    leave = tuple(key for text in form.all("leave") if (key := key_of(text)) is not None)
    return _carry_out(plural, id, request, session, bench, reads, form, lambda: _split(id, leave, form))


@router.post("/{plural}/{id}/merge", dependencies=[needs(Permission.DECIDE)])
def merge(
    plural: Plural,
    id: EntityIdPath,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Join with another golden record, or show what that would do."""
    command = Merge(
        (EntityId(id), EntityId(form.text("other"))),
        reason=form.text("reason"),
        supersede=form.text("supersede") == "yes",
    )
    return _carry_out(plural, id, request, session, bench, reads, form, lambda: command)


def _split(id: str, leave: tuple[Any, ...], form: Form) -> Split:
    return Split(
        EntityId(id),
        leave,
        tree=form.text("tree") == "yes",
        reason=form.text("reason"),
        until=form.day_end("until"),
    )


def _carry_out(
    plural: Plural,
    id: str,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    form: Form,
    make: Any,
) -> Response:
    version = form.number("version")
    expected = Expected.version(EntityId(id), version)
    try:
        command: Command = make()
        if form.text("what") == "preview":
            found = bench.preview(command, expected)
            return _graph_page(plural, id, request, session, bench, reads, form, found)
        done = bench.decide(command, expected)
    except TELLABLE as error:
        return _graph_page(plural, id, request, session, bench, reads, form, None, refused(error), 409)
    survivor = next((each["merged_into"] for each in done.effect["entities"] if each["merged_into"]), id)
    return RedirectResponse(f"{record_address(survivor)}/graph?{outcome(done)}", 303)


def _graph_page(
    plural: Plural,
    id: str,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    form: Form | None,
    found: Preview | None = None,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    done, waiting = _number(request, "done"), _number(request, "proposed")
    with reads.snapshot() as connection:
        row = find_golden(connection, request, DOMAINS[plural], id)
        head = head_of(connection, row, bench)
        members = members_of(connection, id, None, _MEMBERS)
        ties = cluster_ties(connection, id, _MEMBERS)
        notice = notice or told(connection, done) or proposed(waiting)
    leaving = set(form.all("leave")) if form is not None else set()
    letters = {member.key: letter for member, letter in zip(members, _letters(), strict=False)}
    places = {member.key: number for number, member in enumerate(members)}
    nodes = [
        charts.Node(
            letters[member.key], str(member.attributes.get("name") or member.key.key), str(member.key) not in leaving
        )
        for member in members
    ]
    edges = [
        charts.Tie(
            places[tie.a],
            places[tie.b],
            _KINDS[tie.kind],
            charts.signed(tie.weight) if tie.weight is not None else tie.kind.replace("_", " "),
        )
        for tie in ties
        if tie.a in places and tie.b in places
    ]
    return page(
        "graph.html",
        request,
        session=session,
        status=status,
        tab="graph",
        head=head,
        now=bench.now,
        members=[(letters[member.key], member) for member in members],
        ties=[(letters.get(tie.a, "?"), letters.get(tie.b, "?"), tie) for tie in ties],
        picture=charts.cluster_graph(nodes, edges) if len(members) > 1 else "",
        leaving=leaving,
        typed={name: form.text(name) for name in ("reason", "until", "tree", "other", "supersede")} if form else {},
        effect=effect_object(bench, found.effect) if found else None,
        previewed=found.kind if found else "",
        demands=found.demands if found else (),
        notice=notice,
    )


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _letters() -> list[str]:
    return [chr(ord("A") + number) for number in range(_MEMBERS)]
