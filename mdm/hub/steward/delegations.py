"""Who may approve in whose place, and for how long. A delegate never approves their own, nor the owner's, proposals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mdm.access import Permission
from mdm.errors import Invalid, NotFound, Refused
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.workplace import Workplace
from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import UnitOfWork, unit_of_work


@dataclass(frozen=True, slots=True)
class Delegation:
    """One person approves in another's place."""

    delegation_id: int
    owner: str
    role: str
    delegate: str
    reason: str
    since: datetime
    until: datetime
    ended_at: datetime | None


_COLUMNS = "delegation_id, owner, role, delegate, reason, since, until, ended_at"


def delegate(hub: Workplace, actor: Actor, to: str, until: datetime, reason: str = "") -> Delegation:
    """Let somebody approve in the actor's place until a time."""
    actor.must(Permission.APPROVE)
    if not to.strip() or to == actor.name or len(to) > 200 or "\0" in to + reason or len(reason) > 4000:
        raise Invalid("A delegation goes to another person, by name.")
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        if until <= work.now:
            raise Invalid("A delegation ends at a time that is still to come.")
        rows = work.query(
            f"""insert into delegation (owner, role, delegate, reason, since, until)
                values (%s, %s, %s, %s, %s, %s) returning {_COLUMNS}""",
            actor.name, str(actor.role), to, reason, work.now, until,
        )  # fmt: skip
        made = Delegation(*rows[0])
        detail: dict[str, object] = {"to": to, "until": until.isoformat(), "reason": reason}
        write_audit(work, actor.name, "steward.delegate", f"delegation {made.delegation_id}", detail)
    return made


def end_delegation(hub: Workplace, actor: Actor, delegation_id: int) -> None:
    """Take a delegation back before its time.

    Raises:
        NotFound: there is no live one with this number.
        Refused: it is somebody else's.
    """
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        rows = work.query(
            "select owner from delegation where delegation_id = %s and ended_at is null for update", delegation_id
        )
        if not rows:
            raise NotFound(f"There is no live delegation {delegation_id}.")
        if rows[0][0] != actor.name:
            raise Refused("Only who delegated takes a delegation back.")
        work.execute("update delegation set ended_at = %s where delegation_id = %s", work.now, delegation_id)
        write_audit(work, actor.name, "steward.end_delegation", f"delegation {delegation_id}", {})


def delegations(work: UnitOfWork, name: str, now: datetime) -> Sequence[Delegation]:
    """Live delegations from or to a person."""
    rows = work.query(
        f"""select {_COLUMNS} from delegation
            where (owner = %s or delegate = %s) and ended_at is null and until > %s order by delegation_id""",
        name,
        name,
        now,
    )
    return [Delegation(*row) for row in rows]
