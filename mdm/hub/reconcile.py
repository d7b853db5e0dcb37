"""Do the platforms tell the same story from order to revenue? Reads the hub at one instant and never writes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Engine

from mdm.hub.in_force import usage_revenue_in_force
from mdm.hub.process import Pipeline
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.intake.mapping import standardise
from mdm.lifecycle.assemble import read_story
from mdm.lifecycle.billed_usage import BilledUsage, billed_usage
from mdm.lifecycle.findings import Finding
from mdm.lifecycle.impact import Books, books_of
from mdm.lifecycle.material import Material, Stated, Version
from mdm.lifecycle.policy import Policy, shipped_policy
from mdm.lifecycle.quote_to_cash import QuoteToCash, quote_to_cash
from mdm.lifecycle.reconciliation import reconcile_story
from mdm.lifecycle.stakes import Chains, Stake
from mdm.lifecycle.stuck import Stuck, stuck
from mdm.lifecycle.usage_to_revenue import UsageToRevenue, usage_to_revenue
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store import read_lifecycle, whole
from mdm.store.read_lifecycle import LiveRow, PastRow
from mdm.store.reading import snapshot

#: Linked facts that rules look at.
_KINDS = ("order", "invoice", "invoice_line", "posting", "entitlement", "usage_batch", "offer", "payment")
_NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Everything that does not agree as of an instant: the time of the newest change event that the hub holds."""

    as_of: datetime
    policy_version: str
    findings: tuple[Finding, ...]
    #: In whose books, and in which month, the facts behind the findings are.
    books: Books
    #: Business transactions that stand still, what has waited longest first.
    stuck: tuple[Stuck, ...] = ()
    #: What invoices bill of what was used.
    usage: BilledUsage = field(default_factory=BilledUsage)
    #: How far every contract and every usage batch got, by its id or key.
    contracts: tuple[QuoteToCash, ...] = ()
    batches: tuple[UsageToRevenue, ...] = ()
    #: What hangs on each finding, by rule and subject.
    stakes: Mapping[tuple[str, CrosswalkKey], Stake] = field(default_factory=dict)


def reconcile(engine: Engine, catalogue: Catalogue | None = None, policy: Policy | None = None) -> Reconciliation:
    """Run all reconciliation rules over the whole hub.

    Without a catalogue the shipped source profiles are used, without a policy the shipped rules. Overdue means overdue
    at the time of the newest event, so that the same hub gives the same findings whenever it is asked.
    """
    policy, catalogue = policy or shipped_policy(), catalogue or load_catalogue(None)
    material = read_material(engine, catalogue, policy)
    story = read_story(material, policy)
    findings, books = reconcile_story(material, policy, *story), books_of(material)
    still = stuck(material, *story, policy)
    tiers = {f"{each.system}.{each.table}": each.tier.number for each in catalogue.profiles}
    chains = Chains(material, policy, *story, books, tiers)
    return Reconciliation(
        material.as_of,
        policy.version,
        findings,
        books,
        still,
        billed_usage(material, policy, *story),
        quote_to_cash(material, policy, *story, findings, still),
        usage_to_revenue(material, policy, *story, findings),
        _stakes(engine, chains, findings),
    )


def found_by(pipeline: Pipeline) -> Reconciliation:
    """`reconcile` with the source profiles and the rules of a pipeline."""
    return reconcile(pipeline.engine, pipeline.catalogue, pipeline.rules.reconciliation)


def _stakes(engine: Engine, chains: Chains, findings: Iterable[Finding]) -> dict[tuple[str, CrosswalkKey], Stake]:
    """What hangs on each finding. What customers are to us is read after the rest: it decides no finding, only which
    is looked at first."""
    behind = frozenset[EntityId]().union(*map(chains.customers, findings))
    with snapshot(engine) as work:
        segments = read_lifecycle.segments_of(work, behind)
    return {(each.rule, each.subject): chains.stake(each, segments) for each in findings}


def read_material(engine: Engine, catalogue: Catalogue, policy: Policy) -> Material:
    """What reconciliation starts from, read in one snapshot."""
    agreements = [(system, type_) for system, _, type_ in (name.partition(".") for name in policy.roles["agreement"])]
    with snapshot(engine) as work:
        return Material(
            as_of=read_lifecycle.newest_event_time(work) or _NOTHING_YET,
            facts=_stated(read_lifecycle.live_facts(work, _KINDS)),
            contract_records=_stated(read_lifecycle.contract_records(work)),
            accounts=_stated(read_lifecycle.validated_records(work)),
            entities=read_lifecycle.entities_by_name(work),
            contracts=dict(whole.current_values(work, Domain.CONTRACT)),
            products=dict(whole.current_values(work, Domain.PRODUCT)),
            versions=_versions(read_lifecycle.past_rows(work, agreements), catalogue),
            usage_revenue=usage_revenue_in_force(work.query),
            unknown=read_lifecycle.unknown_names(work, _KINDS),
            heard=read_lifecycle.newest_events(work),
        )


def _stated(rows: Iterable[LiveRow]) -> list[Stated]:
    return [Stated(row.key, row.kind, row.attributes, row.references, row.event_time) for row in rows]


def _versions(rows: Iterable[PastRow], catalogue: Catalogue) -> dict[CrosswalkKey, list[Version]]:
    """What each row said from when on, in canonical attributes; columns that an event left out stay as they were."""
    versions: dict[CrosswalkKey, list[Version]] = {}
    before: dict[str, object] = {}
    for past in rows:
        known = versions.setdefault(past.key, [])
        before = {**(before if known else {}), **past.row}
        known.append(Version(past.event_time, standardise(catalogue, past.key, before).attributes))
    return versions
