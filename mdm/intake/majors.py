"""Two major versions of a table's contract at once, while its platform migrates.

Nothing in an event says which version it follows, so the one that it deviates from least reads it. A row that was read
by one version has the columns that only the other knows as null: in that shape of the table they do not exist, and a
value from before the migration must not survive in a column that the platform has given up. When the older version is
retired, rows that were not sent since still have only its columns: a mapping may go on naming them.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from typing import Any

from mdm.intake.contracts import Contract, State
from mdm.intake.refusal import Deviation, Refused
from mdm.intake.rows import ReadRow, RowReader


def with_all_columns(newest: Contract, readable: Sequence[Contract]) -> Contract:
    """The newest contract with the columns of all: what a mapping may read."""
    columns = {name: column for each in reversed(readable) for name, column in each.columns.items()}
    return replace(newest, columns=columns) if len(readable) > 1 else newest


def read_key_by_fit(readers: Sequence[RowReader], key: bytes, schema: bytes | None) -> dict[str, Any]:
    """The key columns as the newest version reads them that can; a key column may have another type in the next major.

    Raises:
        Refused: no version can read them; the reason is the newest one's.
    """
    refusals: list[Refused] = []
    for reader in readers:
        try:
            return reader.read_key(key, schema)
        except Refused as refusal:
            refusals.append(refusal)
    raise refusals[0]


def read_by_fit(
    readers: Sequence[RowReader], read: Callable[[RowReader], ReadRow], former: Set[str] = frozenset()
) -> ReadRow:
    """A row as the version reads it that it deviates from least; of equals, the newest.

    Args:
        readers: of the newest version first; none when no version is active.
        read: has a version read the row.
        former: columns of retired versions, which no reader knows.

    Raises:
        Refused: no version can read it; the reason is the newest one's.
    """
    if not readers:
        raise Refused("CONTRACT_NOT_ACTIVE", "No contract of this table is active or deprecated.")
    refusals: list[Refused] = []
    best: tuple[RowReader, ReadRow] | None = None
    for reader in readers:
        try:
            found = read(reader)
        except Refused as refusal:
            refusals.append(refusal)
            continue
        if best is None or len(found.deviations) < len(best[1].deviations):
            best = reader, found
        if not found.deviations:
            break
    if best is None:
        raise refusals[0]
    return _in_all_shapes(best[0].contract, best[1], readers, former)


def _in_all_shapes(contract: Contract, found: ReadRow, readers: Sequence[RowReader], former: Set[str]) -> ReadRow:
    others = {name for reader in readers for name in reader.contract.columns} - contract.columns.keys() | former
    values = {**found.values, **{name: None for name in others if name not in found.values}}
    deviations = found.deviations
    if contract.state is State.DEPRECATED:
        told = f"The table still sends version {contract.version}, which is deprecated."
        deviations = (*deviations, Deviation("CONTRACT_DEPRECATED", contract.version, told))
    return ReadRow(values, found.unavailable, deviations)
