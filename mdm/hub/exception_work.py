"""Who looks after what could not be processed: taken, handed over, put down. Nothing of it changes what was refused.

Whoever takes the dead letters of a kind is given those that come of it later, until none of them is open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.errors import Conflict, Invalid, NotFound
from mdm.hub.exceptions import NONE_OPEN, letters_meant
from mdm.store import letters
from mdm.store.ledger import write_audit
from mdm.store.read_exceptions import Selection
from mdm.store.unit_of_work import UnitOfWork, unit_of_work


@dataclass(frozen=True, slots=True)
class OneException:
    """An exception, by its number."""

    exception_id: int


#: What somebody looks after: dead letters, or an exception.
Matters: TypeAlias = Selection | OneException


class _Act(StrEnum):
    TAKE = "take"
    HAND_OVER = "hand over"
    PUT_DOWN = "put down"


def take(engine: Engine, clock: Clock, matters: Matters, actor: str) -> int:
    """Take what nobody has. Taking one's own again changes nothing. Returns how many are the actor's now.

    Raises:
        NotFound: nothing open is meant.
        Conflict: somebody else has some of it; `hand_over` takes it from them.
    """
    return _settle(engine, clock, matters, _Act.TAKE, actor, actor)


def hand_over(engine: Engine, clock: Clock, matters: Matters, assignee: str, actor: str) -> int:
    """Give it to somebody, also away from somebody else. Returns how many are theirs now.

    Raises:
        Invalid: nobody is named.
        NotFound: nothing open is meant.
    """
    if not assignee.strip() or len(assignee) > 200 or "\0" in assignee:
        raise Invalid("Say to whom it goes.")
    return _settle(engine, clock, matters, _Act.HAND_OVER, assignee.strip(), actor)


def put_down(engine: Engine, clock: Clock, matters: Matters, actor: str) -> int:
    """Give it back to everybody. Returns how many are nobody's now.

    Raises:
        NotFound: nothing open is meant.
    """
    return _settle(engine, clock, matters, _Act.PUT_DOWN, None, actor)


def _settle(engine: Engine, clock: Clock, matters: Matters, act: _Act, assignee: str | None, actor: str) -> int:
    if isinstance(matters, OneException):
        table, key, what, ids = "exception", "exception_id", "exception", [matters.exception_id]
    else:
        table, key, what, ids = "dead_letter", "dead_letter_id", "dead letters", letters_meant(engine, matters)
    with unit_of_work(engine, clock, "exception") as work:
        # In the order of their numbers, so that two who take the same wait for each other.
        found = work.query(
            f"select {key}, assignee from {table} where {key} = any(%s) and status = 'open' order by 1 for update", ids
        )
        if not found:
            raise NotFound("None of it is open any more.", action=NONE_OPEN)
        _unless_taken(act, found, actor)
        changed = [row[0] for row in found if row[1] != assignee]
        if changed:
            if table == "dead_letter":
                letters.give(work, changed, assignee)
            else:
                work.execute("update exception set assignee = %s where exception_id = any(%s)", assignee, changed)
            _note(work, act, what, changed, assignee, actor)
        return len(found)


def _unless_taken(act: _Act, found: Sequence[Sequence[object]], actor: str) -> None:
    others = sorted({str(row[1]) for row in found} - {actor, "None"}) if act is _Act.TAKE else []
    if others:
        raise Conflict(f"{' and '.join(others)} has it.", action="Ask them, or hand it over to yourself.")


def _note(work: UnitOfWork, act: _Act, what: str, ids: list[int], assignee: str | None, actor: str) -> None:
    detail: dict[str, object] = {"exception" if what == "exception" else "dead_letters": ids, "assignee": assignee}
    write_audit(work, actor, str(act), what, detail)
