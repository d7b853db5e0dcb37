"""References inside golden values, served with the entity they mean.

A reference is stored as the source row it names, because the entity behind that row may change; it is resolved on
reading.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from mdm.model.canonical import ATTRIBUTES, Shape
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.read_identity import resolve_names

_SHAPES: Mapping[Domain, Mapping[str, Shape]] = {
    domain: {each.name: each.shape for each in attributes if each.shape in (Shape.REFERENCE, Shape.LINES)}
    for domain, attributes in ATTRIBUTES.items()
}


def references_in(domain: Domain, values: Mapping[str, Any]) -> set[CrosswalkKey]:
    """Every source row that these golden values name."""
    named: set[CrosswalkKey] = set()
    for attribute, shape in _SHAPES[domain].items():
        value = values.get(attribute)
        if shape is Shape.REFERENCE:
            named.update(_named(value))
        else:
            for line in value or ():
                named.update(_named(line.get("product")))
    return named


def referring(domain: Domain) -> tuple[str, ...]:
    """The attributes whose values name other records."""
    return tuple(_SHAPES[domain])


def expand(domain: Domain, values: Mapping[str, Any], entities: Mapping[CrosswalkKey, EntityId]) -> dict[str, Any]:
    """The values with `entity_id` added to each reference; null where the row is not known or ambiguous."""
    expanded = dict(values)
    for attribute, shape in _SHAPES[domain].items():
        value = values.get(attribute)
        if not value:
            continue
        if shape is Shape.REFERENCE:
            expanded[attribute] = _with_entity(value, entities)
        else:
            expanded[attribute] = [
                {**line, "product": _with_entity(line["product"], entities)} if line.get("product") else line
                for line in value
            ]
    return expanded


def resolve_references(
    connection: Connection, records: Iterable[tuple[Domain, Mapping[str, Any]]]
) -> Mapping[CrosswalkKey, EntityId]:
    """The entities behind all references of these golden values, in one query."""
    named: set[CrosswalkKey] = set()
    for domain, values in records:
        named |= references_in(domain, values)
    return resolve_names(connection, named)


def _named(reference: Any) -> Iterable[CrosswalkKey]:
    if isinstance(reference, Mapping):
        yield CrosswalkKey(reference["system"], reference["type"], reference["key"])


def _with_entity(reference: Mapping[str, Any], entities: Mapping[CrosswalkKey, EntityId]) -> dict[str, Any]:
    name = CrosswalkKey(reference["system"], reference["type"], reference["key"])
    return {**name._asdict(), "entity_id": entities.get(name)}
