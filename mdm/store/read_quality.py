"""How complete and how trustworthy master data are: per attribute of golden records, and per source table."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mdm.model.ids import Domain

#: Golden records looked at; of more a sample is taken, and the page says so.
SAMPLE = 20_000

_FILLED = """
with sample as (
  select entity_id, "values" from golden
  where domain = :domain and known_to is null
  order by entity_id collate "C" desc limit :sample
)
select a.name, count(s.entity_id) filter (where s."values" ? a.name) as filled, count(s.entity_id) as of_all,
  (array_agg(s.entity_id) filter (where not s."values" ? a.name))[1:3] as failing
from unnest(cast(:names as text[])) as a(name) cross join sample s group by a.name
"""
_SOURCES = """
with sample as (
  select system, type, rejected, attributes from source_record
  where domain = :domain and not deleted order by rec_id desc limit :sample
)
select s.system, s.type, count(*) as records,
  count(*) filter (where json_typeof(s.rejected) = 'object' and s.rejected::text <> '{}') as rejecting
from sample s group by s.system, s.type order by s.system, s.type
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
  select "values" from golden where domain = :domain and known_to is null
  order by entity_id collate "C" desc limit :sample
)
select i->>'type' as type, count(*) as total,
  count(*) filter (where coalesce(i->>'checksum', i->>'state') = 'valid') as valid,
  count(*) filter (where coalesce(i->>'checksum', i->>'state') = 'invalid') as invalid
from sample s, jsonb_array_elements(s."values"->'identifiers') i group by 1 order by 1
"""
_SHARING = """
select count(*) filter (where members = 1) as single, count(*) as total, coalesce(max(members), 0) as most
from golden where domain = :domain and known_to is null
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """How many golden records state an attribute, with some that do not."""

    name: str
    filled: int
    of_all: int
    failing: Sequence[str]


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """How many rows of a table had a value that was rejected."""

    system: str
    type: str
    records: int
    rejecting: int


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
    parameters = {"domain": domain.value, "names": list(names), "sample": SAMPLE}
    found = {
        row.name: Filled(row.name, row.filled, row.of_all, row.failing or ())
        for row in connection.execute(text(_FILLED), parameters)
    }
    return [found[name] for name in names if name in found]


def sources(connection: Connection, domain: Domain) -> Sequence[SourceQuality]:
    rows = connection.execute(text(_SOURCES), {"domain": domain.value, "sample": SAMPLE})
    return [SourceQuality(*row) for row in rows]


def rejections(connection: Connection, domain: Domain) -> Sequence[Rejection]:
    rows = connection.execute(text(_REJECTED), {"domain": domain.value, "sample": SAMPLE})
    return [Rejection(*row) for row in rows]


def identifiers(connection: Connection, domain: Domain) -> Sequence[IdentifierQuality]:
    rows = connection.execute(text(_IDENTIFIERS), {"domain": domain.value, "sample": SAMPLE})
    return [IdentifierQuality(*row) for row in rows]


def sharing(connection: Connection, domain: Domain) -> tuple[int, int, int]:
    """Golden records with one source row only, all of them, and the most source rows that one has."""
    row = connection.execute(text(_SHARING), {"domain": domain.value}).one()
    return row.single, row.total, row.most
