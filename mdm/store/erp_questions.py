"""Changes of sensitive attributes that an ERP was not served yet: which is asked about, and what became of it.

Judging writes them down (`mdm.hub.erp_gates`), one for each golden record and ERP at a time; asking and answering are
units of work (`mdm.hub.asking_erp`, `mdm.hub.steward`). ERPs that would see the same change share one question.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

from mdm.model.ids import Domain, EntityId
from mdm.store.unit_of_work import UnitOfWork

# Another change than before is another question; the same one keeps what was answered.
_RAISE = """
insert into erp_question as q (entity_id, erp, change, attributes, served, version, status, proposal_id)
select :entity_id, :erp, :change, :attributes, :served, :version, coalesce(o.status, 'open'), o.proposal_id
from (values (1)) as one(n) left join lateral (
  select status, proposal_id from erp_question
  where entity_id = :entity_id and change = :change and erp <> :erp order by erp limit 1) o on true
on conflict (entity_id, erp) do update set change = excluded.change, attributes = excluded.attributes,
  served = excluded.served, version = excluded.version, status = excluded.status, proposal_id = excluded.proposal_id
where q.change <> excluded.change
"""
_AGREED = """
select o.override_id from golden_override o join decision d using (decision_id)
where o.override_id = any(:ids) and d.approved_by is not null
"""
# What nobody needs to answer any more: the values differ no longer, or in another way, or the record has ended.
_MOOT = """
select p.proposal_id from proposal p where p.kind = 'let_through' and p.status = 'open'
  and not exists (select from erp_question q where q.proposal_id = p.proposal_id and q.status = 'open')
order by p.proposal_id
"""
_UNASKED = """
select q.entity_id, g.domain, q.change, min(q.attributes), min(q.served), min(q.version),
  min(q.proposal_id) filter (where p.status = 'open' and p.expires_at > %s)
from erp_question q join golden g on g.entity_id = q.entity_id and g.known_to is null
left join proposal p on p.proposal_id = q.proposal_id where q.status = 'open'
group by q.entity_id, g.domain, q.change
having bool_or(q.proposal_id is null or p.status <> 'open' or p.expires_at <= %s)
order by q.entity_id, q.change limit %s
"""
_REJECTED = """
select distinct q.entity_id, q.change, q.attributes, g.lineage::text
from erp_question q join golden g on g.entity_id = q.entity_id and g.version = q.version where q.status = 'rejected'
order by q.entity_id, q.change
"""


@dataclass(frozen=True, slots=True)
class Raised:
    """A change of sensitive attributes between the version that an ERP is served and another one."""

    entity_id: EntityId
    change: str
    attributes: tuple[str, ...]
    served: int
    version: int


@dataclass(frozen=True, slots=True)
class Unasked:
    """A change that waits for a proposal. `proposal_id` is an open one about the same change for another ERP."""

    entity_id: EntityId
    domain: Domain
    change: str
    attributes: tuple[str, ...]
    served: int
    version: int
    proposal_id: int | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A change that somebody did not agree to, with the lineage of the version that first held it."""

    entity_id: EntityId
    change: str
    attributes: tuple[str, ...]
    lineage: Mapping[str, Any]


def note_changes(
    connection: Connection, erp: str, raised: Sequence[Raised], without: Collection[EntityId]
) -> dict[EntityId, str]:
    """Write down what differs, and forget it of golden records `without` a difference; returns what became of each
    change: open, approved or rejected."""
    if without:
        connection.execute(
            text("delete from erp_question where erp = :erp and entity_id = any(:ids)"),
            {"erp": erp, "ids": sorted(without)},
        )
    if not raised:
        return {}
    rows = [
        {
            "entity_id": each.entity_id, "erp": erp, "change": each.change, "attributes": list(each.attributes),
            "served": each.served, "version": each.version,
        }
        for each in raised
    ]  # fmt: skip
    connection.execute(text(_RAISE), rows)
    found = connection.execute(
        text("select entity_id, status from erp_question where erp = :erp and entity_id = any(:ids)"),
        {"erp": erp, "ids": [each.entity_id for each in raised]},
    )
    return {EntityId(row[0]): row[1] for row in found}


def pins_agreed_to(connection: Connection, overrides: Collection[int]) -> set[int]:
    """Those of these overrides that a second person agreed to."""
    return set(connection.scalars(text(_AGREED), {"ids": sorted(overrides)})) if overrides else set()


def moot_proposals(work: UnitOfWork) -> list[int]:
    """Open proposals about changes that no ERP waits for any more. Forgets those of golden records that have ended."""
    work.execute(
        """delete from erp_question q
           where not exists (select from golden g where g.entity_id = q.entity_id and g.known_to is null)"""
    )
    return [row[0] for row in work.query(_MOOT)]


def unasked(work: UnitOfWork, limit: int) -> list[Unasked]:
    """Changes that nobody was asked about yet, or whose proposal expired unanswered."""
    return [
        Unasked(EntityId(row[0]), Domain(row[1]), row[2], tuple(row[3]), *row[4:])
        for row in work.query(_UNASKED, work.now, work.now, limit)
    ]


def note_asked(work: UnitOfWork, entity_id: EntityId, change: str, proposal_id: int) -> None:
    """A proposal asks about this change now."""
    work.execute(
        "update erp_question set proposal_id = %s where entity_id = %s and change = %s and status = 'open'",
        proposal_id, entity_id, change,
    )  # fmt: skip


def note_answer(work: UnitOfWork, entity_id: EntityId, change: str, status: str) -> int:
    """What became of this change, for every ERP; returns for how many it was open."""
    return work.execute(
        """update erp_question set status = %s
           where entity_id = %s and change = %s and status = 'open' and proposal_id is not null""",
        status, entity_id, change,
    )  # fmt: skip


def rejected(work: UnitOfWork) -> list[Rejected]:
    """Changes that are held back because somebody did not agree."""
    return [Rejected(EntityId(row[0]), row[1], tuple(row[2]), orjson.loads(row[3])) for row in work.query(_REJECTED)]


def tell_owners(work: UnitOfWork, kind: str, told: Sequence[tuple[str, str, str, str, str, str, str]]) -> None:
    """Raise an exception for each of these (question, code, platform, table, detail, owner, place), and close those of
    this kind that are not among them. One that is open, or accepted, stays as it is."""
    for question, code, system, type_, detail, owner, place in told:
        work.execute(
            """insert into exception as e (question, kind, code, system, type, detail, owner, place, first_seen,
                   last_seen)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
               on conflict (question) do update set seen = e.seen + 1, last_seen = excluded.last_seen, status = 'open',
                   detail = excluded.detail, owner = excluded.owner, closed_at = null, closed_by = null,
                   closed_reason = null
               where e.status = 'resolved'""",
            question, kind, code, system or None, type_ or None, detail, owner, place, work.now, work.now,
        )  # fmt: skip
    work.execute(
        """update exception set status = 'resolved', closed_at = %s, closed_by = 'hub',
               closed_reason = 'The change is gone, or another one.'
           where kind = %s and status = 'open' and not question = any(%s::text[])""",
        work.now, kind, [each[0] for each in told],
    )  # fmt: skip
