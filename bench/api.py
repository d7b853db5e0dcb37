"""What the API costs: reads by id, search, export and classification over 100,000 golden records, one server process.

The peer is a bare FastAPI route on the same server program that does one primary-key select and answers its JSON: the
ratio says what keys, roles, masking, references, entity tags, limits, metrics and the request log cost on top.

    python -m bench.api [--records 100000] [--seconds 8] [--store FOLDER] [--only search --only bare]
"""

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, text

from bench.golden import fill, some_ids
from bench.processor import processor
from mdm.access import Role, Scope
from mdm.bootstrap import open_hub
from mdm.core.placing import shipped_plan
from mdm.hub.placing import place_everything
from mdm.settings import read_settings
from mdm.store import api_keys, migrate

#: Clients that each wait for an answer before they ask again.
_CONNECTIONS = 8

_PARTS = ("read", "scoped", "verdict", "search", "classify", "export", "bare")


def main(arguments: Sequence[str]) -> int:
    """Fill a hub, serve it, measure; `--json` for machines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="golden customers")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each load measurement")
    parser.add_argument("--store", type=Path, help="where the filled store is kept; a temporary folder if not given")
    parser.add_argument(
        "--only", action="append", choices=_PARTS, help="measure this part; may be given more than once"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with nullcontext(options.store) if options.store else tempfile.TemporaryDirectory(prefix="mdm-bench-") as folder:
        environment = {**os.environ, "MDM_DATA_DIR": str(folder)}
        environment.pop("MDM_DATABASE_URL", None)
        with open_hub(read_settings(environment)) as hub:
            migrate.upgrade(hub.engine)
            filled = Path(folder) / f"filled-{options.records}"
            if not filled.exists():
                note(f"filling {options.records:,} golden records")
                fill(hub.engine, options.records)
                note("placing them")
                place_everything(hub.engine, hub.clock, shipped_plan(), "bench")
                with hub.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.execute(text("vacuum analyze placement"))
                filled.touch()
            with hub.engine.begin() as connection:
                keys = [api_keys.issue_key(connection, Role.ERP, "bench") for _ in range(_CONNECTIONS)]
                limited = api_keys.issue_key(connection, Role.ERP, "bench", Scope(regions=frozenset({"EMEA"})))
            parts = frozenset(options.only or _PARTS)
            result = _measure(hub.engine, environment, keys, limited, options.seconds, parts)
    print(json.dumps(result, indent=2) if options.json else _written(result))  # noqa: T201
    return 0


def _measure(
    engine: Engine,
    environment: dict[str, str],
    keys: Sequence[str],
    limited: str,
    seconds: float,
    parts: Collection[str],
) -> dict[str, Any]:
    key = keys[0]
    ids = some_ids(engine, 10_000)
    names = some_ids(engine, 400, column="name")
    paths = [f"/v1/customers/{each}" for each in ids]
    result: dict[str, Any] = {}
    with serving(environment, ["-m", "mdm.cli", "serve"]) as served:
        port = served.port
        measures: dict[str, Callable[[], Any]] = {
            "read": lambda: asyncio.run(load(port, paths, keys, seconds)),
            "scoped": lambda: asyncio.run(load(port, paths, [limited], seconds)),
            "verdict": lambda: verdicts(port, key, ids[:400]),
            "search": lambda: search(engine, served, key, names),
            "classify": lambda: classify(port, key, ids),
            "export": lambda: export(port, key),
        }
        for part, measure in measures.items():
            if part in parts:
                note(part)
                result[part] = measure()
    if "bare" in parts:
        note("the bare route")
        database = {"BENCH_DATABASE": engine.url.render_as_string(False)}
        with serving({**environment, **database}, ["-m", "bench.bare"]) as bare:
            result["bare"] = asyncio.run(load(bare.port, [f"/{each}" for each in ids], keys, seconds))
    if {"read", "bare"} <= parts:
        result["ratio_to_bare"] = round(
            result["read"]["requests_per_second"] / result["bare"]["requests_per_second"], 2
        )
    return result


@dataclass(frozen=True, slots=True)
class Served:
    """A server process that answers."""

    port: int
    pid: int


@contextmanager
def serving(environment: dict[str, str], program: list[str]) -> Iterator[Served]:
    """A server process on a free port, ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, *program, "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise RuntimeError(f"{command} ended with {process.returncode}")
            try:
                httpx.get(f"http://127.0.0.1:{port}/livez")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


async def load(port: int, paths: Sequence[str], keys: Sequence[str], seconds: float) -> dict[str, float]:
    """Requests as fast as they are answered, on kept-alive connections; the first second warms up.

    Connections use the keys in turn, because one key alone may not send as many requests as a process answers.
    """
    heads = [f"HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\n\r\n".encode() for key in keys]
    requests = [f"GET {path} ".encode() for path in paths]
    durations: list[float] = []
    begun = time.perf_counter()

    async def one(number: int) -> None:
        choose = random.Random(number)  # noqa: S311 - a load, not a secret
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (now := time.perf_counter()) < begun + 1 + seconds:
            writer.write(requests[choose.randrange(len(requests))] + heads[number % len(heads)])
            header = await reader.readuntil(b"\r\n\r\n")
            assert header.startswith(b"HTTP/1.1 200"), header
            length = int(header.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            if now > begun + 1:
                durations.append(time.perf_counter() - now)
        writer.close()

    await asyncio.gather(*(one(number) for number in range(_CONNECTIONS)))
    return {"requests_per_second": round(len(durations) / seconds), **spread(durations)}


def spread(durations: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile in milliseconds."""
    cuts = statistics.quantiles(durations, n=100)
    return {name: round(cuts[at - 1] * 1000, 1) for name, at in (("p50_ms", 50), ("p95_ms", 95), ("p99_ms", 99))}


def search(engine: Engine, served: Served, key: str, names: Sequence[str]) -> dict[str, Any]:
    """One after the other: by a word, by the whole name, and by a mistyped name; processor time for each."""
    mistyped = [f"{name[:4]}{name[5]}{name[4]}{name[6:]}" for name in names[:110]]
    mistyped, warming = mistyped[:100], mistyped[100:]
    kinds = {"word": [name.split()[0] for name in names], "name": names, "mistyped": mistyped}
    found = {}
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", headers={"X-API-Key": key}) as client:
        # The first one waits for rules and models to be read.
        timed(lambda q: client.get("/v1/customers", params={"q": q}, timeout=60), warming)
        for kind, queries in kinds.items():
            with processor(engine, served.pid) as used:
                durations = timed(lambda q: client.get("/v1/customers", params={"q": q}), queries)
            each = {f"{name}_cpu_ms": round(used[name] * 1000 / len(queries), 1) for name in ("worker", "database")}
            found[kind] = {**spread(durations), **each}
    return found


def verdicts(port: int, key: str, ids: Sequence[str]) -> dict[str, Any]:
    """One after the other: may this golden customer be created in ERP; then candidates, by the matcher."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": key}, timeout=60) as client:
        golden = timed(lambda id_: client.get(f"/v1/customers/{id_}/readiness"), ids)
        known = [client.get(f"/v1/customers/{id_}").json()["values"] for id_ in ids[:100]]
        values = [{name: each[name] for name in ("name", "country", "address")} for each in known]

        def asked(number: str) -> httpx.Response:
            return client.post("/v1/onboarding/validate", json={"candidate": {"values": values[int(number)]}})

        candidates = timed(asked, [str(number) for number in range(len(values))])
    return {"golden": spread(golden), "candidate": spread(candidates)}


def timed(ask: Callable[[str], httpx.Response], queries: Sequence[str]) -> list[float]:
    durations = []
    for query in queries:
        begun = time.perf_counter()
        answer = ask(query)
        durations.append(time.perf_counter() - begun)
        assert answer.status_code == 200, answer.text
    return durations


def classify(port: int, key: str, ids: Sequence[str]) -> float:
    """Ten thousand ids in one call: the median of five, in milliseconds."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": key}) as client:
        calls = timed(lambda _: client.post("/v1/ids:classify", json={"ids": list(ids)}, timeout=60), [""] * 5)
    return round(statistics.median(calls) * 1000, 1)


def export(port: int, key: str) -> float:
    """Rows per second of the whole domain as NDJSON."""
    begun, rows = time.perf_counter(), 0
    address = f"http://127.0.0.1:{port}/v1/customers/export"
    with httpx.stream("GET", address, headers={"X-API-Key": key}, timeout=300) as answer:
        assert answer.status_code == 200
        for chunk in answer.iter_bytes():
            rows += chunk.count(b"\n")
    return round(rows / (time.perf_counter() - begun))


def note(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _written(result: dict[str, Any]) -> str:
    lines = [
        f"{name:10} " + ", ".join(f"{part} {each:,}" for part, each in result[name].items())
        for name in ("read", "scoped", "bare")
        if name in result
    ]
    if "ratio_to_bare" in result:
        lines.append(f"ratio      {result['ratio_to_bare']} of the bare route's requests per second")
    for title, part in (("verdict on", "verdict"), ("search by", "search")):
        for kind, found in result.get(part, {}).items():
            lines.append(f"{title} {kind:9} " + ", ".join(f"{name} {each}" for name, each in found.items()))
    if "classify" in result:
        lines.append(f"classify   10,000 ids in {result['classify']} ms")
    if "export" in result:
        lines.append(f"export     {result['export']:,} rows per second")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
