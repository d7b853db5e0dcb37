"""Golden records: the lists, and one record with everything behind each of its values."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, field_validator
from sqlalchemy import Connection

from api.access_log import listed
from api.console.compare import columns_of, compare
from api.console.guard import SessionDep, signed_in
from api.console.notices import proposed, told
from api.console.pages import page
from api.console.show import record_address
from api.console.workbench import Workbench, WorkbenchDep
from api.cursors import read_cursor, write_cursor
from api.deps import ReadsDep
from api.lookup import find_golden
from api.masking import show_record
from api.present import lineage_object, record_object, source_object
from api.resembling import alike_by, by_key, may_search_beginnings, resembling
from api.routes.parameters import Cursor, EntityIdPath, Parameters
from api.schemas.given import Storable
from mdm.hub.onboarding import verdicts_on_golden
from mdm.model.ids import CrosswalkKey, Domain
from mdm.onboarding.verdict import Decision
from mdm.store.read_models import (
    Filters,
    GoldenRow,
    Place,
    absorbed_ids,
    facts_of,
    list_golden,
    members_of,
    names_of,
    resolve_references,
)
from mdm.store.read_models import lineage_of as lineage_of_version
from mdm.store.read_readiness import open_questions
from mdm.store.read_release_samples import names_of as names_of_entities
from mdm.store.read_review import hanging_on, open_proposals_about
from mdm.store.read_stewardship import overrides_of
from mdm.store.reading import snapshot
from mdm.store.scoped import visible_ids

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

Plural = Literal["customers", "contracts", "products"]
DOMAINS = {domain.plural: domain for domain in Domain}
_ROWS, _MEMBERS, _CONTRACTS, _FACTS = 50, 25, 50, 50


class ListParameters(Parameters):
    """What a list is narrowed to."""

    q: Storable | None = Field(None, max_length=200)
    country: str | None = Field(None, pattern="^[A-Za-z]{2}$")
    status: Storable | None = Field(None, max_length=64)
    cursor: Cursor | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_all(cls, value: Any) -> Any:
        return None if value == "" else value

    @property
    def query(self) -> str:
        return urlencode(self.model_dump(exclude_none=True, exclude={"cursor"}))


class RecordParameters(Parameters):
    """The decision or proposal that led here."""

    done: int | None = Field(None, ge=0, lt=1 << 62)
    proposed: int | None = Field(None, ge=0, lt=1 << 62)


class PartParameters(Parameters):
    """Where the page before ended: of source rows, of contracts, of facts."""

    sources: Cursor | None = None
    contracts: Cursor | None = None
    facts: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Tab:
    """A page about one golden record."""

    name: str
    title: str
    customers_only: bool = False


TABS: Sequence[Tab] = (
    Tab("", "Values"),
    Tab("sources", "Sources"),
    Tab("related", "Contracts and facts", customers_only=True),
    Tab("hierarchy", "Hierarchy", customers_only=True),
    Tab("readiness", "Readiness", customers_only=True),
    Tab("exceptions", "Exceptions"),
    Tab("history", "History"),
    Tab("graph", "Links and split"),
    Tab("access", "Access"),
)


@router.get("/{plural}")
def browse(
    plural: Plural,
    look: Annotated[ListParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """Golden records of a domain, page by page."""
    domain = DOMAINS[plural]
    scope = f"browse {plural} {look.query}"
    after = None
    if look.cursor is not None:
        sort, entity_id = read_cursor(look.cursor, scope, (int, str))
        after = Place(int(sort), str(entity_id))
    eyes = session.caller.eyes
    country = look.country.upper() if look.country else None
    filters = Filters(look.q, country, look.status, beginnings=may_search_beginnings(eyes))
    approximate = False
    with reads.snapshot() as connection:
        found = list_golden(connection, domain, filters, after, _ROWS + 1)
        shown: Sequence[GoldenRow] = [hit.row for hit in found[:_ROWS]]
        if look.q and not shown and after is None:
            shown = by_key(connection, domain, filters, _ROWS)
            if not shown:
                alike = alike_by(bench.engine, bench.rules, domain)
                shown = resembling(connection, domain, filters, _ROWS, alike)
                approximate = bool(shown)
        entities = resolve_references(connection, [(domain, row.values) for row in shown])
        records = [record_object(row, entities, eyes) for row in shown]
        owners = {each["values"]["customer"].get("entity_id") for each in records if each["values"].get("customer")}
        names = names_of_entities(connection, visible_ids(connection, owners - {None}))
    listed(request.scope, domain, shown, narrowed=filters, by_change=True)
    following = None
    if len(found) > _ROWS:
        more = urlencode({"cursor": write_cursor(scope, tuple(found[_ROWS - 1].place))})
        following = f"/console/{plural}?" + "&".join(part for part in (look.query, more) if part)
    return page(
        "browse.html",
        request,
        session=session,
        plural=plural,
        domain=domain,
        look=look,
        approximate=approximate,
        records=records,
        names=names,
        following=following,
        now=bench.now,
    )


@router.get("/{plural}/{id}")
def record(
    plural: Plural,
    id: EntityIdPath,
    look: Annotated[RecordParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """A golden record: each value with its source, rule, position and the values that lost."""
    eyes = session.caller.eyes
    with reads.snapshot() as connection:
        row = find_golden(connection, request, DOMAINS[plural], id)
        head = head_of(connection, row, bench)
        lineage = lineage_of_version(connection, id, row.version)
        notice = told(connection, look.done) or proposed(look.proposed)
    attributes = lineage_object(row, lineage, eyes)["attributes"]
    with snapshot(bench.engine) as work:
        held = overrides_of(work, row.entity_id)
    return page(
        "record.html",
        request,
        session=session,
        tab="",
        head=head,
        lineage=attributes,
        held=held,
        notice=notice,
        now=bench.now,
    )


@router.get("/{plural}/{id}/sources")
def sources(
    plural: Plural,
    id: EntityIdPath,
    look: Annotated[PartParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """The source rows side by side, some at a time."""
    eyes, domain = session.caller.eyes, DOMAINS[plural]
    scope = f"sources {id}"
    after = None
    if look.sources is not None:
        after = CrosswalkKey(*map(str, read_cursor(look.sources, scope, (str, str, str))))
    with reads.snapshot() as connection:
        row = find_golden(connection, request, domain, id)
        head = head_of(connection, row, bench)
        found = members_of(connection, id, after, _MEMBERS + 1)
        members = found[:_MEMBERS]
        entities = resolve_references(connection, [(domain, member.attributes) for member in members])
    shown = [source_object(row, member, eyes) for member in members]
    columns = columns_of(domain, [(row.entity_id, member) for member in members], entities, eyes)
    groups = compare(domain, columns)
    return page(
        "sources.html", request, session=session, tab="sources", head=head, sources=shown, columns=columns,
        groups=groups, now=bench.now, look=look,
        following=write_cursor(scope, tuple(members[-1].key)) if len(found) > _MEMBERS else None,
    )  # fmt: skip


@router.get("/customers/{id}/related")
def related(
    id: EntityIdPath,
    look: Annotated[PartParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """Contracts of a customer, and the facts that refer to it, some at a time."""
    eyes = session.caller.eyes
    after, met, scope = None, 0, f"related {id}"
    if look.contracts is not None:
        sort, contract = read_cursor(look.contracts, scope, (int, str))
        after = Place(int(sort), str(contract))
    if look.facts is not None:
        met = int(read_cursor(look.facts, scope, (int,))[0])
    with reads.snapshot() as connection:
        row = find_golden(connection, request, Domain.CUSTOMER, id)
        head = head_of(connection, row, bench)
        of_customer = Filters(customer_names=tuple(names_of(connection, id)))
        contracts = list_golden(connection, Domain.CONTRACT, of_customer, after, _CONTRACTS + 1)
        facts = facts_of(connection, id, None, met, _FACTS + 1)
    more_contracts = write_cursor(scope, tuple(contracts[_CONTRACTS - 1].place)) if len(contracts) > _CONTRACTS else ""
    more_facts = write_cursor(scope, (facts[_FACTS - 1].place,)) if len(facts) > _FACTS else ""
    return page(
        "related.html",
        request,
        session=session,
        tab="related",
        head=head,
        contracts=[record_object(hit.row, {}, eyes) for hit in contracts[:_CONTRACTS]],
        facts=[(fact, show_record(None, fact.attributes, eyes).values) for fact in facts[:_FACTS]],
        look=look,
        more_contracts=more_contracts,
        more_facts=more_facts,
        now=bench.now,
    )


DECISIONS = {
    Decision.READY: ("good", "check", "ready"),
    Decision.READY_WITH_WARNINGS: ("warn", "check", "ready, with warnings"),
    Decision.NEEDS_REVIEW: ("warn", "unsure", "needs review"),
    Decision.BLOCKED: ("bad", "cross", "blocked"),
    Decision.UNVERIFIABLE: ("", "unsure", "cannot be verified"),
}


def head_of(connection: Connection, row: GoldenRow, bench: Workbench) -> dict[str, Any]:
    """What stands above every page about a golden record."""
    entities = resolve_references(connection, [(row.domain, row.values)])
    hanging = hanging_on(connection, [row.entity_id], bench.rules.platforms.erps)
    return {
        "record": record_object(row, entities, bench.eyes),
        "address": record_address(row.entity_id),
        "plural": row.domain.plural,
        "absorbed": absorbed_ids(connection, row.entity_id),
        "waits": open_proposals_about(connection, row.entity_id, bench.now),
        "questions": open_questions(connection, row.entity_id) if row.domain is Domain.CUSTOMER else 0,
        "erp": hanging.erp,
        "owed": hanging.owed,
        "invoices": hanging.invoices,
        "contracts": hanging.contracts,
        # Drawn when the page is, which has given its own connection back by then.
        "readiness": partial(_readiness, bench, row),
        "tabs": [tab for tab in TABS if row.domain is Domain.CUSTOMER or not tab.customers_only],
    }


def _readiness(bench: Workbench, row: GoldenRow) -> tuple[str, str, str] | None:
    """The verdict on a customer: may it be created in ERP?"""
    if row.domain is not Domain.CUSTOMER:
        return None
    drawn = verdicts_on_golden(bench.engine, bench.rules.platforms, [row.entity_id], bench.now)
    return DECISIONS[drawn[0].decision] if drawn else None
