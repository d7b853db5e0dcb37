"""Administration: people, API clients, what each role may do and see, policies, and golden records as another role."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, PlainValidator

from api.console.forms import FormDep
from api.console.guard import SessionDep, needs, signed_in
from api.console.notices import TELLABLE, Notice, refused
from api.console.once import FormRoute, carried_out
from api.console.pages import page
from api.console.sessions import Session
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from api.errors import FORBIDDEN, refuse
from api.lookup import find_golden
from api.present import record_object
from api.routes.parameters import Parameters
from api.schemas.given import Storable
from api.wire import encode
from mdm.access import MEANINGS, Eyes, Permission, Role, may_see, read_role, roles_that
from mdm.errors import Invalid, OperatorError, Refused
from mdm.hub import admin as use
from mdm.hub.steward import load_policy
from mdm.model.canonical import ATTRIBUTES, DataClass
from mdm.model.ids import Domain
from mdm.privacy.policy import shipped_policy
from mdm.store.read_admin import clients, people
from mdm.store.read_models import resolve_references

router = APIRouter(
    route_class=FormRoute, prefix="/console/admin", include_in_schema=False, dependencies=[Depends(signed_in)]
)

_ROWS = 50
_TELLABLE = (*TELLABLE, OperatorError)
TABS = {
    "roles": "Roles",
    "policies": "Policies",
    "preview": "See as a role",
    "people": "People",
    "clients": "API clients",
}
#: What only administrators look at.
_PRIVATE = ("people", "clients")
#: What roles may do beside reading, and who.
RIGHTS: tuple[tuple[str, frozenset[Role]], ...] = tuple(
    (meaning[0].upper() + meaning[1:], roles_that(permission))
    for permission, meaning in MEANINGS.items()
    if permission is not Permission.READ
)
_DONE = {
    "create": "The account was created",
    "reset": "The password was changed",
    "disable": "The account has ended",
    "issue": "The key was issued",
    "revoke": "The key was revoked",
}
_BY_PREFIX = {domain.prefix: domain for domain in Domain}


def _role_named(text: Any) -> Role:  # Any: what a query says
    if isinstance(text, Role):
        return text
    try:
        return read_role(str(text))
    except Invalid as error:
        raise ValueError(str(error)) from error


class AdminLook(Parameters):
    """Which tab; where the page before ended; of the preview, the record and the role."""

    tab: Literal["roles", "policies", "preview", "people", "clients"] = "roles"
    after: Storable = Field("", max_length=64)
    id: Storable | None = Field(None, max_length=64)
    role: Annotated[Role, PlainValidator(_role_named)] = Role.VIEWER


@router.get("")
def admin(
    look: Annotated[AdminLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """One tab."""
    return _page(look, request, session, bench, reads)


@router.post("/{what}", dependencies=[needs(Permission.ADMINISTER)])
def act(
    what: Literal["create", "reset", "disable", "issue", "revoke"],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Give or take an account or a key. What is secret is shown on this one page."""
    engine, clock, actor = bench.engine, bench.hub.clock, bench.actor
    tab: Literal["people", "clients"] = "clients" if what in ("issue", "revoke") else "people"
    look = AdminLook(tab=tab, after="", id=None, role=Role.VIEWER)
    secret: tuple[str, str] | None = None
    name, label = form.text("username"), form.text("label")
    try:
        if what == "create":
            password = use.create_person(engine, clock, actor, name, form.text("name"), _role(form))
            secret = (f"Password of {name}", password)
        elif what == "reset":
            secret = (f"New password of {name}", use.reset_password(engine, clock, actor, name))
        elif what == "issue":
            secret = (f"Key of {label}", use.issue_client(engine, clock, actor, _role(form), label))
        elif what == "disable":
            use.disable_person(engine, clock, actor, name)
        else:
            use.revoke_client(engine, clock, actor, form.text("key_id"))
    except Refused as error:
        if not bench.role.may(Permission.ADMINISTER):
            raise refuse(FORBIDDEN, error.message) from error
        return _page(look, request, session, bench, reads, refused(error), 403)
    except _TELLABLE as error:
        return _page(look, request, session, bench, reads, refused(error), 409)
    carried_out(request)
    return _page(look, request, session, bench, reads, Notice(f"{_DONE[what]}.", "good", "check"), secret=secret)


def _page(
    look: AdminLook,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    notice: Notice | None = None,
    status: int = 200,
    secret: tuple[str, str] | None = None,
) -> Response:
    administers = bench.role.may(Permission.ADMINISTER) and not session.caller.scope.limits_rows
    if look.tab in _PRIVATE and not administers:
        raise refuse(FORBIDDEN, "Only administrators look at accounts and keys.")
    context: dict[str, Any] = {}
    with reads.snapshot() as connection:
        if look.tab == "people":
            found = people(connection, look.after, bench.now, _ROWS + 1)
            context = {"people": found[:_ROWS], "following": found[_ROWS - 1].username if len(found) > _ROWS else None}
        elif look.tab == "clients":
            keys = clients(connection, look.after, _ROWS + 1)
            context = {"clients": keys[:_ROWS], "following": keys[_ROWS - 1].key_id if len(keys) > _ROWS else None}
        elif look.tab == "preview":
            context = {"shown": _as_role(connection, request, look, bench.eyes) if look.id else None}
    return page(
        "admin.html",
        request,
        session=session,
        status=status,
        now=bench.now,
        look=look,
        tabs={name: title for name, title in TABS.items() if administers or name not in _PRIVATE},
        roles=list(Role),
        people_roles=[role for role in Role if role.may(Permission.CONSOLE)],
        below=_below(bench.eyes),
        rights=RIGHTS,
        classes=[(each, [role for role in Role if may_see(role, each)], _examples(each)) for each in DataClass],
        policy=bench.policy or load_policy(),
        privacy=shipped_policy(),
        me=bench.actor.name,
        notice=notice,
        secret=secret,
        **context,
    )


def _as_role(connection: Any, request: Request, look: AdminLook, own: Eyes) -> dict[str, Any]:
    """A golden record exactly as the API gives it to a role, which sees no more than who asks."""
    if look.role not in _below(own):
        raise refuse(FORBIDDEN, f"The role {look.role} sees more than yours does, or no records at all.")
    entity_id = look.id or ""
    domain = _BY_PREFIX.get(entity_id.partition("_")[0], Domain.CUSTOMER)
    row = find_golden(connection, request, domain, entity_id)
    entities = resolve_references(connection, [(domain, row.values)])
    body = record_object(row, entities, look.role)
    return {"record": body, "domain": domain, "json": encode(body).decode()}


def _below(own: Eyes) -> list[Role]:
    """Roles that see nothing that this one does not see."""
    return [
        role
        for role in Role
        if role.may(Permission.READ) and all(may_see(own, each) or not may_see(role, each) for each in DataClass)
    ]


def _examples(data_class: DataClass) -> list[tuple[str, list[str]]]:
    """The attributes of a class by domain."""
    found = [
        (domain.value, [each.name for each in ATTRIBUTES[domain] if each.data_class is data_class]) for domain in Domain
    ]
    return [(domain, names) for domain, names in found if names]


def _role(form: Any) -> Role:
    return read_role("+".join(form.all("role")))
