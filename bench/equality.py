"""Does the stream end where the batch does? One world through both, and the digests of the two hubs beside each other.

One hub takes the world in record by record, as it arrives; the other takes its rows in bulk and matches them at once on
an engine. Golden values and memberships of every domain must be the same.

    python -m bench.equality --world DIR [--batch-size 500] [--engine spark]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mdm.bootstrap import open_hub
from mdm.clock import system_clock
from mdm.engines import open_engine
from mdm.hub.digest import StateDigest, state_digest
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.rematch import in_bulk, rematch
from mdm.intake.catalogue import load_catalogue
from mdm.settings import Settings
from mdm.store import migrate
from mdm.streams.file import FileFeed
from mdm.workers.ingest import drain

_BUNDLED = Path(__file__).parent.parent / "mdm" / "demo" / "world"


def main(arguments: Sequence[str]) -> int:
    """Print both digests and what each took; the exit code is 1 when they differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--world", type=Path, default=_BUNDLED, help="folder with events/ (default: the sample world)")
    parser.add_argument("--batch-size", type=int, default=1000)
    parser.add_argument("--engine", choices=("duckdb", "spark", "python"), default="duckdb", help="of the batch")
    options = parser.parse_args(arguments)
    found = [_digest(options.world / "events", options.batch_size, engine) for engine in (None, options.engine)]
    if found[0] == found[1]:
        print("the stream and the batch hold the same state")  # noqa: T201
        return 0
    differing = [domain.value for domain, value in found[0].domains.items() if value != found[1].domains[domain]]
    print(f"the stream and the batch differ in {', '.join(differing)}")  # noqa: T201
    return 1


def _digest(events: Path, batch_size: int, engine: str | None) -> StateDigest:
    catalogue = load_catalogue(None)
    with (
        tempfile.TemporaryDirectory(prefix="mdm-bench-") as folder,
        open_hub(Settings(Path(folder), None, batch_size, 10**9)) as hub,
    ):
        migrate.upgrade(hub.engine)
        pipeline = Pipeline(hub.engine, system_clock, catalogue, load_rules(catalogue))
        start = time.perf_counter()
        feed = FileFeed(events)
        drain(in_bulk(pipeline) if engine else pipeline, feed, batch_size=batch_size, dead_letter_limit=10**9)
        if engine:
            rematch(pipeline, open_engine(engine), "bench")
        digest = state_digest(hub.engine)
    name = f"batch ({engine})" if engine else "stream"
    entities = ", ".join(f"{number:,} {domain.plural}" for domain, number in digest.entities.items())
    print(f"{name:<14} {digest.state[:16]}  {entities}  {time.perf_counter() - start:.0f} s", flush=True)  # noqa: T201
    return digest


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
