"""The histories of rows as they are with a delta that is not written yet, under all keys that the rows had."""

from collections.abc import Collection, Mapping, Sequence

from mdm.core.rekeyed import Histories, lives
from mdm.model.ids import CrosswalkKey
from mdm.model.mirror import MirrorDelta, Version
from mdm.store.mirror import histories_of
from mdm.store.unit_of_work import UnitOfWork


def arrived_in(delta: MirrorDelta) -> dict[CrosswalkKey, list[Version]]:
    """The versions that a delta adds, by row."""
    keys = {head.rec_id: head.key for head in delta.heads}
    arrived: dict[CrosswalkKey, list[Version]] = {}
    for rec, version in delta.versions:
        arrived.setdefault(keys[rec], []).append(version)
    return arrived


def histories_with(
    work: UnitOfWork, keys: Collection[CrosswalkKey], arrived: Mapping[CrosswalkKey, Sequence[Version]]
) -> tuple[Histories, Histories]:
    """The histories of these rows under all keys that they had: as stored, and with what arrives."""
    stored: dict[CrosswalkKey, list[Version]] = {}
    whole: dict[CrosswalkKey, list[Version]] = {}
    missing = set(keys)
    while missing:
        read = histories_of(work, missing)
        stored |= read
        whole |= {key: [*past, *arrived.get(key, ())] for key, past in read.items()}
        missing = {each for key in keys for each in lives(key, whole)} - stored.keys()
    return stored, whole
