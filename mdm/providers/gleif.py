"""GLEIF's golden copy as files: entities (level 1), relationships (level 2) and reporting exceptions.

Both official shapes are read, plain or gzip or zip: CSV with GLEIF's column names, and JSON in the LEI common data file
format (`{"records": [{"LEI": {"$": ...}, "Entity": {...}}]}`), as published at gleif.org under CC0.
"""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from mdm.errors import OperatorError


@dataclass(frozen=True, slots=True)
class GleifEntity:
    """One legal entity: `status` of its registration, `entity_status` of itself, codes as GLEIF writes them."""

    lei: str
    name: str
    status: str
    entity_status: str
    country: str | None
    legal_form: str | None
    registered_as: str | None


@dataclass(frozen=True, slots=True)
class GleifRelationship:
    """Who consolidates whom: `kind` is `direct_parent` or `ultimate_parent`; only relationships in force are kept."""

    lei: str
    kind: str
    parent: str


@dataclass(frozen=True, slots=True)
class GleifException:
    """Why an entity reports no direct parent, e.g. NATURAL_PERSONS or NO_KNOWN_PERSON."""

    lei: str
    reason: str


_KINDS = {"IS_DIRECTLY_CONSOLIDATED_BY": "direct_parent", "IS_ULTIMATELY_CONSOLIDATED_BY": "ultimate_parent"}


def read_entities(file: Path) -> Iterator[GleifEntity]:
    """Level 1, record by record.

    Raises:
        OperatorError: the file is not GLEIF's; the message names what is missing.
    """
    for row in _rows(file, ("LEI", "Entity.LegalName", "Registration.RegistrationStatus")):
        yield GleifEntity(
            lei=row["LEI"],
            name=row["Entity.LegalName"],
            status=row["Registration.RegistrationStatus"],
            entity_status=row.get("Entity.EntityStatus") or "ACTIVE",
            country=row.get("Entity.LegalAddress.Country") or None,
            legal_form=row.get("Entity.LegalForm.EntityLegalFormCode") or None,
            registered_as=row.get("Entity.RegistrationAuthority.RegistrationAuthorityEntityID") or None,
        )


def read_relationships(file: Path) -> Iterator[GleifRelationship]:
    """Level 2: relationships of consolidation that are in force."""
    wanted = ("Relationship.StartNode.NodeID", "Relationship.EndNode.NodeID", "Relationship.RelationshipType")
    for row in _rows(file, wanted):
        kind = _KINDS.get(row["Relationship.RelationshipType"])
        if kind is not None and (row.get("Relationship.RelationshipStatus") or "ACTIVE") == "ACTIVE":
            yield GleifRelationship(row[wanted[0]], kind, row[wanted[1]])


def read_exceptions(file: Path) -> Iterator[GleifException]:
    """Level 2: why no direct parent is reported."""
    for row in _rows(file, ("LEI", "Exception.Category", "Exception.Reason.1")):
        if row["Exception.Category"].startswith("DIRECT_"):
            yield GleifException(row["LEI"], row["Exception.Reason.1"])


#: What unpacking and reading raise of a file that is another than it looks: an archive without a file or with a
#: password, text that is no UTF-8, JSON of another shape.
_NOT_AS_PACKED = (ValueError, IndexError, RuntimeError, TypeError, AttributeError)


def _rows(file: Path, needed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    try:
        with _opened(file) as stream:
            # All three kinds of stream can be looked into without being read.
            first = stream.peek(64)[:64].lstrip(b"\xef\xbb\xbf \r\n\t")[:1]  # type: ignore[attr-defined]
            for row in _json(stream, needed, file) if first in (b"{", b"[") else _csv(stream, needed, file):
                if not all(name in row for name in needed):
                    raise OperatorError(
                        f"{file} has a record without {', '.join(name for name in needed if name not in row)}.",
                        action="Get the file again: a line was cut off.",
                    )
                yield row
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, csv.Error, *_NOT_AS_PACKED) as fault:
        raise OperatorError(
            f"{file} cannot be read: {fault}.", action="Give a GLEIF golden copy file: CSV or JSON, also .gz or .zip."
        ) from fault


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    with file.open("rb") as raw:
        magic = raw.read(2)
        raw.seek(0)
        if magic == b"PK":
            with zipfile.ZipFile(raw) as archive, archive.open(archive.namelist()[0]) as inside:
                yield inside
        elif magic == b"\x1f\x8b":
            with gzip.open(raw) as inside:
                yield inside  # type: ignore[misc]  # GzipFile reads bytes like IO[bytes]
        else:
            yield raw


def _csv(stream: IO[bytes], needed: tuple[str, ...], file: Path) -> Iterator[dict[str, str]]:
    reader = csv.reader(io.TextIOWrapper(stream, "utf-8-sig", newline=""))
    header = next(reader, [])
    _check(header, needed, file)
    for row in filter(None, reader):
        yield dict(zip(header, row, strict=False))


def _json(stream: IO[bytes], needed: tuple[str, ...], file: Path) -> Iterator[dict[str, str]]:
    document = orjson.loads(stream.read().removeprefix(b"\xef\xbb\xbf"))
    records = document if isinstance(document, list) else document.get("records") or document.get("relations") or []
    for number, record in enumerate(records):
        row = _flat(record.get("RelationshipRecord", record) if isinstance(record, dict) else {})
        if number == 0:
            _check(list(row), needed, file)
        yield row


def _flat(node: Any, prefix: str = "") -> dict[str, str]:
    """GLEIF's JSON writes `{"$": text}` for an element's text and `@name` for attributes."""
    if isinstance(node, dict):
        if "$" in node:
            return {prefix: str(node["$"])}
        rows: dict[str, str] = {}
        for name, each in node.items():
            if not name.startswith("@"):
                rows |= _flat(each, f"{prefix}.{name}" if prefix else name)
        return rows
    if isinstance(node, list):
        return {
            name: text for place, each in enumerate(node, 1) for name, text in _flat(each, f"{prefix}.{place}").items()
        }
    return {prefix: "" if node is None else str(node)}


def _check(header: list[str], needed: tuple[str, ...], file: Path) -> None:
    missing = [name for name in needed if name not in header]
    if missing:
        raise OperatorError(
            f"{file} is not the GLEIF file that was asked for: {', '.join(missing)} is missing.",
            action="Level 1 is the LEI-CDF file, level 2 the RR-CDF file, exceptions the REPEX file.",
        )
