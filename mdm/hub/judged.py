"""What stewards said about two records: the word that holds, whose it is, and when it was said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mdm.model.ids import CrosswalkKey, EntityId, RecordId
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Judged:
    """What a steward said about two records, who, and when."""

    a: CrosswalkKey
    b: CrosswalkKey
    verdict: str
    author: str
    at: datetime

    @property
    def words(self) -> str:
        return f"{self.author} on {self.at.astimezone(UTC):%Y-%m-%d}"


def word_about(work: UnitOfWork, a: RecordId, b: RecordId) -> Judged | None:
    """What a steward said last about two records."""
    rows = work.query(
        """select x.system, x.type, x.key, y.system, y.type, y.key, j.verdict, j.author, j.created_at
           from judgement j join source_record x on x.rec_id = j.a join source_record y on y.rec_id = j.b
           where j.a = %s and j.b = %s and j.superseded_at is null""",
        *sorted((a, b)),
    )
    return _judged(rows[0]) if rows else None


def parting_word(work: UnitOfWork, a: EntityId, b: EntityId) -> Judged | None:
    """The verdict "not the same" about a record of each of two entities."""
    rows = work.query(
        """with member as (select rec_id, entity_id, system, type, key from crosswalk join source_record using (rec_id)
                          where entity_id in (%s, %s))
           select x.system, x.type, x.key, y.system, y.type, y.key, j.verdict, j.author, j.created_at from member x
           join judgement j on j.a = x.rec_id and j.verdict = 'not_same' and j.superseded_at is null
           join member y on y.rec_id = j.b where x.entity_id <> y.entity_id
           order by x.system, x.type, x.key, y.system, y.type, y.key limit 1""",
        a,
        b,
    )
    return _judged(rows[0]) if rows else None


def _judged(row: Sequence[Any]) -> Judged:  # Any: columns of several types
    return Judged(CrosswalkKey(*row[:3]), CrosswalkKey(*row[3:6]), *row[6:])
