"""Claims: what a unit of work must have before it reads, so that no two that run beside each other can miss each other.

Whatever could connect two records has a claim: a name (a row's key, an alias, what a reference points at), a blocking
key, an evidence token, an entity. Claims are advisory transaction locks, given back by the commit. Two rules make this
safe. Nothing is relied on that was read before its claim was held, unless nobody has committed since. And only the
first claims of a stage may wait, in one order for all; whatever is found later is claimed at once or not at all.
"""

from collections.abc import Collection, Iterable

from xxhash import xxh3_64_intdigest

from mdm.model.ids import CrosswalkKey, EntityId
from mdm.store.unit_of_work import Overlap, UnitOfWork

_SIGN = 1 << 63


class NeedsAll(Overlap):
    """This unit of work touches so much that it must have the hub for itself. Nothing was written."""

    code = "NEEDS_ALL"


def name_claim(name: CrosswalkKey) -> int:
    """The claim on a row, and on everything that points at it."""
    return _claim(f"name\x1f{name.system}\x1f{name.type}\x1f{name.key}")


def block_claim(block: int) -> int:
    """The claim on a block: who is in it."""
    return _claim(f"block\x1f{block}")


def block_claims(work: UnitOfWork, blocks: Collection[int]) -> tuple[set[int], set[int]]:
    """The claims on these blocks: those to have alone, and those to share, of blocks remembered as above their cap.

    What is shared is only relied on to stay above it: look at it once it is held (`mdm.store.pairs`), and claim alone
    whatever this unit of work takes members from.
    """
    crowded = set[int]() if work.alone else work.hub.crowded(blocks)
    work.relied_on |= crowded
    return {block_claim(block) for block in blocks if block not in crowded}, set(map(block_claim, crowded))


def token_claim(token: str) -> int:
    """The claim on a piece of evidence: about whom it is stated."""
    return _claim(f"token\x1f{token}")


def entity_claim(entity_id: EntityId) -> int:
    """The claim on an entity: its members and its golden record."""
    return _claim(f"entity\x1f{entity_id}")


def _claim(text: str) -> int:
    digest = xxh3_64_intdigest(text.encode())
    return digest - (1 << 64) if digest >= _SIGN else digest


def hold(work: UnitOfWork, exclusive: Iterable[int], shared: Iterable[int] = (), *, wait: bool = False) -> bool:
    """Make sure that these claims are held.

    Args:
        exclusive: claims on what this unit of work may change.
        shared: claims on what it only relies on.
        wait: wait for others; otherwise a claim that somebody else holds ends this unit of work.

    Returns:
        True when everything that was read so far still stands. False when somebody has committed in the meantime, so
        that what these claims are about must be read again.

    Raises:
        Overlap: another unit of work holds one of the claims.
        NeedsAll: these are more claims than one unit of work may take.
    """
    if work.alone:
        return True
    wanted = dict.fromkeys(shared, False) | dict.fromkeys(exclusive, True)
    new = {key: mine for key, mine in wanted.items() if key not in work.held or (mine and not work.held[key])}
    if not new:
        return True
    if len(work.held) + len(new) > work.most_claims:
        raise NeedsAll(f"{len(work.held) + len(new)} claims are more than the server's lock table allows.")
    ordered = sorted(new)
    _take(work, ordered, [new[key] for key in ordered], wait)
    work.held |= new
    work.refresh_now()
    return work.nothing_committed()


def _take(work: UnitOfWork, keys: Collection[int], mine: list[bool], wait: bool) -> None:
    if wait:
        work.query(
            """select count(case when c.mine then pg_advisory_xact_lock(c.key)::text
                                 else pg_advisory_xact_lock_shared(c.key)::text end)
               from unnest(%s::bigint[], %s::boolean[]) as c(key, mine)""",
            list(keys),
            mine,
        )
        return
    refused = work.query(
        """select c.key from unnest(%s::bigint[], %s::boolean[]) as c(key, mine)
           where not case when c.mine then pg_try_advisory_xact_lock(c.key)
                          else pg_try_advisory_xact_lock_shared(c.key) end""",
        list(keys),
        mine,
    )
    if refused:
        raise Overlap(
            f"{len(refused)} of {len(keys)} claims are held by another unit of work.",
            frozenset(row[0] for row in refused),
        )
