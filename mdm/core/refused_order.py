"""In which order refused messages should be looked at, and why: what hangs on their rows, how many wait, how long.

As with questions (`mdm.core.worklist`), waiting counts linearly, so the order of two groups never changes with time.
"""

from datetime import datetime
from math import log10

from mdm.core.worklist import POINTS_PER_DAY, impact_parts, money_part, waited
from mdm.model.refused import RankedGroup, RefusedGroup
from mdm.model.worklist import Measures, Part

#: Points and reason of the tiers that are not the usual one.
_TIERS = {
    1: (14.0, "of tier 1: postings, revenue or payments wait behind it"),
    3: (-7.0, "of tier 3: best effort, left out by and by"),
}
#: As many messages as weigh most; whether there are more is not counted.
_COUNTED = 10_000


def rank_group(group: RefusedGroup, measures: Measures) -> RankedGroup:
    """The place of a group in the order. What hangs on rows that the hub does not know adds nothing, and is told."""
    moved, impact = impact_parts(group.affected, measures)
    own = (money_part(group.amounts, measures.much), _many(group), _tier(group))
    parts = tuple(part for part in (*own, *moved) if part)
    points = sum(part.points for part in parts)
    return RankedGroup(group, points - waited(group.first_seen), parts, impact, measures.much.most(group.amounts)[1])


def priority(rank: float, now: datetime) -> float:
    """The priority of a group now, from its rank."""
    return rank + waited(now)


def waiting(first_seen: datetime, now: datetime) -> Part:
    """What the waiting adds now."""
    days = max(0.0, (now - first_seen).total_seconds() / 86_400)
    return Part(round(days * POINTS_PER_DAY, 1), f"waits for {days:.0f} days" if days >= 1 else "new today")


def _tier(group: RefusedGroup) -> Part | None:
    """As much as two weeks of waiting where money moves by the table; a little less than nothing for the last tier."""
    if group.waits or group.tier not in _TIERS:
        return None
    return Part(*_TIERS[group.tier])


def _many(group: RefusedGroup) -> Part | None:
    if group.letters < 2:
        return None
    # A thousand of a kind weigh as much as two weeks of waiting: a cause that goes on makes more of them every hour.
    points = min(20.0, 5 * log10(group.letters))
    if group.letters > _COUNTED:
        return Part(points, f"more than {_COUNTED:,} messages wait for the same cause".replace(",", "\u202f"))
    rows = f" of {group.rows:,} rows" if group.rows else ""
    return Part(round(points, 1), f"{group.letters:,} messages{rows} wait for the same cause".replace(",", "\u202f"))
