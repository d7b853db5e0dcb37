"""Rows of the hub as a story needs them: a golden record with its sources in one line, everything else by default."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Insert, Table, insert, null, text, update

from mdm.model.ids import CrosswalkKey, Domain, EntityId, mint_entity_id
from mdm.store import tables as t

NOON = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
CRM_ACME = CrosswalkKey("crm", "account", "A1")
ERP_ACME = CrosswalkKey("erp", "business_partner", "0001000001")

ACME = {
    "name": "Acme Anvils B.V.",
    "legal_form": "B.V.",
    "country": "NL",
    "status": "active",
    "identifiers": [{"type": "vat", "country": "NL", "value": "NL169963937B05", "checksum": "valid"}],
    "emails": [{"value": "accounts@acme.example", "domain": "acme.example", "shared": True}],
    "phones": [{"value": "+31 30 972 5926", "e164": "+31309725926", "valid": True}],
    "address": {"street": "Aliciaboulevard", "house_number": "4", "city": "Groningen", "country": "NL"},
}


_NEUTRAL: Mapping[type, object] = {str: "", int: 0, bool: False, bytes: bytes(32), datetime: NOON, dict: {}, list: []}


def inserted(table: Table, **values: Any) -> Insert:
    """An INSERT that gives every column that must have a value and is not named here a neutral one."""
    missing = {
        column.name: _NEUTRAL[column.type.python_type]
        for column in table.columns
        if column.name not in values and not column.nullable and column.server_default is None
    }
    return insert(table).values(**missing, **values)


class HubRows:
    """Writes rows straight into the tables."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._records = 0
        self._batches = 0
        self._ids: dict[CrosswalkKey, int] = {}

    def source(
        self,
        key: CrosswalkKey,
        *,
        domain: Domain | None = Domain.CUSTOMER,
        kind: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        row: Mapping[str, Any] | None = None,
        references: Iterable[tuple[str, CrosswalkKey]] = (),
        aliases: Iterable[CrosswalkKey] = (),
        entity_id: str | None = None,
        deleted: bool = False,
        at: datetime = NOON,
    ) -> int:
        """A source row; with `entity_id` it belongs to that entity (or did, when it is deleted)."""
        self._records += 1
        rec_id = self._ids[key] = self._records
        references = list(references)
        with self.engine.begin() as connection:
            connection.execute(
                inserted(t.source_record,
                    rec_id=rec_id, **key._asdict(), kind=kind or (domain.value if domain else "invoice"),
                    domain=domain.value if domain else None, deleted=deleted, row=null() if row is None else dict(row),
                    attributes=attributes or {},
                    comparison={}, refs=[[role, *target] for role, target in references], rejected={},
                    operation="d" if deleted else "u", pos_major=rec_id, pos_minor=rec_id, pos_order=0, pos_rank=1,
                    topic=f"{key.system}.public.{key.type}", partition=0, offset=rec_id, lsn=1000 + rec_id,
                    transaction="570:1", event_time=at, batch_id=1,
                )
            )  # fmt: skip
            for role, target in references:
                connection.execute(inserted(t.record_reference, rec_id=rec_id, role=role, **target._asdict()))
            for alias in aliases:
                connection.execute(inserted(t.record_alias, rec_id=rec_id, **alias._asdict()))
            if entity_id is not None and deleted:
                connection.execute(
                    inserted(
                        t.crosswalk_history,
                        rec_id=rec_id,
                        entity_id=entity_id,
                        since=at,
                        until=at + timedelta(hours=1),
                        batch_id=1,
                    )
                )
            elif entity_id is not None:
                connection.execute(inserted(t.crosswalk, rec_id=rec_id, entity_id=entity_id, since=at))
        return rec_id

    def entity(self, domain: Domain, founder: CrosswalkKey, *, at: datetime = NOON) -> EntityId:
        """A newly issued id."""
        entity_id = mint_entity_id(domain, founder, at)
        with self.engine.begin() as connection:
            connection.execute(
                inserted(t.entity,
                    entity_id=entity_id, domain=domain.value, status="active", founder=0, founded_batch=1,
                    founded_at=at, changed_at=at,
                )
            )  # fmt: skip
        return entity_id

    def version(
        self,
        entity_id: str,
        domain: Domain,
        values: Mapping[str, Any],
        *,
        lineage: Mapping[str, Any] | None = None,
        terms: Sequence[str] = (),
        at: datetime = NOON,
        cause: str = "source",
        members: int = 1,
    ) -> int:
        """The next version of a golden record, announced in the outbox; the one before it ends."""
        self._batches += 1
        seq = self._batches << 20
        with self.engine.begin() as connection:
            connection.execute(
                update(t.golden)
                .where(t.golden.c.entity_id == entity_id, t.golden.c.known_to.is_(None))
                .values(known_to=at)
            )
            newest = connection.scalar(
                text("select coalesce(max(version), 0) from golden where entity_id = :id"), {"id": entity_id}
            )
            version = int(newest or 0) + 1
            connection.execute(
                inserted(t.golden,
                    entity_id=entity_id, version=version, domain=domain.value, lineage=lineage or {},
                    name=values.get("name") or values.get("number") or "", members=members,
                    digest=hashlib.sha256(b"").digest(), support=b"", ruleset="rules-1", seq=seq,
                    batch_id=self._batches,
                    cause="founded" if version == 1 else cause, known_from=at, known_to=None, values=dict(values),
                )
            )  # fmt: skip
            for term in terms:
                connection.execute(inserted(t.search_term, domain=domain.value, term=term, entity_id=entity_id))
        self.announce(
            entity_id, domain, "created" if version == 1 else "changed",
            {"entity_id": entity_id, "version": version, "values": dict(values)}, seq=seq, at=at,
        )  # fmt: skip
        return version

    def golden(
        self,
        domain: Domain,
        key: CrosswalkKey,
        values: Mapping[str, Any],
        *,
        terms: Sequence[str] = (),
        lineage: Mapping[str, Any] | None = None,
        at: datetime = NOON,
        **source: Any,
    ) -> EntityId:
        """A golden record of one source row."""
        entity_id = self.entity(domain, key, at=at)
        self.source(key, domain=domain, attributes=values, entity_id=entity_id, at=at, **source)
        self.version(entity_id, domain, values, terms=terms, lineage=lineage, at=at)
        return entity_id

    def merge(self, loser: str, survivor: str, *, at: datetime) -> None:
        """The loser redirects from now on."""
        self._end(loser, "merged", survivor, at)

    def retire(self, entity_id: str, *, at: datetime) -> None:
        """The entity has no source rows any more."""
        self._end(entity_id, "retired", None, at)

    def announce(
        self, entity_id: str, domain: Domain, what: str, payload: Mapping[str, Any], *, seq: int, at: datetime = NOON
    ) -> None:
        """A row of the outbox."""
        with self.engine.begin() as connection:
            connection.execute(
                inserted(t.outbox,
                    seq=seq, id=uuid.UUID(int=seq), aggregatetype=domain.value, aggregateid=entity_id,
                    type=f"{domain.value}.{what}", payload=dict(payload), created_at=at,
                )
            )  # fmt: skip

    def task(self, a: CrosswalkKey, b: CrosswalkKey, weight: float, *, domain: Domain = Domain.CUSTOMER) -> None:
        """An open question about two source rows."""
        low, high = sorted((self._ids[a], self._ids[b]))
        with self.engine.begin() as connection:
            connection.execute(
                inserted(t.steward_task,
                    question=f"{domain}:{a}|{b}", kind="possible_match", domain=domain.value, a=low, b=high,
                    weight=weight, batch_id=1, opened_at=NOON,
                )
            )  # fmt: skip

    def _end(self, entity_id: str, status: str, survivor: str | None, at: datetime) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                update(t.entity)
                .where(t.entity.c.entity_id == entity_id)
                .values(status=status, merged_into=survivor, changed_at=at)
            )
            connection.execute(
                update(t.golden)
                .where(t.golden.c.entity_id == entity_id, t.golden.c.known_to.is_(None))
                .values(known_to=at)
            )
            connection.execute(text("delete from search_term where entity_id = :id"), {"id": entity_id})
            connection.execute(
                text(
                    "update crosswalk set entity_id = :to where entity_id = :id"
                    if survivor
                    else "delete from crosswalk where entity_id = :id"
                ),
                {"id": entity_id, "to": survivor},
            )
