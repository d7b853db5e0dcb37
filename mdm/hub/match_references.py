"""Whom the references of a contract that is not in the hub name: its customer and the products of its lines.

A reference that names nobody is no evidence, and no reason to create the contract: what it belongs to comes first.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store import read_match
from mdm.store.unit_of_work import UnitOfWork

#: Those of some ids that whoever asks may reach.
Reach = Callable[[Collection[str]], Collection[str]]

#: No golden record of that kind has this id, or no live source row this name; or it is out of the caller's reach.
UNKNOWN: Final = "ENTITY_UNKNOWN"
#: The golden record was retired, and nothing took its place.
ENDED: Final = "ENTITY_ENDED"


@dataclass(frozen=True, slots=True)
class Named:
    """What the references of one candidate name. `rejected` are attributes whose references name nobody."""

    customer: EntityId | None = None
    products: tuple[EntityId, ...] = ()
    rejected: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """One reference: where it stands and what must be there."""

    attribute: str
    domain: Domain
    reference: Mapping[str, Any]
    line: int = 0

    @property
    def words(self) -> str:
        return f"the product of line {self.line}" if self.line else "the customer"

    @property
    def written(self) -> str:
        name = row_of(self.reference)
        return str(self.reference["entity_id"]) if name is None else "/".join(name)

    def entity(
        self, rows: Mapping[CrosswalkKey, EntityId], fates: Mapping[str, read_match.Fate]
    ) -> tuple[EntityId | None, str | None]:
        """The entity that is meant now, or why there is none."""
        name = row_of(self.reference)
        fate = fates.get(rows.get(name, "") if name is not None else str(self.reference["entity_id"]))
        if fate is None or fate.domain != self.domain:
            return None, UNKNOWN
        return (fate.entity_id, None) if fate.entity_id is not None else (None, ENDED)


def named_by(work: UnitOfWork, questions: Sequence[Mapping[str, Any]], reach: Reach) -> list[Named]:
    """What the references in the values of each candidate name, in two questions for all of them.

    An id that was merged names the golden record that it is part of now. What is out of reach is told as unknown.
    """
    places = [[*_places(values)] for values in questions]
    references = [each.reference for found in places for each in found]
    rows = read_match.entities_of_names(work, {name for each in references if (name := row_of(each)) is not None})
    asked = {str(each["entity_id"]) for each in references if each.get("entity_id")} | {*rows.values()}
    fates = read_match.fates(work, asked)
    reached = reach({*fates, *(each.entity_id for each in fates.values() if each.entity_id is not None)})
    fates = {id: fate for id, fate in fates.items() if {id, fate.entity_id or id} <= {*reached}}
    return [_named(found, rows, fates) for found in places]


def row_of(reference: Mapping[str, Any]) -> CrosswalkKey | None:
    """The source row that a reference names, or None for one that names a golden record."""
    if reference.get("entity_id"):
        return None
    return CrosswalkKey(reference["system"], reference["type"], reference["key"])


def _places(values: Mapping[str, Any]) -> Iterator[_Place]:
    """The references that are complete, as forms ask for them."""
    customer = values.get("customer") or {}
    if _complete(customer):
        yield _Place("customer", Domain.CUSTOMER, customer)
    for number, line in enumerate(values.get("lines") or (), 1):
        product = line.get("product") or {}
        if _complete(product):
            yield _Place("lines", Domain.PRODUCT, product, number)


def _complete(reference: Mapping[str, Any]) -> bool:
    return bool(reference.get("entity_id")) or all(reference.get(part) for part in CrosswalkKey._fields)


def _named(
    places: Sequence[_Place], rows: Mapping[CrosswalkKey, EntityId], fates: Mapping[str, read_match.Fate]
) -> Named:
    found: dict[Domain, set[EntityId]] = {Domain.CUSTOMER: set(), Domain.PRODUCT: set()}
    rejected: dict[str, str] = {}
    remarks = []
    for place in places:
        entity, why = place.entity(rows, fates)
        if entity is not None:
            found[place.domain].add(entity)
        else:
            rejected.setdefault(place.attribute, str(why))
            remarks.append(_REMARKS[str(why)].format(place=place.words, name=place.written, noun=place.domain.value))
    return Named(
        next(iter(found[Domain.CUSTOMER]), None), tuple(sorted(found[Domain.PRODUCT])), rejected, tuple(remarks)
    )


_REMARKS: Final[Mapping[str, str]] = {
    UNKNOWN: "{place} names {name}, and the hub has no such {noun} that you may see: find or create the {noun} first.",
    ENDED: "{place} names {name}, a {noun} that has ended: name the one that is meant now.",
}
