"""How fast the console's pages are: over HTTP, with many records and their open questions, by a server of its own.

The store holds `--records` generated companies and a whole world of platforms beside them (the sample world; or
`--world FOLDER`), so that contracts, invoices, refused messages and findings are there too.

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
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from sqlalchemy import Connection, Engine, text

from bench.api import note, serving
from bench.company_events import messages
from bench.processor import processor
from bench.proposed import propose
from bench.refused import refuse
from mdm.access import FORMER_STEWARD, Role
from mdm.bootstrap import open_hub
from mdm.clock import system_clock
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.hub.worklist import rank_open_tasks
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Message
from mdm.settings import Settings
from mdm.store import accounts, api_keys, migrate
from mdm.streams.file import FileFeed

_BATCH = 5000
_SAMPLE = Path(__file__).parent.parent / "mdm" / "demo" / "world"
#: Addresses of pages by what they show; `{task}` and `{customer}` are filled in with one after the other.
_PAGES = {
    "home": "/console/",
    "queue": "/console/reviews",
    "queue narrowed": "/console/reviews?country=DE&weight_from=1",
    "review": "/console/reviews/{task}",
    "preview": "/console/reviews/{task}/preview",
    "exceptions": "/console/exceptions",
    "exceptions by messages": "/console/exceptions?sort=messages",
    "exceptions, nobody's": "/console/exceptions?who=unassigned&sort=money",
    "one kind of exceptions": "/console/exceptions/groups/{letter}",
    "kinds over the API": "/v1/dead-letters/groups",
    "reconciliation": "/console/reconciliation",
    "close": "/console/close",
    "approvals": "/console/approvals",
    "approvals, the newest": "/console/approvals?sort=newest",
    "one proposal": "/console/approvals/{proposal}",
    "customers": "/console/customers",
    "search by name": "/console/search?q={name}",
    "golden record": "/console/customers/{customer}",
    "history": "/console/customers/{customer}/history",
    "graph": "/console/customers/{customer}/graph",
    "hierarchy": "/console/customers/{customer}/hierarchy",
    "onboarding": "/console/onboarding",
    "audit": "/console/audit",
    "pipeline": "/console/pipeline",
    "quality": "/console/quality",
}


def main(arguments: Sequence[str]) -> int:
    """Ingest, serve, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--world", type=Path, default=_SAMPLE, help="folder with events/ (default: the sample world)")
    parser.add_argument("--store", type=Path, help="where the store is kept; a temporary folder if not given")
    parser.add_argument(
        "--questions", type=int, default=0, help="copy open questions until there are so many, as in a larger hub"
    )
    parser.add_argument("--refused", type=int, default=0, help="refuse messages until there are so many")
    parser.add_argument("--kinds", type=int, default=2000, help="of how many kinds the refused messages are")
    parser.add_argument("--proposals", type=int, default=0, help="propose merges until so many wait")
    parser.add_argument("--requests", type=int, default=100, help="of each page")
    parser.add_argument("--only", action="append", choices=sorted(_PAGES), help="measure this page; repeatable")
    options = parser.parse_args(arguments)
    with nullcontext(options.store) if options.store else tempfile.TemporaryDirectory(prefix="mdm-bench-") as folder:
        settings = Settings(Path(folder), None, _BATCH, 10**9)
        with open_hub(settings) as hub:
            migrate.upgrade(hub.engine)
            result = _fill(hub.engine, Path(folder), options.records, options.world)
            if options.questions:
                begun = time.perf_counter()
                result["questions"] = _more_questions(hub.engine, options.questions)
                result["copy_seconds"] = round(time.perf_counter() - begun, 1)
                note(f"{result['questions']:,} questions after {result['copy_seconds']} s")
            if options.refused:
                result["refused"] = refuse(hub.engine, options.refused, options.kinds)
                note(f"{result['refused']:,} refused messages")
            if options.proposals:
                result["proposals"] = propose(hub.engine, options.proposals)
                note(f"{result['proposals']:,} proposals")
            values = _some(hub.engine)
            with hub.engine.begin() as connection:
                name = f"bench{secrets.token_hex(4)}"
                password = accounts.create_account(connection, name, "Bench", FORMER_STEWARD)
                key = api_keys.issue_key(connection, Role.OPERATOR, "bench")
            environment = {**os.environ, "MDM_DATA_DIR": str(folder)}
            environment.pop("MDM_DATABASE_URL", None)
            with (
                serving(environment, ["-m", "mdm.cli", "serve"]) as served,
                httpx.Client(base_url=f"http://127.0.0.1:{served.port}", follow_redirects=True, timeout=120) as client,
            ):
                _sign_in(client, name, password)
                if options.refused and "/console/exceptions/groups/" not in client.get("/console/exceptions").text:
                    raise AssertionError("Messages are refused, and the page lists none of their kinds.")
                client.auth = _OnlyApi(key)
                there = [name for name in _PAGES if _there(_PAGES[name], values)]
                for page in options.only or there:
                    with processor(hub.engine, served.pid) as used:
                        result[page] = _measure(client, _addresses(_PAGES[page], values), options.requests)
                    spent = sum(used.values()) / (options.requests + 1)
                    result[page]["processor"] = round(spent * 1000, 1)
                    note(f"{page}: {result[page]}")
    print(json.dumps(result, indent=2))  # noqa: T201
    return 0


def _fill(engine: Engine, folder: Path, records: int, world: Path) -> dict[str, Any]:
    """Companies and a world, through the live path; then the order of the questions.

    A store that was begun and not finished is read on: what it has taken in already is only counted.
    """
    catalogue = load_catalogue(None)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    begun, done = time.perf_counter(), 0
    filled = folder / f"filled-{records}"
    if not filled.exists():
        source = chain(messages(records), _world(world))
        while batch := list(islice(source, _BATCH)):
            process(pipeline, "bench", batch)
            done += len(batch)
            note(f"{done:,} messages in {time.perf_counter() - begun:.0f} s")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze"))
        filled.touch()
    result: dict[str, Any] = {"records": records, "fill_seconds": round(time.perf_counter() - begun, 1)}
    begun = time.perf_counter()
    rank_open_tasks(engine, pipeline.rules, system_clock())
    result["rank_seconds"] = round(time.perf_counter() - begun, 1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
        result["questions"] = connection.scalar(text("select count(*) from steward_task where status = 'open'"))
    return result


#: Each copy was asked some hours before the one it was made after, as if they had come in day by day: most are late.
_COPY_TASKS = """
insert into steward_task (question, kind, domain, a, b, weight, detail, batch_id, opened_at)
select t.question || '/' || n, t.kind, t.domain, t.a, t.b, t.weight, t.detail, t.batch_id,
  t.opened_at - n * interval '4 hours'
from (select * from steward_task where status = 'open' and question not like '%/%' order by task_id) t
cross join generate_series(cast(:first as int), cast(:last as int)) n
"""
_COPY_RANKS = """
insert into task_priority (task_id, domain, kind, weight, opened_at, rank, parts, amount, amounts, countries, systems,
  regions, business_units, due_at, ranked_at)
select c.task_id, c.domain, c.kind, c.weight, c.opened_at, p.rank + n / 6.0 - random(), p.parts,
  p.amount, p.amounts, p.countries, p.systems,
  p.regions, p.business_units, p.due_at - n * interval '4 hours', now()
from steward_task o join task_priority p using (task_id)
cross join generate_series(cast(:first as int), cast(:last as int)) n
join steward_task c on c.question = o.question || '/' || n and c.status = 'open'
where o.status = 'open' and o.question not like '%/%'
"""


def _more_questions(engine: Engine, wanted: int) -> int:
    """Copy the open questions with their ranks, until there are about as many as wanted; returns how many there are."""
    count = text("select count(*) from steward_task where status = 'open'")
    with engine.begin() as connection:
        there = connection.scalar(count) or 0
        own = connection.scalar(text(f"{count.text} and question not like '%/%'")) or 1
        copies = {"first": there // own, "last": wanted // own - 1}
        with _checked_after(connection, "steward_task"):
            connection.execute(text(_COPY_TASKS), copies)
        # Or the ranks are joined as if there were no more questions than before.
        connection.execute(text("analyze steward_task"))
        with _checked_after(connection, "task_priority"):
            connection.execute(text(_COPY_RANKS), copies)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze steward_task, task_priority"))
        return int(connection.scalar(count) or 0)


@contextmanager
def _checked_after(connection: Connection, table: str) -> Iterator[None]:
    """Indexes of a table are built, and its references checked, after many rows were added: row by row, in no order,
    pages of both go to the disk and back all the time."""
    indexes = """select c.relname, pg_get_indexdef(c.oid) from pg_index i join pg_class c on c.oid = i.indexrelid
                 where i.indrelid = cast(:table as regclass) and not i.indisprimary"""
    references = """select conname, pg_get_constraintdef(oid) from pg_constraint
                    where conrelid = cast(:table as regclass) and contype = 'f'"""
    dropped = [connection.execute(text(each), {"table": table}).all() for each in (indexes, references)]
    for name, _ in dropped[0]:
        connection.exec_driver_sql(f'drop index "{name}"')
    for name, _ in dropped[1]:
        connection.exec_driver_sql(f'alter table {table} drop constraint "{name}"')
    yield
    connection.exec_driver_sql("set local maintenance_work_mem = '512MB'")
    for _, written in dropped[0]:
        connection.exec_driver_sql(written)
    for name, written in dropped[1]:
        connection.exec_driver_sql(f'alter table {table} add constraint "{name}" {written}')


def _world(folder: Path) -> Iterator[Message]:
    """The messages of a world, in partitions of their own: the places of the companies are taken."""
    feed = FileFeed(folder / "events")
    while batch := feed.poll(_BATCH, 0):
        for each in batch:
            yield replace(each, place=each.place._replace(partition=each.place.partition + 1))


def _some(engine: Engine) -> Mapping[str, Sequence[str]]:
    """What pages are asked about: the most urgent tasks, and customers from all over."""
    with engine.connect() as connection:
        tasks = connection.scalars(text("select task_id from task_priority order by rank desc limit 200")).all()
        customers = connection.execute(
            text(
                """select entity_id, name from golden where known_to is null and domain = 'customer'
                   order by md5(entity_id) limit 200"""
            )
        ).all()
        proposals = connection.scalars(
            text("select proposal_id from proposal where status = 'open' order by md5(proposal_id::text) limit 200")
        ).all()
        # The newest of a kind: what the list of kinds leads to.
        letters = connection.scalars(
            text("select max(dead_letter_id) from dead_letter where status = 'open' group by likeness limit 200")
        ).all()
    return {
        "letter": [str(each) for each in letters],
        "proposal": [str(each) for each in proposals],
        "task": [str(each) for each in tasks],
        "customer": [each.entity_id for each in customers],
        "name": [quote(each.name, safe="") for each in customers],
    }


def _there(pattern: str, values: Mapping[str, Sequence[str]]) -> bool:
    """Whether the store holds what a page is about."""
    return all(each for name, each in values.items() if f"{{{name}}}" in pattern)


def _addresses(pattern: str, values: Mapping[str, Sequence[str]]) -> Callable[[int], str]:
    return lambda number: pattern.format(**{name: each[number % len(each)] for name, each in values.items() if each})


class _OnlyApi(httpx.Auth):
    """The key goes with requests to the API; pages of the console know the session."""

    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if request.url.path.startswith("/v1/"):
            request.headers["Authorization"] = f"Bearer {self._key}"
        yield request


def _sign_in(client: httpx.Client, name: str, password: str) -> None:
    form = client.get("/console/sign-in").text
    token = form.partition('name="csrf" value="')[2].partition('"')[0]
    client.post("/console/sign-in", data={"csrf": token, "username": name, "password": password})


def _measure(client: httpx.Client, address: Callable[[int], str], requests: int) -> dict[str, float]:
    """Milliseconds from request to the last byte, one request after the other; the first by itself. `processor` is
    what server and database spend on one, which other work on the machine hardly changes."""
    first, *taken = _times(client, address, requests + 1)
    taken.sort()
    return {
        "first": round(first, 1),
        "p50": round(statistics.median(taken), 1),
        "p95": round(taken[int(len(taken) * 0.95)], 1),
    }


def _times(client: httpx.Client, address: Callable[[int], str], requests: int) -> Iterator[float]:
    for number in range(requests):
        begun = time.perf_counter()
        answer = client.get(address(number))
        answer.raise_for_status()
        yield (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
