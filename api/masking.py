"""What leaves the API for whom: values, lineage, source rows, facts and announcements, by data class and role.

`masked` names the attributes whose value was hidden, so that hidden and unknown cannot be confused.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mdm.access import Eyes, ending, mask, may_see
from mdm.model.canonical import ATTRIBUTES, EXTENSION, NAMING, Attribute, DataClass, Shape
from mdm.model.ids import Domain

_BY_NAME: Mapping[Domain, Mapping[str, Attribute]] = {
    domain: {attribute.name: attribute for attribute in (*attributes, EXTENSION)}
    for domain, attributes in ATTRIBUTES.items()
}

#: Attributes of linked facts that say what a fact is, when it is and how it stands. All others count as confidential:
#: facts carry amounts and persons, and no catalogue classifies them.
_OPEN_FACT_ATTRIBUTES = frozenset(
    {
        "number", "status", "stage", "type", "currency", "interval", "usage_type", "active", "closed", "won",
        "issued_at", "due_date", "order_date", "posting_date", "close_date", "expires_on", "received_at",
        "period_start", "period_end", "valid_from", "valid_to",
    }
)  # fmt: skip
#: They are shown to everybody who may read.
_FACT_CLASS = DataClass.PUBLIC


class Shown(NamedTuple):
    """Values as a role may see them, and the names of those that were hidden."""

    values: dict[str, Any]
    masked: list[str]


def show_values(domain: Domain, values: Mapping[str, Any], eyes: Eyes) -> Shown:
    """Canonical values. Names that the catalogue does not know are hidden from those without full clearance."""
    shown: dict[str, Any] = {}
    hidden: list[str] = []
    for name in _in_order(domain, values):
        value = values[name]
        if value is None or _visible(domain, name, eyes):
            shown[name] = value
        else:
            shown[name] = _hide(domain, name, value)
            hidden.append(name)
    return Shown(shown, sorted(hidden))


def show_value(domain: Domain, name: str, value: Any, eyes: Eyes) -> Any:
    """One canonical value, or one element of a list value."""
    return value if value is None or _visible(domain, name, eyes) else _hide(domain, name, value)


def show_name(domain: Domain, name: str, eyes: Eyes) -> str:
    """The display name of a golden record: it repeats an attribute, and is hidden where that one is."""
    return name if _visible(domain, NAMING[domain], eyes) else ending(name)


def show_lineage(domain: Domain, name: str, lineage: Mapping[str, Any], eyes: Eyes) -> dict[str, Any]:
    """The lineage of one attribute: the values of runners-up and of list elements are hidden like the value itself."""
    return dict(lineage) if _visible(domain, name, eyes) else _without_values(domain, name, lineage)


def show_record(domain: Domain | None, attributes: Mapping[str, Any], eyes: Eyes) -> Shown:
    """The attributes of a source row; `domain` is None for a linked fact."""
    if domain is not None:
        return show_values(domain, attributes, eyes)
    shown: dict[str, Any] = {}
    hidden: list[str] = []
    for name, value in attributes.items():
        if value is None or may_see(eyes, class_of(None, name)):
            shown[name] = value
        else:
            shown[name] = mask(Shape.TEXT, value)
            hidden.append(name)
    return Shown(shown, sorted(hidden))


def class_of(domain: Domain | None, name: str) -> DataClass:
    """The class of an attribute; `domain` is None for those of linked facts. What nobody classified is confidential."""
    if domain is None:
        return _FACT_CLASS if name in _OPEN_FACT_ATTRIBUTES else DataClass.CONFIDENTIAL
    attribute = _BY_NAME[domain].get(name)
    return attribute.data_class if attribute is not None else DataClass.CONFIDENTIAL


def show_payload(domain: Domain, payload: Mapping[str, Any], eyes: Eyes) -> dict[str, Any]:
    """An announcement: its golden values are hidden as they are everywhere else."""
    if "values" not in payload:
        return dict(payload)
    shown = show_values(domain, payload["values"], eyes)
    return {**payload, "values": shown.values, "masked": shown.masked}


def _in_order(domain: Domain, values: Mapping[str, Any]) -> list[str]:
    """The names of the values in the order of the catalogue, which is the order in which people think of them."""
    known = _BY_NAME[domain]
    return [name for name in known if name in values] + sorted(name for name in values if name not in known)


def _visible(domain: Domain, name: str, eyes: Eyes) -> bool:
    return may_see(eyes, class_of(domain, name))


def _hide(domain: Domain, name: str, value: Any) -> Any:
    attribute = _BY_NAME[domain].get(name)
    return mask(attribute.shape if attribute is not None else Shape.TEXT, value)


def _without_values(domain: Domain, name: str, part: Mapping[str, Any]) -> dict[str, Any]:
    """A lineage, an element of it or a runner-up with every value in it hidden, at any depth."""
    shown: dict[str, Any] = {}
    for key, content in part.items():
        if key == "value":
            shown[key] = _hide(domain, name, content)
        elif isinstance(content, list):
            shown[key] = [
                _without_values(domain, name, each) if isinstance(each, Mapping) else each for each in content
            ]
        else:
            shown[key] = content
    return shown
