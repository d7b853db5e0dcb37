"""Pinning a golden value against the rules: with a reason and an end, and what becomes of it when a source changes."""

from typing import Any, Literal

import orjson
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection
from starlette.responses import RedirectResponse

from api.console.effects import effect_object
from api.console.forms import Form, FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import TELLABLE, Notice, outcome, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.records import DOMAINS, Plural, head_of
from api.console.review import key_of
from api.console.sessions import Session
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from api.errors import FORBIDDEN, NOT_FOUND, refuse
from api.lookup import find_golden
from api.masking import show_record
from api.routes.parameters import EntityIdPath
from mdm.access import Permission, may_see
from mdm.errors import Invalid
from mdm.hub.steward import Expected, Preview
from mdm.model.canonical import ATTRIBUTES, Attribute, Shape
from mdm.model.ids import Domain, EntityId
from mdm.model.stewardship import Clear, Command, Confirm, Pin
from mdm.store.read_models import members_of

router = APIRouter(
    route_class=FormRoute, prefix="/console", include_in_schema=False, dependencies=[needs(Permission.DECIDE)]
)

_MEMBERS = 25
#: Shapes whose value is one line of text in a form; all others are written as JSON.
_LINES = frozenset({Shape.TEXT, Shape.CODE, Shape.DATE, Shape.DECIMAL, Shape.INTEGER})


@router.get("/{plural}/{id}/override/{name}")
def form_page(
    plural: Plural,
    id: EntityIdPath,
    name: str,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """The form that pins a value."""
    return _page(plural, id, name, request, session, bench, reads)


@router.post("/{plural}/{id}/override/{name}")
def pin(
    plural: Plural,
    id: EntityIdPath,
    name: str,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Pin it, or show what that would do."""
    version = form.number("version")
    expected = Expected.version(EntityId(id), version)
    try:
        command = _command(id, _attribute(DOMAINS[plural], name), form)
        if form.text("what") == "preview":
            found = bench.preview(command, expected)
            return _page(plural, id, name, request, session, bench, reads, form, found)
        done = bench.decide(command, expected)
    except TELLABLE as error:
        return _page(plural, id, name, request, session, bench, reads, form, None, refused(error), 409)
    return RedirectResponse(f"/console/{plural}/{id}?{outcome(done)}", 303)


@router.post("/overrides/{override_id:int}/{what}")
def end(
    override_id: int,
    what: Literal["clear", "confirm"],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    form: FormDep,
) -> Response:
    """End an override, or keep it although what it overruled has changed."""
    back = form.text("back")
    target = back if back.startswith("/console/") and "//" not in back else "/console/reviews"
    reason = form.text("reason")
    command: Command = Clear(override_id, reason) if what == "clear" else Confirm(override_id, reason)
    try:
        done = bench.decide(command)
    except TELLABLE as error:
        return page("told.html", request, session=session, status=409, notice=refused(error), back=target)
    return RedirectResponse(f"{target}?{outcome(done)}", 303)


def _page(
    plural: Plural,
    id: str,
    name: str,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    form: Form | None = None,
    found: Preview | None = None,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    domain = DOMAINS[plural]
    attribute = _attribute(domain, name)
    if not may_see(bench.eyes, attribute.data_class):
        raise refuse(FORBIDDEN, f"{name} is hidden from you, so it cannot be set either.")
    with reads.snapshot() as connection:
        row = find_golden(connection, request, domain, id)
        head = head_of(connection, row, bench)
        said = _said(connection, domain, id, name, bench)
    written = attribute.shape in _LINES or attribute.shape is Shape.BOOLEAN
    current = row.values.get(name)
    return page(
        "override.html",
        request,
        session=session,
        status=status,
        tab="",
        head=head,
        now=bench.now,
        attribute=attribute,
        plain=written,
        current=current,
        said=said,
        typed={
            "value": form.text("value") if form else _text(current, written),
            "from": form.text("from") if form else "",
            "reason": form.text("reason") if form else "",
            "expires": form.text("expires") if form else "",
        },
        effect=effect_object(bench, found.effect) if found else None,
        demands=found.demands if found else (),
        notice=notice,
    )


def _said(connection: Connection, domain: Domain, id: str, name: str, bench: Workbench) -> list[tuple[Any, Any]]:
    """What each source row says of the attribute."""
    members = members_of(connection, id, None, _MEMBERS)
    shown = [(member, show_record(domain, member.attributes, bench.eyes).values.get(name)) for member in members]
    return [(member, value) for member, value in shown if value not in (None, "", [])]


def _command(id: str, attribute: Attribute, form: Form) -> Pin:
    reason = form.text("reason")
    if not reason:
        raise Invalid(
            "An override needs a reason.", action="Say why the sources are wrong; whoever comes later will ask."
        )
    until = form.day_end("expires")
    record = key_of(form.text("from"))
    if record is not None:
        return Pin(EntityId(id), attribute.name, from_record=record, reason=reason, expires_at=until)
    return Pin(
        EntityId(id), attribute.name, value=_value(attribute, form.text("value")), reason=reason, expires_at=until
    )


def _value(attribute: Attribute, text: str) -> Any:
    """What was typed, in the form of the attribute; nothing typed pins that there is no value."""
    if not text:
        return None
    if attribute.shape is Shape.BOOLEAN:
        return {"yes": True, "true": True, "no": False, "false": False}.get(text.lower(), text)
    if attribute.shape is Shape.INTEGER:
        return int(text) if text.lstrip("-").isdigit() and len(text) < 19 else text
    if attribute.shape in _LINES:
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The value is not written correctly: {error}.", action="Correct the JSON.") from error


def _text(value: Any, plain: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if plain else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _attribute(domain: Domain, name: str) -> Attribute:
    found = next((each for each in ATTRIBUTES[domain] if each.name == name), None)
    if found is None:
        raise refuse(NOT_FOUND, f"A {domain.value} has no attribute {name}.")
    return found
