"""The verdict: a decision, the findings it rests on, and how complete and valid the record is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mdm.model.ids import EntityId


class Severity(StrEnum):
    """How much a failed check weighs."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Outcome(StrEnum):
    """What a check came to. Unverifiable is not invalid: whoever could tell was not there to ask."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    UNVERIFIABLE = "unverifiable"
    NOT_APPLICABLE = "not_applicable"


class Decision(StrEnum):
    """May the customer be created in ERP?"""

    READY = "ready"
    READY_WITH_WARNINGS = "ready_with_warnings"
    NEEDS_REVIEW = "needs_review"
    BLOCKED = "blocked"
    UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True, slots=True)
class Observation:
    """What a check saw. `path` points into the golden values (JSON pointer)."""

    code: str
    outcome: Outcome
    path: str
    message: str
    params: Mapping[str, str] = field(default_factory=dict)
    value_masked: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """An observation with the rule that made it, what it rests on, and what to do about it.

    `fix` is set when something is to be done: hint and owner.
    """

    observation: Observation
    severity: Severity
    rule_id: str
    rule_version: str
    evidence_kind: str
    evidence_source: str
    hint: str
    owner: str

    @property
    def code(self) -> str:
        return self.observation.code

    @property
    def outcome(self) -> Outcome:
        return self.observation.outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one version of a golden customer under one rule set.

    It carries no time: it holds as long as the golden record has this version, the rule set this hash, and nobody else
    gets one of its tax numbers. `completeness` and `validity` are between 0 and 1 with two decimals.
    """

    entity_id: EntityId
    version: int
    erp: str
    country: str | None
    decision: Decision
    ruleset_version: str
    ruleset_hash: str
    completeness: str
    validity: str
    findings: tuple[Finding, ...]


def document(verdict: Verdict) -> dict[str, Any]:
    """The verdict as JSON values."""
    return {
        "subject": {"type": "customer", "id": verdict.entity_id, "version": verdict.version},
        "target": {"erp": verdict.erp, "country": verdict.country},
        "decision": verdict.decision.value,
        "ruleset": {
            "name": "erp-onboarding",
            "version": verdict.ruleset_version,
            "hash": f"sha256:{verdict.ruleset_hash}",
        },
        "score": {"completeness": verdict.completeness, "validity": verdict.validity},
        "findings": [_finding(each) for each in verdict.findings],
    }


def canonical_bytes(verdict: Verdict) -> bytes:
    """The verdict as one form of bytes, for comparison and signatures: sorted keys, no white space, UTF-8."""
    return json.dumps(document(verdict), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _finding(finding: Finding) -> dict[str, Any]:
    seen = finding.observation
    written: dict[str, Any] = {
        "code": seen.code,
        "severity": finding.severity.value,
        "outcome": seen.outcome.value,
        "path": seen.path,
        "message": seen.message,
        "params": dict(seen.params),
        "rule": {"id": finding.rule_id, "version": finding.rule_version},
        "evidence": [{"kind": finding.evidence_kind, "source": finding.evidence_source}],
    }
    if seen.value_masked is not None:
        written["value_masked"] = seen.value_masked
    if seen.outcome in (Outcome.FAIL, Outcome.UNVERIFIABLE):
        written["fix"] = {"hint": finding.hint, "owner": finding.owner}
    return written
