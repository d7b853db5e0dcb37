"""Which part of the hub a principal may reach, beside what its role may do: region, business unit, legal entity,
source, domain (the type of entity), data class, purpose. Pure: the store injects what is decided here into every query.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from mdm.errors import Invalid
from mdm.model.canonical import DataClass
from mdm.model.ids import Domain

#: Label of what belongs nowhere. Only those see it whose scope names it, or is not limited in that dimension.
UNASSIGNED = "unassigned"
#: Label of what belongs everywhere: products.
EVERYWHERE = "*"

#: A label travels in database settings and in comma-separated lists.
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.&-]{0,63}")

Labels: TypeAlias = frozenset[str]


class Purpose(StrEnum):
    """What somebody reads master data for. Data that were given for one purpose are not shown for another."""

    MARKETING = "marketing"
    ANALYTICS = "analytics"
    SUPPORT = "support"
    OPERATIONS = "operations"
    COMPLIANCE = "compliance"


#: The most protected class of values that each purpose needs.
PURPOSES: Mapping[Purpose, DataClass] = {
    Purpose.MARKETING: DataClass.PUBLIC,
    Purpose.ANALYTICS: DataClass.INTERNAL,
    Purpose.SUPPORT: DataClass.CONFIDENTIAL,
    Purpose.OPERATIONS: DataClass.CONFIDENTIAL,
    Purpose.COMPLIANCE: DataClass.RESTRICTED,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a principal may reach. None in a dimension: everything; an empty set: nothing.

    `sources` are platforms: golden records that one of them knows. `data_class` and `purpose` lower the clearance of
    the role, and never raise it.
    """

    regions: Labels | None = None
    business_units: Labels | None = None
    legal_entities: Labels | None = None
    domains: frozenset[Domain] | None = None
    data_class: DataClass | None = None
    sources: Labels | None = None
    purpose: Purpose | None = None

    @property
    def limits_rows(self) -> bool:
        """Whether there are golden records that this scope does not reach."""
        return self.domains is not None or any(getattr(self, name) is not None for name in DIMENSIONS)

    @property
    def sees(self) -> DataClass | None:
        """The most protected class that this scope leaves, whatever the role; None for no limit."""
        limits = [self.data_class, PURPOSES[self.purpose] if self.purpose is not None else None]
        return min((each for each in limits if each is not None), key=list(DataClass).index, default=None)

    def as_json(self) -> dict[str, Any]:
        """The dimensions that are limited, by name."""
        told: dict[str, Any] = {
            name: sorted(labels) for name in DIMENSIONS if (labels := getattr(self, name)) is not None
        }
        if self.domains is not None:
            told["domains"] = sorted(domain.value for domain in self.domains)
        if self.data_class is not None:
            told["data_class"] = self.data_class.value
        if self.purpose is not None:
            told["purpose"] = self.purpose.value
        return told


#: Not limited in anything: whoever was given no scope.
EVERYTHING = Scope()
#: Dimensions whose labels golden records carry.
DIMENSIONS: tuple[str, ...] = ("regions", "business_units", "legal_entities", "sources")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a golden record belongs: the labels it carries in each dimension."""

    domain: Domain
    regions: Labels
    business_units: Labels
    legal_entities: Labels
    sources: Labels = frozenset({UNASSIGNED})


def permits(scope: Scope, placement: Placement) -> bool:
    """Whether a principal of this scope may reach a golden record placed there.

    Every limited dimension must share a label with the record. What has no placement is reached by nobody with limits.
    """
    return (scope.domains is None or placement.domain in scope.domains) and all(
        _meets(getattr(scope, name), getattr(placement, name)) for name in DIMENSIONS
    )


def _meets(granted: Labels | None, carried: Labels) -> bool:
    return granted is None or (bool(granted) and not (granted | {EVERYWHERE}).isdisjoint(carried))


def read_scope(given: Mapping[str, Any]) -> Scope:
    """A scope from its JSON form: lists of labels, and one data class.

    Raises:
        Invalid: a dimension does not exist, or says what it cannot mean. Nothing is guessed: a scope that is not
            understood must not become a wider one.
    """
    unknown = set(given) - {*DIMENSIONS, "domains", "data_class", "purpose"}
    if unknown:
        raise Invalid(f"A scope has no {', '.join(sorted(unknown))}.", action=f"Use {', '.join(DIMENSIONS)}.")
    labels = {name: _read(name, given[name], _label) for name in DIMENSIONS if given.get(name) is not None}
    domains = given.get("domains")
    data_class, purpose = given.get("data_class"), given.get("purpose")
    try:
        return Scope(
            **labels,
            domains=None if domains is None else _read("domains", domains, Domain),
            data_class=None if data_class is None else DataClass(data_class),
            purpose=None if purpose is None else Purpose(purpose),
        )
    except ValueError as error:
        raise Invalid(f"A scope cannot be read: {error}.") from error


def _read(name: str, value: Any, read: Callable[[str], Any]) -> frozenset[Any]:
    listed: Iterable[Any] = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple | set | frozenset) or not all(isinstance(each, str) for each in listed):
        raise Invalid(f"{name} of a scope must be a list of texts.")
    return frozenset(read(each) for each in listed)


def _label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise Invalid(f"{text!r} is no label.", action="A label has letters, digits and `_ . & -`, at most 64.")
    return text
