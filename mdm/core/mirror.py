"""What a batch of decoded messages does to the hub's mirror of the source tables.

Every message gets exactly one outcome here. Nothing is decided about identity yet.
"""

from collections.abc import Mapping, Sequence

from mdm.core.fold import Folded, bury, fold, inherited_rows, version_of
from mdm.model.events import BEGINNING, ChangeEvent, Operation, Outcome, Place, SourcePosition
from mdm.model.ids import CrosswalkKey, RecordId
from mdm.model.mirror import Head, KnownMirror, MirrorDelta, Shape, TableName, Version


def mirror(events: Sequence[ChangeEvent], known: KnownMirror) -> MirrorDelta:
    """Fold the events of a batch into the rows they are about.

    Args:
        events: row changes and truncates, none of which the hub has consumed before.
    """
    truncates = [event for event in events if event.operation is Operation.TRUNCATE]
    truncated: dict[TableName, Sequence[SourcePosition]] = dict(known.truncations)
    for event in truncates:
        table = (event.system, event.type)
        truncated[table] = (*truncated.get(table, ()), event.position)
    outcomes: list[tuple[Place, Outcome]] = [(event.place, Outcome.APPLIED) for event in truncates]

    by_key: dict[CrosswalkKey, list[ChangeEvent]] = {key: [] for key in known.waiting}
    for event in events:
        if event.key is not None:
            by_key.setdefault(event.key, []).append(event)
    heads: list[Head] = []
    versions: list[tuple[RecordId, Version]] = []
    for key, changes in by_key.items():
        folded = _fold(key, changes, by_key, known, truncated.get((key.system, key.type), ()))
        outcomes.extend(folded.outcomes)
        versions.extend((known.rec_ids[key], version) for version in folded.versions)
        if folded.changed:
            heads.append(folded.head)
    for key, head in known.exposed.items():
        if key not in by_key and (buried := bury(head, truncated[key.system, key.type])) is not None:
            heads.append(buried)
    return MirrorDelta(
        heads=tuple(heads),
        versions=tuple(versions),
        outcomes=tuple(outcomes),
        truncations=tuple(((event.system, event.type), event) for event in truncates),
        shapes=_shapes(events),
    )


def _fold(
    key: CrosswalkKey,
    changes: Sequence[ChangeEvent],
    by_key: Mapping[CrosswalkKey, Sequence[ChangeEvent]],
    known: KnownMirror,
    truncates: Sequence[SourcePosition],
) -> Folded:
    history = known.histories.get(key)

    def past(other: CrosswalkKey) -> list[Version]:
        return [*known.histories.get(other, ()), *(version_of(event) for event in by_key.get(other, ()))]

    inherited = inherited_rows(key, [*map(version_of, changes), *(history or ())], past)
    return fold(
        known.rec_ids[key],
        key,
        known.heads.get(key),
        changes,
        history=history,
        inherited=inherited,
        truncates=truncates,
        truncated_before=max(known.truncations.get((key.system, key.type), ()), default=BEGINNING),
    )


def _shapes(events: Sequence[ChangeEvent]) -> dict[TableName, Shape]:
    """The newest column list of each table. Events that leave columns out do not tell the order and do not count."""
    shapes: dict[TableName, Shape] = {}
    for event in events:
        if event.row is None or event.unavailable:
            continue
        table = (event.system, event.type)
        if table not in shapes or shapes[table].position < event.position:
            shapes[table] = Shape(event.position, tuple(event.row))
    return shapes
