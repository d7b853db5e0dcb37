"""The two sides of a pair as somebody sees them who is to judge it blind."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from api.masking import show_record
from mdm.access import Eyes
from mdm.model.ids import Domain, RecordId
from mdm.store.tables import source_record


@dataclass(frozen=True, slots=True)
class Side:
    """A record by nothing but its platform and what it states."""

    system: str
    values: Mapping[str, Any]
    masked: Sequence[str]


def sides_of(
    connection: Connection, domain: Domain, pair_id: int, ends: Sequence[RecordId], person: str, eyes: Eyes
) -> list[Side]:
    """Both records, in an order that tells nothing: half of the pairs stand the other way round, others per person.

    References are left out: a row that names another row would tell more than the two state of themselves.
    """
    columns = source_record.c
    rows = connection.execute(
        select(columns.rec_id, columns.system, columns.attributes).where(columns.rec_id.in_(ends))
    ).all()
    turned = hashlib.sha256(f"{person}:{pair_id}".encode()).digest()[0] & 1
    found = []
    for row in sorted(rows, key=lambda each: each.rec_id, reverse=bool(turned)):
        stated = {name: value for name, value in (row.attributes or {}).items() if not _refers(value)}
        shown = show_record(domain, stated, eyes)
        found.append(Side(row.system, shown.values, shown.masked))
    return found


def _refers(value: Any) -> bool:
    parts = value if isinstance(value, list) else [value]
    return any(isinstance(each, dict) and {"system", "type", "key"} <= each.keys() for each in parts)
