"""From the names that platforms use to the entities they mean."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.scoped import scope_of, within_reach
from mdm.store.tables import ALIAS_FORM

#: The role in which a billing price points at its product.
OFFER_ROLE = "offer_of"

# For each wanted name: the live rows it names (by key or by alias), and the entity of each; a row that is not resolved
# itself but is an offer of something takes the entity of that.
_RESOLVE = """
with wanted as (
  select w.system, w.type, w.key
  from unnest(cast(:systems as text[]), cast(:types as text[]), cast(:keys as text[])) as w(system, type, key)
),
named as (
  select w.system, w.type, w.key, r.rec_id
  from wanted w join source_record r on r.system = w.system and r.type = w.type and r.key = w.key and not r.deleted
  union
  select w.system, w.type, w.key, r.rec_id
  from wanted w join record_alias a on a.system = w.system and a.type = w.type and a.key = w.key
  join source_record r on r.rec_id = a.rec_id and not r.deleted
),
offered as (
  select n.system, n.type, n.key, f.system as to_system, f.type as to_type, f.key as to_key
  from named n join record_reference f on f.rec_id = n.rec_id and f.role = :offer_role
),
meant as (
  select n.system, n.type, n.key, n.rec_id, 'record' as via from named n
  union all
  select o.system, o.type, o.key, r.rec_id, 'offer'
  from offered o
  join source_record r on r.system = o.to_system and r.type = o.to_type and r.key = o.to_key and not r.deleted
  union all
  select o.system, o.type, o.key, r.rec_id, 'offer'
  from offered o
  join record_alias a on a.system = o.to_system and a.type = o.to_type and a.key = o.to_key
  join source_record r on r.rec_id = a.rec_id and not r.deleted
)
select m.system, m.type, m.key, x.entity_id, m.via, e.domain, r.system, r.type, r.key, x.since
from meant m
join crosswalk x on x.rec_id = m.rec_id
join entity e on e.entity_id = x.entity_id
join source_record r on r.rec_id = m.rec_id
order by m.system, m.type, m.key, x.entity_id, r.system, r.type, r.key
"""

# Codes that people typed: platforms write one with a dash, a space or in small letters, and another in their own table.
_ALIKE = f"""
select distinct w.system, w.type, w.key, x.entity_id
from unnest(cast(:systems as text[]), cast(:types as text[]), cast(:keys as text[])) as w(system, type, key)
join record_alias a on a.system = w.system and a.type = w.type
  and {ALIAS_FORM.format("a.key")} = {ALIAS_FORM.format("w.key")}
  and {ALIAS_FORM.format("w.key")} <> ''
join source_record r on r.rec_id = a.rec_id and not r.deleted
join crosswalk x on x.rec_id = r.rec_id
"""

_LAST_KNOWN = """
select r.deleted, r.kind, r.domain, r.event_time,
  (select h.entity_id from crosswalk_history h where h.rec_id = r.rec_id order by h.until desc limit 1) as last_entity
from source_record r
where r.system = :system and r.type = :type and r.key = :key
"""

_NAMES = """
select r.system, r.type, r.key
from crosswalk x join source_record r on r.rec_id = x.rec_id where x.entity_id = :entity_id
union
select a.system, a.type, a.key
from crosswalk x join record_alias a on a.rec_id = x.rec_id where x.entity_id = :entity_id
"""

# Keys are indexed under their platform and table, so the known tables are walked. For aliases the distinct tables are
# found by jumping through the index from one to the next, which costs one probe each.
_BY_KEY = """
with recursive alias_table as (
  (select system, type from record_alias order by system, type limit 1)
  union all
  select n.system, n.type
  from alias_table t
  cross join lateral (
    select a.system, a.type from record_alias a where (a.system, a.type) > (t.system, t.type)
    order by a.system, a.type limit 1
  ) n
),
found as (
  select r.rec_id from table_shape t join source_record r on r.system = t.system and r.type = t.type and r.key = :key
  union
  select a.rec_id
  from alias_table t join record_alias a on a.system = t.system and a.type = t.type and a.key = :key
)
select r.system, r.type, r.key, r.kind, x.entity_id
from found join source_record r on r.rec_id = found.rec_id and not r.deleted
left join crosswalk x on x.rec_id = r.rec_id
where {reach}
order by r.system, r.type, r.key
limit :limit
"""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that a platform's name means. `record` is the source row that leads to the entity.

    `via` is `record` (the name is that row's key), `alias` (another name of that row) or `offer` (a price of it).
    """

    entity_id: EntityId
    domain: Domain
    via: str
    record: CrosswalkKey
    since: datetime


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A live source row found by its bare key or alias; `entity_id` is None for linked facts."""

    record: CrosswalkKey
    kind: str
    entity_id: EntityId | None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A row the hub has seen that leads to no entity: deleted, or of a kind that is not resolved."""

    deleted: bool
    kind: str
    event_time: datetime
    last_entity: EntityId | None


def meanings(connection: Connection, names: Iterable[CrosswalkKey]) -> Mapping[CrosswalkKey, Sequence[Meaning]]:
    """What each name means, for keys, aliases (type `table#column`) and offers. Names without meaning are absent."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    found: dict[CrosswalkKey, list[Meaning]] = {}
    rows = connection.execute(text(_RESOLVE), {**_columns(wanted), "offer_role": OFFER_ROLE}).all()
    reached = within_reach(connection, {row[3] for row in rows})
    for row in rows:
        if reached is not None and row[3] not in reached:
            continue
        name, record = CrosswalkKey(*row[0:3]), CrosswalkKey(*row[6:9])
        via = "alias" if row[4] == "record" and record != name else row[4]
        found.setdefault(name, []).append(Meaning(EntityId(row[3]), Domain(row[5]), via, record, row[9]))
    return found


def resolve_names(connection: Connection, names: Iterable[CrosswalkKey]) -> Mapping[CrosswalkKey, EntityId]:
    """The one entity each name means; names that mean none, or more than one, are absent.

    A code (type `table#column`) that no row has as it is written means the entity whose rows have it in another
    spelling, if all that do are of one.
    """
    wanted = set(names)
    found = {name: {each.entity_id for each in them} for name, them in meanings(connection, wanted).items()}
    codes = sorted(name for name in wanted - found.keys() if "#" in name.type)
    if codes:
        rows = connection.execute(text(_ALIKE), _columns(codes)).all()
        reached = within_reach(connection, {row[3] for row in rows})
        for row in rows:
            if reached is None or row[3] in reached:
                found.setdefault(CrosswalkKey(*row[0:3]), set()).add(EntityId(row[3]))
    return {name: next(iter(entities)) for name, entities in found.items() if len(entities) == 1}


def unresolved(connection: Connection, name: CrosswalkKey) -> Unresolved | None:
    """Why a name leads nowhere although the hub has seen the row; None when it has not."""
    row = connection.execute(text(_LAST_KNOWN), name._asdict()).one_or_none()
    if row is not None and row.domain is not None and within_reach(connection, {row.last_entity or ""}) == set():
        return None
    return None if row is None else Unresolved(row.deleted, row.kind, row.event_time, row.last_entity)


def names_of(connection: Connection, entity_id: str) -> Sequence[CrosswalkKey]:
    """Every name under which platforms refer to an entity: keys and aliases of its members."""
    if within_reach(connection, [entity_id]) == set():
        return []
    return [CrosswalkKey(*row) for row in connection.execute(text(_NAMES), {"entity_id": entity_id})]


def rows_by_key(connection: Connection, key: str, limit: int) -> Sequence[NamedRow]:
    """Live source rows of any platform and table with this key, or with an alias that reads like this."""
    # Linked facts belong to nobody by themselves: the database knows whose they are.
    reach = "r.domain is not null or mdm_fact_in_scope(r.rec_id)" if scope_of(connection).limits_rows else "true"
    rows = connection.execute(text(_BY_KEY.format(reach=reach)), {"key": key, "limit": limit}).all()
    reached = within_reach(connection, {row.entity_id for row in rows if row.entity_id is not None})
    return [
        NamedRow(CrosswalkKey(row.system, row.type, row.key), row.kind, row.entity_id)
        for row in rows
        if reached is None or row.entity_id is None or row.entity_id in reached
    ]


def _columns(names: Sequence[CrosswalkKey]) -> dict[str, Any]:
    return {
        "systems": [name.system for name in names],
        "types": [name.type for name in names],
        "keys": [name.key for name in names],
    }
