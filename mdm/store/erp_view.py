"""Which version of each golden record an ERP is served: what is to be judged, what was decided, what is held back.

Judging happens elsewhere (`mdm.hub.erp_gates`). One judges a domain for an ERP at a time: whoever claims its row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, select, text

from mdm.model.ids import Domain, EntityId
from mdm.store.read_golden import GOLDEN_COLUMNS, GoldenRow, golden_row
from mdm.store.scoped import visible_text
from mdm.store.tables import golden
from mdm.store.unit_of_work import UnitOfWork

_CLAIM = """
select seq, gates, since from erp_gate where erp = :erp and domain = :domain for update skip locked
"""
_WAITS = """
select exists (
  select from golden g where g.domain = :domain and g.known_to is null and g.seq > coalesce(
    (select seq from erp_gate e where e.erp = :erp and e.domain = :domain and e.gates = :gates), -1))
or exists (select from erp_version v where v.erp = :erp and v.domain = :domain and v.due <= :now)
"""
# Of a version that is held back, what the gates rest on may be other by now: there is a newer verdict, or the ERP knows
# what it refers to; the latter is looked for once in a while. Or it waited for its time, or somebody agreed to it.
_HELD_DUE = """
select v.entity_id from erp_version v left join verdict d on d.entity_id = v.entity_id and d.erp = v.erp
where v.erp = :erp and v.domain = :domain and v.reasons <> '[]'
  and (d.evaluated_at > v.judged_at or v.judged_at < :stale or v.due <= :now
       or v.reasons @> '[{"gate": "sensitive"}]' and v.due is null and exists (
         select from erp_question q where q.entity_id = v.entity_id and q.erp = v.erp and q.status = 'approved'))
order by v.entity_id limit :limit
"""
# A version that was let through is not called back, whatever the gates say later; a later one is held to them. What
# only waits for its time is not told as held back, nor that it no longer is. A version without a significant difference
# is served in the place of the one before: nobody who follows the view meets the record again for it.
_LOUD = """jsonb_path_query_array({reasons}, '$[*] ? (@.gate != "time")')"""
_WRITE = f"""
insert into erp_version as v (entity_id, erp, domain, version, since, judged, judged_at, reasons, due, told)
values (:entity_id, :erp, :domain, :version, :since, :judged, :now, cast(:reasons as jsonb), :due, not :loud)
on conflict (entity_id, erp) do update set
  version = coalesce(excluded.version, v.version),
  since = case when excluded.version is distinct from v.version and (v.version is null or :significant)
               then coalesce(excluded.since, v.since) else v.since end,
  judged = excluded.judged, judged_at = excluded.judged_at,
  reasons = case when v.version = excluded.judged then '[]' else excluded.reasons end,
  due = case when v.version = excluded.judged then null else excluded.due end,
  told = v.version is not distinct from excluded.judged
    or v.told and {_LOUD.format(reasons="v.reasons")} = {_LOUD.format(reasons="excluded.reasons")}
      and (excluded.told or v.judged = excluded.judged)
where v.judged <= excluded.judged
"""
# What an ERP is served of golden records, with its values, and until when a newer version waits for others.
_BEFORE = """
select v.entity_id, v.version, v.due, v.reasons, g."values" from erp_version v
left join golden g on g.entity_id = v.entity_id and g.version = v.version
where v.erp = :erp and v.entity_id = any(:ids)
"""
_LINEAGES = """
select entity_id, lineage from golden where known_to is null and entity_id = any(:ids)
"""
_PAGE = """
select v.entity_id, v.erp, v.domain, v.version, v.since, v.judged, v.judged_at, v.reasons, g.name, q.proposal_id
from erp_version v join golden g on g.entity_id = v.entity_id and g.known_to is null
left join erp_question q on q.entity_id = v.entity_id and q.erp = v.erp
where v.erp = :erp and v.reasons <> '[]' and (cast(:domain as text) is null or v.domain = :domain)
  and v.entity_id > :after {reach} order by v.entity_id limit :limit
"""
_OF = """
select v.entity_id, v.erp, v.domain, v.version, v.since, v.judged, v.judged_at, v.reasons, g.name, q.proposal_id
from erp_version v join golden g on g.entity_id = v.entity_id and g.known_to is null
left join erp_question q on q.entity_id = v.entity_id and q.erp = v.erp
where v.entity_id = any(:ids) and (cast(:erp as text) is null or v.erp = :erp) {reach} order by v.entity_id, v.erp
"""
_COUNTS = """
select v.domain, count(*) filter (where v.version is not null) as served, count(*) filter (where v.reasons <> '[]')
  as held, count(*) filter (where v.version is null) as never
from erp_version v join golden g on g.entity_id = v.entity_id and g.known_to is null
where v.erp = :erp {reach} group by v.domain
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an ERP is served of a golden record. `reasons` say why version `judged` is not; empty when it is.

    `proposal_id` asks whether the ERP may have what a platform changed in sensitive attributes.
    """

    entity_id: EntityId
    erp: str
    domain: Domain
    version: int | None
    since: datetime | None
    judged: int
    judged_at: datetime
    reasons: Sequence[Mapping[str, Any]]
    name: str
    proposal_id: int | None = None

    @property
    def held(self) -> bool:
        return bool(self.reasons)


@dataclass(frozen=True, slots=True)
class Judged:
    """A version that was judged; with reasons it is held back.

    Attributes:
        due: when it is judged again because it only waits for its time.
        significant: it differs from what is served in something that the ERP is to be told.
    """

    row: GoldenRow
    reasons: Sequence[Mapping[str, Any]]
    due: datetime | None = None
    significant: bool = True


@dataclass(frozen=True, slots=True)
class Before:
    """What an ERP is served when a newer version is judged; no version when none ever passed."""

    version: int | None = None
    due: datetime | None = None
    reasons: Sequence[Mapping[str, Any]] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """The turn to judge a domain for an ERP, until the transaction ends: from where on, and the last instant given."""

    seq: int
    since: datetime


def waits(connection: Connection, erp: str, domain: Domain, gates: str, now: datetime) -> bool:
    """Whether a current golden version was not judged by these gates yet, or the time has come of one that waits."""
    asked = {"erp": erp, "domain": domain.value, "gates": gates, "now": now}
    return bool(connection.scalar(text(_WAITS), asked))


def claim(connection: Connection, erp: str, domain: Domain, gates: str, now: datetime) -> Claim | None:
    """Take the turn; None when somebody else has it. Other gates than last time begin at the beginning."""
    names = {"erp": erp, "domain": domain.value}
    connection.execute(
        text(
            """insert into erp_gate (erp, domain, seq, gates, since) values (:erp, :domain, -1, :gates, :now)
               on conflict do nothing"""
        ),
        {**names, "gates": gates, "now": now},
    )
    row = connection.execute(text(_CLAIM), names).one_or_none()
    if row is None:
        return None
    return Claim(row.seq if row.gates == gates else -1, max(row.since, now))


def to_judge(connection: Connection, domain: Domain, seq: int, limit: int) -> list[GoldenRow]:
    """Up to `limit` current golden versions behind a place of the change feed, in its order."""
    rows = connection.execute(
        select(*GOLDEN_COLUMNS)
        .where(golden.c.domain == domain.value, golden.c.known_to.is_(None), golden.c.seq > seq)
        .order_by(golden.c.seq)
        .limit(limit)
    )
    return [golden_row(row) for row in rows]


def to_judge_again(
    connection: Connection, erp: str, domain: Domain, stale: datetime, now: datetime, limit: int
) -> list[EntityId]:
    """Golden records of which a version is held back that was judged before `stale`, or before the newest verdict, or
    that may pass now: its time has come, or somebody agreed to it."""
    names = {"erp": erp, "domain": domain.value, "limit": limit, "stale": stale, "now": now}
    return [EntityId(row[0]) for row in connection.execute(text(_HELD_DUE), names)]


def served_before(connection: Connection, erp: str, ids: Sequence[EntityId]) -> dict[EntityId, Before]:
    """What an ERP is served of these golden records; those that were never judged are absent."""
    rows = connection.execute(text(_BEFORE), {"erp": erp, "ids": list(ids)})
    return {EntityId(row[0]): Before(row[1], row[2], row[3], row[4] or {}) for row in rows}


def lineages(connection: Connection, ids: Sequence[EntityId]) -> dict[EntityId, Mapping[str, Any]]:
    """The lineage of the current versions of these golden records."""
    return {EntityId(row[0]): row[1] for row in connection.execute(text(_LINEAGES), {"ids": list(ids)})} if ids else {}


def write_judged(
    connection: Connection, erp: str, domain: Domain, judged: Sequence[Judged], turn: Claim, now: datetime
) -> datetime:
    """Store what was decided, in its order; returns the last instant that was given out."""
    instant = turn.since
    rows = []
    for each in judged:
        instant += timedelta(microseconds=1)
        passed = not each.reasons
        rows.append(
            {
                "entity_id": each.row.entity_id, "erp": erp, "domain": domain.value, "now": now,
                "version": each.row.version if passed else None, "since": instant if passed else None,
                "judged": each.row.version, "reasons": orjson.dumps(list(each.reasons)).decode(),
                "due": each.due, "significant": each.significant,
                "loud": any(why["gate"] != "time" for why in each.reasons),
            }
        )  # fmt: skip
    if rows:
        connection.execute(text(_WRITE), rows)
    return instant


def advance(connection: Connection, erp: str, domain: Domain, seq: int, gates: str, since: datetime) -> None:
    """Everything up to a place of the feed is judged by these gates."""
    connection.execute(
        text("update erp_gate set seq = :seq, gates = :gates, since = :since where erp = :erp and domain = :domain"),
        {"erp": erp, "domain": domain.value, "seq": seq, "gates": gates, "since": since},
    )


def standings(connection: Connection, ids: Iterable[str], erp: str | None = None) -> list[Standing]:
    """What an ERP, or every one, is served of these golden records; those that were never judged are absent."""
    reach, granted = _reach(connection)
    rows = connection.execute(text(_OF.format(reach=reach)), {"ids": list(ids), "erp": erp, **granted})
    return [_standing(row) for row in rows]


def held_back(connection: Connection, erp: str, domain: Domain | None, after: str, limit: int) -> list[Standing]:
    """Golden records of which a version is held back, by id, behind one."""
    reach, granted = _reach(connection)
    asked = {"erp": erp, "domain": domain.value if domain else None, "after": after, "limit": limit}
    return [_standing(row) for row in connection.execute(text(_PAGE.format(reach=reach)), asked | granted)]


def counted(connection: Connection, erp: str) -> dict[str, dict[str, int]]:
    """By domain, how many golden records are served, of how many a version is held back, of how many none passed."""
    reach, granted = _reach(connection)
    rows = connection.execute(text(_COUNTS.format(reach=reach)), {"erp": erp, **granted})
    return {row.domain: {"served": row.served, "held": row.held, "never": row.never} for row in rows}


def erps(connection: Connection) -> list[str]:
    """The ERPs that something was judged for."""
    return list(connection.scalars(text("select distinct erp from erp_gate order by erp")))


def untold(work: UnitOfWork, limit: int) -> list[Standing]:
    """What became of judged versions and was not announced yet; marked as announced by this unit of work."""
    rows = work.query(
        """update erp_version v set told = true from golden g
           where (v.entity_id, v.erp) in (select entity_id, erp from erp_version where not told
                                          order by entity_id, erp limit %s for update skip locked)
             and g.entity_id = v.entity_id and g.known_to is null
           returning v.entity_id, v.erp, v.domain, v.version, v.since, v.judged, v.judged_at, v.reasons, g.name,
             (select q.proposal_id from erp_question q where q.entity_id = v.entity_id and q.erp = v.erp)""",
        limit,
    )
    return sorted((_standing(row) for row in rows), key=lambda each: (each.entity_id, each.erp))


def _reach(connection: Connection) -> tuple[str, dict[str, Any]]:
    condition, parameters = visible_text(connection, "v.entity_id")
    return (f"and {condition}" if condition else "", dict(parameters))


def _standing(row: Sequence[Any]) -> Standing:
    entity_id, erp, domain, *rest = row
    return Standing(EntityId(entity_id), erp, Domain(domain), *rest)
