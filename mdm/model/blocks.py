"""The number of a blocking key: a hash, of which two bits say how many records may carry it to be paired by it.

So whoever meets a block knows its cap, in memory and in SQL, without knowing which rule made it.
"""

#: The bits that say how often the model's cap is halved; also the most that it can be.
HALVINGS = 3


def cap_of(most: int, block: int) -> int:
    """How many records may carry this block's key to be paired by it, where the model's cap is `most`."""
    return halved(most, block & HALVINGS)


def caps_of(most: int) -> tuple[int, ...]:
    """The same for many blocks: what `cap_of` says of one is at `block & HALVINGS`."""
    return tuple(halved(most, times) for times in range(HALVINGS + 1))


def coarse(block: int) -> bool:
    """Whether this block's cap is lower than the model's. Too many in such a block are no question of their own."""
    return bool(block & HALVINGS)


def halved(most: int, times: int) -> int:
    """A cap halved so many times; two records may always be paired."""
    return max(2, most >> times)


def numbered(digest: int, halvings: int) -> int:
    """A key's block, from an unsigned hash of 64 bits: signed, as PostgreSQL has them."""
    block = digest & ~HALVINGS | halvings
    return block - (1 << 64) if block >> 63 else block
