"""What a version of a golden record must pass before an ERP is served it, and why one is held back. Pure.

The gates are a document (`mdm.hub.gates`); what is judged - the object of the projection, the verdict of onboarding -
comes from outside. Reasons hold codes and names of fields, never values.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from mdm.model.ids import Domain
from mdm.onboarding.verdict import Decision, Finding, Outcome, Severity, Verdict
from mdm.projection.project import Projected

#: Stands for every ERP that has no list of its own.
OTHERWISE = "otherwise"
#: Gates and codes of reasons that come from neither projection nor verdict.
TIME, NOT_BEFORE = "time", "NOT_BEFORE"
SENSITIVE, WAITS, NOT_AGREED = "sensitive", "SENSITIVE_CHANGE", "SENSITIVE_CHANGE_REJECTED"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a version is held back: the gate, the code of what it found, and where."""

    gate: str
    code: str
    field: str = ""
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """What versions of one domain must pass.

    Attributes:
        decisions: verdicts that pass; None where no verdict is asked for.
        findings: codes of the verdict that hold a version back when they fail, whatever the decision is.
        sensitive: by ERP, and for all others under `OTHERWISE`, the attributes of which a change against what is
            served waits for somebody to agree.
        significant: attributes of which a change is worth telling an ERP; None: every one.
        not_before: versions that become known within so long of the first of them reach the ERP as one.
    """

    fits: bool
    decisions: frozenset[Decision] | None = None
    findings: frozenset[str] = frozenset()
    sensitive: Mapping[str, frozenset[str]] = field(default_factory=dict)
    significant: frozenset[str] | None = None
    not_before: timedelta = timedelta()

    def sensitive_for(self, erp: str) -> frozenset[str]:
        """The sensitive attributes of an ERP."""
        return self.sensitive.get(erp, self.sensitive.get(OTHERWISE, frozenset()))


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of every domain; `digest` is that of the document."""

    version: str
    digest: str
    of: Mapping[Domain, Gate]


def reasons(gate: Gate, shown: Projected, verdict: Verdict | None) -> tuple[Reason, ...]:
    """Why this version may not be served; empty when it may."""
    found = []
    if gate.fits:
        found += [
            Reason("projection", each.code, each.field, each.attribute)
            for each in shown.findings
            if each.severity == "error"
        ]
    if gate.decisions is not None and verdict is not None:
        failed = [each for each in verdict.findings if each.outcome is Outcome.FAIL]
        if verdict.decision not in gate.decisions:
            grave = [each for each in failed if each.severity is Severity.ERROR]
            found += [_of_finding(each) for each in grave]
            found += [] if grave else [Reason("verdict", verdict.decision.value.upper())]
        found += [_of_finding(each) for each in failed if each.code in gate.findings]
    return tuple(dict.fromkeys(found))


def of_changes(changed: Collection[str], *, rejected: bool) -> tuple[Reason, ...]:
    """Why a version waits that changes these sensitive attributes: nobody agreed yet, or somebody did not."""
    return tuple(Reason(SENSITIVE, NOT_AGREED if rejected else WAITS, "", each) for each in sorted(changed))


def _of_finding(finding: Finding) -> Reason:
    return Reason("verdict", finding.code, "", _attribute(finding.observation.path))


def _attribute(pointer: str) -> str | None:
    """The golden attribute that a JSON pointer into the values begins with."""
    return pointer.removeprefix("/").partition("/")[0] or None
