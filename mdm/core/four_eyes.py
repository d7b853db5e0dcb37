"""When a command needs a second person: rules over what it is and what it would do. Pure; the rules come from YAML."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import IntEnum
from typing import Any

from mdm.access import Permission, Role
from mdm.model.stewardship import Effect, EntityEffect, LetterEffect, Plan
from mdm.model.worklist import CustomerWeights, CutOff, Measures, MuchMoney

#: Stands for every currency that has no limit of its own.
ANY_CURRENCY = "*"


class Risk(IntEnum):
    """How much a rule of the policy says is at stake when what it holds back goes wrong."""

    NORMAL = 1
    ELEVATED = 2
    HIGH = 3

    @property
    def word(self) -> str:
        """As documents and answers write it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Demand:
    """One rule: when all of its conditions hold, somebody with one of the roles `approvers` must agree.

    Attributes:
        merges: entities would become one.
        attributes: one of these would be pinned or unpinned by hand.
        golden: one of the merging entities has one of these golden values.
        erp_linked: at least this many of the merging entities carry a number of ERP.
        amount: what hangs on the touched entities, or on rows of refused messages, reaches this in its currency.
        discards: at least this many refused messages would be closed for good.
        tier: one of them is of this tier, or of a more critical one.
    """

    name: str
    because: str
    approvers: frozenset[Role]
    merges: bool = False
    attributes: frozenset[str] = frozenset()
    golden: Mapping[str, Any] = field(default_factory=dict)
    erp_linked: int = 0
    amount: Mapping[str, Decimal] = field(default_factory=dict)
    discards: int = 0
    tier: int = 0
    risk: Risk = Risk.NORMAL


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules, how long a proposal waits for its second person, and what customers add to the order of work."""

    version: str
    days: int
    demands: tuple[Demand, ...] = ()
    customers: CustomerWeights = field(default_factory=CustomerWeights)


def demands_of(policy: Policy, plan: Plan, effect: Effect, agreed: Collection[str] = ()) -> tuple[Demand, ...]:
    """The rules that ask for a second person.

    Taking back what needed nobody's agreement needs none either: it leads back to where everybody agreed to be. What
    two persons agreed on is not ended by one of them alone, by whatever command, as long as the policy has the rule.

    Args:
        agreed: names of the rules that held back the verdicts which the plan ends, and that were agreed to.
    """
    if plan.undoes is not None and not plan.undoes_agreed:
        return ()
    asking = (_asks(demand, plan, effect) for demand in policy.demands)
    return tuple(
        demand if asks else replace(demand, because=f"{_ENDS_AGREED} {demand.because}")
        for demand, asks in zip(policy.demands, asking, strict=True)
        if asks or demand.name in agreed
    )


def sensitive_attributes(policy: Policy) -> frozenset[str]:
    """Attributes that nobody changes by hand alone, by any rule of the policy."""
    return frozenset(name for demand in policy.demands for name in demand.attributes)


def demands_of_feed(policy: Policy, changed: Collection[str]) -> tuple[Demand, ...]:
    """The rules by which somebody must agree that an ERP gets what a platform changed: those that hold back a change of
    the same attributes by hand. Where the policy says nothing about them, one that asks the owners of data."""
    asking = tuple(each for each in policy.demands if not each.attributes.isdisjoint(changed))
    return asking or (replace(_BY_FEED, attributes=frozenset(changed)),)


_BY_FEED = Demand(
    "sensitive-change-for-erp",
    "A platform changed what the gates call sensitive, and nobody has looked at it.",
    frozenset({Role.DATA_OWNER, Role.ADMIN}),
    risk=Risk.HIGH,
)
_ENDS_AGREED = "This would end what two persons agreed on. They were two for this reason:"


def risk_of(demands: Sequence[Demand]) -> Risk:
    """The gravest of what the rules say that asked for a second person."""
    return max((each.risk for each in demands), default=Risk.NORMAL)


def stake_of(policy: Policy, effect: Effect) -> float:
    """How many times a limit of the policy the money is that hangs on the touched entities; 0 where there is neither.

    Amounts of different currencies are comparable by it without any exchange rate.
    """
    limits = [each.amount for each in policy.demands if each.amount]
    amounts = [*effect.exposure.contract_value.items(), *effect.exposure.invoice_amount.items()]
    shares = [
        abs(Decimal(amount)) / limit
        for currency, amount in amounts
        for each in limits
        if (limit := each.get(currency, each.get(ANY_CURRENCY)))
    ]
    return round(float(max(shares, default=Decimal(0))), 2)


def much_money(policy: Policy) -> MuchMoney:
    """What the policy takes for much in each currency: the lowest amount that needs a second person."""
    limits: dict[str, Decimal] = {}
    for demand in policy.demands:
        for currency, limit in demand.amount.items():
            if limit > 0:
                limits[currency] = min(limit, limits.get(currency, limit))
    return MuchMoney(limits, limits.get(ANY_CURRENCY, _MUCH_OTHERWISE))


def measures_of(policy: Policy, cut_off: CutOff) -> Measures:
    """By what open matters are put in order."""
    return Measures(much_money(policy), cut_off, policy.customers)


#: Much money in a currency about which the policy says nothing.
_MUCH_OTHERWISE = Decimal(250_000)


def may_approve(demands: Sequence[Demand], role: Role) -> bool:
    """Whether this role satisfies every rule."""
    return role.may(Permission.APPROVE) and all(any(each in role for each in demand.approvers) for demand in demands)


def _asks(demand: Demand, plan: Plan, effect: Effect) -> bool:
    merging = _merging(effect)
    return (
        (not demand.merges or bool(merging))
        and (not demand.attributes or not demand.attributes.isdisjoint(plan.attributes))
        and (not demand.golden or any(_has(each, demand.golden) for each in merging))
        and (not demand.erp_linked or _in_erp(effect, merging) >= demand.erp_linked)
        and (not demand.discards or effect.discarded >= demand.discards)
        and (not demand.tier or any(_discarded_of(demand.tier, each) for each in effect.letters))
        and (not demand.amount or _reaches(effect, demand.amount))
    )


def _merging(effect: Effect) -> list[EntityEffect]:
    """Entities that would be absorbed, and those that would absorb them."""
    absorbed = [each for each in effect.entities if each.fate == "merged"]
    survivors = {each.merged_into for each in absorbed}
    return absorbed + [each for each in effect.entities if each.entity_id in survivors]


def _has(entity: EntityEffect, golden: Mapping[str, Any]) -> bool:
    return any(entity.before.get(name) == value for name, value in golden.items())


def _in_erp(effect: Effect, entities: Sequence[EntityEffect]) -> int:
    """How many of them have a row of ERP."""
    rows = set(effect.erp)
    return sum(not rows.isdisjoint(each.members_before) for each in entities)


def _discarded_of(tier: int, letter: LetterEffect) -> bool:
    return letter.fate == "discarded" and letter.tier <= tier


def _reaches(effect: Effect, limits: Mapping[str, Decimal]) -> bool:
    exposure = effect.exposure
    for amounts in (exposure.contract_value, exposure.invoice_amount):
        for currency, amount in amounts.items():
            limit = limits.get(currency, limits.get(ANY_CURRENCY))
            if limit is not None and abs(Decimal(amount)) >= limit:
                return True
    return False
