"""The process that consumes a shuffled change log in a scratch schema, and is killed while it does so.

`python -m mdm.workers.shuffled` reads its orders as one JSON object from standard input, so that a database password
never stands in the list of processes. It is started by `mdm.workers.convergence` only.
"""

import os
import sys
from dataclasses import dataclass

import msgspec

from mdm.clock import system_clock
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.shuffle import consume_from, reached
from mdm.intake.catalogue import load_catalogue
from mdm.settings import read_settings
from mdm.store.scratch import scratch_engine


@dataclass(frozen=True, slots=True)
class Orders:
    """Where to work, and how many deliveries to go back first, as a consumer whose last commits were lost does."""

    url: str
    schema: str
    seed: int
    back: int
    #: Most events in one unit of work.
    largest: int
    #: Fingerprint of the rules as they ship; releases of the hub that stand in for some were laid out beside the log.
    rules: str


def main() -> None:
    """Consume until nothing is left."""
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    settings = read_settings(os.environ)
    catalogue = load_catalogue(settings.sources)
    rules = load_rules(catalogue, settings.models_dir, settings.placement, settings.reconciliation)
    if rules.fingerprint != orders.rules:
        sys.exit("The replaying process does not read the rules of the live hub: their documents were changed.")
    engine = scratch_engine(orders.url, orders.schema)
    pipeline = Pipeline(engine, system_clock, catalogue, rules)
    start: int | None = max(0, reached(pipeline) - orders.back)
    while start is not None:
        start = consume_from(pipeline, start, orders.seed, orders.largest)
    engine.dispose()


if __name__ == "__main__":
    main()
