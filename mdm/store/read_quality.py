"""How complete and how trustworthy master data are: per attribute of golden records, and per source table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from mdm.model.ids import Domain, id_range

#: Golden records looked at; of more a sample is taken, and the page says so.
SAMPLE = 5_000
#: Of each moment of a trend, and how many moments there are in how long a time at most.
TREND_SAMPLE = 500
_MOMENTS, _TREND_LENGTH = 12, timedelta(weeks=12)

# The prefix of an id is its domain: a range of ids is read off the index, where sorting a domain would read all of it.
_FILLED = """
with sample as (
  select entity_id, "values" from golden
  where entity_id >= :low and entity_id < :high and known_to is null
  order by entity_id desc limit :sample
)
select a.name, count(s.entity_id) filter (where s."values" ? a.name) as filled, count(s.entity_id) as of_all,
  (array_agg(s.entity_id) filter (where not s."values" ? a.name))[1:3] as failing
from unnest(cast(:names as text[])) as a(name) cross join sample s group by a.name
"""
# A row counts in the step of time in which its newest version was made: that is what the platform sent then.
_SOURCES = """
with sample as (
  select system, type, rejected, attributes, event_time from source_record
  where domain = :domain and not deleted order by rec_id desc limit :sample
),
told as (
  select s.system, s.type, s.event_time,
    json_typeof(s.rejected) = 'object' and s.rejected::text <> '{}' as rejects,
    (select array_agg(a.key) from json_each_text(s.attributes) a where a.value is not null) as names
  from sample s
),
width as (
  select system, type, count(distinct name) as attributes
  from told cross join lateral unnest(names) as name group by system, type
),
span as (
  select min(event_time) as low, greatest(max(event_time), min(event_time) + interval '1 second') as high from told
)
select t.system, t.type, least(width_bucket(extract(epoch from t.event_time), extract(epoch from p.low),
    extract(epoch from p.high), :steps), :steps) as step,
  count(*) as records, count(*) filter (where t.rejects) as rejecting,
  sum(cardinality(coalesce(t.names, '{}'))) as stated, max(w.attributes) as attributes, max(t.event_time) as until
from told t cross join span p left join width w on w.system = t.system and w.type = t.type
group by 1, 2, 3 order by 1, 2, 3
"""
_REJECTED = """
with sample as (
  select system, type, key, rejected from source_record
  where domain = :domain and not deleted and rejected::text <> '{}' order by rec_id desc limit :sample
)
select s.system, s.type, r.key as attribute, r.value as reason, count(*) as records, (array_agg(s.key))[1:3] as samples
from sample s, json_each_text(s.rejected) r group by 1, 2, 3, 4 order by records desc limit 30
"""
_IDENTIFIERS = """
with sample as (
  select "values" from golden where entity_id >= :low and entity_id < :high and known_to is null
  order by entity_id desc limit :sample
)
select i->>'type' as type, count(*) as total,
  count(*) filter (where coalesce(i->>'checksum', i->>'state') = 'valid') as valid,
  count(*) filter (where coalesce(i->>'checksum', i->>'state') = 'invalid') as invalid
from sample s, jsonb_array_elements(s."values"->'identifiers') i group by 1 order by 1
"""
_SHARING = """
with sample as (
  select members from golden where entity_id >= :low and entity_id < :high and known_to is null
  order by entity_id desc limit :sample
)
select count(*) filter (where members = 1) as single, coalesce(max(members), 0) as most,
  -- The index of the list holds all that is asked here; no row is read.
  (select count(*) from golden where domain = :domain and known_to is null) as total
from sample
"""
_FIRST = """
select known_from from golden where entity_id >= :low and entity_id < :high order by entity_id, version limit 1
"""
# Ids sort by age, so the newest records of a moment are found by walking the primary key back from that moment's id.
# The name '' counts the records themselves.
_TREND = """
select m.at, k.name, count(*) as records
from unnest(cast(:moments as timestamptz[]), cast(:bounds as text[])) as m(at, bound)
cross join lateral (
  select g."values" from golden g
  where g.entity_id >= :low and g.entity_id < m.bound
    and g.known_from <= m.at and (g.known_to is null or g.known_to > m.at)
  order by g.entity_id desc, g.version desc limit :sample
) s
cross join lateral (select '' as name union all select jsonb_object_keys(s."values")) k
group by m.at, k.name
"""


@dataclass(frozen=True, slots=True)
class Past:
    """How it was at a moment: golden records looked at, and how many of them stated each attribute."""

    at: datetime
    of_all: int
    filled: Mapping[str, int]

    def share(self, name: str) -> float:
        """The share of the records that stated an attribute."""
        return self.filled.get(name, 0) / self.of_all


@dataclass(frozen=True, slots=True)
class Filled:
    """How many golden records state an attribute, with some that do not."""

    name: str
    filled: int
    of_all: int
    failing: Sequence[str]


@dataclass(frozen=True, slots=True)
class SourceStep:
    """The rows of a table whose newest version was made in one step of time.

    Attributes:
        rejecting: rows with a value that was rejected.
        stated: attributes that the rows state, together; `attributes` is how many a row of the table can state.
        until: when the newest of the rows was made.
    """

    records: int
    rejecting: int
    stated: int
    attributes: int
    until: datetime

    @property
    def accepted(self) -> float:
        return 1 - self.rejecting / self.records

    @property
    def complete(self) -> float:
        return self.stated / (self.records * self.attributes) if self.attributes else 0.0


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """The rows of a table as a whole, and by the step of time in which they were last changed, the oldest first."""

    system: str
    type: str
    whole: SourceStep
    steps: Sequence[SourceStep]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Values of one attribute that were rejected for one reason, with keys of some rows."""

    system: str
    type: str
    attribute: str
    reason: str
    records: int
    samples: Sequence[str]


@dataclass(frozen=True, slots=True)
class IdentifierQuality:
    """Identifiers of one type by the state of their checksum; the rest cannot be verified."""

    type: str
    total: int
    valid: int
    invalid: int


def filled(connection: Connection, domain: Domain, names: Sequence[str]) -> Sequence[Filled]:
    """How often each attribute is stated, in the order of the names."""
    low, high = id_range(domain)
    parameters = {"low": low, "high": high, "names": list(names), "sample": SAMPLE}
    found = {
        row.name: Filled(row.name, row.filled, row.of_all, row.failing or ())
        for row in connection.execute(text(_FILLED), parameters)
    }
    return [found[name] for name in names if name in found]


def trend(connection: Connection, domain: Domain, now: datetime) -> Sequence[Past]:
    """How complete the newest golden records were at even steps since the first one, or over the last twelve weeks."""
    low, high = id_range(domain)
    first = connection.scalar(text(_FIRST), {"low": low, "high": high})
    if first is None or first >= now:
        return ()
    start = max(first, now - _TREND_LENGTH)
    moments = [start + (now - start) * step / _MOMENTS for step in range(1, _MOMENTS + 1)]
    found: dict[datetime, dict[str, int]] = {}
    parameters = {
        "low": low, "moments": moments, "bounds": [id_range(domain, at)[1] for at in moments], "sample": TREND_SAMPLE
    }  # fmt: skip
    for row in connection.execute(text(_TREND), parameters):
        found.setdefault(row.at, {})[row.name] = row.records
    return [Past(at, filled.pop(""), filled) for at, filled in sorted(found.items())]


def sources(connection: Connection, domain: Domain) -> Sequence[SourceQuality]:
    """Per table how many of its rows are accepted as they came, and how complete they are, now and by time."""
    parameters = {"domain": domain.value, "sample": SAMPLE, "steps": _MOMENTS}
    tables: dict[tuple[str, str], list[SourceStep]] = {}
    for row in connection.execute(text(_SOURCES), parameters):
        step = SourceStep(row.records, row.rejecting, int(row.stated), row.attributes or 0, row.until)
        tables.setdefault((row.system, row.type), []).append(step)
    return [SourceQuality(system, kind, _together(steps), steps) for (system, kind), steps in tables.items()]


def _together(steps: Sequence[SourceStep]) -> SourceStep:
    return SourceStep(
        sum(each.records for each in steps), sum(each.rejecting for each in steps),
        sum(each.stated for each in steps), max(each.attributes for each in steps), max(each.until for each in steps),
    )  # fmt: skip


def rejections(connection: Connection, domain: Domain) -> Sequence[Rejection]:
    rows = connection.execute(text(_REJECTED), {"domain": domain.value, "sample": SAMPLE})
    return [Rejection(*row) for row in rows]


def identifiers(connection: Connection, domain: Domain) -> Sequence[IdentifierQuality]:
    low, high = id_range(domain)
    rows = connection.execute(text(_IDENTIFIERS), {"low": low, "high": high, "sample": SAMPLE})
    return [IdentifierQuality(*row) for row in rows]


def sharing(connection: Connection, domain: Domain) -> tuple[int, int, int]:
    """Golden records with one source row only and the most source rows that one has, of the sample; all of them."""
    low, high = id_range(domain)
    parameters = {"domain": domain.value, "low": low, "high": high, "sample": SAMPLE}
    row = connection.execute(text(_SHARING), parameters).one()
    return row.single, row.total, row.most
