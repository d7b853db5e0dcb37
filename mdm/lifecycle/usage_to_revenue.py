"""Usage to revenue, batch by batch: the unit of use, the batch, the invoice line that bills it, its posting. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mdm.lifecycle.agreements import Agreements
from mdm.lifecycle.assemble import invoices_by_subscription
from mdm.lifecycle.business_time import begin_of, times_of
from mdm.lifecycle.cases import UsageCase
from mdm.lifecycle.coverage import Step
from mdm.lifecycle.findings import Finding
from mdm.lifecycle.ledger import Ledger
from mdm.lifecycle.material import Material
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.process import STANDS_STILL, Blocker, Evidence, NextStep, Stage, blocker_of, judge, standing
from mdm.lifecycle.quote_to_cash import POSTING_RULES
from mdm.lifecycle.usage import usage_cases
from mdm.model.ids import CrosswalkKey, EntityId

#: The stages in their order, with what is to be done next where nothing says more, and whose move that is.
USUAL: Mapping[str, NextStep] = {
    "unit": NextStep("Say which product was used, and in which unit.", "product-operations"),
    "batch": NextStep("Report the usage once.", "product-operations"),
    "invoice line": NextStep("Bill the usage with the next invoice.", "revenue-operations"),
    "posting": NextStep("Post the invoice in ERP.", "finance-accounting"),
}
STAGES: tuple[str, ...] = tuple(USUAL)
_STEPS = {
    f"{Step.UNIT.value}_missing": "unit",
    f"{Step.METRIC.value}_missing": "unit",
    f"{Step.ACCOUNT.value}_missing": "posting",
}
_RULES = {"duplicate_usage_batch": "batch", "late_usage_after_invoice": "invoice line"}


@dataclass(frozen=True, slots=True)
class UsageToRevenue:
    """How far a usage batch got.

    `product` is what it is sold as; `invoice` bills its period, for the subscription of `contract`. `repeats` is the
    batch that reported the same before.
    """

    batch: CrosswalkKey
    customer: EntityId | None
    contract: EntityId | None
    product: EntityId | None
    subscription: CrosswalkKey | None
    invoice: CrosswalkKey | None
    repeats: CrosswalkKey | None
    stages: tuple[Stage, ...]

    @property
    def at(self) -> Stage:
        """The stage that it is in."""
        return standing(self.stages)


def usage_to_revenue(
    material: Material, policy: Policy, ledger: Ledger, agreements: Agreements, findings: Iterable[Finding]
) -> tuple[UsageToRevenue, ...]:
    """Every usage batch, by key."""
    when = times_of(*material.facts)
    about: dict[CrosswalkKey, list[Finding]] = defaultdict(list)
    of_product: dict[EntityId, list[Finding]] = defaultdict(list)
    for finding in findings:
        about[finding.subject].append(finding)
        product = material.entity(finding.subject) if finding.rule in _STEPS else None
        if product is not None:
            of_product[product].append(finding)
    units = {row.key: row.target("product") for row in material.of_kind("usage_batch")}
    cases = usage_cases(ledger, agreements, invoices_by_subscription(ledger), ledger.products.metered)
    return tuple(
        UsageToRevenue(
            batch=case.batch.key,
            customer=case.batch.customer,
            contract=case.contract.entity_id if case.contract is not None else None,
            product=case.product,
            subscription=case.billed_by.subscription if case.billed_by is not None else None,
            invoice=case.billed_by.key if case.billed_by is not None else None,
            repeats=case.first.key if case.first is not None else None,
            stages=_stages(case, units.get(case.batch.key), about, of_product, ledger, policy, when, material.as_of),
        )
        for case in sorted(cases, key=lambda case: case.batch.key)
    )


def _stages(
    case: UsageCase,
    unit: CrosswalkKey | None,
    about: Mapping[CrosswalkKey, Iterable[Finding]],
    of_product: Mapping[EntityId, Iterable[Finding]],
    ledger: Ledger,
    policy: Policy,
    when: Mapping[CrosswalkKey, datetime],
    now: datetime,
) -> tuple[Stage, ...]:
    stages = {name: Evidence(name, usual) for name, usual in USUAL.items()}
    if case.batch.product is not None and unit is not None:
        stages["unit"].finished.append(unit)
    stages["batch"].finished.append(case.batch.key)
    for finding in of_product.get(case.product, ()) if case.product is not None else ():
        stages[_STEPS[finding.rule]].conflicts.append(blocker_of(finding))
    for finding in about.get(case.batch.key, ()):
        stages[_RULES.get(finding.rule, "batch")].conflicts.append(blocker_of(finding))
    if case.billed_by is not None:
        _bill(stages, case, ledger, policy)
        for finding in about.get(case.billed_by.key, ()):
            if finding.rule in POSTING_RULES:
                found = stages["posting"]
                (found.absent if finding.rule == "posting_missing" else found.conflicts).append(blocker_of(finding))
    elif _late(case, policy, now):
        step = policy.progress["subscribed"]
        stages["invoice line"].absent.append(Blocker(STANDS_STILL, None, (case.batch.key,), step.owner, step.action))
    return judge(list(stages.values()), when, over=False)


def _bill(stages: Mapping[str, Evidence], case: UsageCase, ledger: Ledger, policy: Policy) -> None:
    """What speaks for the invoice line and the posting. An invoice without a line for the product does not bill it."""
    invoice = case.billed_by
    assert invoice is not None, "asked of what is billed only"
    lines = [line.key for line in invoice.lines if line.product is not None and line.product == case.product]
    issued = invoice.issued_at is not None and not policy.says("invoice_not_due", invoice.status)
    if lines and issued:
        stages["invoice line"].finished += [invoice.key, *lines]
    else:
        stages["invoice line"].waiting.append(invoice.key)
    posted = [each for each in ledger.entries.get(invoice.key, ()) if policy.says("entry_posted", each.status)]
    if posted:
        stages["posting"].finished += [each.lines[0].key for each in posted]
    elif issued:
        stages["posting"].waiting.append(invoice.key)


def _late(case: UsageCase, policy: Policy, now: datetime) -> bool:
    """Whether an invoice should bill it by now: as long after its end as a subscription may wait for its invoice."""
    ended = begin_of(case.batch.period_end)
    return ended is not None and now - ended > timedelta(days=policy.progress["subscribed"].days)
