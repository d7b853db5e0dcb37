"""The ownership matrix in use: its rows, its gaps, and every version that this hub worked with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Engine

from mdm.clock import Clock
from mdm.intake.catalogue import Catalogue
from mdm.intake.ownership import Ownership, differences, load_ownership
from mdm.store import governance as store
from mdm.store.governance import KeptDocument

_KIND = _NAME = "ownership"


@dataclass(frozen=True, slots=True)
class OwnershipVersion:
    """A version of the matrix, since when it was in use here, and the cells that it changed."""

    version: str
    effective: str
    fingerprint: str
    first_used_at: datetime | None
    current: bool
    changed: Sequence[tuple[str, str, str, str]]


def remember_ownership(engine: Engine, clock: Clock, ownership: Ownership) -> None:
    """Keep this version of the matrix, once."""
    with engine.begin() as connection:
        document = KeptDocument(
            _KIND, _NAME, ownership.fingerprint, ownership.version, ownership.document, clock()
        )  # fmt: skip
        store.keep(connection, document)


def history(connection: Connection, ownership: Ownership, catalogue: Catalogue) -> list[OwnershipVersion]:
    """Versions, the newest first; each with what it changed of the one before."""
    kept = {each.fingerprint: each for each in store.kept(connection, _KIND, _NAME)}
    known = [_from_text(each.document) for each in kept.values() if each.fingerprint != ownership.fingerprint]
    versions = [ownership, *known]
    found = []
    for number, each in enumerate(versions):
        before = versions[number + 1] if number + 1 < len(versions) else None
        held = kept.get(each.fingerprint)
        found.append(
            OwnershipVersion(
                version=each.version,
                effective=each.since.isoformat(),
                fingerprint=each.fingerprint,
                first_used_at=held.first_used_at if held is not None else None,
                current=number == 0,
                changed=differences(before, each, catalogue) if before is not None else (),
            )
        )
    return found


@cache
def _from_text(document: str) -> Ownership:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ownership.yaml"
        file.write_text(document, "utf-8")
        return load_ownership(file)
