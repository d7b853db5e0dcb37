"""Answers about findings of reconciliation."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from api.last_run import Looked
from api.present import key_object
from mdm.lifecycle.ageing import CLASSES, Aged
from mdm.lifecycle.findings import Finding
from mdm.lifecycle.impact import Row
from mdm.lifecycle.overview import Overview
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.stuck import Stuck
from mdm.model.worklist import Priority
from mdm.store.findings import FindingWork

_SAME = ("rule", "code", "customer", "contract", "currency", "sentence", "action", "owner")


def finding_object(finding: Finding, days: int, work: FindingWork, priority: Priority | None) -> dict[str, Any]:
    """A finding with how urgent it is, who looks after it and why it is as it is."""
    return {name: getattr(finding, name) for name in _SAME} | {
        "severity": finding.severity.value,
        "subject": key_object(finding.subject),
        "facts": [key_object(each) for each in finding.facts],
        "amount": None if finding.amount is None else str(finding.amount),
        "days": days,
        **priority_object(priority),
        "assignee": work.assignee,
        "explanation": work.explanation,
        "explained_by": work.explained_by,
        "explained_at": work.explained_at,
        "explained": work.explains(finding),
    }


def priority_object(priority: Priority | None) -> dict[str, Any]:
    """How urgent a finding is, and what that is the sum of."""
    impact = {} if priority is None else priority.impact._asdict()
    return {
        "priority": None if priority is None else priority.points,
        "because": [] if priority is None else [each._asdict() for each in priority.parts],
        "close_impact": impact.get("close_impact"),
        "customer_exposure": impact.get("customer_exposure"),
    }


def stuck_object(stuck: Stuck) -> dict[str, Any]:
    """A business transaction that stands still."""
    same = (
        "stage", "waits_for", "customer", "contract", "currency", "since", "days", "allowed", "sentence", "action",
        "owner",
    )  # fmt: skip
    return {name: getattr(stuck, name) for name in same} | {
        "subject": key_object(stuck.subject),
        "facts": [key_object(each) for each in stuck.facts],
        "amount": None if stuck.amount is None else str(stuck.amount),
    }


def summary_object(looked: Looked, policy: Policy, days: Sequence[tuple[date, int]] | None) -> dict[str, Any]:
    """All findings in numbers, by rule and age; a rule that found nothing says so."""
    overview, everything = looked.overview, looked.overview.shelf()
    return {
        "as_of": looked.found.as_of,
        "policy_version": looked.found.policy_version,
        "findings": len(everything.findings),
        "amounts": amounts_object(everything.sums),
        "rules": [_rule_object(name, overview, policy) for name in policy.rules],
        "ages": _ages(overview.ages()),
        "days": None if days is None else [{"day": day, "findings": number} for day, number in days],
    }


def books_object(row: Row) -> dict[str, Any]:
    """Findings of a legal entity, month and rule together."""
    return {
        "company": row.company or None,
        "month": row.month,
        "rule": row.cause,
        "severity": row.severity.value,
        "owner": row.owner,
        "findings": row.findings,
        "amounts": amounts_object(row.amounts),
    }


def amounts_object(sums: Mapping[str, Decimal]) -> dict[str, str]:
    """Sums by currency as decimal text."""
    return {currency: str(amount) for currency, amount in sorted(sums.items())}


def _rule_object(name: str, overview: Overview, policy: Policy) -> dict[str, Any]:
    declared, shelf = policy.rules[name], overview.shelf(name)
    return {
        "rule": name,
        "code": declared.code,
        "severity": declared.severity.value,
        "owner": declared.owner,
        "action": declared.action,
        "findings": len(shelf.findings),
        "amounts": amounts_object(shelf.sums),
        "ages": _ages(overview.ages(name)),
    }


def _ages(classes: Sequence[Aged]) -> list[dict[str, Any]]:
    return [
        {"name": each.name, "last_day": last, "findings": each.findings, "amounts": amounts_object(each.amounts)}
        for each, (_, last) in zip(classes, CLASSES, strict=True)
    ]
