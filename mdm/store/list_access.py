"""Who was shown golden records in lists, searches, exports and the change feed: a row each, found again by record.

What was in an answer is told by its ends, not by its records: a page in the order of change by the first and the last
place in that order, an export by its ids and its instant. Whether a record was between them is asked of its versions
when somebody looks. Only pages in another order (a search, at most a page) keep the ids. Words that were searched for
are not kept: they may be somebody's name.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, delete, text
from sqlalchemy.dialects.postgresql import insert

from mdm.model.ids import Domain
from mdm.store.access_log import KEPT
from mdm.store.tables_access import list_access

What = Literal["list", "search", "export", "feed"]


@dataclass(frozen=True, slots=True)
class Listing:
    """An answer with several golden records of a domain (of any, where none is named).

    Attributes:
        narrowed: filters of a list that its records meet: `country`, `status`, `updated_since`.
        reach: the scope of the caller, as its JSON; empty when it reaches everything.
        first, last: places in the order of change, both in the answer.
        after, until: ids of an export: beyond the first, up to the second if there is one.
        as_of: the instant of an export.
        ids: what a search has found.
    """

    what: What
    domain: Domain | None
    records: int
    narrowed: Mapping[str, str] = field(default_factory=dict)
    reach: Mapping[str, Any] = field(default_factory=dict)
    first: int | None = None
    last: int | None = None
    after: str | None = None
    until: str | None = None
    as_of: datetime | None = None
    ids: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Names what was in it; the same list read again has the same."""
        content = orjson.dumps(asdict(replace(self, records=0)), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(content).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class ListedTo:
    """Who was given lists or exports with a record in them, alike ones together."""

    key_id: str
    role: str
    way: str
    what: What
    narrowed: Mapping[str, str]
    times: int
    records: int
    first_at: datetime
    last_at: datetime
    label: str | None


@dataclass(frozen=True, slots=True)
class Given:
    """A listing, who got it, and when."""

    listing: Listing
    key_id: str
    role: str
    way: str
    at: datetime


def write_listings(connection: Connection, given: Sequence[Given]) -> None:
    """Keep what was given; the same to the same in the same hour is counted. The caller commits."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for each in given:
        hour = each.at.replace(minute=0, second=0, microsecond=0)
        known = rows.get((each.key_id, each.way, hour, each.listing.digest))
        if known is not None:
            known["reads"] += 1
            known["last_at"] = each.at
            continue
        listing = each.listing
        rows[each.key_id, each.way, hour, listing.digest] = {
            "key_id": each.key_id, "role": each.role, "way": each.way, "hour": hour, "digest": listing.digest,
            "what": listing.what, "domain": listing.domain.value if listing.domain else None,
            "narrowed": dict(listing.narrowed), "reach": dict(listing.reach), "records": listing.records,
            "first_seq": listing.first, "last_seq": listing.last, "after_id": listing.after,
            "until_id": listing.until, "as_of": listing.as_of, "ids": list(listing.ids) or None,
            "reads": 1, "first_at": each.at, "last_at": each.at,
        }  # fmt: skip
    if not rows:
        return
    new = insert(list_access)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["key_id", "way", "hour", "digest"],
            set_={"reads": list_access.c.reads + new.excluded.reads, "last_at": new.excluded.last_at},
        ),
        # In one order everywhere, so that two processes never wait for each other in a circle.
        [rows[key] for key in sorted(rows, key=str)],
    )


def forget_old_listings(connection: Connection, now: datetime) -> None:
    """Forget listings that are older than they are kept. The caller commits."""
    connection.execute(delete(list_access).where(list_access.c.hour < now - KEPT))


#: Whether a version `g` was in a listing `l`. A caller's scope is held against where the record belongs now, as all
#: history is. What a list leaves out is what its filters leave out.
_WAS_IN = """
  (l.domain is null or l.domain = g.domain)
  and case l.what
    when 'feed' then g.seq between l.first_seq and l.last_seq
    when 'export' then g.entity_id > l.after_id and (l.until_id is null or g.entity_id <= l.until_id)
      and g.known_from <= l.as_of and (g.known_to is null or g.known_to > l.as_of)
    else g.seq between l.first_seq and l.last_seq
      and g.known_from <= l.last_at and (g.known_to is null or g.known_to > l.first_at)
      and (l.narrowed->>'country' is null or l.narrowed->>'country' = g."values"->>'country')
      and (l.narrowed->>'status' is null or l.narrowed->>'status' = g."values"->>'status')
      and (l.narrowed->>'updated_since' is null or g.known_from >= (l.narrowed->>'updated_since')::timestamptz)
    end
"""
_REACHED = " and ".join(
    f"""(l.reach->'{name}' is null or exists (select from placement p where p.entity_id = g.entity_id
        and p.{name} && (array(select jsonb_array_elements_text(l.reach->'{name}')) || '{{*}}'::text[])))"""
    for name in ("regions", "business_units", "legal_entities")
)
_LISTED_TO = f"""
with version as materialized (
  select entity_id, domain, seq, known_from, known_to, "values" from golden where entity_id = any(:ids)
), held as (
  select l.* from list_access l
  where l.ids && cast(:ids as text[]) and l.hour >= :since
  union
  select l.* from list_access l
  where l.ids is null and l.hour >= :since
    and exists (select from version g where {_WAS_IN} and {_REACHED}
                and (l.reach->'domains' is null or l.reach->'domains' ? g.domain))
)
select h.key_id, h.role, h.way, h.what, h.narrowed, sum(h.reads) as times, max(h.records) as records,
  min(h.first_at) as first_at, max(h.last_at) as last_at, coalesce(max(k.label), max(c.name)) as label
from held h
left join api_key k on k.key_id = h.key_id
left join console_account c on 'user:' || c.username = h.key_id
group by h.key_id, h.role, h.way, h.what, h.narrowed order by max(h.last_at) desc, h.key_id limit :limit
"""


def listed_to(connection: Connection, ids: Sequence[str], since: datetime, limit: int) -> Sequence[ListedTo]:
    """Who was given a record, under any of its ids, among others since an instant; the latest first."""
    rows = connection.execute(text(_LISTED_TO), {"ids": list(ids), "since": since, "limit": limit})
    return [ListedTo(**{**row._mapping, "times": int(row.times)}) for row in rows]
