"""Values that came from the hub and return through the feed of a platform that reads it: no new evidence.

An echo is recognised when it arrives: the platform states, after the hub had published it, a value that another record
(or a steward) had made golden and that the platform itself did not state. From then on it is a stored fact about the
record, as long as the record goes on saying the same.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mdm.model.ids import CrosswalkKey
from survivorship.criteria import comparable


def echoes_in(
    keys: Collection[CrosswalkKey], attributes: Mapping[str, Any], golden: Mapping[str, Any], lineage: Mapping[str, Any]
) -> dict[str, str]:
    """The attributes in which a record repeats the golden record, with the digest of what it says.

    Args:
        keys: the record's key, and those that its row had before.
        golden, lineage: the version that was current when the record changed.
    """
    return {
        name: said_digest(value)
        for name in golden.keys() & attributes.keys()
        if (value := _stated(attributes, name)) is not None
        and comparable(value) == comparable(golden[name])
        and name in lineage
        and not _had_it(keys, lineage[name])
    }


def said_digest(value: Any) -> str:
    """Names a statement without repeating it."""
    return hashlib.sha256(repr(comparable(value)).encode()).hexdigest()[:32]


def still_echoes(attributes: Mapping[str, Any], marked: Mapping[str, str]) -> frozenset[str]:
    """The marked attributes in which a record still says what made it an echo."""
    return frozenset(
        name
        for name, digest in marked.items()
        if (value := _stated(attributes, name)) is not None and said_digest(value) == digest
    )


def _stated(attributes: Mapping[str, Any], name: str) -> Any:
    value = attributes.get(name)
    return value if value or value == 0 else None


def _had_it(keys: Collection[CrosswalkKey], lineage: Mapping[str, Any]) -> bool:
    """Whether the record itself was behind the golden value, as its winner or as one that said the same."""
    return any(record in keys for record in _behind(lineage))


def _behind(lineage: Mapping[str, Any]) -> Iterator[CrosswalkKey]:
    if lineage.get("record"):
        yield _key(lineage["record"])
    for loser in lineage.get("runners_up", ()):
        if loser["rule"] == "same_value":
            yield _key(loser["record"])
    for element in lineage.get("elements", ()):
        yield from _behind(element)


def _key(record: Mapping[str, Any]) -> CrosswalkKey:
    return CrosswalkKey(record["system"], record["type"], record["key"])
