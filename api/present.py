"""From what the store knows to what a caller may see: the JSON objects of the API and the console."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from api.masking import show_lineage, show_name, show_payload, show_record, show_value, show_values
from mdm.access import Eyes
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.read_models import (
    Change,
    Classified,
    EntityState,
    Fact,
    GoldenRow,
    Joined,
    Meaning,
    Member,
    Part,
    expand,
)

#: How long consumers have to replace an id that ended. Redirects are kept for ever; whoever still sends the old id
#: after this is late.
DEPRECATION_WINDOW = timedelta(days=90)


def key_object(key: CrosswalkKey) -> dict[str, str]:
    return {"system": key.system, "type": key.type, "key": key.key}


def record_object(row: GoldenRow, entities: Mapping[CrosswalkKey, EntityId], eyes: Eyes) -> dict[str, Any]:
    """A golden record (`api.schemas.records.RecordHead` with `values`)."""
    shown = show_values(row.domain, expand(row.domain, row.values, entities), eyes)
    return {
        "id": row.entity_id,
        "domain": row.domain.value,
        "version": row.version,
        "name": show_name(row.domain, row.name, eyes),
        "values": shown.values,
        "masked": shown.masked,
        "sources": row.members,
        "known_from": row.known_from,
        "known_to": row.known_to,
        "ruleset": row.ruleset,
        "cause": row.cause,
    }


def lineage_object(row: GoldenRow, lineage: Mapping[str, Any], eyes: Eyes) -> dict[str, Any]:
    """The lineage of a version."""
    return {
        "id": row.entity_id,
        "domain": row.domain.value,
        "version": row.version,
        "attributes": {name: show_lineage(row.domain, name, each, eyes) for name, each in lineage.items()},
    }


def joined_objects(lineage: Mapping[str, Any], joins: Mapping[CrosswalkKey, Joined]) -> list[dict[str, Any]]:
    """For every record that a lineage names, the decision that made it a member."""
    return [
        {
            "record": key_object(key),
            "by": join.by,
            "since": join.since,
            "founder": join.founder,
            "with_record": key_object(join.with_record) if join.with_record is not None else None,
            "weight": join.weight,
            "model": join.model,
            "author": join.author,
            "reason": join.reason,
            "decided_at": join.at,
            "batch": join.batch,
        }
        for key, join in sorted(joins.items())
        if key in _records_in(lineage)
    ]


def _records_in(part: Any) -> set[CrosswalkKey]:
    """Every source row that a lineage names, at any depth."""
    if isinstance(part, Mapping):
        own = part.get("record")
        found = {CrosswalkKey(own["system"], own["type"], own["key"])} if isinstance(own, Mapping) else set()
        return found.union(*(_records_in(each) for each in part.values()))
    if isinstance(part, list):
        return set[CrosswalkKey]().union(*(_records_in(each) for each in part))
    return set()


def source_object(row: GoldenRow, member: Member, eyes: Eyes) -> dict[str, Any]:
    """A source row of a golden record."""
    shown = show_record(row.domain, member.attributes, eyes)
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


def history_objects(versions: Sequence[GoldenRow], limit: int, eyes: Eyes) -> list[dict[str, Any]]:
    """The first `limit` versions, newest first, each with its changes; one version more says what went before."""
    entries = []
    for index, version in enumerate(versions[:limit]):
        before = versions[index + 1].values if index + 1 < len(versions) else {}
        entries.append(
            {
                "version": version.version,
                "name": show_name(version.domain, version.name, eyes),
                "cause": version.cause,
                "ruleset": version.ruleset,
                "sources": version.members,
                "known_from": version.known_from,
                "known_to": version.known_to,
                "changed": changed_values(version.domain, before, version.values, eyes),
            }
        )
    return entries


def changed_values(
    domain: Domain, before: Mapping[str, Any], after: Mapping[str, Any], eyes: Eyes
) -> list[dict[str, Any]]:
    """The attributes that differ, each before and after."""
    return [
        {
            "attribute": name,
            "before": show_value(domain, name, before.get(name), eyes),
            "after": show_value(domain, name, after.get(name), eyes),
        }
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def fate_object(
    state: EntityState,
    absorbed: Sequence[EntityId],
    parts: Sequence[Part],
    intervals: Sequence[tuple[datetime, datetime | None]],
    behind: Sequence[str],
) -> dict[str, Any]:
    """What became of an id."""
    active = state.status == "active"
    return {
        "id": state.entity_id,
        "domain": state.domain.value,
        "status": state.status,
        "current_id": state.merged_into or (state.entity_id if active else None),
        "founded_at": state.founded_at,
        "changed_at": state.changed_at,
        # Not when the id was founded, which is before its golden record was known, nor when something about it changed
        # last: a merged id is led on to another survivor, and a retired one erased, long after it ended.
        "valid_from": intervals[0][0] if intervals else state.founded_at,
        "valid_to": None if active else (intervals[-1][1] if intervals else None) or state.changed_at,
        "intervals": [{"valid_from": begin, "valid_to": end} for begin, end in intervals],
        "absorbed": list(absorbed),
        "deprecation": None
        if active
        else {
            "since": state.changed_at,
            "until": state.changed_at + DEPRECATION_WINDOW,
            "unacknowledged_by": list(behind),
        },
        "split_into": [
            {
                "id": part.entity_id,
                "count": part.count,
                "records": [key_object(key) for key in part.records],
                "at": part.at,
            }
            for part in parts
        ],
    }


def classification_object(found: Sequence[Classified]) -> dict[str, Any]:
    """What became of many ids."""
    ids = [
        {
            "id": each.id,
            "status": each.status or "unknown",
            "domain": each.domain.value if each.domain is not None else None,
            "current_id": each.merged_into or (each.id if each.status == "active" else None),
            "version": each.version,
            "changed_at": each.changed_at,
            "parted": each.parted,
        }
        for each in found
    ]
    return {"ids": ids, "counts": dict(Counter(str(each["status"]) for each in ids))}


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


def fact_object(fact: Fact, entities: Mapping[CrosswalkKey, EntityId], eyes: Eyes) -> dict[str, Any]:
    """A linked fact, each reference with the golden record behind it, if there is one."""
    shown = show_record(None, fact.attributes, eyes)
    return {
        **key_object(fact.key),
        "kind": fact.kind,
        "attributes": shown.values,
        "masked": shown.masked,
        "references": [
            {"role": name, **key_object(target), "entity_id": entities.get(target)} for name, target in fact.references
        ],
        "event_time": fact.event_time,
    }


def change_object(change: Change, eyes: Eyes) -> dict[str, Any]:
    """One announcement."""
    return {
        "seq": change.seq,
        "type": change.type,
        "domain": change.domain.value,
        "entity_id": change.entity_id,
        "version": change.payload.get("version"),
        "at": change.at,
        "payload": show_payload(change.domain, change.payload, eyes),
    }
