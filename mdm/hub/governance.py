"""Data contracts as people look after them: every document with its state, versions over time, how far they differ.

A contract is read from files; what was in use here is kept whole, so that a version can be compared with the one before
long after its file was replaced.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Engine

from mdm.clock import Clock
from mdm.errors import NotFound
from mdm.intake.catalogue import CONTRACT_FILES, Catalogue
from mdm.intake.contract_diff import ContractDiff, diff_contracts
from mdm.intake.contracts import Contract, read_contracts
from mdm.store import governance as store
from mdm.store.governance import KeptDocument

CONTRACT = "contract"


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """A document of a contract that is or was in use, and how it differs from the one before; None for the first."""

    fingerprint: str
    version: str
    status: str
    since: datetime | None
    current: bool
    difference: ContractDiff | None


def remember_documents(engine: Engine, clock: Clock, catalogue: Catalogue) -> None:
    """Keep the contracts of this catalogue, once each."""
    now = clock()
    with engine.begin() as connection:
        for file in _files(catalogue):
            store.keep(connection, _as_kept(file, now))


def all_contracts(catalogue: Catalogue) -> tuple[Contract, ...]:
    """Every contract of every document beside the ones in use: drafts and retired ones too, by platform and table."""
    found = [contract for file in _files(catalogue) for contract in _read(file)]
    return tuple(sorted(found, key=lambda each: (each.system, each.table, -each.major)))


def contracts_of(catalogue: Catalogue, system: str, table: str) -> tuple[Contract, ...]:
    """The contracts of one table, the newest major first.

    Raises:
        NotFound: no document describes it.
    """
    found = tuple(each for each in all_contracts(catalogue) if (each.system, each.table) == (system, table))
    if not found:
        raise NotFound(f"No contract describes {system}.{table}.", action="`mdm contracts list` shows them.")
    return found


def versions(connection: Connection, contract: Contract) -> Sequence[ContractVersion]:
    """What this contract's document was over time, the newest first, each compared with the one before."""
    assert contract.file is not None
    now = _as_kept(contract.file, None)
    kept = store.kept(connection, CONTRACT, _name(contract.file))
    documents = kept if any(each.fingerprint == now.fingerprint for each in kept) else [now, *kept]
    read = [_from_text(each.document) for each in documents]
    found = []
    for number, each in enumerate(documents):
        before = read[number + 1] if number + 1 < len(read) else None
        mine = [[one for one in side if one.table == contract.table] for side in (before or (), read[number])]
        found.append(
            ContractVersion(
                fingerprint=each.fingerprint,
                version=each.version,
                status=read[number][0].status,
                since=each.first_used_at,
                current=each.fingerprint == now.fingerprint,
                difference=diff_contracts(*mine) if all(mine) else None,
            )
        )
    return found


def documents_in_use(catalogue: Catalogue) -> frozenset[str]:
    """The fingerprints of all contract documents of the platforms, as a proposal has one of its own."""
    return frozenset(_as_kept(file, None).fingerprint for file in _files(catalogue))


def document_in_use(catalogue: Catalogue, system: str) -> str:
    """The newest contract document of a platform, as it is written.

    Raises:
        NotFound: there is no such platform, or it was not read from files.
    """
    mine = [file for file in _files(catalogue) if _read(file)[0].system == system]
    if not mine:
        raise NotFound(f"There is no contract of {system}.", action="`mdm contracts list` shows those that are.")
    return max(mine, key=lambda file: _read(file)[0].major).read_text("utf-8")


def between_majors(contracts: Sequence[Contract]) -> ContractDiff | None:
    """How the newest major of a table differs from the one before; None where there is one only."""
    return diff_contracts([contracts[1]], [contracts[0]]) if len(contracts) > 1 else None


def _files(catalogue: Catalogue) -> tuple[Path, ...]:
    folders = {profile.contract.file.parent for profile in catalogue.profiles if profile.contract.file is not None}
    return tuple(file for folder in sorted(folders) for file in sorted(folder.glob(CONTRACT_FILES)))


@cache
def _read(file: Path) -> tuple[Contract, ...]:
    return read_contracts(file)


@cache
def _from_text(document: str) -> tuple[Contract, ...]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "contract.odcs.yaml"
        file.write_text(document, "utf-8")
        return read_contracts(file)


def _as_kept(file: Path, at: datetime | None) -> KeptDocument:
    document = file.read_text("utf-8")
    version = _read(file)[0].version
    fingerprint = hashlib.sha256(document.encode()).hexdigest()[:16]
    return KeptDocument(CONTRACT, _name(file), fingerprint, version, document, at)


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"
