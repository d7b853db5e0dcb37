"""Refused messages that stand in the way of others of their row, and those that wait for them."""

from collections.abc import Collection

from mdm.model.events import Place
from mdm.model.ids import CrosswalkKey
from mdm.model.refused import InTheWay
from mdm.store.unit_of_work import UnitOfWork

_IN_THE_WAY = """
select d.system, d.type, d.row_key, d.topic, d.partition, d."offset",
  coalesce(b.topic, d.topic), coalesce(b.partition, d.partition), coalesce(b."offset", d."offset")
from unnest(%s::text[], %s::text[], %s::text[]) as k(system, type, key)
join dead_letter d on d.status = 'open' and (d.system, d.type, d.row_key) = (k.system, k.type, k.key)
left join dead_letter b on b.dead_letter_id = d.behind
where %s or b.status is null or b.status = 'open'
"""
_FREE = """
select h.dead_letter_id from dead_letter h join dead_letter b on b.dead_letter_id = h.behind
where h.status = 'open' and h.behind is not null and b.status <> 'open' order by h.dead_letter_id limit %s
"""


def in_the_way(
    work: UnitOfWork, rows: Collection[CrosswalkKey], besides: Collection[Place], *, freed: bool
) -> list[InTheWay]:
    """Open refused messages of these rows, but for those that are being taken in just now.

    Args:
        freed: also those that waited and need not wait any more.
    """
    names = sorted(rows)
    found = work.query(_IN_THE_WAY, *([each[part] for each in names] for part in range(3)), freed)
    return [
        InTheWay(CrosswalkKey(*row[:3]), place, Place(*row[6:]))
        for row in found
        if (place := Place(*row[3:6])) not in besides
    ]


def free_to_go(work: UnitOfWork, most: int) -> list[int]:
    """Messages that waited for one which somebody has dealt with, the first refused first."""
    return [row[0] for row in work.query(_FREE, most)]


def overdue(work: UnitOfWork, tier: int, days: int, most: int) -> list[int]:
    """Refused messages of a tier that have been open for so many days, the oldest first."""
    rows = work.query(
        """select dead_letter_id from dead_letter
           where status = 'open' and tier = %s and first_seen < %s - make_interval(days => %s)
           order by first_seen, dead_letter_id limit %s""",
        tier, work.now, days, most,
    )  # fmt: skip
    return [row[0] for row in rows]
