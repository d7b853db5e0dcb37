"""Verdicts are pushed: whoever relies on one hears when it changes, because the record changed or evidence expired.

The last verdict on each golden customer is kept per target. A run looks only at customers whose golden version, rule
set or evidence is not what the last verdict saw, and announces those whose decision or findings are others now.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from mdm.clock import Clock
from mdm.hub.onboarding import Aim, verdict_on_golden
from mdm.model.delta import Announcement
from mdm.model.digest import sha256_of
from mdm.model.ids import Domain, EntityId
from mdm.onboarding.ruleset import RuleSet, shipped_ruleset
from mdm.onboarding.verdict import Outcome, Verdict, canonical_bytes
from mdm.store.identity import write_announcements
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

#: Customers judged between two commits; an interrupted run goes on behind the last one.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Rechecked:
    """How many verdicts were made anew, and how many of them are others than before."""

    judged: int
    changed: int


def recheck(
    engine: Engine,
    clock: Clock,
    erp: str | None = None,
    rules: RuleSet | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Rechecked:
    """Judge anew all golden customers whose last verdict may not hold any more; announce what changed.

    Safe to interrupt and to repeat: a verdict that was just made is not made again.
    """
    chosen = rules or shipped_ruleset()
    aimed = chosen if erp is None else chosen.aimed_at(erp)
    with engine.connect() as connection:
        due = _due(connection, aimed, clock())
    judged = changed = 0
    for start in range(0, len(due), _AT_ONCE):
        some = due[start : start + _AT_ONCE]
        now = clock()
        verdicts = [verdict_on_golden(engine, entity_id, now, Aim(aimed.target.erp), aimed) for entity_id in some]
        with unit_of_work(engine, clock, "onboarding") as work:
            changed += _keep(work, verdicts)
        judged += len(some)
        progress(judged, len(due))
    return Rechecked(judged, changed)
