"""Data contracts: what a platform promises to send, table by table, read from Open Data Contract Standard 3 documents.

A contract states what change events leave out: column types, the connector's encodings, the primary key, whether a
deleted row's old values can be trusted, and what a TRUNCATE means. Keys that the standard does not have are
`customProperties`:

on the contract
  `system` (the platform's short name), `topicPrefix`, `decimals`, `times`, `binary` (the connector's handling modes),
  `database` (postgresql or mysql), `mode` (evolve, freeze or discard_value), `envelope` (debezium or flat: rows of the
  transform ExtractNewRecordState with add.fields=op,source.sequence,lsn,source.ts_ms and rewritten deletes)
  `ignoredTopics` (topics to pass over, separated by spaces), `role` (what the platform is: crm, billing, product or
  erp; what the hub does for records of ERP, it does for those of all platforms with that role)
on a table
  `topic` (default: prefix and physical name), `replicaIdentity` (default or full), `truncate` (apply or hold), `owner`,
  `workflow` (which work it serves, on the contract too; see `mdm.intake.tiers`)
on a column
  `mayBeAbsent` (true for a column that older events do not have), `mode` (as on the contract, for this column alone)

The standard's `status` decides what a document is good for: `active` and `deprecated` ones are read by, `draft` and
`proposed` ones only by tests, `retired` ones no longer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from mdm.intake.document import Section, read_document
from mdm.intake.types import BINARY, DATABASES, DECIMALS, TIMES, ColumnType, Encodings, column_type
from mdm.model.platforms import PlatformRole

_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")


class Mode(StrEnum):
    """What happens when an event deviates from the contract.

    A value that cannot be read as what the contract says has no canonical form, so `evolve` refuses its event, too.
    """

    EVOLVE = "evolve"  # keep the value, tell the owner
    FREEZE = "freeze"  # refuse the event
    DISCARD_VALUE = "discard_value"  # drop the value, tell the owner


class State(StrEnum):
    """Where a contract stands in its life."""

    PROPOSED = "proposed"
    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"

    @property
    def readable(self) -> bool:
        """Whether live events are read by it."""
        return self in (State.ACTIVE, State.DEPRECATED)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. A `may_be_absent` column is missing from older events without anybody being told."""

    name: str
    type: ColumnType
    physical: str
    required: bool
    may_be_absent: bool
    #: Of this column alone; None for the contract's.
    mode: Mode | None = None
    #: The values that may occur, where the contract lists them.
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Contract:
    """What one table's topic carries."""

    id: str
    version: str
    status: str
    owner: str
    system: str
    table: str
    topic: str
    topic_prefix: str
    primary_key: tuple[str, ...]
    columns: Mapping[str, Column]
    encodings: Encodings
    replica_identity_full: bool
    truncate_applies: bool
    mode: Mode
    #: Rows come without envelope, from the transform ExtractNewRecordState.
    flat: bool = False
    #: The document that states it.
    file: Path | None = None
    #: Topics of the platform that carry nothing for the hub: Debezium's signal table, tables that nobody asked for.
    ignored_topics: frozenset[str] = frozenset()
    #: Which work the table serves; empty where the contract does not say.
    workflow: str = ""
    #: What the platform is; None where the contract does not say.
    role: PlatformRole | None = None

    @property
    def state(self) -> State:
        return State(self.status)

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    def mode_of(self, column: str) -> Mode:
        """What happens when this column deviates; unknown columns follow the contract."""
        known = self.columns.get(column)
        return known.mode if known is not None and known.mode is not None else self.mode


def read_contracts(file: Path) -> tuple[Contract, ...]:
    """The contracts of every table in one ODCS 3 document.

    Raises:
        ConfigurationInvalid: names file, line and key.
    """
    document = read_document(file)
    if not document.text("apiVersion").startswith("v3."):
        document.refuse("apiVersion", "must be a version 3 of the Open Data Contract Standard")
    document.one_of("kind", ("DataContract",))
    custom = _Custom(document)
    encodings = Encodings(
        decimals=custom.one_of("decimals", DECIMALS),
        times=custom.one_of("times", TIMES),
        binary=custom.one_of("binary", BINARY),
        database=custom.one_of("database", DATABASES),
    )
    document.one_of("status", tuple(State))
    if not _VERSION.fullmatch(document.text("version")):
        document.refuse("version", "must be three numbers, as in 1.4.0")
    tables = document.sections("schema")
    if not tables:
        document.refuse("schema", "must list at least one table")
    contracts = tuple(replace(_contract(document, custom, encodings, table), file=file) for table in tables)
    for what in ("table", "topic"):
        names = [getattr(each, what) for each in contracts]
        if twice := next((name for name in names if names.count(name) > 1), None):
            document.refuse("schema", f"describes the {what} {twice} twice")
    return contracts


def _contract(document: Section, custom: "_Custom", encodings: Encodings, table: Section) -> Contract:
    own = _Custom(table)
    prefix = custom.text("topicPrefix")
    columns = [_column(section, encodings.database) for section in table.sections("properties")]
    if not columns:
        table.refuse("properties", "must list at least one column")
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        table.refuse("properties", "names a column twice")
    return Contract(
        id=document.text("id"),
        version=document.text("version"),
        status=document.text("status"),
        owner=own.text("owner", custom.text("owner", _owner(document))),
        system=custom.text("system"),
        table=table.text("name"),
        topic=own.text("topic", f"{prefix}.{table.text('physicalName', table.text('name'))}"),
        topic_prefix=prefix,
        primary_key=_primary_key(table),
        columns={column.name: column for column in columns},
        encodings=encodings,
        replica_identity_full=own.one_of("replicaIdentity", ("default", "full")) == "full",
        truncate_applies=own.one_of("truncate", ("hold", "apply")) == "apply",
        flat=custom.one_of("envelope", ("debezium", "flat")) == "flat",
        ignored_topics=frozenset(custom.text("ignoredTopics", "-").split()) - {"-"},
        workflow=own.text("workflow", custom.text("workflow", "")),
        mode=Mode(own.one_of("mode", tuple(Mode), custom.one_of("mode", tuple(Mode)))),
        role=PlatformRole(custom.one_of("role", tuple(PlatformRole))) if "role" in custom else None,
    )


def _owner(document: Section) -> str:
    for member in document.sections("team"):
        if member.text("role", "").lower() == "owner":
            return member.text("username")
    return "integration-operations"


def _primary_key(table: Section) -> tuple[str, ...]:
    parts = [
        (section.number("primaryKeyPosition", 1.0), section.text("name"))
        for section in table.sections("properties")
        if section.flag("primaryKey", False)
    ]
    return tuple(name for _, name in sorted(parts))


def _column(section: Section, database: str) -> Column:
    physical = section.text("physicalType")
    kind = column_type(physical, section.text("logicalType", ""), database)
    if kind is None:
        section.refuse("physicalType", f"{physical!r} is not a known type; state its logicalType too")
    custom = _Custom(section)
    return Column(
        name=section.text("name"),
        type=kind,
        physical=physical,
        required=section.flag("required", False),
        may_be_absent=custom.text("mayBeAbsent", "false") == "true",
        mode=Mode(custom.one_of("mode", tuple(Mode))) if "mode" in custom else None,
        values=frozenset(entry.text("value") for entry in section.sections("enum")),
    )


class _Custom:
    """The `customProperties` of a section: the standard's place for what it has no key for."""

    def __init__(self, section: Section) -> None:
        self._section = section
        self._entries = {entry.text("property"): entry for entry in section.sections("customProperties")}

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def text(self, name: str, default: str | None = None) -> str:
        entry = self._entries.get(name)
        if entry is not None:
            return entry.text("value")
        if default is None:
            self._section.refuse("customProperties", f"must have the property {name}")
        return default

    def one_of(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """The first of `allowed` is the default."""
        entry = self._entries.get(name)
        return entry.one_of("value", allowed) if entry is not None else default or allowed[0]
