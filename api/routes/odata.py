"""The projections as OData: `$select $filter $orderby $top $skiptoken $count` and `$metadata`, for reading.

For SAP and Dynamics habits. What is not served is refused with 400 and a sentence that says what is.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from api import gating
from api.access_log import listed
from api.auth import CallerDep, allows
from api.cursors import MAX_CURSOR, read_cursor, write_cursor
from api.deps import HubDep, ReadsDep, RulesDep
from api.errors import NOT_FOUND, ODATA_UNSUPPORTED, ProblemRaised, refuse
from api.lookup import find_golden
from api.projecting import finding_object, projected, refuse_hidden, target_of
from api.routes.erp import ErpName, ErpView
from api.routes.parameters import EntityIdPath
from api.routes.responses import CHECKED, GUARDED, ONE, UNKNOWN, UNMODIFIED, UNREADY
from api.schemas.given import Storable
from api.schemas.odata import ODataPage, ODataRecord, ODataService
from api.wire import REVALIDATE, VARY, digest_of, encode, tagged_as
from mdm.access import Caller, Permission
from mdm.projection.csdl import KEY, metadata
from mdm.projection.form import Field as TargetField
from mdm.projection.form import Form, Head, Kind, Target
from mdm.projection.odata import Unsupported, fields_in, parse_filter, parse_order, parse_select
from mdm.projection.project import Projected, narrowed
from mdm.store.read_models import GoldenRow
from mdm.store.read_projection import Question, count_projected, list_projected

router = APIRouter(
    prefix="/v1/erp/{erp}/odata",
    tags=["odata"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED, **UNKNOWN},
)

_JSON = "application/json;odata.metadata=minimal;IEEE754Compatible=true"
_VERSION = {"OData-Version": "4.0"}
#: Records of a page; more are led to by `@odata.nextLink`.
_PAGE, _MOST = 100, 200
#: Parts of OData that clients try; they are told why there are none.
_NOT_SERVED = {
    "$expand": "Nothing needs expanding: addresses, numbers and lines are part of the record.",
    "$skip": "Follow `@odata.nextLink` ($skiptoken): pages by number would miss records that change meanwhile.",
    "$search": "Search with /v1/customers?q=...",
    "$apply": "Nothing is aggregated here.",
    "$compute": "Nothing is computed here.",
}
EntitySet = Annotated[Storable, Path(pattern=r"^\w+$", max_length=64, description="As `$metadata` names it.")]


class ODataLook(ErpView):
    """What of a record."""

    select: Storable | None = Field(None, alias="$select", max_length=1000, description="Fields, separated by commas.")
    format: Storable | None = Field(None, alias="$format", max_length=64, description="`json`.")
    expand: Storable | None = Field(None, alias="$expand", max_length=200, description="Not served: 400.")


_FILTER = Field(
    None,
    alias="$filter",
    max_length=1000,
    description="eq, ne, gt, ge, lt, le, and, or, parentheses, startswith(field,'x'), contains(field,'x').",
)


class ODataCounted(ErpView):
    """Which records are counted."""

    filter: Storable | None = _FILTER


class ODataQuery(ODataLook):
    """Which records."""

    filter: Storable | None = _FILTER
    orderby: Storable | None = Field(None, alias="$orderby", max_length=100, description="One field, asc or desc.")
    top: int | None = Field(None, alias="$top", ge=0, le=1_000_000, description="At most so many.")
    count: bool | None = Field(None, alias="$count", description="`true`: also how many there are in all.")
    skiptoken: Storable | None = Field(None, alias="$skiptoken", max_length=MAX_CURSOR, description="From a nextLink.")
    skip: Storable | None = Field(None, alias="$skip", max_length=20, description="Not served: 400.")
    search: Storable | None = Field(None, alias="$search", max_length=200, description="Not served: 400.")
    apply: Storable | None = Field(None, alias="$apply", max_length=200, description="Not served: 400.")
    compute: Storable | None = Field(None, alias="$compute", max_length=200, description="Not served: 400.")


def _refuse_unserved(asked: ODataLook) -> None:
    given = asked.model_dump(by_alias=True, exclude_none=True)
    for name, why in _NOT_SERVED.items():
        if name in given:
            raise _unsupported(f"{name} is not served. {why}")
    if asked.format is not None and not asked.format.startswith(("json", "application/json")):
        raise _unsupported("$format: only json is served.")


def _unsupported(message: str) -> ProblemRaised:
    return refuse(ODATA_UNSUPPORTED, message, error={"code": "ODATA_UNSUPPORTED", "message": message})


@router.get("", name="odata_service", summary="The entity sets of an ERP", response_model=ODataService)
def get_service(erp: ErpName, request: Request) -> Response:
    """The service document."""
    target = target_of(erp)
    sets = [{"name": each.entity_set, "kind": "EntitySet", "url": each.entity_set} for each in target]
    return _json({"@odata.context": f"{request.url.path}/$metadata", "value": sets})


@router.get(
    "/$metadata",
    name="odata_metadata",
    summary="The schema of an ERP's objects (CSDL)",
    response_class=Response,
    responses={200: {"content": {"application/xml": {}}}},
)
def get_metadata(erp: ErpName) -> Response:
    """Entity types with types and lengths; `mdm_id`, the golden id, is the key of each."""
    return Response(metadata(target_of(erp)), 200, _VERSION, "application/xml")


@router.get(
    "/{entity_set}('{id}')",
    name="odata_record",
    summary="One record as OData",
    response_model=ODataRecord,
    responses={**ONE, **UNMODIFIED, **UNREADY},
)
def get_record(
    erp: ErpName,
    entity_set: EntitySet,
    id: EntityIdPath,
    asked: Annotated[ODataLook, Query()],
    request: Request,
    caller: CallerDep,
    hub: HubDep,
    rules: RulesDep,
    reads: ReadsDep,
) -> Response:
    """By its golden id. The entity tag (`ETag`, `@odata.etag`) is that of the whole record, whatever was selected."""
    target, form = _form(erp, entity_set)
    _refuse_unserved(asked)
    wanted = _selected(form, asked.select)
    gating.one_ready(hub, rules.platforms, erp, form.domain, id)
    with reads.snapshot() as connection:
        row = find_golden(connection, request, form.domain, id)
        row = gating.passed(connection, erp, row) if asked.view == "passed" else row
        held = gating.held_objects(connection, erp, [row])
        shown = projected(connection, target, form, [row], caller.eyes)[0]
    root = request.url.path.rpartition("/")[0]
    body = {"@odata.context": f"{root}/$metadata#{form.entity_set}/$entity", **_record(row, shown, wanted, held)}
    return tagged_as(request, body["@odata.etag"], body, _VERSION)


@router.get("/{entity_set}", name="odata_list", summary="Records as OData", response_model=ODataPage)
def list_records(
    erp: ErpName,
    entity_set: EntitySet,
    asked: Annotated[ODataQuery, Query()],
    request: Request,
    caller: CallerDep,
    hub: HubDep,
    rules: RulesDep,
    reads: ReadsDep,
) -> Response:
    """Filtered and sorted in the database; pages follow by `@odata.nextLink`.

    Without `$orderby` in the order of their last change, oldest first. Nobody can filter or sort by fields whose values
    they may not see.
    """
    target, form = _form(erp, entity_set)
    _refuse_unserved(asked)
    question = _question(form, asked.filter, asked.orderby, caller, asked.view)
    order = question.order
    wanted = _selected(form, asked.select)
    scope = f"{request.url.path}?{asked.filter}&{asked.orderby}"
    after = None
    if asked.skiptoken is not None:
        sort, entity_id = read_cursor(asked.skiptoken, scope, (str, str))
        after = (_checked(order, str(sort), question.passed), str(entity_id))
    gating.ready(hub, rules.platforms, erp, form.domain)
    size = min(_PAGE if asked.top is None else asked.top, _MOST)
    with reads.snapshot() as connection:
        total = count_projected(connection, target, form, question) if asked.count else None
        found = list_projected(connection, target, form, question, after, size + 1) if size else []
        rows = [each.row for each in found[:size]]
        listed(request.scope, form.domain, rows)
        held = gating.held_objects(connection, erp, rows)
        objects = projected(connection, target, form, rows, caller.eyes)
    body: dict[str, Any] = {"@odata.context": f"{request.url.path.rpartition('/')[0]}/$metadata#{form.entity_set}"}
    if total is not None:
        body["@odata.count"] = str(total)
    body["value"] = [_record(row, shown, wanted, held) for row, shown in zip(rows, objects, strict=True)]
    remaining = None if asked.top is None else asked.top - size
    if len(found) > size and remaining != 0:
        given = asked.model_dump(
            mode="json", by_alias=True, exclude_defaults=True, exclude={"count", "skiptoken", "top"}
        )
        given |= {"$skiptoken": write_cursor(scope, found[size - 1].place)}
        given |= {} if remaining is None else {"$top": remaining}
        body["@odata.nextLink"] = f"{request.url.path}?{urlencode(given)}"
    return _json(body, {"Cache-Control": REVALIDATE, "Vary": VARY})


@router.get(
    "/{entity_set}/$count",
    name="odata_count",
    summary="How many records",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string", "pattern": "^[0-9]+$"}}}}},
)
def count_records(
    erp: ErpName,
    entity_set: EntitySet,
    asked: Annotated[ODataCounted, Query()],
    caller: CallerDep,
    hub: HubDep,
    rules: RulesDep,
    reads: ReadsDep,
) -> Response:
    """The number alone, as text; with `$filter`, of those that it lets through."""
    target, form = _form(erp, entity_set)
    question = _question(form, asked.filter, None, caller, asked.view)
    if question.passed:
        gating.ready(hub, rules.platforms, erp, form.domain)
    with reads.snapshot() as connection:
        total = count_projected(connection, target, form, question)
    return Response(str(total), 200, {**_VERSION, "Cache-Control": REVALIDATE, "Vary": VARY}, "text/plain")


def _question(form: Form, filter_: str | None, orderby: str | None, caller: Caller, view: str) -> Question:
    """What is asked of a form.

    Raises:
        ProblemRaised: `odata-unsupported`, or the caller may not see the values of a field that it names.
    """
    try:
        condition = parse_filter(form, filter_) if filter_ else None
        order = parse_order(form, orderby) if orderby else None
    except Unsupported as fault:
        raise _unsupported(fault.message) from fault
    named: list[TargetField] = [
        *(fields_in(condition) if condition is not None else ()),
        *([order.field] if order else ()),
    ]
    refuse_hidden(form.domain, named, caller.eyes)
    return Question(condition, order, passed=view == "passed")


def _checked(order: Any, sort: str, passed: bool) -> str:
    """The place as the column's type can read it.

    Raises:
        ProblemRaised: `invalid-cursor` (through `read_cursor`), when it was tampered with.
    """
    kind = order.field.kind if order is not None else Kind.INSTANT if passed else Kind.INTEGER
    if kind is Kind.INSTANT:
        read_cursor(write_cursor("", [_instant(sort)]), "", (str,))
    elif kind in (Kind.INTEGER, Kind.DECIMAL, Kind.BOOLEAN):
        read_cursor(write_cursor("", [_number(sort)]), "", (str,))
    return sort


def _number(text: str) -> str | int:
    """The text when it is a number, else something that no cursor of this form holds."""
    try:
        Decimal(text)
    except ArithmeticError:
        return 0
    return text


def _instant(text: str) -> str | int:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return 0
    return text


def _form(erp: str, entity_set: str) -> tuple[Target, Form]:
    target = target_of(erp)
    form = next((each for each in target if each.entity_set == entity_set), None)
    if form is None:
        names = ", ".join(each.entity_set for each in target)
        raise refuse(NOT_FOUND, f"{target.title} has no entity set {entity_set}; there are {names}.")
    key = TargetField(KEY, Kind.STRING, Head("id"), 64, True)
    return target, replace(form, fields=(key, *form.fields))


def _selected(form: Form, select: str | None) -> frozenset[str] | None:
    if select is None:
        return None
    try:
        return parse_select(form, select)
    except Unsupported as fault:
        raise _unsupported(fault.message) from fault


def _record(
    row: GoldenRow, shown: Projected, wanted: frozenset[str] | None, held: Mapping[str, Any]
) -> Mapping[str, Any]:
    # The version alone would not do: what is served depends on the caller's role and on what references mean now, too.
    whole = encode(
        [shown.values, [finding_object(each) for each in shown.findings], list(shown.masked), held.get(row.entity_id)]
    )
    told = shown if wanted is None else narrowed(shown, wanted)
    notes: dict[str, Any] = {"@odata.etag": f'W/"{row.version}-{digest_of(whole)}"'}
    if told.findings:
        notes["@mdm.findings"] = [finding_object(each) for each in told.findings]
    if row.entity_id in held:
        notes["@mdm.held"] = held[row.entity_id]
    if told.masked:
        notes["@mdm.masked"] = list(told.masked)
    return {**notes, **told.values}


def _json(body: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode(body), 200, {**_VERSION, **(headers or {})}, _JSON)
