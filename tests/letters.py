"""Refused messages written straight into the tables, with the groups that they are in."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, insert

from mdm.clock import system_clock
from mdm.store import letter_groups
from mdm.store.tables import dead_letter
from mdm.store.unit_of_work import unit_of_work


def refuse(engine: Engine, *messages: dict[str, Any]) -> list[int]:
    """Open dead letters, each from what is said of it; all else is neutral. Returns their numbers."""
    neutral = {
        "topic": "t", "partition": 0, "timestamp_ms": 0, "headers": [], "code": "VALUE_TYPE", "reason": "no",
        "action": "Look at it.", "owner": "Sales",
    }  # fmt: skip
    with engine.begin() as connection:
        rows = [neutral | each for each in messages]
        ids = [
            connection.execute(insert(dead_letter).values(**each).returning(dead_letter.c.dead_letter_id)).scalar_one()
            for each in rows
        ]
    regroup(engine, ids)
    return ids


def regroup(engine: Engine, ids: Sequence[int]) -> None:
    """The groups learn of dead letters that were added behind their back."""
    with unit_of_work(engine, system_clock, "test") as work:
        letter_groups.tell(work, [], letter_groups.open_among(work, ids))
