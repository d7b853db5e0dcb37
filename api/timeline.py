"""The timeline of a customer as somebody is told of it: events of the store, with what reconciliation knows of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Engine

from api.last_run import Looked
from api.masking import show_record
from api.present import key_object
from api.processing import batch_of, named, within_reach
from mdm.access import Eyes
from mdm.lifecycle.findings import Finding
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.usage_to_revenue import UsageToRevenue
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.read_timeline import CONTRACT, SUBSCRIPTION, Happened

#: Of which attribute a field of an event is, the first that the row has.
_NUMBER, _AMOUNT, _STATE = ("number", "journal_entry"), ("total", "amount", "value"), ("status", "stage")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "number": _NUMBER, "amount": _AMOUNT, "quantity": ("quantity",), "currency": ("currency",), "state": _STATE,
}  # fmt: skip


def findings_about(looked: Looked, parties: Iterable[EntityId]) -> Mapping[CrosswalkKey, list[Finding]]:
    """By row the findings about these customers and contracts that it is part of, each once."""
    found: dict[CrosswalkKey, dict[tuple[str, CrosswalkKey], Finding]] = defaultdict(dict)
    for party in parties:
        for finding in looked.overview.about(party).findings:
            for fact in finding.facts:
                found[fact][finding.rule, finding.subject] = finding
    return {row: list(findings.values()) for row, findings in found.items()}


def batches_of(engine: Engine, looked: Looked, events: Iterable[Happened]) -> Mapping[CrosswalkKey, UsageToRevenue]:
    """What became of the usage batches among these events, as far as it is within reach."""
    keys = [event.key for event in events if event.kind == "usage_batch"]
    found = (named(looked.found.batches, batch_of, key) for key in keys)
    return {each.batch: each for each in within_reach(engine, (each for each in found if each is not None))}


def event_object(
    event: Happened,
    batches: Mapping[CrosswalkKey, UsageToRevenue],
    findings: Mapping[CrosswalkKey, list[Finding]] | None,
    policy: Policy,
    eyes: Eyes,
) -> dict[str, Any]:
    """An event (`api.schemas.timeline.TimelineEvent`).

    `batches` are the usage batches of which reconciliation knows what they belong to: they name customer and product
    only. `findings` is None for those who may not see any.
    """
    domain = Domain.CONTRACT if event.kind in (CONTRACT, SUBSCRIPTION) else None
    shown = show_record(domain, event.attributes, eyes)
    stated = {field: next((name for name in names if name in shown.values), None) for field, names in _FIELDS.items()}
    used = batches.get(event.key)
    subscription = event.key if event.kind == SUBSCRIPTION else event.agreement
    if subscription is not None and not policy.plays(SUBSCRIPTION, subscription):
        subscription = None
    if used is not None:
        subscription = used.subscription
    invoice = used.invoice if used is not None else event.invoice
    return {
        **key_object(event.key),
        "kind": event.kind,
        "date": event.at[:10],
        "at": event.at,
        "dated_by": event.dated_by or "event_time",
        **{field: _text(shown.values[name]) if name is not None else None for field, name in stated.items()},
        "contract": used.contract if used is not None else event.contract,
        "subscription": key_object(subscription) if subscription is not None else None,
        "invoice": key_object(invoice) if invoice is not None else None,
        "findings": None if findings is None else [_finding_object(each) for each in findings.get(event.key, ())],
        "masked": sorted(field for field, name in stated.items() if name in shown.masked),
        "position": {
            "topic": event.topic,
            "partition": event.partition,
            "offset": event.offset,
            "lsn": event.lsn,
            "transaction": event.transaction,
            "event_time": event.event_time,
        },
    }


def _finding_object(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "code": finding.code,
        "severity": finding.severity.value,
        "subject": key_object(finding.subject),
        "owner": finding.owner,
        "action": finding.action,
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
