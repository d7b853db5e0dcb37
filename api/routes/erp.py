"""ERP projections: golden records in the field names, code lists and lengths of an ERP, with what does not fit beside.

`odata.py` serves the same objects to those who are used to OData.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field, StringConstraints

from api import gating
from api.access_log import listed
from api.access_log import shown as shown_to
from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.deps import HubDep, ReadsDep, RulesDep
from api.errors import DOES_NOT_FIT, INVALID_CURSOR, refuse
from api.lookup import find_golden
from api.masking import show_lineage, show_name
from api.projecting import changes_link, object_of, projected, target_of
from api.readiness import refuse_unready
from api.routes.parameters import EntityIdPath, Paged, Parameters
from api.routes.responses import CHECKED, GUARDED, ONE, UNKNOWN, UNMODIFIED, UNREADY
from api.schemas.erp import ErpHeldPage, ErpLineage, ErpPage, ErpRecord, ErpTarget, ErpTargets
from api.schemas.given import Moment
from api.wire import REVALIDATE, VARY, answer, tagged
from mdm.access import Permission
from mdm.hub.onboarding import Aim
from mdm.hub.projections import shipped_targets
from mdm.model.ids import Domain
from mdm.onboarding.subject import Account
from mdm.projection.form import Field as TargetField
from mdm.projection.form import Form, Target
from mdm.projection.project import narrowed
from mdm.store.erp_view import counted, held_back
from mdm.store.read_models import lineage_of
from mdm.store.read_projection import Question, list_projected

router = APIRouter(
    prefix="/v1/erp",
    tags=["erp"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED, **UNKNOWN},
)

ErpName = Annotated[Literal["sap", "odoo", "erpnext", "netsuite"], Path(description="The ERP.")]
Plural = Annotated[Literal["customers", "products", "contracts"], Path(description="The domain.")]
#: Names of fields of the target, separated by commas.
TargetFields = Annotated[str, StringConstraints(pattern=r"^\w+(,\w+)*$", max_length=1000)]


class ErpView(Parameters):
    """Which version."""

    view: Literal["passed", "newest"] = Field(
        "passed", description="`newest`: also what the gates hold back. Not for feeding an ERP."
    )


class ErpFields(ErpView):
    """Only some fields."""

    fields: TargetFields | None = Field(None, description="Fields of the target to answer; all when absent.")


class ErpList(Paged, ErpFields):
    """A list of projected records."""

    updated_since: Moment | None = Field(None, description="Current version known since, RFC 3339.")


class ErpLook(ErpFields):
    """One projected record."""

    require: Literal["ready"] | None = Field(
        None, description="`ready`: customers that may not be created in this ERP are refused with 409."
    )
    company_code: Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=16)] | None = Field(
        None, description="The own company that it shall be created in, for `require`."
    )
    reconciliation_account: Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=16)] | None = Field(
        None, description="The account in the general ledger, for `require`."
    )


@router.get(
    "", name="list_erps", summary="The ERP systems that golden records can be read for", response_model=ErpTargets
)
def list_erps() -> Response:
    """Each with its objects and their fields: type, length, code list, and the golden attribute behind it."""
    return answer({"items": [_target_object(each) for each in shipped_targets().values()]})


class ErpHeldParameters(Paged):
    """Of which domain."""

    domain: Domain | None = None


@router.get(
    "/{erp}/held", name="list_erp_held", summary="What the gates of an ERP hold back", response_model=ErpHeldPage
)
def list_held(
    erp: ErpName, page: Annotated[ErpHeldParameters, Query()], request: Request, hub: HubDep, rules: RulesDep,
    caller: CallerDep, reads: ReadsDep,
) -> Response:  # fmt: skip
    """Golden records, by id, of which the ERP goes on with an earlier version or is served none, and why."""
    target_of(erp)
    for domain in [page.domain] if page.domain else Domain:
        gating.ready(hub, rules.platforms, erp, domain)
    scope = page.scope(request.url.path)
    after = str(read_cursor(page.cursor, scope, (str,))[0]) if page.cursor is not None else ""
    with reads.snapshot() as connection:
        found = held_back(connection, erp, page.domain, after, page.limit + 1)
        counts = counted(connection, erp)
    items = found[: page.limit]
    shown_to(request.scope, *(each.entity_id for each in items))
    return answer(
        {
            "items": [
                {
                    "id": each.entity_id, "domain": each.domain, "name": show_name(each.domain, each.name, caller.eyes),
                    "served": each.version, **gating.held_object(each),
                }
                for each in items
            ],
            "next": write_cursor(scope, [items[-1].entity_id]) if len(found) > page.limit else None,
            "served": {domain: each["served"] for domain, each in counts.items()},
            "held": {domain: each["held"] for domain, each in counts.items()},
        }
    )  # fmt: skip


@router.get("/{erp}", name="get_erp", summary="The objects and fields of one ERP", response_model=ErpTarget)
def get_erp(erp: ErpName) -> Response:
    """Which golden attribute each field shows, in which code list, and how many characters it holds."""
    return answer(_target_object(target_of(erp)))


@router.get(
    "/{erp}/{plural}", name="list_erp_records", summary="Golden records as objects of an ERP", response_model=ErpPage
)
def list_records(
    erp: ErpName,
    plural: Plural,
    page: Annotated[ErpList, Query()],
    request: Request,
    caller: CallerDep,
    hub: HubDep,
    rules: RulesDep,
    reads: ReadsDep,
) -> Response:
    """The last version of each that passed the gates, in the order in which they did; `held` tells of a newer one that
    did not. `changes` leads to everything that changes after this page was read."""
    target, form = _form(erp, plural)
    wanted = _wanted(form, page.fields)
    scope = page.scope(request.url.path)
    after = None
    if page.cursor is not None:
        place, entity_id = read_cursor(page.cursor, scope, (str, str))
        after = (_checked(str(place), page.view), str(entity_id))
    gating.ready(hub, rules.platforms, erp, form.domain)
    with reads.snapshot() as connection:
        asked = Question(updated_since=page.updated_since, passed=page.view == "passed")
        found = list_projected(connection, target, form, asked, after, page.limit + 1)
        rows = [each.row for each in found[: page.limit]]
        listed(request.scope, form.domain, rows)
        objects = projected(connection, target, form, rows, caller.eyes)
        held = gating.held_objects(connection, erp, rows)
        changes = changes_link(connection, form.domain)
    items = [
        object_of(form, row, shown if wanted is None else narrowed(shown, wanted), held.get(row.entity_id))
        for row, shown in zip(rows, objects, strict=True)
    ]
    more = len(found) > page.limit
    last = found[page.limit - 1].place if more else None
    body = {
        "items": items,
        "next": write_cursor(scope, last) if last is not None else None,
        "changes": changes,
    }
    return answer(body, headers={"Cache-Control": REVALIDATE, "Vary": VARY, "Link": f'<{changes}>; rel="monitor"'})


@router.get(
    "/{erp}/{plural}/{id}",
    name="get_erp_record",
    summary="One golden record as an object of an ERP",
    response_model=ErpRecord,
    responses={**ONE, **UNMODIFIED, **UNREADY},
)
def get_record(
    erp: ErpName,
    plural: Plural,
    id: EntityIdPath,
    look: Annotated[ErpLook, Query()],
    request: Request,
    caller: CallerDep,
    hub: HubDep,
    rules: RulesDep,
    reads: ReadsDep,
) -> Response:
    """The last version that passed the gates; `held` tells of a newer one that did not, and 409 `held-back` that none
    did. Values are never cut: what is missing or without a code of the target is told in `findings`."""
    target, form = _form(erp, plural)
    wanted = _wanted(form, look.fields)
    if look.require is not None:
        account = Account(company_code=look.company_code, reconciliation_account=look.reconciliation_account)
        refuse_unready(request, form.domain, id, caller.eyes, Aim(erp, account))
    gating.one_ready(hub, rules.platforms, erp, form.domain, id)
    with reads.snapshot() as connection:
        row = find_golden(connection, request, form.domain, id)
        row = gating.passed(connection, erp, row) if look.view == "passed" else row
        shown = projected(connection, target, form, [row], caller.eyes)[0]
        held = gating.held_objects(connection, erp, [row]).get(row.entity_id)
    body = object_of(form, row, shown if wanted is None else narrowed(shown, wanted), held)
    return tagged(request, row.version, body)


@router.get(
    "/{erp}/{plural}/{id}/lineage",
    name="get_erp_record_lineage",
    summary="Where each field of an ERP's object comes from",
    response_model=ErpLineage,
    responses={**ONE, **UNMODIFIED, **UNREADY},
)
def get_record_lineage(
    erp: ErpName,
    plural: Plural,
    id: EntityIdPath,
    look: Annotated[ErpView, Query()],
    request: Request,
    caller: CallerDep,
    hub: HubDep,
    rules: RulesDep,
    reads: ReadsDep,
) -> Response:
    """Of the version that the ERP is served: for every field the golden attribute, and of that the winning source row,
    its place in the feed, and the rule."""
    _, form = _form(erp, plural)
    gating.one_ready(hub, rules.platforms, erp, form.domain, id)
    with reads.snapshot() as connection:
        row = find_golden(connection, request, form.domain, id)
        row = gating.passed(connection, erp, row) if look.view == "passed" else row
        lineage = lineage_of(connection, row.entity_id, row.version)
    attributes = {field.name: field.attribute for field in form.fields}
    attributes |= {each.name: each.blocks[0].attribute for each in form.collections}
    shown = {name: show_lineage(form.domain, name, each, caller.eyes) for name, each in lineage.items()}
    fields = {
        name: {"attribute": attribute, "lineage": shown.get(attribute) if attribute else None}
        for name, attribute in attributes.items()
    }
    body = {"id": row.entity_id, "version": row.version, "object": form.object, "fields": fields}
    return tagged(request, row.version, body)


def _form(erp: str, plural: str) -> tuple[Target, Form]:
    target = target_of(erp)
    return target, target.forms[next(each for each in Domain if each.plural == plural)]


def _checked(place: str, view: str) -> str:
    """A place in the order of a view: an instant, or a number of the change feed.

    Raises:
        ProblemRaised: `invalid-cursor`, when it was tampered with.
    """
    try:
        datetime.fromisoformat(place) if view == "passed" else int(place)
    except ValueError:
        raise refuse(INVALID_CURSOR, "This cursor is of no page of this list.") from None
    return place


def _wanted(form: Form, fields: str | None) -> frozenset[str] | None:
    """The fields asked for.

    Raises:
        ProblemRaised: `does-not-fit`, when one does not exist.
    """
    if fields is None:
        return None
    wanted = frozenset(fields.split(","))
    strangers = sorted(wanted - form.names)
    if strangers:
        raise refuse(
            DOES_NOT_FIT,
            f"{form.object} has no field {', '.join(strangers)}.",
            errors=[{"parameter": "query.fields", "detail": f"{each} is no field"} for each in strangers],
        )
    return wanted


def _target_object(target: Target) -> dict[str, Any]:
    return {
        "erp": target.name,
        "title": target.title,
        "release": target.release,
        "keys_from": target.system,
        "objects": [
            {
                "domain": form.domain.value,
                "object": form.object,
                "path": f"/v1/erp/{target.name}/{form.domain.plural}",
                "fields": [_field_object(each) for each in form.fields],
                "collections": [
                    {
                        "name": each.name,
                        "fields": [_field_object(field, each.blocks[0].attribute) for field in each.fields],
                    }
                    for each in form.collections
                ],
            }
            for form in target
        ],
    }


def _field_object(field: TargetField, item_of: str | None = None) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": field.kind.value,
        "length": field.length,
        "required": field.required,
        "attribute": item_of or field.attribute,
        "codes": dict(field.codes) if field.codes is not None else None,
        "filterable": field.searchable and item_of is None,
        "note": field.note,
    }
