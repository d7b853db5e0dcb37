"""Ends of the audit chain: the entry it ends with now, and the one that it was seen to end with before.

A hash chain tells edits, gaps and another order by itself. That its newest entries were taken away it cannot tell: what
is left is a chain that holds. So the end that was seen is remembered, in the database here, and outside of it by
`mdm.hub.audit_anchor`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import UnitOfWork

#: The action of an entry that says from where on the chain begins anew, after a restore from an older backup.
RESEALED = "audit_resealed"


@dataclass(frozen=True, slots=True)
class End:
    """The newest entry of the chain as it was at some time."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Reseal:
    """Entries after `kept_to`, up to `lost_to`, are not those that were there; somebody says why."""

    seq: int
    at: datetime
    actor: str
    kept_to: int
    lost_to: int
    reason: str

    def excuses(self, seq: int, at: datetime) -> bool:
        """Whether an entry that was there at that time may be another one now, or gone."""
        return self.kept_to < seq <= self.lost_to and at <= self.at


def newest_end(work: UnitOfWork) -> End | None:
    """The entry that the chain ends with; None when there is none."""
    rows = work.query("select seq, hash from audit order by seq desc limit 1")
    return End(rows[0][0], bytes(rows[0][1])) if rows else None


def seen_end(work: UnitOfWork) -> End | None:
    """The newest entry that the calendar saw; None when it has not looked yet."""
    rows = work.query("select end_seq, end_hash from audit_check where end_seq is not null")
    return End(rows[0][0], bytes(rows[0][1])) if rows else None


def cut(work: UnitOfWork) -> Iterator[tuple[int, str]]:
    """What became of the newest entry that the calendar saw, if it is not there any more."""
    seen = seen_end(work)
    if seen is None:
        return
    hashes = hashes_of(work, (seen.seq,))
    if hashes.get(seen.seq) == seen.hash:
        return
    newest = newest_end(work)
    end = newest.seq if newest else 0
    if end < seen.seq:
        yield end + 1, f"rows {end + 1} to {seen.seq} were there when the chain was last looked at, and are gone"
    elif seen.seq in hashes:
        yield seen.seq, "is another row than the one that was there when the chain was last looked at"
    else:
        yield seen.seq, "was there when the chain was last looked at, and is gone"


def hashes_of(work: UnitOfWork, seqs: Sequence[int]) -> Mapping[int, bytes]:
    """The stored hashes of those of these entries that are there."""
    return {seq: bytes(hash_) for seq, hash_ in work.query("select seq, hash from audit where seq = any(%s)", [*seqs])}


def reseals(work: UnitOfWork) -> Sequence[Reseal]:
    """Every time that somebody said from where on the chain begins anew, the oldest first."""
    rows = work.query(
        """select a.seq, a.at, a.actor, a.detail ->> 'kept_to', a.detail ->> 'lost_to', coalesce(m.text, '')
           from audit a left join audit_remark m on m.seq = a.seq and m.name = 'reason'
           where a.action = %s order by a.seq""",
        RESEALED,
    )
    return [Reseal(seq, at, actor, int(kept), int(lost), reason) for seq, at, actor, kept, lost, reason in rows]


def reseal(work: UnitOfWork, actor: str, kept_to: int, lost_to: int, reason: str) -> None:
    """Say in the chain that entries after `kept_to`, up to `lost_to`, are lost; the end that was seen is forgotten."""
    detail = {"kept_to": kept_to, "lost_to": lost_to, "reason": reason}
    write_audit(work, actor, RESEALED, "audit", detail)
    work.execute(
        """update audit_check set end_seq = null, end_hash = null, verified_to = 0, began_at = %s,
               broken_before = coalesce(broken_at, broken_before), broken_at = null""",
        work.now,
    )
