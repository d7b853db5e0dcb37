"""The history of a row over the keys that it had one after another: what it said before its key changed, it has said.

A row whose primary key changes is a new record of the store. It is a function of the histories alone, in whatever
order the halves of such a change arrive, so that `mdm verify` comes to the same.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Final

from mdm.core.fold import donor_row, rows_of
from mdm.model.events import Row, SourcePosition
from mdm.model.ids import CrosswalkKey
from mdm.model.mirror import Version, former_key

Histories = Mapping[CrosswalkKey, Sequence[Version]]

#: After everything that a source can say.
_END: Final = SourcePosition(sys.maxsize, sys.maxsize, sys.maxsize, sys.maxsize)


def lives(key: CrosswalkKey, histories: Histories) -> dict[CrosswalkKey, SourcePosition]:
    """The keys that a row has and had, its present one first, each with the position at which it was given up.

    A key may be given to another row later, whose changes are not this row's. Keys without history are among them.
    """
    ends = {key: _END}
    asked = [key]
    while asked:
        each = asked.pop()
        for version in histories.get(each, ()):
            former = former_key(each, version.previous_key)
            if former is None or version.position >= ends[each]:
                continue
            if former not in ends or ends[former] < version.position:
                ends[former] = version.position
                asked.append(former)
    return ends


def statements(key: CrosswalkKey, histories: Histories) -> list[Row]:
    """All that a row has said, in source order, under the keys that it has and had."""
    said = [one for each, end in lives(key, histories).items() for one in _rows_until(end, each, histories)]
    return [row for _, row in sorted(said, key=lambda one: (one[0].position, one[0].place))]


def former_statements(key: CrosswalkKey, histories: Histories) -> list[Row]:
    """What a row has said under the keys that it had before."""
    ends = lives(key, histories)
    return [row for each, end in ends.items() if each != key for _, row in _rows_until(end, each, histories)]


def _rows_until(end: SourcePosition, key: CrosswalkKey, histories: Histories) -> list[tuple[Version, Row]]:
    versions = [version for version in histories.get(key, ()) if version.position < end]
    return rows_of(versions, lambda version: donor_row(key, version, lambda other: histories.get(other, ())))
