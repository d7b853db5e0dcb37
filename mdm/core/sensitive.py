"""Which sensitive attributes of a golden record differ from what an ERP is served, and the name of such a change. Pure.

Two versions that write one number in two ways do not differ: identifiers count by type, country and normal form.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mdm.model.canonical import ATTRIBUTES, Shape
from mdm.model.ids import Domain


@dataclass(frozen=True, slots=True)
class Change:
    """Sensitive attributes of a version that differ from the one before it, by the digest of both their values."""

    attributes: tuple[str, ...]
    digest: str


def changed_attributes(
    domain: Domain, names: Collection[str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[str, ...]:
    """Those of these attributes whose values differ, in alphabetical order."""
    shapes = {each.name: each.shape for each in ATTRIBUTES[domain]}
    return tuple(
        name
        for name in sorted(names)
        if _comparable(shapes.get(name), before.get(name)) != _comparable(shapes.get(name), after.get(name))
    )


def change_of(
    entity_id: str, domain: Domain, names: Collection[str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Change | None:
    """The change between two versions, None where no sensitive attribute differs.

    The same values of the same golden record give the same digest, whichever versions hold them.
    """
    changed = changed_attributes(domain, names, before, after)
    if not changed:
        return None
    shapes = {each.name: each.shape for each in ATTRIBUTES[domain]}
    parts = [
        [each, _comparable(shapes.get(each), before.get(each)), _comparable(shapes.get(each), after.get(each))]
        for each in changed
    ]
    content = json.dumps([entity_id, parts], sort_keys=True, ensure_ascii=False, default=str)
    return Change(changed, hashlib.sha256(content.encode()).hexdigest()[:32])


def _comparable(shape: Shape | None, value: Any) -> Any:  # Any: the JSON form of the attribute's shape
    if value in ([], {}, ""):
        return None
    if shape is Shape.IDENTIFIERS and value is not None:
        return sorted([str(each.get(part) or "") for part in ("type", "country")] + [_number(each)] for each in value)
    return value


def _number(identifier: Mapping[str, Any]) -> str:
    return str(identifier.get("normal") or identifier.get("value") or "")


@dataclass(frozen=True, slots=True)
class Origin:
    """The source row of a golden value, the place of its message in the feed (topic/partition/offset), and the rule."""

    system: str
    type: str
    key: str
    place: str
    rule: str

    @property
    def row(self) -> str:
        return f"{self.system}.{self.type} {self.key}" if self.system else ""

    def __str__(self) -> str:
        return f"{self.row} at {self.place} by rule {self.rule}" if self.system else f"by rule {self.rule}"


def origins(lineage: Mapping[str, Any] | None) -> tuple[Origin, ...]:
    """Where a golden value comes from; of a union of values, where the elements do that came last."""
    if not lineage:
        return ()
    elements = lineage.get("elements")
    if elements is None:
        return (_origin(lineage),)
    last = max((str(each.get("event_time") or "") for each in elements), default="")
    return tuple(dict.fromkeys(_origin(each) for each in elements if str(each.get("event_time") or "") == last))


def _origin(part: Mapping[str, Any]) -> Origin:
    record = part.get("record") or {}
    place = "/".join(str(part.get(name)) for name in ("topic", "partition", "offset")) if record else ""
    return Origin(
        record.get("system", ""), record.get("type", ""), record.get("key", ""), place, str(part.get("rule") or "")
    )
