"""Use cases of the close: what is to be in order, prepare, review, take back. Signing is one unit of work with an audit
row; console, API and command line sign here.

The checklist is about the whole hub, so nobody signs it whose scope reaches part of it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

from sqlalchemy import Engine

from mdm.access import Permission
from mdm.clock import Clock
from mdm.errors import Invalid
from mdm.hub.reach import must_reach_all
from mdm.hub.reconcile import Reconciliation
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.workplace import Workplace
from mdm.lifecycle.close import Close, Item, Surroundings, checklist, close_of, current_close
from mdm.lifecycle.impact import Sited, site
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.sign_off import Point, SignOff, check_prepare, check_review, check_withdraw, points_of
from mdm.store import closing as store
from mdm.store import read_console
from mdm.store.ledger import write_audit
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

_WHAT = "The books of a month"


@dataclass(frozen=True, slots=True)
class Books:
    """A month as it is now: the checklist of its close, and every finding by the books it belongs to."""

    close: Close
    items: tuple[Item, ...]
    sited: tuple[Sited, ...]

    @property
    def points(self) -> tuple[Point, ...]:
        """The checklist as it is signed."""
        return points_of(self.items)


class Looks(Protocol):
    """Where the checklist is read: a workplace, or a hub that is only read."""

    @property
    def engine(self) -> Engine: ...

    @property
    def clock(self) -> Clock: ...


@dataclass(frozen=True, slots=True)
class Readiness:
    """How the close of a month stands: days until it is due, and points of its checklist that nobody has signed for."""

    month: str
    days_left: int
    open_points: int


def readiness(hub: Looks, found: Reconciliation, policy: Policy) -> Readiness:
    """Of the month that is being closed. Once two persons have signed it, no point is open: they said why.

    Deadlines of questions come with their ranks, as far as somebody has ranked them.
    """
    today = hub.clock().date()
    close = close_named(None, today, policy)
    with snapshot(hub.engine) as work:
        signed = store.standing(work, close.month)
    reviewed = signed is not None and signed.reviewed_by is not None
    points = () if reviewed else books_of(hub, close, found).items
    return Readiness(close.month, close.days_left(today), sum(not item.done for item in points))


def close_named(month: str | None, today: date, policy: Policy) -> Close:
    """The close of a month written like 2026-10; without one, of the month that is being closed.

    The policy says on which business day books are closed.

    Raises:
        Invalid: that is no month.
    """
    if month is None:
        return current_close(today, policy.close_on)
    if re.fullmatch(r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])", month) is None or month > "9998-12":
        raise Invalid(f"{month!r} is no month.", action="Write it as year and month, like 2026-10.")
    return close_of(month, policy.close_on)


def books_of(hub: Looks, close: Close, found: Reconciliation) -> Books:
    """What the close of a month asks now, by what reconciliation found and what waits in the hub.

    Deadlines of questions come with their ranks: rank new ones before.
    """
    now = hub.clock()
    sited = site(found.findings, found.books, f"{found.as_of:%Y-%m}")
    with hub.engine.connect() as connection:
        waits = read_console.waiting_work(connection, now)
        around = Surroundings(
            silent=_silent(read_console.platforms(connection), close, now),
            refused=waits.letters,
            gaps=waits.gaps,
            overdue=read_console.overdue(connection, now),
            proposals=waits.proposals,
            counted_to=read_console.MOST_ADDED,
        )
    return Books(close, tuple(checklist(close, sited, around)), tuple(sited))


def signatures(hub: Workplace, month: str) -> list[SignOff]:
    """What was signed for a month and what of it was taken back, the newest first."""
    with snapshot(hub.engine) as work:
        return store.signatures(work, month)


def prepare(hub: Workplace, actor: Actor, close: Close, points: Sequence[Point], comment: str) -> None:
    """Sign the checklist of a month as it is. Raises as `check_prepare`, and Refused."""
    _may(hub, actor, Permission.CONFIRM)
    with unit_of_work(hub.engine, hub.clock, "close") as work:
        check_prepare(store.standing(work, close.month), close, points, comment, work.now.date())
        store.insert(work, close.month, points, actor.name, comment)
        _audit(work, actor, "close.prepare", close, points, comment)


def review(hub: Workplace, actor: Actor, close: Close, points: Sequence[Point], comment: str) -> None:
    """Sign as the second person: the month is closed. Raises as `check_review`, and Refused."""
    _may(hub, actor, Permission.APPROVE)
    with unit_of_work(hub.engine, hub.clock, "close") as work:
        signed = check_review(store.standing(work, close.month, lock=True), close, points, actor.name, comment)
        store.review(work, signed.sign_off_id, actor.name, comment)
        _audit(work, actor, "close.review", close, points, comment)


def withdraw(hub: Workplace, actor: Actor, close: Close, reason: str) -> None:
    """Take the signatures of a month back: it is open again. Raises as `check_withdraw`, and Refused."""
    _may(hub, actor, Permission.CONFIRM)
    with unit_of_work(hub.engine, hub.clock, "close") as work:
        signed = check_withdraw(store.standing(work, close.month, lock=True), close, reason)
        store.withdraw(work, signed.sign_off_id, actor.name, reason)
        _audit(work, actor, "close.withdraw", close, signed.points, reason)


def _may(hub: Workplace, actor: Actor, permission: Permission) -> None:
    actor.must(permission)
    must_reach_all(hub.engine, _WHAT)


def _audit(work: UnitOfWork, actor: Actor, action: str, close: Close, points: Sequence[Point], comment: str) -> None:
    open_ = {each.title: each.open for each in points if each.open}
    write_audit(work, actor.name, action, f"close {close.month}", {"open": open_, "comment": comment})


def _silent(platforms: Sequence[dict[str, Any]], close: Close, now: datetime) -> list[str]:
    """Platforms of which nothing newer than the end of the month is known; of a running month, than yesterday."""
    end = min(datetime.combine(close.last, time.max, UTC), now - timedelta(days=1))
    return [each["system"] for each in platforms if each["newest_event"] is None or each["newest_event"] < end]
