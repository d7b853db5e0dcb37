"""Cases: one fact together with the facts it must agree with. What a rule looks at, and all that it looks at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from mdm.lifecycle.facts import Contract, Entitlement, Invoice, JournalEntry, Order, Subscription, UsageBatch
from mdm.lifecycle.material import Stated
from mdm.lifecycle.policy import Policy
from mdm.model.ids import CrosswalkKey, EntityId


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for all cases: the instant up to which the platforms have told their story, and the policy."""

    as_of: datetime
    policy: Policy

    def overdue(self, since: datetime | None, grace: str) -> bool:
        """Whether the hand-over that began at `since` should be done by now; false when nobody knows when it began."""
        return since is not None and self.as_of - since > self.policy.grace[grace]


@dataclass(frozen=True, slots=True)
class InvoiceCase:
    """An invoice, the journal entries that name it, its subscription, and the contract in force in its period.

    `agreed` holds, by product, every price per billing period that was agreed for the day of the invoice: more than one
    when several records of the contract disagree.
    """

    invoice: Invoice
    entries: tuple[JournalEntry, ...] = ()
    subscription: Subscription | None = None
    contract: Contract | None = None
    agreed: Mapping[EntityId, frozenset[Decimal]] = field(default_factory=dict)

    @property
    def customer(self) -> EntityId | None:
        return self.invoice.customer


@dataclass(frozen=True, slots=True)
class EntitlementCase:
    """An entitlement, its subscription, and what the subscription sells of the product.

    `subscription` is None when it cannot be told, and `unmatched` says that there is none: not that it may be one of
    several. `agreed_quantity` is None when the product is metered or not in it. `invoices` are those of the
    subscription.
    """

    entitlement: Entitlement
    subscription: Subscription | None = None
    contract: Contract | None = None
    agreed_quantity: Decimal | None = None
    invoices: tuple[Invoice, ...] = ()
    unmatched: bool = False

    @property
    def customer(self) -> EntityId | None:
        return self.entitlement.customer


@dataclass(frozen=True, slots=True)
class Granted:
    """A product that a subscription sells, and the entitlements that may stand for it: those that mean the
    subscription, and those of its customer that may mean it (`uncertain` when there are such)."""

    product: EntityId
    entitlements: tuple[Entitlement, ...] = ()
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class SubscriptionCase:
    """A subscription with its invoices and, of the products that are granted by entitlements at all, what it sells."""

    subscription: Subscription
    contract: Contract | None = None
    invoices: tuple[Invoice, ...] = ()
    sold: tuple[Granted, ...] = ()

    @property
    def customer(self) -> EntityId | None:
        return self.subscription.customer


@dataclass(frozen=True, slots=True)
class UsageCase:
    """A usage batch, the batch that reported the same event before it, and the invoice that bills its period.

    `product` is what it is sold as, where the subscription can be told. `unit_price` is what a unit of use costs under
    the contract, or by the offer of the subscription.
    """

    batch: UsageBatch
    first: UsageBatch | None = None
    billed_by: Invoice | None = None
    unit_price: Decimal | None = None
    contract: Contract | None = None
    product: EntityId | None = None

    @property
    def customer(self) -> EntityId | None:
        return self.batch.customer


@dataclass(frozen=True, slots=True)
class ContractCase:
    """A contract; everything that rules ask about it is in the contract itself."""

    contract: Contract

    @property
    def customer(self) -> EntityId | None:
        return self.contract.customer


@dataclass(frozen=True, slots=True)
class OrderCase:
    """A contract with the orders that were placed under it, and its subscriptions."""

    contract: Contract
    orders: tuple[Order, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()

    @property
    def customer(self) -> EntityId | None:
        return self.contract.customer


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that a row names and the hub has never had. `heard` is how far its platform has told its story; None
    where nobody knows."""

    role: str
    name: str
    heard: datetime | None


@dataclass(frozen=True, slots=True)
class ReferenceCase:
    """A row that names something which never arrived."""

    row: Stated
    customer: EntityId | None
    missing: tuple[Missing, ...]
    contract: None = None


@dataclass(frozen=True, slots=True)
class ProductCase:
    """A product that is sold: its rows in the order of their keys, and by step (`usage_unit`, `billing_metric`,
    `revenue_account`) why the mapping of use and revenue does not lead on there. It is nobody's in particular.
    """

    rows: tuple[CrosswalkKey, ...]
    name: str | None = None
    lacks: Mapping[str, str] = field(default_factory=dict)
    customer: None = None
    contract: None = None


Case = (
    InvoiceCase
    | EntitlementCase
    | SubscriptionCase
    | UsageCase
    | ContractCase
    | OrderCase
    | ReferenceCase
    | ProductCase
)
