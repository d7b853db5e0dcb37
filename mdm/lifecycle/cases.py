"""Cases: one fact together with the facts it must agree with. What a rule looks at, and all that it looks at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from mdm.lifecycle.facts import Contract, Entitlement, Invoice, JournalEntry, Subscription, UsageBatch
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

    `subscription` is None when it cannot be told; `agreed_quantity` when the product is metered or not in it.
    """

    entitlement: Entitlement
    subscription: Subscription | None = None
    contract: Contract | None = None
    agreed_quantity: Decimal | None = None

    @property
    def customer(self) -> EntityId | None:
        return self.entitlement.customer


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
class ProductCase:
    """A product that is sold: its rows in the order of their keys, and by step (`usage_unit`, `billing_metric`,
    `revenue_account`) why the mapping of use and revenue does not lead on there. It is nobody's in particular.
    """

    rows: tuple[CrosswalkKey, ...]
    name: str | None = None
    lacks: Mapping[str, str] = field(default_factory=dict)
    customer: None = None
    contract: None = None


Case = InvoiceCase | EntitlementCase | UsageCase | ContractCase | ProductCase
