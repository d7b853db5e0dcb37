"""What candidates are decided from: blocking keys, shared evidence and references, looked up set-based.

Every query starts from known keys and probes an index once per key (`cross join lateral ... offset 0` leaves the
planner no other way), so it costs what the batch touches, whatever the size of the hub and the state of its statistics.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mdm.model.blocks import HALVINGS, caps_of
from mdm.model.candidates import Pair, Stated, crossed, growth, pairs_within, usable
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.store.claims import block_claim, block_claims, hold, name_claim, token_claim
from mdm.store.unit_of_work import UnitOfWork

__all__ = ["Pair"]


def keys_of(work: UnitOfWork, ids: Collection[RecordId]) -> set[tuple[int, RecordId]]:
    """The stored blocking keys of these records, as (block, record)."""
    rows = work.probe(
        """select k.block, k.rec_id from unnest(%s::bigint[]) as r(id)
           cross join lateral (select block, rec_id from block_key where rec_id = r.id offset 0) k""",
        list(ids),
    )
    return {(row[0], RecordId(row[1])) for row in rows}


def claim_connections(work: UnitOfWork, ids: Collection[RecordId], cap: int) -> None:
    """Claim everything through which these records could be found by others: names, blocks, what is stated of them.

    Afterwards nobody else can change what they are compared by, or join what they are compared with.
    """
    while ids and not work.alone and not hold(work, *connections_of(work, ids, cap)):
        pass


def connections_of(work: UnitOfWork, ids: Collection[RecordId], cap: int) -> tuple[set[int], set[int]]:
    """The claims on the names and stored blocks of these records, and on what is stated of them: own and shared ones.

    `cap` is that of their domain's model.
    """
    blocks = {block for block, _ in keys_of(work, ids)}
    guess_crowded(work, blocks, cap)
    claims, shared = block_claims(work, blocks)
    for *name, token in work.probe(
        """select r.system, r.type, r.key, e.token from unnest(%s::bigint[]) as i(id)
           cross join lateral (select system, type, key from source_record where rec_id = i.id offset 0) r
           left join lateral (
               select token from record_evidence
               where system = r.system and type = r.type and key = r.key offset 0) e on true""",
        list(ids),
    ):
        claims.add(name_claim(CrosswalkKey(*name)))
        if token is not None:
            claims.add(token_claim(token))
    return claims, shared


def members_of(work: UnitOfWork, blocks: Collection[int], cap: int, more: int = 1) -> dict[int, list[RecordId]]:
    """Of each block as many members as its cap, where the model's is `cap`, and up to `more`."""
    rows = work.probe(
        """select b.block, array(select rec_id from block_key where block = b.block
                                 limit greatest(%s::int >> (b.block & %s)::int, 2) + %s)
           from unnest(%s::bigint[]) as b(block)""",
        cap,
        HALVINGS,
        more,
        list(blocks),
    )
    return {block: members for block, members in rows if members}


def guess_crowded(work: UnitOfWork, blocks: Collection[int], cap: int) -> None:
    """Where others are at work, look which of these blocks are above their cap, before they are claimed.

    What is shared may be added to by several at once. A worker alone is not held up by looking.
    """
    if work.alone or not work.hub.accompanied:
        return
    unknown = set(blocks) - work.hub.crowded(blocks)
    rows = work.probe(
        """select b.block from unnest(%s::bigint[]) as b(block)
           where exists (select from block_key where block = b.block
                         offset greatest(%s::int >> (b.block & %s)::int, 2) limit 1)""",
        list(unknown),
        cap,
        HALVINGS,
    )
    work.hub.seen({row[0] for row in rows}, ())


def _lasting_members(
    work: UnitOfWork, blocks: Collection[int], cap: int, more: int = 1, grown: Mapping[int, int] | None = None
) -> dict[int, list[RecordId]]:
    """The same, as it is until this unit of work ends, for blocks that are claimed.

    Where the claim on a block is shared, others may add to it meanwhile. That changes nothing while it is above its
    cap without what this unit of work added; one that is not is claimed alone, and looked at again.

    Args:
        grown: by how much this unit of work made blocks grow; `more` is greater than that.

    Raises:
        Overlap: somebody else shares the claim on such a block.
    """
    caps, added = caps_of(cap), grown or {}
    while True:
        members = members_of(work, blocks, cap, more)
        if work.alone:
            return members
        above = {b for b, there in members.items() if len(there) - added.get(b, 0) > caps[b & HALVINGS]}
        work.hub.seen(above, set(blocks) - above)
        if hold(work, map(block_claim, work.relied_on.intersection(blocks) - above)):
            return members


def sizes_of(work: UnitOfWork, blocks: Collection[int], most: int) -> dict[int, int]:
    """How many records are in each block, counted as far as `most`."""
    rows = work.probe(
        """select b.block, (select count(*) from (select from block_key where block = b.block limit %s) k)
           from unnest(%s::bigint[]) as b(block)""",
        most,
        list(blocks),
    )
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True, slots=True)
class Replaced:
    """What replacing keys did to blocks.

    Attributes:
        grown: by how much each block grew.
        members: of every block that grew or shrank, so many that it shows whether it crossed its cap.
        crossed: blocks that have come to be above their cap, or to be no longer.
        others: live records in those that were not themselves replaced.
    """

    grown: Mapping[int, int]
    members: Mapping[int, Sequence[RecordId]]
    crossed: Collection[int]
    others: set[RecordId]

    def found_anew(self, cap: int) -> set[RecordId]:
        """The others in blocks that have come to pair their members."""
        small = usable({block: self.members.get(block, ()) for block in self.crossed}, cap)
        return self.others & {rec for members in small for rec in members}


def replace_keys(
    work: UnitOfWork,
    keys: Mapping[RecordId, Collection[int]],
    gone: Collection[RecordId],
    cap: int,
    arrived: Collection[RecordId] = (),
) -> Replaced:
    """Store the blocking keys of these records and forget those of the gone; the `arrived` had none."""
    grown = store_keys(work, keys, gone, arrived)
    # A block that grew by n has crossed its cap only if it has no more than cap + n members now.
    members = _lasting_members(work, grown, cap, max(map(abs, grown.values()), default=0) + 1, grown)
    over = crossed(members, grown, cap)
    replaced = {*keys, *gone}
    return Replaced(grown, members, over, {rec for block in over for rec in members.get(block, ())} - replaced)


def store_keys(
    work: UnitOfWork,
    keys: Mapping[RecordId, Collection[int]],
    gone: Collection[RecordId] = (),
    arrived: Collection[RecordId] = (),
) -> dict[int, int]:
    """The same, where nobody asks what it did to blocks; returns by how much each grew."""
    ids = [*keys, *gone]
    old = keys_of(work, [rec for rec in ids if rec not in arrived])
    new = {(block, rec) for rec, blocks in keys.items() for block in blocks}
    removed, added = old - new, new - old
    if removed:
        hold(work, {block_claim(block) for block, _ in removed})
        work.execute(
            """delete from block_key k using unnest(%s::bigint[], %s::bigint[]) as s(block, rec_id)
               where k.block = s.block and k.rec_id = s.rec_id""",
            [block for block, _ in removed],
            [rec for _, rec in removed],
        )
    work.copy("block_key", ("block", "rec_id"), sorted(added))
    return {block: number for block, number in growth(removed, added).items() if number}


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of some records, and the members of each, one more than its cap at most."""

    of: Mapping[RecordId, Collection[int]]
    members: Mapping[int, Sequence[RecordId]]

    def share(self, a: RecordId, b: RecordId, cap: int) -> bool:
        """Whether a block that is not too large finds this pair. The blocks of either must be among these."""
        mine, other = (a, b) if a in self.of else (b, a)
        shared = {block: self.members[block] for block in self.of.get(mine, ()) if block in self.members}
        return any(other in members for members in usable(shared, cap))

    def usable(self, cap: int) -> list[Sequence[RecordId]]:
        """The members of those blocks that pair them."""
        return usable(self.members, cap)

    def too_large(self, cap: int) -> set[int]:
        """The blocks that pair nobody."""
        caps = caps_of(cap)
        return {block for block, members in self.members.items() if len(members) > caps[block & HALVINGS]}


def blocks_of(
    work: UnitOfWork,
    ids: Collection[RecordId],
    cap: int,
    keys: Mapping[RecordId, Collection[int]] | None = None,
    members: Mapping[int, Sequence[RecordId]] | None = None,
) -> Blocks:
    """The stored blocks of these records.

    Args:
        keys: blocks of some of them that are known already.
        members: members of some of the blocks that are known already, one more than their cap or further.
    """
    known = {} if members is None else members
    blocks: dict[RecordId, list[int]] = {rec: list(each) for rec, each in (keys or {}).items() if each}
    for block, rec in keys_of(work, [rec for rec in ids if keys is None or rec not in keys]):
        blocks.setdefault(rec, []).append(block)
    wanted = {block for each in blocks.values() for block in each}
    found = _lasting_members(work, wanted - known.keys(), cap)
    return Blocks(blocks, found | {block: known[block] for block in wanted & known.keys()})


def blocked_pairs(work: UnitOfWork, ids: Collection[RecordId], cap: int) -> set[Pair]:
    """Pairs of one of these records with any record that shares a block that is not too large."""
    return pairs_within(blocks_of(work, ids, cap).usable(cap), set(ids))


def columns_of(names: Iterable[CrosswalkKey]) -> tuple[list[str], list[str], list[str]]:
    """Names as three parallel arrays, in order."""
    ordered = sorted(names)
    return [name.system for name in ordered], [name.type for name in ordered], [name.key for name in ordered]


@dataclass(frozen=True, slots=True)
class Touched:
    """What writing the mirror changed beside the rows themselves.

    `names` are the names under which changed records can be referenced; `evidence` what is newly, or no longer, stated;
    `targets` the names by which changed contracts and offers refer to others.
    """

    names: frozenset[CrosswalkKey]
    evidence: frozenset[Stated]
    targets: frozenset[CrosswalkKey] = frozenset()


def contracts_by_target(
    work: UnitOfWork, ids: Collection[RecordId], names: Collection[CrosswalkKey], cap: int
) -> set[RecordId]:
    """Live contract records that refer to these records, directly, by alias, or through an offer of them.

    They, and the names by which they refer, are claimed. `cap` is that of the contracts' model.
    """
    while True:
        targets = set(names) | all_names(work, ids)
        if hold(work, map(name_claim, targets)):
            break
    while True:
        referring = _referring(work, targets)
        offers = {name for _, role, _, name in referring if role == "offer_of"} - targets
        if hold(work, map(name_claim, offers)):
            break
    if offers:
        referring += _referring(work, offers)
    contracts = {
        rec_id for rec_id, role, domain, _ in referring if domain == Domain.CONTRACT and role in ("customer", "product")
    }
    claim_connections(work, contracts, cap)
    return contracts


def all_names(work: UnitOfWork, ids: Collection[RecordId]) -> set[CrosswalkKey]:
    """Every name of these records."""
    rows = work.probe(
        """select n.system, n.type, n.key from unnest(%s::bigint[]) as i(id) cross join lateral (
               select system, type, key from source_record where rec_id = i.id
               union all select system, type, key from record_alias where rec_id = i.id) n""",
        list(ids),
    )
    return {CrosswalkKey(*row) for row in rows}


def _referring(
    work: UnitOfWork, names: Collection[CrosswalkKey]
) -> list[tuple[RecordId, str, str | None, CrosswalkKey]]:
    """Live records that refer to these names: the record, in which role, its domain, its own name."""
    rows = work.probe(
        """select f.rec_id, f.role, r.domain, r.system, r.type, r.key
           from unnest(%s::text[], %s::text[], %s::text[]) as n(s, t, k)
           cross join lateral (
               select rec_id, role from record_reference
               where system = n.s and type = n.t and key = n.k and role in ('customer', 'product', 'offer_of')
               offset 0) f
           cross join lateral (
               select domain, system, type, key from source_record
               where rec_id = f.rec_id and not deleted offset 0) r""",
        *columns_of(names),
    )
    return [(RecordId(row[0]), row[1], row[2], CrosswalkKey(*row[3:])) for row in rows]


def record_names(work: UnitOfWork, ids: Collection[RecordId]) -> dict[RecordId, CrosswalkKey]:
    """The own name of each of these records."""
    if not ids:
        return {}
    rows = work.query("select rec_id, system, type, key from source_record where rec_id = any(%s)", list(ids))
    return {RecordId(row[0]): CrosswalkKey(*row[1:]) for row in rows}


def own_names(work: UnitOfWork, ids: Collection[RecordId]) -> dict[RecordId, list[CrosswalkKey]]:
    """Every name of each of these records: its row's, and its aliases."""
    names: dict[RecordId, list[CrosswalkKey]] = defaultdict(list)
    for rec_id, *name in work.probe(
        """select i.id, n.system, n.type, n.key from unnest(%s::bigint[]) as i(id) cross join lateral (
               select system, type, key from source_record where rec_id = i.id
               union all select system, type, key from record_alias where rec_id = i.id) n""",
        list(ids),
    ):
        names[RecordId(rec_id)].append(CrosswalkKey(*name))
    return names


def entity_of_departed(work: UnitOfWork, ids: Sequence[RecordId]) -> dict[RecordId, EntityId]:
    """The entity each of these records still carries a crosswalk to."""
    if not ids:
        return {}
    rows = work.query("select rec_id, entity_id from crosswalk where rec_id = any(%s)", list(ids))
    return {RecordId(row[0]): EntityId(row[1]) for row in rows}
