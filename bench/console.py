"""How fast the console's pages are: queue and review pages over HTTP, with many records and their open questions.

python -m bench.console --records 100000 [--store FOLDER]: the store is kept there, and used again by the next run.
"""

import argparse
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path

import httpx
from sqlalchemy import text

from bench.api import serving
from bench.company_events import messages
from mdm.access import FORMER_STEWARD
from mdm.bootstrap import open_hub
from mdm.clock import system_clock
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.hub.worklist import rank_open_tasks
from mdm.intake.catalogue import load_catalogue
from mdm.settings import Settings
from mdm.store import accounts, migrate

_BATCH = 5000
_PAGES = 200


def main(arguments: Sequence[str]) -> int:
    """Ingest, serve, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--store", type=Path, help="where the store is kept; a temporary folder if not given")
    options = parser.parse_args(arguments)
    with nullcontext(options.store) if options.store else tempfile.TemporaryDirectory(prefix="mdm-bench-") as folder:
        settings = Settings(Path(folder), None, _BATCH, 10**9)
        with open_hub(settings) as hub:
            migrate.upgrade(hub.engine)
            catalogue = load_catalogue(None)
            pipeline = Pipeline(hub.engine, system_clock, catalogue, load_rules(catalogue))
            begun = time.perf_counter()
            # A store that was begun and not finished is read on: what it has taken in already is only counted.
            filled = Path(folder) / f"filled-{options.records}"
            if not filled.exists():
                source = messages(options.records)
                while batch := list(islice(source, _BATCH)):
                    process(pipeline, "bench", batch)
                filled.touch()
            ingested = time.perf_counter() - begun
            begun = time.perf_counter()
            ranked = rank_open_tasks(hub.engine, pipeline.rules, system_clock())
            result: dict[str, object] = {
                "records": options.records,
                "ingest_seconds": round(ingested, 1),
                "questions": ranked,
                "rank_seconds": round(time.perf_counter() - begun, 1),
            }
            with hub.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("analyze"))
                tasks = list(connection.scalars(text("select task_id from task_priority order by rank desc limit 200")))
            with hub.engine.begin() as connection:
                name = f"bench{secrets.token_hex(4)}"
                password = accounts.create_account(connection, name, "Bench", FORMER_STEWARD)
            environment = {**os.environ, "MDM_DATA_DIR": str(folder)}
            environment.pop("MDM_DATABASE_URL", None)
            with (
                serving(environment, ["-m", "mdm.cli", "serve"]) as served,
                httpx.Client(base_url=f"http://127.0.0.1:{served.port}", follow_redirects=True, timeout=30) as client,
            ):
                _sign_in(client, name, password)
                result |= {
                    "home": _measure(client, lambda _: "/console/"),
                    "queue": _measure(client, lambda _: "/console/reviews"),
                    "queue narrowed": _measure(client, lambda _: "/console/reviews?country=DE&weight_from=1"),
                    "review": _measure(client, lambda number: f"/console/reviews/{tasks[number % len(tasks)]}"),
                    "preview": _measure(
                        client, lambda number: f"/console/reviews/{tasks[number % len(tasks)]}/preview"
                    ),
                }
    print(json.dumps(result, indent=2))  # noqa: T201
    return 0


def _sign_in(client: httpx.Client, name: str, password: str) -> None:
    form = client.get("/console/sign-in").text
    token = form.partition('name="csrf" value="')[2].partition('"')[0]
    client.post("/console/sign-in", data={"csrf": token, "username": name, "password": password})


def _measure(client: httpx.Client, address: Callable[[int], str]) -> dict[str, float]:
    """Milliseconds from request to the last byte, one request after the other."""
    taken = sorted(_times(client, address))
    return {"p50": round(statistics.median(taken), 1), "p95": round(taken[int(len(taken) * 0.95)], 1)}


def _times(client: httpx.Client, address: Callable[[int], str]) -> Iterator[float]:
    for number in range(_PAGES):
        begun = time.perf_counter()
        answer = client.get(address(number))
        answer.raise_for_status()
        yield (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
