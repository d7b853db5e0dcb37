"""How long a release of survivorship rules takes on a store: trying it, putting it into force, taking it back.

python -m bench.releases --records 20000 [--store FOLDER]: the store is kept there, and used again by the next run.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine, text

from bench.company_events import messages
from mdm.access import Role
from mdm.bootstrap import open_hub
from mdm.clock import system_clock
from mdm.hub import releases
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.hub.steward import Actor
from mdm.intake.catalogue import load_catalogue
from mdm.model.ids import Domain
from mdm.model.releases import RuleKind
from mdm.settings import Settings
from mdm.store import migrate

_BATCH = 5000
_OLD, _NEW = "rank: [{best_supported: name}", "rank: [longest, {best_supported: name}"
_ANNA, _BEN, _CLARA = Actor("anna", Role.RULE_AUTHOR), Actor("ben", Role.DATA_OWNER), Actor("clara", Role.RELEASER)


def main(arguments: Sequence[str]) -> int:
    """Ingest, release, take back, print. Fails where the state afterwards is not the one before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--store", type=Path, help="where the store is kept; a temporary folder if not given")
    options = parser.parse_args(arguments)
    folder = nullcontext(options.store) if options.store else tempfile.TemporaryDirectory(prefix="mdm-bench-")
    with folder as data, open_hub(Settings(Path(data), None, _BATCH, 10**9)) as hub:
        migrate.upgrade(hub.engine)
        catalogue = load_catalogue(None)
        pipeline = Pipeline(hub.engine, system_clock, catalogue, load_rules(catalogue))
        if not _filled(hub.engine):
            source = messages(options.records)
            while batch := list(islice(source, _BATCH)):
                process(pipeline, "bench", batch)
        result = _measure(pipeline)
    sys.stdout.write(json.dumps({"records": options.records, **result}, indent=2) + "\n")
    return 0 if result["same_state"] else 1


def _measure(pipeline: Pipeline) -> dict[str, object]:
    seconds: dict[str, float] = {}

    def timed(name: str, begun: float) -> None:
        seconds[name] = round(time.perf_counter() - begun, 2)

    begun = time.perf_counter()
    before = state_digest(pipeline.engine).state
    timed("state digest", begun)
    document = pipeline.rules.rulesets[Domain.CUSTOMER].document.replace(_OLD, _NEW)
    made = releases.draft(pipeline, _ANNA, RuleKind.SURVIVORSHIP, Domain.CUSTOMER, "bench", document)
    begun = time.perf_counter()
    told = releases.simulate(pipeline, _ANNA, made.release_id)
    timed("simulate", begun)
    releases.approve(pipeline, _BEN, made.release_id)
    begun = time.perf_counter()
    done = releases.activate(pipeline, _CLARA, made.release_id)
    timed("activate", begun)
    begun = time.perf_counter()
    releases.roll_back(pipeline, _CLARA, made.release_id, "bench")
    timed("roll back", begun)
    return {
        "golden_customers": told.report["entities"],
        "told": told.report["golden_changed"],
        "done": done.run.report["golden_changed"],
        "seconds": seconds,
        "same_state": state_digest(pipeline.engine).state == before,
    }


def _filled(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.scalar(text("select exists (select 1 from golden)")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
