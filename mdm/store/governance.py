"""Documents that were in use here, and what platforms did against their contracts over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """A document and since when it was in use here."""

    kind: str
    name: str
    fingerprint: str
    version: str
    document: str
    first_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Violations:
    """What a table did against its contract on one day. `refused` messages wait, `told` ones were taken in."""

    system: str
    table: str
    day: date
    code: str
    refused: int
    told: int


def keep(connection: Connection, document: KeptDocument) -> None:
    """Store a document unless it is known. The caller commits."""
    connection.execute(
        text(
            """insert into governance_document (kind, name, fingerprint, version, document, first_used_at)
               values (:kind, :name, :fingerprint, :version, :document, :at) on conflict do nothing"""
        ),
        {"kind": document.kind, "name": document.name, "fingerprint": document.fingerprint,
         "version": document.version, "document": document.document, "at": document.first_used_at},
    )  # fmt: skip


def kept(connection: Connection, kind: str, name: str, limit: int = 50) -> list[KeptDocument]:
    """The documents of one name, the newest first."""
    rows = connection.execute(
        text(
            """select kind, name, fingerprint, version, document, first_used_at from governance_document
               where kind = :kind and name = :name order by first_used_at desc, fingerprint limit :limit"""
        ),
        {"kind": kind, "name": name, "limit": limit},
    )
    return [KeptDocument(*row) for row in rows]


def violations(connection: Connection, since: datetime, system: str | None, table: str | None) -> list[Violations]:
    """By table, day and code: refused messages and differences that were told, by the day they were first seen."""
    rows = connection.execute(
        text(
            """select system, type, day, code, sum(refused)::bigint, sum(told)::bigint from (
                   select system, type, (first_seen at time zone 'UTC')::date as day, code, 1 as refused, 0 as told
                   from dead_letter where first_seen >= :since
                   union all
                   select system, type, (first_seen at time zone 'UTC')::date, code, 0, 1
                   from exception where kind = 'contract_drift' and first_seen >= :since) v
               where system is not null and type is not null
                 and (cast(:system as text) is null or (system = :system and type = :table))
               group by system, type, day, code order by system, type, day, code"""
        ),
        {"since": since, "system": system, "table": table},
    )
    return [Violations(*row) for row in rows]


def drift_samples(connection: Connection, system: str, table: str, limit: int) -> Sequence[dict[str, Any]]:
    """Differences of a table from its contract, the newest first: what, where first, how often, and their state."""
    rows = connection.execute(
        text(
            """select exception_id as id, code, detail, place, seen, status, owner, first_seen, last_seen, closed_by,
                   closed_reason
               from exception where kind = 'contract_drift' and system = :system and type = :table
               order by last_seen desc, exception_id desc limit :limit"""
        ),
        {"system": system, "table": table, "limit": limit},
    )
    return [dict(row) for row in rows.mappings()]


def refused_samples(connection: Connection, system: str, table: str, limit: int) -> Sequence[dict[str, Any]]:
    """Messages of a table that were refused, the newest first, with the row they are about."""
    rows = connection.execute(
        text(
            """select dead_letter_id as id, code, reason, row_key, status, first_seen, exists (
                   select 1 from source_record r where r.system = d.system and r.type = d.type and r.key = d.row_key
               ) as known
               from dead_letter d where system = :system and type = :table
               order by dead_letter_id desc limit :limit"""
        ),
        {"system": system, "table": table, "limit": limit},
    )
    return [dict(row) for row in rows.mappings()]
