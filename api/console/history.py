"""Time travel: every version of a golden record, any two of them side by side, and how to have one back.

Two clocks: what the hub knew at an instant (`known_at`, a stored version), and what was true in the business by what
was known then (`valid_at`, folded anew from the changes that the platforms made until then).
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, field_validator
from starlette.responses import RedirectResponse

from api.console.diff import segments
from api.console.forms import FormDep
from api.console.guard import SessionDep, needs, signed_in
from api.console.notices import TELLABLE, Notice, outcome, proposed, refused, sentence, told
from api.console.once import FormRoute
from api.console.pages import page
from api.console.records import DOMAINS, Plural, head_of
from api.console.sessions import Session
from api.console.show import label, lines
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from api.lookup import find_golden, find_state
from api.masking import show_values
from api.present import history_objects
from api.routes.parameters import EntityIdPath, Parameters
from mdm.access import Eyes, Permission
from mdm.hub.steward import Expected
from mdm.hub.time_travel import Instant, golden_then
from mdm.model.ids import Domain, EntityId
from mdm.model.stewardship import Restore
from mdm.store.read_models import GoldenRow, golden_known_at, golden_version, golden_versions, told_since
from mdm.store.read_review import decisions_about

router = APIRouter(route_class=FormRoute, prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

_VERSIONS, _DECISIONS = 50, 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class HistoryParameters(Parameters):
    """Which versions to compare, or the instant to go back to."""

    a: int | None = Field(None, ge=1, lt=1 << 31)
    b: int | None = Field(None, ge=1, lt=1 << 31)
    known_at: datetime | None = None
    valid_at: datetime | None = None
    #: The end of a day, counted from 1970, stands for `valid_at`: what the slider sends.
    day: int | None = Field(None, ge=0, lt=1 << 20)
    #: Versions below this one are listed.
    before: int | None = Field(None, ge=1, lt=1 << 31)
    done: int | None = Field(None, ge=0, lt=1 << 62)
    proposed: int | None = Field(None, ge=0, lt=1 << 62)

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("known_at", "valid_at")
    @classmethod
    def _utc(cls, value: datetime | None) -> datetime | None:
        try:
            return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC) if value is not None else None
        except OverflowError as error:
            raise ValueError("is before or after all times that the hub knows") from error

    def of_the_day(self, now: datetime) -> "HistoryParameters":
        """The same, with the instant that a day stands for; a day that is not over ends now."""
        if self.day is None or self.valid_at is not None:
            return self
        over = _EPOCH + timedelta(days=self.day + 1, seconds=-1)
        return self.model_copy(update={"valid_at": min(over, now.astimezone(UTC).replace(microsecond=0))})


@dataclass(frozen=True, slots=True)
class Days:
    """The days through which a record can be followed, counted from 1970, and the one that is shown."""

    first: int
    last: int
    shown: int

    @property
    def date(self) -> date:
        return (_EPOCH + timedelta(days=self.shown)).date()


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a version, or a record computed for an instant, which has no number of its own."""

    row: GoldenRow
    title: str
    version: int | None


@router.get("/{plural}/{id}/history")
def history(
    plural: Plural,
    id: EntityIdPath,
    look: Annotated[HistoryParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """The versions as a timeline."""
    return _history_page(plural, id, look, request, session, bench, reads)


@router.post("/{plural}/{id}/restore", dependencies=[needs(Permission.DECIDE)])
def restore(
    plural: Plural,
    id: EntityIdPath,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Have the values of a version again, as a new version."""
    version, current = form.number("version"), form.number("current")
    expected = Expected.version(EntityId(id), current)
    try:
        command = Restore(EntityId(id), version or 0, form.text("reason"))
        done = bench.decide(command, expected)
    except TELLABLE as error:
        look = HistoryParameters(a=None, b=None, day=None, before=None, done=None, proposed=None)
        return _history_page(plural, id, look, request, session, bench, reads, refused(error), 409)
    return RedirectResponse(f"/console/{plural}/{id}/history?{outcome(done)}", 303)


def _history_page(
    plural: Plural,
    id: str,
    look: HistoryParameters,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    domain = DOMAINS[plural]
    look = look.of_the_day(bench.now)
    with reads.snapshot() as connection:
        find_state(connection, domain, id)
        since = told_since(connection, id)
        row = find_golden(connection, request, domain, id)
        head = head_of(connection, row, bench)
        versions = golden_versions(connection, id, look.before, _VERSIONS + 1)
        decisions = decisions_about(connection, id, _DECISIONS)
        notice = notice or told(connection, look.done) or proposed(look.proposed)
        newest = row.version
        a = golden_version(connection, domain, id, look.a or max(1, newest - 1))
        b = golden_version(connection, domain, id, look.b or newest)
        missing = [asked for asked, found in ((look.a, a), (look.b, b)) if asked is not None and found is None]
        if missing:
            said = " and ".join(f"version {each}" for each in dict.fromkeys(missing))
            notice = Notice(f"There is no {said}. The newest is {newest}.", "bad", "exception")
            a = a or golden_version(connection, domain, id, max(1, newest - 1))
            b = b or golden_version(connection, domain, id, newest)
        known = golden_known_at(connection, domain, id, look.known_at) if look.known_at is not None else None
    then = _then(bench, domain, id, known or row, look) if look.valid_at is not None else _stored(known)
    left = then or _stored(a)
    right = _stored(b)
    return page(
        "history.html",
        request,
        session=session,
        status=status,
        tab="history",
        head=head,
        now=bench.now,
        entries=history_objects(versions, _VERSIONS, bench.eyes),
        left=left,
        right=right,
        compared=_compared(left.row, right.row, bench.eyes) if left is not None and right is not None else None,
        look=look,
        newest=newest,
        days=_days(since, look.valid_at, bench.now),
        then=then,
        earlier=_neighbour(left, -1, newest),
        later=_neighbour(left, 1, newest),
        older=versions[_VERSIONS - 1].version if len(versions) > _VERSIONS else None,
        decisions=[(each, sentence(each)) for each in decisions],
        notice=notice,
    )


def _days(since: datetime | None, shown: datetime | None, now: datetime) -> Days | None:
    """None for a record whose changes are all of today."""
    last = _day(now)
    first = last if since is None else min(_day(since), last)
    return None if first == last else Days(first, last, last if shown is None else min(max(_day(shown), first), last))


def _day(instant: datetime) -> int:
    return (instant - _EPOCH).days


def _stored(row: GoldenRow | None) -> Side | None:
    return Side(row, f"Version {row.version}", row.version) if row is not None else None


def _then(bench: Workbench, domain: Domain, id: str, base: GoldenRow, look: HistoryParameters) -> Side | None:
    """What was true in the business, by what was known; None when no source row existed then."""
    instant = Instant(look.known_at or bench.now, look.valid_at, None)
    found = golden_then(bench.engine, bench.catalogue, bench.rules, domain, id, instant)
    if found is None:
        return None
    row = replace(base, name=found.name, values=found.values, members=len(found.members), ruleset=found.ruleset)
    return Side(row, f"Valid on {look.valid_at:%Y-%m-%d %H:%M}", None)


def _neighbour(side: Side | None, step: int, newest: int) -> int | None:
    """The version before or after the one on the left, to go through them one by one."""
    wanted = side.version + step if side is not None and side.version is not None else 0
    return wanted if 0 < wanted <= newest else None


def _compared(left: GoldenRow, right: GoldenRow, eyes: Eyes) -> list[dict[str, Any]]:
    """Attributes that differ between two versions, letter by letter."""
    before, after = (show_values(each.domain, each.values, eyes).values for each in (left, right))
    found = []
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) == after.get(name):
            continue
        old = [line.text for line in lines(left.domain, name, before.get(name))]
        new = [line.text for line in lines(left.domain, name, after.get(name))]
        found.append(
            {
                "label": label(name),
                "before": [segments(text, new) for text in old],
                "after": [segments(text, old) for text in new],
            }
        )
    return found
