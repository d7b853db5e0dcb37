"""Linked facts and the contracts behind them as values: amounts as decimals, references resolved to entities.

A fact keeps the key of its source row. Whatever a platform did not state is None, never a default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from mdm.model.ids import CrosswalkKey, EntityId


@dataclass(frozen=True, slots=True)
class Order:
    """An order. `contract` is the contract that it was placed under."""

    key: CrosswalkKey
    number: str | None
    contract: EntityId | None
    status: str | None
    value: Decimal | None
    currency: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of an invoice; `product` is the resolved product."""

    key: CrosswalkKey
    product: EntityId | None
    quantity: Decimal | None
    unit_amount: Decimal | None
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice with its lines. `subscription` is the row that it says it bills."""

    key: CrosswalkKey
    number: str | None
    customer: EntityId | None
    subscription: CrosswalkKey | None
    status: str | None
    currency: str | None
    total: Decimal | None
    period_start: date | None
    period_end: date | None
    issued_at: datetime | None
    lines: tuple[InvoiceLine, ...] = ()
    #: Until when it is to be paid, and how much of it was.
    due_date: date | None = None
    paid: Decimal | None = None

    def charged(self, product: EntityId | None) -> Decimal | None:
        """What its lines charge for a product; None when none does, or one does not say how much."""
        amounts = [line.amount for line in self.lines if product is not None and line.product == product]
        known = [amount for amount in amounts if amount is not None]
        return sum(known, Decimal(0)) if known and len(known) == len(amounts) else None


@dataclass(frozen=True, slots=True)
class PostingLine:
    """One line of a journal entry. `partner_stated` is False when it names no business partner at all."""

    key: CrosswalkKey
    account: str | None
    amount: Decimal | None
    partner_stated: bool


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A journal entry. `status` is that of all its lines, in lower case; `partners` are the customers it is on."""

    number: str
    status: str
    reject_reason: str | None
    partners: frozenset[EntityId]
    lines: tuple[PostingLine, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """The price at which billing sells a product."""

    key: CrosswalkKey
    product: EntityId | None
    unit_amount: Decimal | None
    metered: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """A live subscription. `contract` is the entity it was resolved to; quantities and offers are by product.

    `stated_forms` are the forms of the contract number that it states, which may be re-typed or stale.
    """

    key: CrosswalkKey
    contract: EntityId | None
    customer: EntityId | None
    status: str | None
    currency: str | None
    start: date | None
    stated_forms: frozenset[str]
    changed_at: datetime
    quantities: Mapping[EntityId, Decimal]
    offers: Mapping[EntityId, Offer]


@dataclass(frozen=True, slots=True)
class Terms:
    """The prices that one contract record stated from `since` on, per product and per year or unit of use.

    `first` marks the oldest version known; it also speaks for the time before, unless the contract had been amended
    already (`amended`), for then nobody knows what it said at first.
    """

    record: CrosswalkKey
    since: datetime
    first: bool
    amended: bool
    periods_per_year: int | None
    prices: Mapping[EntityId, Decimal]


@dataclass(frozen=True, slots=True)
class Activation:
    """A signed contract record that was activated, and how its account stood with legal validation."""

    record: CrosswalkKey
    activated_on: date
    account: CrosswalkKey
    validated: bool
    validated_on: date | None


@dataclass(frozen=True, slots=True)
class Contract:
    """A resolved contract. `number_forms` are its numbers in every form in which people type them."""

    entity_id: EntityId
    customer: EntityId | None
    number: str | None
    number_forms: frozenset[str]
    status: str | None
    currency: str | None
    start: date | None
    end: date | None
    value: Decimal | None
    prior: EntityId | None
    records: tuple[CrosswalkKey, ...]
    subscriptions: tuple[CrosswalkKey, ...]
    products: frozenset[EntityId]
    terms: tuple[Terms, ...]
    activations: tuple[Activation, ...]
    #: When one of its records changed last; None where there is none.
    changed_at: datetime | None = None

    @property
    def only_subscribed(self) -> bool:
        """Whether nothing but subscriptions tells of the contract: it was never signed, or never linked to what was."""
        return bool(self.subscriptions) and self.subscriptions == self.records

    def covers(self, day: date) -> bool:
        """Whether the day lies in the term; a side that is not stated is open."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a tenant may use of a product."""

    key: CrosswalkKey
    customer: EntityId | None
    product: EntityId | None
    quantity: Decimal | None
    valid_from: date | None
    valid_to: date | None
    status: str | None
    subscription: CrosswalkKey | None
    contract_number: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class UsageBatch:
    """Metered usage of one product in one period. `event_id` names the report it stands for."""

    key: CrosswalkKey
    customer: EntityId | None
    product: EntityId | None
    event_id: str | None
    quantity: Decimal | None
    period_start: date | None
    period_end: date | None
    received_at: datetime | None
