"""Data quality with its formulas in sight: how complete, how valid, what was rejected, and examples of what fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup
from sqlalchemy import Connection

from api.console import charts
from api.console.beside import beside
from api.console.guard import SessionDep, needs
from api.console.pages import page
from api.console.show import label
from api.console.workbench import WorkbenchDep
from api.cursors import read_cursor, write_cursor
from api.routes.parameters import Cursor, Parameters
from mdm.access import Permission
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain
from mdm.store import read_quality as read
from mdm.store.read_stewardship import StewardNumbers, decisions_by_day, steward_numbers
from mdm.store.reading import snapshot, within

router = APIRouter(prefix="/console/quality", include_in_schema=False, dependencies=[needs(Permission.INSPECT)])

_DOMAINS = (Domain.CUSTOMER, Domain.CONTRACT, Domain.PRODUCT)
#: Days of decisions that the figures of people are about, and people of a page.
_DAYS, _PEOPLE = 30, 50


@dataclass(frozen=True, slots=True)
class _Measured:
    """The figures of a domain: of its newest records, but for `total`."""

    filled: Sequence[read.Filled]
    identifiers: Sequence[read.IdentifierQuality]
    sources: Sequence[read.SourceQuality]
    rejections: Sequence[read.Rejection]
    past: Sequence[read.Past]
    single: int
    total: int
    most: int


def _measured(domain: Domain, names: Sequence[str], now: datetime, connection: Connection) -> _Measured:
    return _Measured(
        read.filled(connection, domain, names),
        read.identifiers(connection, domain),
        read.sources(connection, domain),
        read.rejections(connection, domain),
        read.trend(connection, domain, now),
        *read.sharing(connection, domain),
    )


class QualityParameters(Parameters):
    """Of which domain."""

    domain: Domain = Domain.CUSTOMER


@router.get("")
def quality(
    look: Annotated[QualityParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
) -> Response:
    names = [attribute.name for attribute in ATTRIBUTES[look.domain]]
    owners = {attribute.name: attribute.owner for attribute in ATTRIBUTES[look.domain]}
    now = bench.now
    made = beside(bench.engine, f"quality of {look.domain}", now, partial(_measured, look.domain, names, now))
    if made is None:
        return page("quality_waits.html", request, session=session, domains=_DOMAINS, domain=look.domain)
    found = made.what
    filled, total, sources, past = found.filled, found.total, found.sources, found.past
    shares = [(each, each.filled / each.of_all if each.of_all else 0.0) for each in filled]
    overall = sum(share for _, share in shares) / len(shares) if shares else 0.0
    return page(
        "quality.html",
        request,
        session=session,
        now=now,
        as_of=None if made.quick else made.at,
        domain=look.domain,
        domains=_DOMAINS,
        filled=shares,
        overall=overall,
        owners=owners,
        identifiers=found.identifiers,
        sources=[(each, *map(_over_time(each), ("accepted", "complete"))) for each in sources],
        rejections=found.rejections,
        single=found.single,
        total=total,
        most=found.most,
        sample=read.SAMPLE,
        trends={name: _trend(label(name), past, [name], 90, 22) for name in names},
        trend=_trend("Completeness", past, names, 420, 60),
        since=past[0].at if past else None,
        trend_sample=read.TREND_SAMPLE,
        chart=charts.bars(
            "Share of golden records that state an attribute",
            [charts.Bar(label(each.name), share, f"{share:.0%}") for each, share in shares],
            width=520,
        ),
    )


def _trend(title: str, past: Sequence[read.Past], names: Sequence[str], width: float, height: float) -> Markup:
    """The mean share of records that stated these attributes, over time, in percent."""
    shares = [round(100 * sum(map(each.share, names)) / len(names), 1) for each in past]
    return charts.sparkline(f"{title}, percent of the newest records over time", shares, width, height, most=100)


def _over_time(table: read.SourceQuality) -> Callable[[str], Markup]:
    """Draws a share of a table's rows, in percent, by when they were last changed."""

    def draw(share: str) -> Markup:
        values = [round(100 * getattr(step, share), 1) for step in table.steps]
        title = f"{table.system} {table.type}, percent {share} by when rows were last changed"
        return charts.sparkline(title, values, 90, 22, most=100)

    return draw


class PeopleParameters(Parameters):
    """Where the page of people before ended."""

    cursor: Cursor | None = None


@router.get("/stewards")
def stewards(
    look: Annotated[PeopleParameters, Query()], request: Request, session: SessionDep, bench: WorkbenchDep
) -> Response:
    """Decisions by person, as `GET /v1/steward-statistics` gives them to the same callers."""
    since = bench.now - timedelta(days=_DAYS)
    scope = "quality of stewards"
    after = None if look.cursor is None else tuple(read_cursor(look.cursor, scope, (int, str)))
    made = beside(bench.engine, "people", bench.now, partial(_people, since, bench.now))
    if made is None:
        return page("quality_waits.html", request, session=session, domains=_DOMAINS, domain=None)
    people = made.what
    with snapshot(bench.engine) as work:
        shown = [each for each in people if after is None or _place(each) > after][: _PEOPLE + 1]
        days = decisions_by_day(work, [each.actor for each in shown[:_PEOPLE]], since, _DAYS)
    return page(
        "quality_stewards.html",
        request,
        session=session,
        now=bench.now,
        as_of=None if made.quick else made.at,
        domains=_DOMAINS,
        days=_DAYS,
        people=shown[:_PEOPLE],
        decisions=sum(each.decisions for each in people),
        undone=sum(each.undone for each in people),
        trends={
            actor: charts.sparkline("Decisions a day", numbers, width=120, height=22) for actor, numbers in days.items()
        },
        following=write_cursor(scope, _place(shown[_PEOPLE - 1])) if len(shown) > _PEOPLE else None,
    )


def _people(since: datetime, now: datetime, connection: Connection) -> Sequence[StewardNumbers]:
    with within(connection) as work:
        return steward_numbers(work, since, now)


def _place(numbers: StewardNumbers) -> tuple[int, str]:
    """Where somebody stands in the list: the busiest first."""
    return -numbers.decisions, numbers.actor
