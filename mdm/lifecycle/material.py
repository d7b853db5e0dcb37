"""What reconciliation starts from: source rows in canonical attributes, and what the hub made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from mdm.lifecycle.usage_revenue import UsageRevenue, shipped_usage_revenue
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.records import Reference


@dataclass(frozen=True, slots=True)
class Stated:
    """A live source row in canonical attributes, with what it points at and the time of its last change."""

    key: CrosswalkKey
    kind: str
    attributes: Mapping[str, Any]
    references: tuple[Reference, ...]
    changed_at: datetime

    def target(self, role: str) -> CrosswalkKey | None:
        """The row that it points at in this role; None when there is none, or more than one."""
        found = [reference.target for reference in self.references if reference.role == role]
        return found[0] if len(found) == 1 else None

    def text(self, name: str) -> str | None:
        value = self.attributes.get(name)
        return None if value is None else str(value)

    def word(self, name: str) -> str | None:
        """A status or another word of a closed list, in lower case."""
        value = self.text(name)
        return None if value is None else value.casefold()

    def amount(self, name: str) -> Decimal | None:
        return amount_of(self.attributes.get(name))

    def day(self, name: str) -> date | None:
        """The day that it states; None where it states none, or something that is no day: then it is not known."""
        return day_of(self.text(name))

    def instant(self, name: str) -> datetime | None:
        """The same for an instant; of one without a zone it is taken to be UTC."""
        value = self.text(name)
        try:
            found = None if value is None else datetime.fromisoformat(value)
        except ValueError:
            return None
        return found if found is None or found.tzinfo is not None else found.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Version:
    """What a contract record said from an instant on."""

    since: datetime
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that is reconciled, as of one instant.

    `entities` leads from every name of a source row (key or alias) to the one entity it means. `contracts` and
    `products` hold golden values. `versions` holds the known versions of contract records, oldest first.
    `usage_revenue` is the mapping of use and revenue in force. `unknown` are the names in references that the hub has
    never had, of tables of which something arrived; `heard` is the newest event of each platform.
    """

    as_of: datetime
    facts: Sequence[Stated]
    contract_records: Sequence[Stated]
    accounts: Sequence[Stated]
    entities: Mapping[CrosswalkKey, EntityId]
    contracts: Mapping[EntityId, Mapping[str, Any]]
    products: Mapping[EntityId, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[CrosswalkKey, Sequence[Version]] = field(default_factory=dict)
    usage_revenue: UsageRevenue = field(default_factory=shipped_usage_revenue)
    unknown: frozenset[CrosswalkKey] = frozenset()
    heard: Mapping[str, datetime] = field(default_factory=dict)

    def of_kind(self, kind: str) -> list[Stated]:
        return [fact for fact in self.facts if fact.kind == kind]

    def entity(self, name: CrosswalkKey | None) -> EntityId | None:
        return None if name is None else self.entities.get(name)


def day_of(text: str | None) -> date | None:
    """The day that a text of year, month and day begins with; None where it begins with none."""
    try:
        return None if text is None else date.fromisoformat(text[:10])
    except ValueError:
        return None


def amount_of(value: object) -> Decimal | None:
    """A decimal; None for nothing, for what is no number, and for what is not finite."""
    if value is None:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
