"""The blocks of whole domains that pair nobody, counted in one look at all keys; what changes little asks by block."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mdm.model.blocks import HALVINGS
from mdm.model.ids import Domain, RecordId
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class LargeBlock:
    """A block above its cap: how many records are in it, and one of them."""

    block: int
    size: int
    member: RecordId


@dataclass(frozen=True, slots=True)
class Crowd:
    """Blocks above their cap, counted: how many, the records in any of them, and the pairs of each that it does not
    make, whether or not another block makes them."""

    blocks: int
    records: int
    pairs: int


def find_large(work: UnitOfWork, domain: Domain, cap: int) -> Sequence[LargeBlock]:
    """The blocks above the model's own cap, `cap`.

    Those of coarse rules above theirs are found, too, and only kept for `perhaps_stuck`: there may be very many.
    """
    look_for_large(work, {domain: cap})
    return large_of(work, domain, fine_only=True)


def look_for_large(work: UnitOfWork, caps: Mapping[Domain, int]) -> None:
    """Look at all keys, once, and stage the blocks above their caps for what asks about them after this.

    Args:
        caps: the cap of each domain's model.
    """
    work.stage("stage_large_block", "block bigint, size bigint, member bigint, domain text", ())
    work.execute(
        """insert into stage_large_block
           select k.block, k.size, k.member, r.domain
           from (select block, count(*) as size, min(rec_id) as member from block_key group by block
                 having count(*) > greatest(%s::int >> (block & %s)::int, 2)) k
           join source_record r on r.rec_id = k.member
           join unnest(%s::text[], %s::int[]) c (domain, cap) on c.domain = r.domain
           where k.size > greatest(c.cap >> (k.block & %s)::int, 2)""",
        min(caps.values()),
        HALVINGS,
        [domain.value for domain in caps],
        list(caps.values()),
        HALVINGS,
    )


def large_of(work: UnitOfWork, domain: Domain, *, fine_only: bool = False) -> list[LargeBlock]:
    """What `look_for_large` found of a domain; with `fine_only` without the blocks of coarse rules."""
    rows = work.query(
        """select block, size, member from stage_large_block
           where domain = %s and (not %s or (block & %s) = 0) order by block""",
        domain.value,
        fine_only,
        HALVINGS,
    )
    return [LargeBlock(block, size, RecordId(member)) for block, size, member in rows]


def crowds_by_halvings(work: UnitOfWork) -> dict[tuple[Domain, int], Crowd]:
    """What `look_for_large` found, by domain and by how often the model's cap is halved for a block."""
    rows = work.query(
        """select l.domain, (l.block & %s)::int, count(distinct l.block), count(distinct k.rec_id),
               sum(l.size * (l.size - 1) / 2) filter (where k.rec_id = l.member)
           from stage_large_block l join block_key k on k.block = l.block group by 1, 2 order by 1, 2""",
        HALVINGS,
    )
    return {(Domain(domain), halvings): Crowd(*map(int, counts)) for domain, halvings, *counts in rows}


def crowds_by_rule(work: UnitOfWork, domain: Domain, rules: Iterable[tuple[int, str]]) -> dict[str, Crowd]:
    """What `look_for_large` found of a domain, by rule; `rules` names that of each block, "" stands for none."""
    work.stage("stage_block_rule", "block bigint, rule text", rules)
    rows = work.query(
        """select coalesce(b.rule, ''), count(distinct l.block), count(distinct k.rec_id),
               sum(l.size * (l.size - 1) / 2) filter (where k.rec_id = l.member)
           from stage_large_block l join block_key k on k.block = l.block
           left join stage_block_rule b on b.block = l.block
           where l.domain = %s group by 1 order by 1""",
        domain.value,
    )
    return {rule: Crowd(*map(int, counts)) for rule, *counts in rows}


def members_at(work: UnitOfWork, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], RecordId]:
    """The members of blocks at these places, as (block, place): 0 is the record that the hub knew first."""
    work.stage("stage_place", "block bigint, place bigint", sorted(set(places)))
    rows = work.query(
        """select s.block, s.place, m.rec_id from (select distinct block from stage_place) b
           cross join lateral (
               select rec_id, row_number() over (order by rec_id) - 1 as place from block_key
               where block = b.block offset 0) m
           join stage_place s on s.block = b.block and s.place = m.place"""
    )
    return {(block, place): RecordId(rec) for block, place, rec in rows}


def perhaps_stuck(work: UnitOfWork, own_rules: int) -> list[RecordId]:
    """Records in blocks that `find_large` found and in hardly any others: no more than their own names can make.

    Args:
        own_rules: how many rules make a key of each name of a record.
    """
    rows = work.query(
        """select k.rec_id from block_key k left join stage_large_block l on l.block = k.block
           group by k.rec_id having count(l.block) > 0
             and count(*) - count(l.block)
                 <= %s * (1 + (select count(*) from record_alias a where a.rec_id = k.rec_id))
           order by k.rec_id""",
        own_rules,
    )
    return [RecordId(row[0]) for row in rows]
