"""Business transactions that stand still: an order, a subscription or an invoice that got as far as one step and, for
longer than the policy allows, no further.

A finding says that two platforms disagree; this says that nothing happens. Steps follow each other: an order leads to a
subscription, a subscription to invoices, an invoice to a journal entry, a posted invoice to its payment. Time is that
of the newest event, so the same hub gives the same answer whenever it is asked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal

from mdm.lifecycle.agreements import Agreements, contract_in_force
from mdm.lifecycle.facts import Contract, Invoice, JournalEntry, Subscription
from mdm.lifecycle.ledger import Ledger
from mdm.lifecycle.material import Material, Stated
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.rules.wording import name
from mdm.model.ids import CrosswalkKey, EntityId


@dataclass(frozen=True, slots=True)
class Stuck:
    """A transaction that stands still.

    Attributes:
        stage: the last step it took: `ordered`, `subscribed`, `invoiced`, `rejected` or `posted`.
        waits_for: the step that does not come.
        facts: the rows of its last step, the one it is about first.
        since: when it got there; `days` is how long ago that is, `allowed` how long it may take.
    """

    stage: str
    waits_for: str
    facts: tuple[CrosswalkKey, ...]
    customer: EntityId | None
    contract: EntityId | None
    since: datetime
    days: int
    allowed: int
    amount: Decimal | None
    currency: str | None
    sentence: str
    action: str
    owner: str

    @property
    def subject(self) -> CrosswalkKey:
        return self.facts[0]


@dataclass(frozen=True, slots=True)
class _Reached:
    """How far a transaction got, before it is asked whether that is too long ago."""

    stage: str
    facts: tuple[CrosswalkKey, ...]
    customer: EntityId | None
    contract: EntityId | None
    since: datetime
    amount: Decimal | None
    currency: str | None
    what: str


def stuck(material: Material, ledger: Ledger, agreements: Agreements, policy: Policy) -> tuple[Stuck, ...]:
    """Everything that stands still for too long, what has waited longest first."""
    reached = [
        *_orders(material, agreements, policy),
        *_subscriptions(ledger, agreements, policy),
        *_invoices(material, ledger, agreements, policy),
    ]
    found = (_too_long(each, material.as_of, policy) for each in reached)
    return tuple(sorted((each for each in found if each is not None), key=lambda each: (each.since, each.subject)))


def _too_long(reached: _Reached, now: datetime, policy: Policy) -> Stuck | None:
    step = policy.progress[reached.stage]
    waited = now - reached.since
    if waited.total_seconds() <= step.days * 86_400:
        return None
    sentence = f"{reached.what}, and for {waited.days:,} days no {step.waits_for} has followed."
    return Stuck(
        reached.stage, step.waits_for, reached.facts, reached.customer, reached.contract, reached.since, waited.days,
        step.days, reached.amount, reached.currency, sentence, step.action, step.owner,
    )  # fmt: skip


def _orders(material: Material, agreements: Agreements, policy: Policy) -> Iterator[_Reached]:
    for order in material.of_kind("order"):
        if not policy.says("order_open", order.word("status")):
            continue
        entity = material.entity(order.target("contract"))
        contract = agreements.contracts.get(entity) if entity is not None else None
        if contract is not None and (contract.subscriptions or not policy.says("contract_active", contract.status)):
            continue
        yield _Reached(
            "ordered", (order.key,), material.entity(order.target("customer")), entity, _placed(order),
            order.amount("value"), order.text("currency"), f"Order {order.text('number') or order.key.key} was placed",
        )  # fmt: skip


def _placed(order: Stated) -> datetime:
    day = order.day("order_date")
    return order.changed_at if day is None else max(order.changed_at, datetime.combine(day, time.min, UTC))


def _subscriptions(ledger: Ledger, agreements: Agreements, policy: Policy) -> Iterator[_Reached]:
    newest: dict[CrosswalkKey, Invoice] = {}
    for invoice in ledger.invoices.values():
        key = invoice.subscription
        if key is not None and _billed_until(invoice) >= _billed_until(newest.get(key)):
            newest[key] = invoice
    for subscription in ledger.subscriptions.values():
        if not policy.says("subscription_running", subscription.status):
            continue
        last, contract = newest.get(subscription.key), agreements.contract_of(subscription)
        what = f"Subscription {subscription.key.key} runs"
        since = _begun(subscription)
        if last is not None:
            since, what = _billed_until(last), f"{what}, billed until {last.period_end or 'an unknown day'}"
        yield _Reached(
            "subscribed", (subscription.key,), subscription.customer, contract.entity_id if contract else None, since,
            contract.value if contract else None, subscription.currency, what,
        )  # fmt: skip


def _begun(subscription: Subscription) -> datetime:
    if subscription.start is None:
        return subscription.changed_at
    return datetime.combine(subscription.start, time.min, UTC)


def _billed_until(invoice: Invoice | None) -> datetime:
    if invoice is None:
        return datetime.min.replace(tzinfo=UTC)
    if invoice.period_end is not None:
        return datetime.combine(invoice.period_end, time.min, UTC)
    return invoice.issued_at or datetime.min.replace(tzinfo=UTC)


def _invoices(material: Material, ledger: Ledger, agreements: Agreements, policy: Policy) -> Iterator[_Reached]:
    changed = {row.key: row.changed_at for row in material.of_kind("posting")}
    for invoice in ledger.invoices.values():
        if invoice.issued_at is None or policy.says("invoice_not_due", invoice.status):
            continue
        entries = list(ledger.entries.get(invoice.key, ()))
        posted = [each for each in entries if policy.says("entry_posted", each.status)]
        contract = contract_in_force(invoice, agreements)
        if not entries:
            yield _of(invoice, contract, "invoiced", invoice.issued_at, "was issued", [])
        elif not posted:
            yield _of(invoice, contract, "rejected", _newest(entries, changed), "is not in the books", entries)
        elif policy.says("invoice_unpaid", invoice.status):
            yield _of(invoice, contract, "posted", _newest(posted, changed), "is in the books", posted)


def _of(
    invoice: Invoice, contract: Contract | None, stage: str, since: datetime, what: str, books: Sequence[JournalEntry]
) -> _Reached:
    lines = tuple(entry.lines[0].key for entry in books)
    home = None if contract is None else contract.entity_id
    return _Reached(
        stage, (invoice.key, *lines), invoice.customer, home, since, invoice.total, invoice.currency,
        f"Invoice {name(invoice)} {what}",
    )  # fmt: skip


def _newest(entries: Sequence[JournalEntry], changed: Mapping[CrosswalkKey, datetime]) -> datetime:
    return max(changed[line.key] for entry in entries for line in entry.lines)


def sums_of(found: Iterable[Stuck]) -> dict[str, Decimal]:
    """What these are worth together, by currency; those of which nobody knows are left out."""
    sums: dict[str, Decimal] = {}
    for each in found:
        if each.amount is not None and each.currency is not None:
            sums[each.currency] = sums.get(each.currency, Decimal(0)) + each.amount
    return sums
