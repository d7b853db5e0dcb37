"""Signatures under the close of a month: rows in, values out. What may be signed is decided elsewhere."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from mdm.lifecycle.sign_off import Point, SignOff
from mdm.store.unit_of_work import UnitOfWork

_COLUMNS = """sign_off_id, month, points::text, prepared_by, prepared_at, comment, reviewed_by, reviewed_at, review,
    withdrawn_by, withdrawn_at, reason"""


def signatures(work: UnitOfWork, month: str) -> list[SignOff]:
    """All of a month, the newest first."""
    rows = work.query(f"select {_COLUMNS} from close_sign_off where month = %s order by sign_off_id desc", month)
    return [_sign_off(row) for row in rows]


def standing(work: UnitOfWork, month: str, *, lock: bool = False) -> SignOff | None:
    """The one that was not taken back."""
    rows = work.query(
        f"""select {_COLUMNS} from close_sign_off where month = %s and withdrawn_at is null
            {"for update" if lock else ""}""",
        month,
    )
    return _sign_off(rows[0]) if rows else None


def insert(work: UnitOfWork, month: str, points: Sequence[Point], author: str, comment: str) -> int:
    """Note that the close of a month is prepared; returns the number."""
    number: int = work.query(
        """insert into close_sign_off (month, points, prepared_by, prepared_at, comment)
           values (%s, %s, %s, %s, %s) returning sign_off_id""",
        month, orjson.dumps([asdict(each) for each in points]).decode(), author, work.now, comment,
    )[0][0]  # fmt: skip
    return number


def review(work: UnitOfWork, sign_off_id: int, reviewer: str, comment: str) -> None:
    """Note the second signature."""
    work.execute(
        "update close_sign_off set reviewed_by = %s, reviewed_at = %s, review = %s where sign_off_id = %s",
        reviewer, work.now, comment, sign_off_id,
    )  # fmt: skip


def withdraw(work: UnitOfWork, sign_off_id: int, actor: str, reason: str) -> None:
    """Note that it was taken back."""
    work.execute(
        "update close_sign_off set withdrawn_by = %s, withdrawn_at = %s, reason = %s where sign_off_id = %s",
        actor, work.now, reason, sign_off_id,
    )  # fmt: skip


def _sign_off(row: Sequence[Any]) -> SignOff:
    points = tuple(Point(**each) for each in orjson.loads(row[2]))
    return SignOff(row[0], row[1], points, *row[3:])
