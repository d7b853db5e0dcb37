"""What a record is compared by where it only repeats the hub: what it itself said last about that attribute.

Echoes are no evidence for survivorship (`survivorship.echoes`), and none for matching either: neither for the entity
that the value came from, nor, where a steward's correction is unlike all that platforms say, against it. It is a
function of the record's history and of its marks, so that `mdm verify` can recompute it in any order of arrival.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mdm.core.former import since_birth, with_former
from mdm.core.rekeyed import Histories, statements
from mdm.intake.catalogue import Catalogue
from mdm.intake.mapping import standardise
from mdm.intake.rules import TableMapping
from mdm.model.events import Row
from mdm.model.ids import CrosswalkKey
from mdm.model.records import SourceRecord
from survivorship.echoes import still_echoes


def as_compared(
    catalogue: Catalogue,
    key: CrosswalkKey,
    row: Row,
    record: SourceRecord,
    histories: Histories,
    marked: Mapping[str, str],
) -> SourceRecord:
    """The record with what matching reads of it: its own words, and what its row said before (`mdm.core.former`).

    Args:
        histories: of the row, and where it has marks, of the keys that it had before.
    """
    own = in_own_words(catalogue, key, row, record, statements(key, histories), marked) if marked else record
    return with_former(catalogue, key, row, own, since_birth(histories.get(key, ())))


def in_own_words(
    catalogue: Catalogue,
    key: CrosswalkKey,
    row: Row,
    record: SourceRecord,
    statements: Sequence[Row],
    marked: Mapping[str, str],
) -> SourceRecord:
    """The record, compared by its own statements. All else about it stays as the row says.

    Args:
        record: the row in canonical form.
        statements: all that the row has said, in order (`mdm.core.rekeyed`).
        marked: its marks of echoes.
    """
    repeated = still_echoes(record.attributes, marked)
    profile = catalogue.profile(key.system, key.type)
    if not repeated or profile is None or profile.mapping is None:
        return record
    own = _own_row(catalogue, key, row, statements, {name: marked[name] for name in repeated}, profile.mapping)
    return replace(record, comparison=standardise(catalogue, key, own).comparison)


def said_before(
    catalogue: Catalogue, key: CrosswalkKey, statements: Sequence[Row], marks: Mapping[str, str]
) -> frozenset[str]:
    """The attributes in which a row goes on saying, or comes back to, what it had said earlier by itself.

    Args:
        statements: what the row had said before.
        marks: what it says now.
    """
    return frozenset[str]().union(
        *(still_echoes(standardise(catalogue, key, past).attributes, marks) for past in statements)
    )


def _own_row(
    catalogue: Catalogue,
    key: CrosswalkKey,
    row: Row,
    statements: Sequence[Row],
    repeated: Mapping[str, str],
    mapping: TableMapping,
) -> Row:
    """The row with the columns of each repeated attribute as they were when it last said something else.

    Columns that never did are left out: nothing is known of them.
    """
    columns = {name: _columns(mapping, name) for name in repeated}
    own: dict[str, Any] = {column: value for column, value in row.items() if not _in_any(column, columns)}
    sought = set(repeated)
    for past in reversed(statements):
        if not sought:
            break
        said = standardise(catalogue, key, past).attributes
        differing = {name for name in sought if not still_echoes(said, {name: repeated[name]})}
        for name in sorted(differing):
            own |= {column: past[column] for column in columns[name] if column in past}
        sought -= differing
    return own


def _columns(mapping: TableMapping, attribute: str) -> frozenset[str]:
    return frozenset(
        source.path.column for rule in mapping.attributes if rule.attribute == attribute for source in rule.sources
    )


def _in_any(column: str, columns: Mapping[str, frozenset[str]]) -> bool:
    return any(column in each for each in columns.values())
