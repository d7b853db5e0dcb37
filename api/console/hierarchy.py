"""The tree of companies a customer belongs to, who states it, where that is disputed, and how it is set right.

Three kinds of lines: legal parents (what platforms state, unless a steward says otherwise), who is billed, and to whom
a customer reports. Every word has days on which it holds, and is proposed, audited and undone like any decision.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, field_validator
from sqlalchemy import Connection
from starlette.responses import RedirectResponse

from api.console import charts
from api.console.effects import effect_object
from api.console.forms import Form, FormDep
from api.console.guard import SessionDep, needs, signed_in
from api.console.notices import TELLABLE, Notice, outcome, proposed, refused, told
from api.console.once import FormRoute
from api.console.pages import page
from api.console.records import head_of
from api.console.sessions import Session
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from api.lookup import find_golden
from api.resembling import may_search_beginnings
from api.routes.parameters import EntityIdPath, Parameters
from mdm.access import Eyes, Permission
from mdm.errors import Invalid
from mdm.hub.steward import Preview
from mdm.model.hierarchy import RelationKind
from mdm.model.ids import Domain, EntityId
from mdm.model.stewardship import Command, EndRelation, Relate
from mdm.store.read_lei import Reported, reported_parents
from mdm.store.read_models import Filters, find_entity, list_golden
from mdm.store.read_relations import said_about
from mdm.store.read_tree import Hierarchy, TreeNode, hierarchy

router = APIRouter(route_class=FormRoute, prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

KINDS = {
    RelationKind.LEGAL_PARENT: ("Legal", "legal parent"),
    RelationKind.BILL_TO: ("Billing", "bill-to"),
    RelationKind.REPORTING_PARENT: ("Reporting", "reports to"),
}
#: A picture of more than this is a wall, not a tree.
_MOST_DRAWN = 40
_OFFERED = 8


class TreeParameters(Parameters):
    """Which lines, on which day, and the decision that led here."""

    kind: RelationKind = RelationKind.LEGAL_PARENT
    on: date | None = None
    done: int | None = Field(None, ge=0, lt=1 << 62)
    proposed: int | None = Field(None, ge=0, lt=1 << 62)

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_default(cls, value: Any, info: Any) -> Any:
        return cls.model_fields[info.field_name].default if value == "" else value


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody has written into the form, to have it back when it is refused."""

    kind: str = ""
    parent: str = ""
    valid_from: str = ""
    valid_to: str = ""
    reason: str = ""
    what: str = ""


@router.get("/customers/{id}/hierarchy")
def tree(
    id: EntityIdPath,
    look: Annotated[TreeParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """The tree of one kind on one day."""
    return _tree_page(id, look, request, session, bench, reads)


@router.post("/customers/{id}/hierarchy", dependencies=[needs(Permission.DECIDE)])
def relate(
    id: EntityIdPath, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep, form: FormDep
) -> Response:
    """Say who the parent is, or show first what that would change.

    The form also looks the parent up, and shows who is meant when there are several.
    """
    typed = Typed(*(form.text(name) for name in ("kind", "parent", "valid_from", "valid_to", "reason", "what")))
    look = _look(typed.kind)
    try:
        parent = _meant(reads, bench.eyes, form.text("parent_id") or typed.parent, id)
        if isinstance(parent, list):
            notice = Notice("Which one is meant? Choose below. Nothing was changed.", "warn", "unsure")
            return _tree_page(id, look, request, session, bench, reads, notice, 422, typed, parent)
        command = Relate(
            EntityId(id), look.kind, parent, _day(typed.valid_from) or bench.now.date(), _day(typed.valid_to),
            typed.reason,
        )  # fmt: skip
        if typed.what == "preview":
            # Whoever was chosen among several is meant the next time, too.
            typed = replace(typed, parent=parent or "")
            found = bench.preview(command)
            return _tree_page(id, look, request, session, bench, reads, typed=typed, shown=found)
        return _done(id, look, bench.decide(command))
    except TELLABLE as error:
        return _tree_page(id, look, request, session, bench, reads, refused(error), 409, typed)


@router.post("/customers/{id}/hierarchy/{relation_id:int}/end", dependencies=[needs(Permission.DECIDE)])
def end(
    id: EntityIdPath,
    relation_id: int,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Let a relation end on a day, or take it back altogether; or show first what that would change."""
    look = _look(form.text("kind"))
    try:
        if form.text("what") == "preview":
            found = bench.preview(_ending(relation_id, form))
            return _tree_page(id, look, request, session, bench, reads, shown=found)
        return _done(id, look, bench.decide(_ending(relation_id, form)))
    except TELLABLE as error:
        return _tree_page(id, look, request, session, bench, reads, refused(error), 409)


def _look(kind: str) -> TreeParameters:
    return TreeParameters.model_validate({"kind": kind if kind in set(RelationKind) else ""})


def _ending(relation_id: int, form: Form) -> Command:
    if form.text("how") == "never":
        return EndRelation(relation_id, None, form.text("reason"))
    day = _day(form.text("on"))
    if day is None:
        raise Invalid("From which day does it no longer hold?", action="Give a day, or take the relation back.")
    return EndRelation(relation_id, day, form.text("reason"))


def _done(id: str, look: TreeParameters, decided: Any) -> Response:
    return RedirectResponse(f"/console/customers/{id}/hierarchy?kind={look.kind}&{outcome(decided)}", 303)


def _tree_page(
    id: str,
    look: TreeParameters,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    notice: Notice | None = None,
    status: int = 200,
    typed: Typed | None = None,
    candidates: list[tuple[EntityId, str]] | None = None,
    shown: Preview | None = None,
) -> Response:
    today = bench.now.date()
    with reads.snapshot() as connection:
        row = find_golden(connection, request, Domain.CUSTOMER, id)
        head = head_of(connection, row, bench)
        found = hierarchy(connection, row.entity_id, look.kind, look.on or today)
        nodes = list(_all(found.root)) if found is not None else []
        parents = {child.entity_id: node for node in nodes for child in node.children}
        reported: dict[EntityId, Reported] = {}
        if look.kind is RelationKind.LEGAL_PARENT:
            reported = dict(reported_parents(connection, [each.entity_id for each in nodes] or [row.entity_id]))
        said = said_about(connection, row.entity_id)
        notice = notice or told(connection, look.done) or proposed(look.proposed)
    return page(
        "hierarchy.html",
        request,
        session=session,
        status=status,
        tab="hierarchy",
        head=head,
        tree=found,
        picture=_picture(found, row.entity_id) if found is not None and 1 < found.customers <= _MOST_DRAWN else None,
        stated=row.values.get("parent"),
        reported=reported,
        conflicts=list(_conflicts(found, nodes, parents, reported)) if found is not None else [],
        said=said,
        kinds=KINDS,
        look=look,
        on=look.on or today,
        today=today,
        typed=typed or Typed(look.kind.value, valid_from=today.isoformat()),
        candidates=candidates or [],
        effect=effect_object(bench, shown.effect) if shown else None,
        demands=shown.demands if shown else (),
        now=bench.now,
        notice=notice,
    )


def _conflicts(
    tree: Hierarchy, nodes: list[TreeNode], parents: dict[EntityId, TreeNode], reported: dict[EntityId, Reported]
) -> Iterator[tuple[EntityId, str, str]]:
    """Where words disagree: whom it is about, its name, and what disagrees."""
    told = set()
    for node in nodes:
        if node.entity_id in told:
            continue
        told.add(node.entity_id)
        if node.entity_id in tree.disputed:
            yield node.entity_id, node.name, "more than one parent claims it, or it stands above itself"
        if node.entity_id in tree.overruled:
            systems = ", ".join(tree.overruled[node.entity_id])
            yield node.entity_id, node.name, f"a steward says another parent than {systems}"
        gleif = reported.get(node.entity_id)
        parent = parents.get(node.entity_id)
        if gleif is None or gleif.parent_lei is None:
            continue
        name = gleif.parent_name or gleif.parent_lei
        if gleif.parent is None:
            yield node.entity_id, node.name, f"GLEIF reports the parent {name}, who is no customer here"
        elif parent is None or parent.entity_id != gleif.parent:
            here = f"it is {parent.name}" if parent is not None else "it has none"
            yield node.entity_id, node.name, f"GLEIF reports the parent {name}; here {here}"


def _all(node: TreeNode) -> Iterator[TreeNode]:
    yield node
    for child in node.children:
        yield from _all(child)


def _picture(tree: Hierarchy, own: str) -> Any:
    def branch(node: TreeNode) -> charts.Branch:
        return charts.Branch(
            node.name or node.entity_id, node.entity_id == own, [branch(each) for each in node.children]
        )

    return charts.family_tree(branch(tree.root))


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date() if text else None
    except ValueError as error:
        raise Invalid("The date is not understood.", action="Write it as year-month-day.") from error


def _meant(reads: Reads, eyes: Eyes, written: str, child: str) -> EntityId | list[tuple[EntityId, str]] | None:
    """Whom a field means: an id, or a name or number that only one customer has; several are told to choose from.

    The child is none of those whom a name may mean: nobody is their own parent.

    Raises:
        Invalid: nobody is found.
    """
    if not written:
        return None
    with reads.snapshot() as connection:
        by_id = _by_id(connection, written)
        if by_id is not None:
            return by_id
        filters = Filters(q=written, beginnings=may_search_beginnings(eyes))
        found = list_golden(connection, Domain.CUSTOMER, filters, None, _OFFERED)
    if not found:
        raise Invalid(f"No customer is found by {written!r}.", action="Give its id, its name or one of its numbers.")
    others = [each for each in found if each.row.entity_id != child] or found
    if len(others) == 1:
        return others[0].row.entity_id
    return [(each.row.entity_id, each.row.name) for each in others]


def _by_id(connection: Connection, written: str) -> EntityId | None:
    state = find_entity(connection, written) if written.startswith("cus_") else None
    return None if state is None else state.merged_into or state.entity_id
