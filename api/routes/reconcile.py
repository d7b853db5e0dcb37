"""The Reconciliation Service API 0.2: OpenRefine and other tools match their tables against golden records.

The released matcher answers, a whole batch at once; nothing is stored. Values are shown as the key's role may see them.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api.auth import CallerDep, allows
from api.deps import HubDep, ReadsDep, RulesDep
from api.errors import DOES_NOT_FIT, INVALID_REQUEST, NOT_FOUND, ProblemRaised, ProblemType, refuse
from api.masking import show_values
from api.reconciling import (
    cells,
    extend_properties,
    finished,
    match_properties,
    question_of,
    result_object,
    type_object,
)
from api.resembling import may_search_beginnings
from api.routes.lists import alike_in
from api.routes.parameters import Parameters
from api.routes.responses import CHECKED, GUARDED, TOO_LARGE, UNKNOWN
from api.schemas.given import Storable
from api.schemas.reconcile import ReconManifest, ReconProperties, ReconSuggestions
from api.schemas.reconcile_texts import EXTENSION, MOST_CANDIDATES, MOST_QUERIES, MOST_RECORDS, QUERIES, holding
from api.wire import answer
from mdm.access import Eyes, Permission
from mdm.hub.match import find_many
from mdm.model.ids import Domain
from mdm.store.read_models import (
    Filters,
    GoldenRow,
    current_golden,
    current_goldens,
    expand,
    find_entity,
    list_golden,
    resolve_references,
)

#: A text of this many characters fits a body of that many bytes however it is encoded.
_TEXT = 32 * 1024
_MOST_BYTES = 512 * 1024
_FORM = "application/x-www-form-urlencoded"
_SUGGESTED = 10

router = APIRouter(
    prefix="/v1/reconcile",
    tags=["reconciliation"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)

TypeName = Literal["customer", "contract", "product"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What OpenRefine posts: a batch of queries, or a data extension, as JSON in a form field."""

    queries: str | None = None
    extend: str | None = None


class AskedInAddress(Parameters):
    """The same in the address, for batches that are short."""

    queries: Storable | None = Field(
        None, max_length=2000, description="A batch of queries, as JSON.", json_schema_extra=holding(QUERIES)
    )
    extend: Storable | None = Field(
        None, max_length=2000, description="A data extension, as JSON.", json_schema_extra=holding(EXTENSION)
    )


class Prefix(Parameters):
    """The beginning of something."""

    prefix: Storable = Field("", max_length=200, description="What was typed so far.")
    cursor: int = Field(0, ge=0, le=0, description="Suggestions come in one page.")


class EntityPrefix(Prefix):
    """The beginning of a name or number."""

    type: TypeName | None = Field(None, description="Only this type; customers when absent.")


class Proposing(Parameters):
    """Of which type."""

    type: TypeName = Field("customer", description="Type of the records.")
    limit: int = Field(100, ge=1, le=200, description="At most this many.")


class Previewed(Parameters):
    """Whom to show."""

    id: Storable = Field(max_length=64, description="Golden id.")


@router.get("", name="reconcile_manifest", summary="The reconciliation service", response_model=ReconManifest)
def get_manifest(
    asked: Annotated[AskedInAddress, Query()],
    request: Request,
    caller: CallerDep,
    hub: HubDep,
    rules: RulesDep,
    reads: ReadsDep,
) -> Response:
    """The manifest; with `queries` or `extend` the answer to them."""
    if asked.queries is not None or asked.extend is not None:
        return _answered(asked.queries, asked.extend, caller.eyes, hub, rules, reads)
    root = str(request.url_for("reconcile_manifest"))
    base = root.removesuffix("/v1/reconcile")
    return answer(
        {
            "versions": ["0.2"],
            "name": "Master data hub",
            "identifierSpace": f"{base}/v1/ids/",
            "schemaSpace": f"{base}/v1/reconcile/",
            "defaultTypes": [type_object(each) for each in (Domain.CUSTOMER, Domain.PRODUCT, Domain.CONTRACT)],
            "view": {"url": f"{base}/v1/ids/{{{{id}}}}"},
            "preview": {"url": f"{root}/preview?id={{{{id}}}}", "width": 420, "height": 200},
            "suggest": {
                kind: {"service_url": root, "service_path": f"/suggest/{kind}"}
                for kind in ("entity", "property", "type")
            },
            "extend": {
                "propose_properties": {"service_url": root, "service_path": "/properties"},
                "property_settings": [],
            },
            "batchSize": MOST_QUERIES,
        }
    )


async def posted(request: Request) -> Asked:
    """The form that was posted.

    Raises:
        ProblemRaised: `invalid-request`.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise _unreadable("queries", f"must come as {_FORM}", INVALID_REQUEST)
    try:
        fields = parse_qs((await request.body()).decode(), keep_blank_values=True, max_num_fields=4)
    except (UnicodeDecodeError, ValueError) as fault:
        raise _unreadable("queries", "cannot be read as a form", INVALID_REQUEST) from fault
    if set(fields) - {"queries", "extend"} or any(len(each) > 1 for each in fields.values()):
        raise _unreadable("queries", "and `extend` are the only fields, each once", INVALID_REQUEST)
    found = Asked(**{name: each[0] for name, each in fields.items()})
    if any(len(each) > _TEXT for each in (found.queries or "", found.extend or "")):
        raise _unreadable("queries", f"has at most {_TEXT} characters", INVALID_REQUEST)
    return found


@router.post(
    "",
    name="reconcile",
    summary="Match a batch of names, or fetch values of matched records",
    response_model=dict[str, Any],
    responses={**TOO_LARGE},
    max_body_size=_MOST_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                _FORM: {
                    "schema": {
                        "type": "object",
                        "additionalProperties": False,
                        "minProperties": 1,
                        "maxProperties": 1,
                        "properties": {
                            "queries": {
                                "type": "string",
                                "maxLength": _TEXT,
                                "pattern": r"^[^\x00]*$",
                                "description": 'A JSON text: `{"q0": {"query": "Acme", "type": "customer"}}`.',
                                **holding(QUERIES),
                            },
                            "extend": {
                                "type": "string",
                                "maxLength": _TEXT,
                                "pattern": r"^[^\x00]*$",
                                "description": 'A JSON text: `{"ids": ["cus_1"], "properties": [{"id": "vat"}]}`.',
                                **holding(EXTENSION),
                            },
                        },
                    }
                }
            },
        }
    },
)
async def reconcile(
    asked: Annotated[Asked, Depends(posted)], caller: CallerDep, hub: HubDep, rules: RulesDep, reads: ReadsDep
) -> Response:
    """Form-encoded, as OpenRefine sends it: `queries` or `extend`, each a JSON text.

    `score` is the probability in percent; `match` is true where the released model would join by itself, and only one
    candidate is so. `features` are the match weight and what each comparison added to it, in bits.
    """
    return await run_in_threadpool(_answered, asked.queries, asked.extend, caller.eyes, hub, rules, reads)


@router.get(
    "/suggest/entity",
    name="suggest_entity",
    summary="Golden records that begin like this",
    response_model=ReconSuggestions,
)
def suggest_entity(
    asked: Annotated[EntityPrefix, Query()], request: Request, caller: CallerDep, reads: ReadsDep
) -> Response:
    """By name or any identifier; when nothing begins so, what resembles it."""
    domain = Domain(asked.type or "customer")
    rows: list[GoldenRow] = []
    if asked.prefix.strip():
        filters = Filters(q=asked.prefix, beginnings=may_search_beginnings(caller.eyes))
        with reads.snapshot() as connection:
            rows = [each.row for each in list_golden(connection, domain, filters, None, _SUGGESTED)]
            if not rows:
                rows = list(current_goldens(connection, domain, alike_in(request, domain)(asked.prefix, _SUGGESTED)))
    return answer({"result": [_suggestion(each, caller.eyes) for each in rows]})


@router.get(
    "/suggest/property", name="suggest_property", summary="Properties like this", response_model=ReconSuggestions
)
def suggest_property(asked: Annotated[Prefix, Query()]) -> Response:
    """Properties that a query may state, of all types."""
    known = {each["id"]: each for domain in Domain for each in match_properties(domain)}
    return answer({"result": _beginning(list(known.values()), asked.prefix)})


@router.get("/suggest/type", name="suggest_type", summary="Types like this", response_model=ReconSuggestions)
def suggest_type(asked: Annotated[Prefix, Query()]) -> Response:
    """Customer, contract, product."""
    return answer({"result": _beginning([type_object(each) for each in Domain], asked.prefix)})


@router.get(
    "/properties", name="propose_properties", summary="Values that can be fetched", response_model=ReconProperties
)
def propose_properties(asked: Annotated[Proposing, Query()]) -> Response:
    """Properties for data extension."""
    found = extend_properties(Domain(asked.type))[: asked.limit]
    return answer({"type": asked.type, "limit": asked.limit, "properties": found})


@router.get(
    "/preview",
    name="preview_entity",
    summary="A golden record at a glance",
    response_class=Response,
    responses={200: {"content": {"text/html": {}}}, **UNKNOWN},
)
def preview_entity(
    asked: Annotated[Previewed, Query()], request: Request, caller: CallerDep, reads: ReadsDep
) -> Response:
    """A small page to be shown in a frame by the origins that cross-origin requests are open to."""
    with reads.snapshot() as connection:
        state = find_entity(connection, asked.id)
        row = None if state is None else current_golden(connection, state.domain, state.merged_into or state.entity_id)
    if row is None:
        raise refuse(NOT_FOUND, "There is no golden record under this id.")
    origins = " ".join(request.app.state.cors_origins) or "'none'"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors {origins}; base-uri 'none'"
    page = _page(row, caller.eyes)
    return Response(page, 200, {"Content-Security-Policy": policy}, "text/html; charset=utf-8")


def _answered(
    queries: str | None, extend: str | None, eyes: Eyes, hub: HubDep, rules: RulesDep, reads: ReadsDep
) -> Response:
    if (queries is None) == (extend is None):
        raise _unreadable("queries", "send either `queries` or `extend`")
    if queries is not None:
        return answer(_matched(_json("queries", queries), hub, rules))
    return answer(_extended(_json("extend", extend or ""), eyes, reads))


def _json(name: str, text: str) -> Mapping[str, Any]:
    """A form field that holds a JSON object.

    Raises:
        ProblemRaised: `does-not-fit`.
    """
    if "\\u0000" in text:
        raise _unreadable(name, "holds a NUL character")
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as fault:
        raise _unreadable(name, f"is not JSON: {fault}") from fault
    if not isinstance(found, dict):
        raise _unreadable(name, "must be a JSON object")
    return found


def _matched(batch: Mapping[str, Any], hub: HubDep, rules: RulesDep) -> dict[str, Any]:
    if len(batch) > MOST_QUERIES:
        raise _unreadable("queries", f"holds {len(batch)} queries; at most {MOST_QUERIES}")
    asked: dict[Domain, list[str]] = {}
    for name, query in batch.items():
        if not isinstance(query, dict) or not isinstance(query.get("properties") or [], list):
            raise _unreadable("queries", f"{name} is no query")
        if not all(isinstance(each, dict) for each in query.get("properties") or ()):
            raise _unreadable("queries", f"{name}: properties are objects with `pid` and `v`")
        asked.setdefault(_domain(name, query), []).append(name)
    results: dict[str, Any] = {}
    for domain, names in asked.items():
        questions = [finished(question_of(domain, batch[name], MOST_CANDIDATES)) for name in names]
        reports = find_many(hub.engine, rules, domain, questions)
        results |= {name: result_object(domain, report) for name, report in zip(names, reports, strict=True)}
    return {name: results[name] for name in batch}


def _domain(name: str, query: Mapping[str, Any]) -> Domain:
    kind = query.get("type") or Domain.CUSTOMER.value
    kind = kind[0] if isinstance(kind, list) and kind else kind
    kind = kind.get("id") if isinstance(kind, dict) else kind
    if kind not in [each.value for each in Domain]:
        raise _unreadable("queries", f"{name}: there is no type {kind!r}; there are customer, contract, product")
    return Domain(kind)


def _extended(asked: Mapping[str, Any], eyes: Eyes, reads: ReadsDep) -> dict[str, Any]:
    ids, properties = asked.get("ids"), asked.get("properties")
    if not isinstance(ids, list) or not isinstance(properties, list) or len(ids) > MOST_RECORDS:
        raise _unreadable("extend", f"needs `ids` (at most {MOST_RECORDS}) and `properties`")
    names = [str(each["id"]) for each in properties if isinstance(each, dict) and isinstance(each.get("id"), str)]
    wanted = [str(each).replace("\0", "") for each in ids]
    rows: dict[str, Any] = {each: {name: [] for name in names} for each in wanted}
    with reads.snapshot() as connection:
        for domain in Domain:
            mine = [each for each in wanted if each.startswith(f"{domain.prefix}_")]
            found = current_goldens(connection, domain, mine)
            entities = resolve_references(connection, ((domain, row.values) for row in found))
            for row in found:
                shown = show_values(domain, expand(domain, row.values, entities), eyes).values
                rows[row.entity_id] = {name: cells(domain, name, shown) for name in names}
    known = {each["id"]: each for domain in Domain for each in extend_properties(domain)}
    return {"meta": [known.get(name, {"id": name, "name": name}) for name in names], "rows": rows}


def _suggestion(row: GoldenRow, eyes: Eyes) -> dict[str, Any]:
    return {
        "id": row.entity_id,
        "name": row.name,
        "description": _described(row, eyes),
        "notable": [type_object(row.domain)],
    }


def _described(row: GoldenRow, eyes: Eyes) -> str:
    shown = show_values(row.domain, row.values, eyes).values
    address = shown.get("address") or {}
    parts = [address.get("city"), shown.get("country"), shown.get("code"), shown.get("start_date"), shown.get("status")]
    return ", ".join(str(each) for each in parts if each)


def _page(row: GoldenRow, eyes: Eyes) -> str:
    title, told = html.escape(row.name), html.escape(_described(row, eyes))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        "<body style='font:14px sans-serif;margin:8px'>"
        f"<strong>{title}</strong><p>{told}</p>"
        f"<p>{row.domain.value.capitalize()} of {row.members} source records<br><code>{row.entity_id}</code></p>"
        "</body></html>"
    )


def _beginning(known: list[dict[str, str]], prefix: str) -> list[dict[str, str]]:
    wanted = prefix.strip().lower()
    return [each for each in known if wanted in each["name"] or wanted in each["id"]][:_SUGGESTED]


def _unreadable(name: str, detail: str, problem: ProblemType = DOES_NOT_FIT) -> ProblemRaised:
    errors = [{"parameter": f"body.{name}", "detail": detail}]
    return refuse(problem, f"`{name}` {detail}.", errors=errors)
