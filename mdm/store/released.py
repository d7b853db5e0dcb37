"""Rule documents that decided in this hub, by fingerprint. Written once, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from mdm.model.ids import Domain
from mdm.store.tables_serving import released_rules
from mdm.store.unit_of_work import UnitOfWork

_SURVIVORSHIP = "survivorship"


@dataclass(frozen=True, slots=True)
class ReleasedRules:
    """One released document without its text."""

    fingerprint: str
    kind: str
    domain: Domain
    version: str
    first_used_at: datetime


def remember(connection: Connection, domain: Domain, version: str, fingerprint: str, text: str) -> None:
    """Store a survivorship document unless it is known. The caller commits."""
    known = select(released_rules.c.fingerprint).where(
        released_rules.c.fingerprint == fingerprint, released_rules.c.domain == domain.value
    )
    if connection.scalar(known) is None:
        connection.execute(
            insert(released_rules)
            .values(
                fingerprint=fingerprint,
                kind=_SURVIVORSHIP,
                domain=domain.value,
                version=version,
                document=text,
                first_used_at=func.now(),
            )
            .on_conflict_do_nothing()
        )


def remember_in(work: UnitOfWork, domain: Domain, version: str, fingerprint: str, text: str) -> None:
    """`remember`, in a unit of work."""
    work.execute(
        """insert into released_rules (fingerprint, kind, domain, version, document, first_used_at)
           values (%s, %s, %s, %s, %s, %s) on conflict do nothing""",
        fingerprint, _SURVIVORSHIP, domain.value, version, text, work.now,
    )  # fmt: skip


def document(connection: Connection, domain: Domain, fingerprint: str) -> str | None:
    """The text of a survivorship document, None when it never decided here."""
    found: str | None = connection.scalar(
        select(released_rules.c.document).where(
            released_rules.c.fingerprint == fingerprint, released_rules.c.domain == domain.value
        )
    )
    return found


def version_of(connection: Connection, domain: Domain, fingerprint: str) -> str | None:
    """The version of a survivorship document, None when it is not known."""
    found: str | None = connection.scalar(
        select(released_rules.c.version).where(
            released_rules.c.fingerprint == fingerprint, released_rules.c.domain == domain.value
        )
    )
    return found


def all_released(connection: Connection) -> Sequence[ReleasedRules]:
    """Every document that ever decided, newest first."""
    rows = connection.execute(
        select(
            released_rules.c.fingerprint,
            released_rules.c.kind,
            released_rules.c.domain,
            released_rules.c.version,
            released_rules.c.first_used_at,
        ).order_by(released_rules.c.first_used_at.desc(), released_rules.c.domain, released_rules.c.fingerprint)
    )
    return [ReleasedRules(row[0], row[1], Domain(row[2]), row[3], row[4]) for row in rows]
