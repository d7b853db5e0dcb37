"""Finding rows by the events that made them, and loading what folding them anew from their history needs."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from mdm.model.ids import CrosswalkKey
from mdm.model.mirror import KnownMirror, with_donors
from mdm.store.mirror import heads_of, histories_of, truncations_of
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class EventRange:
    """Which stored events are meant; conditions that are given must all hold.

    Attributes:
        since, until: by the time of the change in its source; `until` itself is left out.
        first_offset, last_offset: with both ends.
    """

    topic: str | None = None
    partition: int | None = None
    first_offset: int | None = None
    last_offset: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    system: str | None = None
    type: str | None = None
    key: str | None = None

    def parameters(self) -> dict[str, Any]:
        """Values for `_RANGE`."""
        return {name: getattr(self, name) for name in EventRange.__dataclass_fields__}


_RANGE = """
select distinct r.system, r.type, r.key from record_history h join source_record r using (rec_id)
where (%(topic)s::text is null or h.topic = %(topic)s)
  and (%(partition)s::int is null or h.partition = %(partition)s)
  and (%(first_offset)s::bigint is null or h."offset" >= %(first_offset)s)
  and (%(last_offset)s::bigint is null or h."offset" <= %(last_offset)s)
  and (%(since)s::timestamptz is null or h.event_time >= %(since)s)
  and (%(until)s::timestamptz is null or h.event_time < %(until)s)
  and (%(system)s::text is null or r.system = %(system)s)
  and (%(type)s::text is null or r.type = %(type)s)
  and (%(key)s::text is null or r.key = %(key)s)
order by 1, 2, 3
"""


def rows_of_events(work: UnitOfWork, meant: EventRange) -> list[CrosswalkKey]:
    """The rows that events of this range are about, in order."""
    rows = work.cursor.execute(_RANGE, meant.parameters()).fetchall()
    return [CrosswalkKey(*row) for row in rows]


def load_for_refold(work: UnitOfWork, keys: Collection[CrosswalkKey]) -> KnownMirror:
    """What `mdm.core.mirror.mirror` needs to fold these rows anew, without any new event."""
    heads = {head.key: head for head in heads_of(work, keys)}
    histories = with_donors(histories_of(work, set(heads)), partial(histories_of, work))
    return KnownMirror(
        rec_ids={key: head.rec_id for key, head in heads.items()},
        heads=heads,
        histories=histories,
        truncations=truncations_of(work),
        # A row without history cannot be folded; `mdm verify` names it.
        waiting=frozenset(key for key in heads if histories[key]),
    )


def in_batches(keys: Sequence[CrosswalkKey], size: int) -> Iterator[Sequence[CrosswalkKey]]:
    """The keys in units of work."""
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
