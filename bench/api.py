"""What the API costs: reads by id, search, export and classification over 100,000 golden records, one server process.

The peer is a bare FastAPI route on the same server program that does one primary-key select and answers its JSON: the
ratio says what keys, roles, masking, references, entity tags, limits, metrics and the request log cost on top.

    python -m bench.api [--records 100000] [--seconds 8]
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
from sqlalchemy import Engine

from bench.golden import fill, some_ids
from mdm.access import Role
from mdm.bootstrap import open_hub
from mdm.settings import read_settings
from mdm.store import api_keys, migrate

_CONNECTIONS = 16


def main(arguments: Sequence[str]) -> int:
    """Fill a hub, serve it, measure; `--json` for machines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="golden customers")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each load measurement")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mdm-bench-") as folder:
        environment = {**os.environ, "MDM_DATA_DIR": folder}
        environment.pop("MDM_DATABASE_URL", None)
        with open_hub(read_settings(environment)) as hub:
            migrate.upgrade(hub.engine)
            note(f"filling {options.records:,} golden records")
            fill(hub.engine, options.records)
            with hub.engine.begin() as connection:
                key = api_keys.issue_key(connection, Role.ERP, "bench")
            result = _measure(hub.engine, environment, key, options.seconds)
    print(json.dumps(result, indent=2) if options.json else _written(result))  # noqa: T201
    return 0


def _measure(engine: Engine, environment: dict[str, str], key: str, seconds: float) -> dict[str, Any]:
    ids = some_ids(engine, 10_000)
    names = some_ids(engine, 400, column="name")
    paths = [f"/v1/customers/{each}" for each in ids]
    result: dict[str, Any] = {}
    with serving(environment, ["-m", "mdm.cli", "serve"]) as port:
        note("reads by id")
        result["read"] = asyncio.run(load(port, paths, key, seconds))
        note("search")
        result["search"] = search(port, key, names)
        note("classification and export")
        result["classify_ms"] = classify(port, key, ids)
        result["export_rows_per_second"] = export(port, key)
    with serving({**environment, "BENCH_DATABASE": engine.url.render_as_string(False)}, ["-m", "bench.bare"]) as port:
        note("the bare route")
        result["bare"] = asyncio.run(load(port, [f"/{each}" for each in ids], key, seconds))
    result["ratio_to_bare"] = round(result["read"]["requests_per_second"] / result["bare"]["requests_per_second"], 2)
    return result


@contextmanager
def serving(environment: dict[str, str], program: list[str]) -> Iterator[int]:
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
        yield port
    finally:
        process.terminate()
        process.wait(30)


async def load(port: int, paths: Sequence[str], key: str, seconds: float) -> dict[str, float]:
    """Requests as fast as they are answered, on kept-alive connections; the first second warms up."""
    head = f"Host: 127.0.0.1\r\nX-API-Key: {key}\r\n\r\n".encode()
    requests = [b"GET " + path.encode() + b" HTTP/1.1\r\n" + head for path in paths]
    durations: list[float] = []
    begun = time.perf_counter()

    async def one(number: int) -> None:
        choose = random.Random(number)  # noqa: S311 - a load, not a secret
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (now := time.perf_counter()) < begun + 1 + seconds:
            writer.write(requests[choose.randrange(len(requests))])
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


def search(port: int, key: str, names: Sequence[str]) -> dict[str, Any]:
    """One after the other: by a word, by the whole name, and by a mistyped name."""
    mistyped = [f"{name[:4]}{name[5]}{name[4]}{name[6:]}" for name in names[:100]]
    kinds = {"word": [name.split()[0] for name in names], "name": names, "mistyped": mistyped}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": key}) as client:
        return {kind: spread(timed(lambda q: client.get("/v1/customers", params={"q": q}), queries))
                for kind, queries in kinds.items()}  # fmt: skip


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
        for name in ("read", "bare")
    ]
    lines.append(f"ratio      {result['ratio_to_bare']} of the bare route's requests per second")
    for kind, found in result["search"].items():
        lines.append(f"search by {kind:9}" + ", ".join(f"{part} {each}" for part, each in found.items()))
    lines.append(f"classify   10,000 ids in {result['classify_ms']} ms")
    lines.append(f"export     {result['export_rows_per_second']:,} rows per second")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
