"""In which order findings of reconciliation should be looked at, and why.

As with questions (`mdm.core.worklist`), a priority is a sum of parts, each with its reason. A finding is no row that
waits to be decided: its age counts for two weeks, so that what is old and small does not stand before what is large.
"""

from typing import Final

from mdm.core.worklist import POINTS_PER_DAY, impact_parts, money_part
from mdm.lifecycle.findings import Finding, Severity
from mdm.lifecycle.stakes import Stake
from mdm.model.worklist import Affected, Measures, Part, Priority

_ERROR: Final = Part(10.0, "an error: it costs money or breaks a promise")
_TIERS: Final = {
    1: Part(14.0, "of tier 1: money moves by one of its tables"),
    3: Part(-7.0, "of tier 3: best effort"),
}
#: Money that does not itself disagree, and only runs through the same chain. It counts for small findings and for those
#: of which nobody knows what they are worth; a finding is no more urgent for being as large as its contract.
_SHARE_OF_CHAIN: Final = 0.5
#: Days after which waiting adds no more: as much as the last day before the books close.
_MOST_DAYS: Final = 15


def rank_finding(finding: Finding, stake: Stake, days: int, measures: Measures) -> Priority:
    """The place of a finding that is `days` old: what it is worth or what runs through the same chain, how bad it is,
    how critical its tables, the close that it holds up, the customers it reaches, and how long it has waited."""
    affected = Affected(
        stake.months.get(measures.cut_off.month, 0), stake.customers, stake.segments, stake.users
    )  # fmt: skip
    moved, impact = impact_parts(affected, measures)
    worth = {} if finding.amount is None else {finding.currency or "": abs(finding.amount)}
    money = (
        money_part(worth, measures.much, "do not agree"),
        money_part(stake.chain, measures.much, "run through the same contract or invoices", _SHARE_OF_CHAIN),
    )
    found = (
        max((part for part in money if part), key=lambda part: part.points, default=None),
        _ERROR if finding.severity is Severity.ERROR else None,
        _TIERS.get(stake.tier),
        *moved,
        _age(days),
    )
    parts = sorted((part for part in found if part), key=lambda part: -part.points)
    return Priority(round(sum(part.points for part in parts), 1), tuple(parts), impact)


def _age(days: int) -> Part | None:
    counted = min(days, _MOST_DAYS)
    if not counted:
        return None
    return Part(counted * POINTS_PER_DAY, f"{days:,} day{'' if days == 1 else 's'} old".replace(",", "\u202f"))
