"""What hangs on findings beside what they are worth themselves: the chain from contract to posting that they are part
of, the month whose books they are in, the tier of their tables, and the customers behind them. Pure.

How much each of it counts is not decided here (`mdm.core.finding_order`).
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Final

from mdm.lifecycle.agreements import Agreements
from mdm.lifecycle.facts import Contract
from mdm.lifecycle.findings import Finding
from mdm.lifecycle.impact import Books
from mdm.lifecycle.ledger import Ledger
from mdm.lifecycle.material import Material
from mdm.lifecycle.policy import Policy
from mdm.model.ids import CrosswalkKey, EntityId

#: The tier of a table that says nothing.
USUAL_TIER: Final = 2
#: Kinds of facts that are in the books of a month.
_DOCUMENTS: Final = frozenset({"invoice", "posting", "usage_batch"})
_SEAT: Final = "seat"


@dataclass(frozen=True, slots=True)
class Stake:
    """What hangs on a finding.

    Attributes:
        chain: by currency, the value of its contract, or where none is known the totals of its invoices; of a product,
            the values of the running contracts that sell it.
        months: how many documents (invoices, journal lines, usage reports) it is about, by the month they count in; of
            a product, the invoices that bill it.
        tier: that of the most critical table among its rows; 1 is the most critical.
        customers: golden customers behind it; of a product, those who have it.
        segments: segments and plans of these customers.
        users: seats that these customers may use now; of a product, its seats.
    """

    chain: Mapping[str, Decimal] = field(default_factory=dict)
    months: Mapping[str, int] = field(default_factory=dict)
    tier: int = USUAL_TIER
    customers: int = 0
    segments: tuple[str, ...] = ()
    users: int = 0


class Chains:
    """The chains of a hub, by what findings are about. `tiers` are those of tables, like `erp.posting`."""

    def __init__(
        self,
        material: Material,
        policy: Policy,
        ledger: Ledger,
        agreements: Agreements,
        books: Books,
        tiers: Mapping[str, int],
    ) -> None:
        self._material, self._policy, self._ledger, self._agreements = material, policy, ledger, agreements
        self._books, self._tiers = books, tiers

    def customers(self, finding: Finding) -> frozenset[EntityId]:
        """The golden customers behind a finding."""
        product = self._product(finding)
        if product is not None:
            sold = {each.customer for each in self._sold.get(product, ())}
            return frozenset(each for each in sold | self._users_of.get(product, set()) if each is not None)
        return frozenset() if finding.customer is None else frozenset({finding.customer})

    def stake(self, finding: Finding, segments: Mapping[EntityId, Collection[str]]) -> Stake:
        """What hangs on a finding, where these are the segments and plans of customers."""
        product, customers = self._product(finding), self.customers(finding)
        return Stake(
            chain=self._chain(finding, product),
            months=self._months(finding) if product is None else self._billed.get(product, {}),
            tier=min((self._tier(fact) for fact in finding.facts), default=USUAL_TIER),
            customers=len(customers),
            segments=tuple(sorted({each for customer in customers for each in segments.get(customer, ())})),
            users=int(
                self._seats_of_product.get(product, Decimal(0))
                if product is not None
                else sum((self._seats.get(each, Decimal(0)) for each in customers), Decimal(0))
            ),
        )

    def _product(self, finding: Finding) -> EntityId | None:
        """The product that a finding is about, where it is about one."""
        found = self._material.entity(finding.subject)
        return found if found in self._material.products else None

    def _tier(self, fact: CrosswalkKey) -> int:
        return self._tiers.get(f"{fact.system}.{fact.type}", USUAL_TIER)

    def _months(self, finding: Finding) -> Mapping[str, int]:
        documents = (fact for fact in dict.fromkeys(finding.facts) if self._kinds.get(fact) in _DOCUMENTS)
        return Counter(self._books.months[fact] for fact in documents)

    def _chain(self, finding: Finding, product: EntityId | None) -> dict[str, Decimal]:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        contract = self._agreements.contracts.get(finding.contract) if finding.contract is not None else None
        agreed = self._sold.get(product, []) if product is not None else [] if contract is None else [contract]
        for each in agreed:
            if each.value is not None:
                sums[each.currency or ""] += each.value
        if sums or product is not None:
            return dict(sums)
        for fact in dict.fromkeys(finding.facts):
            invoice = self._ledger.invoices.get(fact)
            if invoice is not None and invoice.total is not None:
                sums[invoice.currency or ""] += invoice.total
        return dict(sums)

    @cached_property
    def _kinds(self) -> dict[CrosswalkKey, str]:
        return {each.key: each.kind for each in self._material.facts}

    @cached_property
    def _sold(self) -> dict[EntityId, list[Contract]]:
        """The running contracts that sell each product."""
        says, found = self._policy.says, defaultdict[EntityId, list[Contract]](list)
        for contract in self._agreements.contracts.values():
            if says("contract_active", contract.status) or says("subscription_running", contract.status):
                for product in contract.products:
                    found[product].append(contract)
        return found

    @cached_property
    def _billed(self) -> dict[EntityId, Counter[str]]:
        """By product and month, the invoices that bill it."""
        found: dict[EntityId, Counter[str]] = defaultdict(Counter)
        for invoice in self._ledger.invoices.values():
            for product in {line.product for line in invoice.lines} - {None}:
                assert product is not None
                found[product][self._books.months[invoice.key]] += 1
        return found

    @cached_property
    def _usable(self) -> list[tuple[EntityId | None, EntityId, Decimal]]:
        """Customer, product and seats of the entitlements that hold now; of what is not counted in seats, none."""
        today, found = self._material.as_of.date(), []
        for each in self._ledger.entitlements:
            began = each.valid_from is None or each.valid_from <= today
            holds = began and (each.valid_to is None or today <= each.valid_to)
            if each.product is None or not holds or not self._policy.says("entitlement_usable", each.status):
                continue
            seats = self._material.products.get(each.product, {}).get("unit") == _SEAT
            found.append((each.customer, each.product, (each.quantity or Decimal(0)) if seats else Decimal(0)))
        return found

    @cached_property
    def _users_of(self) -> dict[EntityId, set[EntityId | None]]:
        found: dict[EntityId, set[EntityId | None]] = defaultdict(set)
        for customer, product, _ in self._usable:
            found[product].add(customer)
        return found

    @cached_property
    def _seats(self) -> dict[EntityId, Decimal]:
        found: dict[EntityId, Decimal] = defaultdict(Decimal)
        for customer, _, seats in self._usable:
            if customer is not None:
                found[customer] += seats
        return found

    @cached_property
    def _seats_of_product(self) -> dict[EntityId, Decimal]:
        found: dict[EntityId, Decimal] = defaultdict(Decimal)
        for _, product, seats in self._usable:
            found[product] += seats
        return found
