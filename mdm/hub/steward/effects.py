"""What a unit of work did, told as one value: the same for a preview as for the real thing."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from mdm.model.delta import Announcement, GoldenVersion, IdentityDelta, Renewal
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.refused import Matter, named
from mdm.model.stewardship import Effect, EntityEffect, Move, TaskEffect
from mdm.store.exposure import consumer_labels, exposure_of
from mdm.store.unit_of_work import UnitOfWork


def observe(
    work: UnitOfWork,
    deltas: Sequence[IdentityDelta],
    named: Collection[EntityId],
    erps: Collection[str],
    announced: Sequence[Announcement] = (),
) -> Effect:
    """Tell what these deltas, already written in this unit of work, did.

    Args:
        named: entities that the command speaks about; they are told of even where nothing about them changed.
        erps: the platforms that count as ERP.
        announced: what is announced beside these deltas.
    """
    touched = {each for delta in deltas for each in _touched(delta)} | set(named)
    before, after = _members_before(work, touched, deltas), _members_now(work, touched)
    told = [_entity(work, each, deltas, before[each], after[each]) for each in touched]
    entities = tuple(sorted(told, key=lambda each: (each.domain, each.entity_id or "")))
    concerned = {each for each in touched if before.get(each) or after.get(each)}
    records = {rec for delta in deltas for change in delta.joined for rec in (change.rec_id,)}
    keys = _keys(work, records)
    told_of = [each for delta in deltas for each in delta.announcements]
    return Effect(
        entities=entities,
        moves=tuple(
            Move(keys[change.rec_id], delta.domain, change.left, change.entity_id)
            for delta in deltas
            for change in sorted(delta.joined, key=lambda each: keys[each.rec_id])
        ),
        tasks_closed=_tasks(work, [task_id for delta in deltas for task_id in delta.tasks_closed]),
        tasks_opened=tuple(
            TaskEffect(None, task.question, task.kind, task.domain) for delta in deltas for task in delta.tasks_opened
        ),
        erp=tuple(sorted({key for each in concerned for key in (*before[each], *after[each]) if key.system in erps})),
        exposure=exposure_of(work, sorted(concerned)),
        announcements=dict(sorted(Counter(each.type for each in (*told_of, *announced)).items())),
        consumers=consumer_labels(work),
    )


def _touched(delta: IdentityDelta) -> set[EntityId]:
    return (
        {each.entity_id for each in delta.founded}
        | {each.entity_id for each in delta.succession}
        | {each.entity_id for each in delta.golden}
        | {each.entity_id for each in delta.renewed}
        | {each.entity_id for each in delta.joined}
        | {each.left for each in delta.joined if each.left is not None}
    )


def _entity(
    work: UnitOfWork,
    entity_id: EntityId,
    deltas: Sequence[IdentityDelta],
    members_before: Sequence[CrosswalkKey],
    members_after: Sequence[CrosswalkKey],
) -> EntityEffect:
    rows = work.query(
        """select version, "values"::text, lineage::text, known_to is null, name, domain, batch_id = %s from golden
           where entity_id = %s order by version desc limit 2""",
        work.batch_id,
        entity_id,
    )
    now = rows[0] if rows and rows[0][3] else None
    past = [row for row in rows if not row[6]]
    was = past[0] if past and members_before else None
    fate, into = _fate(entity_id, deltas, existed=bool(past))
    shown = now or was
    return EntityEffect(
        entity_id=entity_id,
        domain=Domain(rows[0][5]) if rows else deltas[0].domain,
        fate=fate,
        merged_into=into,
        name=shown[4] if shown else "",
        version_before=was[0] if was else None,
        version_after=now[0] if now else None,
        members_before=tuple(members_before),
        members_after=tuple(members_after),
        before=orjson.loads(was[1]) if was else {},
        after=orjson.loads(now[1]) if now else {},
        lineage=orjson.loads(now[2]) if now else {},
        absorbed_by=next(
            (each.absorbed_by for delta in deltas for each in delta.succession if each.entity_id == entity_id), None
        ),
    )


def _fate(entity_id: EntityId, deltas: Sequence[IdentityDelta], existed: bool) -> tuple[str, EntityId | None]:
    for delta in deltas:
        for change in delta.succession:
            if change.entity_id == entity_id:
                return "revived" if change.status == "active" else change.status, change.merged_into
        if any(each.entity_id == entity_id for each in delta.founded):
            return "founded", None
    written: list[GoldenVersion | Renewal] = [each for delta in deltas for each in delta.golden]
    written += [each for delta in deltas for each in delta.renewed]
    for each in written:
        if each.entity_id == entity_id:
            return ("changed" if isinstance(each, GoldenVersion) else "renewed"), None
    return ("unchanged" if existed else "founded"), None


def _members_now(work: UnitOfWork, entities: Collection[EntityId]) -> dict[EntityId, tuple[CrosswalkKey, ...]]:
    members: dict[EntityId, list[CrosswalkKey]] = {each: [] for each in entities}
    for entity_id, *key in work.query(
        """select c.entity_id, r.system, r.type, r.key from crosswalk c join source_record r using (rec_id)
           where c.entity_id = any(%s) order by r.system, r.type, r.key""",
        list(entities),
    ):
        members[EntityId(entity_id)].append(CrosswalkKey(*key))
    return {entity_id: tuple(keys) for entity_id, keys in members.items()}


def _members_before(
    work: UnitOfWork, entities: Collection[EntityId], deltas: Sequence[IdentityDelta]
) -> dict[EntityId, tuple[CrosswalkKey, ...]]:
    """Members as they were: those of now, without who joined, with who left."""
    members = {entity_id: set(keys) for entity_id, keys in _members_now(work, entities).items()}
    keys = _keys(work, {change.rec_id for delta in deltas for change in delta.joined})
    for delta in deltas:
        for change in delta.joined:
            members[change.entity_id].discard(keys[change.rec_id])
            if change.left is not None:
                members[change.left].add(keys[change.rec_id])
    return {entity_id: tuple(sorted(found)) for entity_id, found in members.items()}


def _keys(work: UnitOfWork, records: Collection[RecordId]) -> dict[RecordId, CrosswalkKey]:
    rows = work.query("select rec_id, system, type, key from source_record where rec_id = any(%s)", list(records))
    return {RecordId(row[0]): CrosswalkKey(*row[1:]) for row in rows}


def _tasks(work: UnitOfWork, ids: Sequence[int]) -> tuple[TaskEffect, ...]:
    rows = work.query(
        "select task_id, question, kind, domain from steward_task where task_id = any(%s) order by task_id", list(ids)
    )
    return tuple(TaskEffect(row[0], row[1], row[2], Domain(row[3])) for row in rows)


def without_new_ids(effect: Effect, founded: Collection[EntityId], pinned: Collection[int]) -> Effect:
    """The effect with None for ids and times that only a preview would issue: they are issued when it happens."""

    def known(entity_id: EntityId | None) -> EntityId | None:
        return None if entity_id in founded else entity_id

    def lineage(parts: Mapping[str, Any]) -> dict[str, Any]:
        shown = dict(parts)
        for name, part in parts.items():
            if part.get("override") and part["override"]["override_id"] in pinned:
                shown[name] = {**part, "override": {**part["override"], "override_id": None, "at": None}}
        return shown

    return Effect(
        entities=tuple(
            EntityEffect(
                known(each.entity_id), each.domain, each.fate, each.merged_into, each.name, each.version_before,
                each.version_after, each.members_before, each.members_after, each.before, each.after,
                lineage(each.lineage), each.absorbed_by,
            )
            for each in effect.entities
        ),
        moves=tuple(Move(each.record, each.domain, known(each.left), known(each.joined)) for each in effect.moves),
        tasks_closed=effect.tasks_closed,
        tasks_opened=effect.tasks_opened,
        erp=effect.erp,
        exposure=effect.exposure,
        announcements=effect.announcements,
        consumers=effect.consumers,
        relations=effect.relations,
        letters=effect.letters,
    )  # fmt: skip


def named_in(effect: Effect) -> tuple[set[EntityId], set[int]]:
    """The ids of entities and of overrides that an effect tells of."""
    entities = {each.entity_id for each in effect.entities}
    entities |= {entity_id for each in effect.moves for entity_id in (each.left, each.joined)}
    parts = [part for each in effect.entities for part in each.lineage.values()]
    overrides = {part["override"]["override_id"] for part in parts if part.get("override")}
    return {each for each in entities if each is not None}, {each for each in overrides if each is not None}


def summary(effect: Effect) -> dict[str, Any]:
    """What history keeps of an effect: ids, versions, names of attributes, tasks; never values."""
    return {
        "entities": [
            {
                "entity_id": each.entity_id,
                "domain": each.domain.value,
                "fate": each.fate,
                "merged_into": each.merged_into,
                "absorbed_by": each.absorbed_by,
                "version_before": each.version_before,
                "version_after": each.version_after,
                "members_before": len(each.members_before),
                "members_after": len(each.members_after),
                "changed": list(each.changed),
            }
            for each in effect.entities
            if each.fate != "unchanged"
        ],
        "moves": [{"record": key_json(each.record), "left": each.left, "joined": each.joined} for each in effect.moves],
        "tasks_closed": [each.task_id for each in effect.tasks_closed],
        "tasks_opened": [each.question for each in effect.tasks_opened],
        "erp": [key_json(each) for each in effect.erp],
        "exposure": exposure_json(effect),
        "announcements": dict(effect.announcements),
        "relations": relations_json(effect),
        "letters": letters_json(effect),
    }


def relations_json(effect: Effect) -> list[dict[str, Any]]:
    """Relations that begin or end, as JSON: ids and days."""
    return [
        {
            "fate": each.fate,
            "kind": each.kind.value,
            "child": each.child,
            "parent": each.parent,
            "valid_from": each.valid_from.isoformat(),
            "valid_to": each.valid_to.isoformat() if each.valid_to is not None else None,
        }
        for each in effect.relations
    ]


def letters_json(effect: Effect) -> list[dict[str, Any]]:
    """Refused messages that are closed or opened again, as JSON: numbers, places and what they are about."""
    return [
        {
            "letter_id": each.letter_id,
            "name": named(Matter.DEAD_LETTER, each.letter_id),
            "fate": each.fate,
            "place": each.place,
            "code": each.code,
            "row": each.row,
            "tier": each.tier,
        }
        for each in effect.letters
    ]


def exposure_json(effect: Effect) -> Mapping[str, Any]:
    """Counts and amounts as JSON."""
    return {
        "contracts": effect.exposure.contracts,
        "contract_value": dict(effect.exposure.contract_value),
        "invoices": effect.exposure.invoices,
        "invoice_amount": dict(effect.exposure.invoice_amount),
    }


def key_json(key: CrosswalkKey) -> dict[str, str]:
    """A source row as the API writes it."""
    return {"system": key.system, "type": key.type, "key": key.key}
