"""One customer told: as each platform knows it, as the hub knows it, and where each value comes from."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, text

from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import CrosswalkKey, Domain, EntityId

#: A good example: known to all platforms, under several names, and joined by the strongest evidence; what hangs on a
#: weak link is for stewards to look at, not for a story.
_EXAMPLE = """
with example as (
    select c.entity_id, array_agg(c.rec_id) as records, min(r.key) as first_key,
           count(distinct r.attributes ->> 'name') as names
    from crosswalk c join source_record r using (rec_id)
    where r.domain = 'customer'
    group by c.entity_id
    having count(distinct r.system) = 4 and count(distinct r.attributes ->> 'name') > 1)
select e.entity_id
from example e
cross join lateral (
    select min(best) as weakest from (
        select max(l.weight) as best
        from unnest(e.records) as m(rec_id)
        join link l on l.superseded_at is null and l.weight is not null
            and ((l.a = m.rec_id and l.b = any (e.records)) or (l.b = m.rec_id and l.a = any (e.records)))
        group by m.rec_id) strongest) s
order by s.weakest desc nulls last, e.names desc, e.first_key
limit 1
"""
_SOURCES = """
select r.system, r.type, r.key, r.attributes
from crosswalk c join source_record r using (rec_id) where c.entity_id = :entity_id order by 1, 2, 3
"""
_GOLDEN = 'select "values", lineage from golden where entity_id = :entity_id and known_to is null'

#: Parts of an address as they stand on one line of an envelope.
_ADDRESS = (("street", "house_number"), ("line2",), ("postal_code", "city"), ("region",), ("country",))


@dataclass(frozen=True, slots=True)
class Source:
    """A platform's view in one line."""

    key: CrosswalkKey
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A golden value and where it comes from."""

    attribute: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Story:
    """The story of one entity."""

    entity_id: EntityId
    sources: tuple[Source, ...]
    lines: tuple[Line, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def find_story(connection: Connection) -> Story | None:
    """A customer known to all four platforms whose records are joined most surely, or None while there is none."""
    entity_id = connection.scalar(text(_EXAMPLE))
    if entity_id is None:
        return None
    parameters = {"entity_id": entity_id}
    sources = tuple(
        Source(CrosswalkKey(row[0], row[1], row[2]), _one_line(row[3]))
        for row in connection.execute(text(_SOURCES), parameters)
    )
    values, lineage = connection.execute(text(_GOLDEN), parameters).one()
    names = [attribute.name for attribute in ATTRIBUTES[Domain.CUSTOMER] if attribute.name in values]
    lines = tuple(Line(name, _plain(values[name]), _origin(lineage[name])) for name in names)
    return Story(entity_id, sources, lines)


def _one_line(attributes: Mapping[str, Any]) -> str:
    parts = [attributes.get("name"), attributes.get("address"), attributes.get("identifiers")]
    return " | ".join(_plain(part) for part in parts if part)


def _plain(value: Any) -> str:  # Any: whatever an attribute holds
    if isinstance(value, list):
        return "; ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, dict):
        return str(value)
    if "e164" in value or "domain" in value:
        return str(value.get("e164") or value.get("value"))
    if "normal" in value:
        return f"{value['type']} {value['value']} ({value['state']})"
    if {"system", "type", "key"} <= value.keys():
        return f"{value['system']}:{value['type']}:{value['key']}"
    lines = [" ".join(str(value[part]) for part in line if value.get(part)) for line in _ADDRESS]
    return ", ".join(line for line in lines if line)


def _origin(lineage: Mapping[str, Any]) -> str:
    """The record, event and rule of a value; of the first element where there are several."""
    source = lineage.get("elements", [lineage])[0] if lineage.get("elements") else lineage
    record = source["record"]
    name = f"{record['system']}:{record['type']}:{record['key']}"
    place = f"{source['topic']}/{source['partition']}/{source['offset']}"
    beaten = len(lineage.get("runners_up") or ())
    others = f", before {beaten} other{'s' if beaten > 1 else ''}" if beaten else ""
    return f"{name} at {place} by rule {json.dumps(lineage['rule'])}{others}"
