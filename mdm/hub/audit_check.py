"""The audit chain, looked at part by part by the calendar, so that a broken one is noticed within a day.

Each turn verifies some thousand entries where the last one ended; a round begins anew once a day. A break is remembered
until a whole round has found none.
"""

from datetime import timedelta

from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.store.invariants import audit_breaks
from mdm.store.reading import transient_failures, within

#: Entries of a turn: some tenths of a second.
AT_ONCE = 20_000
_ROUND = timedelta(days=1)


def check_audit(engine: Engine, clock: Clock, at_once: int = AT_ONCE) -> bool:
    """Verify the next part of the chain; returns whether the chain holds as far as is known."""
    now = clock()
    with transient_failures(), engine.begin() as connection, within(connection) as work:
        [(end,)] = work.query("select coalesce(max(seq), 0) from audit")
        known = work.query("select verified_to, broken_at, broken_before, began_at from audit_check for update")
        after, broken, before, began = known[0] if known else (0, None, None, now)
        if after >= end and now - began >= _ROUND:
            # A round is over: what it found stands for what the one before had found.
            after, broken, before, began = 0, None, broken, now
        upto = min(after + at_once, end)
        breaks = list(audit_breaks(work, after, upto)) if upto > after else []
        if broken is None and breaks:
            broken = breaks[0][0]
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
    return broken is None and before is None
