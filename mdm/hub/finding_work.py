"""Who looks after a finding of reconciliation, and why it is as it is. Nothing of it changes what was found: a finding
goes away when the platforms agree, and an explained one is still in the sums.
"""

from collections.abc import Iterator
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


def take(engine: Engine, clock: Clock, finding: Finding, actor: str) -> None:
    """Take what nobody has. Taking one's own again changes nothing.

    Raises:
        Conflict: somebody else has it; `hand_over` takes it from them.
    """
    with _settled(engine, clock, finding) as (work, name, before):
        if before not in (None, actor):
            raise Conflict(f"{before} has it.", action="Ask them, or hand it over to yourself.")
        _give(work, name, before, actor, actor)


def hand_over(engine: Engine, clock: Clock, finding: Finding, assignee: str, actor: str) -> None:
    """Give it to somebody, also away from somebody else.

    Raises:
        Invalid: nobody is named.
    """
    if not assignee.strip() or len(assignee) > 200 or "\0" in assignee:
        raise Invalid("Say to whom it goes.")
    with _settled(engine, clock, finding) as (work, name, before):
        _give(work, name, before, assignee.strip(), actor)


def put_down(engine: Engine, clock: Clock, finding: Finding, actor: str) -> None:
    """Give it back to everybody."""
    with _settled(engine, clock, finding) as (work, name, before):
        _give(work, name, before, None, actor)


def explain(engine: Engine, clock: Clock, finding: Finding, reason: str, actor: str) -> None:
    """Say why it is as it is. The explanation holds for what the finding is worth now.

    Raises:
        Invalid: nothing is said, or too much.
    """
    reason = reason.strip()
    if not reason or len(reason) > _LONGEST or "\0" in reason:
        raise Invalid("Say why it is as it is.", action=f"In up to {_LONGEST:,} characters.")
    with _settled(engine, clock, finding) as (work, name, _):
        store.explain(work, finding, reason, actor)
        amount = None if finding.amount is None else f"{finding.amount} {finding.currency}"
        _note(work, actor, "explain", name, {"reason": reason, "amount": amount})


def withdraw(engine: Engine, clock: Clock, finding: Finding, actor: str) -> None:
    """Take an explanation back."""
    with _settled(engine, clock, finding) as (work, name, _):
        store.explain(work, finding, None, actor)
        _note(work, actor, "withdraw explanation", name, {})


@contextmanager
def _settled(engine: Engine, clock: Clock, finding: Finding) -> Iterator[tuple[UnitOfWork, FindingName, str | None]]:
    """A unit of work with the finding's name and who has it. Whether the actor reaches it was asked before."""
    with unit_of_work(unrestricted(engine), clock, "steward") as work:
        name = name_of(finding)
        yield work, name, store.assignee_of(work, name)


def _give(work: UnitOfWork, name: FindingName, before: str | None, assignee: str | None, actor: str) -> None:
    if before != assignee:
        store.assign(work, name, assignee)
        act = "put down" if assignee is None else "take" if assignee == actor else "hand over"
        _note(work, actor, act, name, {"assignee": assignee})


def _note(work: UnitOfWork, actor: str, act: str, name: FindingName, detail: dict[str, object]) -> None:
    write_audit(work, actor, act, "finding", {"rule": name.rule, "fact": str(name.subject), **detail})
