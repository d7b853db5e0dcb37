"""Who looks after findings of reconciliation, and why they are as they are. Nothing of it changes what was found: a
finding goes away when the platforms agree, and an explained one is still in the sums.

Several at once are one unit of work: all of them, or none.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.errors import Conflict, Invalid
from mdm.lifecycle.findings import Finding
from mdm.store import findings as store
from mdm.store.findings import FindingName, name_of
from mdm.store.ledger import write_audit
from mdm.store.scoped import unrestricted
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

_LONGEST = 2_000
#: Findings of one step: each has a row of its own in the audit.
MOST = 1_000


def take(engine: Engine, clock: Clock, findings: Sequence[Finding], actor: str) -> None:
    """Take what nobody has. Taking one's own again changes nothing.

    Raises:
        Invalid: none is meant, or too many.
        Conflict: somebody else has some of it; `hand_over` takes it from them.
    """
    with _settled(engine, clock, findings) as (work, held):
        others = sorted({each for each in held.values() if each not in (None, actor)}, key=str)
        if others:
            raise Conflict(f"{' and '.join(map(str, others))} has it.", action="Ask them, or hand it over to yourself.")
        _give(work, held, actor, actor)


def hand_over(engine: Engine, clock: Clock, findings: Sequence[Finding], assignee: str, actor: str) -> None:
    """Give them to somebody, also away from somebody else.

    Raises:
        Invalid: nobody is named, none is meant, or too many.
    """
    if not assignee.strip() or len(assignee) > 200 or "\0" in assignee:
        raise Invalid("Say to whom it goes.")
    with _settled(engine, clock, findings) as (work, held):
        _give(work, held, assignee.strip(), actor)


def put_down(engine: Engine, clock: Clock, findings: Sequence[Finding], actor: str) -> None:
    """Give them back to everybody.

    Raises:
        Invalid: none is meant, or too many.
    """
    with _settled(engine, clock, findings) as (work, held):
        _give(work, held, None, actor)


def explain(engine: Engine, clock: Clock, findings: Sequence[Finding], reason: str, actor: str) -> None:
    """Say why they are as they are. The explanation holds for what each finding is worth now.

    Raises:
        Invalid: nothing is said, or too much; none is meant, or too many.
    """
    reason = reason.strip()
    if not reason or len(reason) > _LONGEST or "\0" in reason:
        raise Invalid("Say why it is as it is.", action=f"In up to {_LONGEST:,} characters.")
    with _settled(engine, clock, findings) as (work, _):
        for each in findings:
            store.explain(work, each, reason, actor)
            amount = None if each.amount is None else f"{each.amount} {each.currency}"
            _note(work, actor, "explain", name_of(each), {"reason": reason, "amount": amount})


def withdraw(engine: Engine, clock: Clock, findings: Sequence[Finding], actor: str) -> None:
    """Take explanations back.

    Raises:
        Invalid: none is meant, or too many.
    """
    with _settled(engine, clock, findings) as (work, _):
        for each in findings:
            store.explain(work, each, None, actor)
            _note(work, actor, "withdraw explanation", name_of(each), {})


@contextmanager
def _settled(
    engine: Engine, clock: Clock, findings: Sequence[Finding]
) -> Iterator[tuple[UnitOfWork, dict[FindingName, str | None]]]:
    """A unit of work with who has each finding. Whether the actor reaches them was asked before."""
    if not 0 < len(findings) <= MOST:
        raise Invalid("No finding is meant." if not findings else f"At most {MOST:,} findings at once.")
    with unit_of_work(unrestricted(engine), clock, "steward") as work:
        # In the order of their names, so that two who settle the same ones wait for each other.
        yield work, {name: store.assignee_of(work, name) for name in sorted(map(name_of, findings))}


def _give(work: UnitOfWork, held: dict[FindingName, str | None], assignee: str | None, actor: str) -> None:
    act = "put down" if assignee is None else "take" if assignee == actor else "hand over"
    for name, before in held.items():
        if before != assignee:
            store.assign(work, name, assignee)
            _note(work, actor, act, name, {"assignee": assignee})


def _note(work: UnitOfWork, actor: str, act: str, name: FindingName, detail: dict[str, object]) -> None:
    write_audit(work, actor, act, "finding", {"rule": name.rule, "fact": str(name.subject), **detail})
