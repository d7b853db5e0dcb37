"""Mapping: which column of which platform fills which attribute, what nothing reads, and if use leads to revenue."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from api.console.beside import beside
from api.console.guard import SessionDep, needs, signed_in, whole_hub
from api.console.pages import page
from api.console.workbench import WorkbenchDep
from api.routes.parameters import Parameters
from mdm.access import Permission
from mdm.errors import NotFound
from mdm.hub.usage_revenue import read_coverage
from mdm.intake.column_coverage import column_coverage, fillings
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain

router = APIRouter(prefix="/console/mapping", include_in_schema=False, dependencies=[Depends(signed_in)])

_DOMAINS = (Domain.CUSTOMER, Domain.CONTRACT, Domain.PRODUCT)
_SHOWN = 200


class ColumnsLook(Parameters):
    """Whether only columns that nothing reads are shown."""

    gaps: Literal["yes"] | None = None


class AttributesLook(ColumnsLook):
    """Of which domain."""

    domain: Domain = Domain.CUSTOMER


@router.get("")
def overview(request: Request, session: SessionDep, bench: WorkbenchDep) -> Response:
    """Every source table: how many of its columns are read, and which are not."""
    tables = [column_coverage(each) for each in bench.catalogue.profiles]
    return page(
        "mapping.html",
        request,
        session=session,
        tables=sorted(tables, key=lambda each: (each.system, each.table)),
        columns=sum(len(each.columns) for each in tables),
        mapped=sum(each.mapped for each in tables),
        bare=[each for each in tables if not each.kind],
    )


@router.get("/attributes")
def attributes(
    look: Annotated[AttributesLook, Query()], request: Request, session: SessionDep, bench: WorkbenchDep
) -> Response:
    """Every attribute of a domain with the columns that fill it."""
    filled = fillings(bench.catalogue.profiles, look.domain)
    rows = [(each, filled[each.name]) for each in ATTRIBUTES[look.domain]]
    return page(
        "mapping_attributes.html",
        request,
        session=session,
        look=look,
        domains=_DOMAINS,
        rows=[row for row in rows if look.gaps is None or not row[1]],
        platforms=sorted({each.system for _, columns in rows for each in columns}),
        gaps=[each.name for each, columns in rows if not columns],
    )


@router.get("/revenue", dependencies=[needs(Permission.INSPECT), Depends(whole_hub)])
def revenue(request: Request, session: SessionDep, bench: WorkbenchDep) -> Response:
    """Active products that do not lead from use to revenue, where their way breaks off, and whose move it is."""
    made = beside(bench.engine, "use to revenue", bench.now, lambda _: read_coverage(bench.pipeline))
    found = made.what if made is not None else None
    missing = [(chain, lack) for chain in found.chains for lack in chain.lacks] if found is not None else []
    return page(
        "mapping_revenue.html",
        request,
        session=session,
        now=bench.now,
        found=found,
        as_of=None if made is None or made.quick else made.at,
        missing=missing[:_SHOWN],
        missed=len(missing),
        rules={lack.step: bench.rules.reconciliation.rules[f"{lack.step.value}_missing"] for _, lack in missing},
    )


@router.get("/{system}/{table}")
def table_page(
    system: str,
    table: str,
    look: Annotated[ColumnsLook, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
) -> Response:
    """One table: each column of its contract with what it is read for."""
    profile = bench.catalogue.profile(system, table)
    if profile is None:
        raise NotFound(f"No contract describes {system}.{table}.", action="The page Mapping lists all tables.")
    found = column_coverage(profile)
    return page(
        "mapping_table.html",
        request,
        session=session,
        look=look,
        found=found,
        contract=profile.contract,
        columns=[each for each in found.columns if look.gaps is None or not each.mapped],
    )
