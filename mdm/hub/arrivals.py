"""What the rows of a feed would do to the hub: found out by taking them in on a copy of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mdm.hub.process import Pipeline
from mdm.hub.trial import on_a_copy
from mdm.model.arrivals import Arrivals, Since
from mdm.store.read_arrivals import read_arrivals, state_before
from mdm.store.reading import snapshot


@dataclass(frozen=True, slots=True)
class Arriving:
    """A hub that rows are about to be taken in by."""

    pipeline: Pipeline
    since: Since

    def arrivals(self, rows: int | None) -> Arrivals:
        """What came since; so many rows of each fate are told one by one, or all of them."""
        with snapshot(self.pipeline.engine) as work:
            return read_arrivals(work, self.since, rows, self.pipeline.rules.platforms.erps)


def begin(pipeline: Pipeline) -> Arriving:
    """Take down the state of the hub before rows come."""
    with snapshot(pipeline.engine) as work:
        return Arriving(pipeline, state_before(work, pipeline.clock()))


@contextmanager
def arriving(pipeline: Pipeline, progress: Callable[[str], None]) -> Iterator[Arriving]:
    """A copy of the hub to take rows in on; it is dropped in the end, and nobody waits for it.

    Raises:
        Conflict: somebody else looks at a feed just now.
    """
    with on_a_copy(pipeline, "dry_run", progress, to_take_in=True) as inside:
        yield begin(inside)
