"""From what the store knows to what a caller may see: the JSON objects of the API and the console."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.masking import show_lineage, show_payload, show_record, show_value, show_values
from mdm.access import Role
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.store.read_models import Change, Fact, GoldenRow, Meaning, Member, expand


def key_object(key: CrosswalkKey) -> dict[str, str]:
    return {"system": key.system, "type": key.type, "key": key.key}


def record_object(row: GoldenRow, entities: Mapping[CrosswalkKey, EntityId], role: Role) -> dict[str, Any]:
    """A golden record (`api.schemas.records.RecordHead` with `values`)."""
    shown = show_values(row.domain, expand(row.domain, row.values, entities), role)
    return {
        "id": row.entity_id,
        "domain": row.domain.value,
        "version": row.version,
        "name": row.name,
        "values": shown.values,
        "masked": shown.masked,
        "sources": row.members,
        "known_from": row.known_from,
        "known_to": row.known_to,
        "ruleset": row.ruleset,
        "cause": row.cause,
    }


def lineage_object(row: GoldenRow, lineage: Mapping[str, Any], role: Role) -> dict[str, Any]:
    """The lineage of a version."""
    return {
        "id": row.entity_id,
        "domain": row.domain.value,
        "version": row.version,
        "attributes": {name: show_lineage(row.domain, name, each, role) for name, each in lineage.items()},
    }


def source_object(row: GoldenRow, member: Member, role: Role) -> dict[str, Any]:
    """A source row of a golden record."""
    shown = show_record(row.domain, member.attributes, role)
    return {
        **key_object(member.key),
        "kind": member.kind,
        "attributes": shown.values,
        "masked": shown.masked,
        "rejected": member.rejected,
        "position": {
            "topic": member.topic,
            "partition": member.partition,
            "offset": member.offset,
            "lsn": member.lsn,
            "transaction": member.transaction,
            "event_time": member.event_time,
        },
        "member_since": member.member_since,
    }


def history_objects(versions: Sequence[GoldenRow], limit: int, role: Role) -> list[dict[str, Any]]:
    """The first `limit` versions, newest first, each with its changes; one version more says what went before."""
    entries = []
    for index, version in enumerate(versions[:limit]):
        before = versions[index + 1].values if index + 1 < len(versions) else {}
        entries.append(
            {
                "version": version.version,
                "name": version.name,
                "cause": version.cause,
                "ruleset": version.ruleset,
                "sources": version.members,
                "known_from": version.known_from,
                "known_to": version.known_to,
                "changed": [
                    {
                        "attribute": name,
                        "before": show_value(version.domain, name, before.get(name), role),
                        "after": show_value(version.domain, name, version.values.get(name), role),
                    }
                    for name in sorted(before.keys() | version.values.keys())
                    if before.get(name) != version.values.get(name)
                ],
            }
        )
    return entries


def crosswalk_object(name: CrosswalkKey, meaning: Meaning) -> dict[str, Any]:
    """Which golden record a name means."""
    return {
        **key_object(name),
        "entity_id": meaning.entity_id,
        "domain": meaning.domain.value,
        "via": meaning.via,
        "record": key_object(meaning.record),
        "since": meaning.since,
    }


def fact_object(fact: Fact, role: Role) -> dict[str, Any]:
    """A linked fact."""
    shown = show_record(None, fact.attributes, role)
    return {
        **key_object(fact.key),
        "kind": fact.kind,
        "attributes": shown.values,
        "masked": shown.masked,
        "references": [{"role": name, **key_object(target)} for name, target in fact.references],
        "event_time": fact.event_time,
    }


def change_object(change: Change, role: Role) -> dict[str, Any]:
    """One announcement."""
    return {
        "seq": change.seq,
        "type": change.type,
        "domain": change.domain.value,
        "entity_id": change.entity_id,
        "version": change.payload.get("version"),
        "at": change.at,
        "payload": show_payload(change.domain, change.payload, role),
    }
