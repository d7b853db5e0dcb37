"""Sums over the whole hub are kept for some seconds where they are large, for each scope by itself."""

from itertools import count

from sqlalchemy import Engine

from api.console.kept import kept
from mdm.access import Scope
from mdm.store.scoped import scoped


def test_what_is_large_is_kept_and_what_is_small_is_made_anew(engine: Engine) -> None:
    numbers = count()

    def made(of: Engine, *, large: bool, seconds: float = 60) -> int:
        return kept(of, "numbers", lambda: next(numbers), large=lambda _: large, seconds=seconds)

    assert [made(engine, large=False) for _ in range(2)] == [0, 1]
    assert [made(engine, large=True) for _ in range(3)] == [2, 2, 2]
    part = scoped(engine, Scope(regions=frozenset({"EMEA"})))
    assert made(part, large=True) == 3, "whoever reaches a part is not told the sums of all"
    assert made(engine, large=False) == 2
    assert made(engine, large=False, seconds=0) == 4, "and what has become small is no longer kept"
    assert made(engine, large=False) == 5
