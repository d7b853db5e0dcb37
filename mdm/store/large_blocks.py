"""The blocks of a whole domain that pair nobody, counted in one look at all keys; what changes little asks by block."""

from collections.abc import Sequence
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


def find_large(work: UnitOfWork, domain: Domain, cap: int) -> Sequence[LargeBlock]:
    """The blocks above the model's own cap, `cap`.

    Those of coarse rules above theirs are found as well, and only kept for `perhaps_stuck`: there may be very many.
    """
    work.stage("stage_large_block", "block bigint, size bigint, member bigint", ())
    work.execute(
        """insert into stage_large_block
           select k.block, k.size, k.member
           from (select block, count(*) as size, min(rec_id) as member from block_key group by block
                 having count(*) > greatest(%s::int >> (block & %s)::int, 2)) k
           join source_record r on r.rec_id = k.member where r.domain = %s""",
        cap,
        HALVINGS,
        domain.value,
    )
    rows = work.query(
        "select block, size, member from stage_large_block where (block & %s) = 0 order by block", HALVINGS
    )
    return [LargeBlock(block, size, RecordId(member)) for block, size, member in rows]


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
