"""The audit chain, looked at part by part by the calendar, so that a broken one is noticed within a day.

Each turn verifies some thousand entries where the last one ended; a round begins anew once a day. A break is remembered
until a whole round has found none. Each turn also remembers the newest entry, with its hash, and looks whether the one
of the turn before is still there: entries that were taken from the end are noticed within a minute.
"""

from datetime import timedelta

from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.store.audit_ends import cut, newest_end
from mdm.store.invariants import audit_breaks
from mdm.store.reading import transient_failures, within

#: Entries of a turn: some tenths of a second.
AT_ONCE = 20_000
_ROUND = timedelta(days=1)


def check_audit(engine: Engine, clock: Clock, at_once: int = AT_ONCE) -> bool:
    """Verify the next part of the chain and its end; returns whether the chain holds as far as is known."""
    now = clock()
    with transient_failures(), engine.begin() as connection, within(connection) as work:
        known = work.query("select verified_to, broken_at, broken_before, began_at from audit_check for update")
        newest = newest_end(work)
        end = newest.seq if newest else 0
        after, broken, before, began = known[0] if known else (0, None, None, now)
        if after >= end and now - began >= _ROUND:
            # A round is over: what it found stands for what the one before had found.
            after, broken, before, began = 0, None, broken, now
        upto = min(after + at_once, end)
        gone = list(cut(work))
        breaks = [*gone, *(audit_breaks(work, after, upto) if upto > after else ())]
        if broken is None and breaks:
            broken = min(seq for seq, _ in breaks)
        if upto >= end:
            before = None
        work.execute(
            """insert into audit_check as c (one, verified_to, broken_at, broken_before, began_at, verified_at)
               values (true, %s, %s, %s, %s, %s)
               on conflict (one) do update set verified_to = excluded.verified_to, broken_at = excluded.broken_at,
                   broken_before = excluded.broken_before, began_at = excluded.began_at,
                   verified_at = excluded.verified_at""",
            upto, broken, before, began, now,
        )  # fmt: skip
        if newest is not None and not gone:
            work.execute("update audit_check set end_seq = %s, end_hash = %s", newest.seq, newest.hash)
    return broken is None and before is None


def note_break(engine: Engine, seq: int) -> None:
    """Remember that the chain does not hold at an entry, found by whoever holds it against something outside."""
    with transient_failures(), engine.begin() as connection, within(connection) as work:
        work.execute("update audit_check set broken_at = least(broken_at, %s)", seq)
