"""From use to revenue, product by product: what the mapping makes of what is sold, and where the way breaks off. Pure.

Active is a product that a running contract or subscription sells, or that somebody may use under a live entitlement,
whatever its own status says. What names no known product has no mapping to lack; it is counted beside.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from mdm.lifecycle.agreements import Agreements
from mdm.lifecycle.cases import ProductCase
from mdm.lifecycle.facts import Offer
from mdm.lifecycle.ledger import Ledger
from mdm.lifecycle.material import Material
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.products import codes_of
from mdm.lifecycle.usage_revenue import UsageRevenue, UsageRow
from mdm.model.ids import CrosswalkKey, EntityId


class Step(StrEnum):
    """A step on the way from use to revenue."""

    UNIT = "usage_unit"
    METRIC = "billing_metric"
    ACCOUNT = "revenue_account"


@dataclass(frozen=True, slots=True)
class Lack:
    """Where the way of a product breaks off, and why; the sentence names no account."""

    step: Step
    why: str


@dataclass(frozen=True, slots=True)
class Chain:
    """The way of one product: `per` units of use are one of the metric. What is None is not known."""

    product: EntityId
    code: str | None
    name: str | None
    unit: str | None
    metric: str | None
    charged: str | None
    per: Decimal | None
    account: str | None
    lacks: tuple[Lack, ...] = ()

    @property
    def mapped(self) -> bool:
        """Whether it leads from use to revenue."""
        return not self.lacks


@dataclass(frozen=True, slots=True)
class Coverage:
    """All active products with their ways, by code and id. `nameless` are live lines and entitlements of no product."""

    version: str
    fingerprint: str
    chains: tuple[Chain, ...]
    nameless: int
    #: Codes of the mapping that lead to no product.
    idle: tuple[str, ...]

    @property
    def mapped(self) -> int:
        """How many active products are mapped."""
        return sum(chain.mapped for chain in self.chains)

    @property
    def share(self) -> float | None:
        """The mapped ones among the active ones; None where nothing is active."""
        return self.mapped / len(self.chains) if self.chains else None

    def reaches(self, least: float) -> bool:
        """Whether at least this share is mapped; so it is where nothing is active."""
        return self.share is None or self.share >= least


def coverage(mapping: UsageRevenue, material: Material, policy: Policy, ledger: Ledger, agreed: Agreements) -> Coverage:
    """What the mapping covers of what is sold."""
    offers = offers_by_product(ledger)
    chains = [
        follow(mapping, product, material.products.get(product, {}), offers.get(product, ()))
        for product in active_products(policy, ledger, agreed)
    ]
    named = {code for row in mapping.rows for code in row.products}
    return Coverage(
        version=mapping.version,
        fingerprint=mapping.fingerprint,
        chains=tuple(sorted(chains, key=lambda chain: (chain.code or "", chain.product))),
        nameless=_nameless(material, policy, ledger),
        idle=tuple(sorted(named - ledger.products.codes.keys())),
    )


def product_cases(material: Material, policy: Policy, ledger: Ledger, agreed: Agreements) -> Iterator[ProductCase]:
    """Every active product as a case, with all of its rows."""
    found = coverage(material.usage_revenue, material, policy, ledger, agreed)
    rows: dict[EntityId, list[CrosswalkKey]] = {chain.product: [] for chain in found.chains}
    for key, entity in material.entities.items():
        # A name with # is another name of a row, not its key.
        if entity in rows and "#" not in key.type:
            rows[entity].append(key)
    for chain in found.chains:
        if rows[chain.product]:
            lacks = {lack.step.value: lack.why for lack in chain.lacks}
            yield ProductCase(tuple(sorted(rows[chain.product])), chain.name or chain.code, lacks)


def active_products(policy: Policy, ledger: Ledger, agreed: Agreements) -> frozenset[EntityId]:
    """The products that running contracts and subscriptions sell, and those of live entitlements."""
    found: set[EntityId] = set()
    for contract in agreed.contracts.values():
        if policy.says("contract_active", contract.status) or policy.says("subscription_running", contract.status):
            found |= contract.products
    for subscription in ledger.subscriptions.values():
        if policy.says("subscription_running", subscription.status):
            found |= subscription.quantities.keys()
    for entitlement in ledger.entitlements:
        if entitlement.product is not None and policy.says("entitlement_usable", entitlement.status):
            found.add(entitlement.product)
    return frozenset(found)


def follow(mapping: UsageRevenue, product: EntityId, values: Mapping[str, Any], offers: Sequence[Offer]) -> Chain:
    """The way of one product with these golden values and prices."""
    stated, booked = _text(values, "unit"), _text(values, "revenue_account")
    row = mapping.row_of(stated, codes_of(values))
    unit = stated or (row.unit if row is not None else None)
    declared = row.account if row is not None else None
    return Chain(
        product=product,
        code=_text(values, "code"),
        name=_text(values, "name"),
        unit=unit,
        metric=row.metric if row is not None else None,
        charged=row.charged if row is not None else None,
        per=row.per if row is not None else None,
        account=declared or booked,
        lacks=tuple(
            Lack(step, why)
            for step, why in (
                (Step.UNIT, _unit_lacks(stated, row)),
                (Step.METRIC, _metric_lacks(unit, row, offers)),
                (Step.ACCOUNT, _account_lacks(declared, booked)),
            )
            if why
        ),
    )


def _unit_lacks(stated: str | None, row: UsageRow | None) -> str:
    if row is None:
        return "" if stated else "no platform says in which unit it is used"
    return f"the platforms say {stated}, the mapping {row.unit}" if stated not in (None, row.unit) else ""


def _metric_lacks(unit: str | None, row: UsageRow | None, offers: Sequence[Offer]) -> str:
    if row is None:
        return f"the mapping has no row for the unit {unit}" if unit else ""
    if offers and not any(offer.metered is row.metered for offer in offers):
        return f"no price of billing is {row.charged}, as the mapping says of {row.metric}"
    return ""


def _account_lacks(declared: str | None, booked: str | None) -> str:
    if declared and booked and declared != booked:
        return "ERP holds another revenue account than the mapping"
    return "" if declared or booked else "neither the mapping nor ERP says the revenue account"


def offers_by_product(ledger: Ledger) -> dict[EntityId, list[Offer]]:
    """The prices of each product."""
    found: dict[EntityId, list[Offer]] = {}
    for offer in ledger.products.offers.values():
        if offer.product is not None:
            found.setdefault(offer.product, []).append(offer)
    return found


def _nameless(material: Material, policy: Policy, ledger: Ledger) -> int:
    """Lines of running subscriptions and live entitlements whose product nobody knows."""
    named = ledger.products.named
    lines = sum(
        named(CrosswalkKey(**line["product"])) is None
        for record in material.contract_records
        if record.key in ledger.subscriptions and policy.says("subscription_running", record.word("status"))
        for line in record.attributes.get("lines") or ()
    )
    usable = [each for each in ledger.entitlements if policy.says("entitlement_usable", each.status)]
    return lines + sum(each.product is None for each in usable)


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    return None if value is None or value == "" else str(value)
