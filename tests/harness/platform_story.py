"""The sample world lived again in the platforms' own databases: each captured change as the SQL that makes it.

What Debezium then captures is Debezium's own: moments, positions and transactions are those of now.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from deploy.stack.platform_sql import PLATFORMS, as_json, captured
from deploy.stack.platforms import Platforms
from mdm.intake.catalogue import Catalogue, Profile
from mdm.model.events import ChangeEvent, Operation

#: One statement and its parameters.
Statement = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Transaction:
    """Changes that one platform committed together."""

    platform: str
    statements: tuple[Statement, ...]


def start_over(platforms: Platforms, catalogue: Catalogue) -> None:
    """Bring the databases back to where the capture began: the rows that its snapshot read, and no others."""
    for platform in PLATFORMS:
        profiles = _profiles(catalogue, platform)
        with platforms.connect(platform) as connection, connection.transaction():
            connection.execute(f"truncate {', '.join(profiles)}".encode())
            for event in captured(catalogue, platform):
                if event.operation is Operation.READ:
                    _execute(connection, _statement(profiles[event.type], event))


def history(catalogue: Catalogue) -> Sequence[Transaction]:
    """Every transaction after that, of all platforms side by side in the order of time."""
    found = [each for platform in PLATFORMS for each in _history(catalogue, platform)]
    return [transaction for _, transaction in sorted(found, key=lambda each: each[0])]


@contextmanager
def living(platforms: Platforms, part: Sequence[Transaction], seconds: float) -> Iterator[None]:
    """Make these changes meanwhile, spread over `seconds`; the block's end waits for the last one."""
    problems: list[Exception] = []

    def live() -> None:
        connections = {platform: platforms.connect(platform) for platform in PLATFORMS}
        try:
            for transaction in part:
                connection = connections[transaction.platform]
                with connection.transaction():
                    for statement in transaction.statements:
                        _execute(connection, statement)
                time.sleep(seconds / len(part))
        except psycopg.Error as problem:
            problems.append(problem)
        finally:
            for connection in connections.values():
                connection.close()

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    yield
    thread.join(600)
    assert not thread.is_alive(), "the platforms did not finish"
    assert not problems, problems


def _history(catalogue: Catalogue, platform: str) -> Iterator[tuple[Any, Transaction]]:
    profiles = _profiles(catalogue, platform)
    changes = [event for event in captured(catalogue, platform) if event.operation is not Operation.READ]
    for number, (_, together) in enumerate(groupby(changes, key=lambda event: event.transaction)):
        events = list(together)
        # The delete half of a changed primary key is said by its create.
        statements = [_statement(profiles[event.type], event) for event in events if event.next_key is None]
        yield (events[0].event_time, platform, number), Transaction(platform, tuple(statements))


def _profiles(catalogue: Catalogue, platform: str) -> dict[str, Profile]:
    return {profile.table: profile for profile in catalogue.profiles if profile.system == platform}


def _statement(profile: Profile, event: ChangeEvent) -> Statement:
    table, keys = profile.table, profile.contract.primary_key
    if event.operation is Operation.TRUNCATE:
        return f"truncate {table}", ()
    if event.row is None:
        (key,) = keys
        assert event.key is not None
        return f"delete from {table} where {key} = %s", (event.key.key,)
    row = as_json(profile, event.row)
    if event.operation is not Operation.UPDATE and event.previous_key is None:
        return (
            f"insert into {table} select * from jsonb_populate_record(null::{table}, %s) on conflict do nothing",
            (Jsonb(row),),
        )
    columns = ", ".join(sorted(row.keys() - event.unavailable))
    where = " and ".join(f"{key}::text = %s" for key in keys)
    named = tuple(str(row[key]) for key in keys) if event.previous_key is None else (event.previous_key.key,)
    return (
        f"""update {table} set ({columns}) = (select {columns} from jsonb_populate_record(null::{table}, %s))
            where {where}""",
        (Jsonb(row), *named),
    )


def _execute(connection: "psycopg.Connection[Any]", statement: Statement) -> None:
    text, parameters = statement
    connection.execute(text.encode(), parameters)
