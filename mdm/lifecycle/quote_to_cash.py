"""Quote to cash, contract by contract: order, contract, subscription, entitlement, invoice, payment, posting. Pure.

Which rows belong to a contract is what reconciliation knows: subscriptions that were resolved or adopted, invoices by
the contract that was in force, entitlements by the subscription that they mean.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mdm.lifecycle.agreements import Agreements, contract_in_force, subscription_meant
from mdm.lifecycle.business_time import times_of
from mdm.lifecycle.facts import Contract, Invoice
from mdm.lifecycle.findings import Finding
from mdm.lifecycle.ledger import Ledger
from mdm.lifecycle.material import Material, Stated
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.process import STANDS_STILL, Blocker, Evidence, NextStep, Stage, blocker_of, judge, standing
from mdm.lifecycle.stuck import Stuck
from mdm.model.ids import CrosswalkKey, EntityId

#: The stages in their order, with what is to be done next where nothing says more, and whose move that is.
USUAL: Mapping[str, NextStep] = {
    "order": NextStep("Place the order in ERP.", "revenue-operations"),
    "contract": NextStep("Sign and activate the contract.", "revenue-operations"),
    "subscription": NextStep("Set up the subscription in billing.", "revenue-operations"),
    "entitlement": NextStep("Grant what the subscription sells.", "product-operations"),
    "invoice": NextStep("Issue the next invoice.", "revenue-operations"),
    "payment": NextStep("Await the payment, and dun the customer when it is overdue.", "finance-accounting"),
    "posting": NextStep("Post the invoice in ERP.", "finance-accounting"),
}
STAGES: tuple[str, ...] = tuple(USUAL)
#: Stages of which a finding says that they have not come, and stages that it is about though its subject is another's.
_ABSENT = {"contract_without_subscription": "subscription", "posting_missing": "posting"}
_ABOUT = {
    "posting_rejected": "posting",
    "double_posting": "posting",
    "invoice_erp_amount_mismatch": "posting",
    "invoice_without_erp_partner": "posting",
}
#: The rules that are about the posting of an invoice.
POSTING_RULES = frozenset({"posting_missing", *_ABOUT})
_AWAITED = {
    "ordered": "subscription", "subscribed": "invoice", "invoiced": "posting", "rejected": "posting",
    "posted": "payment",
}  # fmt: skip
_UNPAID = NextStep("Find the payment of the invoice, or correct its status.", "finance-accounting")
_PAID = "paid"
#: What an invoice is said to lack that is paid while no payment names it, as in traces.
PAYMENT_MISSING = "PAYMENT_MISSING"


@dataclass(frozen=True, slots=True)
class QuoteToCash:
    """How far a contract got. `number` and `status` are its golden ones."""

    contract: EntityId
    customer: EntityId | None
    number: str | None
    status: str | None
    stages: tuple[Stage, ...]

    @property
    def at(self) -> Stage:
        """The stage that it is in."""
        return standing(self.stages)


@dataclass(slots=True)
class _Belongings:
    """The rows of one contract."""

    orders: list[Stated] = field(default_factory=list)
    subscriptions: list[CrosswalkKey] = field(default_factory=list)
    entitlements: list[CrosswalkKey] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    stuck: list[Stuck] = field(default_factory=list)


def quote_to_cash(
    material: Material,
    policy: Policy,
    ledger: Ledger,
    agreements: Agreements,
    findings: Iterable[Finding],
    stuck: Iterable[Stuck],
) -> tuple[QuoteToCash, ...]:
    """Every contract, by id."""
    belongings = _sorted_out(material, ledger, agreements, findings, stuck)
    when = times_of(*material.facts, *material.contract_records)
    payments: dict[CrosswalkKey | None, list[Stated]] = defaultdict(list)
    for payment in material.of_kind("payment"):
        payments[payment.target("invoice")].append(payment)
    return tuple(
        QuoteToCash(
            contract=entity,
            customer=contract.customer,
            number=contract.number,
            status=contract.status,
            stages=_stages(contract, belongings[entity], ledger, payments, policy, when),
        )
        for entity, contract in sorted(agreements.contracts.items())
    )


def _sorted_out(
    material: Material,
    ledger: Ledger,
    agreements: Agreements,
    findings: Iterable[Finding],
    stuck: Iterable[Stuck],
) -> Mapping[EntityId, _Belongings]:
    found: dict[EntityId, _Belongings] = defaultdict(_Belongings)
    for order in material.of_kind("order"):
        entity = material.entity(order.target("contract"))
        if entity is not None:
            found[entity].orders.append(order)
    for key, entity in agreements.assigned.items():
        found[entity].subscriptions.append(key)
    for entitlement in ledger.entitlements:
        contract = agreements.contract_of(subscription_meant(entitlement, agreements))
        if contract is not None:
            found[contract.entity_id].entitlements.append(entitlement.key)
    for invoice in ledger.invoices.values():
        contract = contract_in_force(invoice, agreements)
        if contract is not None:
            found[contract.entity_id].invoices.append(invoice)
    for finding in findings:
        if finding.contract is not None:
            found[finding.contract].findings.append(finding)
    for still in stuck:
        if still.contract is not None:
            found[still.contract].stuck.append(still)
    return found


def _stages(
    contract: Contract,
    own: _Belongings,
    ledger: Ledger,
    payments: Mapping[CrosswalkKey | None, Sequence[Stated]],
    policy: Policy,
    when: Mapping[CrosswalkKey, datetime],
) -> tuple[Stage, ...]:
    stages = {name: Evidence(name, usual) for name, usual in USUAL.items()}
    stages["order"].finished += [order.key for order in own.orders]
    signed = [record for record in contract.records if record not in contract.subscriptions]
    drafted = policy.says("contract_draft", contract.status)
    (stages["contract"].waiting if drafted else stages["contract"].finished).extend(signed)
    stages["subscription"].finished += dict.fromkeys([*own.subscriptions, *contract.subscriptions])
    stages["entitlement"].finished += own.entitlements
    for invoice in own.invoices:
        if invoice.issued_at is None or policy.says("invoice_not_due", invoice.status):
            stages["invoice"].waiting += [] if invoice.status == "void" else [invoice.key]
            continue
        stages["invoice"].finished.append(invoice.key)
        _settle(stages["payment"], invoice, payments.get(invoice.key, ()), policy)
        posted = [each for each in ledger.entries.get(invoice.key, ()) if policy.says("entry_posted", each.status)]
        if posted:
            stages["posting"].finished += [each.lines[0].key for each in posted]
        else:
            stages["posting"].waiting.append(invoice.key)
    stage_of = {row: each.name for each in stages.values() for row in (*each.waiting, *each.finished)}
    stage_of |= {invoice.key: "invoice" for invoice in own.invoices}
    for finding in own.findings:
        _put(stages, finding, stage_of)
    for still in own.stuck:
        awaited = stages[_AWAITED[still.stage]]
        if not awaited.absent and not awaited.conflicts:
            awaited.absent.append(Blocker(STANDS_STILL, None, still.facts, still.owner, still.action))
    running = policy.says("contract_active", contract.status) or policy.says("subscription_running", contract.status)
    return judge(list(stages.values()), when, over=not (running or drafted))


def _settle(payment: Evidence, invoice: Invoice, paid_by: Sequence[Stated], policy: Policy) -> None:
    """What speaks for the payment of an issued invoice. One that was given up is settled, though by nothing."""
    if policy.says("invoice_unpaid", invoice.status):
        payment.waiting.append(invoice.key)
    elif paid_by:
        payment.finished += [each.key for each in paid_by]
    elif invoice.status == _PAID:
        payment.absent.append(Blocker(PAYMENT_MISSING, None, (invoice.key,), _UNPAID.owner, _UNPAID.action))
    else:
        payment.finished.append(invoice.key)


def _put(stages: Mapping[str, Evidence], finding: Finding, stage_of: Mapping[CrosswalkKey, str]) -> None:
    """A finding at the stage that it is about. Usage has a process of its own; what is not billed of it is no stage
    here."""
    if finding.rule in _ABSENT:
        stages[_ABSENT[finding.rule]].absent.append(blocker_of(finding))
        return
    name = _ABOUT.get(finding.rule) or stage_of.get(finding.subject)
    if name is not None:
        stages[name].conflicts.append(blocker_of(finding))
