"""What invoices bill of metered products, against the usage that was accepted for them. Pure.

Accepted is a usage batch that repeats no other one, however late it came. It belongs to the invoice of the period that
begins the day after the usage ends (`mdm.lifecycle.usage`). The usage-revenue mapping says how many units of use are
one billed unit.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from mdm.lifecycle.agreements import Agreements
from mdm.lifecycle.assemble import invoices_by_subscription
from mdm.lifecycle.cases import UsageCase
from mdm.lifecycle.coverage import Chain, follow, offers_by_product
from mdm.lifecycle.facts import Invoice
from mdm.lifecycle.ledger import Ledger
from mdm.lifecycle.material import Material
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.usage import usage_cases
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.kpis import Period

#: Billing states quantities to so many places.
_PLACES = Decimal("0.0001")
_CENT = Decimal("0.01")
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class BilledLine:
    """One metered product on one invoice, in billed units.

    `billed` or `accepted` is None where a line or a batch does not say its quantity: the two cannot be compared then.
    """

    invoice: CrosswalkKey
    number: str | None
    issued_on: date
    product: EntityId
    unit: str | None
    billed: Decimal | None
    accepted: Decimal | None
    batches: int
    #: What the invoice charges for a billed unit; None where it charges several prices, or does not say.
    price: Decimal | None = None
    currency: str | None = None

    @property
    def amount(self) -> Decimal | None:
        """What the difference is worth, like it in sign; None where nobody can tell."""
        return _worth(self.difference, self.price) if self.currency is not None else None

    @property
    def difference(self) -> Decimal | None:
        """How much more is billed than was accepted; negative where it is less, None where nobody can tell."""
        return None if self.billed is None or self.accepted is None else self.billed - self.accepted


@dataclass(frozen=True, slots=True)
class UnbilledBatch:
    """Usage that was accepted and no invoice bills. `amount` is what it would be billed for, by its contract, else by
    the invoices or the offer of its subscription; None, like `currency`, where nobody knows."""

    key: CrosswalkKey
    ended_on: date
    customer: EntityId | None
    product: EntityId | None
    quantity: Decimal | None
    amount: Decimal | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class BilledUsage:
    """All metered lines; usage that was accepted and no invoice bills; and the last days of repeated batches."""

    lines: tuple[BilledLine, ...] = ()
    unbilled: tuple[UnbilledBatch, ...] = ()
    repeated: tuple[date, ...] = ()


@dataclass(slots=True)
class Unit:
    """Quantities of lines in one unit. `over` is what was billed and not used, `under` what was used and not billed."""

    unit: str | None
    lines: int = 0
    agreeing: int = 0
    billed: Decimal = _ZERO
    accepted: Decimal = _ZERO
    over: Decimal = _ZERO
    under: Decimal = _ZERO
    #: Of each line the larger of the two.
    either: Decimal = _ZERO

    @property
    def accuracy(self) -> float | None:
        """The quantity that is billed and was used, of all that is billed or was used; None where that is nothing."""
        return max(float(1 - (self.over + self.under) / self.either), 0.0) if self.either else None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How right the invoices of a period are. `accuracy` is the share of lines that bill just what was accepted."""

    lines: int
    agreeing: int
    #: Lines without any accepted usage.
    without_usage: int
    #: Lines that cannot be compared, for a quantity is not stated; they are not among `lines`.
    unknown: int
    unbilled: int
    repeated: int
    units: Sequence[Unit] = ()
    #: What differs, the largest share first.
    differences: Sequence[BilledLine] = field(default_factory=tuple)
    #: What was used and not billed, by currency: unbilled batches, and lines that bill too little.
    leakage: Mapping[str, Decimal] = field(default_factory=dict)
    #: Unbilled batches and lines that bill too little of which nobody knows what they are worth.
    unpriced: int = 0
    #: Unbilled batches, what is worth most first, by currency.
    leaked: Sequence[UnbilledBatch] = ()

    @property
    def accuracy(self) -> float | None:
        return self.agreeing / self.lines if self.lines else None


def billed_usage(material: Material, policy: Policy, ledger: Ledger, agreements: Agreements) -> BilledUsage:
    """Every metered product of every issued invoice, by day, invoice and product."""
    metered = ledger.products.metered
    cases = list(usage_cases(ledger, agreements, invoices_by_subscription(ledger), metered))
    accepted: dict[tuple[CrosswalkKey, EntityId], list[UsageCase]] = defaultdict(list)
    for case in cases:
        if case.first is None and case.billed_by is not None and case.product is not None:
            accepted[case.billed_by.key, case.product].append(case)
    unbilled = [case for case in cases if case.first is None and case.billed_by is None]
    billed: dict[tuple[CrosswalkKey, EntityId], list[Decimal | None]] = defaultdict(list)
    prices: dict[tuple[CrosswalkKey, EntityId], set[Decimal | None]] = defaultdict(set)
    for invoice in ledger.invoices.values():
        for line in invoice.lines:
            if line.product is not None and line.product in metered:
                billed[invoice.key, line.product].append(line.quantity)
                prices[invoice.key, line.product].add(line.unit_amount)
    offers = offers_by_product(ledger)
    chains = {
        product: follow(material.usage_revenue, product, material.products.get(product, {}), offers.get(product, ()))
        for product in {
            *(product for _, product in (*billed, *accepted)),
            *(case.product for case in unbilled if case.product is not None),
        }
    }
    lines = []
    for key, product in billed.keys() | accepted.keys():
        invoice, used, chain = ledger.invoices[key], accepted[key, product], chains[product]
        if (issued_on := _issued_on(invoice, policy)) is not None:
            lines.append(
                BilledLine(
                    invoice=key,
                    number=invoice.number,
                    issued_on=issued_on,
                    product=product,
                    unit=chain.unit,
                    billed=_in_billed_units(_sum(billed[key, product]), None),
                    accepted=_in_billed_units(_sum(case.batch.quantity for case in used), chain.per),
                    batches=len(used),
                    price=next(iter(asked)) if len(asked := prices.get((key, product), set())) == 1 else None,
                    currency=invoice.currency,
                )
            )
    return BilledUsage(
        tuple(sorted(lines, key=lambda line: (line.issued_on, line.invoice, line.product))),
        tuple(each for case in unbilled if (each := _unbilled(case, chains)) is not None),
        _ends(case for case in cases if case.first is not None),
    )


def _unbilled(case: UsageCase, chains: Mapping[EntityId, Chain]) -> UnbilledBatch | None:
    """None where the batch does not say when its usage ended: no period has it."""
    batch, currency = case.batch, case.contract.currency if case.contract is not None else None
    if batch.period_end is None:
        return None
    per = chains[case.product].per if case.product is not None else None
    finite = batch.quantity if batch.quantity is not None and batch.quantity.is_finite() else None
    worth = _worth(_in_billed_units(finite, per), case.unit_price) if currency is not None else None
    return UnbilledBatch(
        batch.key, batch.period_end, case.customer, case.product, finite, worth,
        currency if worth is not None else None,
    )  # fmt: skip


def _worth(quantity: Decimal | None, price: Decimal | None) -> Decimal | None:
    """In cents; None also for what is too large to be an amount."""
    if quantity is None or price is None:
        return None
    try:
        return (quantity * price).quantize(_CENT, ROUND_HALF_UP)
    except InvalidOperation:
        return None


def accuracy(found: BilledUsage, period: Period) -> Accuracy:
    """How right the invoices are that were issued in a period."""
    issued = [line for line in found.lines if period.first <= line.issued_on <= period.last]
    compared = [(line, line.difference) for line in issued if line.difference is not None]
    units: dict[str | None, Unit] = {}
    for line, difference in compared:
        unit = units.setdefault(line.unit, Unit(line.unit))
        unit.lines += 1
        unit.agreeing += not difference
        unit.billed += line.billed or 0
        unit.accepted += line.accepted or 0
        unit.over += max(difference, _ZERO)
        unit.under += max(-difference, _ZERO)
        unit.either += _larger(line)
    leaked = [each for each in found.unbilled if period.first <= each.ended_on <= period.last]
    short = [line for line, difference in compared if difference < 0]
    worth = [(each.currency, each.amount) for each in leaked] + [(line.currency, line.amount) for line in short]
    leakage: dict[str, Decimal] = {}
    for currency, amount in worth:
        if currency is not None and amount is not None:
            leakage[currency] = leakage.get(currency, _ZERO) + abs(amount)
    differing = [(line, difference) for line, difference in compared if difference]
    return Accuracy(
        lines=len(compared),
        agreeing=len(compared) - len(differing),
        without_usage=sum(not line.batches for line, _ in compared),
        unknown=len(issued) - len(compared),
        unbilled=len(leaked),
        repeated=_within(found.repeated, period),
        units=sorted(units.values(), key=lambda unit: unit.unit or ""),
        differences=[
            line
            for line, difference in sorted(
                differing, key=lambda each: (-abs(each[1]) / _larger(each[0]), each[0].invoice, each[0].product)
            )
        ],
        leakage=leakage,
        unpriced=sum(currency is None or amount is None for currency, amount in worth),
        leaked=sorted(leaked, key=lambda each: (each.currency or "~", -(each.amount or _ZERO), each.key)),
    )


def _issued_on(invoice: Invoice, policy: Policy) -> date | None:
    """None for drafts, for what was taken back, and where billing does not say when it was issued."""
    if invoice.issued_at is None or policy.says("invoice_not_due", invoice.status):
        return None
    return invoice.issued_at.date()


def _sum(quantities: Iterable[Decimal | None]) -> Decimal | None:
    total = _ZERO
    for quantity in quantities:
        if quantity is None or not quantity.is_finite():
            return None
        total += quantity
    return total


def _in_billed_units(quantity: Decimal | None, per: Decimal | None) -> Decimal | None:
    """None also for what is too large to be a quantity at all: one such batch must not end the run for everybody."""
    if quantity is None:
        return None
    try:
        return (quantity / (per or 1)).quantize(_PLACES, ROUND_HALF_UP)
    except InvalidOperation:
        return None


def _larger(line: BilledLine) -> Decimal:
    return max(abs(line.billed or _ZERO), abs(line.accepted or _ZERO))


def _ends(cases: Iterable[UsageCase]) -> tuple[date, ...]:
    return tuple(sorted(case.batch.period_end for case in cases if case.batch.period_end is not None))


def _within(days: Sequence[date], period: Period) -> int:
    return sum(number for day, number in Counter(days).items() if period.first <= day <= period.last)
