"""What a version of a golden record must pass before an ERP is served it, and why one is held back. Pure.

The gates are a document (`mdm.hub.gates`); what is judged - the object of the projection, the verdict of onboarding -
comes from outside. Reasons hold codes and names of fields, never values.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mdm.model.ids import Domain
from mdm.onboarding.verdict import Decision, Outcome, Severity, Verdict
from mdm.projection.project import Projected


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a version is held back: the gate, the code of what it found, and where."""

    gate: str
    code: str
    field: str = ""
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """What versions of one domain must pass. `decisions` is None where no verdict is asked for."""

    fits: bool
    decisions: frozenset[Decision] | None = None


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
    if gate.decisions is not None and verdict is not None and verdict.decision not in gate.decisions:
        failed = [each for each in verdict.findings if each.outcome is Outcome.FAIL and each.severity is Severity.ERROR]
        found += [Reason("verdict", each.code, "", _attribute(each.observation.path)) for each in failed]
        found += [] if failed else [Reason("verdict", verdict.decision.value.upper())]
    return tuple(dict.fromkeys(found))


def _attribute(pointer: str) -> str | None:
    """The golden attribute that a JSON pointer into the values begins with."""
    return pointer.removeprefix("/").partition("/")[0] or None
