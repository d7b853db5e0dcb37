"""Data quality with its formulas in sight: how complete, how valid, what was rejected, and examples of what fails."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.console import charts
from api.console.guard import SessionDep, needs
from api.console.pages import page
from api.console.show import label
from api.console.workbench import WorkbenchDep
from api.deps import ReadsDep
from api.routes.parameters import Parameters
from mdm.access import Permission
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain
from mdm.store import read_quality as read

router = APIRouter(prefix="/console/quality", include_in_schema=False, dependencies=[needs(Permission.INSPECT)])


class QualityParameters(Parameters):
    """Of which domain."""

    domain: Domain = Domain.CUSTOMER


@router.get("")
def quality(
    look: Annotated[QualityParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    names = [attribute.name for attribute in ATTRIBUTES[look.domain]]
    owners = {attribute.name: attribute.owner for attribute in ATTRIBUTES[look.domain]}
    with reads.snapshot() as connection:
        filled = read.filled(connection, look.domain, names)
        identifiers = read.identifiers(connection, look.domain)
        sources = read.sources(connection, look.domain)
        rejections = read.rejections(connection, look.domain)
        single, total, most = read.sharing(connection, look.domain)
    shares = [(each, each.filled / each.of_all if each.of_all else 0.0) for each in filled]
    overall = sum(share for _, share in shares) / len(shares) if shares else 0.0
    return page(
        "quality.html",
        request,
        session=session,
        now=bench.now,
        domain=look.domain,
        domains=[Domain.CUSTOMER, Domain.CONTRACT, Domain.PRODUCT],
        filled=shares,
        overall=overall,
        owners=owners,
        identifiers=identifiers,
        sources=sources,
        rejections=rejections,
        single=single,
        total=total,
        most=most,
        sample=read.SAMPLE,
        chart=charts.bars(
            "Share of golden records that state an attribute",
            [charts.Bar(label(each.name), share, f"{share:.0%}") for each, share in shares],
            width=520,
        ),
    )
