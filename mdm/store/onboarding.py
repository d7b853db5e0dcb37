"""What onboarding keeps: answers of registries, reference lists, confirmations, waivers, and verdicts as last seen."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection, text

from mdm.model.ids import EntityId
from mdm.onboarding.attestation import Answer, Attestation, Provider
from mdm.onboarding.checkpoint import Checkpoint, CheckpointName, Return, Waiver, Word
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """A name on a sanctions list that shares words with a name that was asked about."""

    list: str
    version: str
    entry: str
    name: str
    folded: str


@dataclass(frozen=True, slots=True)
class LoadedList:
    """A reference list that is loaded."""

    name: str
    version: str
    entries: int
    loaded_at: datetime


def attestations(
    connection: Connection, keys: Collection[tuple[Provider, str]]
) -> dict[tuple[Provider, str], Attestation]:
    """The stored answers about these keys."""
    found: dict[tuple[Provider, str], Attestation] = {}
    if not keys:
        return found
    rows = connection.execute(
        text(
            """select provider, key, answer, checked_at, reference, reason, facts from attestation
               where (provider, key) in (select * from unnest(cast(:providers as text[]), cast(:keys as text[])))"""
        ),
        {"providers": [provider.value for provider, _ in keys], "keys": [key for _, key in keys]},
    )
    for row in rows:
        provider = Provider(row[0])
        found[provider, row[1]] = Attestation(provider, row[1], Answer(row[2]), *row[3:])
    return found


def write_attestations(work: UnitOfWork, answers: Iterable[Attestation]) -> None:
    """Keep these answers in place of earlier ones about the same keys. An outage does not wipe out a known answer."""
    work.stage(
        "stage_attestation",
        "provider text, key text, answer text, checked_at timestamptz, reference text, reason text, facts json",
        (
            (each.provider.value, each.key, each.answer.value, each.checked_at, each.reference, each.reason,
             orjson.dumps(dict(each.facts)).decode())
            for each in {(each.provider, each.key): each for each in answers}.values()
        ),
    )  # fmt: skip
    work.execute(
        """insert into attestation as a (provider, key, answer, checked_at, reference, reason, facts)
           select provider, key, answer, checked_at, reference, reason, facts from stage_attestation
           on conflict (provider, key) do update set answer = excluded.answer, checked_at = excluded.checked_at,
               reference = excluded.reference, reason = excluded.reason, facts = excluded.facts
           where excluded.answer <> 'unavailable' or a.answer = 'unavailable'"""
    )


def gleif_answers(connection: Connection, leis: Collection[str]) -> dict[str, Attestation]:
    """What the loaded GLEIF file says about these LEIs; LEIs that it does not have are absent."""
    rows = connection.execute(
        text(
            """select g.lei, g.name, g.status, g.entity_status, g.country, g.legal_form, g.registered_as,
                      g.direct_parent, g.ultimate_parent, g.parent_exception, l.version, l.loaded_at
               from gleif_entity g join reference_list l on l.name = 'GLEIF' where g.lei = any(:leis)"""
        ),
        {"leis": sorted(leis)},
    )
    found = {}
    for row in rows.mappings():
        in_force = row["status"] == "ISSUED" and row["entity_status"] == "ACTIVE"
        names = (
            "name",
            "country",
            "legal_form",
            "registered_as",
            "direct_parent",
            "ultimate_parent",
            "parent_exception",
        )
        facts = {name: str(row[name]) for name in names if row[name]}
        facts["status"] = row["status"] if row["entity_status"] == "ACTIVE" else row["entity_status"]
        found[row["lei"]] = Attestation(
            provider=Provider.GLEIF,
            key=row["lei"],
            answer=Answer.CONFIRMED if in_force else Answer.REFUTED,
            checked_at=row["loaded_at"],
            reference=f"lei-records/{row['lei']} ({row['version']})",
            facts=facts,
        )
    return found


def replace_gleif(work: UnitOfWork, entities: Iterable[Sequence[object]]) -> int:
    """Keep these entities in place of all there were. Returns how many.

    A row is LEI, name, status of the registration, status of the entity, country, legal form, registered as.
    """
    work.execute("truncate gleif_entity")
    work.copy(
        "gleif_entity", ("lei", "name", "status", "entity_status", "country", "legal_form", "registered_as"), entities
    )
    return int(work.query("select count(*) from gleif_entity")[0][0])


def write_gleif_parents(
    work: UnitOfWork, relationships: Iterable[Sequence[object]], exceptions: Iterable[Sequence[object]]
) -> None:
    """Add what entities report about their parents to the entities that are loaded.

    A relationship is LEI, `direct_parent` or `ultimate_parent`, LEI of the parent; an exception is LEI and reason.
    """
    work.stage("stage_parent", "lei text, kind text, parent text", relationships)
    for kind in ("direct_parent", "ultimate_parent"):
        work.execute(
            f"update gleif_entity g set {kind} = s.parent from stage_parent s where s.lei = g.lei and s.kind = %s", kind
        )
    work.stage("stage_no_parent", "lei text, reason text", exceptions)
    work.execute("update gleif_entity g set parent_exception = s.reason from stage_no_parent s where s.lei = g.lei")


def replace_sanctions(work: UnitOfWork, name: str, rows: Iterable[tuple[str, str, str, Sequence[str]]]) -> int:
    """Keep these names of one list in place of all it had. A row is entry, name, folded name, countries."""
    work.execute("delete from sanction_name where list = %s", name)
    count = 0

    def written() -> Iterable[tuple[object, ...]]:
        nonlocal count
        for entry, listed, folded, countries in rows:
            count += 1
            yield name, entry, listed, folded, folded.split(), list(countries)

    work.copy("sanction_name", ("list", "entry", "name", "folded", "words", "countries"), written())
    return count


def write_list(work: UnitOfWork, name: str, version: str, entries: int, actor: str) -> None:
    """Note that a list is loaded in this version."""
    work.execute(
        """insert into reference_list (name, version, entries, loaded_at, actor) values (%s, %s, %s, %s, %s)
           on conflict (name) do update set version = excluded.version, entries = excluded.entries,
               loaded_at = excluded.loaded_at, actor = excluded.actor""",
        name, version, entries, work.now, actor,
    )  # fmt: skip


def loaded_lists(connection: Connection) -> list[LoadedList]:
    """All reference lists, by name."""
    rows = connection.execute(text("select name, version, entries, loaded_at from reference_list order by name"))
    return [LoadedList(*row) for row in rows]


def listed_names(connection: Connection, names: Collection[str], most: int) -> dict[str, list[ListedEntry]]:
    """For each folded name, those on any list that share a word with it, those that share most words first."""
    rows = connection.execute(
        text(
            """select a.name, f.list, f.version, f.entry, f.listed, f.folded
               from unnest(cast(:names as text[])) as a(name)
               cross join lateral (
                   select n.list, l.version, n.entry, n.name as listed, n.folded,
                       cardinality(array(select unnest(n.words) intersect select unnest(string_to_array(a.name, ' '))))
                           as shared
                   from sanction_name n join reference_list l on l.name = n.list
                   where n.words && string_to_array(a.name, ' ')
                   order by shared desc, n.list, n.entry, n.folded
                   limit :most) f
               order by a.name, f.shared desc, f.list, f.entry, f.folded"""
        ),
        {"names": sorted(set(names)), "most": most},
    )
    found: dict[str, list[ListedEntry]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(ListedEntry(*row[1:]))
    return found


def checkpoints_of(
    connection: Connection, entities: Collection[EntityId]
) -> dict[EntityId, dict[CheckpointName, Checkpoint]]:
    """The confirmations of customers that were not taken back; expired ones are among them."""
    rows = connection.execute(
        text(
            """select entity_id, name, actor, at, reason, expires_at from checkpoint
               where entity_id = any(:entities) and superseded_at is null order by entity_id, name"""
        ),
        {"entities": list(entities)},
    )
    found: dict[EntityId, dict[CheckpointName, Checkpoint]] = {}
    for entity_id, name, *given in rows:
        found.setdefault(EntityId(entity_id), {})[CheckpointName(name)] = Checkpoint(CheckpointName(name), *given)
    return found


def waivers_of(connection: Connection, entities: Collection[EntityId]) -> dict[EntityId, tuple[Waiver, ...]]:
    """The waivers of customers that were not taken back, by code and path; expired ones are among them."""
    rows = connection.execute(
        text(
            """select entity_id, code, path, actor, reason, expires_at, approved_by from waiver
               where entity_id = any(:entities) and superseded_at is null order by entity_id, code, path"""
        ),
        {"entities": list(entities)},
    )
    found: dict[EntityId, tuple[Waiver, ...]] = {}
    for entity_id, *given in rows:
        found[EntityId(entity_id)] = (*found.get(EntityId(entity_id), ()), Waiver(*given))
    return found


_WORDS = """
select * from (
  select 'confirmation' as kind, name as about, actor, at, reason, expires_at, null::text, ended_by, superseded_at,
    answer
  from checkpoint where entity_id = :id
  union all select 'waiver', code, actor, at, reason, expires_at, approved_by, ended_by, superseded_at, answer
  from waiver where entity_id = :id
  union all select 'return', '', actor, at, reason, null, null, ended_by, ended_at, answer
  from onboarding_return where entity_id = :id
) w
where cast(:at as timestamptz) is null or at < :at or (at = :at and (kind, about) > (:kind, :about))
order by at desc, kind, about limit :limit
"""


def words_about(
    connection: Connection, entity_id: EntityId, limit: int, after: tuple[datetime, str, str] | None = None
) -> list[Word]:
    """What people confirmed, excused and sent back about a customer, the latest first, also what has ended.

    Args:
        after: time, kind and subject of the last one that is known already.
    """
    at, kind, about = after or (None, "", "")
    rows = connection.execute(text(_WORDS), {"id": entity_id, "limit": limit, "at": at, "kind": kind, "about": about})
    return [Word(*row) for row in rows]


def ended_since(
    connection: Connection, entity_id: str, actions: Collection[str], about: Mapping[str, str], after: int
) -> tuple[str, str, datetime] | None:
    """Who first did one of `actions` with the same subject after an entry of the audit, what it was, and when."""
    row = connection.execute(
        text(
            """select actor, action, at from audit
               where action = any(:actions) and seq > :after and subject = :id
                 and cast(detail as jsonb) @> cast(:about as jsonb)
               order by seq limit 1"""
        ),
        {"actions": list(actions), "after": after, "id": entity_id, "about": orjson.dumps(dict(about)).decode()},
    ).first()
    return None if row is None else (row[0], row[1], row[2])


def returns_of(connection: Connection, entities: Collection[EntityId]) -> dict[EntityId, Return]:
    """Those of the customers that were sent back and not taken up again."""
    rows = connection.execute(
        text(
            """select entity_id, actor, at, reason from onboarding_return
               where entity_id = any(:entities) and ended_at is null"""
        ),
        {"entities": list(entities)},
    )
    return {EntityId(row[0]): Return(*row[1:]) for row in rows}


def write_return(work: UnitOfWork, entity_id: str, given: Return) -> bool:
    """Keep that a customer was sent back; False when it is already."""
    return bool(
        work.execute(
            """insert into onboarding_return (entity_id, actor, reason, at) values (%s, %s, %s, %s)
               on conflict (entity_id) where ended_at is null do nothing""",
            entity_id, given.actor, given.reason, given.at,
        )
    )  # fmt: skip


def end_return(work: UnitOfWork, entity_id: str, actor: str, answer: str) -> bool:
    """Keep that a customer is looked at again; False when it was not sent back."""
    return bool(
        work.execute(
            """update onboarding_return set ended_by = %s, answer = %s, ended_at = %s
               where entity_id = %s and ended_at is null""",
            actor, answer, work.now, entity_id,
        )
    )  # fmt: skip


def write_checkpoint(work: UnitOfWork, entity_id: str, given: Checkpoint) -> None:
    """Keep a confirmation in place of an earlier one of the same name."""
    withdraw_checkpoint(work, entity_id, given.name, given.actor)
    work.execute(
        "insert into checkpoint (entity_id, name, actor, reason, at, expires_at) values (%s, %s, %s, %s, %s, %s)",
        entity_id, given.name.value, given.actor, given.reason, given.at, given.expires_at,
    )  # fmt: skip


def withdraw_checkpoint(
    work: UnitOfWork, entity_id: str, name: CheckpointName, by: str, reason: str | None = None
) -> bool:
    """End a confirmation; without a reason another one takes its place. False when there was none."""
    return bool(
        work.execute(
            """update checkpoint set superseded_at = %s, ended_by = %s, answer = %s
               where entity_id = %s and name = %s and superseded_at is null""",
            work.now, by, reason, entity_id, name.value,
        )
    )  # fmt: skip


def write_waiver(work: UnitOfWork, entity_id: str, given: Waiver) -> None:
    """Keep a waiver in place of an earlier one for the same code and path."""
    withdraw_waiver(work, entity_id, given.code, given.path, given.actor)
    work.execute(
        "insert into waiver (entity_id, code, path, actor, reason, at, expires_at) values (%s, %s, %s, %s, %s, %s, %s)",
        entity_id, given.code, given.path, given.actor, given.reason, work.now, given.expires_at,
    )  # fmt: skip


def find_waiver(work: UnitOfWork, entity_id: str, code: str, path: str) -> Waiver | None:
    """The waiver of a code at a path that was not taken back, locked; expired ones count."""
    rows = work.query(
        """select code, path, actor, reason, expires_at, approved_by from waiver
           where entity_id = %s and code = %s and path = %s and superseded_at is null for update""",
        entity_id, code, path,
    )  # fmt: skip
    return Waiver(*rows[0]) if rows else None


def approve_waiver(work: UnitOfWork, entity_id: str, code: str, path: str, approver: str) -> None:
    """Write who agreed to a waiver."""
    work.execute(
        """update waiver set approved_by = %s, approved_at = %s
           where entity_id = %s and code = %s and path = %s and superseded_at is null""",
        approver, work.now, entity_id, code, path,
    )  # fmt: skip


def withdraw_waiver(work: UnitOfWork, entity_id: str, code: str, path: str, by: str, reason: str | None = None) -> bool:
    """End a waiver; without a reason another one takes its place. False when there was none."""
    return bool(
        work.execute(
            """update waiver set superseded_at = %s, ended_by = %s, answer = %s
               where entity_id = %s and code = %s and path = %s and superseded_at is null""",
            work.now, by, reason, entity_id, code, path,
        )
    )  # fmt: skip


def in_erp(connection: Connection, entities: Collection[EntityId], erps: Collection[str]) -> set[EntityId]:
    """Those of the customers to which a live row of one of the platforms `erps` belongs."""
    rows = connection.scalars(
        text(
            """select distinct c.entity_id from crosswalk c join source_record r using (rec_id)
               where c.entity_id = any(:entities) and r.system = any(:erps) and not r.deleted"""
        ),
        {"entities": list(entities), "erps": list(erps)},
    )
    return set(map(EntityId, rows))


def leis_of(connection: Connection, entities: Collection[EntityId]) -> dict[EntityId, list[str]]:
    """The valid LEIs of golden customers; customers without one are absent."""
    rows = connection.execute(
        text(
            """select distinct g.entity_id, i->>'normal' from golden g
               cross join lateral jsonb_array_elements(g.values->'identifiers') i
               where g.entity_id = any(:entities) and g.known_to is null
                 and i->>'type' = 'lei' and i->>'state' = 'valid' order by 1, 2"""
        ),
        {"entities": list(entities)},
    )
    found: dict[EntityId, list[str]] = {}
    for entity_id, lei in rows:
        found.setdefault(EntityId(entity_id), []).append(lei)
    return found
