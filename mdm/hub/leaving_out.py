"""Refused messages of the last tiers are left out by and by: best effort, and nobody need look. Never in tier 1.

What is left out is discarded like anything else: kept whole, audited, opened again by `mdm exceptions reopen`.
"""

from functools import partial

from mdm.hub.letting_go import HUB
from mdm.hub.process import Pipeline
from mdm.hub.rehearsal import perform
from mdm.store import letters
from mdm.store.held import overdue
from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import UnitOfWork

#: Messages closed in one unit of work.
_BATCH = 1000


def leave_out_due(pipeline: Pipeline) -> int:
    """Discard what nobody has dealt with within the days that the policy of its tier gives; returns how many.

    Raises:
        TransientError: the database failed; what was committed stays.
    """
    done = 0
    for tier in pipeline.catalogue.tiers.tiers.values():
        days = tier.skipped_after
        if days is None:
            continue
        reason = f"Nobody dealt with it within {days} days, and the policy of tier {tier.number} then leaves it out."
        act = partial(_close, tier.number, days, reason)
        while closed := perform(pipeline.engine, pipeline.clock, "skip", act):
            done += closed
    return done


def _close(tier: int, days: int, reason: str, work: UnitOfWork) -> int:
    ids = overdue(work, tier, days, _BATCH)
    if ids:
        letters.discard(work, ids, HUB, reason)
        write_audit(work, HUB, "discard", "dead letters", {"dead_letters": ids, "reason": reason})
    return len(ids)
