"""How often a worker looks for garbage.

A unit of work makes some hundred thousand small values and drops them together. Python's collector, left at its
defaults, walks the caches of the matcher again and again meanwhile, which took a third of a worker's time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: New objects before the collector looks at the young ones; how many such rounds before the middle-aged and the old.
_THRESHOLDS = (500_000, 20, 50)


@contextmanager
def rare_collection() -> Iterator[None]:
    """Collect garbage rarely while the block runs. Values are freed as before; only unreachable cycles live longer."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
