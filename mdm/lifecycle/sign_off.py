"""Signing the close of a month off: one person prepares it, another reviews it, either takes it back with a reason.

Pure: what the checklist says comes from outside, and is kept with the signature. Points may be open; then whoever
signs says why the month is closed all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from mdm.errors import Conflict, Invalid, Refused
from mdm.lifecycle.close import Close, Item

MAX_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Point:
    """A line of the checklist as it was signed: how many were open, and amounts by currency as decimal text."""

    title: str
    open: int
    amounts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SignOff:
    """What was signed for a month, by whom, and whether it was taken back."""

    sign_off_id: int
    month: str
    points: tuple[Point, ...]
    prepared_by: str
    prepared_at: datetime
    comment: str
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    review: str = ""
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None
    reason: str = ""

    @property
    def stands(self) -> bool:
        return self.withdrawn_at is None


def points_of(items: Sequence[Item]) -> tuple[Point, ...]:
    """The checklist as it is signed."""
    return tuple(
        Point(each.title, each.open, {currency: str(sum_) for currency, sum_ in sorted(each.amounts.items())})
        for each in items
    )


def changed_since(signed: Sequence[Point], now: Sequence[Point]) -> list[tuple[str, int, int]]:
    """Points whose number of open ones is another now, or whose amounts are: title, open then, open now."""
    then = {each.title: each for each in signed}
    today = {each.title: each for each in now}
    nothing = Point("", 0, {})
    titles = [*then, *(title for title in today if title not in then)]
    return [
        (title, then.get(title, nothing).open, today.get(title, nothing).open)
        for title in titles
        if (then.get(title, nothing).open, then.get(title, nothing).amounts)
        != (today.get(title, nothing).open, today.get(title, nothing).amounts)
    ]


def check_prepare(standing: SignOff | None, close: Close, points: Sequence[Point], comment: str, today: date) -> None:
    """Raises what stands against preparing the close of a month.

    Raises:
        Conflict: it is prepared already, or the month is not over.
        Invalid: points are open and nothing is said about them.
    """
    if standing is not None:
        raise Conflict(
            f"The close of {close.month} was prepared by {standing.prepared_by}.",
            action="Review it, or take it back first.",
        )
    if today <= close.last:
        raise Conflict(f"{close.month} is not over.", action=f"Prepare its close after {close.last.isoformat()}.")
    open_ = sum(each.open > 0 for each in points)
    if open_ and not comment.strip():
        raise Invalid(
            f"{open_} point{' is' if open_ == 1 else 's are'} open.",
            action="Settle them, or say why the month is closed all the same.",
        )
    _check_text(comment)


def against_reviewing(standing: SignOff, reviewer: str) -> Refused | None:
    """What keeps somebody from reviewing what was prepared: they prepared it."""
    if standing.prepared_by != reviewer:
        return None
    return Refused("Nobody reviews the close that they prepared.", action="Ask somebody else to look at it.")


def check_review(
    standing: SignOff | None, close: Close, points: Sequence[Point], reviewer: str, comment: str
) -> SignOff:
    """What is reviewed.

    Raises:
        Conflict: nothing was prepared, it is reviewed already, or the checklist says something else by now.
        Refused: the reviewer prepared it.
    """
    if standing is None:
        raise Conflict(f"The close of {close.month} is not prepared.", action="Have somebody prepare it first.")
    if standing.reviewed_by is not None:
        raise Conflict(f"The close of {close.month} was reviewed by {standing.reviewed_by}.")
    if (against := against_reviewing(standing, reviewer)) is not None:
        raise against
    changed = changed_since(standing.points, points)
    if changed:
        title, then, now = changed[0]
        raise Conflict(
            f"The checklist has changed since it was prepared: {title} ({then} open then, {now} now).",
            action="Take it back and prepare it again.",
        )
    _check_text(comment)
    return standing


def check_withdraw(standing: SignOff | None, close: Close, reason: str) -> SignOff:
    """What is taken back.

    Raises:
        Conflict: nothing stands.
        Invalid: no reason is given.
    """
    if standing is None:
        raise Conflict(f"Nothing was signed for {close.month}.")
    if not reason.strip():
        raise Invalid("A signature is taken back with a reason.", action="Say in a sentence what was found.")
    _check_text(reason)
    return standing


def _check_text(text: str) -> None:
    if len(text) > MAX_TEXT or "\0" in text:
        raise Invalid(f"A comment is text of at most {MAX_TEXT} characters.")
