"""When something happened in the business, by what its platform states: the day of an invoice, not of its change event.

Where a platform states none (billing states no day of a payment), the time of the newest change event has to do.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from mdm.lifecycle.material import Stated
from mdm.model.ids import CrosswalkKey

#: By kind of row, the attributes that say when it happened; the first that is stated counts.
DATED_BY: Mapping[str, tuple[str, ...]] = {
    "opportunity": ("close_date",),
    "contract": ("start_date", "activated_on"),
    "order": ("order_date",),
    "entitlement": ("valid_from",),
    "usage_batch": ("period_end", "received_at"),
    "invoice": ("issued_at", "period_start"),
    "payment": (),
    "posting": ("posting_date",),
}


def happened_at(row: Stated) -> datetime:
    """When it happened; the beginning of the day where only that is known."""
    for name in DATED_BY.get(row.kind, ()):
        if (found := row.instant(name)) is not None:
            return found
    return row.changed_at


def begin_of(day: date | None) -> datetime | None:
    """The beginning of a day in UTC."""
    return None if day is None else datetime.combine(day, time.min, UTC)


def times_of(*rows: Stated) -> dict[CrosswalkKey, datetime]:
    """When each row happened; rows of kinds that say nothing of time (a line, a price) are left out."""
    return {row.key: happened_at(row) for row in rows if row.kind in DATED_BY}
