"""Dead letters come to an end: mended, replayed, or discarded with a reason. So do other exceptions.

Replay takes a message in with the contracts as they are now, in its place in its row's history: later events of the
same row have gone on meanwhile and keep their precedence by source position.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine, text

from mdm.clock import Clock
from mdm.errors import Conflict, NotFound, OperatorError
from mdm.hub.letting_go import go_on, let_go
from mdm.hub.process import BatchReport, Pipeline, replay_in
from mdm.hub.rehearsal import perform, rehearse
from mdm.model.effects import GoldenEffect
from mdm.model.stewardship import Discard
from mdm.store import letters
from mdm.store.effects import golden_effects
from mdm.store.ledger import headers_json, write_audit
from mdm.store.read_exceptions import CONDITION, Selection
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

__all__ = [
    "Mended",
    "Replayed",
    "Selection",
    "accept_exception",
    "fix_dead_letter",
    "letters_meant",
    "reopen_dead_letters",
    "replay_dead_letters",
    "resolve_exception",
    "to_discard",
    "try_fix",
    "try_replay",
]

T = TypeVar("T")

#: Dead letters replayed in one unit of work.
_BATCH = 1000

_MEANT = f"select d.dead_letter_id from dead_letter d where d.status = 'open' and {CONDITION} order by 1"
NONE_OPEN = "`mdm exceptions list` shows the open ones."


@dataclass(frozen=True, slots=True)
class Mended:
    """A message as a person mended it. What is None stays as it came."""

    value: bytes | None = None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of dead letters that were fed again, and what that did to golden records."""

    report: BatchReport
    effects: tuple[GoldenEffect, ...]


def replay_dead_letters(pipeline: Pipeline, selection: Selection, actor: str) -> Replayed:
    """Feed open dead letters again, oldest offset first, with the contracts as they are now.

    A mended one is fed as mended. What is refused again stays open, with the reason of this time. What waited for one
    of them goes on.

    Raises:
        NotFound: no open dead letter is meant.
    """
    total, effects = BatchReport(), list[GoldenEffect]()
    ids = letters_meant(pipeline.engine, selection)
    for start in range(0, len(ids), _BATCH):
        done = perform(
            pipeline.engine, pipeline.clock, "replay", _replaying(pipeline, ids[start : start + _BATCH], actor)
        )
        total.add(done.report)
        effects.extend(done.effects)
    report, more = let_go(pipeline, actor)
    total.add(report)
    return Replayed(total, (*effects, *more))


def try_replay(pipeline: Pipeline, selection: Selection, actor: str) -> Replayed:
    """What `replay_dead_letters` would do; nothing of it stays.

    Raises:
        NotFound: no open dead letter is meant.
    """
    ids = letters_meant(pipeline.engine, selection)
    return rehearse(pipeline.engine, pipeline.clock, "replay", _replaying(pipeline, ids, actor, followed=True))


def fix_dead_letter(
    pipeline: Pipeline, dead_letter_id: int, mended: Mended, reason: str, actor: str, *, replay: bool = True
) -> Replayed | None:
    """Mend one message and, unless told otherwise, feed it again; both in one unit of work.

    The original stays as it came; who mended it and why is audited. Mending again is fine: the newest counts.

    Raises:
        OperatorError: no reason is given.
        NotFound: there is no such dead letter.
        Conflict: it is closed already.
    """
    act = _fixing(pipeline, dead_letter_id, mended, _given(reason, "Mending"), actor, replay=replay)
    done = perform(pipeline.engine, pipeline.clock, "fix", act)
    if done is None:
        return None
    report, more = let_go(pipeline, actor)
    done.report.add(report)
    return Replayed(done.report, (*done.effects, *more))


def try_fix(pipeline: Pipeline, dead_letter_id: int, mended: Mended, actor: str) -> Replayed:
    """What mending and replaying would do; nothing of it stays. Raises as `fix_dead_letter`."""
    act = _fixing(pipeline, dead_letter_id, mended, "rehearsal", actor, replay=True, followed=True)
    found = rehearse(pipeline.engine, pipeline.clock, "fix", act)
    assert found is not None
    return found


def to_discard(engine: Engine, selection: Selection, reason: str) -> Discard:
    """The command that closes the open dead letters of a selection for good (`mdm.hub.steward.decide`).

    Raises:
        OperatorError: no reason is given, or no condition: everything at once is never meant.
        NotFound: no open dead letter is meant.
    """
    reason = _given(reason, "Discarding")
    if selection.everything:
        raise OperatorError("Discarding needs a condition.", action="Name ids, a code, a topic or one like them.")
    return Discard(tuple(letters_meant(engine, selection)), reason)


def reopen_dead_letters(engine: Engine, clock: Clock, ids: Sequence[int], reason: str, actor: str) -> int:
    """Take a discard back: the letters are open again. Returns how many.

    Raises:
        OperatorError: no reason is given.
        NotFound: none of the ids is a discarded dead letter.
    """
    reason = _given(reason, "Reopening")
    with unit_of_work(engine, clock, "reopen") as work:
        opened = letters.reopen(work, ids)
        if not opened:
            raise NotFound(
                "None of these is a discarded dead letter.", action="`mdm exceptions list --status discarded` has them."
            )
        detail = {"dead_letters": opened, "reason": reason}
        write_audit(work, actor, "reopen", "dead letters", detail)
    return len(opened)


def resolve_exception(engine: Engine, clock: Clock, exception_id: int, reason: str, actor: str) -> None:
    """Close an exception whose cause is mended; it opens again by itself when it is seen again.

    Raises:
        OperatorError: no reason is given.
        NotFound: there is no such open exception.
    """
    _close_exception(engine, clock, exception_id, "resolved", _given(reason, "Resolving"), actor)


def accept_exception(engine: Engine, clock: Clock, exception_id: int, reason: str, actor: str) -> None:
    """Close an exception that may stay as it is; it is counted on, and does not open again. Raises as above."""
    _close_exception(engine, clock, exception_id, "accepted", _given(reason, "Accepting"), actor)


def _close_exception(engine: Engine, clock: Clock, exception_id: int, status: str, reason: str, actor: str) -> None:
    with unit_of_work(engine, clock, "exception") as work:
        closed = work.query(
            """update exception set status = %s, closed_at = %s, closed_by = %s, closed_reason = %s
               where exception_id = %s and status = 'open' returning question""",
            status, work.now, actor, reason, exception_id,
        )  # fmt: skip
        if not closed:
            raise NotFound(f"There is no open exception {exception_id}.", action=NONE_OPEN)
        write_audit(work, actor, status, closed[0][0], {"exception": exception_id, "reason": reason})


def _given(reason: str, what: str) -> str:
    if not reason.strip():
        raise OperatorError(f"{what} needs a reason.", action="Say why with --reason; the audit keeps it.")
    return reason.strip()


def letters_meant(engine: Engine, selection: Selection) -> list[int]:
    """The open dead letters of a selection.

    Raises:
        NotFound: there are none.
    """
    with engine.connect() as connection:
        ids = list(connection.scalars(text(_MEANT), selection.parameters()))
    if not ids:
        raise NotFound("No open dead letter fits.", action=NONE_OPEN)
    return ids


def _replaying(
    pipeline: Pipeline, ids: Sequence[int], actor: str, *, followed: bool = False
) -> Callable[[UnitOfWork], Replayed]:
    def act(work: UnitOfWork) -> Replayed:
        # Read inside the unit of work: somebody else may have closed some of them meanwhile.
        messages = letters.messages_of(work, ids)
        report = replay_in(pipeline, work, messages, actor) if messages else BatchReport()
        if followed:
            report.add(go_on(pipeline, work, actor))
        return Replayed(report, golden_effects(work))

    return act


def _fixing(
    pipeline: Pipeline,
    dead_letter_id: int,
    mended: Mended,
    reason: str,
    actor: str,
    *,
    replay: bool,
    followed: bool = False,
) -> Callable[[UnitOfWork], Replayed | None]:
    def act(work: UnitOfWork) -> Replayed | None:
        status = work.query("select status from dead_letter where dead_letter_id = %s for update", dead_letter_id)
        if not status:
            raise NotFound(f"There is no dead letter {dead_letter_id}.", action=NONE_OPEN)
        if status[0][0] != "open":
            raise Conflict(
                f"Dead letter {dead_letter_id} is {status[0][0]} already.", action="Reopen it first, if it must be."
            )
        (before,) = letters.messages_of(work, [dead_letter_id])
        work.execute(
            """insert into dead_letter_fix (dead_letter_id, headers, key, value, author, reason, created_at)
               values (%s, %s, %s, %s, %s, %s, %s)""",
            dead_letter_id,
            headers_json(before.headers if mended.headers is None else mended.headers),
            before.key if mended.key is None else mended.key,
            before.value if mended.value is None else mended.value,
            actor,
            reason,
            work.now,
        )
        write_audit(work, actor, "fix", f"dead letter {before.place}", {"reason": reason, "parts": _parts(mended)})
        return _replaying(pipeline, [dead_letter_id], actor, followed=followed)(work) if replay else None

    return act


def _parts(mended: Mended) -> list[str]:
    return [name for name in ("headers", "key", "value") if getattr(mended, name) is not None]
