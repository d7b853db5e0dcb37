"""The verdict: a decision, the findings it rests on, and how complete and valid the record is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from mdm.model.ids import EntityId
from mdm.onboarding.attestation import Attestation
from mdm.onboarding.checkpoint import Checkpoint, CheckpointName, Waiver


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
    WAIVED = "waived"
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
    """What a check saw. `path` points into the values (JSON pointer); `attestation` is the answer it rests on."""

    code: str
    outcome: Outcome
    path: str
    message: str
    params: Mapping[str, str] = field(default_factory=dict)
    value_masked: str | None = None
    attestation: Attestation | None = None


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
    check: int
    waivable_by: tuple[str, ...] = ()
    waiver: Waiver | None = None
    #: A waiver that waits for a second person, and excuses nothing yet.
    proposed: Waiver | None = None

    @property
    def code(self) -> str:
        return self.observation.code

    @property
    def outcome(self) -> Outcome:
        return Outcome.WAIVED if self.waiver is not None else self.observation.outcome


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One of the checks of ERP onboarding, by number: the worst that its findings came to."""

    number: int
    title: str
    outcome: Outcome
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one version of a customer, or for a candidate, under one rule set and one target.

    It is a function of what was known: it holds as long as the record has this version, the rule set this hash, nobody
    else gets one of its tax numbers, and until `valid_until`, when the first answer or confirmation it rests on
    expires. `completeness` and `validity` are between 0 and 1 with two decimals. `checks` sums up by check.
    """

    entity_id: EntityId | None
    version: int
    erp: str
    release: str | None
    company_code: str | None
    country: str | None
    decision: Decision
    ruleset_version: str
    ruleset_hash: str
    valid_until: datetime | None
    completeness: str
    validity: str
    checks: tuple[CheckResult, ...]
    findings: tuple[Finding, ...]
    checkpoints: Mapping[CheckpointName, Checkpoint] = field(default_factory=dict)


def document(verdict: Verdict) -> dict[str, Any]:
    """The verdict as JSON values."""
    return {
        "subject": {"type": "customer", "id": verdict.entity_id, "version": verdict.version},
        "target": {
            "erp": verdict.erp,
            "release": verdict.release,
            "company_code": verdict.company_code,
            "country": verdict.country,
        },
        "decision": verdict.decision.value,
        "ruleset": {
            "name": "erp-onboarding",
            "version": verdict.ruleset_version,
            "hash": f"sha256:{verdict.ruleset_hash}",
        },
        "valid_until": _moment(verdict.valid_until),
        "score": {"completeness": verdict.completeness, "validity": verdict.validity},
        "checks": [
            {"number": each.number, "title": each.title, "outcome": each.outcome.value, "codes": list(each.codes)}
            for each in verdict.checks
        ],
        "findings": [_finding(each) for each in verdict.findings],
        "checkpoints": {name.value: _checkpoint(verdict.checkpoints.get(name)) for name in CheckpointName},
    }


def canonical_bytes(verdict: Verdict) -> bytes:
    """The verdict as one form of bytes, for comparison and signatures: sorted keys, no white space, UTF-8."""
    return json.dumps(document(verdict), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _finding(finding: Finding) -> dict[str, Any]:
    seen = finding.observation
    written: dict[str, Any] = {
        "code": seen.code,
        "check": finding.check,
        "severity": finding.severity.value,
        "outcome": finding.outcome.value,
        "path": seen.path,
        "message": seen.message,
        "message_key": finding.rule_id,
        "params": dict(seen.params),
        "rule": {"id": finding.rule_id, "version": finding.rule_version},
        "evidence": [_evidence(finding)],
    }
    if seen.value_masked is not None:
        written["value_masked"] = seen.value_masked
    if finding.outcome in (Outcome.FAIL, Outcome.UNVERIFIABLE):
        runbook = f"/v1/onboarding/codes/{seen.code}"
        written["fix"] = {"hint": finding.hint, "owner": finding.owner, "runbook": runbook}
        written["waivable_by"] = list(finding.waivable_by)
    for name, waiver in (("waiver", finding.waiver), ("waiver_proposed", finding.proposed)):
        if waiver is not None:
            written[name] = _waiver(waiver)
    return written


def _waiver(given: Waiver) -> dict[str, Any]:
    told = {"actor": given.actor, "reason": given.reason, "expires_at": _moment(given.expires_at)}
    return told if given.approved_by is None else {**told, "approved_by": given.approved_by}


def _evidence(finding: Finding) -> dict[str, Any]:
    known = finding.observation.attestation
    if known is None:
        return {"kind": finding.evidence_kind, "source": finding.evidence_source}
    return {
        "kind": "external",
        "source": known.provider.value,
        "ref": known.reference,
        "checked_at": _moment(known.checked_at),
        "reason": known.reason,
    }


def _checkpoint(given: Checkpoint | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {
        "at": _moment(given.at),
        "actor": given.actor,
        "reason": given.reason,
        "expires_at": _moment(given.expires_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
