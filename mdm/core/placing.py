"""Where a golden record belongs, from its values and the platforms that know it: by a plan that is data.

Pure. What the labels are for is said in `mdm.access.scope`; who may reach what is decided there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from mdm.access.scope import DIMENSIONS, EVERYWHERE, UNASSIGNED, Placement, read_scope
from mdm.errors import ConfigurationInvalid, Invalid
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain
from mdm.model.platforms import Platforms

_EVERYWHERE = frozenset({EVERYWHERE})
_CUSTOMER = {attribute.name for attribute in ATTRIBUTES[Domain.CUSTOMER]}


@dataclass(frozen=True, slots=True)
class LabelRule:
    """Labels from a golden attribute, or (None) from the platforms; `labels` maps values to labels, None keeps them."""

    attribute: tuple[str, ...] | None
    labels: Mapping[str, str] | None

    def among(self, platforms: Platforms) -> "LabelRule":
        """The rule where roles mean all platforms that have them."""
        if self.attribute is not None or self.labels is None:
            return self
        return replace(self, labels=platforms.spread(self.labels))


@dataclass(frozen=True, slots=True)
class PlacementPlan:
    """For each dimension rules of which the first that gives a label counts."""

    version: str
    rules: Mapping[str, Sequence[LabelRule]]

    def among(self, platforms: Platforms) -> "PlacementPlan":
        """The plan where the hub has these platforms: a label that it gives to `erp` it gives to every ERP. A platform
        that it names itself keeps its own label."""
        return replace(
            self, rules={name: [each.among(platforms) for each in rules] for name, rules in self.rules.items()}
        )


#: Where a plan says nothing: the platforms that know a record are its sources.
_OWN: Mapping[str, Sequence[LabelRule]] = {"sources": (LabelRule(None, None),)}


def place_customer(plan: PlacementPlan, values: Mapping[str, Any], systems: Collection[str]) -> Placement:
    """Where a golden customer belongs."""
    return Placement(
        Domain.CUSTOMER,
        **{name: _labels(plan.rules.get(name) or _OWN.get(name, ()), values, systems) for name in DIMENSIONS},
    )


def product_placement() -> Placement:
    """Where every product belongs."""
    return Placement(Domain.PRODUCT, _EVERYWHERE, _EVERYWHERE, _EVERYWHERE, _EVERYWHERE)


@cache
def shipped_plan() -> PlacementPlan:
    """The plan that ships with the hub."""
    return read_plan((files("mdm.core") / "placement.yaml").read_text("utf-8"), "placement.yaml")


def read_plan(text: str, name: str) -> PlacementPlan:
    """A plan from its YAML document.

    Raises:
        ConfigurationInvalid: a part is missing, names what does not exist, or gives a label that no scope can name.
    """
    try:
        document: dict[str, Any] = yaml.safe_load(text)
        unknown = set(document) - {"version", *DIMENSIONS}
        if unknown:
            raise ConfigurationInvalid(f"{name}: {', '.join(sorted(unknown))} is no dimension of a placement.")
        rules = {each: _rules(document.get(each) or [], f"{name}: {each}") for each in DIMENSIONS}
        return PlacementPlan(str(document["version"]), rules)
    except KeyError as fault:
        raise ConfigurationInvalid(f"{name} lacks {fault}.") from fault
    except (yaml.YAMLError, AttributeError, TypeError) as fault:
        raise ConfigurationInvalid(f"{name} cannot be read: {fault}.") from fault


def _rules(written: Sequence[Mapping[str, Any]], place: str) -> list[LabelRule]:
    rules: list[LabelRule] = []
    for number, each in enumerate(written):
        here = f"{place}[{number}]"
        attribute = each.get("attribute")
        if (attribute is None) == ("source" not in each):
            raise ConfigurationInvalid(f"{here} needs either `attribute` or `source`.")
        path = None if attribute is None else tuple(str(attribute).split("."))
        if path is not None and path[0] not in _CUSTOMER:
            raise ConfigurationInvalid(f"{here}: a customer has no attribute {path[0]}.")
        rules.append(LabelRule(path, _mapped(each.get("labels"), rules, here)))
    return rules


def _mapped(written: Any, before: Sequence[LabelRule], place: str) -> Mapping[str, str] | None:
    """Values to labels; `dimension[0]` takes the labels of an earlier rule of the dimension."""
    if written is None:
        return None
    if isinstance(written, str):
        number = written.partition("[")[2].rstrip("]")
        if not number.isdigit() or int(number) >= len(before):
            raise ConfigurationInvalid(f"{place}: {written} names no earlier rule.")
        return before[int(number)].labels
    try:
        read_scope({"regions": list(written)})
    except Invalid as fault:
        raise ConfigurationInvalid(f"{place}: {fault.message}") from fault
    return {str(value): str(label) for label, values in written.items() for value in values}


def _labels(rules: Sequence[LabelRule], values: Mapping[str, Any], systems: Collection[str]) -> frozenset[str]:
    for rule in rules:
        found = _stated(rule, values, systems)
        if rule.labels is not None:
            found = {rule.labels[each] for each in found if each in rule.labels}
        if found:
            return frozenset(found)
    return frozenset({UNASSIGNED})


def _stated(rule: LabelRule, values: Mapping[str, Any], systems: Collection[str]) -> set[str]:
    if rule.attribute is None:
        return set(systems)
    value: Any = values
    for part in rule.attribute:
        value = value.get(part) if isinstance(value, Mapping) else None
    return {value} if isinstance(value, str) and value else set()
