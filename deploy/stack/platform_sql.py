"""The four sample platforms as SQL: tables from their data contracts, rows from the bundled capture.

The same text fills the databases of the stack and, written to files (`python -m deploy.stack sql DIR`), those of
`compose.yaml`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from typing import Any

from mdm.intake.catalogue import Catalogue, Profile
from mdm.intake.debezium import translate
from mdm.intake.types import Kind
from mdm.model.events import ChangeEvent, Operation, Row
from mdm.model.ids import CrosswalkKey
from mdm.streams.file import FileFeed

PLATFORMS = ("crm", "billing", "product", "erp")
#: The account of the connectors; a sample's password, for databases on the loopback address or inside compose.
CONNECTOR_USER, CONNECTOR_PASSWORD = "debezium", "debezium"

_WORDS = {"bool", "int", "bigint", "date", "text", "uuid", "jsonb", "numeric", "timestamp", "timestamptz", "text[]"}


@dataclass(slots=True)
class _Table:
    rows: dict[CrosswalkKey, dict[str, Any]] = field(default_factory=dict)
    #: Every value that a column ever had: the values of its enumerated type.
    seen: dict[str, set[str]] = field(default_factory=dict)


def platform_sql(catalogue: Catalogue, platform: str) -> Iterator[str]:
    """The statements that make and fill one platform's database, in order."""
    profiles = [profile for profile in catalogue.profiles if profile.system == platform]
    tables = _fold(catalogue, platform)
    yield from _types(profiles, tables)
    for profile in profiles:
        yield _create(profile)
    for profile in profiles:
        yield from _fill(profile, tables[profile.table])
    yield from _access(platform)


def captured(catalogue: Catalogue, platform: str) -> Sequence[ChangeEvent]:
    """What happened in a platform's database, in the order of its log: the reads of a snapshot, then the changes."""
    events: list[ChangeEvent] = []
    with as_file(files("mdm.demo") / "world") as world:
        feed = FileFeed(world / "events" / f"{platform}.jsonl.gz")
        while messages := feed.poll(10_000, 0):
            events += translate(messages, catalogue).events
    return sorted(events, key=lambda event: event.position)


def _fold(catalogue: Catalogue, platform: str) -> Mapping[str, _Table]:
    tables = {profile.table: _Table() for profile in catalogue.profiles if profile.system == platform}
    for event in captured(catalogue, platform):
        _apply(tables[event.type], event)
    return tables


def _apply(table: _Table, event: ChangeEvent) -> None:
    if event.operation is Operation.TRUNCATE or event.key is None:
        table.rows.clear()
        return
    if event.row is None:
        table.rows.pop(event.key, None)
        return
    before = table.rows.get(event.previous_key or event.key, {})
    carried = {name: before.get(name) for name in event.unavailable}
    table.rows[event.key] = {**event.row, **carried}
    for name, value in event.row.items():
        if isinstance(value, str):
            table.seen.setdefault(name, set()).add(value)


def _enumerated(physical: str) -> bool:
    return physical.partition("(")[0] not in _WORDS | {"varchar"}


def _types(profiles: Sequence[Profile], tables: Mapping[str, _Table]) -> Iterator[str]:
    for profile in profiles:
        for name, column in profile.contract.columns.items():
            if _enumerated(column.physical):
                values = ", ".join(_text(value) for value in sorted(tables[profile.table].seen.get(name, {"unknown"})))
                yield f"create type {column.physical} as enum ({values})"


def _create(profile: Profile) -> str:
    contract = profile.contract
    columns = [
        f"{name} {column.physical}{' not null' if column.required and not column.may_be_absent else ''}"
        for name, column in contract.columns.items()
    ]
    table = f"create table {profile.table} ({', '.join(columns)}, primary key ({', '.join(contract.primary_key)}))"
    identity = f"alter table {profile.table} replica identity full"
    return f"{table}; {identity}" if contract.replica_identity_full else table


def as_json(profile: Profile, row: Row) -> dict[str, Any]:
    """A row's columns as `jsonb_populate_record` takes them."""
    columns = profile.contract.columns
    return {
        name: json.loads(value) if columns[name].type.kind is Kind.JSON and value is not None else value
        for name, value in row.items()
        if name in columns
    }


def _fill(profile: Profile, table: _Table) -> Iterator[str]:
    rows = [as_json(profile, row) for row in table.rows.values()]
    if rows:
        text = _text(json.dumps(rows, ensure_ascii=False))
        name = profile.table
        yield f"insert into {name} select * from jsonb_populate_recordset(null::{name}, {text}::jsonb)"


def _access(platform: str) -> Iterator[str]:
    yield (
        f"do $$ begin create role {CONNECTOR_USER} login replication password {_text(CONNECTOR_PASSWORD)}; "
        "exception when duplicate_object then null; end $$"
    )
    yield f"grant select on all tables in schema public to {CONNECTOR_USER}"
    yield f"create publication mdm_{platform} for all tables"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
